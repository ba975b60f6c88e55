"""Reading: our list page against the same bytes from memory, and against the usual way to write such a list."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from benchmarks.competitor.filling import comparable, fill
from benchmarks.competitor.server import cursor_after
from benchmarks.figures import Aim, Report, Spread
from benchmarks.processes import BenchmarkFailed, Child, CpuMeter, settle
from benchmarks.stage import Connected, Stage, company, get, page_path

PAGE_SIZE = 250
CONSTANT, OURS, COMPETITOR = "constant body", "Atsumi", "FastAPI + ORM"
LEAST_OF_CONSTANT = 0.15
LEAST_TIMES_COMPETITOR = 25.0
_STRIDE = 50
"""Records between two places at which a page may begin."""


@dataclass(frozen=True, slots=True)
class Options:
    """How much is read. ``rounds`` measure every server with every number of clients once."""

    applications: int = 20_000
    rounds: int = 5
    seconds: float = 2.0
    clients: Sequence[int] = (1, 8)


@dataclass(frozen=True, slots=True)
class _Server:
    name: str
    child: Child
    base_url: str
    paths: Sequence[str]

    @property
    def port(self) -> int:
        return int(self.base_url.rpartition(":")[2])


def measure(ground: Stage, options: Options, say: Callable[[str], None]) -> Report:
    """Set everything up, measure, and take it down."""
    with ExitStack() as running:
        say(f"reads: a company with {options.applications:,} applications is made and synced")
        with company(ground.folder, options.applications) as simulated:
            connected = ground.connect(simulated, "reads")
            ground.sync(connected, "full")

        def start(name: str, *arguments: str) -> Child:
            # No worker: nothing but the pages is to be measured.
            return running.enter_context(
                Child(name, arguments, ground.folder, worker_enabled="false", log_level="warning")
            )

        constant_file = ground.folder / "page.json"
        constant_child = start(CONSTANT, "benchmarks.constant", str(constant_file))
        competitor_child = start(COMPETITOR, "benchmarks.competitor.server", ground.database_url)
        load = start("the load", "benchmarks.load")
        our_child = start(OURS, "atsumi.server", "serve", "--port", "0", "--data-dir", str(ground.data_dir))
        ours = _address(our_child)
        say("reads: the list is walked, and the other servers get the same data")
        documents, cursors = _walk(ours, connected)
        if len(documents) <= PAGE_SIZE + _STRIDE:
            raise BenchmarkFailed(f"{len(documents)} applications are no more than one page")
        begins = cursors[: (len(documents) - PAGE_SIZE) // _STRIDE]
        body = get(ours, page_path(PAGE_SIZE, begins[len(begins) // 2]), connected.headers)
        constant_file.write_bytes(body)
        ground.run(fill(ground.database_url, connected.integration.public_id, documents))
        ordered = sorted(documents, key=lambda one: (one["changed_at"], one["id"]))
        servers = [
            _Server(CONSTANT, constant_child, _address(constant_child), [page_path(PAGE_SIZE, None)]),
            _Server(OURS, our_child, ours, [page_path(PAGE_SIZE, one) for one in begins]),
            _Server(
                COMPETITOR,
                competitor_child,
                _address(competitor_child),
                [
                    page_path(PAGE_SIZE, cursor_after(datetime.fromisoformat(last["changed_at"]), last["id"]))
                    for last in ordered[_STRIDE - 1 : len(ordered) - PAGE_SIZE : _STRIDE]
                ],
            ),
        ]
        say("reads: every page is checked once")
        _check(servers, connected)
        rounds = _rounds(options, servers, load, ground, connected, say)
    return _report(options, rounds, len(body), len(begins))


def _address(server: Child) -> str:
    return server.line().removeprefix("Listening on ")


def _walk(base_url: str, connected: Connected) -> tuple[list[dict[str, Any]], list[str]]:
    """All applications in the list's order, and the cursors after every ``_STRIDE`` of them."""
    documents: list[dict[str, Any]] = []
    cursors: list[str] = []
    cursor: str | None = None
    while True:
        data = json.loads(get(base_url, page_path(_STRIDE, cursor), connected.headers))["data"]
        documents += data["results"]
        cursor = data["next"]
        if cursor is None:
            return documents, cursors
        cursors.append(cursor)


