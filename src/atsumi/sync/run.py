"""Executing one sync run: streams in order, pages one by one, resumable at every page.

The run's rows are the truth. This module only moves them forward: it may be killed anywhere, and whoever claims the
run next reads at most the page under way again, and those that were fetched ahead of it where the operator wants that.

Where the next read of a stream begins (its watermark) moves only past what was surely read. A listing that may have
passed over records (an empty page in its middle, an end that names a page it has shown before) leaves it where it was,
and the run counts a ``listing_gap``. Some tools end every listing like that; so ``runs.GAPS_REPEATED`` reads in a row
begin at the same instant, and each further one moves it to the start of the oldest of them: every change is read that
often, the range read does not grow, and a first full read is not repeated for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec

from atsumi.connector.context import Context, Log
from atsumi.connector.contract import LookupStream, Page, Stream, StreamRequest
from atsumi.errors import (
    AuthenticationFailed,
    PermissionMissing,
    RateLimited,
    RemoteRejected,
    RemoteUnavailable,
    UnexpectedResponse,
)
from atsumi.store import database, deletion, records, runs
from atsumi.store.runs import Claim, StreamProgress
from atsumi.sync import modes
from atsumi.sync.background import Slice, execute_slice
from atsumi.sync.deletion import Sweep, settle
from atsumi.sync.lease import under_claim
from atsumi.sync.lookups import START, Key, Scan, fetch_wanted, find_wanted
from atsumi.sync.modes import Keeper
from atsumi.sync.page import PageResult, store_page
from atsumi.sync.target import Target

_FIRST_RETRY = timedelta(seconds=10)
_LONGEST_RETRY = timedelta(minutes=30)
_SLICE = Slice()
LONGEST = timedelta(hours=24)

_GROWN = frozenset(4**power for power in range(10))
"""Pages written by a stream after which the planner's statistics are refreshed: each time it has grown fourfold."""

Observer = Callable[[str, PageResult], None]
"""Told after each stored page: stream name and what the page did."""


@dataclass(frozen=True, slots=True)
class Work:
    """Everything a run needs. ``context`` is the way to the tool, ``target`` where its records go."""

    pool: asyncpg.Pool
    claim: Claim
    target: Target
    context: Context
    observe: Observer | None = None
    prefetch: int = 0
    """Pages fetched before they are needed, so that the tool's latency and our writing overlap."""
    clock: Callable[[], datetime] | None = None
    """Tells when the run ends; ``None``: the database does."""
    slice: Slice = _SLICE
    """How long a background run goes on at a time."""
    longest: timedelta = LONGEST
    """How long after its start a full or incremental run is ended, done or not."""

    @property
    def time_left(self) -> timedelta:
        """How much longer the run may take; not positive when its time is over."""
        now = self.clock() if self.clock is not None else datetime.now(UTC)
        return (self.claim.run.started_at or now) + self.longest - now

    @property
    def log(self) -> Log:
        return self.context.log


async def execute(work: Work) -> str:
    """Work through a claimed run and return its state afterwards.

    Outcomes of the run: ``SUCCEEDED``; ``PARTIALLY_FAILED`` (a stream was refused or misread, the others are stored);
    ``FAILED``; ``AUTHENTICATION_FAILED``; ``QUEUED``-like waiting is reported as ``POSTPONED`` (the tool is down or
    its budget used up; the row says until when); ``LOST`` when another worker has taken over or the run was cancelled;
    ``YIELDED`` when a background run waits for its next slice; ``TIMED_OUT`` when a run that others wait for took
    longer than ``work.longest``, pauses included.
    Never raises a :class:`~atsumi.errors.ToolError`: those end in the run's rows, with who acts next.
    """
    if work.claim.run.kind == "background":
        return await under_claim(work.pool, work.claim, work.log, execute_slice(work, work.slice))
    return await under_claim(work.pool, work.claim, work.log, _execute_in_time(work))


