"""`python -m benchmarks`: everything that `make bench` prints."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from atsumi.server.logging import configure_logging
from atsumi.store.postgres_binaries import find_binaries
from benchmarks import memory, reads, surfaces, syncs
from benchmarks.figures import Report
from benchmarks.processes import BenchmarkFailed
from benchmarks.stage import Stage, stage

PARTS = ("reads", "syncs", "surfaces", "memory")

Part = Callable[[Stage, Callable[[str], None]], Report]
"""One benchmark: measures on a stage of its own, and says what it is doing."""


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Ratios to baselines of the same run.")
    parser.add_argument("--applications", type=int, help="size of the company that is read and synced")
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds: shows that it works")
    parser.add_argument("--only", choices=PARTS, help="one part")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every measured value")
    return parser.parse_args(given)


def parts(chosen: argparse.Namespace) -> dict[str, Part]:
    """What is measured, by name, in order."""
    size: int | None = chosen.applications
    if chosen.quick:
        small = size or 2_000
        read = reads.Options(applications=small, rounds=2, seconds=0.5)
        sync = syncs.Options(applications=small, rounds=1)
        beside = surfaces.Options(applications=small, rounds=2, seconds=0.5)
        remember = memory.Options(small=small, large=10 * small, repeats=(1, 1))
    else:
        read = reads.Options(applications=size or 20_000)
        sync = syncs.Options(applications=size or 50_000)
        beside = surfaces.Options(applications=size or 10_000)
        remember = memory.Options(small=size or 20_000, large=10 * (size or 20_000))
    made: dict[str, Part] = {
        "reads": lambda ground, say: reads.measure(ground, read, say),
        "syncs": lambda ground, say: syncs.measure(ground, sync, say),
        "surfaces": lambda ground, say: surfaces.measure(ground, beside, say),
        "memory": lambda ground, say: memory.measure(ground, remember, say),
    }
    return {name: part for name, part in made.items() if chosen.only in (None, name)}


def machine() -> dict[str, str]:
    """What the figures depend on."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "unknown"
    )
    total = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {
        "processor": f"{os.cpu_count()} cores, {model}",
        "memory": f"{total / 2**20:.0f} GiB",
        "PostgreSQL": f"{find_binaries(None).version}, embedded, as the product sets it up",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.release()}",
        "load before": " ".join(f"{value:.2f}" for value in os.getloadavg()),
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()


def show(console: Console, report: Report) -> None:
    """Print one part."""
    table = Table(title=report.title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for index, column in enumerate(report.columns):
        table.add_column(column, justify="left" if index == 0 else "right", header_style="dim", overflow="fold")
    for row in report.rows:
        table.add_row(*row)
    console.print(table)
    for aim in report.aims:
        mark = "[green]met[/green]" if aim.is_met else "[yellow]missed[/yellow]"
        console.print(f"  aim {mark}: {aim.text}: {aim.measured}")
    for note in report.notes:
        console.print(f"  {note}", style="dim")
    console.print()


def main() -> int:
    """Measure and print; the status is 0 whether or not the aims are met, 1 when something could not be measured."""
    chosen = arguments()
    configure_logging("warning", "console")
    # Away from a terminal Rich assumes 80 columns, which is too narrow for figures with their ranges.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    progress = Console(stderr=True, highlight=False)
    facts = machine()
    reports: dict[str, Report] = {}
    failures: dict[str, str] = {}
    try:
        for name, part in parts(chosen).items():
            with progress.status(name) as status:
                say = status.update if progress.is_terminal else progress.print
                try:
                    with stage() as ground:
                        reports[name] = part(ground, lambda text, say=say: say(text))  # type: ignore[misc]  # a lambda's default has no annotation
                except BenchmarkFailed as error:
                    failures[name] = str(error)
    except KeyboardInterrupt:
        return 130
    console.print()
    for report in reports.values():
        show(console, report)
    for name, reason in failures.items():
        console.print(f"[bold red]not measured[/bold red]: {name}: {escape(reason)}\n", soft_wrap=True)
    for name, fact in facts.items():
        console.print(f"  {name:<12} {fact}", style="dim")
    again = shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]])
    left_out = [name for name in PARTS if name not in (*reports, *failures)]
    if left_out:
        console.print(f"  left out     {', '.join(left_out)} (--only {chosen.only})", style="dim")
    if chosen.quick:
        console.print("  quick        small sizes and few rounds: no figure to quote", style="dim")
    console.print(f"  again        {again}", style="dim")
    if chosen.json is not None:
        content = {"machine": facts, "command": again, "reports": {name: asdict(one) for name, one in reports.items()}}
        chosen.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
