"""Keeping what records are found by equal to what their content says, also where the rules for it have changed."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from atsumi.model.catalog import CODES
from atsumi.model.names import Model
from atsumi.store import records
from atsumi.store.records import Connection, Owner
from atsumi.store.search import SearchRow, update_search
from atsumi.sync import codec


async def refresh_search(
    connection: Connection, owner: Owner, integration: UUID, model: Model, ids: Sequence[UUID]
) -> None:
    """Compute anew what stored records are found by, and write what differs. No writer may be at work meanwhile."""
    rows = await records.records_by_id(connection, owner.integration, CODES[model], ids)
    differing = []
    for row in rows.values():
        encoded = codec.Encoded(model, row.id, row.group_id, codec.decode(row), row.data, row.hash)
        made = codec.row_of(integration, encoded, row.seq, row.changed_at, row.deleted_at)
        if set(made.keys) != set(row.keys) or _facets(made.facets) != _facets(row.facets):
            differing.append(SearchRow(row.id, made.keys, made.facets))
    await update_search(connection, owner, CODES[model], differing)


def _facets(text: str | None) -> object:
    """Compared by content: the database spells them in its own way."""
    return msgspec.json.decode(text) if text is not None else None
