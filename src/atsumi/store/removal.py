"""Deleting integrations: first only marked, so that it can be undone, and after some days every row of theirs.

A deleted integration is found by nothing but the functions here. Removing goes in bounded transactions and may be
killed anywhere: the credentials go first, the integration's own row last, so whoever goes on sees where it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from atsumi.errors import Conflict
from atsumi.store import queue, schedules
from atsumi.store.records import Connection
from atsumi.store.tenants import INTEGRATION_COLUMNS, IntegrationRow, account_holder, integration_of

STEP = 2_000
"""Rows that one transaction removes."""

_OF_RUNS = ("seen_page", "sync_issue", "sync_run_stream")
"""Tables whose rows belong to an integration's runs: they would go with them, but in one transaction of any size."""


class Deleted(NamedTuple):
    """A deleted integration that can still be restored, or whose rows are being removed."""

    integration: IntegrationRow
    deleted_at: datetime


async def delete(pool: asyncpg.Pool, integration: int, *, now: datetime | None = None) -> bool:
    """Mark an integration as deleted and cancel its runs; returns whether it was there.

    In one transaction, behind the lock that orders commits: whoever writes for it has committed, or cannot any more.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM clock WHERE integration = $1 FOR UPDATE", integration)
        found = await connection.fetchval(
            """
            UPDATE integration SET deleted_at = coalesce($2::timestamptz, now())
            WHERE number = $1 AND deleted_at IS NULL RETURNING 1
            """,
            integration,
            now,
        )
        if found is not None:
            await queue.cancel_open(connection, integration, "The integration was deleted.", now)
            await connection.execute("UPDATE clock SET token = token + 1 WHERE integration = $1", integration)
    return found is not None


async def deleted(pool: asyncpg.Pool) -> list[Deleted]:
    """All deleted integrations that are not removed altogether yet, the last deleted first."""
    rows = await pool.fetch(
        f"SELECT {INTEGRATION_COLUMNS}, deleted_at FROM integration WHERE deleted_at IS NOT NULL "
        "ORDER BY deleted_at DESC, number"
    )
    found = []
    for row in rows:
        values = dict(row)
        deleted_at = values.pop("deleted_at")
        found.append(Deleted(integration_of(values), deleted_at))
    return found


async def restore(
    pool: asyncpg.Pool, integration: IntegrationRow, *, deleted_after: datetime, now: datetime | None = None
) -> None:
    """Bring a deleted integration back as it was, due for a sync at once.

    Raises :class:`Conflict` when it is not deleted, was deleted at ``deleted_after`` or before, is being removed, or
    its account has been connected anew.
    """
    async with pool.acquire() as connection, connection.transaction():
        if integration.account_id is not None:
            holder = await account_holder(
                connection, integration.environment_id, integration.tool, integration.account_id
            )
            if holder is not None and holder != integration.id:
                raise Conflict(
                    f"{integration.id}: its account {integration.account_id} has been connected anew as {holder}. "
                    "Delete that integration first, or keep it and leave this one deleted."
                )
        row = await connection.fetchrow(
            """
            SELECT deleted_at, EXISTS (SELECT 1 FROM credential c WHERE c.integration = number) AS is_whole
            FROM integration WHERE number = $1 FOR UPDATE
            """,
            integration.number,
        )
        if row is None or (row["deleted_at"] is not None and not row["is_whole"]):
            raise Conflict(f"{integration.id}: its data has been removed. Connect the account again.")
        if row["deleted_at"] is None:
            raise Conflict(f"{integration.id} is not deleted.")
        if row["deleted_at"] <= deleted_after:
            raise Conflict(
                f"{integration.id} was deleted on {row['deleted_at']:%Y-%m-%d %H:%M} UTC, which is too long ago: its "
                "data is about to be removed. Connect the account again."
            )
        await connection.execute("UPDATE integration SET deleted_at = NULL WHERE number = $1", integration.number)
        await schedules.resume(connection, integration.number, now=now)


async def due(pool: asyncpg.Pool, deleted_before: datetime) -> Sequence[tuple[int, UUID]]:
    """(number, public id) of integrations that were deleted by then, the longest deleted first."""
    rows = await pool.fetch(
        "SELECT number, public_id FROM integration WHERE deleted_at <= $1 ORDER BY deleted_at, number", deleted_before
    )
    return [(row["number"], row["public_id"]) for row in rows]


async def begin(pool: asyncpg.Pool, integration: int, deleted_before: datetime) -> bool:
    """Remove the credentials and tokens, after which nothing can be restored; ``False`` if it is not due after all."""
    async with pool.acquire() as connection, connection.transaction():
        if not await _is_due(connection, integration, deleted_before):
            return False
        for table in ("credential", "access_token", "connector_token"):
            await connection.execute(f"DELETE FROM {table} WHERE integration = $1", integration)
    return True


async def remove_rows(pool: asyncpg.Pool, integration: int, deleted_before: datetime) -> int:
    """Remove every row of the integration but its own, from every table; returns how many.

    Stops early, to be called again, when another process is at it. Tables are found by their column ``integration``,
    so that none can be forgotten.
    """
    count = 0
    for table in (*_OF_RUNS, *await _tables(pool)):
        while removed := await _remove_some(pool, table, integration, deleted_before):
            count += removed
    return count


async def end(pool: asyncpg.Pool, integration: int, public_id: UUID, deleted_before: datetime) -> bool:
    """Remove the integration's own row, when nothing else of it is left."""
    async with pool.acquire() as connection, connection.transaction():
        if not await _is_due(connection, integration, deleted_before):
            return False
        for table in await _tables(pool):
            if await connection.fetchval(f"SELECT 1 FROM {table} WHERE integration = $1 LIMIT 1", integration):
                return False
        # Budgets of the tool that are counted by integration; those counted by credential may be another's, too.
        for table in ("rate_bucket", "rate_window"):
            await connection.execute(f"DELETE FROM {table} WHERE starts_with(key, $1)", f"{public_id}/")
        await connection.execute("DELETE FROM integration WHERE number = $1", integration)
    return True


