"""Background runs: streams that cost a request per record, read in slices beside everything else.

One slice lasts about a minute, and less when another run of the integration waits. Its streams are read side by side,
because a tool's budgets are per endpoint. Every page is stored together with its place, so a killed slice fetches at
most one batch again.

Two passes: *following* the drivers that changed, which is what keeps records current, and *refreshing* every id after
``refresh_seconds``, for what the drivers do not tell. Following goes first, also in the middle of a refresh.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from atsumi.connector.contract import Connector, LookupStream, Page
from atsumi.errors import (
    AuthenticationFailed,
    PermissionMissing,
    RateLimited,
    RemoteRejected,
    RemoteUnavailable,
    ToolError,
    UnexpectedResponse,
)
from atsumi.store import background, records, runs
from atsumi.sync.lookups import START, Key, Scan, fetch_wanted
from atsumi.sync.page import store_page

if TYPE_CHECKING:
    from atsumi.sync.run import Work

_FIRST_RETRY = timedelta(seconds=10)
_LONGEST_RETRY = timedelta(minutes=30)
_REFUSED_PAUSE = timedelta(hours=6)
"""How long a stream rests for which a right is missing: somebody has to grant it."""
_ODD_PAUSE = timedelta(hours=1)
"""How long a stream rests whose answers cannot be read."""


@dataclass(frozen=True, slots=True)
class Slice:
    """How long the background works at a time; ``pages`` is for tests."""

    seconds: float = 60.0
    pages: int | None = None


class _Position(msgspec.Struct, omit_defaults=True):
    """How far a stream's passes have come.

    ``following`` up to batch ``target``; ``refreshing`` is ``None`` while no refresh is under way.
    """

    following: Key = START
    target: int | None = None
    refreshing: Key | None = None

    def text(self) -> str:
        return msgspec.json.encode(self).decode()

    @classmethod
    def read(cls, text: str | None) -> _Position:
        return msgspec.json.decode(text, type=cls) if text else cls()


@dataclass(slots=True)
class _State:
    """What the streams of one slice share."""

    deadline: float
    pages_left: int | None
    must_stop: bool = False
    has_worked: bool = False
    troubles: list[str] = field(default_factory=list)
    waits: list[RateLimited] = field(default_factory=list)
    failure: ToolError | None = None


def background_streams(connector: Connector) -> list[LookupStream]:
    """The streams that the background reads."""
    lookups = [stream for stream in connector.streams if isinstance(stream, LookupStream)]
    return [stream for stream in lookups if stream.is_background or stream.refresh_seconds is not None]


async def execute_slice(work: Work, size: Slice) -> str:
    """Work on a claimed background run until it is done, its slice is over or another run waits.

    Returns ``SUCCEEDED``, ``PARTIALLY_FAILED`` or ``AUTHENTICATION_FAILED`` when it has ended, ``YIELDED`` when it
    waits for its next slice, ``POSTPONED`` when it waits for the tool. A run that found nothing to do is forgotten.
    """
    streams = background_streams(work.target.connector)
    await runs.plan_streams(work.pool, work.claim, [stream.name for stream in streams])
    state = _State(asyncio.get_running_loop().time() + size.seconds, size.pages)
    while True:
        state.has_worked = False
        await _read_all(work, streams, state)
        if state.failure is not None:
            return await _end_early(work, state.failure)
        if state.must_stop:
            return await _give_back(work, "YIELDED")
        # A round that stored nothing has seen that nothing is left, and that its own writes asked for nothing.
        if not state.has_worked:
            break
    if state.waits:
        wait = min(state.waits, key=lambda one: one.retry_at)
        return await _give_back(work, "POSTPONED", until=wait.retry_at, message=str(wait))
    return await _conclude(work, state)


async def _read_all(work: Work, streams: Sequence[LookupStream], state: _State) -> None:
    tasks = [asyncio.create_task(_read(work, stream, state)) for stream in streams]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(work: Work, stream: LookupStream, state: _State) -> None:
    try:
        await _pass(work, stream, state)
    except (AuthenticationFailed, RemoteUnavailable) as error:
        state.failure, state.must_stop = error, True
    except RateLimited as error:
        state.waits.append(error)
        await _rest(work, stream, error.retry_at, None)
    except (PermissionMissing, UnexpectedResponse, RemoteRejected) as error:
        state.troubles.append(str(error))
        work.log.warning("sync.stream_failed", stream=stream.name, reason=str(error))
        pause = _REFUSED_PAUSE if isinstance(error, PermissionMissing) else _ODD_PAUSE
        await _rest(work, stream, datetime.now(UTC) + pause, error)


async def _pass(work: Work, stream: LookupStream, state: _State) -> None:
    integration = work.claim.owner.integration
    place = await background.place_of(work.pool, integration, stream.name)
    if place.is_paused or state.must_stop:
        return
    position = _Position.read(place.position)
    if not work.target.shape.requests(stream.name):
        await _skip(work, stream)
        return
    if stream.is_background:
        started = datetime.now(UTC)
        if position.target is None:
            position.target = await runs.current_batch(work.pool, integration)
        scan = Scan(place.batch, position.following)
        async with aclosing(fetch_wanted(work.pool, work.context, integration, stream, scan)) as pages:
            if not await _store(work, stream, state, position, pages, is_refresh=False):
                return
        batch, position = position.target, _Position(refreshing=position.refreshing)
        async with work.pool.acquire() as connection, connection.transaction():
            await records.check_owner(connection, work.claim.owner)
            await background.end_pass(
                connection, integration, stream.name, batch=batch, position=position.text(), started_at=started
            )
    if stream.refresh_seconds is not None and not state.must_stop:
        await _refresh(work, stream, state, position, stream.refresh_seconds, is_due=place.is_refresh_due)
    if not state.must_stop:
        async with work.pool.acquire() as connection, connection.transaction():
            await records.check_owner(connection, work.claim.owner)
            await runs.end_stream(connection, work.claim, stream.name, state="COMPLETE")


async def _skip(work: Work, stream: LookupStream) -> None:
    """Leave out a stream that is read for nothing in scope, as if its drivers had been followed to their end."""
    integration = work.claim.owner.integration
    batch = await runs.current_batch(work.pool, integration)
    async with work.pool.acquire() as connection, connection.transaction():
        await records.check_owner(connection, work.claim.owner)
        await background.end_pass(connection, integration, stream.name, batch=batch, position=None, started_at=None)
        if stream.refresh_seconds is not None:
            await background.set_refresh(connection, integration, stream.name, stream.refresh_seconds, is_done=True)
        await runs.end_stream(connection, work.claim, stream.name, state="COMPLETE")


async def _refresh(
    work: Work, stream: LookupStream, state: _State, position: _Position, seconds: int, *, is_due: bool
) -> None:
    integration = work.claim.owner.integration
    is_done = False
    if is_due or position.refreshing is not None:
        scan = Scan(0, position.refreshing or START, is_all=True)
        async with aclosing(fetch_wanted(work.pool, work.context, integration, stream, scan)) as pages:
            if not await _store(work, stream, state, position, pages, is_refresh=True):
                return
        is_done = True
    async with work.pool.acquire() as connection, connection.transaction():
        await records.check_owner(connection, work.claim.owner)
        await background.set_refresh(connection, integration, stream.name, seconds, is_done=is_done)
        if is_done:
            await background.end_pass(connection, integration, stream.name, batch=0, position=None, started_at=None)


async def _store(
    work: Work,
    stream: LookupStream,
    state: _State,
    position: _Position,
    pages: AsyncGenerator[tuple[Page, Key]],
    *,
    is_refresh: bool,
) -> bool:
    """Store pages one by one, with the place that each of them reaches. False: the slice is over, more is left."""
    async for page, done in pages:
        if is_refresh:
            position.refreshing = done
        else:
            position.following = done
        result = await store_page(
            work.pool,
            work.claim.owner,
            work.target,
            replace(page, position=position.text()),
            run_id=work.claim.run.id,
            stream=stream.name,
        )
        state.has_worked = True
        if work.observe is not None:
            work.observe(stream.name, result)
        if await _must_stop(work, state):
            return False
    return True


async def _must_stop(work: Work, state: _State) -> bool:
    if state.pages_left is not None:
        state.pages_left -= 1
    is_over = asyncio.get_running_loop().time() >= state.deadline or state.pages_left == 0
    if is_over or await background.must_give_way(work.pool, work.claim.owner.integration):
        state.must_stop = True
    return state.must_stop


async def _rest(work: Work, stream: LookupStream, until: datetime, error: ToolError | None) -> None:
    """Leave one stream alone for a while; the others go on."""
    async with work.pool.acquire() as connection, connection.transaction():
        await records.check_owner(connection, work.claim.owner)
        await background.pause(connection, work.claim.owner.integration, stream.name, until)
        if error is not None:
            ended = "SKIPPED" if isinstance(error, PermissionMissing) else "FAILED"
            await runs.end_stream(connection, work.claim, stream.name, state=ended, message=str(error))


async def _end_early(work: Work, error: ToolError) -> str:
    if isinstance(error, AuthenticationFailed):
        work.log.warning("sync.credentials_refused", reason=str(error))
        return await _end(work, "AUTHENTICATION_FAILED", str(error))
    attempts = work.claim.run.attempts
    if attempts >= runs.MAXIMUM_ATTEMPTS:
        return await _end(work, "FAILED", f"{error}. Given up after {attempts} attempts.")
    until = datetime.now(UTC) + min(_FIRST_RETRY * 2 ** (attempts - 1), _LONGEST_RETRY)
    return await _give_back(work, "POSTPONED", until=until, message=str(error), is_counted=True)


async def _give_back(
    work: Work, state: str, *, until: datetime | None = None, message: str | None = None, is_counted: bool = False
) -> str:
    async with work.pool.acquire() as connection, connection.transaction():
        await records.check_owner(connection, work.claim.owner)
        await background.yield_run(connection, work.claim, until=until, message=message, is_counted=is_counted)
    await records.note_visible(work.pool, work.claim.owner.integration)
    return state


async def _conclude(work: Work, state: _State) -> str:
    async with work.pool.acquire() as connection, connection.transaction():
        await records.check_owner(connection, work.claim.owner)
        if not state.troubles and await background.forget_empty_run(connection, work.claim):
            return "SUCCEEDED"
    ended = await runs.progress(work.pool, work.claim.run.id)
    troubles = [one.message for one in ended if one.message and one.state in ("SKIPPED", "FAILED")]
    return await _end(work, "PARTIALLY_FAILED" if troubles else "SUCCEEDED", "\n".join(troubles) or None)


async def _end(work: Work, state: str, message: str | None) -> str:
    async with work.pool.acquire() as connection, connection.transaction():
        await records.check_owner(connection, work.claim.owner)
        now = work.clock() if work.clock is not None else None
        await runs.end_run(connection, work.claim, state, message, now=now)
    await records.note_visible(work.pool, work.claim.owner.integration)
    return state
