"""Windows of requests: never overdrawn, filled to the last request, first come, first served. In told time."""

from __future__ import annotations

import asyncio
import heapq
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import accumulate, count
from math import ceil
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import asyncpg
from hypothesis import given, settings
from hypothesis import strategies as st

from asking_kit import told_clock
from asking_worker import TOLD_TIME
from atsumi.connector.context import WindowLimit
from atsumi.errors import RateLimited
from atsumi.store import database, windows
from atsumi.store.windows import MARGIN_SECONDS, SharedWindows
from harness import Product

LIMIT = WindowLimit(20, 60)
SPAN = LIMIT.seconds + MARGIN_SECONDS
PATIENCE = 3600.0
PROCESSES = 3

GAPS = st.one_of(
    st.sampled_from((0.001, 1.0, 59.5, 60.5, 61.0)), st.integers(1, 90_000).map(lambda value: value / 1000)
)
BURSTS = st.lists(st.tuples(GAPS, st.integers(1, 30)), min_size=1, max_size=4)
"""So many requests each, so many seconds after those before."""
LATENCIES = st.lists(st.integers(0, 1000).map(lambda value: value / 1000 * MARGIN_SECONDS), min_size=1, max_size=7)
"""How long requests are on their way, in turn."""


@dataclass
class Game:
    """Tasks of this process for whom time passes when all of them sleep."""

    pool: asyncpg.Pool
    tell: Callable[[datetime], Awaitable[object]]
    """Sets the database's clock."""
    start: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    key: str = field(default_factory=lambda: secrets.token_hex(8))
    now: float = 0.0
    sent: dict[int, float] = field(default_factory=dict)
    """When each request was let go, by its number."""
    _tasks: dict[int, asyncio.Task[Any] | None] = field(default_factory=dict)
    _awake: int = 0
    _sleeping: list[tuple[float, int, asyncio.Future[None]]] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=count)
    _all_sleep: asyncio.Event = field(default_factory=asyncio.Event)

    def instant(self, at: float) -> datetime:
        return self.start + timedelta(seconds=at)

    def process(self, patience: float = PATIENCE) -> SharedWindows:
        """What one process uses."""
        return SharedWindows(self.pool, tool="tool", patience_seconds=patience)

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        until = ceil(round((self.now + seconds) * 10_000, 3)) / 10_000
        heapq.heappush(self._sleeping, (until, next(self._numbers), woken))
        self._awake -= 1
        self._look()
        await woken

    async def ask(self, number: int, at: float, process: SharedWindows) -> None:
        """Ask at an instant, and note when the request may leave."""
        self._tasks[number] = asyncio.current_task()
        await self.sleep(at - self.now)
        await process.acquire(self.key, LIMIT)
        self.sent[number] = self.now

    async def call_off(self, number: int, at: float) -> None:
        """Cancel a request if it still waits half a millisecond after an instant, where nothing else happens."""
        await self.sleep(at + 0.0005 - self.now)
        task = self._tasks[number]
        assert task is not None
        if not task.done():
            self._awake += 1
            task.cancel()

    async def at(self, at: float, do: Callable[[], Awaitable[object]]) -> None:
        await self.sleep(at - self.now)
        await do()

    async def play(self, *tasks: Awaitable[None]) -> list[BaseException | None]:
        """Run them until all have ended; returns what each of them raised."""
        await self.tell(self.instant(self.now))
        ruled = SimpleNamespace(sleep=self.sleep, get_running_loop=lambda: SimpleNamespace(time=lambda: self.now))
        with patch.object(windows, "asyncio", ruled):
            self._awake += len(tasks)
            running = [asyncio.create_task(self._counted(task)) for task in tasks]
            while True:
                await self._all_sleep.wait()
                self._all_sleep.clear()
                if not self._sleeping:
                    return await asyncio.gather(*running, return_exceptions=True)
                self.now = self._sleeping[0][0]
                await self.tell(self.instant(self.now))
                while self._sleeping and self._sleeping[0][0] <= self.now:
                    woken = heapq.heappop(self._sleeping)[2]
                    if not woken.cancelled():
                        self._awake += 1
                        woken.set_result(None)
                self._look()

    async def _counted(self, task: Awaitable[None]) -> None:
        try:
            await task
        finally:
            self._awake -= 1
            self._look()

    def _look(self) -> None:
        if self._awake == 0:
            self._all_sleep.set()


