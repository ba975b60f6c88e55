"""Connector tokens: what API callers name an integration by, where the surface's contract has no ids for that.

A token is looked up by its digest and kept sealed beside it, because the contract shows it again and again.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

import asyncpg

from atsumi.redaction import register_secret
from atsumi.store.records import Connection
from atsumi.store.vault import Vault

_RANDOM_BYTES = 48
"""Makes 64 characters (Bindbee NOTES, section 2)."""


def digest_of(token: str) -> bytes:
    """What a token is found by. Its 384 random bits need no slow hash: there is nothing to guess."""
    return sha256(token.encode()).digest()


async def issue_token(
    connection: Connection, vault: Vault, integration: int, owner: str, *, keeps_old: bool = False
) -> str:
    """Give an integration a new token and return it; the old one is useless at once.

    ``owner`` is :func:`owner_of` the integration. ``keeps_old``: one that exists stays, and is returned.
    """
    token = secrets.token_urlsafe(_RANDOM_BYTES)
    register_secret(token)
    sealed = await connection.fetchval(
        """
        INSERT INTO connector_token AS t (integration, digest, sealed) VALUES ($1, $2, $3)
        ON CONFLICT (integration) DO UPDATE SET
            digest = CASE WHEN $4 THEN t.digest ELSE excluded.digest END,
            sealed = CASE WHEN $4 THEN t.sealed ELSE excluded.sealed END,
            created_at = CASE WHEN $4 THEN t.created_at ELSE excluded.created_at END
        RETURNING sealed
        """,
        integration,
        digest_of(token),
        vault.seal(token.encode(), owner=owner),
        keeps_old,
    )
    return open_token(vault, sealed, owner)


async def tokens_of(pool: asyncpg.Pool, vault: Vault, integrations: Sequence[int]) -> dict[int, str]:
    """The tokens of several integrations, made where there are none yet."""
    rows = await pool.fetch(
        """
        SELECT i.number, i.environment_id, i.public_id, t.sealed FROM integration i
        LEFT JOIN connector_token t ON t.integration = i.number WHERE i.number = ANY($1)
        """,
        integrations,
    )
    found = {}
    for row in rows:
        owner = owner_of(row["environment_id"], row["public_id"])
        if row["sealed"] is not None:
            found[row["number"]] = open_token(vault, row["sealed"], owner)
        else:
            async with pool.acquire() as connection:
                found[row["number"]] = await issue_token(connection, vault, row["number"], owner, keeps_old=True)
    return found


def open_token(vault: Vault, sealed: bytes, owner: str) -> str:
    """A stored token. Raises :class:`~atsumi.errors.ConfigurationError` as the vault does."""
    token = vault.open(sealed, owner=owner).decode()
    register_secret(token)
    return token


def owner_of(environment_id: UUID, public_id: UUID) -> str:
    """What binds a sealed token to its integration."""
    return f"{environment_id}/{public_id}/connector_token"
