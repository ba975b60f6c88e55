"""The contract for every change of the engine: kill workers and PostgreSQL, wake a zombie, lose and double nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from atsumi.jobs.pgqueuer_engine import PgQueuerEngine
from atsumi.store import database
from atsumi.store.embedded import EmbeddedPostgres
from harness import DEADLINE_SECONDS

WORKER = Path(__file__).with_name("chaos_worker.py")
PROGRAM = runpy.run_path(str(WORKER), run_name="chaos_worker")
RUNS = 30
LEASE_SECONDS = 2.0
COMMITS = RUNS * PROGRAM["STREAMS"] * PROGRAM["PAGES"]


class Fleet:
    """Worker processes, each with a name of its own."""

    def __init__(self, dsn: str, log: Path) -> None:
        self._dsn = dsn
        self._log = log
        self.workers: dict[str, subprocess.Popen[bytes]] = {}

    def add(self, fetch_seconds: float = 0.06) -> str:
        name = f"worker-{len(self.workers)}"
        with self._log.open("ab") as log:
            self.workers[name] = subprocess.Popen(
                [sys.executable, WORKER, self._dsn, name, str(LEASE_SECONDS), str(fetch_seconds)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return name

    def kill(self, name: str) -> None:
        self.workers[name].kill()
        self.workers[name].wait()

    def signal(self, name: str, number: int) -> None:
        self.workers[name].send_signal(number)

    def stop(self) -> list[int]:
        """Ask the living to stop and return their exit codes."""
        living = [process for process in self.workers.values() if process.poll() is None]
        for process in living:
            process.terminate()
        return [process.wait(timeout=DEADLINE_SECONDS) for process in living]


@pytest.fixture
async def server(data_folder: Path) -> AsyncIterator[EmbeddedPostgres]:
    # fsync guards against the machine's crash; a killed process loses nothing that it wrote.
    async with EmbeddedPostgres(data_folder, settings={"fsync": "off"}) as server:
        yield server


@pytest.fixture
def fleet(server: EmbeddedPostgres, tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet(server.dsn, tmp_path / "workers.log")
    yield fleet
    for name in fleet.workers:
        fleet.kill(name)


class Observer:
    """Asks the database, however often it goes away."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    async def rows(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        while True:
            try:
                connection = await asyncpg.connect(self._dsn, timeout=5)
                try:
                    return await connection.fetch(sql, *arguments)
                finally:
                    await connection.close()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
                await asyncio.sleep(0.1)

    async def value(self, sql: str, *arguments: object) -> Any:
        return (await self.rows(sql, *arguments))[0][0]

    async def until(self, sql: str, enough: Callable[[Any], bool]) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DEADLINE_SECONDS):
                while not enough(await self.value(sql)):
                    await asyncio.sleep(0.05)
                return True
        return False


@pytest.mark.chaos
async def test_kills_of_workers_and_database_and_a_zombie_lose_and_double_nothing(
    server: EmbeddedPostgres, fleet: Fleet, data_folder: Path, tmp_path: Path
) -> None:
    pool = await database.connect(server.dsn, size=2)
    await PgQueuerEngine(server.dsn, pool).install()
    await pool.execute(PROGRAM["SCHEMA"])
    await pool.execute("INSERT INTO run (id) SELECT generate_series(1, $1)", RUNS)
    await database.close(pool)
    observer = Observer(server.dsn)
    committed = "SELECT count(*) FROM effect WHERE kind = 'committed'"

    async def after(share: float) -> None:
        enough = await observer.until(committed, lambda count: count >= share * COMMITS)
        assert enough, (tmp_path / "workers.log").read_text()[-4000:]

    # Its slow tool makes it all but certain that the zombie is paused between taking a page and writing it.
    zombie, first, second = fleet.add(fetch_seconds=0.5), fleet.add(), fleet.add()
    await after(0.08)
    fleet.kill(first)
    third = fleet.add()

    await after(0.15)
    held = "SELECT count(*) FROM run WHERE state = 'due' AND owner = 'worker-0'"
    assert await observer.until(held, lambda count: count > 0)
    fleet.signal(zombie, signal.SIGSTOP)
    taken_over = await observer.until(held, lambda count: count == 0)
    # It wakes, believes that it still holds what others have taken over, and writes.
    fleet.signal(zombie, signal.SIGCONT)
    assert taken_over, (tmp_path / "workers.log").read_text()[-4000:]
    refused = "SELECT count(*) FROM effect WHERE kind = 'refused' AND worker = 'worker-0'"
    assert await observer.until(refused, lambda count: count > 0)

    fleet.kill(zombie)
    fleet.add()

    await after(0.55)
    os.kill(int((data_folder / "postgres/data/postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    await after(0.65)
    fleet.kill(second)
    fleet.add()
    await after(0.8)
    fleet.kill(third)
    fleet.add()

    delivered = "SELECT count(*) FROM delivery WHERE state = 'delivered'"
    finished = await observer.until(delivered, lambda count: count == RUNS)
    assert finished, (tmp_path / "workers.log").read_text()[-4000:]
    # The newest may still be importing, where SIGTERM simply ends it.
    assert set(fleet.stop()) <= {0, -signal.SIGTERM}

    assert await observer.value("SELECT count(*) FROM run WHERE state = 'done'") == RUNS
    assert await observer.value("SELECT count(*) FROM record") == COMMITS * PROGRAM["PAGE_RECORDS"]
    assert await observer.value("SELECT max(writes) FROM record") == 1
    effects = {row["kind"]: row["count"] for row in await observer.rows("SELECT kind, count(*) FROM effect GROUP BY 1")}
    print(effects)
    assert effects["committed"] == COMMITS
    # Each kill repeats at most what was under way: two jobs per worker, every worker's when the database dies.
    assert COMMITS <= effects["fetched"] <= COMMITS * 1.1
    assert await observer.value("SELECT count(DISTINCT run_id) FROM effect WHERE kind = 'accepted'") == RUNS
    assert RUNS <= effects["accepted"] <= RUNS + 5
