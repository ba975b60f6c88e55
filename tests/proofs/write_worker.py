"""A nursery of processes that write through the API, each stopped at a moment of the test's choosing.

Imports the product once and then forks a child for each order, so that a process that is killed costs little. Moments
are the commits and single statements that write, and the requests to the tool: before and after each. Argument: one
JSON object with the fields of :class:`Order`. Each line on stdin is a :class:`Task`, each on stdout what became of it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2
import stamina
from crash_worker import Boundaries, Watch

from atsumi.actions.execute import ActionWork
from atsumi.connector.guard import Allowance
from atsumi.connector.guarded import GuardedClient
from atsumi.connector.http import make_client
from atsumi.jobs.pgqueuer_engine import PgQueuerEngine
from atsumi.server import acting
from atsumi.server.app import create_app
from atsumi.server.registry import load_connectors, load_projections
from atsumi.server.runtime import Runtime
from atsumi.server.settings import master_key
from atsumi.store import actions as ledger
from atsumi.store import database
from atsumi.store.vault import Vault
from harness import product_settings

_MOST_ROUNDS = 20
_STOPPED_FOR = "300ms"
"""How long the database lets a paused process sit in an open transaction; the product's default is half a minute."""
_given_work = acting._work


@dataclass(frozen=True)
class Order:
    """``number`` is the integration's; ``allow`` is what callers' URLs may lead to."""

    url: str
    folder: str
    number: int
    allow: list[str]


@dataclass(frozen=True)
class Task:
    """What a child does: it finishes what is open (``recovers``), and then asks ``asks`` times.

    ``stop_at`` is the moment at which ``signal`` stops it. With ``resume`` a child that was paused goes on instead.
    """

    path: str = ""
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    asks: int = 1
    recovers: bool = False
    stop_at: int | None = None
    signal: str = "SIGKILL"
    resume: int | None = None


class Told(httpx2.AsyncHTTPTransport):
    """The way to the tool, whose every request is a moment before and a moment after."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        what = f"{request.method} {request.url.path}"
        if self._watch.now is not None:
            self._watch.now._pass(f"before {what}")
        answer = await super().handle_async_request(request)
        await answer.aread()
        if self._watch.now is not None:
            self._watch.now._pass(f"after {what}")
        return answer


class Nursery:
    """The process that forks. It never opens a connection and never runs a loop itself."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._settings = product_settings(order.url, Path(order.folder))
        self._connectors, self._projections = load_connectors(), load_projections()
        self._vault = Vault([master_key(self._settings)])
        self._watch = Watch()
        self._pipes: dict[int, int] = {}

    def serve(self) -> None:
        # The product's log goes where it disturbs nobody.
        told = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
        for line in sys.stdin:
            task = Task(**json.loads(line))
            if task.resume is not None:
                os.kill(task.resume, signal.SIGCONT)
            print(json.dumps(self._wait(task.resume or self._fork(task))), file=told, flush=True)

    def _fork(self, task: Task) -> int:
        reading, writing = os.pipe()
        process = os.fork()
        if process == 0:
            os.close(reading)
            told: dict[str, Any]
            try:
                with stamina.set_testing(True, attempts=3, cap=True):
                    told = asyncio.run(self._carry_out(task))
            except BaseException:
                told = {"raised": traceback.format_exc()[-3000:]}
            with os.fdopen(writing, "w") as pipe:
                json.dump(told, pipe)
            os._exit(0)
        os.close(writing)
        self._pipes[process] = reading
        return process

    def _wait(self, process: int) -> dict[str, Any]:
        _, status = os.waitpid(process, os.WUNTRACED)
        if os.WIFSTOPPED(status):
            return {"process": process, "is_paused": True}
        with os.fdopen(self._pipes.pop(process)) as pipe:
            told = pipe.read()
        return {"ended_by": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, **json.loads(told or "{}")}

    # In children.

    async def _carry_out(self, task: Task) -> dict[str, Any]:
        acting._work = _hurried
        async with self._runtime() as runtime:
            # Budgets have proofs of their own, and this tool has none.
            await runtime.pool.execute("DELETE FROM rate_window; DELETE FROM rate_bucket")
            told: dict[str, Any] = {}
            if task.recovers:
                told["states"] = await self._recover(runtime)
            boundaries = Boundaries(task.stop_at, lambda: os.kill(os.getpid(), getattr(signal, task.signal)))
            self._watch.begin()
            self._watch.now = boundaries
            transport = httpx2.ASGITransport(app=create_app(runtime))
            async with httpx2.AsyncClient(transport=transport, base_url="http://api.test") as api:
                answers = [await api.post(task.path, json=task.body, headers=task.headers) for _ in range(task.asks)]
            self._watch.now = None
            told["answers"] = [[one.status_code, one.text] for one in answers]
            told["moments"] = boundaries.names
            return told

    async def _recover(self, runtime: Runtime) -> list[str]:
        """What the engine does until nothing is left to do; the states of all actions then."""
        number = self._order.number
        await ledger.abandon_incomplete(runtime.pool)
        for _ in range(_MOST_ROUNDS):
            await runtime.pool.execute(
                "UPDATE action SET next_at = now() WHERE integration = $1 AND next_at IS NOT NULL", number
            )
            due = [id for id, owner in await ledger.due(runtime.pool, 100) if owner == number]
            if not due:
                break
            for id in due:
                await acting._carry_on(runtime, id, number)
        return [one.state for one in await ledger.listing(runtime.pool, number, 1000)]

    @asynccontextmanager
    async def _runtime(self) -> AsyncIterator[Runtime]:
        settings = {"synchronous_commit": "off", "idle_in_transaction_session_timeout": _STOPPED_FOR}
        pool = await database.connect(self._order.url, size=6, settings=settings)
        async with make_client(Told(self._watch)) as http:
            runtime = Runtime(
                settings=self._settings,
                database_url=self._order.url,
                pool=pool,
                light_pool=pool,
                vault=self._vault,
                engine=PgQueuerEngine(self._order.url, pool),
                connectors=self._connectors,
                projections=self._projections,
                http=http,
                guarded=GuardedClient(Allowance.parse(self._order.allow)),
                tokens={},
            )
            yield runtime
            await runtime.stop_tasks()
        pool.terminate()


async def _hurried(*given: Any, **options: Any) -> ActionWork:
    """Without pauses: what a tool has accepted it shows at once."""
    return replace(await _given_work(*given, **options), looks=(0.0, 0.0), visible_after_seconds=0.0)


if __name__ == "__main__":
    Nursery(Order(**json.loads(sys.argv[1]))).serve()
