"""Ids that were given out before the tool had shown a record, and the records that they lead to."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from atsumi.store.records import Connection


async def add_aliases(connection: Connection, integration: int, aliases: Sequence[tuple[int, UUID, UUID]]) -> None:
    """Let ids that were given out lead to records: (model, id, record's id)."""
    await connection.executemany(
        "INSERT INTO record_alias (integration, model, id, record_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        [(integration, *alias) for alias in aliases],
    )


async def resolve_aliases(
    connection: Connection | asyncpg.Pool, integration: int, model: int, ids: Sequence[UUID]
) -> list[UUID]:
    """The same ids, those that were given out beforehand replaced by their records'."""
    rows = await connection.fetch(
        "SELECT id, record_id FROM record_alias WHERE integration = $1 AND model = $2 AND id = ANY($3::uuid[])",
        integration,
        model,
        ids,
    )
    known = {row["id"]: row["record_id"] for row in rows}
    return [known.get(id, id) for id in ids]
