"""Computing an integration's records and documents anew from what is stored, without a call to the tool.

A run of kind ``remap`` goes through the raw records of each stream and computes every group that they feed, then looks
for records that belong to none of these groups any longer, then renders every document and looks that every record is
found by what it says. Only what differs is written: with an unchanged mapping nothing is, and a document that merely
looks different keeps its place in its list. Like a sync it moves in bounded transactions under the fencing token, may
be killed anywhere and goes on at the last page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from atsumi.connector.context import Log
from atsumi.connector.contract import Group, Issue, RawKey, RawRecord
from atsumi.model.catalog import CODES
from atsumi.model.ids import record_id
from atsumi.store import deletion, dialects, fragments, integration_fields, records, runs, shaping
from atsumi.store import remapping as store
from atsumi.store.records import Connection, Owner, RecordRow
from atsumi.store.runs import Claim, StreamProgress
from atsumi.sync import scoping
from atsumi.sync.changes import Change, delete_records
from atsumi.sync.discovery import Discovery
from atsumi.sync.groups import affected_groups
from atsumi.sync.lease import under_claim
from atsumi.sync.page import count_issues, remap_groups
from atsumi.sync.projection import Projection, WireModel
from atsumi.sync.render import render_all, render_changes
from atsumi.sync.searching import refresh_search
from atsumi.sync.snapshots import is_unsafe
from atsumi.sync.target import Target

UNMAPPED = "records without source"
"""The stream in whose name records are removed that no raw record leads to any more."""
RAW_OUT_OF_SCOPE = "raw content out of scope"
"""The stream in whose name it is removed; before any group is computed, since groups read several streams."""
OUT_OF_SCOPE = "records out of scope"
"""The stream in whose name is removed what the integration's scope leaves out."""

_DOCUMENTS_OF = "documents of "
_RAW = 500
"""Raw records read at a time."""
_GROUPS = 250
"""Groups computed in one transaction: one raw record may feed very many."""
_DOCUMENTS = 200
"""Documents rendered in one transaction."""
_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Remap:
    """Everything a remap needs. ``accepts_losses`` removes records without a source however many they are."""

    pool: asyncpg.Pool
    claim: Claim
    target: Target
    log: Log
    accepts_losses: bool = False
    clock: Callable[[], datetime] | None = None

    @property
    def owner(self) -> Owner:
        return self.claim.owner

    @property
    def number(self) -> int:
        return self.claim.owner.integration


async def execute_remap(work: Remap) -> str:
    """Work through a claimed run of kind ``remap`` and return its state afterwards.

    ``SUCCEEDED``; ``PARTIALLY_FAILED`` when records without a source were left alone, which the run's message
    explains; ``LOST`` when another worker has taken over or the run was cancelled.
    """
    return await under_claim(work.pool, work.claim, work.log, _execute(work))


async def _execute(work: Remap) -> str:
    troubles = []
    for progress in await _plan(work):
        if progress.state == "COMPLETE":
            continue
        if progress.state in ("SKIPPED", "FAILED"):
            troubles.append(progress.message or progress.stream)
            continue
        projection = _projection_of(work.target.projections, progress.stream)
        if projection is not None:
            await _render_documents(work, projection, progress)
        elif progress.stream.startswith(_DOCUMENTS_OF):
            troubles.append(f"{progress.stream}: not rendered, because this surface was switched off meanwhile.")
            await _end_stream(work, progress.stream, "SKIPPED", troubles[-1])
            continue
        elif progress.stream == RAW_OUT_OF_SCOPE:
            await _cut_raw(work, progress)
        elif progress.stream == OUT_OF_SCOPE:
            await _leave_out(work, progress)
        elif progress.stream == UNMAPPED:
            refused = await _remove_unmapped(work, progress)
            if refused is not None:
                troubles.append(refused)
                await _end_stream(work, progress.stream, "SKIPPED", refused)
                continue
        else:
            await _compute_groups(work, progress)
        await _end_stream(work, progress.stream, "COMPLETE", None)
    state = "PARTIALLY_FAILED" if troubles else "SUCCEEDED"
    async with work.pool.acquire() as connection, connection.transaction():
        await records.check_owner(connection, work.owner)
        await store.forget_groups(connection, work.claim.run.id)
        await shaping.end_shaping(connection, work.claim.run.id)
        if not work.claim.run.only_documents:
            await integration_fields.end_recount(connection, work.owner)
        await dialects.note_complete(connection, work.number, await _rendered(connection, work))
        now = work.clock() if work.clock is not None else None
        await runs.end_run(connection, work.claim, state, "\n".join(troubles) or None, now=now)
    await records.note_visible(work.pool, work.number)
    return state


async def _rendered(connection: Connection, work: Remap) -> list[int]:
    """The dialects of which this run has rendered every document."""
    complete = await store.complete_streams(connection, work.claim.run.id)
    return [one.code for one in work.target.projections if documents_of(one) in complete]


