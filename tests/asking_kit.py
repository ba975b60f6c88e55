"""Processes of their own that ask a simulated tool over loopback; and time that passes for all of them when told.

Told time makes the proofs of rate limits independent of how fast the machine is: it stands still while any process
has something to do, and jumps to the next instant at which one of them wants to go on. The database's and the
simulator's clock follow it, so a window of the tool lasts as long as the tool says, whatever a test takes.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from asking_worker import Order
from atsumi.connectors.personio.simulator import Simulator
from atsumi.connectors.personio.simulator.server import run_server
from atsumi.server.budgets import Budgets
from harness import MASTER_KEY, Account, Product, connect_values

WORKER = Path(__file__).with_name("asking_worker.py")


async def order(account: Account, what: str, tasks: int, **options: Any) -> Order:
    """What a process is to ask the account's tool for, with the budget and the token that the product would use."""
    context = await account.runtime.context(account.integration)
    assert isinstance(context.limiter, Budgets)
    return Order(
        account.runtime.database_url,
        MASTER_KEY,
        account.number,
        str(account.integration.public_id),
        context.limiter.keys,
        connect_values(account.simulator, account.origin),
        what,
        tasks,
        **options,
    )


class Asker:
    """One process. Both sides speak in lines of JSON."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def hear(self) -> Any:
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), 30)
        assert line, "the process ended before its time; see the errors above"
        return json.loads(line)

    def tell(self, value: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(value).encode() + b"\n")


@asynccontextmanager
async def askers(*orders: Order) -> AsyncIterator[list[Asker]]:
    """Processes that are ready and wait for a first line; killed at the end."""
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            str(WORKER),
            json.dumps(asdict(order)),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for order in orders
    ]
    try:
        made = [Asker(process) for process in processes]
        for one in made:
            assert await one.hear() == "ready"
        yield made
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
            await process.wait()


@asynccontextmanager
async def served_account(product: Product, simulator: Simulator) -> AsyncIterator[Account]:
    """A connected account whose tool is a server on a port of its own, which other processes reach too."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(run_server(simulator, port=0, on_ready=ready.set_result))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.wait, {serving})
        stack.callback(serving.cancel)
        origin = await ready
        addresses = {"api_base_url": origin, "career_base_url": f"{origin}/career/{{company}}"}
        account = await product.connect(simulator, values=addresses)
        account.origin = origin
        yield account


@asynccontextmanager
async def told_clock(pool: asyncpg.Pool) -> AsyncIterator[Callable[[datetime], Awaitable[object]]]:
    """A clock of the database for connections that look for it (:data:`asking_worker.TOLD_TIME`); sets it."""
    await pool.execute(
        """
        CREATE SCHEMA told_time;
        CREATE TABLE told_time.clock AS SELECT now() AS at;
        CREATE FUNCTION told_time.clock_timestamp() RETURNS timestamptz LANGUAGE sql
            AS 'SELECT at FROM told_time.clock';
        """
    )
    try:
        # What budgets hold means nothing in another time, and other accounts of the same credential share them.
        await pool.execute("DELETE FROM rate_bucket; DELETE FROM rate_window")
        yield lambda instant: pool.execute("UPDATE told_time.clock SET at = $1", instant)
    finally:
        await pool.execute("DELETE FROM rate_bucket; DELETE FROM rate_window; DROP SCHEMA told_time CASCADE")


class ToldTime:
    """The clock of a simulator, of a database and of some processes."""

    def __init__(
        self, become: Callable[[datetime], Awaitable[object]], simulator: Simulator, workers: list[Asker]
    ) -> None:
        self._tell_database = become
        self._simulator = simulator
        self._workers = workers
        self._wakes: list[float] = []
        self._start = datetime.now(UTC)
        self._idle_until = 0.0
        self.now = 0.0
        """Seconds since the start."""

    @classmethod
    @asynccontextmanager
    async def begin(cls, pool: asyncpg.Pool, simulator: Simulator, *orders: Order) -> AsyncIterator[ToldTime]:
        """Start the processes that live in this time."""
        try:
            async with told_clock(pool) as become, askers(*orders) as workers:
                made = cls(become, simulator, workers)
                await made._become(0)
                await made._go_on()
                yield made
        finally:
            simulator.clock.follow()

    async def pass_by(self, seconds: float) -> None:
        """Let everybody work for as long."""
        end = self.now + seconds
        while (following := max(self.now, min(self._wakes))) <= end:
            await self._become(following)
            await self._go_on()
        await self._become(end)

    async def stand_idle(self, seconds: float) -> None:
        """Let everybody finish what was begun, and ask for nothing more until then."""
        self._idle_until = self.now + seconds
        await self.pass_by(seconds)

    async def _become(self, now: float) -> None:
        self.now = now
        instant = self._start + timedelta(seconds=now)
        self._simulator.clock.set(instant)
        await self._tell_database(instant)

    async def _go_on(self) -> None:
        """Wake those whose time has come, and wait until all wait again."""
        for worker in self._workers:
            worker.tell([self.now, self._idle_until])
        self._wakes = [await worker.hear() for worker in self._workers]
