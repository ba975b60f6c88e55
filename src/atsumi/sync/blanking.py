"""Content that may be kept no longer: of records deleted some days ago, and of people whom the tool has erased.

A blanked record keeps its id, its remote id, its references to what it cannot be without, and when it was deleted.
It leaves the search index and its past versions go. If the tool shows it again, it is revived with its content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from atsumi.connector.contract import Built, Group, RawKey, RawRecord
from atsumi.model.catalog import MODELS
from atsumi.model.ids import record_id
from atsumi.model.names import Model
from atsumi.store import action_retention, deletion, history, records
from atsumi.store import blanking as store
from atsumi.store.records import ChangeKind, ChangeRow, Connection, Owner, RecordRow, Tick
from atsumi.sync import codec
from atsumi.sync.changes import Change
from atsumi.sync.groups import LoadedView, load_sources
from atsumi.sync.render import render_changes
from atsumi.sync.target import Target

_BATCH = 200
"""Records blanked in one transaction, which keeps the integration's other writers out."""


async def blank_due(pool: asyncpg.Pool, integration: int, target: Target, now: datetime) -> int:
    """Blank one batch of what was deleted long enough before ``now``; returns how much was done, 0 when all is.

    In one transaction, so that it may be killed anywhere and repeated.
    """
    async with pool.acquire() as connection, connection.transaction():
        owner = await deletion.visit(connection, integration)
        policy = await deletion.policy_of(connection, integration)
        latest = now - timedelta(days=policy.blank_after_days)
        rows = await store.records_due(connection, integration, latest, _BATCH)
        if rows:
            tick = await records.take_clock(connection, owner)
            await blank(connection, owner, tick, target, rows)
        erased = await store.erase_gone_raw(connection, owner, latest, _BATCH)
    if rows:
        await records.note_visible(pool, integration)
    return len(rows) + erased


async def blank(
    connection: Connection, owner: Owner, tick: Tick, target: Target, rows: Sequence[RecordRow]
) -> Sequence[Change]:
    """Remove the content of deleted records everywhere, with a line in the change log for each that had any.

    Needs the clock; ``tick`` must not have been used for changes yet.
    """
    changes: list[Change] = []
    for row in rows:
        before = codec.decode(row)
        encoded = codec.encode(target.integration, codec.bare(before), row.group_id)
        if encoded.hash == row.hash:
            continue
        seq = tick.seq + len(changes) + 1
        after = codec.row_of(target.integration, encoded, seq, tick.at, row.deleted_at)
        changes.append(Change(ChangeKind.UPDATED, seq, before, after, encoded.record))
    await records.update_records(connection, owner, [change.row for change in changes])
    await store.note_blanked(connection, owner, rows, tick.at)
    await records.append_changes(
        connection, owner, tick, [ChangeRow(c.seq, c.row.model, c.row.id, int(c.kind)) for c in changes]
    )
    await render_changes(connection, owner, target.integration, target.projections, changes)
    await forget_past(connection, owner.integration, [row.id for row in rows])
    for row in rows:
        await store.erase_raw(connection, owner, tick, await _own_sources(connection, owner, target, row))
    return changes


async def erase(connection: Connection, owner: Owner, target: Target, built: Mapping[Group, Built]) -> None:
    """Drop what the tool has erased from raw records and from the past of the records computed from them.

    Belongs into the transaction that computed them. The present content is the mapping's business.
    """
    roots = {record_id(target.integration, group.model, group.key): one for group, one in built.items() if one.erased}
    if not roots:
        return
    for one in roots.values():
        # What was deleted before it was erased has been made bare with the group's other changes.
        await store.replace_content(
            connection, owner, {(key.stream, key.remote_id): data for key, data in one.erased.items()}
        )
    ids = await store.ids_of_groups(connection, owner.integration, list(roots))
    await store.note_deleted_blanked(connection, owner.integration, ids)
    await forget_past(connection, owner.integration, ids)


async def forget_withheld(
    connection: Connection, owner: Owner, tick: Tick, target: Target, changes: Sequence[Change]
) -> None:
    """Drop what is kept apart of records that were deleted, already bare, because their model is out of scope.

    Belongs into the transaction that deleted them; it is their evidence, too.
    """
    withheld = target.shape.scope.models
    gone = [one.after for one in changes if one.kind is ChangeKind.DELETED and one.after.model in withheld]
    if not gone:
        return
    ids = [record_id(target.integration, record.model, record.remote_id) for record in gone]
    await store.note_deleted_blanked(connection, owner.integration, ids)
    await forget_past(connection, owner.integration, ids)
    by_model: dict[Model, list[str]] = {}
    for record in gone:
        by_model.setdefault(record.model, []).append(record.remote_id)
    for model, remote_ids in by_model.items():
        await deletion.add_evidence(
            connection,
            owner,
            tick,
            model.value,
            dict.fromkeys(remote_ids),
            kind="scope",
            confirmed_by=None,
            detail=f"the integration's scope leaves out every {model}",
        )


async def forget_past(connection: Connection, integration: int, ids: Sequence[UUID]) -> None:
    """Remove what is kept beside records' present content: past versions, and what was said on creating them."""
    await history.forget_versions(connection, integration, ids)
    await action_retention.forget_answers(connection, integration, ids)


async def _own_sources(connection: Connection, owner: Owner, target: Target, row: RecordRow) -> list[RawKey]:
    """The raw records that stand behind a deleted root record and feed no other group."""
    mapping, context = target.connector.mapping, target.context
    rule = mapping.rules.get(MODELS[row.model])
    if rule is None:
        return []
    group, view = Group(rule.model, row.remote_id), LoadedView()
    await load_sources(connection, owner.integration, view, rule.sources(group.key, view, context))
    loaded = [RawRecord(*key, found[0]) for key, found in view.known.items() if found is not None]
    loaded += [
        RawRecord(stream, id, data) for (stream, _), under in view.prefixes.items() for id, data in under.items()
    ]
    return [RawKey(raw.stream, raw.remote_id) for raw in loaded if list(mapping.affected(raw, context)) == [group]]