async def _execute_in_time(work: Work) -> str:
    """Execute the run until its time is over, wherever it stands then: a page is stored whole or not at all."""
    limit = asyncio.timeout(work.time_left.total_seconds())
    try:
        async with limit:
            return await _execute(work)
    except TimeoutError:
        if not limit.expired():
            raise
    run = await runs.find_run(work.pool, work.claim.run.id)
    if run is not None and run.ended_at is not None:
        return run.state
    hours = work.longest / timedelta(hours=1)
    told = f"Not done within {hours:g} hours (`sync_run_hours`). What was read is stored; the next run reads the rest."
    work.log.warning("sync.timed_out", hours=hours)
    return await _end(work, "TIMED_OUT", told)


async def _execute(work: Work) -> str:
    streams = {stream.name: stream for stream in work.target.connector.streams if _in_foreground(stream)}
    started = work.claim.run.started_at or datetime.now(UTC)
    kept = await modes.keeper(work.pool, work.claim.owner.integration, work.target, started)
    plan = await runs.plan_streams(work.pool, work.claim, kept.order(list(streams)) if kept else list(streams))
    sweep = Sweep(work.pool, work.claim.owner, work.target, work.context, work.claim.run.id, started)
    troubles: list[str] = []
    put_off: RateLimited | RemoteUnavailable | None = None
    for progress in plan:
        if progress.state in ("COMPLETE", "SKIPPED", "FAILED"):
            if progress.message:
                troubles.append(progress.message)
            continue
        stream = streams.get(progress.stream)
        if stream is None:
            continue
        try:
            troubles += await _read(work, stream, progress, sweep, kept)
        except PermissionMissing as error:
            troubles.append(str(error))
            await _end_stream(work, progress.stream, "SKIPPED", str(error))
        except (UnexpectedResponse, RemoteRejected) as error:
            told = f"{error}. The next run tries again; if it stays so, the maintainers have to look at it."
            troubles.append(told)
            work.log.warning("sync.stream_failed", stream=progress.stream, reason=str(error), shape=_shape(error))
            await _end_stream(work, progress.stream, "FAILED", told)
        except AuthenticationFailed as error:
            return await _refused(work, error)
        except (RateLimited, RemoteUnavailable) as error:
            is_required = progress.stream in work.target.connector.required_streams
            is_over = work.claim.run.attempts >= runs.MAXIMUM_ATTEMPTS
            told = f"{error}. Given up after {work.claim.run.attempts} attempts."
            if is_required and not (is_over and isinstance(error, RemoteUnavailable)):
                return await _wait(work, error, is_counted=isinstance(error, RemoteUnavailable))
            if is_required:
                return await _end(work, "FAILED", told)
            if is_over:
                troubles.append(told)
                await _end_stream(work, progress.stream, "FAILED", told)
            else:
                # What only adds details must not keep the rest from being read; it is tried again afterwards.
                put_off = put_off or error
    if kept is not None and not kept.reads_nothing:
        await modes.complete_people(sweep, kept)
    if put_off is not None:
        return await _wait(work, put_off, is_counted=True)
    return await _conclude(work, troubles)


async def _conclude(work: Work, troubles: Sequence[str]) -> str:
    if not troubles:
        return await _end(work, "SUCCEEDED", None)
    ended = {one.stream: one.state for one in await runs.progress(work.pool, work.claim.run.id)}
    required = work.target.connector.required_streams
    state = "FAILED" if any(ended.get(name) != "COMPLETE" for name in required) else "PARTIALLY_FAILED"
    return await _end(work, state, "\n".join(troubles))


