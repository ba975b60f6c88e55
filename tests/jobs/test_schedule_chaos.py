"""Schedules go on whatever dies: two processes share the work, and each is killed in turn, as is PostgreSQL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import asyncpg
import pytest

from atsumi.server.runtime import run_time
from atsumi.store.embedded import EmbeddedPostgres
from harness import product_settings, until
from schedule_kit import MINUTE, Timeline

WORKER = str(Path(__file__).with_name("scheduled_worker.py"))
INTEGRATIONS = 12
UNREACHABLE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
START = datetime.fromisoformat("2031-03-01T06:00:00+00:00")


class Fleet:
    def __init__(self, database_url: str, folder: Path) -> None:
        self._arguments = [database_url, str(folder), str(time.time())]
        self._log = (folder / "workers.log").open("ab")
        self.workers: list[subprocess.Popen[bytes]] = []

    def add(self) -> subprocess.Popen[bytes]:
        environment = os.environ | {"PYTHONPATH": str(Path(WORKER).parents[1])}
        worker = subprocess.Popen(
            [sys.executable, WORKER, *self._arguments], env=environment, stdout=self._log, stderr=self._log
        )
        self.workers.append(worker)
        return worker

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        worker.kill()
        worker.wait()

    def close(self) -> None:
        for worker in self.workers:
            self.kill(worker)
        self._log.close()


@pytest.fixture
def fleets() -> Iterator[list[Fleet]]:
    made: list[Fleet] = []
    yield made
    for fleet in made:
        fleet.close()


@pytest.mark.chaos
async def test_killed_workers_and_a_killed_database_lose_no_run_and_double_none(
    data_folder: Path, tmp_path: Path, fleets: list[Fleet]
) -> None:
    # fsync guards against the machine's crash; a killed process loses nothing that it wrote.
    async with (
        EmbeddedPostgres(data_folder, settings={"fsync": "off"}) as server,
        run_time(product_settings(server.dsn, tmp_path)) as runtime,
    ):
        timeline = Timeline(runtime, START)
        await timeline.connect(INTEGRATIONS, incremental_interval=2 * MINUTE)
        await runtime.pool.execute("UPDATE integration SET tool = 'standin'")
        fleet = Fleet(server.dsn, tmp_path)
        fleets.append(fleet)
        first, second = fleet.add(), fleet.add()

        await until(lambda: _each_has(runtime.pool, 1), "a run each")
        # The supervisor starts it again; until then nobody can claim, renew or end anything.
        postmaster = (data_folder / "postgres/data/postmaster.pid").read_text().split()[0]
        os.kill(int(postmaster), signal.SIGKILL)
        await until(lambda: _each_has(runtime.pool, 2), "two runs each")
        fleet.kill(first)
        third = fleet.add()
        await until(lambda: _each_has(runtime.pool, 3), "three runs each")
        fleet.kill(second)
        fleet.kill(third)
        before = await runtime.pool.fetchval("SELECT count(*) FROM sync_run")
        fleet.add()
        await until(lambda: _each_has(runtime.pool, 4), "four runs each")
        fleet.kill(fleet.workers[-1])

        assert postmaster != (data_folder / "postgres/data/postmaster.pid").read_text().split()[0]
        found = await runtime.pool.fetch(
            """
            SELECT integration, kind, state, attempts, requested_at, started_at, ended_at FROM sync_run
            ORDER BY integration, requested_at
            """
        )
        assert len(found) > before
        assert {run["state"] for run in found} <= {"SUCCEEDED", "QUEUED", "RUNNING"}
        assert max(run["attempts"] for run in found) <= 4
        for earlier, later in pairwise(found):
            if earlier["integration"] == later["integration"]:
                assert earlier["ended_at"] is not None
                assert later["requested_at"] >= earlier["ended_at"], "one run of the schedule at a time"


async def _each_has(pool: asyncpg.Pool, count: int) -> bool:
    try:
        rows = await pool.fetch("SELECT count(*) AS runs FROM sync_run WHERE state = 'SUCCEEDED' GROUP BY integration")
    except UNREACHABLE:
        return False
    return len(rows) == INTEGRATIONS and min(row["runs"] for row in rows) >= count
