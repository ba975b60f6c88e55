"""The engine on pgqueuer: a queue in PostgreSQL with a lease per job.

What pgqueuer 1.6 leaves open, and who closes it: it does not fence writers (our tokens do), does not count jobs
that kill their worker (our rows' attempts do), records the end of a job up to 0.1 s late (so a killed worker's
last jobs run again, which our rows recognise), and does not reconnect (``run_worker`` does).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

import asyncpg
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.db import AsyncpgDriver, AsyncpgPoolDriver
from pgqueuer.domain.errors import FailingListenerError
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import JobId
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Context
from pgqueuer.models import Job as TakenJob
from pgqueuer.ports.driver import Driver
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from atsumi.jobs.port import Connection, Handler, Job, QueueStats
from atsumi.store.database import UNREACHABLE

_log = logging.getLogger(__name__)

SCHEMA = "jobs"
"""The database schema that holds the engine's tables."""

_INSTALL_LOCK = 0x6174_7375_6A6F
_LOG_AGE = timedelta(days=1)
_LOG_SWEEP_SECONDS = 3600.0
_FIRST_RESTART_SECONDS = 0.2
_LONGEST_RESTART_SECONDS = 5.0
_LOST = (*UNREACHABLE, FailingListenerError)
"""What a worker sees when its connection or its database goes away."""


class JobFailed(Exception):
    """A handler raised. The engine's own log keeps this instead of the cause, whose text may hold people's data."""


