"""What the operator decides about deletions: confirm or discard a large loss, undo a deletion."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from atsumi.connector.contract import Group, RawRecord
from atsumi.errors import Conflict, NotFound
from atsumi.model.catalog import CODES, MODELS
from atsumi.model.names import Model
from atsumi.store import blanking, deletion, records, unsafe
from atsumi.store.records import Connection, Owner, RecordRow
from atsumi.store.unsafe import UnsafeRow
from atsumi.sync.deletion import remove
from atsumi.sync.groups import LoadedView, load_sources
from atsumi.sync.page import remap_groups
from atsumi.sync.target import Target

_CHUNK = 200


async def confirm(pool: asyncpg.Pool, target: Target, change: UnsafeRow) -> int:
    """Remove what the change names, in bounded transactions; returns how many records that were.

    What the tool has shown again since the change was found stays. When it is interrupted, the change still waits and
    confirming it again does the rest. Raises :class:`Conflict` when it was decided already.
    """
    _refuse_decided(change)
    done = 0
    for start in range(0, len(change.missing), _CHUNK):
        ids = change.missing[start : start + _CHUNK]
        async with pool.acquire() as connection, connection.transaction():
            owner = await deletion.visit(connection, change.integration)
            done += await remove(
                connection,
                owner,
                target,
                change.stream,
                dict.fromkeys(ids, change.run_id),
                kind="operator",
                confirmed_by=None,
                detail=f"unsafe change {change.id}, confirmed by the operator",
                written_before=change.found_at,
            )
        await records.note_visible(pool, change.integration)
    async with pool.acquire() as connection, connection.transaction():
        await unsafe.decide_unsafe(connection, change.id, "CONFIRMED")
    return done


async def discard(pool: asyncpg.Pool, change: UnsafeRow) -> None:
    """Keep everything and drop the suspicion; the next complete listing may find the same again.

    Raises :class:`Conflict` when the change was decided already.
    """
    _refuse_decided(change)
    async with pool.acquire() as connection, connection.transaction():
        await deletion.drop_suspicions(connection, change.integration, change.stream, change.missing)
        await unsafe.decide_unsafe(connection, change.id, "DISCARDED")


async def undo(pool: asyncpg.Pool, integration: int, target: Target, model: Model, id: UUID) -> None:
    """Revive a deleted record, and what was deleted with it, from the raw records that are still kept.

    If the tool really has it no more, the next full run finds that out again.
    Raises :class:`NotFound` for an unknown record and :class:`Conflict` when it is not deleted, has lost its content,
    or does not come back because the tool shows it as removed in a record that is present.
    """
    async with pool.acquire() as connection, connection.transaction():
        owner = await deletion.visit(connection, integration)
        row = await _record(connection, integration, model, id)
        if row.deleted_at is None:
            raise Conflict(f"{model} {row.remote_id} is not deleted.")
        if await blanking.is_blanked(connection, integration, row.model, row.id):
            raise Conflict(f"{model} {row.remote_id} has lost its content; only the tool can bring it back.")
        group = await _group(connection, owner, row)
        tick = await records.take_clock(connection, owner)
        for stream, ids in (await _gone_sources(connection, owner, target, group)).items():
            await deletion.restore_raw(connection, owner, tick, stream, ids)
        await remap_groups(connection, owner, tick, target, [group])
        after = await _record(connection, integration, model, id)
        if after.deleted_at is not None:
            raise Conflict(f"{model} {row.remote_id} does not come back from what is stored.")
    await records.note_visible(pool, integration)


def _refuse_decided(change: UnsafeRow) -> None:
    if change.state != "PENDING":
        raise Conflict(f"This change is {change.state.lower()} already.")


async def _record(connection: Connection, integration: int, model: Model, id: UUID) -> RecordRow:
    rows = await records.records_by_id(connection, integration, CODES[model], [id])
    if id not in rows:
        raise NotFound(f"There is no {model} with this id.")
    return rows[id]


async def _group(connection: Connection, owner: Owner, row: RecordRow) -> Group:
    """The group that a record belongs to: its root is another record where the row names one."""
    if row.group_id is None:
        return Group(MODELS[row.model], row.remote_id)
    for code, model in MODELS.items():
        rows = await records.records_by_id(connection, owner.integration, code, [row.group_id])
        if row.group_id in rows:
            return Group(model, rows[row.group_id].remote_id)
    raise NotFound("The record that this one belongs to is not stored.")


async def _gone_sources(connection: Connection, owner: Owner, target: Target, group: Group) -> dict[str, Sequence[str]]:
    mapping, context = target.connector.mapping, target.context
    view = LoadedView()
    rule = mapping.rules[group.model]
    await load_sources(connection, owner.integration, view, rule.sources(group.key, view, context))
    found: dict[str, list[str]] = {}
    for (stream, remote_id), stored in view.known.items():
        if stored is None or not stored[1]:
            continue
        if list(mapping.affected(RawRecord(stream, remote_id, stored[0]), context)) == [group]:
            found.setdefault(stream, []).append(remote_id)
    return dict(found)