async def _remove_some(pool: asyncpg.Pool, table: str, integration: int, deleted_before: datetime) -> int:
    if table in _OF_RUNS:
        chosen = f"SELECT t.ctid FROM {table} t JOIN sync_run r ON r.id = t.run_id WHERE r.integration = $1 LIMIT $2"
        statement = f"DELETE FROM {table} WHERE ctid = ANY(ARRAY({chosen}))"
    else:
        chosen = f"SELECT ctid FROM {table} WHERE integration = $1 LIMIT $2"
        # A place is one within a partition only, and the integration names the partition.
        statement = f"DELETE FROM {table} WHERE integration = $1 AND ctid = ANY(ARRAY({chosen}))"
    async with pool.acquire() as connection, connection.transaction():
        if not await _is_due(connection, integration, deleted_before):
            return 0
        status: str = await connection.execute(statement, integration, STEP)
    return int(status.rpartition(" ")[2])


async def _is_due(connection: Connection, integration: int, deleted_before: datetime) -> bool:
    """Whether the integration is to be removed and nobody else is at it; keeps others away until the commit."""
    found = await connection.fetchval(
        "SELECT 1 FROM integration WHERE number = $1 AND deleted_at <= $2 FOR UPDATE SKIP LOCKED",
        integration,
        deleted_before,
    )
    return found is not None


async def _tables(pool: asyncpg.Pool) -> Sequence[str]:
    """Every table of which rows belong to an integration."""
    rows = await pool.fetch(
        """
        SELECT k.relname FROM pg_class k JOIN pg_attribute a ON a.attrelid = k.oid
        WHERE k.relnamespace = current_schema()::regnamespace AND k.relkind IN ('r', 'p') AND NOT k.relispartition
          AND a.attname = 'integration' AND NOT a.attisdropped
        ORDER BY k.relname
        """
    )
    return [row["relname"] for row in rows]
