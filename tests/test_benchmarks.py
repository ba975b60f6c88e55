"""The benchmarks still run. No figure is checked: a shared machine would decide."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

ROOT = Path(__file__).parent.parent
# The package stands beside the tests, not among the installed ones.
sys.path.insert(0, str(ROOT))

from benchmarks import memory, reads, surfaces, syncs  # noqa: E402 -- the folder is put on the path above
from benchmarks.__main__ import arguments, parts, show  # noqa: E402 -- the folder is put on the path above
from benchmarks.figures import Report, Spread  # noqa: E402 -- the folder is put on the path above
from benchmarks.processes import cpu_seconds, peak_megabytes  # noqa: E402 -- the folder is put on the path above
from benchmarks.stage import Stage, stage  # noqa: E402 -- the folder is put on the path above


def _quiet(_: str) -> None:
    """Nobody watches."""


def _shown(report: Report) -> str:
    console = Console(file=io.StringIO(), width=200)
    show(console, report)
    json.dumps(report.raw)
    text = console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO, made above
    assert text
    return text


@pytest.fixture(scope="module")
def ground() -> Iterator[Stage]:
    with stage() as made:
        yield made


def test_pages_are_read_from_all_three_servers(ground: Stage) -> None:
    options = reads.Options(applications=350, rounds=1, seconds=0.05, clients=(1, 2))
    text = _shown(reads.measure(ground, options, _quiet))
    for server in ("constant body", "Atsumi", "FastAPI + ORM"):
        assert f"{server}, 2 clients" in text


def test_both_surfaces_are_read_and_synced(ground: Stage) -> None:
    report = surfaces.measure(ground, surfaces.Options(applications=250, rounds=1, seconds=0.05, clients=2), _quiet)
    text = _shown(report)
    assert "first sync" in text
    assert {(one["surface"], one["list"]) for one in report.raw["reads"]} == {
        (surface, name) for surface in ("kombo", "bindbee") for name in surfaces.LISTS
    }
    assert [one["surfaces"] for one in report.raw["syncs"]] == [1, 2]


def test_an_unchanged_sync_rewrites_nothing_and_a_changed_one_little(ground: Stage) -> None:
    report = syncs.measure(ground, syncs.Options(applications=120, rounds=1), _quiet)
    _shown(report)
    first, unchanged, changed = report.raw["phases"]
    assert first["rows_written"]["raw_record"] > report.raw["records"]
    assert sum(unchanged["rows_written"].values()) == 0
    assert 0 < changed["rows_written"]["raw_record"] < 20
    # The memory of syncs is told from results of the same shape.
    small, large = (
        {**one, "applications": size, "company": one["records"]} for one, size in ((first, 10), (changed, 30))
    )
    assert "30 applications" in _shown(memory.report(memory.Options(small=10, large=30), [small, large]))


def test_a_part_can_be_chosen_and_the_rest_is_left_out() -> None:
    assert list(parts(arguments([]))) == ["reads", "syncs", "surfaces", "memory"]
    assert list(parts(arguments(["--quick", "--only", "syncs"]))) == ["syncs"]


def test_a_spread_shows_its_range_only_if_there_is_one() -> None:
    assert Spread.of([3.0, 1.0, 2.0]).spelled("{:.0f}") == "2 (1 to 3)"
    assert Spread.of([2.0]).spelled("{:.0f}") == "2"


def test_processor_time_counts_ended_children() -> None:
    before = cpu_seconds(os.getpid())
    subprocess.run([sys.executable, "-c", "sum(range(3_000_000))"], check=True)
    assert cpu_seconds(os.getpid()) - before > 0.02
    assert peak_megabytes() > 10
