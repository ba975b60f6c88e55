"""Raw records, canonical records, the change log and wire fragments: every statement that reads or writes them.

Functions work on one connection, inside the caller's transaction; some that only read take a pool, too. The order of
commits within an integration is the order of its sequence numbers, because every writer holds the integration's clock
row until it commits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple
from uuid import UUID

import asyncpg

from atsumi.errors import StaleToken

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy


class ChangeKind(IntEnum):
    """What happened to a record. The numbers are stored."""

    CREATED = 1
    UPDATED = 2
    DELETED = 3
    REVIVED = 4


class Tick(NamedTuple):
    """What the clock gave to one writing transaction. ``seq`` is the last number used before it."""

    seq: int
    batch: int
    at: datetime


class RawRow(NamedTuple):
    """One raw record to write."""

    stream: str
    remote_id: str
    hash: bytes
    data: bytes


class RecordRow(NamedTuple):
    """One canonical record as stored. ``data`` is the JSON of its struct."""

    model: int
    id: UUID
    group_id: UUID | None
    remote_id: str
    hash: bytes
    data: bytes
    seq: int
    changed_at: datetime
    deleted_at: datetime | None
    remote_created_at: datetime | None
    keys: Sequence[UUID]
    facets: str | None


class ChangeRow(NamedTuple):
    """One line of the change log."""

    seq: int
    model: int
    id: UUID
    kind: int


@dataclass(frozen=True, slots=True)
class Owner:
    """Who may write an integration's records: the integration's key and the fencing token of the sync's owner."""

    integration: int
    token: int


async def take_clock(connection: Connection, owner: Owner) -> Tick:
    """Become the integration's only writer until the transaction ends.

    The instant is later than that of every earlier batch, in whole milliseconds because API surfaces show no more.
    The lock also proves that the batch before is visible by now, which is noted for ``updated_after``.
    Raises :class:`StaleToken` when another owner has taken over.
    """
    row = await connection.fetchrow(
        """
        UPDATE clock SET
            batch = batch + 1,
            stamped_at = greatest(date_trunc('milliseconds', clock_timestamp()),
                                  stamped_at + interval '1 millisecond')
        WHERE integration = $1 AND token = $2
        RETURNING seq, batch, stamped_at
        """,
        owner.integration,
        owner.token,
    )
    if row is None:
        raise StaleToken(f"integration {owner.integration}: another worker owns the sync now")
    await connection.execute(
        """
        WITH moment AS MATERIALIZED (SELECT clock_timestamp() AS at)
        UPDATE commit_batch SET visible_by = greatest(moment.at, stamped_at) FROM moment
        WHERE integration = $1 AND batch < $2 AND visible_by IS NULL
        """,
        owner.integration,
        row["batch"],
    )
    return Tick(row["seq"], row["batch"], row["stamped_at"])


async def check_owner(connection: Connection, owner: Owner) -> None:
    """Hold the clock row shared, for transactions that write no record. Raises :class:`StaleToken`."""
    token = await connection.fetchval("SELECT token FROM clock WHERE integration = $1 FOR SHARE", owner.integration)
    if token != owner.token:
        raise StaleToken(f"integration {owner.integration}: another worker owns the sync now")


async def append_changes(connection: Connection, owner: Owner, tick: Tick, changes: Sequence[ChangeRow]) -> None:
    """Write the change log of one batch and move the clock to its last number."""
    if not changes:
        return
    last = changes[-1].seq
    await connection.copy_records_to_table(
        "change",
        records=[(owner.integration, row.seq, row.model, row.id, row.kind, tick.at) for row in changes],
        columns=["integration", "seq", "model", "id", "kind", "changed_at"],
    )
    await connection.execute(
        """
        INSERT INTO commit_batch (integration, batch, first_seq, last_seq, stamped_at) VALUES ($1, $2, $3, $4, $5)
        """,
        owner.integration,
        tick.batch,
        changes[0].seq,
        last,
        tick.at,
    )
    await connection.execute("UPDATE clock SET seq = $2 WHERE integration = $1", owner.integration, last)


