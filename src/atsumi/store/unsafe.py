"""Large losses: found by a run, decided by the operator.

Functions that write take a connection inside the caller's transaction, as in :mod:`atsumi.store.records`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

import asyncpg

from atsumi.errors import NotFound
from atsumi.store.records import Connection


@dataclass(frozen=True, slots=True)
class UnsafeRow:
    """A change that waits, or waited, for the operator: ``missing`` of ``stored`` records were not shown."""

    id: UUID
    integration: int
    run_id: UUID
    stream: str
    stored: int
    missing: Sequence[str]
    pages: int
    state: str
    found_at: datetime
    decided_at: datetime | None


_UNSAFE = "id, integration, run_id, stream, stored, missing, pages, state, found_at, decided_at"


async def hold_unsafe(
    connection: Connection,
    integration: int,
    run_id: UUID,
    stream: str,
    *,
    stored: int,
    missing: Sequence[str],
    pages: int,
) -> UUID:
    """Put a change before the operator; the same one that waits already stays, another one is superseded."""
    waiting = await connection.fetchrow(
        "SELECT id, missing FROM unsafe_change WHERE integration = $1 AND stream = $2 AND state = 'PENDING'",
        integration,
        stream,
    )
    if waiting is not None and sorted(waiting["missing"]) == sorted(missing):
        return UUID(str(waiting["id"]))
    await supersede_unsafe(connection, integration, stream)
    made = uuid4()
    await connection.execute(
        """
        INSERT INTO unsafe_change (id, integration, run_id, stream, stored, missing, pages)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        made,
        integration,
        run_id,
        stream,
        stored,
        missing,
        pages,
    )
    return made


async def supersede_unsafe(connection: Connection, integration: int, stream: str) -> None:
    """What waited for the operator is no longer so: a newer complete listing says otherwise."""
    await connection.execute(
        """
        UPDATE unsafe_change SET state = 'SUPERSEDED', decided_at = now()
        WHERE integration = $1 AND stream = $2 AND state = 'PENDING'
        """,
        integration,
        stream,
    )
    await connection.execute(
        """
        DELETE FROM seen_page s USING unsafe_change u
        WHERE u.integration = $1 AND u.stream = $2 AND u.state = 'SUPERSEDED'
          AND s.run_id = u.run_id AND s.stream = u.stream
          AND NOT EXISTS (SELECT 1 FROM sync_run r WHERE r.id = s.run_id AND r.ended_at IS NULL)
        """,
        integration,
        stream,
    )


async def unsafe_changes(pool: asyncpg.Pool, integration: int | None = None) -> list[UnsafeRow]:
    """What waits for the operator, oldest first, of one integration or of all."""
    rows = await pool.fetch(
        f"""
        SELECT {_UNSAFE} FROM unsafe_change
        WHERE state = 'PENDING' AND ($1::bigint IS NULL OR integration = $1) ORDER BY found_at
        """,
        integration,
    )
    return [UnsafeRow(**row) for row in rows]


async def find_unsafe(connection: Connection | asyncpg.Pool, change_id: UUID) -> UnsafeRow:
    """One change, decided or not. Raises :class:`NotFound`."""
    row = await connection.fetchrow(f"SELECT {_UNSAFE} FROM unsafe_change WHERE id = $1", change_id)
    if row is None:
        raise NotFound(f"There is no unsafe change {change_id}; `atsumi deletions list` names those that wait.")
    return UnsafeRow(**row)


async def decide_unsafe(connection: Connection, change_id: UUID, state: Literal["CONFIRMED", "DISCARDED"]) -> None:
    """Note the operator's decision and drop what was kept to show."""
    row = await connection.fetchrow(
        """
        UPDATE unsafe_change SET state = $2, decided_at = now() WHERE id = $1 AND state = 'PENDING'
        RETURNING run_id, stream
        """,
        change_id,
        state,
    )
    if row is not None:
        await connection.execute(
            "DELETE FROM seen_page WHERE run_id = $1 AND stream = $2", row["run_id"], row["stream"]
        )
