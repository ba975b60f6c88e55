"""The part of the process that works: it ticks, takes jobs and executes sync runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from atsumi.errors import ConfigurationError, StaleToken
from atsumi.jobs.port import Handler, Job
from atsumi.jobs.tick import Ticker
from atsumi.server.acting import run_actions
from atsumi.server.background import run_background
from atsumi.server.logging import get_logger, log_context
from atsumi.server.remapping import execute_run
from atsumi.server.retention import keep_removing_old
from atsumi.server.runtime import Runtime
from atsumi.store import blanking, dialects, queue, records, runs, schedules, shaping, tenants
from atsumi.store.queue import DueRun
from atsumi.sync.blanking import blank_due

_SYNC = "sync"
_BLANK = "blank"
_BLANKING_INTERVAL = timedelta(minutes=10)
"""How often a process looks for content that was kept long enough: days count there, not seconds."""
_DOCUMENTS_INTERVAL = timedelta(seconds=10)
"""How often a process looks for integrations that lack documents of a surface."""
_DOCUMENTS_AT_ONCE = 20
_DUE_AT_ONCE = 200
"""Runs handed to the queue per tick: it stays short, so that what becomes due later is not stuck behind a backlog."""

_log = get_logger("atsumi.worker")


class _Payload(msgspec.Struct):
    run: str
    is_long: bool = False


async def run_worker(runtime: Runtime, stop: asyncio.Event) -> None:
    """Work until ``stop`` is set. Any number of processes may do so on one database."""
    worker = Worker(runtime)
    # What was not kept up to date by this installation is rendered anew, should it ever be wanted again.
    await dialects.forget_others(runtime.pool, worker.dialects)
    ticker = Ticker(
        runtime.engine,
        {
            "schedules": worker.due_schedules,
            "sync runs": worker.due_syncs,
            "blanking": worker.due_blanking,
            "documents": worker.due_documents,
            "shapes": worker.due_shapes,
        },
    )
    handlers = {_SYNC: Handler(run=worker.sync), _BLANK: Handler(run=worker.blank, limit=1)}
    await asyncio.gather(
        ticker.run(stop),
        runtime.engine.run_worker(handlers, stop),
        run_background(runtime, stop),
        run_actions(runtime, stop),
        keep_removing_old(runtime, stop),
    )


def sync_key(integration: int) -> str:
    """The dedupe key of an integration's sync job."""
    return f"{_SYNC}:{integration}"


class Worker:
    """One process's share of the work.

    All but one of its slots may be held by long runs; the last one is kept for increments, so that first syncs of
    hours never make other integrations wait.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._long_slots = max(runtime.settings.worker_concurrency, 2) - 1
        self._long_running = 0
        self._blanking_at: datetime | None = None
        self._documents_at: datetime | None = None

    @property
    def dialects(self) -> list[int]:
        """The codes of the dialects whose documents this installation keeps."""
        return [one.code for one in self._runtime.projections]

    async def due_documents(self) -> Sequence[Job]:
        """Request the runs that complete a surface's documents. The requests are rows, so there is no job to return."""
        now = self._runtime.now() or datetime.now(UTC)
        if self._documents_at is None or now >= self._documents_at:
            self._documents_at = now + _DOCUMENTS_INTERVAL
            await dialects.request_missing(self._runtime.pool, self.dialects, _DOCUMENTS_AT_ONCE)
        return ()

    async def due_schedules(self) -> Sequence[Job]:
        """Request what the schedules say is due. The requests are rows, so there is no job to return."""
        await schedules.request_due(self._runtime.pool, now=self._runtime.now())
        return ()

    async def due_shapes(self) -> Sequence[Job]:
        """Request a remap of every integration whose records do not have the shape that is set for it."""
        for number in await shaping.integrations_to_shape(self._runtime.pool, _DUE_AT_ONCE):
            await runs.request_run(self._runtime.pool, number, "remap", requested_by="schedule")
        return ()

    async def due_blanking(self) -> list[Job]:
        """One job for each integration that holds deleted content for longer than it is set to."""
        now = self._runtime.now() or datetime.now(UTC)
        if self._blanking_at is not None and now < self._blanking_at:
            return []
        self._blanking_at = now + _BLANKING_INTERVAL
        return [
            Job(_BLANK, msgspec.json.encode({"integration": number}), dedupe_key=f"{_BLANK}:{number}", priority=-1)
            for number in await blanking.integrations_due(self._runtime.pool, now, _DUE_AT_ONCE)
        ]

    async def blank(self, payload: bytes) -> None:
        """Remove the content of what was deleted long enough ago, batch by batch."""
        number = msgspec.json.decode(payload, type=dict[str, int])["integration"]
        row = await tenants.integration_by_number(self._runtime.pool, number)
        if row is None:
            return
        done, target, now = 0, await self._runtime.target(row), self._runtime.now() or datetime.now(UTC)
        while count := await blank_due(self._runtime.pool, number, target, now):
            done += count
        _log.info("blanking.done", integration=row.id, records=done)

    async def due_syncs(self) -> list[Job]:
        """One job for each integration that has a run to work on; the integration is the dedupe key."""
        due = await queue.due_runs(
            self._runtime.pool,
            _DUE_AT_ONCE,
            long_limit=max(self._long_slots - self._long_running, 0),
            tenant_limit=self._runtime.settings.sync_tenant_limit,
            now=self._runtime.now(),
        )
        return [_job(one) for one in due]

    async def sync(self, payload: bytes) -> None:
        """Claim the run that the job names and execute it; nothing happens when somebody else has done so."""
        job = msgspec.json.decode(payload, type=_Payload)
        if not job.is_long:
            await self._sync(UUID(job.run))
            return
        if self._long_running >= self._long_slots:
            # Its row is still due: the next tick hands it to a process that has room.
            return
        with self._long():
            await self._sync(UUID(job.run))

    @contextlib.contextmanager
    def _long(self) -> Iterator[None]:
        self._long_running += 1
        try:
            yield
        finally:
            self._long_running -= 1

    async def _sync(self, run_id: UUID) -> None:
        runtime = self._runtime
        claim = await runs.claim_run(runtime.pool, run_id, now=runtime.now())
        if claim is None:
            return
        integration = await tenants.integration_by_number(runtime.pool, claim.owner.integration)
        if integration is None:
            await self._give_up(claim, "The integration was deleted.")
            return
        with log_context(integration=integration.id, run=str(run_id)):
            _log.info("sync.started", kind=claim.run.kind, attempt=claim.run.attempts)
            try:
                state = await execute_run(runtime, claim, integration)
            except ConfigurationError as error:
                await self._give_up(claim, str(error))
                return
            _log.info("sync.ended", kind=claim.run.kind, state=state)

    async def _give_up(self, claim: runs.Claim, message: str) -> None:
        _log.warning("sync.given_up", run=str(claim.run.id), reason=message)
        async with self._runtime.pool.acquire() as connection, connection.transaction():
            with contextlib.suppress(StaleToken):
                await records.check_owner(connection, claim.owner)
                await runs.end_run(connection, claim, "FAILED", message, now=self._runtime.now())


def _job(due: DueRun) -> Job:
    return Job(
        _SYNC,
        msgspec.json.encode(_Payload(str(due.id), due.is_long)),
        dedupe_key=sync_key(due.integration),
        # Within the short queue what somebody waits for goes first; all else keeps the order of its turn.
        priority=1 if due.urgency >= schedules.ON_DEMAND else 0,
    )
