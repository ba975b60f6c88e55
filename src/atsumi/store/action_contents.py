"""What an action consists of: its input, its files, the steps that were done, its answer. All of it sealed.

Everything but the answer is written under the fencing token of whoever carries the action out, and raises
:class:`~atsumi.errors.StaleToken` when somebody else does.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import NamedTuple
from uuid import UUID

import asyncpg

from atsumi.errors import StaleToken
from atsumi.store.actions import ActionClaim, fresh, owner_of
from atsumi.store.vault import Vault


class StepRow(NamedTuple):
    """``is_done`` is false for a request that was about to be sent ``seconds`` ago."""

    is_done: bool
    result: bytes
    seconds: float


async def write_file_part(
    pool: asyncpg.Pool, vault: Vault, claim: ActionClaim, ordinal: int, part: int, content: bytes
) -> None:
    """Keep a part of a file; written again, it is replaced. Taking in a file keeps the claim, too."""
    fresh(
        await pool.fetchval(
            """
            WITH held AS (UPDATE action SET heartbeat_at = now() WHERE id = $1 AND token = $2 RETURNING id)
            INSERT INTO action_file (action, ordinal, part, sealed) SELECT id, $3, $4, $5 FROM held
            ON CONFLICT (action, ordinal, part) DO UPDATE SET sealed = excluded.sealed RETURNING 1
            """,
            claim.id,
            claim.token,
            ordinal,
            part,
            vault.seal(content, owner=f"{owner_of(claim.integration, claim.id)}/file/{ordinal}/{part}"),
        )
    )


async def cut_file(pool: asyncpg.Pool, claim: ActionClaim, ordinal: int, parts: int) -> None:
    """Remove what an earlier, longer try left beyond so many parts. Raises :class:`StaleToken`."""
    fresh(
        await pool.fetchval(
            """
            WITH held AS (SELECT id FROM action WHERE id = $1 AND token = $2 FOR UPDATE), gone AS (
                DELETE FROM action_file USING held WHERE action = held.id AND ordinal = $3 AND part >= $4)
            SELECT 1 FROM held
            """,
            claim.id,
            claim.token,
            ordinal,
            parts,
        )
    )


async def read_file(pool: asyncpg.Pool, vault: Vault, claim: ActionClaim, ordinal: int) -> AsyncGenerator[bytes]:
    """The parts of a file in their order, one at a time. Raises :class:`StaleToken` when they are gone."""
    part = 0
    while True:
        sealed = await pool.fetchval(
            "SELECT sealed FROM action_file WHERE action = $1 AND ordinal = $2 AND part = $3", claim.id, ordinal, part
        )
        if sealed is None:
            if part == 0:
                raise StaleToken("the action's files are gone")
            return
        yield vault.open(sealed, owner=f"{owner_of(claim.integration, claim.id)}/file/{ordinal}/{part}")
        part += 1


async def set_draft(pool: asyncpg.Pool, vault: Vault, claim: ActionClaim, draft: bytes, outcome: bytes) -> None:
    """Complete a new action with its input, and with what is to be told of it already.

    From now on anybody may carry it out. Raises :class:`StaleToken`.
    """
    owner = owner_of(claim.integration, claim.id)
    fresh(
        await pool.fetchval(
            "UPDATE action SET sealed_draft = $3, sealed_outcome = $4 WHERE id = $1 AND token = $2 RETURNING 1",
            claim.id,
            claim.token,
            vault.seal(draft, owner=f"{owner}/draft"),
            vault.seal(outcome, owner=f"{owner}/outcome"),
        )
    )


async def draft_of(pool: asyncpg.Pool, vault: Vault, claim: ActionClaim) -> bytes:
    """The input. Raises :class:`StaleToken` when the action has ended meanwhile."""
    sealed = await pool.fetchval("SELECT sealed_draft FROM action WHERE id = $1 AND token = $2", claim.id, claim.token)
    if sealed is None:
        raise StaleToken("the action has ended")
    return vault.open(sealed, owner=f"{owner_of(claim.integration, claim.id)}/draft")


async def peek_draft(pool: asyncpg.Pool, vault: Vault, integration: int, id: UUID) -> bytes | None:
    """The input of an action, for its caller, as long as it is kept."""
    sealed = await pool.fetchval("SELECT sealed_draft FROM action WHERE integration = $1 AND id = $2", integration, id)
    return vault.open(sealed, owner=f"{owner_of(integration, id)}/draft") if sealed is not None else None


async def steps(pool: asyncpg.Pool, vault: Vault, claim: ActionClaim) -> dict[str, StepRow]:
    """All steps that were noted, by name."""
    rows = await pool.fetch(
        "SELECT name, is_done, sealed_result, extract(epoch FROM now() - at)::float8 AS seconds FROM action_step "
        "WHERE action = $1",
        claim.id,
    )
    owner = owner_of(claim.integration, claim.id)
    return {
        row["name"]: StepRow(
            row["is_done"],
            vault.open(row["sealed_result"], owner=f"{owner}/step/{row['name']}"),
            row["seconds"],
        )
        for row in rows
    }


async def note_step(
    pool: asyncpg.Pool, vault: Vault, claim: ActionClaim, name: str, result: bytes, *, is_done: bool
) -> None:
    """Note a step, in place of what was noted of it before. Raises :class:`StaleToken`."""
    fresh(
        await pool.fetchval(
            """
            WITH held AS (SELECT id FROM action WHERE id = $1 AND token = $2 FOR UPDATE)
            INSERT INTO action_step (action, name, is_done, sealed_result) SELECT id, $3, $4, $5 FROM held
            ON CONFLICT (action, name) DO UPDATE SET
                is_done = excluded.is_done, sealed_result = excluded.sealed_result, at = now()
            RETURNING 1
            """,
            claim.id,
            claim.token,
            name,
            is_done,
            vault.seal(result, owner=f"{owner_of(claim.integration, claim.id)}/step/{name}"),
        )
    )


async def drop_step(pool: asyncpg.Pool, claim: ActionClaim, name: str) -> None:
    """Forget a step. Raises :class:`StaleToken`."""
    fresh(
        await pool.fetchval(
            """
            WITH held AS (SELECT id FROM action WHERE id = $1 AND token = $2 FOR UPDATE), gone AS (
                DELETE FROM action_step USING held WHERE action = held.id AND name = $3)
            SELECT 1 FROM held
            """,
            claim.id,
            claim.token,
            name,
        )
    )


async def keep_answer(pool: asyncpg.Pool, vault: Vault, integration: int, id: UUID, answer: bytes) -> bytes:
    """Keep the first answer to the caller; returns the one that was first."""
    owner = f"{owner_of(integration, id)}/answer"
    sealed = await pool.fetchval(
        """
        UPDATE action SET sealed_answer = coalesce(sealed_answer, $3) WHERE integration = $1 AND id = $2
        RETURNING sealed_answer
        """,
        integration,
        id,
        vault.seal(answer, owner=owner),
    )
    return vault.open(sealed, owner=owner) if sealed is not None else answer


async def kept_answer(pool: asyncpg.Pool, vault: Vault, integration: int, id: UUID) -> bytes | None:
    """The first answer to the caller, if one is kept."""
    sealed = await pool.fetchval("SELECT sealed_answer FROM action WHERE integration = $1 AND id = $2", integration, id)
    return vault.open(sealed, owner=f"{owner_of(integration, id)}/answer") if sealed is not None else None
