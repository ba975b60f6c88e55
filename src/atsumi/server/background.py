"""Background runs of this process: requested where something is left to do, worked on in slices.

They have slots of their own beside those of other runs, because they mostly wait for a tool's rate limit. A run's row
is its lease, so nothing is queued anywhere: of several processes, whoever claims a run works on it.
"""

from __future__ import annotations

import asyncio
import contextlib
from uuid import UUID

from atsumi.errors import AtsumiError
from atsumi.server.files import backfill, remove_blanked
from atsumi.server.logging import get_logger, log_context
from atsumi.server.runtime import Runtime
from atsumi.store import background, runs, tenants
from atsumi.store.background import BackgroundStream
from atsumi.store.database import UNREACHABLE
from atsumi.sync.background import background_streams
from atsumi.sync.run import execute

_LOOK_SECONDS = 1.0
_REQUEST_SECONDS = 5.0
"""How often the integrations are looked through for something to do; a run that waits is found every second."""
_FILE_SECONDS = 60.0
"""How often files are looked after."""

_log = get_logger("atsumi.background")


async def run_background(runtime: Runtime, stop: asyncio.Event) -> None:
    """Work until ``stop`` is set. Any number of processes may do so on one database."""
    slices: dict[UUID, asyncio.Task[None]] = {}
    look_through_at = file_at = 0.0
    filing = asyncio.create_task(asyncio.sleep(0))
    try:
        while not stop.is_set():
            now = asyncio.get_running_loop().time()
            try:
                if now >= look_through_at:
                    look_through_at = now + _REQUEST_SECONDS
                    await request_due(runtime)
                free = runtime.settings.background_concurrency - len(slices)
                for run_id in await background.due(runtime.pool, free, leave_out=slices) if free > 0 else ():
                    slices[run_id] = asyncio.create_task(_slice(runtime, run_id))
            except UNREACHABLE as error:
                _log.warning("background.database", reason=type(error).__name__)
            if filing.done() and now >= file_at:
                file_at, filing = now + _FILE_SECONDS, asyncio.create_task(_files(runtime))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _LOOK_SECONDS)
            for run_id in [run_id for run_id, task in slices.items() if task.done()]:
                del slices[run_id]
    finally:
        tasks = [*slices.values(), filing]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _files(runtime: Runtime) -> None:
    """Delete files that may be kept no longer, and fetch missing ones where they are kept."""
    try:
        await remove_blanked(runtime)
        while runtime.settings.file_backfill and await backfill(runtime):
            pass
    except (AtsumiError, *UNREACHABLE) as error:
        _log.warning("files.failed", reason=str(error) or type(error).__name__)


async def request_due(runtime: Runtime) -> int:
    """Request a run for every integration that may have something to do in the background; returns how many."""
    count = 0
    for tool, connector in runtime.connectors.items():
        streams = [
            BackgroundStream(one.name, one.is_background, one.refresh_seconds is not None)
            for one in background_streams(connector)
        ]
        count += await background.request_due(runtime.pool, tool, streams) if streams else 0
    return count


async def _slice(runtime: Runtime, run_id: UUID) -> None:
    try:
        claim = await runs.claim_run(runtime.pool, run_id)
        if claim is None:
            return
        integration = await tenants.integration_by_number(runtime.pool, claim.owner.integration)
        if integration is None:
            return
        with log_context(integration=integration.id, run=str(run_id)):
            state = await execute(await runtime.work(claim, integration))
            _log.info("background.slice", state=state)
    except (AtsumiError, *UNREACHABLE) as error:
        # The lease runs out and the run is taken up again, until its attempts are used up.
        _log.warning("background.failed", run=str(run_id), reason=str(error) or type(error).__name__)
    except Exception:
        # A fault of ours in one run must not end the others'; its attempts are counted.
        _log.exception("background.bug", run=str(run_id))
