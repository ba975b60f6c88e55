"""One lane of the crash matrix: stop a syncing process at a commit boundary, let another one finish, compare.

Started as a process of its own, which imports the product once and then forks a child for each step. A child runs the
product's real claim and ``execute`` on a database with one integration, whose simulated tool lives in the same memory,
so every child meets the same company. Boundaries are found by watching asyncpg, in the child only: before and after
each COMMIT and each statement that writes on its own.

Writes one JSON object per scenario and per point. Arguments: one JSON object with the fields of :class:`Order`.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import stamina
from asyncpg.connection import Connection

import proof_kit
from atsumi.connector.guarded import GuardedClient
from atsumi.connector.http import make_client
from atsumi.connectors.personio import client as personio_client
from atsumi.connectors.personio.simulator import Simulator, create_app
from atsumi.connectors.personio.simulator.faults import Entry, Log
from atsumi.errors import ConfigurationError
from atsumi.jobs.pgqueuer_engine import PgQueuerEngine
from atsumi.server.connecting import connect
from atsumi.server.registry import load_connectors, load_projections
from atsumi.server.runtime import Runtime
from atsumi.server.settings import master_key
from atsumi.store import database, runs, tenants
from atsumi.store.vault import Vault
from atsumi.sync import lease
from atsumi.sync.run import execute
from harness import Origins, connect_values, product_settings, small_company

TOLD = "told.jsonl"
"""The report's name in the lane's folder."""
PAGE_SIZE = 6
PREFETCH = 0
_WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|WITH)\b")
_DATABASE_RETURNS_SECONDS = 30.0
_STOPPED_FOR_SECONDS = 0.4
"""How long the database lets a paused process sit in an open transaction; the product's default is half a minute."""


@dataclass(frozen=True)
class Order:
    """What a lane is to do.

    ``mode``: ``kill`` the worker, ``pause`` it past its lease, or kill the ``database``, whose process id is the first
    line of ``pid_file``. Of all points the lane takes each ``step``-th, beginning with ``first``; of those in the
    background, whose pages are all alike, every fourth of these.
    """

    url: str
    folder: str
    mode: str
    first: int
    step: int
    scenarios: list[str]
    pid_file: str = ""


class Boundaries:
    """Counts commit boundaries, and calls ``act`` at the chosen one."""

    def __init__(self, stop_at: int | None, act: Callable[[], None]) -> None:
        self._stop_at = stop_at
        self._act = act
        self.names: list[str] = []
        self._last_write = ""

    def write(self, query: str) -> None:
        """Note what is being written, for the names of boundaries."""
        self._last_write = " ".join(query.split())[:50]

    def before(self) -> None:
        self._pass(f"before {self._last_write}")

    def after(self) -> None:
        self._pass(f"after {self._last_write}")

    def _pass(self, name: str) -> None:
        self.names.append(name)
        if len(self.names) - 1 == self._stop_at:
            self._act()


