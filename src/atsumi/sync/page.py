"""One page, one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import asyncpg

from atsumi.connector.contract import Group, Issue, Page, RawKey, RawRecord
from atsumi.store import deletion, links, runs, unsafe
from atsumi.store import records as store
from atsumi.store.records import Connection, Owner, RawRow
from atsumi.sync import snapshots
from atsumi.sync.blanking import erase, forget_withheld
from atsumi.sync.changes import Change, apply_groups
from atsumi.sync.codec import content_hash
from atsumi.sync.discovery import Discovery
from atsumi.sync.groups import affected_groups, build_groups
from atsumi.sync.render import render_changes
from atsumi.sync.shaping import shape_groups
from atsumi.sync.target import Target

_GAP = Issue("listing_gap", "", "", detail="records may have been passed over; the next read begins where this one did")


class PageResult(NamedTuple):
    """What storing a page did.

    ``seen`` and ``changed`` count the stream's own records: all of them, and those that were new or different.
    ``troubles`` say what the operator has to decide.
    """

    seen: int
    changed: int
    changes: int
    issues: int
    troubles: Sequence[str] = ()


class Difference(NamedTuple):
    """``new`` are the changed records that were not stored, or gone."""

    changed: list[RawRecord]
    gone: dict[str, list[str]]
    new: set[RawKey]


async def store_page(
    pool: asyncpg.Pool,
    owner: Owner,
    target: Target,
    page: Page,
    *,
    run_id: UUID,
    stream: str,
    shown: Sequence[str] | None = None,
) -> PageResult:
    """Store one page completely or not at all.

    In one transaction: raw records that differ, the canonical records they feed, the change log, the documents of
    every dialect, the counted issues and the stream's position. A page that brings nothing new writes its progress
    and nothing else. ``shown`` are the stream's remote ids on the page, kept with it for the comparison at the end of
    a full listing; ``None`` where there will be none.
    Raises :class:`~atsumi.errors.StaleToken` when another worker owns the sync by now.
    """
    page = target.shape.narrow(page)
    records = unique(page.records)
    noted = [*page.issues, *([_GAP._replace(stream=stream)] if page.has_gap else ())]
    # Observations that a page brings along (stages seen, stand-ins) are stored, but nobody counts them as records.
    seen = sum(raw.stream == stream for raw in records)
    snapshot_of = () if page.ends_unproven else page.snapshot_of
    troubles: Sequence[str] = ()
    async with pool.acquire() as connection:
        difference = await compare(connection, owner.integration, records, snapshot_of)
        changed = sum(raw.stream == stream for raw in difference.changed)
        async with connection.transaction():
            if not difference.changed and not difference.gone:
                await store.check_owner(connection, owner)
                changes: Sequence[Change] = ()
                issues: Sequence[Issue] = noted
            else:
                changes, found, troubles = await _apply(connection, owner, target, page, records, run_id, stream)
                issues = [*noted, *found]
            for one in snapshot_of:
                await deletion.clear_suspicions(
                    connection, owner.integration, one, except_for=difference.gone.get(one, ())
                )
                if one not in difference.gone:
                    await unsafe.supersede_unsafe(connection, owner.integration, one)
            await runs.record_page(
                connection,
                run_id,
                stream,
                position=runs.READ_TO_ITS_END if page.is_last and not snapshot_of else page.position,
                seen=seen,
                changed=changed,
                issues=count_issues(issues),
            )
            if page.has_gap:
                await deletion.note_gap(connection, run_id, stream)
            if page.ends_unproven:
                await deletion.note_unproven(connection, run_id, stream)
            if shown is not None:
                await deletion.note_seen(connection, run_id, stream, shown)
    if changes:
        await store.note_visible(pool, owner.integration)
    return PageResult(seen, changed, len(changes), len(issues), troubles)


def unique(records: Sequence[RawRecord]) -> list[RawRecord]:
    """The last of each record: a tool may repeat one within a page."""
    return list({(raw.stream, raw.remote_id): raw for raw in records}.values())


async def compare(
    connection: Connection, integration: int, records: Sequence[RawRecord], snapshot_of: Sequence[str]
) -> Difference:
    """What the page changes, by content hash. Stand-ins are left out for what is stored or on the page itself."""
    by_stream: dict[str, dict[str, RawRecord]] = {stream: {} for stream in snapshot_of}
    for raw in records:
        by_stream.setdefault(raw.stream, {})[raw.remote_id] = raw
    changed: list[RawRecord] = []
    gone: dict[str, list[str]] = {}
    new: set[RawKey] = set()
    for stream, found in by_stream.items():
        hashes = await store.raw_hashes(connection, integration, stream, list(found)) if found else {}
        changed += [raw for id, raw in found.items() if hashes.get(id) != content_hash(raw.data)]
        new |= {RawKey(stream, id) for id in found if id not in hashes}
        if stream in snapshot_of:
            missing = await store.missing_raw(connection, integration, stream, list(found))
            if missing:
                gone[stream] = missing
    return Difference(await _without_stand_ins(connection, integration, changed), gone, new)


async def _without_stand_ins(connection: Connection, integration: int, changed: list[RawRecord]) -> list[RawRecord]:
    """Drop records that only stand in for one that is there, even if it has gone: it is not brought back that way."""
    wanted: dict[str, set[str]] = {}
    for raw in changed:
        if raw.unless is not None:
            wanted.setdefault(raw.unless.stream, set()).add(raw.unless.remote_id)
    if not wanted:
        return changed
    present = {RawKey(raw.stream, raw.remote_id) for raw in changed}
    for stream, ids in wanted.items():
        present |= {RawKey(stream, id) for id in await deletion.known(connection, integration, stream, list(ids))}
    return [raw for raw in changed if raw.unless is None or raw.unless not in present]


async def _apply(
    connection: Connection,
    owner: Owner,
    target: Target,
    page: Page,
    records: Sequence[RawRecord],
    run_id: UUID,
    stream: str,
) -> tuple[Sequence[Change], list[Issue], list[str]]:
    snapshot_of = () if page.ends_unproven else page.snapshot_of
    tick = await store.take_clock(connection, owner)
    # Looked up again behind the lock: another writer may have committed since.
    difference = await compare(connection, owner.integration, records, snapshot_of)
    replaced = await _replaced(connection, owner.integration, difference)
    changed = [raw for raw in difference.changed if raw not in replaced]
    await store.write_raw(connection, owner, tick, _rows(changed))
    mapping, tool = target.connector.mapping, target.connector.manifest.slug
    verdict = await snapshots.judge(
        connection, owner, mapping, target.context, tool, run_id, stream, difference.gone, is_news=page.leaving_is_news
    )
    if not verdict.is_doubted:
        await store.write_raw(connection, owner, tick, _rows(replaced))
        changed += replaced
    fed = [*changed, *await snapshots.mark(connection, owner, tick, verdict, run_id)]
    groups, issues = await affected_groups(connection, owner.integration, mapping, target.context, fed)
    arrived = {key: key in difference.new for raw in changed if (key := RawKey(raw.stream, raw.remote_id))}
    discovery = Discovery(target, arrived)
    changes, found = await remap_groups(connection, owner, tick, target, groups, at_hand=changed, discovery=discovery)
    await discovery.write(connection, owner)
    return changes, [*issues, *found], verdict.troubles


async def _replaced(connection: Connection, integration: int, difference: Difference) -> list[RawRecord]:
    """What a document that misses records says anew of those that it still holds.

    It waits with the missing ones: a document without them may have lost what else refers to them, too.
    """
    found: list[RawRecord] = []
    for stream in {raw.stream for raw in difference.changed} if difference.gone else ():
        changed = [raw for raw in difference.changed if raw.stream == stream]
        known = await deletion.known(connection, integration, stream, [raw.remote_id for raw in changed])
        found += [raw for raw in changed if raw.remote_id in known]
    return found


def _rows(records: Sequence[RawRecord]) -> list[RawRow]:
    return [RawRow(raw.stream, raw.remote_id, content_hash(raw.data), raw.data) for raw in records]


async def remap_groups(
    connection: Connection,
    owner: Owner,
    tick: store.Tick,
    target: Target,
    groups: Sequence[Group],
    *,
    at_hand: Sequence[RawRecord] = (),
    discovery: Discovery | None = None,
) -> tuple[Sequence[Change], list[Issue]]:
    """Compute groups from stored raw records and write every consequence. Needs the clock.

    ``discovery`` looks at what was computed.
    """
    mapping = target.connector.mapping
    built = await build_groups(connection, owner.integration, mapping, target.context, groups, at_hand)
    await links.replace_links(connection, owner.integration, built.links)
    await shape_groups(connection, owner.integration, target, built)
    changes = await apply_groups(
        connection,
        owner,
        tick,
        target.integration,
        built.groups,
        target.shape.derivations(mapping.derivations),
        target.shape.scope.models,
    )
    await render_changes(connection, owner, target.integration, target.projections, changes)
    await erase(connection, owner, target, built.groups)
    await forget_withheld(connection, owner, tick, target, changes)
    if discovery is not None:
        await discovery.look(connection, owner, built, changes)
    return changes, built.issues


def count_issues(issues: Sequence[Issue]) -> Mapping[tuple[str, str, str, str], tuple[int, str]]:
    """Occurrences and one sample remote id by (stream, kind, field, detail)."""
    counted: dict[tuple[str, str, str, str], tuple[int, str]] = {}
    for issue in issues:
        key = (issue.stream, issue.kind, issue.field, issue.detail)
        occurrences, sample = counted.get(key, (0, issue.remote_id))
        counted[key] = (occurrences + 1, sample)
    return counted
