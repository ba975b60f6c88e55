"""A process that asks a simulated tool with the product's own client: see :mod:`asking_kit`.

Argument: one JSON object with the fields of :class:`Order`. It says ``"ready"`` and waits for a line. In real time each
task then asks once, and the process says ``"done"``. In told time tasks ask until the process is killed, over a network
that takes its time; each line is the time it is and the time before which nobody may ask again, and each answer the
next time at which a task wants to go on.

Imports only what asking takes, so that it starts fast.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import logging
import random
import sys
from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from math import ceil
from types import SimpleNamespace
from typing import Any

import asyncpg
import httpx2

from atsumi.connector.context import Context
from atsumi.connector.http import Http, make_client
from atsumi.connectors.personio import v1
from atsumi.connectors.personio.auth import Authorization
from atsumi.connectors.personio.client import PersonioClient
from atsumi.server.budgets import Budgets
from atsumi.store import tokens, windows
from atsumi.store.tokens import SharedBuckets, SharedTokens
from atsumi.store.vault import Vault
from atsumi.store.windows import SharedWindows

TOLD_TIME = "told_time, pg_catalog, public"
"""A search path by which the database's clock is the told one."""
GRID_SECONDS = 0.005
"""Told instants are multiples of this."""
LATENCY_SECONDS = 0.06
"""A request takes up to this long to arrive; so they arrive in another order than they were sent in."""
PATIENCE_SECONDS = 60.0
WRITING_PATIENCE_SECONDS = 600.0
_SETTLED = 6
"""Turns of the loop after which nothing that was ready is left."""


@dataclass(frozen=True)
class Order:
    """What one process asks for: ``tasks`` at a time, each once or, in told time, without an end.

    ``owner`` is the integration's public id, ``budgets`` are the keys of the tool's budgets, ``values`` is the connect
    form. ``what`` is ``moves`` of ``application``, a page of ``persons``, an access ``token``, the ``categories`` or
    ``writes``: a new application for ``job`` each time.
    """

    url: str
    master_key: str
    number: int
    owner: str
    budgets: Mapping[str, str]
    values: Mapping[str, str]
    what: str
    tasks: int
    application: str = ""
    job: str = ""
    spared: float = 0
    seed: int = 0
    is_told_time: bool = False


class ToldTime:
    """Sleeps end when the test says so. Tells the test whenever all ``tasks`` sleep or wait for one that does."""

    def __init__(self, tasks: int) -> None:
        self._tasks = tasks
        self._sleeping: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = count()
        self._has_told = True
        self.queued = 0
        """Tasks that stand behind another one for a lock."""
        self.now = self.idle_until = 0.0

    async def sleep(self, seconds: float) -> None:
        wakes_at = ceil((self.now + seconds) / GRID_SECONDS) * GRID_SECONDS
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleeping, (wakes_at, next(self._numbers), woken))
        self._settle()
        await woken

    def become(self, now: float, idle_until: float) -> None:
        self.now, self.idle_until, self._has_told = now, idle_until, False
        while self._sleeping and self._sleeping[0][0] <= now + GRID_SECONDS / 2:
            heapq.heappop(self._sleeping)[2].set_result(None)
        self._settle()

    def _settle(self, turns: int = _SETTLED) -> None:
        if turns:
            asyncio.get_running_loop().call_soon(self._settle, turns - 1)
        elif not self._has_told and len(self._sleeping) + self.queued == self._tasks:
            self._has_told = True
            say(self._sleeping[0][0])

    def lock(self) -> asyncio.Lock:
        told = self

        class Lock(asyncio.Lock):
            async def acquire(self) -> Any:
                told.queued += 1
                told._settle()
                try:
                    return await super().acquire()
                finally:
                    told.queued -= 1

        return Lock()

    def rule(self, module: Any) -> None:
        """Let a module of the product live in this time."""
        module.asyncio = SimpleNamespace(
            sleep=self.sleep, Lock=self.lock, get_running_loop=lambda: SimpleNamespace(time=lambda: self.now)
        )


class SlowNetwork(httpx2.AsyncHTTPTransport):
    def __init__(self, told: ToldTime, chance: random.Random) -> None:
        super().__init__()
        self._told = told
        self._chance = chance

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await self._told.sleep(self._chance.random() * LATENCY_SECONDS)
        return await super().handle_async_request(request)


def say(value: Any) -> None:
    print(json.dumps(value), flush=True)


async def main(order: Order) -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with AsyncExitStack() as stack:
        told = ToldTime(order.tasks)
        if order.is_told_time:
            told.rule(tokens)
            told.rule(windows)
        transport = SlowNetwork(told, random.Random(order.seed)) if order.is_told_time else None  # noqa: S311 -- a game, not a secret
        http = await stack.enter_async_context(make_client(transport))
        search_path = {"search_path": TOLD_TIME} if order.is_told_time else {}
        pool = await stack.enter_async_context(
            asyncpg.create_pool(order.url, min_size=1, max_size=4, server_settings=search_path)
        )
        context = Context(
            http=Http(http, "personio", now=_now),
            credentials=order.values,
            config=order.values,
            tokens=SharedTokens(
                pool, Vault([b64decode(order.master_key)]), integration=order.number, owner=order.owner
            ),
            limiter=Budgets(
                order.budgets,
                SharedBuckets(pool, tool="personio", patience_seconds=PATIENCE_SECONDS, spared_fraction=order.spared),
                SharedWindows(pool, tool="personio", patience_seconds=WRITING_PATIENCE_SECONDS),
            ),
            now=_now,
            log=logging.getLogger("asking"),
        )
        ask = _asking(order, context)
        say("ready")
        first = json.loads(await lines.readline())
        if not order.is_told_time:
            await asyncio.gather(*(ask() for _ in range(order.tasks)))
            say("done")
            return
        told.become(*first)

        async def go_on() -> None:
            while True:
                await ask()
                if told.now < told.idle_until:
                    await told.sleep(told.idle_until - told.now)

        async def listen() -> None:
            while line := await lines.readline():
                told.become(*json.loads(line))

        # Whatever one of them raises ends the process, and the test with it.
        await asyncio.gather(listen(), *(go_on() for _ in range(order.tasks)))


def _asking(order: Order, context: Context) -> Callable[[], Awaitable[object]]:
    client = PersonioClient(context)
    match order.what:
        case "moves":
            return lambda: client.stage_transitions(order.application)
        case "persons":
            return client.check_persons
        case "token":
            return Authorization(context).granted_scopes
        case "categories":
            return client.categories
        case "writes":
            numbers = count()
            return lambda: _create(context, order, f"{order.seed}-{next(numbers)}@applicant.example")
    raise AssertionError(f"nobody asks for {order.what}")


async def _create(context: Context, order: Order, email: str) -> None:
    async def notice() -> None:
        pass

    body = {"first_name": "A", "last_name": "B", "email": email, "job_position_id": int(order.job)}
    await v1.create(context, body, notice, lambda field: field)


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    asyncio.run(main(Order(**json.loads(sys.argv[1]))))
