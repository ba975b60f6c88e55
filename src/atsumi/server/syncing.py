"""`atsumi sync`: one run, here and now, watched."""

from __future__ import annotations

import asyncio
import contextlib

from rich.console import Console

from atsumi.server.progress import watch
from atsumi.server.runtime import Runtime
from atsumi.store import runs
from atsumi.store.runs import Run
from atsumi.store.tenants import IntegrationRow
from atsumi.sync.run import execute


async def sync_now(runtime: Runtime, integration: IntegrationRow, kind: str, console: Console) -> Run:
    """Request a run and execute it in this process, or watch it where another process was faster.

    An integration that was never read completely gets its full run first, whatever ``kind`` says: before it there is
    nothing that could have changed. Returns the run when it has ended or has to wait for the tool.
    """
    if integration.first_synced_at is None:
        kind = "full"
    run, _ = await runs.request_run(runtime.pool, integration.number, kind)
    claim = await runs.claim_run(runtime.pool, run.id)
    if claim is None:
        return await watch(runtime.pool, run.id, console)
    work = await runtime.work(claim, integration)
    executing = asyncio.create_task(execute(work))
    watching = asyncio.create_task(watch(runtime.pool, run.id, console))
    try:
        # A bug in the run must end the watching too, which would wait for ever.
        await asyncio.wait([executing, watching], return_when=asyncio.FIRST_EXCEPTION)
        await executing
        return await watching
    finally:
        for task in (executing, watching):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(executing, watching, return_exceptions=True)