async def note_visible(pool: asyncpg.Pool, integration: int) -> None:
    """Note that all committed batches are visible by now. Called after a commit; losing it only widens answers.

    Never earlier than the batch's own instant, which is ahead of the time of day after that was set back: a reader
    who continues from the greatest ``changed_at`` seen would miss the batches in between. Batches that the next
    writer is noting already are left to it.
    """
    await pool.execute(
        """
        WITH moment AS MATERIALIZED (SELECT clock_timestamp() AS at)
        UPDATE commit_batch SET visible_by = greatest(moment.at, stamped_at) FROM moment
        WHERE integration = $1 AND batch IN (
            SELECT batch FROM commit_batch WHERE integration = $1 AND visible_by IS NULL FOR UPDATE SKIP LOCKED)
        """,
        integration,
    )


async def raw_hashes(
    connection: Connection, integration: int, stream: str, remote_ids: Sequence[str]
) -> dict[str, bytes]:
    """Content hash by remote id, of those records of the stream that are stored and not gone."""
    rows = await connection.fetch(
        """
        SELECT remote_id, hash FROM raw_record
        WHERE integration = $1 AND stream = $2 AND remote_id = ANY($3) AND gone_at IS NULL
        """,
        integration,
        stream,
        remote_ids,
    )
    return {row["remote_id"]: row["hash"] for row in rows}


async def write_raw(connection: Connection, owner: Owner, tick: Tick, rows: Sequence[RawRow]) -> None:
    """Insert or replace raw records."""
    await connection.execute(
        """
        INSERT INTO raw_record (integration, stream, remote_id, hash, data, batch, changed_at)
        SELECT $1, n.stream, n.remote_id, n.hash, n.data, $2, $3
        FROM unnest($4::text[], $5::text[], $6::bytea[], $7::bytea[]) AS n (stream, remote_id, hash, data)
        ON CONFLICT (integration, stream, remote_id) DO UPDATE SET
            hash = excluded.hash, data = excluded.data, batch = excluded.batch,
            changed_at = excluded.changed_at, gone_at = NULL
        """,
        owner.integration,
        tick.batch,
        tick.at,
        [row.stream for row in rows],
        [row.remote_id for row in rows],
        [row.hash for row in rows],
        [row.data for row in rows],
    )


async def missing_raw(connection: Connection, integration: int, stream: str, present: Sequence[str]) -> list[str]:
    """Remote ids of the stream that are stored and present, but not in ``present``."""
    rows = await connection.fetch(
        """
        SELECT remote_id FROM raw_record
        WHERE integration = $1 AND stream = $2 AND gone_at IS NULL AND NOT remote_id = ANY($3)
        ORDER BY remote_id
        """,
        integration,
        stream,
        present,
    )
    return [row["remote_id"] for row in rows]


async def mark_gone(connection: Connection, owner: Owner, tick: Tick, stream: str, remote_ids: Sequence[str]) -> None:
    """Note that a complete listing no longer holds these records. Their content stays."""
    await connection.execute(
        """
        UPDATE raw_record SET gone_at = $4, batch = $5, changed_at = $4
        WHERE integration = $1 AND stream = $2 AND remote_id = ANY($3)
        """,
        owner.integration,
        stream,
        remote_ids,
        tick.at,
        tick.batch,
    )


