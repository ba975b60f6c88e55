"""Removing what is out of scope from what was stored before: raw records, records, and their past.

Used by the remap that follows a change of scope. What a customer leaves out goes unasked, however much it is: it is no
loss that a listing has shown, but what somebody has chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from atsumi.connector.contract import RawRecord
from atsumi.model.catalog import CODES
from atsumi.model.names import Model
from atsumi.store import blanking, deletion, history, records, shaping, unsafe
from atsumi.store import remapping as store
from atsumi.store.records import ChangeKind, ChangeRow, Connection, Owner, RecordRow
from atsumi.sync import codec
from atsumi.sync.blanking import forget_past, forget_withheld
from atsumi.sync.changes import Change
from atsumi.sync.render import render_changes
from atsumi.sync.shaping import Shape
from atsumi.sync.target import Target


async def cut(connection: Connection, owner: Owner, shape: Shape, raws: Sequence[RawRecord]) -> int:
    """Remove from stored raw records what may not be kept; returns how many had any. Belongs into a transaction.

    What then is stored equals what the next page will bring of the same records, so that this is no change of theirs.
    """
    left = {(raw.stream, raw.remote_id): shape.cut(raw.stream, raw.data) for raw in raws}
    changed = [raw for raw in raws if left[raw.stream, raw.remote_id] != raw.data]
    rows = [(raw.stream, raw.remote_id, left[raw.stream, raw.remote_id]) for raw in changed]
    await store.replace_raw(connection, owner, [(*row, codec.content_hash(row[2])) for row in rows])
    return len(rows)


async def drop(connection: Connection, owner: Owner, shape: Shape, stream: str, raws: Sequence[RawRecord]) -> None:
    """Forget raw records of a stream that is not kept, in a transaction of its own.

    Raises :class:`~atsumi.errors.StaleToken`.
    """
    if shape.keeps(stream):
        return
    async with connection.transaction():
        await records.check_owner(connection, owner)
        await store.drop_raw(connection, owner, stream, [raw.remote_id for raw in raws])


async def forget_doubts(connection: Connection, owner: Owner, shape: Shape) -> None:
    """Drop what waits for the operator's decision about streams that are not kept, and what was quoted of content."""
    await unsafe.forget_samples(connection, owner.integration)
    await shaping.forget_words(connection, owner.integration)
    for stream in sorted(shape.dropped):
        await deletion.clear_suspicions(connection, owner.integration, stream)
        await unsafe.supersede_unsafe(connection, owner.integration, stream)


async def strip(connection: Connection, owner: Owner, target: Target, model: Model, ids: Sequence[UUID]) -> int:
    """Remove from records of one model, deleted ones and past versions included, what is out of scope.

    Records of a model that is out of scope are deleted. Belongs into a transaction; returns how many records changed.
    """
    tick = await records.take_clock(connection, owner)
    found = await records.records_by_id(connection, owner.integration, CODES[model], ids)
    is_withheld = not target.shape.scope.has_model(model)
    changes: list[Change] = []
    replaced: list[RecordRow] = []
    for row in (found[id] for id in ids if id in found):
        before = codec.decode(row)
        after = codec.bare(before) if is_withheld else target.shape.emptied(before, is_past=row.deleted_at is not None)
        encoded = codec.encode(target.integration, after, row.group_id)
        is_removed = is_withheld and row.deleted_at is None
        if encoded.hash == row.hash and not is_removed:
            continue
        seq = tick.seq + len(changes) + 1
        kind = ChangeKind.DELETED if is_removed else ChangeKind.UPDATED
        written = codec.row_of(target.integration, encoded, seq, tick.at, tick.at if is_removed else row.deleted_at)
        changes.append(Change(kind, seq, before, written, encoded.record))
        replaced.append(row._replace(data=encoded.data))
    await records.update_records(connection, owner, [change.row for change in changes])
    await records.append_changes(
        connection, owner, tick, [ChangeRow(c.seq, c.row.model, c.row.id, int(c.kind)) for c in changes]
    )
    await render_changes(connection, owner, target.integration, target.projections, changes)
    if is_withheld:
        await forget_withheld(connection, owner, tick, target, changes)
        await blanking.note_deleted_blanked(connection, owner.integration, ids)
        await forget_past(connection, owner.integration, ids)
    else:
        await history.keep_versions(connection, owner, replaced)
        await _strip_versions(connection, owner, target, model, ids)
    return len(changes)


async def _strip_versions(
    connection: Connection, owner: Owner, target: Target, model: Model, ids: Sequence[UUID]
) -> None:
    changed: dict[tuple[UUID, int], bytes] = {}
    for id, seq, data in await history.contents(connection, owner.integration, CODES[model], ids):
        before = codec.read(model, data)
        after = target.shape.emptied(before, is_past=True)
        if after is not before:
            changed[id, seq] = codec.encode(target.integration, after, None).data
    await history.replace_contents(connection, owner.integration, CODES[model], changed)
