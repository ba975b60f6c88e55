"""`python -m benchmarks.scheduler`: many integrations on a short increment in one process, on the embedded PostgreSQL.

Measures how late runs start against the instant at which they were due, and what the process and its database cost,
first while every integration waits for later (idle), then under load. The tool is a stand-in in the same process: one
listing, asked through the toolkit's guarded way out over a transport that answers at once, with nothing new. So the
figures are those of schedules, queue and run, not those of a tool or of records.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import quantiles

import asyncpg
import httpx2

from atsumi.connector.context import Context, RateLimit
from atsumi.connector.contract import Page, StreamRequest
from atsumi.connector.http import make_client
from atsumi.server.logging import configure_logging
from atsumi.server.runtime import Runtime, run_time
from atsumi.server.settings import Settings
from atsumi.server.worker import run_worker
from atsumi.store import schedules, tenants
from atsumi.testing.doubles import STANDIN, standin
from benchmarks.processes import cpu_seconds

INTERVAL = timedelta(minutes=1)
_LIMIT = RateLimit(1000, 1000)


@dataclass(frozen=True, slots=True)
class Listing:
    """One listing that never has anything new, one request per read."""

    name: str = "things"

    async def pages(self, context: Context, request: StreamRequest) -> AsyncIterator[Page]:
        answer = await context.http.request(
            "list things", "GET", "http://standin.test/things", bucket="all", limit=_LIMIT, limiter=context.limiter
        )
        answer.json()
        yield Page(())


async def prepare(runtime: Runtime, count: int, environments: int) -> None:
    """Connected integrations whose first sync is done and whose increments are spread over the coming interval."""
    owners = [await tenants.ensure_environment(runtime.pool, f"tenant {number}") for number in range(environments)]
    for first in range(0, count, 50):
        await asyncio.gather(
            *(
                tenants.create_integration(
                    runtime.pool,
                    runtime.vault,
                    environment_id=owners[number % environments].id,
                    tool=STANDIN,
                    organization_name=f"Customer {number}",
                    credentials={},
                    config={},
                    incremental_interval=INTERVAL,
                )
                for number in range(first, min(first + 50, count))
            )
        )
    await runtime.pool.execute("DELETE FROM sync_run")
    await runtime.pool.execute(
        "UPDATE integration SET first_synced_at = now(), next_full_at = now() + interval '1 day'"
    )
    # What the set-up left behind must not be swept up while the idle cost is measured.
    await runtime.pool.execute("VACUUM ANALYZE")


async def start_increments(pool: asyncpg.Pool) -> None:
    """Let every integration fall due once within the coming interval."""
    now = datetime.now(UTC)
    rows = await pool.fetch("SELECT number FROM integration")
    await pool.executemany(
        "UPDATE integration SET next_incremental_at = $2 WHERE number = $1",
        [
            (row["number"], now + INTERVAL * schedules.share(row["number"], "incremental", now) + timedelta(seconds=2))
            for row in rows
        ],
    )


async def lags(pool: asyncpg.Pool, since: datetime) -> list[float]:
    """Seconds from the due instant to the start, of every scheduled run that followed another one and began since."""
    rows = await pool.fetch("SELECT integration, started_at, ended_at FROM sync_run ORDER BY integration, started_at")
    found = []
    for before, row in pairwise(rows):
        if row["integration"] != before["integration"] or row["started_at"] is None or row["started_at"] < since:
            continue
        due = schedules.after_run(row["integration"], "incremental", INTERVAL, before["started_at"], before["ended_at"])
        found.append((row["started_at"] - due).total_seconds())
    return found


def _postmaster(folder: Path) -> int:
    [found] = folder.rglob("postmaster.pid")
    return int(found.read_text(encoding="utf-8").split()[0])


@dataclass
class Meter:
    """Shares of one core that this process and its database use between two readings."""

    postgres: int

    def read(self) -> tuple[float, float, float]:
        own = os.times()
        return asyncio.get_running_loop().time(), own.user + own.system, cpu_seconds(self.postgres)

    def shares(self, start: tuple[float, float, float]) -> tuple[float, float]:
        now = self.read()
        return (now[1] - start[1]) / (now[0] - start[0]), (now[2] - start[2]) / (now[0] - start[0])


async def measure(count: int, environments: int, seconds: float, concurrency: int) -> None:
    """Print idle cost, lag and cost under load."""
    with tempfile.TemporaryDirectory(prefix="atsumi-scheduler-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        settings = Settings(data_dir=folder, worker_concurrency=concurrency, log_level="warning")
        async with run_time(settings) as runtime:
            runtime = replace(
                runtime,
                connectors={STANDIN: standin(Listing())},
                projections=(),
                http=make_client(httpx2.MockTransport(lambda request: httpx2.Response(200, json=[]))),
            )
            await prepare(runtime, count, environments)
            await runtime.pool.execute("UPDATE integration SET next_incremental_at = now() + interval '1 day'")
            meter, stop = Meter(_postmaster(folder)), asyncio.Event()
            working = asyncio.create_task(run_worker(runtime, stop))
            await asyncio.sleep(5)
            start = meter.read()
            await asyncio.sleep(20)
            own, database = meter.shares(start)
            print(f"idle, {count:,} integrations: process {own:.2%}, PostgreSQL {database:.2%} of a core")
            await start_increments(runtime.pool)
            await asyncio.sleep(INTERVAL.total_seconds() + 5)
            begin, start = datetime.now(UTC), meter.read()
            await asyncio.sleep(seconds)
            own, database = meter.shares(start)
            found = sorted(await lags(runtime.pool, begin))
            states = await runtime.pool.fetch("SELECT state, count(*) FROM sync_run GROUP BY 1 ORDER BY 1")
            stop.set()
            await working
    if len(found) < 100:
        print(f"only {len(found)} runs were measured: too few to say anything")
        return
    cuts = quantiles(found, n=100)
    due = count / INTERVAL.total_seconds()
    print(
        f"{len(found):,} runs in {seconds:.0f} s ({len(found) / seconds:.1f}/s, {due:.1f}/s due), "
        f"{concurrency} slots, {environments} environments"
    )
    print(f"lag: median {cuts[49]:.2f} s, p90 {cuts[89]:.2f} s, p99 {cuts[98]:.2f} s, worst {found[-1]:.2f} s")
    print(f"cost: process {own:.0%}, PostgreSQL {database:.0%} of a core")
    print("runs by state: " + ", ".join(f"{row['state'].lower()} {row['count']:,}" for row in states))


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scheduler", description=__doc__.split("\n\n")[0])
    parser.add_argument("--integrations", type=int, default=2000)
    parser.add_argument("--environments", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=120.0, help="how long to measure under load")
    parser.add_argument("--concurrency", type=int, default=4, help="worker slots; 4 is the product's default")
    given = parser.parse_args()
    configure_logging("warning", "console")
    asyncio.run(measure(given.integrations, given.environments, given.seconds, given.concurrency))


if __name__ == "__main__":
    main()
