"""The durable engine's port, on the engine in use."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta

import asyncpg
import pytest

from atsumi.jobs.pgqueuer_engine import PgQueuerEngine
from atsumi.jobs.port import Engine, Handler, Job
from atsumi.jobs.tick import Ticker


@contextlib.asynccontextmanager
async def worker(engine: Engine, handlers: Mapping[str, Handler]) -> AsyncIterator[asyncio.Event]:
    stop = asyncio.Event()
    running = asyncio.create_task(engine.run_worker(handlers, stop))
    try:
        yield stop
    finally:
        stop.set()
        async with asyncio.timeout(20):
            await running


async def eventually(check: Callable[[], Awaitable[bool]] | Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while True:
            answer = check()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.02)


class Recorder:
    """A handler that notes what it gets and can be held."""

    def __init__(self) -> None:
        self.started: list[bytes] = []
        self.ended: list[bytes] = []
        self.cancelled: list[bytes] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def run(self, payload: bytes) -> None:
        self.started.append(payload)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled.append(payload)
            raise
        self.ended.append(payload)


async def test_installing_from_many_processes_at_once_is_safe(engine: PgQueuerEngine) -> None:
    await asyncio.gather(*(engine.install() for _ in range(3)))
    assert await engine.stats() == []


async def test_foreign_environment_variables_do_not_reach_the_queue(
    jobs_database: str, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGQUEUER_PREFIX", "elsewhere_")
    await PgQueuerEngine(jobs_database, pool).install()
    assert await pool.fetchval("SELECT to_regclass('jobs.pgqueuer') IS NOT NULL")


async def test_a_dedupe_key_is_taken_while_its_job_is_queued_or_running(engine: PgQueuerEngine) -> None:
    recorder = Recorder()
    recorder.gate.clear()
    job = Job("sync", b'{"id":1}', dedupe_key="sync:1")
    assert await engine.enqueue([job, job]) == 1
    assert await engine.enqueue([job, Job("sync", dedupe_key="sync:2")]) == 1
    async with worker(engine, {"sync": Handler(recorder.run)}):
        await eventually(lambda: len(recorder.started) == 2)
        assert await engine.enqueue([job]) == 0
        recorder.gate.set()

        async def is_free() -> bool:
            return await engine.enqueue([job]) == 1

        await eventually(is_free)
        await eventually(lambda: len(recorder.ended) == 3)
    assert sorted(recorder.ended) == [b'{"id":1}', b'{"id":1}', b"{}"]


async def test_a_job_exists_if_and_when_its_transaction_commits(engine: PgQueuerEngine, pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        with contextlib.suppress(ZeroDivisionError):
            async with connection.transaction():
                assert await engine.enqueue_within(connection, [Job("a", dedupe_key="k")]) == 1
                assert await engine.stats() == []
                raise ZeroDivisionError
        assert await engine.stats() == []
        async with connection.transaction():
            assert await engine.enqueue_within(connection, [Job("a", dedupe_key="k")]) == 1
    [backlog] = await engine.stats()
    assert (backlog.name, backlog.queued, backlog.running) == ("a", 1, 0)
    assert backlog.oldest_queued_seconds is not None
    assert backlog.oldest_queued_seconds >= 0


async def test_cancelling_removes_queued_jobs_and_interrupts_running_ones(engine: PgQueuerEngine) -> None:
    recorder = Recorder()
    recorder.gate.clear()
    await engine.enqueue([Job("other", dedupe_key="queued"), Job("sync", b"1", dedupe_key="running")])
    async with worker(engine, {"sync": Handler(recorder.run)}):
        await eventually(lambda: recorder.started == [b"1"])
        by_name = {backlog.name: backlog for backlog in await engine.stats()}
        assert (by_name["sync"].running, by_name["other"].queued) == (1, 1)
        assert by_name["sync"].oldest_queued_seconds is None
        assert await engine.cancel(["queued", "running", "unknown"]) == 2
        await eventually(lambda: recorder.cancelled == [b"1"])
    assert await engine.stats() == []


async def test_urgent_jobs_come_first_and_a_limit_holds(engine: PgQueuerEngine) -> None:
    recorder = Recorder()
    await engine.enqueue([Job("a", b"low"), Job("a", b"high", priority=9), Job("a", b"middle", priority=5)])
    async with worker(engine, {"a": Handler(recorder.run, limit=1)}):
        await eventually(lambda: len(recorder.ended) == 3)
    assert recorder.started == [b"high", b"middle", b"low"]


async def test_a_job_that_raises_is_gone_and_its_words_are_not_kept(
    engine: PgQueuerEngine, pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(payload: bytes) -> None:
        raise ValueError("Erika Mustermann")

    await engine.enqueue([Job("a", dedupe_key="k")])
    async with worker(engine, {"a": Handler(fail)}):

        async def is_gone() -> bool:
            return await engine.stats() == []

        await eventually(is_gone)
    assert "job a " in caplog.text
    kept = await pool.fetchval("SELECT string_agg(traceback::text, ' ') FROM jobs.pgqueuer_log")
    assert "JobFailed" in kept
    assert "Mustermann" not in kept
    await engine.sweep_log(timedelta(0))
    assert await pool.fetchval("SELECT count(*) FROM jobs.pgqueuer_log") == 0


async def test_a_worker_that_stops_hands_its_jobs_on(engine: PgQueuerEngine) -> None:
    recorder = Recorder()
    recorder.gate.clear()
    await engine.enqueue([Job("a", b"1", dedupe_key="k")])
    async with worker(engine, {"a": Handler(recorder.run)}):
        await eventually(lambda: recorder.started == [b"1"])
    assert recorder.cancelled == [b"1"]
    [backlog] = await engine.stats()
    assert (backlog.queued, backlog.running) == (1, 0)


async def test_a_cancelled_worker_cancels_what_it_runs(engine: PgQueuerEngine) -> None:
    recorder = Recorder()
    recorder.gate.clear()
    await engine.enqueue([Job("a", b"1")])
    running = asyncio.create_task(engine.run_worker({"a": Handler(recorder.run)}, asyncio.Event()))
    await eventually(lambda: recorder.started == [b"1"])
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert recorder.cancelled == [b"1"]


@pytest.mark.chaos
async def test_a_worker_survives_the_end_of_all_connections(
    engine: PgQueuerEngine, pool: asyncpg.Pool, postgres_dsn: str
) -> None:
    recorder = Recorder()
    recorder.gate.clear()
    await engine.enqueue([Job("a", b"interrupted", dedupe_key="k")])
    async with worker(engine, {"a": Handler(recorder.run)}):
        await eventually(lambda: recorder.started == [b"interrupted"])
        admin = await asyncpg.connect(postgres_dsn)
        name = await pool.fetchval("SELECT current_database()")
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        await admin.close()
        await eventually(lambda: recorder.cancelled == [b"interrupted"])
        recorder.gate.set()

        async def add() -> bool:
            try:
                return await engine.enqueue([Job("a", b"later")]) == 1
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
                return False

        await eventually(add)
        await eventually(lambda: sorted(recorder.ended) == [b"interrupted", b"later"])


async def test_ticks_enqueue_what_is_due_once_and_outlive_a_broken_source(
    engine: PgQueuerEngine, caplog: pytest.LogCaptureFixture
) -> None:
    async def due() -> list[Job]:
        return [Job("sync", dedupe_key=f"sync:{number}") for number in range(3)]

    async def broken() -> list[Job]:
        raise LookupError("no table")

    sources = {"broken": broken, "syncs": due}
    added = await asyncio.gather(*(Ticker(engine, sources).tick() for _ in range(3)))
    assert sum(added) == 3
    assert "what is due in broken could not be read" in caplog.text
    stop = asyncio.Event()
    running = asyncio.create_task(Ticker(engine, {"syncs": due}, interval_seconds=0.01).run(stop))
    await asyncio.sleep(0)
    stop.set()
    await running
    assert [(backlog.name, backlog.queued) for backlog in await engine.stats()] == [("sync", 3)]


async def test_a_ticked_job_without_a_dedupe_key_is_refused(engine: PgQueuerEngine) -> None:
    async def due() -> list[Job]:
        return [Job("sync")]

    with pytest.raises(ValueError, match="syncs: a job of a tick needs a dedupe key"):
        await Ticker(engine, {"syncs": due}).tick()
