"""Keeping only some applications, with the people behind them and nobody else.

What a mode leaves out is never stored, not even as a raw record. What it leaves out *now* and was stored before is
withdrawn: marked as deleted with the mode as evidence, blanked after the set days, and back with the next full run
if the mode changes again. No call to the tool is needed to withdraw.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

import asyncpg

from atsumi.connector.contract import Narrowing, Page, Presence, RawRecord
from atsumi.errors import InvalidInput, ToolError, UnsupportedByTool
from atsumi.model.catalog import CODES
from atsumi.model.names import Model
from atsumi.store import deletion, records, runs
from atsumi.store import modes as store
from atsumi.store.deletion import Policy
from atsumi.sync.deletion import Sweep, remove
from atsumi.sync.page import store_page
from atsumi.sync.target import Target

_CHUNK = 500


@dataclass(slots=True)
class Keeper:
    """What one run keeps. ``cut_off`` is the oldest update that counts, ``created`` the only applications that do."""

    narrowing: Narrowing
    target: Target
    integration: int
    cut_off: datetime | None = None
    created: Collection[str] | None = None

    @property
    def reads_nothing(self) -> bool:
        """Whether no application can be kept, so that neither applications nor candidates need to be read."""
        return self.created is not None and not self.created

    def leaves_out(self, stream: str) -> bool:
        """Whether the stream need not be read at all."""
        return self.reads_nothing and stream in (self.narrowing.applications, self.narrowing.candidates)

    def order(self, streams: Sequence[str]) -> list[str]:
        """Applications before candidates: they say whom to keep."""
        first, second = self.narrowing.applications, self.narrowing.candidates
        moved = [name for name in streams if name != first]
        moved.insert(moved.index(second) if second in moved else len(moved), first)
        return moved

    def since(self, stream: str, since: datetime | None) -> datetime | None:
        """From when on the stream has to be read: a cut-off spares the pages before it."""
        if self.cut_off is None or not self.cuts_off(stream):
            return since
        return max(since, self.cut_off) if since is not None else self.cut_off

    def cuts_off(self, stream: str) -> bool:
        """Whether of this stream only what was updated lately is wanted."""
        return self.cut_off is not None and stream == self.narrowing.applications

    def is_kept(self, application: RawRecord) -> bool:
        """Whether the mode wants this application; one without a readable update time is kept."""
        if self.created is not None:
            return application.remote_id in self.created
        updated_at = self.narrowing.facts(application, self.target.context).updated_at
        return self.cut_off is None or updated_at is None or updated_at >= self.cut_off

    async def narrow(self, pool: asyncpg.Pool, page: Page) -> Page:
        """The page without what tells of people whom the mode leaves out."""
        subjects = [self.narrowing.subject(raw) for raw in page.records]
        if not any(subjects):
            return page
        own = [raw for raw in page.records if raw.stream == self.narrowing.applications]
        kept = {(Model.APPLICATION, raw.remote_id) for raw in own if self.is_kept(raw)}
        left_out = {raw.remote_id for raw in own} - {id for _, id in kept}
        people = {
            candidate
            for raw in own
            if (Model.APPLICATION, raw.remote_id) in kept
            and (candidate := self.narrowing.facts(raw, self.target.context).candidate_remote_id) is not None
        }
        named = {subject.key for subject in subjects if subject is not None}
        async with pool.acquire() as connection:
            people |= await store.candidates_of(connection, self.integration, CODES[Model.APPLICATION])
            stored = await records.raw_hashes(connection, self.integration, self.narrowing.applications, sorted(named))
        kept |= {(Model.APPLICATION, id) for id in stored if id not in left_out}
        found = [
            raw
            for raw, subject in zip(page.records, subjects, strict=True)
            if subject is None
            or (subject.key in people if subject.model is Model.CANDIDATE else tuple(subject) in kept)
        ]
        return replace(page, records=found)


class Switch(NamedTuple):
    """What a change of the mode came to: raw records that were withdrawn, and whether a full run was requested."""

    withdrawn: int
    is_read_anew: bool


async def keeper(pool: asyncpg.Pool, integration: int, target: Target, now: datetime) -> Keeper | None:
    """What the integration's mode keeps at ``now``; ``None`` when that is everything."""
    policy = await deletion.policy_of(pool, integration)
    narrowing = target.connector.narrowing
    if policy.sync_mode == "all" or narrowing is None:
        return None
    made = Keeper(narrowing, target, integration, cut_off=_cut_off(policy, now))
    if policy.sync_mode == "created_only":
        made.created = await store.created_applications(pool, integration)
    return made


