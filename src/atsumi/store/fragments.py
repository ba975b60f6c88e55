"""Wire documents as stored: written by the sync, read by :mod:`atsumi.store.reading`.

All functions work on one connection, inside the transaction that writes the canonical records.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from atsumi.store.records import Connection, Owner


class FragmentRow(NamedTuple):
    """One rendered document; see ``WireModel`` for the two texts.

    ``touched_at`` is the instant of ``touched_seq``; the number 0 keeps what is stored of both.
    """

    model: int
    id: UUID
    touched_seq: int
    touched_at: datetime
    is_deleted: bool
    body: bytes
    custom_fields: bytes | None = None


async def insert_fragments(connection: Connection, owner: Owner, dialect: int, rows: Sequence[FragmentRow]) -> None:
    """Store documents that do not exist yet."""
    if rows:
        await connection.copy_records_to_table(
            "fragment",
            records=[(owner.integration, dialect, *row) for row in rows],
            columns=["integration", "dialect", *FragmentRow._fields],
        )


async def update_fragments(connection: Connection, owner: Owner, dialect: int, rows: Sequence[FragmentRow]) -> None:
    """Replace documents that exist, each moving to the end of its list if its ``touched_seq`` is greater."""
    by_model: dict[int, list[FragmentRow]] = {}
    for row in rows:
        by_model.setdefault(row.model, []).append(row)
    for model, found in by_model.items():
        await connection.execute(
            """
            UPDATE fragment f SET touched_seq = greatest(f.touched_seq, n.touched_seq),
                touched_at = CASE WHEN n.touched_seq > f.touched_seq THEN n.touched_at ELSE f.touched_at END,
                is_deleted = n.is_deleted, body = n.body, custom_fields = n.custom_fields
            FROM unnest($4::uuid[], $5::bigint[], $6::timestamptz[], $7::boolean[], $8::bytea[], $9::bytea[])
                AS n (id, touched_seq, touched_at, is_deleted, body, custom_fields)
            WHERE f.integration = $1 AND f.dialect = $2 AND f.model = $3 AND f.id = n.id AND f.id = ANY($4)
            """,
            owner.integration,
            dialect,
            model,
            [row.id for row in found],
            [row.touched_seq for row in found],
            [row.touched_at for row in found],
            [row.is_deleted for row in found],
            [row.body for row in found],
            [row.custom_fields for row in found],
        )


async def touch_fragments(
    connection: Connection, owner: Owner, dialect: int, model: int, touched: Sequence[tuple[UUID, int]], at: datetime
) -> None:
    """Move documents to the end of their list without changing them: something counted that they do not show.

    ``at`` is the instant of all their numbers.
    """
    await connection.execute(
        """
        UPDATE fragment f SET touched_seq = greatest(f.touched_seq, n.touched_seq),
            touched_at = CASE WHEN n.touched_seq > f.touched_seq THEN $6 ELSE f.touched_at END
        FROM unnest($4::uuid[], $5::bigint[]) AS n (id, touched_seq)
        WHERE f.integration = $1 AND f.dialect = $2 AND f.model = $3 AND f.id = n.id AND f.id = ANY($4)
        """,
        owner.integration,
        dialect,
        model,
        [id for id, _ in touched],
        [seq for _, seq in touched],
        at,
    )