@asynccontextmanager
async def game(product: Product) -> AsyncIterator[Game]:
    pool = await database.connect(product.runtime.database_url, size=4, settings={"search_path": TOLD_TIME})
    try:
        async with told_clock(product.runtime.pool) as tell:
            yield Game(pool, tell)
    finally:
        await database.close(pool)


def promised(asked: list[float]) -> list[float]:
    """When each of these requests leaves if every one leaves as early as it can."""
    leaves: list[float] = []
    for place, at in enumerate(asked):
        has_room_at = leaves[place - LIMIT.requests] + SPAN if place >= LIMIT.requests else at
        leaves.append(round(max(at, has_room_at), 3))
    return leaves


def instants(bursts: list[tuple[float, int]]) -> list[float]:
    """When requests are asked for, in order, on whole milliseconds."""
    ends = accumulate(gap for gap, _ in bursts)
    return [round(end, 3) for end, (_, size) in zip(ends, bursts, strict=True) for _ in range(size)]


def arrivals_per_window(game: Game, latencies: list[float]) -> int:
    """How many arrive within any of the tool's windows, at most."""
    arrived = sorted(game.sent[number] + latencies[number % len(latencies)] for number in game.sent)
    ends = [sum(1 for later in arrived if at <= later < at + LIMIT.seconds) for at in arrived]
    return max(ends, default=0)


@settings(max_examples=25, deadline=None)
@given(bursts=BURSTS, latencies=LATENCIES)
async def test_every_request_leaves_as_early_as_the_window_allows_and_in_turn(
    product: Product, bursts: list[tuple[float, int]], latencies: list[float]
) -> None:
    asked = instants(bursts)
    async with game(product) as played:
        processes = [played.process() for _ in range(PROCESSES)]
        raised = await played.play(
            *(played.ask(number, at, processes[number % PROCESSES]) for number, at in enumerate(asked))
        )
    assert raised == [None] * len(asked)
    # Of those who ask at the same instant, any may be first.
    assert sorted(played.sent.values()) == promised(asked)
    in_turn = sorted(played.sent, key=lambda number: (played.sent[number], asked[number]))
    assert [asked[number] for number in in_turn] == asked
    assert arrivals_per_window(played, latencies) <= LIMIT.requests


async def test_sixty_requests_take_two_windows(product: Product) -> None:
    async with game(product) as played:
        await played.play(*(played.ask(number, 0, played.process()) for number in range(60)))
    assert sorted(played.sent.values()) == [0.0] * 20 + [SPAN] * 20 + [2 * SPAN] * 20


@settings(max_examples=25, deadline=None)
@given(bursts=BURSTS, latencies=LATENCIES, patience=st.dictionaries(st.integers(0, 119), st.integers(0, 90)))
async def test_who_stops_waiting_delays_nobody_and_nobody_gets_ahead(
    product: Product, bursts: list[tuple[float, int]], latencies: list[float], patience: dict[int, int]
) -> None:
    asked = instants(bursts)
    async with game(product) as played:
        raised = await played.play(
            *(played.ask(number, at, played.process()) for number, at in enumerate(asked)),
            *(
                played.call_off(number, asked[number] + seconds)
                for number, seconds in patience.items()
                if number < len(asked)
            ),
        )
    assert arrivals_per_window(played, latencies) <= LIMIT.requests
    assert {number for number, error in enumerate(raised) if error} == set(range(len(asked))) - set(played.sent)
    in_turn = sorted(played.sent, key=lambda number: (played.sent[number], asked[number]))
    assert [asked[number] for number in in_turn] == sorted(asked[number] for number in played.sent)
    latest = dict(zip(asked, promised(asked), strict=True))
    assert all(played.sent[number] <= latest[asked[number]] for number in played.sent)


