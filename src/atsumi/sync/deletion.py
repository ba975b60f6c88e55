"""Two-phase deletion: a full listing that is proven complete suspects, a probe or a second such listing confirms.

Nothing else removes a record of a paged listing: not an incremental run, not a listing that broke off, went in
circles or held something unreadable. Where a read stopped at a cut-off of our own, only a probe does. A loss above the
integration's share removes nothing at all until an operator has decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import asyncpg

from atsumi.connector.context import Context
from atsumi.connector.contract import Group, Page, Presence, RawRecord
from atsumi.errors import AuthenticationFailed, RateLimited, RemoteUnavailable, ToolError
from atsumi.store import deletion as store
from atsumi.store import records, unsafe
from atsumi.store.deletion import EvidenceKind, Suspect
from atsumi.store.records import Owner
from atsumi.sync.codec import content_hash
from atsumi.sync.groups import affected_groups
from atsumi.sync.page import remap_groups, store_page
from atsumi.sync.snapshots import is_unsafe, unsafe_message
from atsumi.sync.target import Target

PROBES_PER_RUN = 200
"""Suspects that a run asks for one by one; the others wait for the second sweep."""
SAMPLE = 20
"""Missing records of a large loss that a run asks for, so that the operator has something to judge by."""
_UNKNOWN_TO_THE_TOOL = "the tool answered that it does not know the record"
_CHUNK = 200
"""Records removed in one transaction, which keeps the integration's other writers out."""


@dataclass(slots=True)
class Sweep:
    """One full run, as far as deletions are concerned. ``started_at`` is when it began reading."""

    pool: asyncpg.Pool
    owner: Owner
    target: Target
    context: Context
    run_id: UUID
    started_at: datetime
    probes_left: int = PROBES_PER_RUN
    is_broken_off: bool = False
    """The tool stopped answering probes: what is missing in its listings proves nothing either."""


@dataclass(slots=True)
class _Answers:
    """What probing has shown. ``unanswered`` were asked for without learning anything."""

    gone: dict[str, UUID | None] = field(default_factory=dict)
    present: set[str] = field(default_factory=set)
    unanswered: list[str] = field(default_factory=list)
    omitted: int = 0
    """Records that exist as they are stored, so the listing left them out without a reason."""
    unasked: list[Suspect] = field(default_factory=list)


async def settle(sweep: Sweep, stream: str, *, is_cut_off: bool = False) -> list[str]:
    """Compare a listing that was read to its end with what is stored; returns what the operator should know.

    Safe to repeat as long as the caller keeps what the listing has shown (``store.forget_seen`` when it ends); a run
    that has kept no page of it says nothing. A tool that cannot be asked proves nothing: its suspects stay. With
    probes at hand, a suspect that was asked for without an answer is not confirmed by a second sweep either, since
    the tool is evidently not well. ``is_cut_off`` tells that the read wanted only what changed lately: one that stopped
    there proves nothing, but says whom to ask for.
    """
    integration, tool = sweep.owner.integration, sweep.target.connector.manifest.slug
    async with sweep.pool.acquire() as connection, connection.transaction():
        await records.check_owner(connection, sweep.owner)
        if not await store.seen_pages(connection, sweep.run_id, stream):
            return []
        suspects = await store.unseen(connection, integration, sweep.run_id, stream, sweep.started_at)
        is_unproven = await store.is_unproven(connection, sweep.run_id, stream)
        if is_unproven and suspects and not is_cut_off:
            return [_unproven(tool, stream, len(suspects))]
        ids = [one.remote_id for one in suspects]
        stored = await store.present_count(connection, integration, stream)
        is_held = is_unsafe(stored, len(ids), await store.policy_of(connection, integration))
        if not is_held and not is_unproven:
            await _suspect(connection, sweep, stream, ids)
    if not suspects:
        return []
    if is_unproven:
        return await _settle_by_probes(sweep, stream, stored, suspects)
    if is_held:
        return await _hold(sweep, stream, stored, suspects)
    answers = await _ask(sweep, stream, suspects)
    await apply_gone(sweep, stream, answers.gone, kind="probe", detail=_UNKNOWN_TO_THE_TOOL)
    # A listing that left out one record which exists may have left out any other, however often it does so.
    if not sweep.is_broken_off and not answers.omitted:
        twice = {one.remote_id: one.suspected_by for one in answers.unasked if one.suspected_by is not None}
        await apply_gone(sweep, stream, twice, kind="second_sweep", detail="two complete listings did not show it")
    return _troubles(tool, stream, answers, is_broken_off=sweep.is_broken_off)


