"""The generated company: the same every time, believable, and quick to make at any size."""

from __future__ import annotations

import sys
import tracemalloc
from datetime import UTC, datetime
from types import FrameType
from typing import Any

import pytest

from atsumi.connectors.personio.simulator import Simulator
from atsumi.connectors.personio.tests.simulator_kit import Probe, simulated


def test_the_same_seed_gives_the_same_company() -> None:
    assert Simulator(applications=60).state() == Simulator(applications=60).state()
    assert Simulator(applications=60).credentials() == Simulator(applications=9).credentials()
    other = Simulator(applications=60, seed=2)
    assert other.state() != Simulator(applications=60).state()
    assert other.credentials()["client_id"] != Simulator().credentials()["client_id"]


@pytest.mark.parametrize("applications", [0, 1, 7, 400])
def test_a_company_of_any_size_is_consistent(applications: int) -> None:
    state = simulated(applications).state()
    jobs = {item["id"]: item for item in state["jobs"]}
    candidates = {item["id"]: item for item in state["candidates"]}
    stages = {item["id"] for item in state["stages"]}
    persons = {item["id"] for item in state["persons"]}
    assert len(state["applications"]) == applications
    assert any(item["is_published"] for item in jobs.values())
    for item in state["applications"]:
        assert jobs[item["job_id"]]["created_at"] <= item["created_at"] <= item["updated_at"]
        assert item["id"] in candidates[item["candidate_id"]]["applications"]
        assert item["stage"] in stages
        assert item["application_date"] <= item["created_at"][:10]
        assert item["updated_at"] < "2026-11-02T06"
    pairs = [(candidates[item["candidate_id"]]["email"], item["job_id"]) for item in state["applications"]]
    assert len(pairs) == len(set(pairs))
    assert len({item["email"] for item in candidates.values()}) == len(candidates)
    for item in candidates.values():
        assert item["email"].isascii()
        assert item["email"].rpartition("@")[2].endswith(("example", "example.com", "example.org", "example.net"))
    assert {member["person_id"] for job in jobs.values() for member in job["hiring_team"]} <= persons
    latest: dict[str, tuple[str, str]] = {}
    for entry in state["transitions"]:
        at, _ = latest.get(entry["application_id"], ("", ""))
        assert entry["entered_at"] > at
        latest[entry["application_id"]] = (entry["entered_at"], entry["stage"])
    for item in state["applications"]:
        assert latest[item["id"]][1] == item["stage"]


def test_the_company_is_varied() -> None:
    state = simulated(400).state()
    assert {item["stage"] for item in state["applications"]} >= {
        "rejected",
        "withdrawn",
        "offer",
        "accepted",
        "unassigned",
    }
    assert any(len(item["applications"]) > 2 for item in state["candidates"])
    assert any(not item["first_name"].isascii() for item in state["candidates"])
    for field in ("gender", "phone", "location", "birthday", "linkedin_profile", "available_from"):
        assert {item[field] is None for item in state["candidates"]} == {True, False}
    assert {item["channel"] is None for item in state["applications"]} == {True, False}
    assert {bool(item["hiring_team"]) for item in state["jobs"]} == {True, False}
    assert {item["is_published"] for item in state["jobs"]} == {True, False}


async def test_a_page_of_a_large_company_takes_no_more_work_than_one_of_a_small_one() -> None:
    async def steps(applications: int) -> int:
        """Lines of Python that four pages take."""
        probe = Probe(simulated(applications))
        url = "/v2/recruiting/applications?limit=200"
        # What is made once, and kept, is made now.
        await probe.data(url)
        count = 0

        def trace(frame: FrameType, event: str, argument: object) -> Any:
            nonlocal count
            count += 1
            return trace

        traced = sys.gettrace()
        sys.settrace(trace)
        try:
            for _ in range(4):
                page = await probe.data(url)
                assert len(page["_data"]) == 200
                url = page["_meta"]["links"]["next"]["href"]
        finally:
            sys.settrace(traced)
        return count

    assert await steps(20_000) < 1.2 * await steps(2_000)


def test_an_application_costs_about_a_kilobyte() -> None:
    tracemalloc.start()
    kept = Simulator(applications=3000)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(kept.company.applications) == 3000
    assert size / 3000 < 2000


def test_a_running_clock_follows_the_machine_and_can_be_moved() -> None:
    clock = Simulator(applications=1).clock
    assert abs((clock.now() - datetime.now(UTC)).total_seconds()) < 5
    clock.advance(3600)
    assert 3500 < (clock.now() - datetime.now(UTC)).total_seconds() < 3700
    clock.set(datetime(2027, 1, 1))  # noqa: DTZ001 - a naive instant is read as UTC
    assert clock.advance(1) == datetime(2027, 1, 1, 0, 0, 1, tzinfo=UTC)