async def raw_by_key(
    connection: Connection, integration: int, keys: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], tuple[bytes, bool]]:
    """(data, is gone) by (stream, remote id), of those that are stored."""
    streams, remote_ids = [], []
    for stream, remote_id in keys:
        streams.append(stream)
        remote_ids.append(remote_id)
    if not streams:
        return {}
    rows = await connection.fetch(
        """
        SELECT r.stream, r.remote_id, r.data, r.gone_at IS NOT NULL AS is_gone
        FROM unnest($2::text[], $3::text[]) AS wanted (stream, remote_id)
        CROSS JOIN LATERAL (
            SELECT * FROM raw_record
            WHERE integration = $1 AND stream = wanted.stream AND remote_id = wanted.remote_id OFFSET 0
        ) AS r
        """,
        integration,
        streams,
        remote_ids,
    )
    return {(row["stream"], row["remote_id"]): (row["data"], row["is_gone"]) for row in rows}


async def raw_under(
    connection: Connection, integration: int, prefixes: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], dict[str, bytes]]:
    """Present records by (stream, prefix): those of the stream whose remote id starts so, in remote id order."""
    found: dict[tuple[str, str], dict[str, bytes]] = {one: {} for one in prefixes}
    if not prefixes:
        return found
    rows = await connection.fetch(
        """
        SELECT w.stream, w.prefix, r.remote_id, r.data
        FROM unnest($2::text[], $3::text[], $4::text[]) AS w (stream, prefix, beyond)
        CROSS JOIN LATERAL (
            SELECT remote_id, data FROM raw_record
            WHERE integration = $1 AND stream = w.stream AND gone_at IS NULL
              AND remote_id >= w.prefix AND remote_id < w.beyond OFFSET 0
        ) AS r
        ORDER BY r.remote_id
        """,
        integration,
        [stream for stream, _ in prefixes],
        [prefix for _, prefix in prefixes],
        [_successor(prefix) for _, prefix in prefixes],
    )
    for row in rows:
        found[row["stream"], row["prefix"]][row["remote_id"]] = row["data"]
    return found


def _successor(prefix: str) -> str:
    """A string behind all that start with ``prefix``, so that the index range has an end."""
    last = ord(prefix[-1]) if prefix else 0x10FFFF
    return prefix[:-1] + chr(last + 1) if last < 0xD7FF else "\U0010ffff"


async def raw_changed(
    connection: Connection,
    integration: int,
    streams: Sequence[str],
    after_batch: int,
    after: tuple[str, str],
    size: int,
) -> list[tuple[str, str, bytes]]:
    """Present raw records of the streams written after a batch: (stream, remote id, data), in key order, paged."""
    rows = await connection.fetch(
        """
        SELECT stream, remote_id, data FROM raw_record
        WHERE integration = $1 AND stream = ANY($2) AND batch > $3 AND gone_at IS NULL
          AND (stream, remote_id) > ($4, $5)
        ORDER BY stream, remote_id LIMIT $6
        """,
        integration,
        streams,
        after_batch,
        *after,
        size,
    )
    return [(row["stream"], row["remote_id"], row["data"]) for row in rows]


_RECORD = """
    model, id, group_id, remote_id, hash, data, seq, changed_at, deleted_at, remote_created_at, keys, facets
"""


async def records_by_id(
    connection: Connection | asyncpg.Pool, integration: int, model: int, ids: Sequence[UUID]
) -> dict[UUID, RecordRow]:
    """Stored records of one model by id, deleted ones included."""
    if not ids:
        return {}
    rows = await connection.fetch(
        f"SELECT {_RECORD} FROM record WHERE integration = $1 AND model = $2 AND id = ANY($3)",
        integration,
        model,
        ids,
    )
    return {row["id"]: RecordRow(*row) for row in rows}


async def newest(connection: Connection, integration: int, model: int, *, limit: int) -> list[RecordRow]:
    """The present records of one model that changed last, the newest first."""
    rows = await connection.fetch(
        f"""
        SELECT {_RECORD} FROM record WHERE integration = $1 AND model = $2 AND deleted_at IS NULL
        ORDER BY seq DESC, id DESC LIMIT $3
        """,
        integration,
        model,
        limit,
    )
    return [RecordRow(*row) for row in rows]