class Watch:
    """Sees every statement that asyncpg sends in this process, and tells ``now`` of the commit boundaries."""

    def __init__(self) -> None:
        self.now: Boundaries | None = None

    def begin(self) -> None:
        """From now on, until the process ends."""
        for name in ("execute", "executemany", "fetch", "fetchrow", "fetchval"):
            setattr(Connection, name, self._watched(getattr(Connection, name)))

    def _watched(self, original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(connection: Connection, query: str, *arguments: Any, **options: Any) -> Any:
            boundaries = self.now
            # Rate budgets are bookkeeping that may be lost.
            if boundaries is None or "rate_bucket" in query or "rate_window" in query:
                return await original(connection, query, *arguments, **options)
            is_write = _WRITES.match(query) is not None
            if is_write:
                boundaries.write(query)
            if not query.startswith("COMMIT") and not (is_write and not connection.is_in_transaction()):
                return await original(connection, query, *arguments, **options)
            boundaries.before()
            result = await original(connection, query, *arguments, **options)
            boundaries.after()
            return result

        return call


class FileLog(Log):
    """A simulator's log of requests that outlives the process."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def add(self, entry: Entry) -> None:
        super().add(entry)
        if entry.status == 200 and not entry.path.startswith("/v2/auth"):
            with self._path.open("a") as file:
                file.write(f"{entry.method} {entry.path}?{entry.query}\n")


Task = Callable[[], Coroutine[Any, Any, dict[str, Any]]]
"""What a child does."""


@dataclass
class Step:
    """What a child is to do, and what it tells when it lives to the end."""

    scenario: str
    stop_at: int | None = None
    is_fresh: bool = False
    """Begin from the scenario's start; else go on with what is there."""
    expects: str | None = None


class Lane:
    """The process that forks. It never opens a connection and never runs a loop itself."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._folder = Path(order.folder)
        self._log = self._folder / "requests.log"
        self.simulator = small_company(applications=14, jobs=4, published_share=0.6)
        self.simulator.log = FileLog(self._log)
        self._origins = Origins()
        self._origin = self._origins.add(create_app(self.simulator))
        self._connectors, self._projections = load_connectors(), load_projections()
        self._settings = product_settings(order.url, self._folder)
        self._watch = Watch()
        self._tell: Callable[[dict[str, Any]], None] = print
        self._vault = Vault([master_key(self._settings)])

    @asynccontextmanager
    async def _runtime(self) -> AsyncIterator[Runtime]:
        settings = {
            # A database that is killed must not lose what it has confirmed.
            "synchronous_commit": "on" if self._order.mode == "database" else "off",
            "idle_in_transaction_session_timeout": f"{int(_STOPPED_FOR_SECONDS * 1000)}ms",
        }
        pool = await self._pool(settings)
        async with make_client(self._origins) as http:
            yield Runtime(
                settings=self._settings,
                database_url=self._order.url,
                pool=pool,
                light_pool=pool,
                vault=self._vault,
                engine=PgQueuerEngine(self._order.url, pool),
                connectors=self._connectors,
                projections=self._projections,
                http=http,
                guarded=GuardedClient(),
                tokens={},
            )
        pool.terminate()

    async def _pool(self, settings: dict[str, str]) -> asyncpg.Pool:
        """Connections, as soon as the database is there again."""
        deadline = time.monotonic() + _DATABASE_RETURNS_SECONDS
        while True:
            try:
                return await database.connect(self._order.url, size=4, settings=settings)
            except ConfigurationError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.05)

    # In children.

    async def connect(self) -> dict[str, Any]:
        """Connect the company; the requested first run is the one that scenarios begin with."""
        await database.migrate(self._order.url)
        async with self._runtime() as runtime:
            environment = await tenants.ensure_environment(runtime.pool, "crashes")
            await connect(
                runtime,
                environment_id=environment.id,
                tool="personio",
                organization_name="Crash",
                values=connect_values(self.simulator, self._origin),
            )
        return {}

    async def prepare(self, scenario: str, kind: str) -> dict[str, Any]:
        """Request the scenario's run and keep this state as its start."""
        async with self._runtime() as runtime:
            await runtime.pool.execute("UPDATE sync_run SET state = 'CANCELLED' WHERE state = 'QUEUED'")
            await runs.request_run(runtime.pool, await self._number(runtime.pool), kind)
            await proof_kit.keep(runtime.pool, scenario)
        return {}

    async def run(self, step: Step, then: Step | None = None) -> dict[str, Any]:
        """Claim the open run and execute it; tell what it led to.

        With ``then`` the same process goes on with another step: one that has its connections already is cheaper.
        """
        async with self._runtime() as runtime:
            told = await self._run(runtime, step)
            if then is not None:
                self._tell(told)
                told = await self._run(runtime, then)
            return told

    async def _run(self, runtime: Runtime, step: Step) -> dict[str, Any]:
        if step.is_fresh:
            await proof_kit.bring_back(runtime.pool, step.scenario)
            runtime.tokens.clear()
        # The lease of whoever was killed has run out.
        await runtime.pool.execute("UPDATE sync_run SET heartbeat_at = '-infinity' WHERE state = 'RUNNING'")
        open_run = await runtime.pool.fetchval("SELECT id FROM sync_run WHERE state IN ('QUEUED', 'RUNNING')")
        integration = await tenants.integration_by_number(runtime.pool, await self._number(runtime.pool))
        assert integration is not None
        boundaries = Boundaries(step.stop_at, self._act)
        self._watch.now = boundaries
        outcome = "ENDED ALREADY"
        if open_run is not None:
            claim = await runs.claim_run(runtime.pool, open_run)
            assert claim is not None, "the run cannot be claimed"
            work = await runtime.work(claim, integration)
            outcome = await execute(replace(work, prefetch=PREFETCH))
        self._watch.now = None
        told = {"outcome": outcome, "boundaries": boundaries.names, "requests": list(self.requests().elements())}
        found = await proof_kit.contents(runtime.pool, is_ordered=step.scenario not in SIDE_BY_SIDE)
        told["digest"] = proof_kit.digest(found)
        expected = self._folder / f"{step.scenario}.json"
        if step.expects is None:
            expected.write_text(json.dumps(found))
        elif step.expects != told["digest"]:
            told["differences"] = proof_kit.differences(json.loads(expected.read_text()), found)
        return told

    def _act(self) -> None:
        match self._order.mode:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "pause":
                os.kill(os.getpid(), signal.SIGSTOP)
            case _:
                os.kill(int(Path(self._order.pid_file).read_text().split()[0]), signal.SIGKILL)

    async def look(self, scenario: str) -> dict[str, Any]:
        """What is stored now."""
        async with self._runtime() as runtime:
            found = await proof_kit.contents(runtime.pool, is_ordered=scenario not in SIDE_BY_SIDE)
            return {"digest": proof_kit.digest(found)}

    async def _number(self, pool: asyncpg.Pool) -> int:
        number: int = await pool.fetchval("SELECT number FROM integration")
        return number

    # In the parent.

    def child(self, work: Task) -> tuple[int, Callable[[], list[dict[str, Any]]]]:
        """Fork; returns the child's process id and how to read what it told once it has ended."""
        reading, writing = os.pipe()
        sys.stdout.flush()
        process = os.fork()
        if process == 0:
            os.close(reading)
            with os.fdopen(writing, "w") as pipe:
                self._tell = lambda told: print(json.dumps(told), file=pipe, flush=True)
                self._watch.begin()
                try:
                    with stamina.set_testing(True, attempts=3, cap=True):
                        self._tell(asyncio.run(work()))
                except BaseException:
                    self._tell({"outcome": "RAISED", "error": traceback.format_exc()[-3000:]})
            os._exit(0)
        os.close(writing)

        def told_by() -> list[dict[str, Any]]:
            with os.fdopen(reading) as pipe:
                return [json.loads(line) for line in pipe]

        return process, told_by

    def step(self, work: Task) -> tuple[int, list[dict[str, Any]]]:
        """Fork, wait, and return the signal that ended the child (0: none) and what it told."""
        process, told_by = self.child(work)
        told = told_by()
        _, status = os.waitpid(process, 0)
        return (os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0), told

    def must(self, work: Task) -> dict[str, Any]:
        """A step that has to succeed."""
        ended_by, told = self.step(work)
        if ended_by or told[-1].get("outcome") == "RAISED":
            raise SystemExit(f"ended by {ended_by}: {told}")
        return told[-1]

    def requests(self) -> Counter[str]:
        """What was asked since this was last called."""
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        self._log.write_text("")
        return Counter(lines)


def again(asked: Counter[str], needed: Counter[str]) -> tuple[int, list[str]]:
    """How many pages were read more often than an unbroken run reads them, and which requests that took.

    The forms, moves or files of one page are one request each; so are the single records that a deletion is confirmed
    by, and those that belong to a page of a listing (the candidates of anonymised applications), which count with it.
    Streams that are read side by side may each repeat a page; the most of any counts.
    """
    extra = asked - needed
    pages: Counter[str] = Counter()
    batches: dict[str, set[str]] = {}
    for name, count in extra.items():
        kind = next((kind for kind, pattern in _BATCHED.items() if pattern.search(name)), None)
        if kind is None:
            pages["listing"] += count
        else:
            batches.setdefault(kind, set()).add(name)
    side_by_side = [len(batches.get(kind, ())) > 0 for kind in ("moves", "files")]
    listing = max(pages["listing"], int("probes" in batches))
    return listing + ("forms" in batches) + any(side_by_side), sorted(extra.elements())


_BATCHED = {
    "forms": re.compile(r"/job/\d+/apply"),
    "moves": re.compile(r"/stage-transitions"),
    "files": re.compile(r"/document-management/documents\?|/v2/persons\?"),
    "probes": re.compile(r"/v2/recruiting/\w+/\d+\?"),
}
"""Requests for one record each, of which a page or a confirmation takes several."""


# The company's days.


def nothing(simulator: Simulator) -> None:
    """The company as it was connected."""


def a_day_of_work(simulator: Simulator) -> None:
    """Something of everything that does not remove."""
    state = simulator.state()
    applications, jobs = state["applications"], state["jobs"]
    for application, stage in zip(applications[:6], ["offer", "rejected", "accepted"] * 2, strict=True):
        simulator.move_application(application["id"], stage)
    for number, candidate in enumerate(state["candidates"][:8]):
        simulator.edit_candidate(candidate["id"], last_name=f"Neu {number}")
    candidate = simulator.create_candidate("Nora", "Neumann", "nora@example.org")
    simulator.create_application(candidate, jobs[0]["id"])
    simulator.anonymise_application(applications[-1]["id"])
    category = state["categories"][0]
    simulator.edit_category(category["id"], stages=[*category["stages"][:-1], "Probetag"])
    simulator.rename_stage(next(one["id"] for one in state["stages"] if not one["is_builtin"]), "Neuer Name")
    simulator.edit_job(jobs[0]["id"], name="Neuer Titel", is_published=True)
    simulator.create_job("Neue Stelle", category_id=category["id"])
    simulator.edit_person(state["persons"][0]["id"], last_name="Umbenannt")


def a_day_of_farewells(simulator: Simulator) -> None:
    """Deletions of every kind, one erased person, and a few edits."""
    state = simulator.state()
    applications = state["applications"]
    simulator.delete_application(applications[0]["id"])
    simulator.delete_application(applications[1]["id"])
    simulator.delete_candidate(applications[2]["candidate_id"])
    gone = {item["id"] for item in applications} - {item["id"] for item in simulator.state()["applications"]}
    left = next(item for item in applications if item["id"] not in gone)
    simulator.anonymise_candidate(left["candidate_id"])
    published = [one for one in state["jobs"] if one["is_published"]]
    simulator.unpublish_job(published[0]["id"])
    simulator.delete_job(published[1]["id"])
    for application in applications[-2:]:
        simulator.move_application(application["id"], "withdrawn")


SCENARIOS: tuple[tuple[str, str, Callable[[Simulator], None]], ...] = (
    ("first_full", "full", nothing),
    ("incremental", "incremental", a_day_of_work),
    ("full_with_deletions", "full", a_day_of_farewells),
    ("background", "background", nothing),
)
SIDE_BY_SIDE = frozenset({"background"})
"""Scenarios whose order of changes is a matter of chance."""


BACKGROUND_STEP = 4


def points(lane: Lane, order: Order) -> Iterator[dict[str, Any]]:
    """Go through the scenarios up to the last one that is wanted, stopping at each boundary that is ours."""
    lane.must(lane.connect)
    wanted = set(order.scenarios)
    for scenario, kind, edit in SCENARIOS:
        edit(lane.simulator)
        lane.must(partial(lane.prepare, scenario, kind))
        lane.requests()
        whole = lane.must(partial(lane.run, Step(scenario)))
        needed, names = Counter(whole["requests"]), whole["boundaries"]
        if scenario in wanted:
            yield {"scenario": scenario, "outcome": whole["outcome"], "boundaries": len(names)}
            stop = _pauses if order.mode == "pause" else _stops
            step = order.step * (BACKGROUND_STEP if kind == "background" else 1)
            for point, asked, found in stop(lane, scenario, range(order.first, len(names), step), whole["digest"]):
                pages, extra = again(asked, needed)
                yield {
                    "scenario": scenario,
                    "point": point,
                    "at": names[point],
                    "is_same": found.pop("digest", None) == whole["digest"],
                    "pages_again": pages,
                    "requests_again": extra,
                    **found,
                }
        wanted.discard(scenario)
        if not wanted:
            return
        # The next scenario begins where an unbroken run of this one ends.
        lane.must(partial(lane.run, Step(scenario, is_fresh=True)))


Found = Iterator[tuple[int, Counter[str], dict[str, Any]]]
"""The point, all that was asked for it, and what came out."""


def _stops(lane: Lane, scenario: str, ours: Sequence[int], digest: str) -> Found:
    """The worker or its database is killed, and another worker finishes: the one that is killed at the next point."""
    ended_by, told = lane.step(partial(lane.run, Step(scenario, ours[0], is_fresh=True)))
    for point, following in zip(ours, [*ours[1:], None], strict=True):
        first = told[-1] if told else {}
        asked = lane.requests() + Counter(first.get("requests", ()))
        then = Step(scenario, following, is_fresh=True) if following is not None else None
        next_ended_by, told = lane.step(partial(lane.run, Step(scenario, expects=digest), then))
        second = told.pop(0) if told else {}
        yield (
            point,
            asked + Counter(second.get("requests", ())),
            {"ended_by": ended_by, "first": first.get("outcome"), "error": first.get("error"), **_outcome(second)},
        )
        ended_by = next_ended_by


def _pauses(lane: Lane, scenario: str, ours: Sequence[int], digest: str) -> Found:
    """The worker is paused past its lease, another one finishes, the first one goes on."""
    for point in ours:
        process, told_by = lane.child(partial(lane.run, Step(scenario, point, is_fresh=True)))
        _, status = os.waitpid(process, os.WUNTRACED)
        was_stopped = os.WIFSTOPPED(status)
        asked = lane.requests()
        second = lane.must(partial(lane.run, Step(scenario, expects=digest)))
        os.kill(process, signal.SIGCONT)
        [first] = told_by()
        os.waitpid(process, 0)
        after = lane.must(partial(lane.look, scenario))
        # What the first worker asks when it wakes says nothing about what a crash costs.
        lane.requests()
        yield (
            point,
            asked + Counter(second["requests"]),
            {
                "was_stopped": was_stopped,
                "first": first.get("outcome"),
                "error": first.get("error"),
                "changed_nothing": after["digest"] == second.get("digest"),
                **_outcome(second),
            },
        )


def _outcome(told: dict[str, Any]) -> dict[str, Any]:
    return {
        "outcome": told.get("outcome"),
        "digest": told.get("digest"),
        "differences": told.get("differences") or (told.get("error") if told.get("outcome") == "RAISED" else None),
    }


def main() -> None:
    order = Order(**json.loads(sys.argv[1]))
    personio_client.PAGE_SIZE = PAGE_SIZE
    # A run has the same commits however slow the machine is; nobody takes over before the worker has been stopped.
    lease.HEARTBEAT_SECONDS = 3600.0
    # Children are short-lived, and must not copy this process's memory only to look for garbage in it.
    gc.disable()
    gc.freeze()
    with Path(order.folder, TOLD).open("w") as report:
        for told in points(Lane(order), order):
            report.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
