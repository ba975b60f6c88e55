"""One page, one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import asyncpg

from atsumi.connector.contract import Connector, Group, Issue, MappingContext, Page, RawKey, RawRecord
from atsumi.store import records as store
from atsumi.store import runs
from atsumi.store.records import Connection, Owner, RawRow
from atsumi.sync.changes import Change, apply_groups
from atsumi.sync.codec import content_hash
from atsumi.sync.groups import affected_groups, build_groups
from atsumi.sync.projection import Projection
from atsumi.sync.render import render_changes


@dataclass(frozen=True, slots=True)
class Target:
    """Where pages go: the integration, and what turns its raw records into documents."""

    integration: UUID
    connector: Connector
    context: MappingContext
    projections: Sequence[Projection]


class PageResult(NamedTuple):
    """What storing a page did.

    ``seen`` and ``changed`` count the stream's own records: all of them, and those that were new or different.
    """

    seen: int
    changed: int
    changes: int
    issues: int


class _Difference(NamedTuple):
    changed: list[RawRecord]
    gone: dict[str, list[str]]


async def store_page(
    pool: asyncpg.Pool, owner: Owner, target: Target, page: Page, *, run_id: UUID, stream: str
) -> PageResult:
    """Store one page completely or not at all.

    In one transaction: raw records that differ, the canonical records they feed, the change log, the documents of
    every dialect, the counted issues and the stream's position. A page that brings nothing new writes its progress
    and nothing else. Raises :class:`~atsumi.errors.StaleToken` when another worker owns the sync by now.
    """
    records = _unique(page.records)
    # Observations that a page brings along (stages seen, stand-ins) are stored, but nobody counts them as records.
    seen = sum(raw.stream == stream for raw in records)
    async with pool.acquire() as connection:
        difference = await _difference(connection, owner.integration, records, page.snapshot_of)
        changed = sum(raw.stream == stream for raw in difference.changed)
        async with connection.transaction():
            if not difference.changed and not difference.gone:
                await store.check_owner(connection, owner)
                changes: Sequence[Change] = ()
                issues = list(page.issues)
            else:
                changes, found = await _apply(connection, owner, target, records, page.snapshot_of)
                issues = [*page.issues, *found]
            await runs.record_page(
                connection,
                run_id,
                stream,
                position=page.position,
                seen=seen,
                changed=changed,
                issues=count_issues(issues),
            )
    if changes:
        await store.note_visible(pool, owner.integration)
    return PageResult(seen, changed, len(changes), len(issues))


def _unique(records: Sequence[RawRecord]) -> list[RawRecord]:
    """The last of each record: a tool may repeat one within a page."""
    return list({(raw.stream, raw.remote_id): raw for raw in records}.values())


async def _difference(
    connection: Connection, integration: int, records: Sequence[RawRecord], snapshot_of: Sequence[str]
) -> _Difference:
    """What the page changes, by content hash."""
    by_stream: dict[str, dict[str, RawRecord]] = {stream: {} for stream in snapshot_of}
    for raw in records:
        by_stream.setdefault(raw.stream, {})[raw.remote_id] = raw
    changed: list[RawRecord] = []
    gone: dict[str, list[str]] = {}
    for stream, found in by_stream.items():
        hashes = await store.raw_hashes(connection, integration, stream, list(found)) if found else {}
        changed += [raw for id, raw in found.items() if hashes.get(id) != content_hash(raw.data)]
        if stream in snapshot_of:
            missing = await store.missing_raw(connection, integration, stream, list(found))
            if missing:
                gone[stream] = missing
    return _Difference(await _without_stand_ins(connection, integration, changed), gone)


async def _without_stand_ins(connection: Connection, integration: int, changed: list[RawRecord]) -> list[RawRecord]:
    """Drop records that only stand in for one that is stored."""
    wanted: dict[str, set[str]] = {}
    for raw in changed:
        if raw.unless is not None:
            wanted.setdefault(raw.unless.stream, set()).add(raw.unless.remote_id)
    if not wanted:
        return changed
    present = {
        RawKey(stream, id)
        for stream, ids in wanted.items()
        for id in await store.raw_hashes(connection, integration, stream, list(ids))
    }
    return [raw for raw in changed if raw.unless is None or raw.unless not in present]


async def _apply(
    connection: Connection,
    owner: Owner,
    target: Target,
    records: Sequence[RawRecord],
    snapshot_of: Sequence[str],
) -> tuple[Sequence[Change], list[Issue]]:
    tick = await store.take_clock(connection, owner)
    # Looked up again behind the lock: another writer may have committed since.
    difference = await _difference(connection, owner.integration, records, snapshot_of)
    rows = [RawRow(raw.stream, raw.remote_id, content_hash(raw.data), raw.data) for raw in difference.changed]
    await store.write_raw(connection, owner, tick, rows)
    fed = list(difference.changed)
    for stream, ids in difference.gone.items():
        await store.mark_gone(connection, owner, tick, stream, ids)
        kept = await store.raw_by_key(connection, owner.integration, [(stream, id) for id in ids])
        fed += [RawRecord(stream, id, kept[stream, id][0]) for id in ids]
    mapping = target.connector.mapping
    groups, issues = await affected_groups(connection, owner.integration, mapping, target.context, fed)
    changes, found = await remap_groups(connection, owner, tick, target, groups, at_hand=difference.changed)
    return changes, [*issues, *found]


async def remap_groups(
    connection: Connection,
    owner: Owner,
    tick: store.Tick,
    target: Target,
    groups: Sequence[Group],
    *,
    at_hand: Sequence[RawRecord] = (),
) -> tuple[Sequence[Change], list[Issue]]:
    """Compute groups from stored raw records and write every consequence. Needs the clock."""
    mapping = target.connector.mapping
    built = await build_groups(connection, owner.integration, mapping, target.context, groups, at_hand)
    await store.replace_links(connection, owner.integration, built.links)
    changes = await apply_groups(connection, owner, tick, target.integration, built.groups, mapping.derivations)
    await render_changes(connection, owner, target.integration, target.projections, changes)
    return changes, built.issues


def count_issues(issues: Sequence[Issue]) -> Mapping[tuple[str, str, str, str], tuple[int, str]]:
    """Occurrences and one sample remote id by (stream, kind, field, detail)."""
    counted: dict[tuple[str, str, str, str], tuple[int, str]] = {}
    for issue in issues:
        key = (issue.stream, issue.kind, issue.field, issue.detail)
        occurrences, sample = counted.get(key, (0, issue.remote_id))
        counted[key] = (occurrences + 1, sample)
    return counted