async def records_of_groups(connection: Connection, integration: int, roots: Sequence[UUID]) -> list[RecordRow]:
    """Present records that belong to these groups, without the roots themselves, in (model, id) order.

    The order becomes that of the change log, which must not depend on where rows happen to lie.
    """
    rows = await connection.fetch(
        f"""
        SELECT {_RECORD} FROM record
        WHERE integration = $1 AND group_id = ANY($2) AND deleted_at IS NULL ORDER BY model, id
        """,
        integration,
        roots,
    )
    return [RecordRow(*row) for row in rows]


async def records_pointing_at(
    connection: Connection | asyncpg.Pool, integration: int, model: int, targets: Sequence[UUID]
) -> list[RecordRow]:
    """Present records of one model that point at any of the targets by any reference, in (seq, id) order."""
    if not targets:
        return []
    rows = await connection.fetch(
        f"""
        SELECT DISTINCT ON (seq, id) {_RECORD} FROM unnest($3::uuid[]) AS t (target)
        CROSS JOIN LATERAL (
            SELECT {_RECORD} FROM record
            WHERE integration = $1 AND model = $2 AND keys @> ARRAY[t.target] AND deleted_at IS NULL OFFSET 0
        ) AS r
        ORDER BY seq, id
        """,
        integration,
        model,
        targets,
    )
    return [RecordRow(*row) for row in rows]


async def ids_pointing_at(
    connection: Connection, integration: int, model: int, targets: Sequence[UUID]
) -> list[tuple[UUID, Sequence[UUID]]]:
    """(id, keys) of all records of one model, deleted ones included, that point at any of the targets."""
    if not targets:
        return []
    rows = await connection.fetch(
        """
        SELECT DISTINCT ON (id) id, keys FROM unnest($3::uuid[]) AS t (target)
        CROSS JOIN LATERAL (
            SELECT id, keys FROM record WHERE integration = $1 AND model = $2 AND keys @> ARRAY[t.target] OFFSET 0
        ) AS r
        ORDER BY id
        """,
        integration,
        model,
        targets,
    )
    return [(row["id"], row["keys"]) for row in rows]


async def insert_records(connection: Connection, owner: Owner, rows: Sequence[RecordRow]) -> None:
    """Store records that do not exist yet."""
    if rows:
        await connection.copy_records_to_table(
            "record",
            records=[(owner.integration, *row) for row in rows],
            columns=["integration", *RecordRow._fields],
        )


async def update_records(connection: Connection, owner: Owner, rows: Sequence[RecordRow]) -> None:
    """Replace records that exist."""
    by_model: dict[int, list[RecordRow]] = {}
    for row in rows:
        by_model.setdefault(row.model, []).append(row)
    for model, found in by_model.items():
        await connection.execute(
            """
            UPDATE record r SET group_id = n.group_id, remote_id = n.remote_id, hash = n.hash, data = n.data,
                seq = n.seq, changed_at = n.changed_at, deleted_at = n.deleted_at,
                remote_created_at = n.remote_created_at, keys = n.keys::uuid[], facets = n.facets, blanked_at = NULL
            FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::bytea[], $7::bytea[], $8::bigint[],
                        $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::text[], $13::jsonb[])
                AS n (id, group_id, remote_id, hash, data, seq, changed_at, deleted_at, remote_created_at, keys, facets)
            WHERE r.integration = $1 AND r.model = $2 AND r.id = n.id AND r.id = ANY($3)
            """,
            owner.integration,
            model,
            *(list(column) for column in zip(*(_columns(row) for row in found), strict=True)),
        )


def _columns(row: RecordRow) -> tuple[object, ...]:
    """A row without its model; its keys as the literal of an array, since arrays of arrays must be rectangular."""
    keys = "{" + ",".join(str(key) for key in row.keys) + "}"
    return (
        row.id,
        row.group_id,
        row.remote_id,
        row.hash,
        row.data,
        row.seq,
        row.changed_at,
        row.deleted_at,
        row.remote_created_at,
        keys,
        row.facets,
    )
