"""What the tool has answered outside of a run: stored at once, beside whatever sync is under way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import asyncpg

from atsumi.connector.contract import Page
from atsumi.store import deletion
from atsumi.store import records as store
from atsumi.store.records import Connection, RawRow
from atsumi.sync.codec import content_hash
from atsumi.sync.groups import affected_groups
from atsumi.sync.page import compare, remap_groups, unique
from atsumi.sync.target import Target


async def store_answer(
    pool: asyncpg.Pool,
    integration: int,
    target: Target,
    page: Page,
    *,
    also: Callable[[Connection], Awaitable[None]] | None = None,
) -> int:
    """Store the records of a page with all consequences, completely or not at all; returns how many changes it made.

    Nothing is inferred from what the page does not show. ``also`` is done in the same transaction. Raises
    :class:`~atsumi.errors.NotFound` when the integration is gone.
    """
    records = unique(target.shape.narrowed(page.records))
    async with pool.acquire() as connection, connection.transaction():
        owner = await deletion.visit(connection, integration)
        if also is not None:
            await also(connection)
        changed = (await compare(connection, integration, records, ())).changed
        if not changed:
            return 0
        tick = await store.take_clock(connection, owner)
        rows = [RawRow(raw.stream, raw.remote_id, content_hash(raw.data), raw.data) for raw in changed]
        await store.write_raw(connection, owner, tick, rows)
        groups, _ = await affected_groups(connection, integration, target.connector.mapping, target.context, changed)
        changes, _ = await remap_groups(connection, owner, tick, target, groups, at_hand=changed)
    await store.note_visible(pool, integration)
    return len(changes)