async def _settle_by_probes(sweep: Sweep, stream: str, stored: int, suspects: Sequence[Suspect]) -> list[str]:
    """Remove what the tool itself says is gone, or put it before the operator; the listing is no evidence."""
    integration, tool = sweep.owner.integration, sweep.target.connector.manifest.slug
    answers = await _ask(sweep, stream, suspects)
    troubles = _troubles(tool, stream, answers, is_broken_off=False)
    if answers.unasked:
        troubles.append(_unproven(tool, stream, len(answers.unasked)))
    async with sweep.pool.acquire() as connection, connection.transaction():
        await records.check_owner(connection, sweep.owner)
        is_held = is_unsafe(stored, len(answers.gone), await store.policy_of(connection, integration))
        if is_held:
            await _put_before_the_operator(connection, sweep, stream, stored, list(answers.gone), answers)
        else:
            await unsafe.supersede_unsafe(connection, integration, stream)
    if is_held:
        return [unsafe_message(tool, stream, stored, len(answers.gone)), *troubles]
    await apply_gone(sweep, stream, answers.gone, kind="probe", detail=_UNKNOWN_TO_THE_TOOL)
    return troubles


async def _put_before_the_operator(
    connection: records.Connection, sweep: Sweep, stream: str, stored: int, missing: Sequence[str], answers: _Answers
) -> None:
    await unsafe.hold_unsafe(
        connection,
        sweep.owner.integration,
        sweep.run_id,
        stream,
        listing=stream,
        stored=stored,
        missing=missing,
        pages=len(await store.seen_pages(connection, sweep.run_id, stream)),
        sample=dict.fromkeys(answers.gone, "gone") | dict.fromkeys(answers.unanswered, "unknown"),
    )


