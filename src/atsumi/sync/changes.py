"""Which canonical records changed, and writing them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from atsumi.connector.contract import Built, Derivation, Group
from atsumi.model.catalog import CODES, MODELS
from atsumi.model.ids import record_id
from atsumi.model.names import Model
from atsumi.model.record import Record
from atsumi.store import blanking
from atsumi.store import records as store
from atsumi.store.history import keep_versions
from atsumi.store.records import ChangeKind, ChangeRow, Connection, Owner, RecordRow, Tick
from atsumi.sync import codec
from atsumi.sync.codec import Encoded


class Change(NamedTuple):
    """One change of one record. ``before`` is ``None`` for a new record, ``after`` holds the content that stays."""

    kind: ChangeKind
    seq: int
    before: Record | None
    row: RecordRow
    after: Record


@dataclass(slots=True)
class _Pending:
    kind: ChangeKind
    encoded: Encoded
    before: RecordRow | None


async def apply_groups(
    connection: Connection,
    owner: Owner,
    tick: Tick,
    integration: UUID,
    built: dict[Group, Built],
    derivations: Sequence[Derivation],
    withheld: Collection[Model] = (),
) -> list[Change]:
    """Compare groups with what is stored and write what differs, with its line in the change log.

    A record that its group no longer yields is deleted: the group's own raw record is the evidence. Those of
    ``withheld`` models lose their content with that. A record that comes back is revived under its id. Returns the
    changes in sequence order.
    """
    roots = {record_id(integration, group.model, group.key): built[group] for group in built}
    yielded: dict[tuple[Model, UUID], Encoded] = {}
    for root, one in roots.items():
        for record in one.records:
            encoded = codec.encode(integration, record, root)
            yielded[encoded.model, encoded.id] = encoded
    existing: dict[tuple[Model, UUID], RecordRow] = {}
    for model, found in codec.by_model(yielded.values()).items():
        rows = await store.records_by_id(connection, owner.integration, CODES[model], [one.id for one in found])
        existing.update({(model, id): row for id, row in rows.items()})
    removed = await _no_longer_yielded(connection, owner, integration, built, roots, yielded)
    await _derive(connection, owner, integration, derivations, yielded, existing, removed)

    pending = [
        _Pending(kind, encoded, existing.get(key))
        for key, encoded in yielded.items()
        if (kind := _kind(existing.get(key), encoded)) is not None
    ]
    erased = {root for root, one in roots.items() if one.erased}

    def is_bare(row: RecordRow) -> bool:
        return row.group_id in erased or MODELS[row.model] in withheld

    pending += [
        _Pending(ChangeKind.DELETED, _bare(integration, row) if is_bare(row) else _as_stored(row), row)
        for row in removed
    ]
    pending += await _erased(connection, owner, integration, erased, yielded)
    return await _write(connection, owner, tick, integration, pending)


async def delete_records(
    connection: Connection,
    owner: Owner,
    tick: Tick,
    integration: UUID,
    rows: Sequence[RecordRow],
    derivations: Sequence[Derivation],
) -> list[Change]:
    """Mark present records as deleted that no group yields, with every consequence for their parents.

    Returns the changes in sequence order.
    """
    yielded: dict[tuple[Model, UUID], Encoded] = {}
    existing: dict[tuple[Model, UUID], RecordRow] = {}
    await _derive(connection, owner, integration, derivations, yielded, existing, rows)
    deleted = {row.id for row in rows}
    pending = [
        _Pending(kind, encoded, existing.get(key))
        for key, encoded in yielded.items()
        if key[1] not in deleted and (kind := _kind(existing.get(key), encoded)) is not None
    ]
    pending += [_Pending(ChangeKind.DELETED, _as_stored(row), row) for row in rows]
    return await _write(connection, owner, tick, integration, pending)


def _kind(row: RecordRow | None, encoded: Encoded) -> ChangeKind | None:
    if row is None:
        return ChangeKind.CREATED
    if row.deleted_at is not None:
        return ChangeKind.REVIVED
    return ChangeKind.UPDATED if row.hash != encoded.hash or row.group_id != encoded.group_id else None


def _as_stored(row: RecordRow) -> Encoded:
    record = codec.decode(row)
    return Encoded(record.model, row.id, row.group_id, record, row.data, row.hash)


async def _no_longer_yielded(
    connection: Connection,
    owner: Owner,
    integration: UUID,
    built: dict[Group, Built],
    roots: dict[UUID, Built],
    yielded: dict[tuple[Model, UUID], Encoded],
) -> list[RecordRow]:
    rows = await store.records_of_groups(connection, owner.integration, list(roots))
    for model in dict.fromkeys(group.model for group in built):
        empty = [
            root
            for group in built
            if group.model is model and (model, root := record_id(integration, model, group.key)) not in yielded
        ]
        found = await store.records_by_id(connection, owner.integration, CODES[model], empty)
        # In the groups' order, not in that of the database.
        rows += [found[id] for id in empty if id in found and found[id].deleted_at is None]
    return [row for row in rows if (MODELS[row.model], row.id) not in yielded]


async def _erased(
    connection: Connection,
    owner: Owner,
    integration: UUID,
    roots: Collection[UUID],
    yielded: dict[tuple[Model, UUID], Encoded],
) -> list[_Pending]:
    """Records that were deleted before the tool erased their person: they lose their content now."""
    if not roots:
        return []
    rows = await blanking.deleted_of_groups(connection, owner.integration, list(roots))
    return [
        _Pending(ChangeKind.UPDATED, encoded, row)
        for row in rows
        if (MODELS[row.model], row.id) not in yielded and (encoded := _bare(integration, row)).hash != row.hash
    ]


def _bare(integration: UUID, row: RecordRow) -> Encoded:
    return codec.encode(integration, codec.bare(codec.decode(row)), row.group_id)


async def _derive(
    connection: Connection,
    owner: Owner,
    integration: UUID,
    derivations: Sequence[Derivation],
    yielded: dict[tuple[Model, UUID], Encoded],
    existing: dict[tuple[Model, UUID], RecordRow],
    removed: Sequence[RecordRow],
) -> None:
    """Set derived fields on the records at hand and on stored parents of changed children (added to ``yielded``)."""
    for derivation in derivations:
        children = [one for (model, _), one in yielded.items() if model is derivation.children_model]
        gone = {row.id for row in removed if row.model == CODES[derivation.children_model]}
        parents = {id for model, id in yielded if model is derivation.model}
        parents |= await _parents_of(derivation, integration, children, existing, removed)
        if not parents:
            continue
        missing = [id for id in parents if (derivation.model, id) not in yielded]
        rows = await store.records_by_id(connection, owner.integration, CODES[derivation.model], missing)
        siblings = await store.records_pointing_at(
            connection, owner.integration, CODES[derivation.children_model], list(parents)
        )
        by_parent: dict[UUID, list[Record]] = {}
        at_hand = {one.id for one in children} | gone
        present = [codec.decode(row) for row in siblings if row.id not in at_hand]
        for child in present + [one.record for one in children]:
            for parent in codec.targets(integration, child, derivation.reference):
                by_parent.setdefault(parent, []).append(child)
        for id in sorted(parents):
            row = rows.get(id)
            if row is not None:
                if row.deleted_at is not None:
                    continue
                existing[derivation.model, id] = row
            base = yielded.get((derivation.model, id)) or (_as_stored(row) if row is not None else None)
            if base is None:
                continue
            record = derivation.apply(base.record, by_parent.get(id, []))
            if record is not base.record:
                yielded[derivation.model, id] = codec.encode(integration, record, base.group_id)


async def _parents_of(
    derivation: Derivation,
    integration: UUID,
    children: Iterable[Encoded],
    existing: dict[tuple[Model, UUID], RecordRow],
    removed: Sequence[RecordRow],
) -> set[UUID]:
    """Parents before and after, since a child may have moved from one to the other."""
    records = [one.record for one in children]
    records += [codec.decode(row) for (model, _), row in existing.items() if model is derivation.children_model]
    records += [codec.decode(row) for row in removed if row.model == CODES[derivation.children_model]]
    return {parent for record in records for parent in codec.targets(integration, record, derivation.reference)}


async def _write(
    connection: Connection, owner: Owner, tick: Tick, integration: UUID, pending: Sequence[_Pending]
) -> list[Change]:
    changes = []
    for offset, one in enumerate(pending, start=1):
        deleted_at = tick.at if one.kind is ChangeKind.DELETED else None
        if one.kind is ChangeKind.UPDATED and one.before is not None:
            deleted_at = one.before.deleted_at
        row = codec.row_of(integration, one.encoded, tick.seq + offset, tick.at, deleted_at)
        before = codec.decode(one.before) if one.before is not None else None
        # As it will be read again, for instance with sorted keys: documents must not depend on who renders them.
        changes.append(Change(one.kind, row.seq, before, row, codec.decode(row)))
    await keep_versions(connection, owner, [one.before for one in pending if one.before is not None])
    await store.insert_records(connection, owner, [c.row for c in changes if c.kind is ChangeKind.CREATED])
    await store.update_records(connection, owner, [c.row for c in changes if c.kind is not ChangeKind.CREATED])
    await store.append_changes(
        connection, owner, tick, [ChangeRow(c.seq, c.row.model, c.row.id, int(c.kind)) for c in changes]
    )
    return changes
