"""Memory: the highest resident size of a syncing process, for a small and a ten times larger company."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.figures import Aim, Report, Spread
from benchmarks.stage import COUNTED, Stage, company

MOST_TIMES_SMALL = 1.15


@dataclass(frozen=True, slots=True)
class Options:
    """Sizes in applications; ``repeats`` are first syncs of the small one and of the large one."""

    small: int = 20_000
    large: int = 200_000
    repeats: tuple[int, int] = (3, 1)


def measure(ground: Stage, options: Options, say: Callable[[str], None]) -> Report:
    """A fresh process and a newly connected integration for each sync."""
    found: list[dict[str, Any]] = []
    for size, repeats in zip((options.small, options.large), options.repeats, strict=True):
        say(f"memory: {size:,} applications, {repeats} x")
        with company(ground.folder, size) as simulated:
            for number in range(repeats):
                result = ground.sync(ground.connect(simulated, f"{size} {number}"), "full")
                found.append({**result, "applications": size, "company": simulated.counts})
    return report(options, found)


def report(options: Options, found: Sequence[dict[str, Any]]) -> Report:
    """What the syncs of both sizes say."""

    def peaks(size: int) -> list[float]:
        return [one["peak_mb"] for one in found if one["applications"] == size]

    rows = []
    for size in (options.small, options.large):
        of_size = [one for one in found if one["applications"] == size]
        rows.append(
            [
                f"{size:,} applications",
                f"{sum(of_size[0]['company'][stream] for stream in COUNTED):,}",
                Spread.of([one["resident_before_mb"] for one in of_size]).spelled("{:.1f}"),
                Spread.of(peaks(size)).spelled("{:.1f}"),
            ]
        )
    times = Spread.of(peaks(options.large)).middle / Spread.of(peaks(options.small)).middle
    return Report(
        title="Memory of a first sync",
        columns=["", "records", "MB before it begins", "MB at its highest"],
        rows=rows,
        aims=[
            Aim(
                f"{options.large:,} within {MOST_TIMES_SMALL - 1:.0%} of {options.small:,} applications",
                f"{times - 1:+.1%}",
                times <= MOST_TIMES_SMALL,
            )
        ],
        notes=["Highest resident size of the syncing process (VmHWM); PostgreSQL and the simulator are others."],
        raw={"syncs": list(found)},
    )