def _check(servers: Sequence[_Server], connected: Connected) -> None:
    """Every page has its records, and the competitor shows each application as we do."""
    seen: dict[str, dict[str, Any]] = {}
    for server in servers:
        for path in server.paths:
            data = json.loads(get(server.base_url, path, connected.headers))["data"]
            if len(data["results"]) != PAGE_SIZE:
                raise BenchmarkFailed(f"{server.name}: {len(data['results'])} records instead of {PAGE_SIZE}: {path}")
            for one in data["results"]:
                if server.name == OURS:
                    seen[one["id"]] = comparable(one)
                elif server.name == COMPETITOR and seen.get(one["id"], (found := comparable(one))) != found:
                    raise BenchmarkFailed(f"{server.name} shows application {one['remote_id']} differently")


def _rounds(
    options: Options,
    servers: Sequence[_Server],
    load: Child,
    ground: Stage,
    connected: Connected,
    say: Callable[[str], None],
) -> list[dict[str, Any]]:
    found = []
    for number in range(options.rounds):
        say(f"reads: round {number + 1} of {options.rounds}")
        for clients in options.clients:
            # Another order each time, so that no server always follows the same neighbour.
            order = random.Random(number * 100 + clients).sample(list(servers), len(servers))  # noqa: S311 -- the order of measuring
            for server in order:
                settle(0.3)
                meter = CpuMeter({"server": server.child.pid, "postgres": ground.postmaster})
                meter.start()
                result = load.ask(
                    {
                        "port": server.port,
                        "paths": server.paths,
                        "headers": connected.headers,
                        "clients": clients,
                        "seconds": options.seconds,
                        "seed": number,
                    }
                )
                cpu = meter.read()
                if result["refused"]:
                    raise BenchmarkFailed(f"{server.name}: {result['refused']} pages were not answered with 200")
                found.append({"round": number, "server": server.name, "clients": clients, **result, "cpu": cpu})
    return found


def _report(options: Options, rounds: Sequence[dict[str, Any]], size: int, places: int) -> Report:
    def of(server: str, clients: int) -> list[dict[str, Any]]:
        return [one for one in rounds if one["server"] == server and one["clients"] == clients]

    def rates(server: str, clients: int) -> list[float]:
        return [one["pages"] / one["seconds"] for one in of(server, clients)]

    def ratio(server: str, to: str, clients: int) -> Spread:
        return Spread.of([a / b for a, b in zip(rates(server, clients), rates(to, clients), strict=True)])

    def milliseconds(server: str, clients: int, quantile: str) -> str:
        return f"{Spread.of([one[quantile] * 1000 for one in of(server, clients)]).middle:,.1f}"

    def cpu(server: str, clients: int, process: str) -> str:
        spent = [one["cpu"][process] * 1000 / one["pages"] for one in of(server, clients)]
        return f"{Spread.of(spent).middle:.2f}"

    def row(server: str, clients: int) -> list[str]:
        return [
            f"{server}, {clients} client{'s' if clients > 1 else ''}",
            Spread.of(rates(server, clients)).spelled("{:,.1f}" if server == COMPETITOR else "{:,.0f}"),
            milliseconds(server, clients, "p50"),
            milliseconds(server, clients, "p99"),
            f"{cpu(server, clients, 'server')} + {cpu(server, clients, 'postgres')}",
            "" if server == CONSTANT else ratio(server, CONSTANT, clients).spelled("{:.3f}"),
            "" if server == COMPETITOR else ratio(server, COMPETITOR, clients).spelled("{:,.1f}"),
        ]

    most = options.clients[-1]
    of_constant = ratio(OURS, CONSTANT, most)
    of_competitor = ratio(OURS, COMPETITOR, most)
    return Report(
        title=f"Reading a page of {PAGE_SIZE} applications",
        columns=[
            "",
            "pages/s",
            "p50\nms",
            "p99\nms",
            "CPU ms a page\nserver + PostgreSQL",
            "of the\nconstant body",
            "times\nFastAPI + ORM",
        ],
        rows=[row(server, clients) for clients in options.clients for server in (CONSTANT, OURS, COMPETITOR)],
        aims=[
            Aim(
                f"at least {LEAST_OF_CONSTANT} of the constant body, {most} clients",
                of_constant.spelled("{:.3f}"),
                of_constant.middle >= LEAST_OF_CONSTANT,
            ),
            Aim(
                f"at least {LEAST_TIMES_COMPETITOR:.0f} x FastAPI + ORM, {most} clients",
                of_competitor.spelled("{:,.1f} x"),
                of_competitor.middle >= LEAST_TIMES_COMPETITOR,
            ),
        ],
        notes=[
            f"{options.applications:,} applications, pages of about {size / 1000:,.0f} kB that begin at {places} "
            f"places, chosen at random; {options.rounds} rounds of {options.seconds:g} s for each server and number of "
            "clients, in changing order; ratios are taken within a round. Middle of all rounds (lowest to highest).",
        ],
        raw={"rounds": list(rounds), "page_bytes": size},
    )