async def _plan(work: Remap) -> Sequence[StreamProgress]:
    planned = await runs.progress(work.pool, work.claim.run.id)
    if planned:
        return planned
    async with work.pool.acquire() as connection, connection.transaction():
        await records.check_owner(connection, work.owner)
        names: list[str] = []
        if not work.claim.run.only_documents:
            streams = await store.raw_streams(connection, work.number)
            names = [RAW_OUT_OF_SCOPE, *streams, OUT_OF_SCOPE, UNMAPPED]
            await shaping.begin_shaping(connection, work.claim.run.id, work.target.shape.version)
            await integration_fields.begin_recount(connection, work.owner)
        names += [documents_of(projection) for projection in work.target.projections]
        await store.plan(connection, work.claim, names, bounded=UNMAPPED)
    return await runs.progress(work.pool, work.claim.run.id)


def documents_of(projection: Projection) -> str:
    """The stream in whose name a dialect's documents are rendered."""
    return f"{_DOCUMENTS_OF}{projection.name}"


def _projection_of(projections: Sequence[Projection], stream: str) -> Projection | None:
    return next((one for one in projections if documents_of(one) == stream), None)


async def _compute_groups(work: Remap, progress: StreamProgress) -> None:
    mapping, context = work.target.connector.mapping, work.target.context
    after = progress.position or ""
    while True:
        async with work.pool.acquire() as connection:
            page = await store.raw_page(connection, work.number, progress.stream, after, _RAW)
            if not page:
                return
            after = page[-1][0]
            raws = [RawRecord(progress.stream, id, data) for id, data in page]
            discovery = Discovery(work.target, read={RawKey(progress.stream, id) for id, _ in page})
            await scoping.drop(connection, work.owner, work.target.shape, progress.stream, raws)
            groups, issues = await affected_groups(connection, work.number, mapping, context, raws)
            changed = 0
            for start in range(0, len(groups), _GROUPS):
                async with connection.transaction():
                    changes, found = await _compute(connection, work, groups[start : start + _GROUPS], discovery)
                    changed += len(changes)
                    issues += found
                    if start + _GROUPS >= len(groups):
                        # With the position, so that a repeated page counts once.
                        await discovery.write(connection, work.owner)
                        await _note_page(connection, work, progress.stream, after, len(page), changed, issues)
            if not groups:
                async with connection.transaction():
                    await records.check_owner(connection, work.owner)
                    await _note_page(connection, work, progress.stream, after, len(page), 0, issues)
        if changed:
            await records.note_visible(work.pool, work.number)


async def _compute(
    connection: Connection, work: Remap, groups: Sequence[Group], discovery: Discovery
) -> tuple[Sequence[Change], Sequence[Issue]]:
    tick = await records.take_clock(connection, work.owner)
    found = await remap_groups(connection, work.owner, tick, work.target, groups, discovery=discovery)
    roots = [record_id(work.target.integration, group.model, group.key) for group in groups]
    await store.note_groups(connection, work.claim.run.id, UNMAPPED, roots)
    return found


async def _remove_unmapped(work: Remap, progress: StreamProgress) -> str | None:
    """Delete records of groups that no raw record leads to; returns why that was not done, if it was not."""
    unplaced = await store.unplaced(work.pool, work.claim.run.id)
    if unplaced:
        # One of those raw records may be the source: their absence proves nothing.
        return (
            f"{UNMAPPED}: not looked for, because the mapping failed on {unplaced} raw records. "
            "Correct the mapping and remap again."
        )
    until_seq = int(progress.position or 0)
    async with work.pool.acquire() as connection:
        missing, present = await store.count_unvisited(connection, work.number, work.claim.run.id, until_seq)
        policy = await deletion.policy_of(connection, work.number)
        if is_unsafe(present, missing, policy) and not work.accepts_losses:
            return (
                f"{UNMAPPED}: {missing} of {present} records would be removed, more than the "
                f"{policy.unsafe_fraction:.0%} that are removed unasked. They were left alone. If that is meant, "
                "remap again with --accept-losses."
            )
        while True:
            keys = await store.unvisited(connection, work.number, work.claim.run.id, until_seq, _GROUPS)
            if not keys:
                return None
            async with connection.transaction():
                tick = await records.take_clock(connection, work.owner)
                rows = await _present(connection, work.number, keys, until_seq)
                changes = await delete_records(
                    connection,
                    work.owner,
                    tick,
                    work.target.integration,
                    rows,
                    work.target.shape.derivations(work.target.connector.mapping.derivations),
                )
                await render_changes(connection, work.owner, work.target.integration, work.target.projections, changes)
                await _note_page(connection, work, UNMAPPED, progress.position, len(rows), len(changes), ())
            await records.note_visible(work.pool, work.number)


