"""Keeping wire documents equal to what rendering them anew would give.

After the canonical changes of a batch are written, every document they reach is found by walking the wire models'
relations upwards, loaded with its relations downwards, and rendered. Work is done in chunks, so a change that reaches
many documents (a renamed job) needs no more memory than one that reaches few.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from atsumi.model.catalog import CODES, MODELS
from atsumi.model.ids import record_id
from atsumi.model.names import Model
from atsumi.model.record import Record
from atsumi.store import records as store
from atsumi.store.fragments import FragmentRow, insert_fragments, touch_fragments, update_fragments
from atsumi.store.records import ChangeKind, Connection, Owner, RecordRow
from atsumi.sync import codec
from atsumi.sync.changes import Change
from atsumi.sync.projection import Projection, Relation, Stored, WireModel

_CHUNK = 500
"""Documents rendered at a time."""

_LINKING = (ChangeKind.CREATED, ChangeKind.DELETED, ChangeKind.REVIVED)


class _Reach(NamedTuple):
    """How a batch reaches one document: ``seq`` is 0 if nothing that counts changed, ``shown`` if its text may."""

    seq: int
    shown: bool

    def joined(self, other: _Reach) -> _Reach:
        return _Reach(max(self.seq, other.seq), self.shown or other.shown)


_Reached = dict[UUID, _Reach]


async def render_changes(
    connection: Connection,
    owner: Owner,
    integration: UUID,
    projections: Sequence[Projection],
    changes: Sequence[Change],
) -> int:
    """Bring all dialects' documents up to date with a batch; returns how many were written.

    Must run after the batch's canonical records are written, in the same transaction.
    """
    if not changes:
        return 0
    loader = _Loader(connection, owner.integration, integration, changes)
    at = changes[0].row.changed_at
    by_model: dict[Model, list[Change]] = {}
    for change in changes:
        by_model.setdefault(MODELS[change.row.model], []).append(change)
    written = 0
    for projection in projections:
        for wire_model in projection.wire_models:
            reached = await _reached(connection, owner, integration, wire_model, by_model)
            if not reached:
                continue
            created = {c.row.id for c in by_model.get(wire_model.model, ()) if c.kind is ChangeKind.CREATED}
            await _render(connection, owner, projection.code, wire_model, reached, created, loader, at)
            written += len(reached)
    return written


async def render_all(
    connection: Connection,
    owner: Owner,
    integration: UUID,
    projection: Projection,
    wire_model: WireModel,
    ids: Sequence[UUID],
) -> list[FragmentRow]:
    """Render stored records anew without writing: what the stored documents must equal.

    Their ``touched_seq`` is 0, their ``touched_at`` that of the record's own last change.
    """
    loader = _Loader(connection, owner.integration, integration, ())
    rows: list[FragmentRow] = []
    for chunk in _chunks(ids):
        rows += await _documents(wire_model, {id: _Reach(0, True) for id in chunk}, loader, None)
    return rows


async def _reached(
    connection: Connection,
    owner: Owner,
    integration: UUID,
    wire_model: WireModel,
    by_model: dict[Model, list[Change]],
) -> _Reached:
    reached: _Reached = {change.row.id: _Reach(change.seq, True) for change in by_model.get(wire_model.model, ())}
    for relation in wire_model.relations:
        found = await _up(connection, owner, integration, wire_model.model, relation, by_model)
        _join(reached, found)
    return reached


async def _up(
    connection: Connection,
    owner: Owner,
    integration: UUID,
    parent: Model,
    relation: Relation,
    by_model: dict[Model, list[Change]],
) -> _Reached:
    """Parents that the batch reaches through this relation or one below it."""
    own: _Reached = {}
    parents: _Reached = {}
    for change in by_model.get(relation.model, ()):
        is_link = change.kind in _LINKING
        moved = relation.reverse is not None and _reference(integration, relation, change.before) != _reference(
            integration, relation, change.after
        )
        counts = (relation.counts_change and not is_link) or (relation.counts_link and (is_link or moved))
        if relation.forward is not None and relation.counts_change:
            counts = True
        shown = is_link or moved or _differs(relation, change)
        counts = counts or (relation.counts_shown and shown)
        if not counts and not shown:
            continue
        reach = _Reach(change.seq if counts else 0, shown)
        if relation.forward is not None:
            own[change.row.id] = own.get(change.row.id, reach).joined(reach)
        else:
            for record in (change.before, change.after):
                id = _reference(integration, relation, record)
                if id is not None:
                    parents[id] = parents.get(id, reach).joined(reach)
    below: _Reached = {}
    for child in relation.relations:
        _join(below, await _up(connection, owner, integration, relation.model, child, by_model))
    if relation.forward is not None:
        _join(own, below)
        _join(parents, await _climb_forward(connection, owner, parent, own))
    elif below:
        _join(parents, await _climb_reverse(connection, owner, integration, relation, below))
    return parents


def _reference(integration: UUID, relation: Relation, record: Record | None) -> UUID | None:
    if record is None or relation.reverse is None:
        return None
    remote_id = getattr(record, relation.reverse)
    return record_id(integration, record.references[relation.reverse], remote_id) if remote_id is not None else None


def _differs(relation: Relation, change: Change) -> bool:
    if relation.shows is None or change.before is None:
        return True
    return any(getattr(change.before, name) != getattr(change.after, name) for name in relation.shows)


async def _climb_forward(connection: Connection, owner: Owner, parent: Model, targets: _Reached) -> _Reached:
    """From related records to the parents whose reference names them."""
    found: _Reached = {}
    for chunk in _chunks(list(targets)):
        for id, keys in await store.ids_pointing_at(connection, owner.integration, CODES[parent], chunk):
            for key in keys:
                if key in targets:
                    found[id] = found.get(id, targets[key]).joined(targets[key])
    return found


async def _climb_reverse(
    connection: Connection, owner: Owner, integration: UUID, relation: Relation, children: _Reached
) -> _Reached:
    """From related records to the parents that they name."""
    found: _Reached = {}
    for chunk in _chunks(list(children)):
        rows = await store.records_by_id(connection, owner.integration, CODES[relation.model], chunk)
        for id, row in rows.items():
            parent = _reference(integration, relation, codec.decode(row))
            if parent is not None:
                found[parent] = found.get(parent, children[id]).joined(children[id])
    return found


def _join(reached: _Reached, more: _Reached) -> None:
    for id, reach in more.items():
        reached[id] = reached.get(id, reach).joined(reach)


async def _render(
    connection: Connection,
    owner: Owner,
    dialect: int,
    wire_model: WireModel,
    reached: _Reached,
    created: set[UUID],
    loader: _Loader,
    at: datetime,
) -> None:
    touched = [(id, reach.seq) for id, reach in reached.items() if not reach.shown]
    if touched:
        await touch_fragments(connection, owner, dialect, CODES[wire_model.model], touched, at)
    for chunk in _chunks([id for id, reach in reached.items() if reach.shown]):
        documents = await _documents(wire_model, {id: reached[id] for id in chunk}, loader, at)
        await insert_fragments(connection, owner, dialect, [d for d in documents if d.id in created])
        await update_fragments(connection, owner, dialect, [d for d in documents if d.id not in created])


async def _documents(
    wire_model: WireModel, reached: _Reached, loader: _Loader, at: datetime | None
) -> list[FragmentRow]:
    code = CODES[wire_model.model]
    roots = await loader.by_id(wire_model.model, list(reached))
    trees = await _with_relations(list(roots.values()), wire_model.relations, loader)
    return [
        FragmentRow(
            code,
            tree.id,
            reached[tree.id].seq,
            at or tree.changed_at,
            tree.deleted_at is not None,
            wire_model.render(tree),
            wire_model.custom_fields(tree) if wire_model.custom_fields is not None else None,
        )
        for tree in trees
    ]


async def _with_relations(
    parents: Sequence[Stored[Record]], relations: Sequence[Relation], loader: _Loader
) -> list[Stored[Record]]:
    """The same records with their related ones attached, level by level, one query per relation."""
    if not relations:
        return list(parents)
    related: dict[UUID, dict[str, Sequence[Stored[Record]]]] = {parent.id: {} for parent in parents}
    for relation in relations:
        if relation.forward is not None:
            await _attach_forward(parents, relation, related, loader)
        else:
            await _attach_reverse(parents, relation, related, loader)
    return [
        Stored(parent.id, parent.integration, parent.record, parent.changed_at, parent.deleted_at, related[parent.id])
        for parent in parents
    ]


async def _attach_forward(
    parents: Sequence[Stored[Record]],
    relation: Relation,
    related: dict[UUID, dict[str, Sequence[Stored[Record]]]],
    loader: _Loader,
) -> None:
    targets = {
        parent.id: codec.targets(loader.integration, parent.record, relation.forward or "") for parent in parents
    }
    found = await loader.by_id(relation.model, list({id for named in targets.values() for id in named}))
    complete = {one.id: one for one in await _with_relations(list(found.values()), relation.relations, loader)}
    for id, named in targets.items():
        related[id][relation.name] = tuple(complete[target] for target in named if target in complete)


async def _attach_reverse(
    parents: Sequence[Stored[Record]],
    relation: Relation,
    related: dict[UUID, dict[str, Sequence[Stored[Record]]]],
    loader: _Loader,
) -> None:
    children = await loader.pointing_at(relation.model, [parent.id for parent in parents])
    for child in await _with_relations(children, relation.relations, loader):
        parent_id = _reference(loader.integration, relation, child.record)
        if parent_id in related:
            existing = related[parent_id].get(relation.name, ())
            related[parent_id][relation.name] = (*existing, child)


class _Loader:
    """Reads canonical records, taking those that the batch has just written from memory."""

    def __init__(self, connection: Connection, number: int, integration: UUID, changes: Iterable[Change]) -> None:
        self.integration = integration
        self._connection = connection
        self._number = number
        self._fresh = {(c.row.model, c.row.id): _stored(integration, c.row, c.after) for c in changes}

    async def by_id(self, model: Model, ids: Sequence[UUID]) -> dict[UUID, Stored[Record]]:
        code = CODES[model]
        found = {id: self._fresh[code, id] for id in ids if (code, id) in self._fresh}
        missing = [id for id in ids if id not in found]
        rows = await store.records_by_id(self._connection, self._number, code, missing)
        for id, row in rows.items():
            found[id] = codec.stored(self.integration, row)
        return found

    async def pointing_at(self, model: Model, targets: Sequence[UUID]) -> list[Stored[Record]]:
        rows = await store.records_pointing_at(self._connection, self._number, CODES[model], targets)
        return [
            self._fresh.get((row.model, row.id)) or codec.stored(self.integration, row)
            for row in sorted(rows, key=lambda row: row.remote_id)
        ]


def _stored(integration: UUID, row: RecordRow, record: Record) -> Stored[Record]:
    return Stored(row.id, integration, record, row.changed_at, row.deleted_at)


def _chunks(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]