async def _hold(sweep: Sweep, stream: str, stored: int, suspects: Sequence[Suspect]) -> list[str]:
    """Put a large loss before the operator, with what the tool says of some of the missing records.

    If so many of these exist that the loss is not large without them, the others are suspects like any.
    """
    integration, tool = sweep.owner.integration, sweep.target.connector.manifest.slug
    # Spread over all of them: neighbours were often made, and lost, together.
    answers = await _ask(sweep, stream, suspects[:: -(-len(suspects) // SAMPLE)])
    troubles = _left_out(tool, stream, answers)
    missing = [one.remote_id for one in suspects if one.remote_id not in answers.present]
    async with sweep.pool.acquire() as connection, connection.transaction():
        await records.check_owner(connection, sweep.owner)
        if not is_unsafe(stored, len(missing), await store.policy_of(connection, integration)):
            await _suspect(connection, sweep, stream, missing)
            return troubles
        await _put_before_the_operator(connection, sweep, stream, stored, missing, answers)
    return [unsafe_message(tool, stream, stored, len(missing)), *troubles]


async def _suspect(connection: records.Connection, sweep: Sweep, stream: str, ids: Sequence[str]) -> None:
    """Suspect these and nothing else of the stream; nothing of it waits for the operator any more."""
    integration = sweep.owner.integration
    await store.suspect(connection, integration, sweep.run_id, stream, ids)
    await unsafe.supersede_unsafe(connection, integration, stream)
    await store.clear_suspicions(connection, integration, stream, except_for=ids)


async def apply_gone(
    sweep: Sweep, stream: str, found: Mapping[str, UUID | None], *, kind: EvidenceKind, detail: str
) -> None:
    """Mark records as gone with their evidence and write every consequence, in bounded transactions.

    Records that were written after the sweep began are left alone.
    """
    for chunk in _chunks(list(found)):
        async with sweep.pool.acquire() as connection, connection.transaction():
            await remove(
                connection,
                sweep.owner,
                sweep.target,
                stream,
                {id: found[id] for id in chunk},
                kind=kind,
                confirmed_by=sweep.run_id,
                detail=detail,
                written_before=sweep.started_at,
            )
        await records.note_visible(sweep.pool, sweep.owner.integration)


async def remove(
    connection: records.Connection,
    owner: Owner,
    target: Target,
    stream: str,
    found: Mapping[str, UUID | None],
    *,
    kind: EvidenceKind,
    confirmed_by: UUID | None,
    detail: str,
    written_before: datetime,
) -> int:
    """Mark raw records as gone, inside the caller's transaction; returns how many still were there.

    ``found`` holds the run that suspected each. Raises :class:`~atsumi.errors.StaleToken`.
    """
    tick = await records.take_clock(connection, owner)
    kept = await store.still_present(connection, owner.integration, stream, list(found), written_before)
    if not kept:
        return 0
    await records.mark_gone(connection, owner, tick, stream, list(kept))
    evidence = {id: found[id] for id in kept}
    await store.add_evidence(
        connection, owner, tick, stream, evidence, kind=kind, confirmed_by=confirmed_by, detail=detail
    )
    raw = [RawRecord(stream, id, data) for id, data in kept.items()]
    groups = await _groups(connection, owner, target, raw)
    await remap_groups(connection, owner, tick, target, groups)
    return len(kept)


async def _groups(
    connection: records.Connection, owner: Owner, target: Target, raw: Sequence[RawRecord]
) -> Sequence[Group]:
    mapping = target.connector.mapping
    groups, _ = await affected_groups(connection, owner.integration, mapping, target.context, raw)
    return groups


async def _ask(sweep: Sweep, stream: str, suspects: Sequence[Suspect]) -> _Answers:
    """Ask the tool for each suspect, those first that an earlier run has missed, as long as the budget lasts."""
    answers, probe = _Answers(), sweep.target.connector.probe
    for number, one in enumerate(suspects):
        if probe is None or sweep.is_broken_off or sweep.probes_left <= 0:
            answers.unasked = list(suspects[number:])
            break
        sweep.probes_left -= 1
        try:
            answer = await probe(sweep.context, stream, one.remote_id)
        except (RateLimited, RemoteUnavailable, AuthenticationFailed) as error:
            sweep.context.log.warning("sync.probing_broken_off", stream=stream, reason=str(error))
            answers.unasked, sweep.is_broken_off = list(suspects[number:]), True
            break
        except ToolError as error:
            sweep.context.log.warning("sync.probe_unanswered", stream=stream, reason=str(error))
            answers.unanswered.append(one.remote_id)
            continue
        if answer.presence is Presence.GONE:
            answers.gone[one.remote_id] = one.suspected_by or sweep.run_id
        elif answer.presence is Presence.PRESENT:
            answers.present.add(one.remote_id)
            answers.omitted += not await _keep(sweep, stream, one.remote_id, answer.records)
        else:
            answers.unanswered.append(one.remote_id)
    return answers


async def _keep(sweep: Sweep, stream: str, remote_id: str, found: Sequence[RawRecord]) -> bool:
    """Store a suspect that exists and drop the suspicion; returns whether it has changed since it was stored.

    One that changed may have moved within the listing while that was read, which is no fault of the tool.
    """
    integration = sweep.owner.integration
    async with sweep.pool.acquire() as connection:
        stored = await records.raw_hashes(connection, integration, stream, [remote_id])
    await store_page(
        sweep.pool,
        sweep.owner,
        sweep.target,
        Page(found, is_last=True),
        run_id=sweep.run_id,
        stream=stream,
        shown=[remote_id],
    )
    async with sweep.pool.acquire() as connection, connection.transaction():
        await records.check_owner(connection, sweep.owner)
        await store.drop_suspicions(connection, integration, stream, [remote_id])
    kept = sweep.target.shape.narrowed(found)
    fresh = [content_hash(raw.data) for raw in kept if (raw.stream, raw.remote_id) == (stream, remote_id)]
    return [stored.get(remote_id)] != fresh


def _unproven(tool: str, stream: str, missing: int) -> str:
    return (
        f"{tool}: {stream}: the listing is not proven complete, so the {missing} stored records that it did not show "
        "were all kept."
    )


def _left_out(tool: str, stream: str, answers: _Answers) -> list[str]:
    if not answers.omitted:
        return []
    return [f"{tool}: {stream}: the listing left out {answers.omitted} records that exist; they were read one by one."]


def _troubles(tool: str, stream: str, answers: _Answers, *, is_broken_off: bool) -> list[str]:
    troubles = _left_out(tool, stream, answers)
    waiting = len(answers.unanswered) + (len(answers.unasked) if is_broken_off else 0)
    if waiting:
        troubles.append(
            f"{tool}: {stream}: {waiting} records are missing in the listing, and the tool did not say whether they "
            "exist; they were kept."
        )
    return troubles


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]