async def switch(
    pool: asyncpg.Pool,
    integration: int,
    target: Target,
    mode: str,
    *,
    from_on: date | None = None,
    days: int | None = None,
    now: datetime | None = None,
) -> Switch:
    """Set the mode, withdraw what it leaves out, and request a full run if it can bring something in.

    Raises :class:`UnsupportedByTool` and :class:`InvalidInput`.
    """
    if mode != "all" and target.connector.narrowing is None:
        raise UnsupportedByTool(f"{target.connector.manifest.slug}: it cannot be read in part")
    if (mode == "from_date") != (from_on is not None) or (mode == "rolling_days") != (days is not None):
        raise InvalidInput(f"{mode}: give a date for from_date, days for rolling_days, and neither for other modes")
    if days is not None and days <= 0:
        raise InvalidInput("days: must be greater than 0")
    async with pool.acquire() as connection, connection.transaction():
        await deletion.visit(connection, integration)
        # Whoever is reading keeps by the old mode: nothing it still brings may be stored.
        await runs.take_from_owner(connection, integration)
        before = await deletion.policy_of(connection, integration)
        await store.set_mode(connection, integration, mode, from_on=from_on, days=days)
        after = await deletion.policy_of(connection, integration)
        is_read_anew = await _brings_in(connection, integration, target, before, after, now or datetime.now(UTC))
        if is_read_anew:
            await runs.request_run(connection, integration, "full")
    made = await keeper(pool, integration, target, now or datetime.now(UTC))
    return Switch(await withdraw(pool, made) if made is not None else 0, is_read_anew)


async def _brings_in(
    connection: records.Connection, integration: int, target: Target, before: Policy, after: Policy, now: datetime
) -> bool:
    """Whether a mode may want applications that the one before it left out."""
    narrowing = target.connector.narrowing
    if narrowing is None or before.sync_mode == "all":
        return False
    if after.sync_mode == "created_only":
        created = await store.created_applications(connection, integration)
        return bool(await store.unread(connection, integration, narrowing.applications, sorted(created)))
    earlier, cut_off = _cut_off(before, now), _cut_off(after, now)
    return earlier is None or cut_off is None or cut_off < earlier


async def withdraw(pool: asyncpg.Pool, kept: Keeper) -> int:
    """Mark as gone what is stored and left out by the mode, in bounded transactions; returns how many records."""
    applications = {
        raw.remote_id: raw
        async for raw in _present(pool, kept.integration)
        if raw.stream == kept.narrowing.applications
    }
    staying = {id for id, raw in applications.items() if kept.is_kept(raw)}
    people = {kept.narrowing.facts(applications[id], kept.target.context).candidate_remote_id for id in staying}
    leaving: dict[str, list[str]] = {}
    async for raw in _present(pool, kept.integration):
        subject = kept.narrowing.subject(raw)
        if subject is None:
            continue
        if subject.key not in (people if subject.model is Model.CANDIDATE else staying):
            leaving.setdefault(raw.stream, []).append(raw.remote_id)
    done = 0
    for stream, ids in leaving.items():
        for start in range(0, len(ids), _CHUNK):
            async with pool.acquire() as connection, connection.transaction():
                owner = await deletion.visit(connection, kept.integration)
                done += await remove(
                    connection,
                    owner,
                    kept.target,
                    stream,
                    dict.fromkeys(ids[start : start + _CHUNK]),
                    kind="mode",
                    confirmed_by=None,
                    detail="the integration's sync mode leaves it out",
                    written_before=datetime.max.replace(tzinfo=UTC),
                )
            await records.note_visible(pool, kept.integration)
    return done


async def complete_people(sweep: Sweep, kept: Keeper) -> None:
    """Read the candidates of applications that came in during this run, where the listing did not bring them.

    A candidate who cannot be read stays the stand-in that the application shows.
    """
    stream, probe = kept.narrowing.candidates, sweep.target.connector.probe
    if probe is None:
        return
    people = await store.candidates_of(
        sweep.pool, kept.integration, CODES[Model.APPLICATION], changed_since=sweep.started_at
    )
    async with sweep.pool.acquire() as connection:
        missing = await store.unread(connection, kept.integration, stream, sorted(people))
    for remote_id in missing:
        try:
            answer = await probe(sweep.context, stream, remote_id)
        except ToolError as error:
            sweep.context.log.warning("sync.candidate_unread", reason=str(error))
            return
        if answer.presence is Presence.PRESENT:
            page = Page(answer.records)
            await store_page(sweep.pool, sweep.owner, sweep.target, page, run_id=sweep.run_id, stream=stream)


async def _present(pool: asyncpg.Pool, integration: int) -> AsyncIterator[RawRecord]:
    after = ("", "")
    while rows := await store.present_raw(pool, integration, after, _CHUNK):
        for row in rows:
            yield RawRecord(*row)
        after = rows[-1][:2]


def _cut_off(policy: Policy, now: datetime) -> datetime | None:
    if policy.sync_mode == "from_date" and policy.sync_from_on is not None:
        return datetime.combine(policy.sync_from_on, time.min, UTC)
    if policy.sync_mode == "rolling_days" and policy.sync_days is not None:
        return now - timedelta(days=policy.sync_days)
    return None
