"""Schedules: exact instants over days, jitter, catching up, fairness, priorities, calling off, refused credentials."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from atsumi.errors import StaleToken
from atsumi.server.runtime import Runtime, run_time
from atsumi.store import queue, runs, schedules, tenants
from harness import new_database, product_settings
from schedule_kit import DAY, HOUR, MINUTE, Timeline, gaps

START = datetime(2031, 3, 1, 6, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
async def runtime(postgres_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Runtime]:
    """A database of its own: a tick looks at every integration there is."""
    folder: Path = tmp_path_factory.mktemp("schedules")
    async with new_database(postgres_dsn) as url, run_time(product_settings(url, folder)) as running:
        yield running


@pytest.fixture
async def timeline(runtime: Runtime) -> AsyncIterator[Timeline]:
    yield Timeline(runtime, START)
    await runtime.pool.execute("UPDATE integration SET deleted_at = now() WHERE deleted_at IS NULL")


# The rules as pure functions.

INTERVALS = some.timedeltas(min_value=MINUTE, max_value=30 * DAY)
MOMENTS = some.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=some.just(UTC))  # noqa: DTZ001 -- the strategy adds the zone


@given(some.integers(1, 10**9), INTERVALS, MOMENTS, some.timedeltas(timedelta(0), 40 * DAY))
def test_the_next_run_is_an_interval_after_the_start_give_or_take_ten_percent(
    number: int, interval: timedelta, start: datetime, took: timedelta
) -> None:
    due = schedules.after_run(number, "full", interval, start, start + took)
    assert due == schedules.after_run(number, "full", interval, start, start + took)
    assert due >= start + interval * 0.9 - SECOND
    assert due >= start + took + interval * 0.1 - SECOND
    if took < interval / 2:
        assert due <= start + interval * 1.1 + SECOND


def test_two_thousand_integrations_connected_together_are_spread_over_half_an_interval() -> None:
    due = [schedules.after_connecting(number, "incremental", MINUTE, START) for number in range(2000)]
    per_second = Counter(int((at - START).total_seconds()) for at in due)
    assert set(per_second) == set(range(30, 60))
    assert max(per_second.values()) < 110


# Days on a virtual clock.


async def test_three_days_of_a_default_schedule_run_at_their_instants(timeline: Timeline) -> None:
    [number] = await timeline.connect()
    played = await timeline.play(3 * DAY)

    assert played[0].kind == "full"
    assert played[0].started_at == START, "the first sync begins at once"
    assert sum(one.kind == "full" for one in played) in (4, 5)
    assert 3 * 96 * 0.9 < len(played) < 3 * 96 * 1.1
    # A due time is found at the next tick, here once a minute.
    for earlier, later in pairwise(played[1:]):
        gap = later.started_at - earlier.started_at
        assert gap <= 15 * MINUTE * 1.1 + MINUTE
        assert later.kind == "full" or gap >= 15 * MINUTE * 0.9
    for gap in list(gaps(played, "full"))[1:]:
        assert DAY * 0.9 <= gap <= DAY * 1.1 + MINUTE
    row = await timeline.row(number)
    assert row.next_incremental_at is not None
    assert row.next_incremental_at > timeline.now


async def test_intervals_of_one_integration_take_effect_at_once(timeline: Timeline) -> None:
    [number] = await timeline.connect()
    await timeline.play(HOUR)
    await schedules.set_intervals(
        timeline.pool, number, full=6 * HOUR, incremental=timedelta(minutes=1), now=timeline.now
    )
    played = await timeline.play(8 * HOUR, step=timedelta(seconds=10))
    assert sum(one.kind == "full" for one in played) == 1
    assert len(played) > 400
    with pytest.raises(ValueError, match="one minute"):
        await schedules.set_intervals(timeline.pool, number, incremental=timedelta(seconds=59))


async def test_a_run_that_takes_longer_than_its_interval_leaves_a_pause(timeline: Timeline) -> None:
    await timeline.connect(incremental_interval=10 * MINUTE)
    timeline.duration = 25 * MINUTE
    played = await timeline.play(HOUR * 6, step=SECOND * 30)
    for earlier, later in pairwise(played[1:]):
        assert later.started_at >= earlier.ended_at + MINUTE


async def test_a_full_run_supersedes_the_increment_that_is_due_with_it(timeline: Timeline) -> None:
    [number] = await timeline.connect()
    await timeline.play(HOUR)
    timeline.now += 2 * DAY
    await schedules.request_due(timeline.pool, now=timeline.now)
    assert await timeline.open_runs(number) == ["full"]


async def test_a_manual_run_moves_the_schedule(timeline: Timeline) -> None:
    [number] = await timeline.connect()
    await timeline.play(HOUR)
    due = (await timeline.row(number)).next_incremental_at
    assert due is not None
    timeline.now = due - SECOND
    await runs.request_run(timeline.pool, number, "incremental", now=timeline.now)
    [run] = await timeline.due()
    await timeline.end(await timeline.claim(run))
    moved = (await timeline.row(number)).next_incremental_at
    assert moved is not None
    assert moved >= timeline.now + 15 * MINUTE * 0.9


async def test_after_a_week_of_downtime_each_integration_gets_one_run_and_they_are_spread(timeline: Timeline) -> None:
    numbers = await timeline.connect(200)
    await timeline.play(HOUR)
    timeline.now += 7 * DAY
    for _ in range(20):
        await schedules.request_due(timeline.pool, now=timeline.now)
    assert Counter(await _open(timeline)) == Counter(dict.fromkeys(numbers, 1))
    at_once = len(await timeline.due())
    assert at_once < 20, "nobody is rushed at the first instant"
    timeline.now += schedules.CATCH_UP
    assert len(await timeline.due()) == 200


async def test_ticks_of_several_processes_request_each_run_once(timeline: Timeline) -> None:
    numbers = await timeline.connect(100)
    await timeline.play(HOUR)
    timeline.now += 17 * MINUTE
    requested = await asyncio.gather(*(schedules.request_due(timeline.pool, now=timeline.now) for _ in range(8)))
    assert Counter(await _open(timeline)) == Counter(dict.fromkeys(numbers, 1))
    assert sum(requested) == 100


async def test_an_interrupted_request_leaves_neither_run_nor_moved_schedule(
    timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    [number] = await timeline.connect()
    await timeline.play(HOUR)
    before = await timeline.row(number)
    timeline.now += HOUR
    monkeypatch.setattr(schedules, "_requested", lambda one: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        await schedules.request_due(timeline.pool, now=timeline.now)
    monkeypatch.undo()
    assert await timeline.open_runs(number) == []
    assert await timeline.row(number) == before
    assert await schedules.request_due(timeline.pool, now=timeline.now) == 1


# Fairness and priorities.


async def test_tenants_take_turns_whatever_their_backlog(timeline: Timeline) -> None:
    await timeline.connect(60, environment="large")
    small = await timeline.connect(3, environment="small")
    await timeline.play(HOUR)
    timeline.now += HOUR
    await schedules.request_due(timeline.pool, now=timeline.now)
    timeline.now += schedules.CATCH_UP
    first = [run.integration for run in await timeline.due()][:6]
    assert set(small) < set(first)


async def test_first_syncs_of_one_tenant_leave_room_for_the_increments_of_another(timeline: Timeline) -> None:
    small = await timeline.connect(2, environment="steady")
    await timeline.play(HOUR)
    timeline.now += 17 * MINUTE
    await timeline.connect(50, environment="newcomer")
    await schedules.request_due(timeline.pool, now=timeline.now)
    timeline.now += schedules.CATCH_UP
    due = await timeline.due(long_limit=3)
    assert Counter(run.is_long for run in due) == {False: 2, True: 3}
    assert {run.integration for run in due if not run.is_long} == set(small)
    # Slots are full of long runs: increments still go, and no tenant has more than its share in flight.
    assert [run.is_long for run in await timeline.due(long_limit=0)] == [False, False]
    assert len(await timeline.due(tenant_limit=1)) == 2


async def test_urgent_runs_come_first_and_waiting_makes_urgent(timeline: Timeline) -> None:
    first, increment, wanted = await timeline.connect(3, environment="one")
    for number, kind, by in (
        (first, "full", "connect"),
        (increment, "incremental", "schedule"),
        (wanted, "incremental", "api"),
    ):
        await timeline.pool.execute("DELETE FROM sync_run WHERE integration = $1", number)
        await runs.request_run(timeline.pool, number, kind, requested_by=by, now=timeline.now)
    assert [run.integration for run in await timeline.due()] == [wanted, increment, first]
    timeline.now += 25 * MINUTE
    for number, by in ((increment, "schedule"), (wanted, "api")):
        await timeline.pool.execute("DELETE FROM sync_run WHERE integration = $1", number)
        await runs.request_run(timeline.pool, number, "full", requested_by=by, now=timeline.now)
    assert [run.integration for run in await timeline.due()] == [first, wanted, increment]


async def test_a_wish_hurries_a_run_that_waits_already(timeline: Timeline) -> None:
    [number] = await timeline.connect()
    run, was_waiting = await runs.request_run(timeline.pool, number, "full", requested_by="api", now=timeline.now)
    assert was_waiting
    assert run.requested_by == "connect"
    [due] = await timeline.due()
    assert due.urgency == schedules.ON_DEMAND


async def test_an_integration_has_one_run_at_a_time(timeline: Timeline) -> None:
    [number] = await timeline.connect()
    [run] = await timeline.due()
    await timeline.claim(run)
    other, _ = await runs.request_run(timeline.pool, number, "incremental", now=timeline.now)
    assert await timeline.due() == []
    assert await runs.claim_run(timeline.pool, other.id, now=timeline.now) is None


# Calling off, switching off.


async def test_a_cancelled_run_can_write_nothing_more_and_the_schedule_goes_on(timeline: Timeline) -> None:
    [number] = await timeline.connect()
    [run] = await timeline.due()
    claim = await timeline.claim(run)
    timeline.now += 5 * MINUTE

    assert await queue.cancel_runs(timeline.pool, number, "Called off.", now=timeline.now) == [run.id]

    with pytest.raises(StaleToken):
        await timeline.end(claim)
    ended = await runs.find_run(timeline.pool, run.id)
    assert ended is not None
    assert (ended.state, ended.ended_at, ended.message) == ("CANCELLED", timeline.now, "Called off.")
    assert await timeline.due() == []
    assert (await timeline.play(HOUR))[0].kind == "full", "nothing was read yet, so all of it is"


async def test_an_inactive_integration_has_no_runs_until_it_is_switched_on(timeline: Timeline) -> None:
    [number] = await timeline.connect()
    await timeline.play(HOUR)
    await runs.request_run(timeline.pool, number, "full", now=timeline.now)
    assert len(await queue.disable(timeline.pool, number, now=timeline.now)) == 1
    assert await timeline.play(2 * DAY) == []
    assert (await timeline.row(number)).state == "INACTIVE"
    await queue.enable(timeline.pool, number, now=timeline.now)
    played = await timeline.play(10 * MINUTE)
    assert [one.kind for one in played] == ["full"], "both were due, and the full run supersedes"


# Credentials that are refused.


async def test_credentials_refused_for_three_days_pause_the_integration_until_it_is_reconnected(
    timeline: Timeline,
) -> None:
    [number] = await timeline.connect(incremental_interval=MINUTE)
    await timeline.play(HOUR)
    timeline.state = lambda number, now: "AUTHENTICATION_FAILED"
    failing = await timeline.play(5 * DAY)

    row = await timeline.row(number)
    since = failing[0].ended_at
    assert row.state == "INVALID"
    assert row.authentication_failing_since == since
    assert row.state_reason is not None
    assert "customer" in row.state_reason
    assert 3 * DAY <= failing[-1].ended_at - since <= 3 * DAY + 20 * MINUTE
    assert all(gap >= 13 * MINUTE for gap in gaps(failing)), "each try costs a request and may lock an account"
    assert await runs.claim_run(timeline.pool, (await _request(timeline, number)).id, now=timeline.now) is None

    timeline.state = lambda number, now: "SUCCEEDED"
    await tenants.replace_credentials(timeline.pool, timeline.runtime.vault, row, {}, {})
    row = await timeline.row(number)
    assert (row.state, row.state_reason, row.authentication_failing_since) == ("ACTIVE", None, None)
    assert (await timeline.play(10 * MINUTE))[0].state == "SUCCEEDED"


async def test_any_success_clears_what_the_tool_refused(timeline: Timeline) -> None:
    [number] = await timeline.connect()
    await timeline.play(HOUR)
    states = iter(["AUTHENTICATION_FAILED"] * 100 + ["FAILED"] * 10 + ["SUCCEEDED"] * 10_000)
    timeline.state = lambda number, now: next(states)
    await timeline.play(20 * HOUR)
    assert (await timeline.row(number)).authentication_failing_since is not None
    await timeline.play(3 * DAY)
    row = await timeline.row(number)
    assert (row.state, row.authentication_failing_since) == ("ACTIVE", None)


async def test_a_first_sync_that_failed_is_tried_again_soon(timeline: Timeline) -> None:
    await timeline.connect()
    timeline.state = lambda number, now: "FAILED" if now < START + HOUR else "SUCCEEDED"
    played = await timeline.play(2 * HOUR)
    assert [one.kind for one in played if one.state == "FAILED"] == ["full"] * sum(
        one.state == "FAILED" for one in played
    )
    assert next(one for one in played if one.state == "SUCCEEDED").kind == "full"


async def _request(timeline: Timeline, number: int) -> runs.Run:
    run, _ = await runs.request_run(timeline.pool, number, "full", now=timeline.now)
    return replace(run)


async def _open(timeline: Timeline) -> list[int]:
    rows = await timeline.pool.fetch(
        """
        SELECT r.integration FROM sync_run r JOIN integration i ON i.number = r.integration
        WHERE r.state IN ('QUEUED', 'RUNNING') AND i.deleted_at IS NULL
        """
    )
    return [row["integration"] for row in rows]
