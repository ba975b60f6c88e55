"""`atsumi remap`, and the one place that knows how each kind of run is executed."""

from __future__ import annotations

import asyncio
from uuid import UUID

from rich.console import Console

from atsumi.errors import Conflict
from atsumi.server.logging import get_logger
from atsumi.server.progress import watch_while
from atsumi.server.runtime import Runtime
from atsumi.store import runs
from atsumi.store.runs import Claim, Run
from atsumi.store.tenants import IntegrationRow
from atsumi.sync.remap import Remap, execute_remap
from atsumi.sync.run import execute

_POLL_SECONDS = 0.5


async def execute_run(
    runtime: Runtime,
    claim: Claim,
    integration: IntegrationRow,
    *,
    accepts_losses: bool = False,
) -> str:
    """Execute a claimed run of whatever kind and return its state afterwards. The option is a remap's.

    A remap needs no credentials and never speaks to the tool.
    Raises :class:`~atsumi.errors.ConfigurationError` when the run cannot be executed in this installation.
    """
    if claim.run.kind != "remap":
        return await execute(await runtime.work(claim, integration))
    await runtime.note_rendered(integration)
    return await execute_remap(
        Remap(
            pool=runtime.pool,
            claim=claim,
            target=await runtime.target(integration),
            log=get_logger("atsumi.remap"),
            accepts_losses=accepts_losses,
            clock=runtime.clock,
        )
    )


async def remap_now(
    runtime: Runtime, integration: IntegrationRow, console: Console, *, only_documents: bool, accepts_losses: bool
) -> Run:
    """Request a remap and execute it in this process, or watch it where another process was faster.

    A remap that was begun and then left is continued, with what it was begun to do. Returns the run when it has
    ended. Raises :class:`Conflict` when a sync of the integration was begun and left: it comes first, and it may
    need the tool.
    """
    begun = await runs.latest_runs(runtime.pool, integration.number)
    run = next((one for one in begun if one.state == "RUNNING" and one.kind == "remap"), None)
    if run is None:
        run, _ = await runs.request_run(runtime.pool, integration.number, "remap", only_documents=only_documents)
    executing = _execute(runtime, integration, run.id, accepts_losses=accepts_losses)
    return await watch_while(executing, runtime.pool, run.id, console)


async def _execute(runtime: Runtime, integration: IntegrationRow, run_id: UUID, *, accepts_losses: bool) -> None:
    while (claim := await runs.claim_run(runtime.pool, run_id)) is None:
        found = await runs.find_run(runtime.pool, run_id)
        if found is None or found.ended_at is not None:
            return
        left = [one for one in await runs.latest_runs(runtime.pool, integration.number) if _is_left(one)]
        if left and left[0].id != run_id:
            raise Conflict(
                f"{integration.id}: a {left[0].kind} sync was begun and is not finished. The remap is requested and "
                "begins by itself after it while `atsumi serve` runs; `atsumi sync` continues the sync at once."
            )
        await asyncio.sleep(_POLL_SECONDS)
    await execute_run(runtime, claim, integration, accepts_losses=accepts_losses)


def _is_left(run: Run) -> bool:
    """Whether the run was begun and its worker gave it back; a dead one's lease has to run out first."""
    return run.state == "RUNNING" and (run.heartbeat_at is None or run.message is not None)


def explain_remap(run: Run) -> str:
    """One sentence on how a remap ended."""
    match run.state:
        case "SUCCEEDED":
            return "Everything stored is as today's mapping computes it."
        case "PARTIALLY_FAILED":
            return f"Computed anew, except:\n{run.message}"
        case "CANCELLED" | "FAILED":
            return f"{run.message}\nWhat was computed before is stored."
        case _:
            return run.message or "The run waits for a worker."
