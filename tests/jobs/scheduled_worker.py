"""A worker process of the schedule's chaos test: the product's own worker over a tool that is one slow, empty listing.

Arguments: the database's address, a data folder, and the instant at which the virtual clock begins, which runs sixty
times as fast as the machine's and is the same in all processes. It runs until it is killed.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from atsumi.connector.context import Context
from atsumi.connector.contract import Page, StreamRequest
from atsumi.jobs.pgqueuer_engine import PgQueuerEngine
from atsumi.server.logging import configure_logging
from atsumi.server.runtime import run_time
from atsumi.server.worker import run_worker
from atsumi.store import queue, runs
from atsumi.testing.doubles import STANDIN, standin
from harness import product_settings

SPEED = 60
LEASE_SECONDS = 2.0


class Listing:
    name = "things"

    async def pages(self, context: Context, request: StreamRequest) -> AsyncIterator[Page]:
        await asyncio.sleep(0.1)
        yield Page(())


async def main(database_url: str, folder: Path, begin: float) -> None:
    configure_logging("error", "console")
    start = datetime.fromisoformat("2031-03-01T06:00:00+00:00")
    runs.LEASE = queue.LEASE = timedelta(seconds=LEASE_SECONDS)
    async with run_time(product_settings(database_url, folder)) as runtime:
        engine = PgQueuerEngine(database_url, runtime.pool, lease_seconds=LEASE_SECONDS, concurrency=4)
        working = replace(
            runtime,
            engine=engine,
            connectors={STANDIN: standin(Listing())},
            projections=(),
            clock=lambda: start + timedelta(seconds=(time.time() - begin) * SPEED),
        )
        await run_worker(working, asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])))