async def _read(
    work: Work, stream: Stream | LookupStream, progress: StreamProgress, sweep: Sweep, kept: Keeper | None
) -> list[str]:
    """Read one stream to its end; returns what kept it from being wholly believed."""
    if not work.target.shape.requests(stream.name):
        await _end_stream(work, stream.name, "COMPLETE", None)
        return []
    if kept is not None and kept.leaves_out(stream.name):
        # A switch of the mode that was cut short may have left records behind.
        await modes.withdraw(work.pool, kept)
        async with work.pool.acquire() as connection, connection.transaction():
            await records.check_owner(connection, work.claim.owner)
            await runs.note_settled(connection, work.claim.owner.integration, stream.name, sweep.started_at)
            await runs.end_stream(connection, work.claim, stream.name, state="COMPLETE")
        return []
    # Only a full read of a listing shows everything there is.
    is_sweep = work.claim.run.kind == "full" and not isinstance(stream, LookupStream)
    has_read = progress.pages > 0
    troubles: list[str] = []
    pages: AsyncGenerator[Page] | AsyncIterator[Page]
    if isinstance(stream, LookupStream):
        integration, is_full = work.claim.owner.integration, work.claim.run.kind == "full"
        batch = await runs.current_batch(work.pool, integration)
        since_batch = 0 if is_full else await runs.watermark_batch(work.pool, integration, stream.name)
        is_begun = progress.position not in (None, runs.READ_TO_ITS_END)
        after = msgspec.json.decode(progress.position or "", type=Key) if is_begun else START
        scan = Scan(since_batch, after, is_all_unversioned=is_full)
        if stream.is_background and await _is_left_to_background(work, stream, scan):
            return troubles
        pages = _lookup_pages(work, stream, scan)
    else:
        batch = 0
        overlap = timedelta(seconds=work.target.connector.manifest.overlap_seconds)
        since = progress.since - overlap if progress.since is not None else None
        since = kept.since(stream.name, since) if kept is not None else since
        pages = stream.pages(work.context, StreamRequest(since=since, position=progress.position))
    if progress.position == runs.READ_TO_ITS_END:
        pages = _no_pages()
    written = 0
    async with contextlib.aclosing(_ahead(pages, work.prefetch)) as fetched:
        async for page in fetched:
            result = await store_page(
                work.pool,
                work.claim.owner,
                work.target,
                await kept.narrow(work.pool, page) if kept is not None else page,
                run_id=work.claim.run.id,
                stream=stream.name,
                shown=_shown(page, stream.name) if is_sweep and not page.snapshot_of else None,
            )
            troubles += result.troubles
            written += result.changed > 0
            if result.changed and written in _GROWN:
                await database.analyze(work.pool, work.claim.owner.integration)
            is_sweep, has_read = is_sweep and not page.snapshot_of, True
            if work.observe is not None:
                work.observe(stream.name, result)
    if kept is not None and is_sweep and stream.name == kept.narrowing.applications:
        # What has left the window is not shown any more, and not missing either.
        await modes.withdraw(work.pool, kept)
    if is_sweep and has_read:
        is_cut_off = kept is not None and kept.cuts_off(stream.name)
        troubles += await settle(sweep, stream.name, is_cut_off=is_cut_off)
    async with work.pool.acquire() as connection, connection.transaction():
        await records.check_owner(connection, work.claim.owner)
        message = "\n".join(troubles) or None
        await runs.end_stream(connection, work.claim, stream.name, state="COMPLETE", message=message)
        integration = work.claim.owner.integration
        await runs.set_watermark(connection, work.claim.run.id, integration, stream.name, sweep.started_at, batch)
        await deletion.forget_seen(connection, work.claim.run.id, stream.name)
    return troubles


async def _no_pages() -> AsyncGenerator[Page]:
    nothing: Sequence[Page] = ()
    for page in nothing:
        yield page


def _shown(page: Page, stream: str) -> list[str]:
    return list(dict.fromkeys(raw.remote_id for raw in page.records if raw.stream == stream))


