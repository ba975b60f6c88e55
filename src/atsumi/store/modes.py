"""Which applications an integration keeps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import asyncpg

from atsumi.store.records import Connection


async def set_mode(
    connection: Connection, integration: int, mode: str, *, from_on: date | None = None, days: int | None = None
) -> None:
    """Set the mode (``all``, ``created_only``, ``from_date``, ``rolling_days``) and what belongs to it.

    What another mode left unread is no longer fresh for that reason.
    """
    await connection.execute(
        """
        UPDATE stream_watermark SET settled_from = NULL
        WHERE integration = $1 AND EXISTS (SELECT 1 FROM integration WHERE number = $1 AND sync_mode <> $2)
        """,
        integration,
        mode,
    )
    await connection.execute(
        "UPDATE integration SET sync_mode = $2, sync_from_on = $3, sync_days = $4 WHERE number = $1",
        integration,
        mode,
        from_on,
        days,
    )


async def note_created_application(connection: Connection, integration: int, remote_id: str) -> None:
    """Remember that an application was created through our API, in the transaction that stores it."""
    await connection.execute(
        "INSERT INTO created_application (integration, remote_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        integration,
        remote_id,
    )


async def created_applications(connection: Connection | asyncpg.Pool, integration: int) -> set[str]:
    """Remote ids of the applications that were created through our API."""
    rows = await connection.fetch("SELECT remote_id FROM created_application WHERE integration = $1", integration)
    return {row["remote_id"] for row in rows}


async def candidates_of(
    connection: Connection | asyncpg.Pool, integration: int, model: int, *, changed_since: datetime | None = None
) -> set[str]:
    """Remote ids of the candidates that present applications name; of those changed since an instant, or of all."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT convert_from(data, 'UTF8')::jsonb ->> 'candidate_remote_id' AS candidate FROM record
        WHERE integration = $1 AND model = $2 AND deleted_at IS NULL
          AND ($3::timestamptz IS NULL OR changed_at >= $3)
        """,
        integration,
        model,
        changed_since,
    )
    return {row["candidate"] for row in rows if row["candidate"] is not None}


async def present_raw(
    connection: Connection | asyncpg.Pool, integration: int, after: tuple[str, str], limit: int
) -> list[tuple[str, str, bytes]]:
    """Raw records that are not gone, in key order: (stream, remote id, data)."""
    rows = await connection.fetch(
        """
        SELECT stream, remote_id, data FROM raw_record
        WHERE integration = $1 AND gone_at IS NULL AND (stream, remote_id) > ($2, $3)
        ORDER BY stream, remote_id LIMIT $4
        """,
        integration,
        *after,
        limit,
    )
    return [(row["stream"], row["remote_id"], row["data"]) for row in rows]


async def unread(connection: Connection, integration: int, stream: str, remote_ids: Sequence[str]) -> list[str]:
    """Which of these records are not stored, or are stored as gone."""
    rows = await connection.fetch(
        """
        SELECT wanted.id FROM unnest($3::text[]) AS wanted (id)
        WHERE NOT EXISTS (SELECT 1 FROM raw_record r WHERE r.integration = $1 AND r.stream = $2
                          AND r.remote_id = wanted.id AND r.gone_at IS NULL)
        ORDER BY wanted.id
        """,
        integration,
        stream,
        remote_ids,
    )
    return [row["id"] for row in rows]
