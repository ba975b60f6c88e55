"""Large losses: found by a run, decided by the operator.

Functions that write take a connection inside the caller's transaction, as in :mod:`atsumi.store.records`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Literal
from uuid import UUID, uuid4

import asyncpg
import msgspec

from atsumi.errors import NotFound
from atsumi.store.records import Connection


@dataclass(frozen=True, slots=True)
class UnsafeRow:
    """A change that waits, or waited, for the operator: ``missing`` of ``stored`` records were not shown.

    ``listing`` is the stream whose read found it, ``as_of`` the start of the last complete read before that one.
    ``sample`` is what the tool said of some of the missing records when it was asked for each, by remote id:
    ``gone``, or ``unknown`` when the answer said nothing. Those that exist do not count as missing any more.
    """

    id: UUID
    integration: int
    run_id: UUID
    stream: str
    listing: str
    stored: int
    missing: Sequence[str]
    pages: int
    sample: Mapping[str, str]
    state: str
    as_of: datetime | None
    found_at: datetime
    decided_at: datetime | None


_UNSAFE = "id, integration, run_id, stream, listing, stored, missing, pages, sample, state, as_of, found_at, decided_at"


def _unsafe(row: asyncpg.Record) -> UnsafeRow:
    return UnsafeRow(**{**row, "sample": msgspec.json.decode(row["sample"])})


async def hold_unsafe(
    connection: Connection,
    integration: int,
    run_id: UUID,
    stream: str,
    *,
    listing: str,
    stored: int,
    missing: Sequence[str],
    pages: int,
    sample: Mapping[str, str] = MappingProxyType({}),
) -> UUID:
    """Put a change before the operator; the same one that waits already stays, with the newer sample.

    Another one is superseded, but what it has held back is missing since then.
    """
    waiting = await connection.fetchrow(
        "SELECT id, missing, as_of FROM unsafe_change WHERE integration = $1 AND stream = $2 AND state = 'PENDING'",
        integration,
        stream,
    )
    told = msgspec.json.encode(dict(sample)).decode()
    if waiting is not None and sorted(waiting["missing"]) == sorted(missing):
        await connection.execute(
            "UPDATE unsafe_change SET sample = $2 WHERE id = $1 AND $2::jsonb <> '{}'", waiting["id"], told
        )
        return UUID(str(waiting["id"]))
    await supersede_unsafe(connection, integration, stream)
    made = uuid4()
    await connection.execute(
        """
        INSERT INTO unsafe_change (id, integration, run_id, stream, listing, stored, missing, pages, sample, as_of)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, CASE WHEN $10 THEN $11 ELSE (
            SELECT complete_from FROM stream_watermark WHERE integration = $2 AND stream = $5) END)
        """,
        made,
        integration,
        run_id,
        stream,
        listing,
        stored,
        missing,
        pages,
        told,
        waiting is not None,
        waiting["as_of"] if waiting is not None else None,
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
    return [_unsafe(row) for row in rows]


async def find_unsafe(connection: Connection | asyncpg.Pool, change_id: UUID) -> UnsafeRow:
    """One change, decided or not. Raises :class:`NotFound`."""
    row = await connection.fetchrow(f"SELECT {_UNSAFE} FROM unsafe_change WHERE id = $1", change_id)
    if row is None:
        raise NotFound(f"There is no unsafe change {change_id}; `atsumi deletions list` names those that wait.")
    return _unsafe(row)


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


async def forget_samples(connection: Connection, integration: int) -> None:
    """Drop what is kept of missing records to show the operator."""
    await connection.execute(
        "UPDATE unsafe_change SET sample = '{}' WHERE integration = $1 AND sample <> '{}'", integration
    )
