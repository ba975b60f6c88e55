"""The part of the process that works: it ticks, takes jobs and executes sync runs."""

from __future__ import annotations

import asyncio
from uuid import UUID

import msgspec

from atsumi.errors import ConfigurationError
from atsumi.jobs.port import Handler, Job
from atsumi.jobs.tick import Ticker
from atsumi.server.logging import get_logger, log_context
from atsumi.server.runtime import Runtime
from atsumi.store import runs, tenants
from atsumi.sync.run import execute

_SYNC = "sync"
_DUE_AT_ONCE = 100
"""Runs handed to the queue per tick: it stays short, so that what becomes due later is not stuck behind a backlog."""

_log = get_logger("atsumi.worker")


async def run_worker(runtime: Runtime, stop: asyncio.Event) -> None:
    """Work until ``stop`` is set. Any number of processes may do so on one database."""
    ticker = Ticker(runtime.engine, {"sync runs": lambda: due_syncs(runtime)})
    handlers = {_SYNC: Handler(run=lambda payload: _sync(runtime, payload))}
    await asyncio.gather(ticker.run(stop), runtime.engine.run_worker(handlers, stop))


async def due_syncs(runtime: Runtime) -> list[Job]:
    """One job for each integration that has a run to work on; the integration is the dedupe key."""
    return [
        Job(_SYNC, msgspec.json.encode({"run": str(run_id)}), dedupe_key=f"{_SYNC}:{integration}")
        for run_id, integration in await runs.due_runs(runtime.pool, _DUE_AT_ONCE)
    ]


async def _sync(runtime: Runtime, payload: bytes) -> None:
    run_id = UUID(msgspec.json.decode(payload, type=dict[str, str])["run"])
    claim = await runs.claim_run(runtime.pool, run_id)
    if claim is None:
        return
    integration = await tenants.integration_by_number(runtime.pool, claim.owner.integration)
    if integration is None:
        await _give_up(runtime, claim, "The integration was deleted.")
        return
    with log_context(integration=integration.id, run=str(run_id)):
        try:
            work = await runtime.work(claim, integration)
        except ConfigurationError as error:
            await _give_up(runtime, claim, str(error))
            return
        _log.info("sync.started", kind=claim.run.kind, attempt=claim.run.attempts)
        state = await execute(work)
        _log.info("sync.ended", kind=claim.run.kind, state=state)


async def _give_up(runtime: Runtime, claim: runs.Claim, message: str) -> None:
    _log.warning("sync.given_up", run=str(claim.run.id), reason=message)
    async with runtime.pool.acquire() as connection:
        await runs.end_run(connection, claim, "FAILED", message)