class _Settings(DBSettings):
    """pgqueuer's settings without its environment variables: there is one place for configuration, ours."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


class PgQueuerEngine:
    """The product's ``Engine`` (see ``jobs.port``).

    ``pool`` serves everything but the workers, each of which opens one connection of its own to ``database_url``;
    that one listens, so it must not go through a transaction-mode pooler. ``lease_seconds`` is how long after a
    worker's last sign of life its jobs are given to another; a handler that blocks the event loop for that long
    is taken for dead. ``concurrency`` is how many jobs one worker runs at once (at least 2). ``grace_seconds``
    is how long running jobs may go on after a worker was told to stop; then they are cancelled and queued again.
    """

    def __init__(
        self,
        database_url: str,
        pool: asyncpg.Pool,
        *,
        lease_seconds: float = 30.0,
        concurrency: int = 10,
        grace_seconds: float = 20.0,
    ) -> None:
        self._database_url = database_url
        self._pool = pool
        self._lease = timedelta(seconds=lease_seconds)
        self._concurrency = max(2, concurrency)
        self._grace_seconds = grace_seconds
        # The log serves nobody but the curious, so it is spared the write-ahead log.
        self._settings = _Settings(db_schema=SCHEMA, durability=Durability.balanced)

    async def install(self) -> None:
        """Create or upgrade the engine's tables; safe from any number of processes at once."""
        async with self._pool.acquire() as connection:
            queries = self._queries(AsyncpgDriver(cast(Any, connection)))
            await connection.execute("SELECT pg_advisory_lock($1)", _INSTALL_LOCK)
            try:
                if await queries.schema_is_installed():
                    await queries.upgrade()
                else:
                    await queries.install()
            finally:
                await connection.execute("SELECT pg_advisory_unlock($1)", _INSTALL_LOCK)

    async def enqueue(self, jobs: Sequence[Job]) -> int:
        """Add jobs in one statement, all or nothing, and return how many are new."""
        return await self._enqueue(AsyncpgPoolDriver(self._pool), jobs)

    async def enqueue_within(self, connection: Connection, jobs: Sequence[Job]) -> int:
        """Add jobs in the caller's transaction: they exist if and when it commits."""
        return await self._enqueue(AsyncpgDriver(cast(Any, connection)), jobs)

    async def cancel(self, dedupe_keys: Sequence[str]) -> int:
        """Remove queued jobs and cancel running ones, and return how many were found."""
        rows = await self._pool.fetch(
            f"SELECT id FROM {self._settings.qualified.queue_table} WHERE dedupe_key = ANY($1)",  # noqa: S608 -- our name
            list(dedupe_keys),
        )
        if rows:
            ids = [JobId(row["id"]) for row in rows]
            await self._queries(AsyncpgPoolDriver(self._pool)).mark_job_as_cancelled(ids)
        return len(rows)

    async def stats(self) -> list[QueueStats]:
        """Return the backlog per job name, ordered by name; names without jobs are missing."""
        rows = await self._pool.fetch(
            f"""
            SELECT entrypoint AS name,
                   count(*) FILTER (WHERE status = 'queued') AS queued,
                   count(*) FILTER (WHERE status = 'picked') AS running,
                   extract(epoch FROM now() - min(created) FILTER (WHERE status = 'queued'))::float8 AS oldest
            FROM {self._settings.qualified.queue_table}
            GROUP BY entrypoint ORDER BY entrypoint COLLATE "C"
            """  # noqa: S608 -- our name
        )
        return [QueueStats(row["name"], row["queued"], row["running"], row["oldest"]) for row in rows]

    async def run_worker(self, handlers: Mapping[str, Handler], stop: asyncio.Event) -> None:
        """Take and run jobs until ``stop`` is set and the running ones have ended or used up their grace.

        Whatever happens to the connection or the database, it tries again, at most 5 s later. A worker that loses
        its connection can no longer renew its leases and cancels what it runs.
        """
        sweeper = asyncio.create_task(self._sweep_log())
        delay = _FIRST_RESTART_SECONDS
        clock = asyncio.get_running_loop().time
        try:
            while not stop.is_set():
                started = clock()
                try:
                    await self._work(handlers, stop)
                except _LOST as error:
                    _log.warning("worker lost the database (%s), connecting again", type(error).__name__)
                if clock() - started > _LONGEST_RESTART_SECONDS:
                    delay = _FIRST_RESTART_SECONDS
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), delay * random.uniform(0.8, 1.2))  # noqa: S311 -- spreads load
                delay = min(delay * 2, _LONGEST_RESTART_SECONDS)
        finally:
            await _end(sweeper)

    def _queries(self, driver: Driver) -> Queries:
        return Queries(
            driver,
            qbe=QueryBuilderEnvironment(self._settings),
            qbq=QueryQueueBuilder(self._settings),
            qbs=QuerySchedulerBuilder(self._settings),
        )

    async def _enqueue(self, driver: Driver, jobs: Sequence[Job]) -> int:
        if not jobs:
            return 0
        ids = await self._queries(driver).enqueue(
            [job.name for job in jobs],
            [job.payload for job in jobs],
            [job.priority for job in jobs],
            dedupe_key=[job.dedupe_key for job in jobs],
            on_conflict="skip",
        )
        return sum(id_ is not None for id_ in ids)

    async def _work(self, handlers: Mapping[str, Handler], stop: asyncio.Event) -> None:
        """Work on one connection until ``stop``, or raise one of ``_LOST``."""
        lease_seconds = self._lease.total_seconds()
        connection = await asyncpg.connect(
            self._database_url,
            timeout=10,
            # A server that has stopped answering counts as lost before the lease does.
            command_timeout=lease_seconds,
            server_settings={"application_name": "atsumi worker"},
        )
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        manager = QueueManager(self._queries(AsyncpgDriver(cast(Any, connection))), channel=self._settings.channel)
        for name, handler in handlers.items():
            _register(manager, name, handler, stop, lost)
        running = asyncio.create_task(
            manager.run(
                dequeue_timeout=self._lease / 3,
                batch_size=max(1, self._concurrency // 2),
                max_concurrent_tasks=self._concurrency,
                shutdown_on_listener_failure=True,
                heartbeat_timeout=self._lease,
                # Statistics come from the queue itself; the log is only ever swept.
                log_aggregation_interval=timedelta(0),
            )
        )
        guard = asyncio.create_task(self._guard(manager, stop, lost))
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            _cancel_running(manager)
            await asyncio.wait({running})
            raise
        finally:
            await _end(guard)
            with contextlib.suppress(*_LOST):
                await connection.close(timeout=2)

    async def _guard(self, manager: QueueManager, stop: asyncio.Event, lost: asyncio.Event) -> None:
        """End the manager when asked to stop or when the connection is gone, and its jobs when they take too long."""
        waiting = [asyncio.create_task(event.wait()) for event in (stop, lost)]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            manager.shutdown.set()
            if not lost.is_set():
                await asyncio.wait(waiting[1:], timeout=self._grace_seconds)
            _cancel_running(manager)
        finally:
            for task in waiting:
                task.cancel()

    async def _sweep_log(self) -> None:
        """Delete the engine's log entries older than a day, every hour; any number of processes may."""
        while True:
            await asyncio.sleep(_LOG_SWEEP_SECONDS * random.random())  # noqa: S311 -- spreads load
            try:
                await self.sweep_log()
            except _LOST as error:
                _log.warning("the job log could not be swept: %s", type(error).__name__)
            await asyncio.sleep(_LOG_SWEEP_SECONDS)

    async def sweep_log(self, older_than: timedelta = _LOG_AGE) -> None:
        """Delete the engine's log entries older than ``older_than``. Workers do this by themselves."""
        await self._pool.execute(
            f"DELETE FROM {self._settings.qualified.queue_table_log} WHERE created < now() - $1::interval",  # noqa: S608 -- our name
            older_than,
        )


def _register(manager: QueueManager, name: str, handler: Handler, stop: asyncio.Event, lost: asyncio.Event) -> None:
    async def run(job: TakenJob, context: Context) -> None:
        with context.cancellation as scope:
            try:
                await handler.run(job.payload or b"")
            except Exception:
                _log.exception("job %s %d failed", name, job.id)
                raise JobFailed(name) from None
        if scope.cancelled_caught and stop.is_set() and not lost.is_set():
            # The worker stops; the job goes on elsewhere at once instead of waiting for the next tick.
            raise RetryRequested(reason="worker stopped")

    manager.entrypoint(name, concurrency_limit=handler.limit, accepts_context=True)(run)


def _cancel_running(manager: QueueManager) -> None:
    manager.shutdown.set()
    for context in list(manager.job_context.values()):
        context.cancellation.cancel()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