@settings(max_examples=25, deadline=None)
@given(
    bursts=BURSTS,
    latencies=LATENCIES,
    refusals=st.lists(st.tuples(st.integers(0, 200), st.integers(1, 90)), min_size=1, max_size=3),
)
async def test_nothing_is_sent_while_the_tool_refuses_and_no_window_is_overdrawn_after_it(
    product: Product, bursts: list[tuple[float, int]], latencies: list[float], refusals: list[tuple[int, int]]
) -> None:
    asked = instants(bursts)
    async with game(product) as played:
        processes = [played.process() for _ in range(PROCESSES)]

        async def refuse(seconds: int) -> None:
            await processes[0].block(played.key, played.instant(played.now + seconds))

        raised = await played.play(
            *(played.ask(number, at, processes[number % PROCESSES]) for number, at in enumerate(asked)),
            *(played.at(at, partial(refuse, seconds)) for at, seconds in refusals),
        )
    assert raised == [None] * (len(asked) + len(refusals))
    assert len(played.sent) == len(asked)
    assert arrivals_per_window(played, latencies) <= LIMIT.requests
    # A window that nobody has used knows of no refusal: there was nothing to refuse.
    known = [(at, at + seconds) for at, seconds in refusals if at > asked[0]]
    assert not [at for at in played.sent.values() if any(begin < at < end for begin, end in known)]


async def test_after_a_refusal_those_who_wait_go_on_in_their_old_order(product: Product) -> None:
    async with game(product) as played:
        process = played.process()
        until = played.instant(75)
        raised = await played.play(
            *(played.ask(number, number / 1000, process) for number in range(60)),
            played.at(30, lambda: process.block(played.key, until)),
            # What was on its way meets the same pause, and may be told of less of it.
            played.at(31, lambda: process.block(played.key, played.instant(62))),
        )
    assert raised == [None] * 62
    sent = [played.sent[number] for number in range(60)]
    assert sent == sorted(sent)
    assert sent[20:40] == [75] * 20
    assert sent[40] == 75 + SPAN


async def test_who_would_wait_longer_than_it_can_is_told_until_when_and_takes_nothing(product: Product) -> None:
    async with game(product) as played:
        patient, hasty = played.process(), played.process(patience=SPAN)
        retry_at = played.instant(2 * SPAN)
        raised = await played.play(
            *(played.ask(number, 0, patient) for number in range(40)),
            *(played.ask(number, 1, hasty) for number in range(40, 45)),
            played.ask(45, 2, patient),
        )
    refused = [error for error in raised if error is not None]
    assert [type(error) for error in refused] == [RateLimited] * 5
    assert {error.retry_at for error in refused if isinstance(error, RateLimited)} == {retry_at}
    assert played.sent[45] == 2 * SPAN
    assert len(played.sent) == 41


async def test_a_refusal_that_lasts_too_long_ends_the_patience_of_those_who_wait(product: Product) -> None:
    async with game(product) as played:
        process = played.process(patience=2 * SPAN)
        until = played.instant(2 * SPAN + 1)
        raised = await played.play(
            *(played.ask(number, 0, process) for number in range(21)),
            played.at(30, lambda: process.block(played.key, until)),
        )
    (refused,) = [error for error in raised if error is not None]
    assert isinstance(refused, RateLimited)
    assert refused.retry_at == until


async def test_who_stops_waiting_leaves_its_place_to_others(product: Product) -> None:
    async with game(product) as played:
        process = played.process()
        await played.play(
            *(played.ask(number, number // 20, process) for number in range(40)),
            *(played.call_off(number, 10) for number in range(30, 40)),
            *(played.ask(number, 20, process) for number in range(40, 50)),
        )
    assert [played.sent[number] for number in range(40, 50)] == [SPAN] * 10
    assert len(played.sent) == 40


@settings(max_examples=25, deadline=None)
@given(bursts=BURSTS)
async def test_the_expected_wait_is_what_a_request_then_waits(
    product: Product, bursts: list[tuple[float, int]]
) -> None:
    waited: dict[int, float] = {}
    # No two at the same instant: the other one could be first.
    asked = [at + number / 1000 for number, at in enumerate(instants(bursts))]
    async with game(product) as played:
        process = played.process()

        async def ask(number: int, at: float) -> None:
            await played.sleep(at - played.now)
            waited[number] = await process.expected_wait(played.key, LIMIT)
            await process.acquire(played.key, LIMIT)
            played.sent[number] = played.now

        raised = await played.play(*(ask(number, at) for number, at in enumerate(asked)))
    assert raised == [None] * len(asked)
    for number, at in enumerate(asked):
        assert round(at + waited[number], 3) == played.sent[number]
