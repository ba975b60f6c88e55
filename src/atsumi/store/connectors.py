"""Integrations with their connector tokens, as surfaces show them whose calls name an integration by its token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import asyncpg

from atsumi.store.connector_tokens import digest_of, issue_token, open_token, owner_of
from atsumi.store.freshness import FRESHNESS_JOINS, WITH_FRESHNESS, Freshness, integration_and_freshness
from atsumi.store.tenants import IntegrationRow
from atsumi.store.vault import Vault


class ConnectedRow(NamedTuple):
    """An integration with its token, which is secret."""

    integration: IntegrationRow
    freshness: Freshness
    token: str


async def connected(
    pool: asyncpg.Pool,
    vault: Vault,
    environment_id: UUID,
    *,
    after: UUID | None,
    size: int,
    token: str | None = None,
    origin_id: str | None = None,
    is_active: bool | None = None,
) -> tuple[Sequence[ConnectedRow], UUID | None]:
    """An environment's integrations by public id, at most ``size`` beyond ``after``, and the id to go on after.

    ``None`` there when these are the last. ``is_active`` tells those that are switched off from all others. An
    integration that has no token yet gets one.
    """
    rows = await pool.fetch(
        f"""
        SELECT {WITH_FRESHNESS}, (SELECT t.sealed FROM connector_token t WHERE t.integration = number) AS sealed
        FROM integration {FRESHNESS_JOINS}
        WHERE environment_id = $1 AND deleted_at IS NULL AND ($2::uuid IS NULL OR public_id > $2)
          AND ($3::bytea IS NULL OR number = (SELECT t.integration FROM connector_token t WHERE t.digest = $3))
          AND ($4::text IS NULL OR end_user_origin_id = $4)
          AND ($5::boolean IS NULL OR (state <> 'INACTIVE') = $5)
        ORDER BY public_id LIMIT $6
        """,
        environment_id,
        after,
        digest_of(token) if token is not None else None,
        origin_id,
        is_active,
        size + 1,
    )
    found = []
    for row in rows[:size]:
        values = dict(row)
        sealed = values.pop("sealed")
        integration, freshness = integration_and_freshness(values)
        if sealed is None:
            shown = await token_of(pool, vault, integration)
        else:
            shown = open_token(vault, sealed, owner_of(environment_id, integration.public_id))
        found.append(ConnectedRow(integration, freshness, shown))
    return found, found[-1].integration.public_id if len(rows) > size else None


async def token_of(pool: asyncpg.Pool, vault: Vault, integration: IntegrationRow, *, is_renewed: bool = False) -> str:
    """The integration's token, made at the first call. ``is_renewed``: a new one; the old one is useless at once."""
    owner = owner_of(integration.environment_id, integration.public_id)
    async with pool.acquire() as connection:
        return await issue_token(connection, vault, integration.number, owner, keeps_old=not is_renewed)
