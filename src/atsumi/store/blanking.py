"""Removing the content of records that have been gone for long enough, or whose person was erased."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from atsumi.model.catalog import MODELS
from atsumi.store.records import Connection, Owner, RecordRow, Tick

_RECORD = ", ".join(RecordRow._fields)


async def integrations_due(pool: asyncpg.Pool, now: datetime, limit: int) -> list[int]:
    """Integrations that hold content which should be gone by ``now``."""
    rows = await pool.fetch(
        """
        SELECT i.number FROM integration i
        CROSS JOIN LATERAL (SELECT $1::timestamptz - make_interval(days => i.blank_after_days) AS latest) AS due
        WHERE EXISTS (SELECT 1 FROM record r WHERE r.integration = i.number
                      AND r.deleted_at <= due.latest AND r.blanked_at IS NULL)
           OR EXISTS (SELECT 1 FROM raw_record r WHERE r.integration = i.number
                      AND r.gone_at <= due.latest AND r.hash <> '')
        ORDER BY i.number LIMIT $2
        """,
        now,
        limit,
    )
    return [row["number"] for row in rows]


async def records_due(connection: Connection, integration: int, latest: datetime, limit: int) -> list[RecordRow]:
    """Deleted records whose content is still there, the longest deleted first."""
    rows = await connection.fetch(
        f"""
        SELECT {_RECORD} FROM record WHERE integration = $1 AND deleted_at <= $2 AND blanked_at IS NULL
        ORDER BY deleted_at, model, id LIMIT $3
        """,
        integration,
        latest,
        limit,
    )
    return [RecordRow(*row) for row in rows]


async def note_blanked(connection: Connection, owner: Owner, rows: Sequence[RecordRow], at: datetime) -> None:
    """Remember that these records have lost their content."""
    await connection.executemany(
        "UPDATE record SET blanked_at = $4 WHERE integration = $1 AND model = $2 AND id = $3",
        [(owner.integration, row.model, row.id, at) for row in rows],
    )


async def note_deleted_blanked(connection: Connection, integration: int, ids: Sequence[UUID]) -> None:
    """The same for those of these records that are deleted."""
    await connection.execute(
        """
        UPDATE record SET blanked_at = now()
        WHERE integration = $1 AND model = ANY($2) AND id = ANY($3) AND deleted_at IS NOT NULL AND blanked_at IS NULL
        """,
        integration,
        list(MODELS),
        ids,
    )


async def is_blanked(connection: Connection, integration: int, model: int, id: UUID) -> bool:
    """Whether the record's content was removed."""
    return bool(
        await connection.fetchval(
            "SELECT blanked_at IS NOT NULL FROM record WHERE integration = $1 AND model = $2 AND id = $3",
            integration,
            model,
            id,
        )
    )


async def deleted_of_groups(connection: Connection, integration: int, roots: Sequence[UUID]) -> list[RecordRow]:
    """Deleted records of these groups, roots included, that still have their content."""
    rows = await connection.fetch(
        f"""
        SELECT {_RECORD} FROM record
        WHERE integration = $1 AND deleted_at IS NOT NULL AND blanked_at IS NULL
          AND (group_id = ANY($2) OR (model = ANY($3) AND id = ANY($2)))
        ORDER BY model, id
        """,
        integration,
        roots,
        list(MODELS),
    )
    return [RecordRow(*row) for row in rows]


async def ids_of_groups(connection: Connection, integration: int, roots: Sequence[UUID]) -> list[UUID]:
    """The ids of these groups' records, roots and deleted ones included."""
    rows = await connection.fetch(
        "SELECT id FROM record WHERE integration = $1 AND group_id = ANY($2)", integration, roots
    )
    return [*roots, *(row["id"] for row in rows)]


async def erase_raw(connection: Connection, owner: Owner, tick: Tick, keys: Iterable[tuple[str, str]]) -> None:
    """Remove the content of raw records and mark them as gone; nothing that the tool sends equals them any more."""
    await connection.executemany(
        """
        UPDATE raw_record SET data = 'null', hash = '', gone_at = coalesce(gone_at, $4), batch = $5
        WHERE integration = $1 AND stream = $2 AND remote_id = $3 AND hash <> ''
        """,
        [(owner.integration, stream, remote_id, tick.at, tick.batch) for stream, remote_id in keys],
    )


async def erase_gone_raw(connection: Connection, owner: Owner, latest: datetime, limit: int) -> int:
    """Remove the content of raw records that have been gone since ``latest`` or longer; returns of how many."""
    rows = await connection.fetch(
        """
        UPDATE raw_record r SET data = 'null', hash = '' FROM (
            SELECT stream, remote_id FROM raw_record
            WHERE integration = $1 AND gone_at <= $2 AND hash <> '' ORDER BY gone_at LIMIT $3
        ) AS due
        WHERE r.integration = $1 AND r.stream = due.stream AND r.remote_id = due.remote_id RETURNING 1
        """,
        owner.integration,
        latest,
        limit,
    )
    return len(rows)


async def replace_content(connection: Connection, owner: Owner, contents: Mapping[tuple[str, str], bytes]) -> int:
    """Put other bytes in the place of raw records' content; returns how many differed.

    The digest stays that of what the tool sent: seeing the same again must not bring the content back.
    """
    changed = 0
    for (stream, remote_id), data in contents.items():
        status = await connection.execute(
            """
            UPDATE raw_record SET data = $4
            WHERE integration = $1 AND stream = $2 AND remote_id = $3 AND data <> $4 AND hash <> ''
            """,
            owner.integration,
            stream,
            remote_id,
            data,
        )
        changed += int(status.rpartition(" ")[2])
    return changed
