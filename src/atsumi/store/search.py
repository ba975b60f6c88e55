"""What records are found by, beside their ids: replaced where it is computed anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from atsumi.store.records import Connection, Owner


class SearchRow(NamedTuple):
    """The columns of one record that lists filter by; see :class:`atsumi.store.records.RecordRow`."""

    id: UUID
    keys: Sequence[UUID]
    facets: str | None


async def update_search(connection: Connection, owner: Owner, model: int, rows: Sequence[SearchRow]) -> None:
    """Replace what records of one model are found by. Nothing that is shown changes, so it is no change of theirs."""
    if not rows:
        return
    await connection.execute(
        """
        UPDATE record r SET keys = n.keys::uuid[], facets = n.facets
        FROM unnest($3::uuid[], $4::text[], $5::jsonb[]) AS n (id, keys, facets)
        WHERE r.integration = $1 AND r.model = $2 AND r.id = n.id AND r.id = ANY($3)
        """,
        owner.integration,
        model,
        [row.id for row in rows],
        ["{" + ",".join(map(str, row.keys)) + "}" for row in rows],
        [row.facets for row in rows],
    )
