"""What a remap reads and remembers: raw records and records in pages, documents to compare, groups it has visited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import asyncpg

from atsumi.store.records import Connection, Owner
from atsumi.store.runs import Claim


class Document(NamedTuple):
    """One rendered document as stored."""

    is_deleted: bool
    body: bytes
    custom_fields: bytes | None


async def plan(connection: Connection, claim: Claim, streams: Sequence[str], bounded: str | None) -> None:
    """Write down what the run will do, with the log's last number as the position of the stream ``bounded``.

    Records that change after that are up to date already, whoever writes them.
    """
    await connection.executemany(
        """
        INSERT INTO sync_run_stream (run_id, stream, ordinal, position)
        VALUES ($1, $2, $3, CASE WHEN $4 THEN (SELECT seq::text FROM clock WHERE integration = $5) END)
        """,
        [
            (claim.run.id, stream, ordinal, stream == bounded, claim.owner.integration)
            for ordinal, stream in enumerate(streams)
        ],
    )


async def complete_streams(connection: Connection, run_id: UUID) -> set[str]:
    """The streams that the run has gone through."""
    rows = await connection.fetch("SELECT stream FROM sync_run_stream WHERE run_id = $1 AND state = 'COMPLETE'", run_id)
    return {row["stream"] for row in rows}


async def raw_streams(connection: Connection, integration: int) -> list[str]:
    """The streams of which raw records are stored, by name."""
    rows = await connection.fetch(
        # Jumps from one stream to the next in the index, since there are few of them and many records.
        """
        WITH RECURSIVE streams AS (
            SELECT min(stream) AS stream FROM raw_record WHERE integration = $1
            UNION ALL
            SELECT (SELECT min(r.stream) FROM raw_record r WHERE r.integration = $1 AND r.stream > s.stream)
            FROM streams s WHERE s.stream IS NOT NULL
        )
        SELECT stream FROM streams WHERE stream IS NOT NULL
        """,
        integration,
    )
    return [row["stream"] for row in rows]


async def raw_page(
    connection: Connection, integration: int, stream: str, after: str, size: int
) -> list[tuple[str, bytes]]:
    """(remote id, data) of a stream in order, those that have gone included; not those whose content was erased."""
    rows = await connection.fetch(
        """
        SELECT remote_id, data FROM raw_record
        WHERE integration = $1 AND stream = $2 AND remote_id > $3 AND hash <> '' ORDER BY remote_id LIMIT $4
        """,
        integration,
        stream,
        after,
        size,
    )
    return [(row["remote_id"], row["data"]) for row in rows]


async def replace_raw(connection: Connection, owner: Owner, rows: Sequence[tuple[str, str, bytes, bytes]]) -> None:
    """Put other content in the place of raw records', by (stream, remote id, data, digest); it is no change of them."""
    await connection.executemany(
        "UPDATE raw_record SET data = $4, hash = $5 WHERE integration = $1 AND stream = $2 AND remote_id = $3",
        [(owner.integration, *row) for row in rows],
    )


async def drop_raw(connection: Connection, owner: Owner, stream: str, remote_ids: Sequence[str]) -> None:
    """Forget that these raw records were ever stored."""
    await connection.execute(
        "DELETE FROM raw_record WHERE integration = $1 AND stream = $2 AND remote_id = ANY($3)",
        owner.integration,
        stream,
        remote_ids,
    )


async def note_groups(connection: Connection, run_id: UUID, stream: str, roots: Sequence[UUID]) -> None:
    """Remember that the run has computed these groups. Noting one twice does no harm."""
    await connection.execute(
        """
        INSERT INTO seen_page (run_id, stream, page, remote_ids)
        SELECT $1, $2, coalesce(max(page), 0) + 1, $3::text[] FROM seen_page WHERE run_id = $1 AND stream = $2
        """,
        run_id,
        stream,
        [str(root) for root in roots],
    )


async def forget_groups(connection: Connection, run_id: UUID) -> None:
    """Drop what :func:`note_groups` wrote."""
    await connection.execute("DELETE FROM seen_page WHERE run_id = $1", run_id)


_UNVISITED = """
    SELECT array_agg(model) AS models, array_agg(id) AS ids FROM (
        SELECT coalesce(r.group_id, r.id)::text AS root, r.model, r.id FROM record r
        WHERE r.integration = $1 AND r.deleted_at IS NULL AND r.seq <= $3
        UNION ALL
        SELECT unnest(s.remote_ids), NULL, NULL FROM seen_page s WHERE s.run_id = $2
    ) AS known GROUP BY root HAVING bool_and(id IS NOT NULL)
"""
# Grouped, not joined: a fresh table has no statistics yet, and without them a join may compare all with all.


async def count_unvisited(connection: Connection, integration: int, run_id: UUID, until_seq: int) -> tuple[int, int]:
    """How many present records belong to no group that the run has computed; and how many there are in all.

    Only records that have not changed since number ``until_seq`` count as unvisited.
    """
    unvisited = await connection.fetchval(
        f"SELECT coalesce(sum(cardinality(ids)), 0)::bigint FROM ({_UNVISITED}) AS groups",
        integration,
        run_id,
        until_seq,
    )
    present = await connection.fetchval(
        "SELECT count(*) FROM record WHERE integration = $1 AND deleted_at IS NULL", integration
    )
    return unvisited, present


async def unvisited(
    connection: Connection, integration: int, run_id: UUID, until_seq: int, size: int
) -> list[tuple[int, UUID]]:
    """(model, id) of the records that :func:`count_unvisited` counts, at most ``size``."""
    rows = await connection.fetch(
        f"SELECT unnest(models) AS model, unnest(ids) AS id FROM ({_UNVISITED}) AS groups LIMIT $4",
        integration,
        run_id,
        until_seq,
        size,
    )
    return [(row["model"], row["id"]) for row in rows]


async def record_page(
    connection: Connection, integration: int, model: int, after: UUID, size: int
) -> list[tuple[UUID, int]]:
    """(id, number of the last change) of one model's records in id order, deleted ones included."""
    rows = await connection.fetch(
        "SELECT id, seq FROM record WHERE integration = $1 AND model = $2 AND id > $3 ORDER BY id LIMIT $4",
        integration,
        model,
        after,
        size,
    )
    return [(row["id"], row["seq"]) for row in rows]


async def documents(
    connection: Connection, owner: Owner, dialect: int, model: int, ids: Sequence[UUID]
) -> dict[UUID, Document]:
    """Stored documents by id."""
    rows = await connection.fetch(
        """
        SELECT id, is_deleted, body, custom_fields FROM fragment
        WHERE integration = $1 AND dialect = $2 AND model = $3 AND id = ANY($4)
        """,
        owner.integration,
        dialect,
        model,
        ids,
    )
    return {row["id"]: Document(row["is_deleted"], row["body"], row["custom_fields"]) for row in rows}


async def unplaced(pool: asyncpg.Pool, run_id: UUID) -> int:
    """How many raw records of the run the mapping could not even assign to a group."""
    return (
        await pool.fetchval(
            """
            SELECT sum(i.occurrences)::bigint FROM sync_issue i
            JOIN sync_run_stream s ON s.run_id = i.run_id AND s.stream = i.stream
            WHERE i.run_id = $1 AND i.kind = 'mapping_error'
            """,
            run_id,
        )
        or 0
    )
