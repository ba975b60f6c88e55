"""Whatever is killed, and wherever: the result is that of a run that nobody disturbed.

The matrix kills a worker before and after every commit of a first full sync, of an incremental one after a day's work,
and of a full one that has deletions to prove, and at every fourth in the background. It reads without fetching ahead,
so that "at most one page is read again" can be counted exactly; what is fetched ahead is lost on top of that.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from atsumi.store.embedded import EmbeddedPostgres
from harness import new_database

WORKER = Path(__file__).with_name("crash_worker.py")
SCENARIOS = ("first_full", "incremental", "full_with_deletions")
LANES = max(2, min(4, os.cpu_count() or 2))
LEAST_POINTS = 200
DEADLINE_SECONDS = 1800.0

Told = list[dict[str, Any]]


async def lane(url: str, folder: Path, **order: Any) -> Told:
    """Run one lane to its end and return what it told."""
    folder.mkdir()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(WORKER),
        json.dumps({"url": url, "folder": str(folder), **order}),
        # The harness and the kits of these tests; the product comes from the environment.
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            printed, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, printed.decode()[-4000:]
    return [json.loads(line) for line in (folder / "told.jsonl").read_text().splitlines()]


@asynccontextmanager
async def databases(server: str, count: int) -> AsyncIterator[Sequence[str]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(new_database(server)) for _ in range(count)]


def split(told: Told) -> tuple[Told, Told]:
    """(scenarios, points)."""
    return [one for one in told if "point" not in one], [one for one in told if "point" in one]


@pytest.mark.chaos
async def test_a_worker_killed_at_any_commit_boundary_loses_and_doubles_nothing(
    postgres_dsn: str, tmp_path: Path
) -> None:
    async with databases(postgres_dsn, LANES) as urls:
        lanes = [
            lane(url, tmp_path / f"lane-{n}", mode="kill", first=n, step=LANES, scenarios=[*SCENARIOS, "background"])
            for n, url in enumerate(urls)
        ]
        told = await asyncio.gather(*lanes)
    whole, points = split([one for found in told for one in found])
    foreground = [one for one in points if one["scenario"] != "background"]

    boundaries = {one["scenario"]: one["boundaries"] for one in whole if one["scenario"] != "background"}
    assert {(one["scenario"], one["outcome"]) for one in whole} == {
        (name, "SUCCEEDED") for name in (*SCENARIOS, "background")
    }
    assert {(one["scenario"], one["point"]) for one in foreground} == {
        (name, point) for name, count in boundaries.items() for point in range(count)
    }
    assert len(foreground) >= LEAST_POINTS, boundaries
    assert_unharmed(foreground)

    # Streams of the background are read side by side, so how many boundaries there are is not always the same.
    background = [one for one in points if one["scenario"] == "background"]
    reached = [one for one in background if one["ended_by"]]
    assert all(one["first"] == "SUCCEEDED" for one in background if not one["ended_by"])
    assert len(reached) >= 15
    assert_unharmed(reached)
    print(f"{len(foreground)} kill points: {boundaries}, and {len(reached)} in the background")


def assert_unharmed(points: Told) -> None:
    """Each was killed, and what another worker made of it is what an unbroken run makes."""
    for one in points:
        assert one["ended_by"] == 9, one
        assert one["outcome"] in ("SUCCEEDED", "ENDED ALREADY"), one
        assert one["is_same"], "\n".join(f"{name}: {value}" for name, value in one.items())
        assert one["pages_again"] <= 1, one
    # Near the end of a run there is nothing left to do; nowhere else.
    assert sum(one["outcome"] == "ENDED ALREADY" for one in points) <= 12


@pytest.mark.chaos
async def test_a_worker_paused_past_its_lease_writes_nothing_when_it_wakes(postgres_dsn: str, tmp_path: Path) -> None:
    async with databases(postgres_dsn, 1) as [url]:
        told = await lane(
            url, tmp_path / "lane", mode="pause", first=1, step=13, scenarios=["first_full", "full_with_deletions"]
        )
    _, points = split(told)

    assert len(points) >= 10
    for one in points:
        assert one["was_stopped"], one
        assert one["outcome"] in ("SUCCEEDED", "ENDED ALREADY"), one
        assert one["is_same"], one
        assert one["changed_nothing"], one
        assert one["pages_again"] <= 1, one
        if one["first"] == "RAISED":
            # In the middle of a transaction, the server has hung up.
            assert any(word in one["error"] for word in ("connection is closed", "connection was closed")), one
        elif one["outcome"] == "SUCCEEDED":
            assert one["first"] == "LOST", one
    assert {one["first"] for one in points} >= {"LOST", "RAISED"}


@pytest.mark.chaos
async def test_a_database_killed_in_the_middle_of_a_run_loses_and_doubles_nothing(
    data_folder: Path, tmp_path: Path
) -> None:
    # fsync guards against the machine's crash; a killed process loses nothing that it wrote.
    async with EmbeddedPostgres(data_folder, settings={"fsync": "off"}) as server:
        told = await lane(
            server.dsn,
            tmp_path / "lane",
            mode="database",
            first=10,
            step=27,
            scenarios=["first_full", "full_with_deletions"],
            pid_file=str(data_folder / "postgres/data/postmaster.pid"),
        )
    _, points = split(told)

    assert len(points) >= 5
    for one in points:
        assert one["first"] == "RAISED", one
        assert one["outcome"] == "SUCCEEDED", one
        assert one["is_same"], one
        assert one["pages_again"] <= 1, one
