"""A worker of the chaos test: syncs pages and delivers webhooks, in the shape that the product uses.

Arguments: the database's address, the worker's name, its lease and how long a page takes to fetch, both in seconds.
It runs until SIGTERM.

Domain rows carry all state. A row is taken by raising its token; every write checks the token in its own
transaction; the last page's transaction also writes the delivery (outbox). Fetches, commits, refusals and sends
are counted in an append-only table, the way the outside world would see them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
import sys

import asyncpg

from atsumi.errors import ConfigurationError, StaleToken
from atsumi.jobs.pgqueuer_engine import PgQueuerEngine
from atsumi.jobs.port import Handler, Job
from atsumi.jobs.tick import Ticker
from atsumi.store import database

STREAMS = 3
PAGES = 6
PAGE_RECORDS = 20
POISON_ATTEMPTS = 25
RETRY_SECONDS = 0.2

SCHEMA = """
CREATE TABLE run (
    id int PRIMARY KEY, state text NOT NULL DEFAULT 'due', token int NOT NULL DEFAULT 0,
    attempts int NOT NULL DEFAULT 0, next_at timestamptz NOT NULL DEFAULT now(), owner text
) WITH (fillfactor = 50);
CREATE TABLE checkpoint (
    run_id int, stream int, page int NOT NULL, PRIMARY KEY (run_id, stream)
) WITH (fillfactor = 70);
CREATE TABLE record (
    run_id int, stream int, remote_id int, writes int NOT NULL DEFAULT 1, PRIMARY KEY (run_id, stream, remote_id)
);
CREATE TABLE delivery (
    id int PRIMARY KEY, state text NOT NULL DEFAULT 'pending', token int NOT NULL DEFAULT 0,
    attempts int NOT NULL DEFAULT 0, next_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
CREATE TABLE effect (
    id bigserial PRIMARY KEY, kind text NOT NULL, run_id int NOT NULL, stream int, page int, worker text NOT NULL
);
"""


class Program:
    """The handlers and the due lists of one worker."""

    def __init__(self, pool: asyncpg.Pool, name: str, fetch_seconds: float) -> None:
        self._pool = pool
        self._name = name
        self._fetch_seconds = fetch_seconds

    async def due_syncs(self) -> list[Job]:
        rows = await self._pool.fetch(
            "SELECT id FROM run WHERE state = 'due' AND next_at <= now() ORDER BY next_at, id LIMIT 50"
        )
        return [Job("sync", json.dumps({"id": row["id"]}).encode(), f"sync:{row['id']}") for row in rows]

    async def due_deliveries(self) -> list[Job]:
        rows = await self._pool.fetch(
            "SELECT id FROM delivery WHERE state = 'pending' AND next_at <= now() ORDER BY next_at, id LIMIT 50"
        )
        return [Job("deliver", json.dumps({"id": row["id"]}).encode(), f"deliver:{row['id']}", 5) for row in rows]

    async def sync(self, payload: bytes) -> None:
        run_id = json.loads(payload)["id"]
        taken = await self._pool.fetchrow(
            "UPDATE run SET token = token + 1, attempts = attempts + 1, owner = $2 "
            "WHERE id = $1 AND state = 'due' RETURNING token, attempts",
            run_id,
            self._name,
        )
        if taken is None:
            return
        if taken["attempts"] > POISON_ATTEMPTS:
            await self._pool.execute("UPDATE run SET state = 'parked' WHERE id = $1", run_id)
            return
        try:
            for stream in range(STREAMS):
                await self._sync_stream(run_id, stream, taken["token"])
        except StaleToken:
            await self._count("refused", run_id)

    async def _sync_stream(self, run_id: int, stream: int, token: int) -> None:
        first = await self._pool.fetchval(
            "SELECT page FROM checkpoint WHERE run_id = $1 AND stream = $2", run_id, stream
        )
        for page in range(first or 0, PAGES):
            await self._count("fetched", run_id, stream, page)
            await asyncio.sleep(self._fetch_seconds * random.uniform(0.5, 1.5))  # noqa: S311 -- a tool
            async with self._pool.acquire() as connection, connection.transaction():
                held = await connection.fetchval("SELECT token FROM run WHERE id = $1 FOR SHARE", run_id)
                if held != token:
                    raise StaleToken
                await connection.execute(
                    "INSERT INTO record SELECT $1, $2, $3 * $4 + n FROM generate_series(0, $4 - 1) n "
                    "ON CONFLICT (run_id, stream, remote_id) DO UPDATE SET writes = record.writes + 1",
                    run_id,
                    stream,
                    page,
                    PAGE_RECORDS,
                )
                await connection.execute(
                    "INSERT INTO checkpoint VALUES ($1, $2, $3) "
                    "ON CONFLICT (run_id, stream) DO UPDATE SET page = excluded.page",
                    run_id,
                    stream,
                    page + 1,
                )
                await self._count("committed", run_id, stream, page, connection)
                if (stream, page) == (STREAMS - 1, PAGES - 1):
                    await connection.execute("INSERT INTO delivery (id) VALUES ($1)", run_id)
                    await connection.execute("UPDATE run SET state = 'done' WHERE id = $1", run_id)

    async def deliver(self, payload: bytes) -> None:
        delivery_id = json.loads(payload)["id"]
        taken = await self._pool.fetchrow(
            "UPDATE delivery SET token = token + 1, attempts = attempts + 1 "
            "WHERE id = $1 AND state = 'pending' AND next_at <= now() RETURNING token, attempts",
            delivery_id,
        )
        if taken is None:
            return
        is_accepted = taken["attempts"] > 2
        await self._count("accepted" if is_accepted else "unavailable", delivery_id)
        await self._pool.execute(
            "UPDATE delivery SET state = $3, next_at = now() + make_interval(secs => $4) WHERE id = $1 AND token = $2",
            delivery_id,
            taken["token"],
            "delivered" if is_accepted else "pending",
            RETRY_SECONDS,
        )

    async def _count(
        self,
        kind: str,
        run_id: int,
        stream: int | None = None,
        page: int | None = None,
        connection: asyncpg.pool.PoolConnectionProxy | None = None,
    ) -> None:
        await (connection or self._pool).execute(
            "INSERT INTO effect (kind, run_id, stream, page, worker) VALUES ($1, $2, $3, $4, $5)",
            kind,
            run_id,
            stream,
            page,
            self._name,
        )


async def main() -> None:
    address, name, lease_seconds, fetch_seconds = sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    # A paused worker must not keep the row locks of an open transaction for longer than its lease.
    settings = {"idle_in_transaction_session_timeout": f"{int(lease_seconds * 1000)}ms"}
    while True:
        try:
            pool = await database.connect(address, size=4, settings=settings)
            break
        except ConfigurationError:
            await asyncio.sleep(0.2)
    program = Program(pool, name, fetch_seconds)
    engine = PgQueuerEngine(address, pool, lease_seconds=lease_seconds, concurrency=2, grace_seconds=1.0)
    ticker = Ticker(engine, {"syncs": program.due_syncs, "deliveries": program.due_deliveries}, interval_seconds=0.3)
    handlers = {"sync": Handler(program.sync), "deliver": Handler(program.deliver)}
    await asyncio.gather(engine.run_worker(handlers, stop), ticker.run(stop))
    await database.close(pool)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