async def _cut_raw(work: Remap, progress: StreamProgress) -> None:
    shape = work.target.shape
    if not shape.scope.is_restricted:
        return
    begun, _, after = (progress.position or "").partition("/")
    async with work.pool.acquire() as connection:
        streams = await store.raw_streams(connection, work.number)
        for stream in streams[streams.index(begun) if begun in streams else 0 :]:
            after = after if stream == begun else ""
            while page := await store.raw_page(connection, work.number, stream, after, _RAW):
                after = page[-1][0]
                async with connection.transaction():
                    await records.check_owner(connection, work.owner)
                    raws = [RawRecord(stream, id, data) for id, data in page]
                    changed = await scoping.cut(connection, work.owner, shape, raws)
                    await _note_page(connection, work, progress.stream, f"{stream}/{after}", len(page), changed, ())


async def _leave_out(work: Remap, progress: StreamProgress) -> None:
    shape = work.target.shape
    if not shape.scope.is_restricted:
        return
    name, _, last = (progress.position or "").partition("/")
    models = [model for model in CODES if shape.needs_emptying(model)]
    begun = next((place for place, model in enumerate(models) if model == name), 0)
    after = UUID(last) if last else _FIRST
    async with work.pool.acquire() as connection, connection.transaction():
        await records.check_owner(connection, work.owner)
        await scoping.forget_doubts(connection, work.owner, shape)
    for model in models[begun:]:
        while True:
            async with work.pool.acquire() as connection, connection.transaction():
                await records.check_owner(connection, work.owner)
                page = await store.record_page(connection, work.number, CODES[model], after, _DOCUMENTS)
                if not page:
                    break
                after = page[-1][0]
                changed = await scoping.strip(connection, work.owner, work.target, model, [id for id, _ in page])
                await _note_page(connection, work, progress.stream, f"{model}/{after}", len(page), changed, ())
        after = _FIRST


async def _present(
    connection: Connection, integration: int, keys: Sequence[tuple[int, UUID]], until_seq: int
) -> list[RecordRow]:
    """The records as they are behind the lock, without those that have changed since."""
    rows: list[RecordRow] = []
    for model in sorted({model for model, _ in keys}):
        found = await records.records_by_id(connection, integration, model, [id for m, id in keys if m == model])
        rows += [row for row in found.values() if row.deleted_at is None and row.seq <= until_seq]
    return rows


async def _render_documents(work: Remap, projection: Projection, progress: StreamProgress) -> None:
    name, _, last = (progress.position or "").partition("/")
    wire_models = list(projection.wire_models)
    begun = next((place for place, one in enumerate(wire_models) if one.name == name), 0)
    after = UUID(last) if last else _FIRST
    for wire_model in wire_models[begun:]:
        while True:
            async with work.pool.acquire() as connection, connection.transaction():
                # Holding the clock row shared keeps writers out, so that what is rendered is what stays.
                await records.check_owner(connection, work.owner)
                page = await store.record_page(connection, work.number, CODES[wire_model.model], after, _DOCUMENTS)
                if not page:
                    break
                after = page[-1][0]
                written = await _write_documents(connection, work, projection, wire_model, dict(page))
                position = f"{wire_model.name}/{after}"
                await _note_page(connection, work, progress.stream, position, len(page), written, ())
        after = _FIRST


async def _write_documents(
    connection: Connection, work: Remap, projection: Projection, wire_model: WireModel, seqs: dict[UUID, int]
) -> int:
    ids = list(seqs)
    await refresh_search(connection, work.owner, work.target.integration, wire_model.model, ids)
    rendered = await render_all(connection, work.owner, work.target.integration, projection, wire_model, ids)
    model = CODES[wire_model.model]
    stored = await store.documents(connection, work.owner, projection.code, model, ids)
    missing = [row._replace(touched_seq=seqs[row.id]) for row in rendered if row.id not in stored]
    differing = [row for row in rendered if row.id in stored and stored[row.id] != row[4:]]
    await fragments.insert_fragments(connection, work.owner, projection.code, missing)
    await fragments.update_fragments(connection, work.owner, projection.code, differing)
    return len(missing) + len(differing)


async def _note_page(
    connection: Connection,
    work: Remap,
    stream: str,
    position: str | None,
    seen: int,
    changed: int,
    issues: Sequence[Issue],
) -> None:
    await runs.record_page(
        connection,
        work.claim.run.id,
        stream,
        position=position,
        seen=seen,
        changed=changed,
        issues=count_issues(issues),
    )


async def _end_stream(work: Remap, stream: str, state: str, message: str | None) -> None:
    async with work.pool.acquire() as connection, connection.transaction():
        await records.check_owner(connection, work.owner)
        await runs.end_stream(connection, work.claim, stream, state=state, message=message)
