"""One sync run in a process of its own: it tells what it took.

`python -m benchmarks.syncer DATA_DIR INTEGRATION KIND DIALECTS` runs the same code as `atsumi sync` without its
display, so that memory and CPU are those of the sync.
"""

from __future__ import annotations

import asyncio
import cProfile
import json
import os
import sys
import time
from pathlib import Path

from atsumi.server.runtime import run_time
from atsumi.server.settings import Settings
from atsumi.store import runs, tenants
from atsumi.sync.page import PageResult
from atsumi.sync.run import execute
from benchmarks.processes import peak_megabytes, resident_megabytes
from benchmarks.stage import settings


async def sync(configured: Settings, number: int, kind: str) -> dict[str, object]:
    """Execute the waiting run of that kind, or a new one."""
    async with run_time(configured) as runtime:
        integration = await tenants.integration_by_number(runtime.pool, number)
        assert integration is not None
        run, _ = await runs.request_run(runtime.pool, number, kind)
        claim = await runs.claim_run(runtime.pool, run.id)
        assert claim is not None
        ended: dict[str, float] = {}

        def observe(stream: str, _: PageResult) -> None:
            ended[stream] = time.perf_counter()

        work = await runtime.work(claim, integration, observe)
        resident = resident_megabytes()
        cpu, started = time.process_time(), time.perf_counter()
        state = await execute(work)
        seconds = time.perf_counter() - started
        cpu = time.process_time() - cpu
        progress = await runs.progress(runtime.pool, run.id)
        return {
            "state": state,
            "seconds": seconds,
            "stream_seconds": _durations(started, ended),
            "cpu_seconds": cpu,
            "records": {one.stream: one.records_seen for one in progress},
            "changed": {one.stream: one.records_changed for one in progress},
            "resident_before_mb": resident,
            "peak_mb": peak_megabytes(),
        }


def _durations(started: float, ended: dict[str, float]) -> dict[str, float]:
    """From the last page of the stream before to the last page of the stream itself."""
    found = {}
    for stream, at in ended.items():
        found[stream] = at - started
        started = at
    return found


def main() -> None:
    """Run and write one JSON line. With ``BENCH_PROFILE`` in the environment, cProfile writes to that file."""
    configured, number, kind = settings(Path(sys.argv[1]), sys.argv[4].split(",")), int(sys.argv[2]), sys.argv[3]
    target = os.environ.get("BENCH_PROFILE")
    profile = cProfile.Profile() if target else None
    if profile is not None:
        profile.enable()
    result = asyncio.run(sync(configured, number, kind))
    if profile is not None and target:
        profile.disable()
        profile.dump_stats(target)
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