async def _lookup_pages(work: Work, stream: LookupStream, scan: Scan) -> AsyncGenerator[Page]:
    """Ids named by driver records, each once, in batches. A page's position is where the read stands after it."""
    found = fetch_wanted(work.pool, work.context, work.claim.owner.integration, stream, scan)
    async with contextlib.aclosing(found) as pages:
        async for page, done in pages:
            yield replace(page, position=msgspec.json.encode(done).decode())


async def _is_left_to_background(work: Work, stream: LookupStream, scan: Scan) -> bool:
    """Whether a background stream has more to fetch than a run that others wait for should."""
    count = 0
    found = find_wanted(work.pool, work.context, work.claim.owner.integration, stream, scan)
    async with contextlib.aclosing(found) as pieces:
        async for piece in pieces:
            count += len(piece)
            if count > stream.foreground_limit:
                return True
    return False


def _in_foreground(stream: Stream | LookupStream) -> bool:
    return not isinstance(stream, LookupStream) or not stream.is_background or stream.foreground_limit > 0


async def _ahead(pages: AsyncIterator[Page], size: int) -> AsyncGenerator[Page, None]:
    """The same pages, fetched up to ``size`` ahead of the one in use. An error arrives after the pages before it."""
    if size == 0:
        try:
            async for page in pages:
                yield page
        finally:
            if isinstance(pages, AsyncGenerator):
                await pages.aclose()
        return
    queue: asyncio.Queue[Page | BaseException | None] = asyncio.Queue()
    free = asyncio.Semaphore(size)

    async def fetch() -> None:
        try:
            await free.acquire()
            async for page in pages:
                queue.put_nowait(page)
                await free.acquire()
            queue.put_nowait(None)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            queue.put_nowait(error)

    task = asyncio.create_task(fetch())
    try:
        while True:
            item = await queue.get()
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            free.release()
            yield item
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        if isinstance(pages, AsyncGenerator):
            await pages.aclose()


async def _end_stream(work: Work, stream: str, state: str, message: str | None) -> None:
    async with work.pool.acquire() as connection, connection.transaction():
        await records.check_owner(connection, work.claim.owner)
        await runs.end_stream(connection, work.claim, stream, state=state, message=message)


async def _refused(work: Work, error: AuthenticationFailed) -> str:
    state = await _end(work, "AUTHENTICATION_FAILED", str(error))
    work.log.warning("sync.credentials_refused", reason=str(error))
    return state


async def _end(work: Work, state: str, message: str | None) -> str:
    async with work.pool.acquire() as connection, connection.transaction():
        await records.check_owner(connection, work.claim.owner)
        now = work.clock() if work.clock is not None else None
        await runs.end_run(connection, work.claim, state, message, now=now)
    await records.note_visible(work.pool, work.claim.owner.integration)
    return state


async def _wait(work: Work, error: RateLimited | RemoteUnavailable, *, is_counted: bool) -> str:
    if isinstance(error, RateLimited):
        return await _postpone(work, error, until=error.retry_at, is_counted=is_counted)
    wait = min(_FIRST_RETRY * 2 ** (work.claim.run.attempts - 1), _LONGEST_RETRY)
    return await _postpone(work, error, until=datetime.now(UTC) + wait, is_counted=is_counted)


async def _postpone(work: Work, error: RateLimited | RemoteUnavailable, *, until: datetime, is_counted: bool) -> str:
    # A run that waits keeps others of the integration from starting, so it is looked at again when its time is over.
    until = min(until, datetime.now(UTC) + max(work.time_left, timedelta(0)))
    async with work.pool.acquire() as connection, connection.transaction():
        await records.check_owner(connection, work.claim.owner)
        await runs.postpone_run(connection, work.claim, until=until, message=str(error), is_counted=is_counted)
    work.log.warning("sync.postponed", reason=str(error), until=until.isoformat())
    return "POSTPONED"


def _shape(error: UnexpectedResponse | RemoteRejected) -> str | None:
    return error.shape if isinstance(error, UnexpectedResponse) else None
