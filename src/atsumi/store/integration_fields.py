"""The catalogue of fields met in raw records, by integration, model and path. It holds no values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from atsumi.store.records import Connection, Owner


class Sighting(NamedTuple):
    """A field as it was met in some records: the types of its values, and in how many records it counts."""

    model: int
    path: str
    id: UUID
    types: tuple[str, ...]
    records: int
    is_custom: bool


class FieldRow(NamedTuple):
    """One field. ``records`` counts all records of its model, counted as ``records_seen`` are."""

    model: int
    path: str
    id: UUID
    types: Sequence[str]
    records_seen: int
    records: int
    is_custom: bool
    is_passthrough: bool
    first_seen_at: datetime

    @property
    def share(self) -> float | None:
        """Which share of the model's records has it, from 0 to 1; ``None`` where no record was counted."""
        return min(self.records_seen / self.records, 1) if self.records else None


async def note_sightings(connection: Connection, owner: Owner, sightings: Sequence[Sighting], *, most: int) -> None:
    """Add what was seen to what is known, with at most ``most`` fields of a model. Nothing new writes nothing."""
    rows = await connection.fetch(
        "SELECT model, path, types, is_custom FROM integration_field WHERE integration = $1 AND model = ANY($2)",
        owner.integration,
        list({one.model for one in sightings}),
    )
    known = {(row["model"], row["path"]): (set(row["types"]), row["is_custom"]) for row in rows}
    sizes = Counter(model for model, _ in known)
    news = []
    for one in sightings:
        types, is_custom = known.get((one.model, one.path), (None, False))
        if types is None:
            sizes[one.model] += 1
            # The empty path takes no room.
            if sizes[one.model] <= most + 1:
                news.append(one._replace(records=max(one.records, bool(one.path))))
        elif one.records or not types.issuperset(one.types) or (one.is_custom and not is_custom):
            news.append(one)
    if not news:
        return
    await connection.execute(
        """
        INSERT INTO integration_field AS f (integration, model, path, id, types, records_seen, is_custom)
        SELECT $1, model, path, id, string_to_array(types, ','), records_seen, is_custom
        FROM unnest($2::smallint[], $3::text[], $4::uuid[], $5::text[], $6::bigint[], $7::boolean[])
            AS n (model, path, id, types, records_seen, is_custom)
        ON CONFLICT (integration, model, path) DO UPDATE SET
            records_seen = f.records_seen + excluded.records_seen,
            types = (SELECT array_agg(DISTINCT t ORDER BY t) FROM unnest(f.types || excluded.types) AS t),
            is_custom = f.is_custom OR excluded.is_custom
        """,
        owner.integration,
        [one.model for one in news],
        [one.path for one in news],
        [one.id for one in news],
        [",".join(one.types) for one in news],
        [one.records for one in news],
        [one.is_custom for one in news],
    )


async def begin_recount(connection: Connection, owner: Owner) -> None:
    """Forget the counts: every record is about to be counted anew."""
    await connection.execute(
        "UPDATE integration_field SET records_seen = 0, types = '{}' WHERE integration = $1", owner.integration
    )


async def end_recount(connection: Connection, owner: Owner) -> None:
    """Drop the fields that no record has any more, except those that somebody has chosen or mapped."""
    await connection.execute(
        """
        DELETE FROM integration_field f WHERE integration = $1 AND records_seen = 0 AND NOT is_passthrough
          AND NOT EXISTS (SELECT FROM custom_field_mapping m WHERE m.integration_field_id = f.id)
        """,
        owner.integration,
    )


_FIELD = """
    SELECT f.model, f.path, f.id, f.types, f.records_seen, coalesce(whole.records_seen, 0) AS records, f.is_custom,
        f.is_passthrough, f.first_seen_at
    FROM integration_field f
    LEFT JOIN integration_field whole ON whole.integration = f.integration AND whole.model = f.model AND whole.path = ''
    WHERE f.integration = $1 AND f.path <> ''
"""


async def list_fields(
    pool: asyncpg.Pool, integration: int, *, models: Sequence[int], after: tuple[int, str] = (0, ""), limit: int
) -> list[FieldRow]:
    """Fields of some models behind a place, by model and path."""
    rows = await pool.fetch(
        f"{_FIELD} AND f.model = ANY($2) AND (f.model, f.path) > ($3, $4) ORDER BY f.model, f.path LIMIT $5",
        integration,
        models,
        *after,
        limit,
    )
    return [FieldRow(*row) for row in rows]


async def find_field(connection: Connection | asyncpg.Pool, integration: int, id: UUID) -> FieldRow | None:
    """One field of an integration."""
    row = await connection.fetchrow(f"{_FIELD} AND f.id = $2", integration, id)
    return FieldRow(*row) if row is not None else None


async def set_passthrough(connection: Connection, integration: int, id: UUID, is_on: bool) -> bool:
    """Choose whether a field is handed on with the records; returns whether that has changed anything."""
    done = await connection.execute(
        "UPDATE integration_field SET is_passthrough = $3 WHERE integration = $1 AND id = $2 AND is_passthrough <> $3",
        integration,
        id,
        is_on,
    )
    return bool(done == "UPDATE 1")
