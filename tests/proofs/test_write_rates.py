"""Sixty applications against a tool that takes twenty a minute: all are made, none too early, and none in vain.

In told time: it stands still while anybody works, and goes on to the next instant at which somebody is let through, for
the database that keeps the budget and for the tool that guards it.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from action_kit import company_with_open_job
from asking_kit import told_clock
from asking_worker import TOLD_TIME
from atsumi.actions.requests import Deferred, WriteRequest, Written
from atsumi.server import acting
from atsumi.server.acting import desk_for
from atsumi.store import actions as ledger
from atsumi.store import database, tokens, windows
from harness import Account, Product
from writing_kit import CREATE, UPLOAD, person, with_files

APPLICATIONS, CALLERS = 60, 20
PDF = b"%PDF-1.7 nobody's life"
WINDOW_SECONDS = 60
LEAST_SECONDS = 2 * WINDOW_SECONDS
MOST_SECONDS = LEAST_SECONDS + 2 * windows.MARGIN_SECONDS + 1
"""Three windows' worth of applications need two whole windows; ours are a margin longer."""


class ToldTime:
    """Stands still while any of the tasks works, and goes on when all of them sleep."""

    def __init__(self, become: Any, account: Account) -> None:
        self._become = become
        self._account = account
        self._start = datetime.now(UTC)
        self._numbers = count()
        self._sleeping: list[tuple[float, int, asyncio.Future[None]]] = []
        self.now = 0.0

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleeping, (self.now + seconds, next(self._numbers), woken))
        await woken

    def rule(self, patch: pytest.MonkeyPatch) -> None:
        """Let budgets live in this time."""
        loop = SimpleNamespace(time=lambda: self.now)
        for module in (tokens, windows):
            told = SimpleNamespace(sleep=self.sleep, Lock=asyncio.Lock, get_running_loop=lambda: loop)
            patch.setattr(module, "asyncio", told)

    async def run(self, *work: Coroutine[Any, Any, None]) -> None:
        tasks = {asyncio.create_task(one) for one in work}
        while tasks:
            done, tasks = await asyncio.wait(tasks, timeout=0.01, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.result()
            if tasks and len(self._sleeping) >= len(tasks):
                await self.become(self._sleeping[0][0])

    async def become(self, now: float) -> None:
        self.now = now
        instant = self._start + timedelta(seconds=now)
        self._account.simulator.clock.set(instant)
        await self._become(instant)
        while self._sleeping and self._sleeping[0][0] <= now:
            heapq.heappop(self._sleeping)[2].set_result(None)


@pytest.fixture
async def account(product: Product) -> Account:
    """A company that takes twenty a minute, as the real one does."""
    return await product.synced(company_with_open_job(applications=5))


@asynccontextmanager
async def told_time(account: Account, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ToldTime]:
    runtime = account.runtime
    pool = await database.connect(runtime.database_url, size=4, settings={"search_path": TOLD_TIME})
    async with told_clock(account.pool) as become:
        try:
            with monkeypatch.context() as patch:
                told = ToldTime(become, account)
                patch.setattr(runtime, "light_pool", pool)
                told.rule(patch)
                await told.become(0)
                yield told
        finally:
            account.simulator.clock.follow()
            await database.close(pool)


def requests(account: Account) -> list[WriteRequest]:
    return [
        with_files(person(account, f"Nummer{n}", key=f"key {n}"), {"cv.pdf": PDF + str(n).encode()})
        for n in range(APPLICATIONS)
    ]


def assert_all_created(account: Account, wanted: list[WriteRequest], told: ToldTime) -> None:
    for number, request in enumerate(wanted):
        [application] = account.simulator.company.applications_by_email(request.draft.email_address)
        [document] = account.simulator.company.own_documents(application)
        assert document.content == PDF + str(number).encode()
    for path in (CREATE, UPLOAD):
        posts = [one.status for one in account.simulator.log.entries if (one.method, one.path) == ("POST", path)]
        assert len(posts) == APPLICATIONS
        assert not [status for status in posts if status >= 400]
    assert LEAST_SECONDS <= told.now <= MOST_SECONDS


async def read_and_sync(account: Account, told: ToldTime) -> None:
    """What others do meanwhile, who must not wait for writes."""
    for _ in range(2):
        began = told.now
        assert (await account.sync("incremental")).state == "SUCCEEDED"
        assert (await account.get("/ats/applications")).status_code == 200
        assert told.now <= began + WINDOW_SECONDS / 2, "reads waited for a budget of writes"


@pytest.mark.chaos
async def test_callers_are_queued_for_and_nobody_is_refused(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = requests(account)
    waiting = iter(wanted)

    async def caller() -> None:
        for request in waiting:
            found = await (await desk_for(account.runtime, account.number, "kombo")).write(request)
            assert isinstance(found, Written)

    async with told_time(account, monkeypatch) as told:
        await told.run(*(caller() for _ in range(CALLERS)), read_and_sync(account, told))
        assert_all_created(account, wanted, told)


@pytest.mark.chaos
async def test_deferred_writes_take_their_turns(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = requests(account)

    async with told_time(account, monkeypatch) as told:
        for request in wanted:
            desk = await desk_for(account.runtime, account.number, "kombo")
            assert isinstance(await desk.write(replace(request, is_deferred=True)), Deferred)

        async def carry_on() -> None:
            """As the engine does, whose next time is told, too."""
            while True:
                await account.pool.execute(
                    "UPDATE action SET next_at = now() WHERE integration = $1 AND next_at IS NOT NULL", account.number
                )
                due = [id for id, *_ in await ledger.due(account.pool, 100)]
                if not due:
                    return
                await acting._carry_on(account.runtime, due[0], account.number)

        await told.run(*(carry_on() for _ in range(4)), read_and_sync(account, told))
        assert_all_created(account, wanted, told)
