"""`atsumi sync`: one run, here and now, watched."""

from __future__ import annotations

import asyncio
from uuid import UUID

from rich.console import Console

from atsumi.errors import Conflict
from atsumi.server.progress import watch_while
from atsumi.server.remapping import execute_run
from atsumi.server.runtime import Runtime
from atsumi.store import runs
from atsumi.store.runs import Run
from atsumi.store.tenants import IntegrationRow

_POLL_SECONDS = 0.5


async def sync_now(runtime: Runtime, integration: IntegrationRow, kind: str, console: Console) -> Run:
    """Request a run and execute it in this process, or watch it where another process was faster.

    A run that was begun and then left (it waits for the tool, or its worker died) is continued first; it is the one
    asked for, too, if it reads as much. An integration without a complete full run gets one, whatever was asked for:
    its lists stay closed until then.
    Returns the run when it has ended or has to wait for the tool. Raises :class:`Conflict` for an integration that is
    switched off or waits for new credentials.
    """
    if integration.state != "ACTIVE":
        raise Conflict(f"{integration.id} is {integration.state.lower()}: {integration.state_reason or 'switched off'}")
    if integration.first_synced_at is None:
        kind = "full"
    stopped = await runs.stopped_run(runtime.pool, integration.number)
    if stopped is not None:
        continued = await _work_on(runtime, integration, stopped, console)
        if continued.ended_at is None or continued.kind in (kind, "full"):
            return continued
    run, _ = await runs.request_run(runtime.pool, integration.number, kind)
    return await _work_on(runtime, integration, run.id, console)


async def _work_on(runtime: Runtime, integration: IntegrationRow, run_id: UUID, console: Console) -> Run:
    return await watch_while(_execute(runtime, integration, run_id), runtime.pool, run_id, console)


async def _execute(runtime: Runtime, integration: IntegrationRow, run_id: UUID) -> None:
    """Claim the run as soon as nobody else works on the integration, and execute it; or see another one end it."""
    while (claim := await runs.claim_run(runtime.pool, run_id)) is None:
        found = await runs.find_run(runtime.pool, run_id)
        if found is None or found.ended_at is not None:
            return
        await asyncio.sleep(_POLL_SECONDS)
    await execute_run(runtime, claim, integration)
