"""Two surfaces over the same records: how alike they read, and what the second one costs a first sync."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from benchmarks.figures import Aim, Report, Spread
from benchmarks.processes import BenchmarkFailed, Child, CpuMeter, settle
from benchmarks.stage import COUNTED, DIALECTS, Connected, Stage, company, get, page_path

PAGE_SIZE = 200
"""The largest page that both contracts allow."""
MOST_APART = 0.2
MOST_SLOWER = 1.25
LISTS = ("applications", "candidates", "jobs")
_FIRST_ONLY = DIALECTS[:1]


@dataclass(frozen=True, slots=True)
class Options:
    """How large the company is; ``rounds`` sync it once in each way and read each list once from each surface."""

    applications: int = 10_000
    rounds: int = 5
    seconds: float = 2.0
    clients: int = 8


def measure(ground: Stage, options: Options, say: Callable[[str], None]) -> Report:
    """Sync with one and with both surfaces in turn, then read the last company through both."""
    syncs: list[dict[str, Any]] = []
    connected: Connected | None = None
    for number in range(options.rounds):
        # The other order each time, so that neither way always meets the fuller database.
        for dialects in [_FIRST_ONLY, DIALECTS] if number % 2 == 0 else [DIALECTS, _FIRST_ONLY]:
            say(f"surfaces: round {number + 1} of {options.rounds}, a first sync for {' and '.join(dialects)}")
            with company(ground.folder, options.applications) as simulated:
                made = ground.connect(simulated, f"{number} {dialects}", dialects)
                ground.fetch("CHECKPOINT")
                syncs.append({"round": number, "surfaces": len(dialects), **ground.sync(made, "full", dialects)})
            connected = made if dialects == DIALECTS else connected
    if connected is None:
        raise BenchmarkFailed("there was no round")
    return _report(options, syncs, _read(ground, options, connected, say))


def _read(ground: Stage, options: Options, connected: Connected, say: Callable[[str], None]) -> list[dict[str, Any]]:
    found = []
    with ExitStack() as running:
        # A limit that nobody reaches: counting requests is part of the work.
        arguments = ["atsumi.server", "serve", "--port", "0", "--data-dir", str(ground.data_dir)]
        server = running.enter_context(
            Child(
                "Atsumi",
                arguments,
                ground.folder,
                worker_enabled="false",
                log_level="warning",
                requests_per_minute="1000000",
            )
        )
        load = running.enter_context(Child("the load", ["benchmarks.load"], ground.folder))
        address = server.line().removeprefix("Listening on ")
        meter = CpuMeter({"server": server.pid, "postgres": ground.postmaster})
        walks = {(surface, name): _paths(address, surface, name, connected) for surface in DIALECTS for name in LISTS}
        for number in range(options.rounds):
            say(f"surfaces: reading, round {number + 1} of {options.rounds}")
            for surface, name in random.Random(number).sample(sorted(walks), len(walks)):  # noqa: S311 -- the order of measuring
                settle(0.3)
                paths, size = walks[surface, name]
                meter.start()
                result = load.ask(
                    {
                        "port": int(address.rpartition(":")[2]),
                        "paths": paths,
                        "headers": _headers(surface, connected),
                        "clients": options.clients,
                        "seconds": options.seconds,
                        "seed": number,
                    }
                )
                if result["refused"]:
                    raise BenchmarkFailed(f"{surface}: {result['refused']} pages were not answered with 200")
                found.append(
                    {"round": number, "surface": surface, "list": name, "bytes": size, "cpu": meter.read(), **result}
                )
    return found


def _headers(surface: str, connected: Connected) -> dict[str, str]:
    return connected.headers if surface == "kombo" else connected.bindbee_headers


def _paths(address: str, surface: str, name: str, connected: Connected) -> tuple[list[str], int]:
    """The addresses of all pages of a list, and the mean size of a page in bytes."""
    base = page_path(PAGE_SIZE, None, name) if surface == "kombo" else f"/api/ats/v1/{name}?page_size={PAGE_SIZE}"
    paths, sizes = [base], []
    while True:
        body = get(address, paths[-1], _headers(surface, connected))
        sizes.append(len(body))
        page = json.loads(body)
        following = page["data"]["next"] if surface == "kombo" else page["cursor"]
        if following is None:
            break
        paths.append(f"{base}&cursor={following}")
    # The last page is shorter than the others.
    return (paths[:-1] or paths), sum(sizes[:-1] or sizes) // len(sizes[:-1] or sizes)


def _report(options: Options, syncs: Sequence[dict[str, Any]], reads: Sequence[dict[str, Any]]) -> Report:
    def rates(surface: str, name: str) -> list[float]:
        return [one["pages"] / one["seconds"] for one in reads if (one["surface"], one["list"]) == (surface, name)]

    def ratio(name: str) -> Spread:
        return Spread.of([b / a for a, b in zip(rates("kombo", name), rates("bindbee", name), strict=True)])

    def cpu(surface: str, name: str) -> str:
        spent = [
            sum(one["cpu"].values()) * 1000 / one["pages"]
            for one in reads
            if (one["surface"], one["list"]) == (surface, name)
        ]
        return f"{Spread.of(spent).middle:.2f}"

    def kilobytes(surface: str, name: str) -> str:
        return f"{next(one['bytes'] for one in reads if (one['surface'], one['list']) == (surface, name)) / 1000:,.0f}"

    def seconds(surfaces: int, of: str) -> list[float]:
        return [one[of] for one in syncs if one["surfaces"] == surfaces]

    def slower(of: str) -> Spread:
        return Spread.of([both / one for one, both in zip(seconds(1, of), seconds(2, of), strict=True)])

    rows = [
        [
            name,
            Spread.of(rates("kombo", name)).spelled("{:,.0f}"),
            Spread.of(rates("bindbee", name)).spelled("{:,.0f}"),
            f"{kilobytes('kombo', name)} / {kilobytes('bindbee', name)}",
            f"{cpu('kombo', name)} / {cpu('bindbee', name)}",
            ratio(name).spelled("{:.2f}"),
        ]
        for name in LISTS
    ]
    rows.append(
        [
            "first sync, seconds",
            Spread.of(seconds(1, "seconds")).spelled("{:.1f}"),
            Spread.of(seconds(2, "seconds")).spelled("{:.1f}"),
            "",
            "",
            slower("seconds").spelled("{:.2f}"),
        ]
    )
    records = sum(syncs[-1]["records"][stream] for stream in COUNTED)
    slowest = min(ratio(name).middle for name in LISTS)
    return Report(
        title=f"Two surfaces: pages of {PAGE_SIZE} at {options.clients} clients, and a first sync with one or both",
        columns=[
            "",
            "Kombo\npages/s",
            "Bindbee\npages/s",
            "kB a page\nboth",
            "CPU ms a page\nboth",
            "Bindbee\nto Kombo",
        ],
        rows=rows,
        aims=[
            Aim(
                f"no list of the second surface more than {MOST_APART:.0%} slower",
                f"{slowest:.2f}",
                slowest >= 1 - MOST_APART,
            ),
            Aim(
                f"a first sync for both at most {MOST_SLOWER} x one",
                slower("seconds").spelled("{:.2f} x"),
                slower("seconds").middle < MOST_SLOWER,
            ),
        ],
        notes=[
            f"{records:,} records; {options.rounds} rounds. The first sync's columns are Kombo alone and both. "
            "Bindbee's documents hold ids where Kombo's hold the related record. A page that is smaller by contract "
            "may well be faster, so the aim asks only that neither surface is slow for what it sends.",
        ],
        raw={"syncs": list(syncs), "reads": list(reads)},
    )
