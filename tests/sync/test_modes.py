"""Keeping only some applications: nothing of anybody else is ever stored, and switching back brings all back."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from atsumi.errors import InvalidInput
from atsumi.store import deletion, runs, unsafe
from atsumi.store import modes as store
from atsumi.sync import decisions
from atsumi.sync.modes import Switch, switch
from canaries import tables_with
from harness import Account, Product, small_company

PERSONAL = ("applications", "candidates")
LONG_AGO = datetime(2024, 6, 1, tzinfo=UTC)
"""The end of a company's made-up past, days before any edit on whatever day the tests run."""


async def set_mode(account: Account, mode: str, **named: Any) -> Switch:
    return await switch(account.pool, account.number, await account.runtime.target(account.integration), mode, **named)


async def created(account: Account, *ids: str) -> None:
    async with account.pool.acquire() as connection:
        for one in ids:
            await store.note_created_application(connection, account.number, one)


def calls(account: Account, kind: str) -> int:
    counts = account.simulator.log.counts
    return sum(count for key, count in counts.items() if key.startswith(f"GET /v2/recruiting/{kind}"))


def candidates_of(account: Account, ids: set[str]) -> set[str]:
    applications = account.simulator.state("applications")["applications"]
    return {str(one["candidate_id"]) for one in applications if str(one["id"]) in ids}


async def stored(account: Account) -> set[str]:
    rows = await account.fetch(
        """
        SELECT stream || '/' || remote_id AS key FROM raw_record
        WHERE integration = $1 AND gone_at IS NULL AND stream = ANY('{candidates,candidate_stubs,applications}')
        """
    )
    return {row["key"] for row in rows}


async def waiting_runs(account: Account) -> list[str]:
    return [one.kind for one in await runs.latest_runs(account.pool, account.number) if one.state == "QUEUED"]


async def test_created_only_reads_and_stores_nobody_before_something_was_created(product: Product) -> None:
    account = await product.connect()
    await set_mode(account, "created_only")
    account.simulator.log.clear()
    run = await account.sync("full")

    assert run.state == "SUCCEEDED", run.message
    assert calls(account, "applications") + calls(account, "candidates") == 0
    assert await stored(account) == set()
    for name in PERSONAL:
        assert await account.rows(name, include_deleted="true") == []
    assert await account.rows("jobs") != []


@pytest.mark.parametrize("kind", ["full", "incremental"])
async def test_created_only_keeps_what_was_created_with_its_people_and_nobody_else(product: Product, kind: str) -> None:
    account = await product.connect()
    simulator = account.simulator
    applications = simulator.state("applications")["applications"]
    mine = {str(applications[0]["id"]), str(applications[7]["id"])}
    people = candidates_of(account, mine)
    other = next(one for one in simulator.state("candidates")["candidates"] if str(one["id"]) not in people)
    simulator.edit_candidate(other["id"], last_name="Qqcanaryother")
    await set_mode(account, "created_only")
    await account.sync("full")
    await created(account, *mine)
    for one in mine:
        simulator.edit_application(one, application_date="2026-02-02")
    for _ in range(2):
        run = await account.sync(kind)
        assert run.state == "SUCCEEDED", run.message

    assert await account.remote_ids("applications") == mine
    assert await account.remote_ids("candidates") == people
    rows = {row["remote_id"]: row for row in await account.rows("candidates")}
    assert all(rows[one]["last_name"] for one in people)
    assert await tables_with(account.pool, "Qqcanaryother") == []
    simulator.edit_candidate(other["id"], phone="1")
    await account.sync("incremental")
    assert await tables_with(account.pool, "Qqcanaryother") == []


async def test_switching_there_and_back_withdraws_and_revives(product: Product) -> None:
    account = await product.synced()
    before = {name: await account.remote_ids(name) for name in (*PERSONAL, "jobs")}
    ids = {row["remote_id"]: row["id"] for row in await account.rows("candidates")}
    account.simulator.log.clear()

    await set_mode(account, "created_only")

    assert account.simulator.log.counts == {}
    for name in PERSONAL:
        assert await account.remote_ids(name) == set()
    assert await account.remote_ids("jobs") == before["jobs"]
    found = await deletion.evidence(account.pool, account.number)
    assert {one.kind for one in found} == {"mode"}
    assert await account.fragments() == await account.rendered_anew()
    run = await account.sync("full")
    assert run.state == "SUCCEEDED", run.message

    await set_mode(account, "all")
    run = await account.sync("full")

    assert run.state == "SUCCEEDED", run.message
    assert {name: await account.remote_ids(name) for name in (*PERSONAL, "jobs")} == before
    assert {row["remote_id"]: row["id"] for row in await account.rows("candidates")} == ids
    assert await account.fragments() == await account.rendered_anew()


@pytest.mark.parametrize("is_refused", [False, True])
async def test_a_cut_off_keeps_what_was_updated_since_and_reads_no_more(product: Product, is_refused: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("atsumi.connectors.personio.client.PAGE_SIZE", 5)
        account = await product.connect(anchor=LONG_AGO)
        simulator = account.simulator
        simulator.switch(updated_filter_refused=is_refused)
        recent = {str(one["id"]) for one in simulator.state("applications")["applications"][:4]}
        for one in recent:
            simulator.edit_application(one, application_date="2026-02-02")
        await set_mode(account, "from_date", from_on=LONG_AGO.date() + timedelta(days=2))
        simulator.log.clear()
        run = await account.sync("full")

        assert run.state == "SUCCEEDED", run.message
        assert await account.remote_ids("applications") == recent
        assert await account.remote_ids("candidates") == candidates_of(account, recent)
        assert calls(account, "applications") <= (1 if not is_refused else 2)

        gone = sorted(recent)[0]
        simulator.delete_application(gone)
        run = await account.sync("full")
        assert run.state == "SUCCEEDED", run.message
        assert await account.remote_ids("applications") == recent - {gone}
        assert {one.kind for one in await deletion.evidence(account.pool, account.number)} == {"probe"}
        simulator.log.clear()
        run = await account.sync("full")
        assert run.state == "SUCCEEDED", run.message
        assert not any(path.startswith("GET /v2/recruiting/applications/") for path in simulator.log.counts)


async def edited_lately(product: Product, count: int) -> tuple[Account, list[str]]:
    """An account that refuses the filter, read since a date; ids of the applications in that window."""
    account = await product.connect(anchor=LONG_AGO)
    account.simulator.switch(updated_filter_refused=True)
    recent = sorted(str(one["id"]) for one in account.simulator.state("applications")["applications"][:count])
    for one in recent:
        account.simulator.edit_application(one, application_date="2026-02-02")
    await set_mode(account, "from_date", from_on=LONG_AGO.date() + timedelta(days=2))
    run = await account.sync("full")
    assert run.state == "SUCCEEDED", run.message
    return account, recent


async def test_a_read_that_stops_at_the_cut_off_itself_removes_nothing_the_tool_does_not_confirm(
    product: Product,
) -> None:
    account, recent = await edited_lately(product, 4)
    account.simulator.delete_application(recent[0])
    account.simulator.inject("status", path="/v2/recruiting/applications/", status=403, count=None)
    for _ in range(3):
        assert (await account.sync("full")).state == "PARTIALLY_FAILED"
        assert await account.remote_ids("applications") == set(recent)


async def test_a_large_loss_within_the_window_waits_for_the_operator(product: Product) -> None:
    account, recent = await edited_lately(product, 12)
    lost = set(recent[:6])
    for one in lost:
        account.simulator.delete_application(one)
    run = await account.sync("full")

    assert run.state == "PARTIALLY_FAILED"
    assert await account.remote_ids("applications") == set(recent)
    [change] = await unsafe.unsafe_changes(account.pool, account.number)
    assert (change.stream, set(change.missing)) == ("applications", lost)
    await decisions.confirm(account.pool, await account.runtime.target(account.integration), change)
    assert await account.remote_ids("applications") == set(recent) - lost
    assert (await account.sync("full")).state == "SUCCEEDED"


async def test_a_rolling_window_lets_go_of_what_leaves_it(product: Product) -> None:
    account = await product.synced(anchor=LONG_AGO)
    await set_mode(account, "rolling_days", days=36500)
    assert len(await account.remote_ids("applications")) == 40
    await set_mode(account, "rolling_days", days=1, now=datetime.now(UTC) + timedelta(days=3))
    assert await account.remote_ids("applications") == set()
    assert await account.remote_ids("candidates") == set()


@pytest.mark.parametrize(
    ("before", "after", "is_needed"),
    [
        ({"mode": "all"}, {"mode": "all"}, False),
        ({"mode": "all"}, {"mode": "created_only"}, False),
        ({"mode": "all"}, {"mode": "rolling_days", "days": 30}, False),
        ({"mode": "all"}, {"mode": "from_date", "from_on": date(2026, 1, 1)}, False),
        ({"mode": "created_only"}, {"mode": "created_only"}, False),
        ({"mode": "created_only"}, {"mode": "all"}, True),
        ({"mode": "created_only"}, {"mode": "rolling_days", "days": 1}, True),
        ({"mode": "rolling_days", "days": 30}, {"mode": "rolling_days", "days": 30}, False),
        ({"mode": "rolling_days", "days": 30}, {"mode": "rolling_days", "days": 7}, False),
        ({"mode": "rolling_days", "days": 30}, {"mode": "rolling_days", "days": 31}, True),
        ({"mode": "rolling_days", "days": 30}, {"mode": "from_date", "from_on": LONG_AGO.date()}, True),
        ({"mode": "from_date", "from_on": LONG_AGO.date()}, {"mode": "rolling_days", "days": 30}, False),
        ({"mode": "from_date", "from_on": LONG_AGO.date()}, {"mode": "all"}, True),
    ],
)
async def test_a_switch_requests_a_full_run_only_where_the_mode_can_bring_something_in(
    product: Product, before: dict[str, Any], after: dict[str, Any], is_needed: bool
) -> None:
    account = await product.connect()
    for mode in (before, after):
        await account.pool.execute("DELETE FROM sync_run WHERE integration = $1", account.number)
        await set_mode(account, **mode)

    assert await waiting_runs(account) == (["full"] if is_needed else [])


@pytest.mark.parametrize("is_stored", [True, False])
async def test_created_applications_that_a_window_left_out_are_read(product: Product, is_stored: bool) -> None:
    account = await product.connect(anchor=LONG_AGO)
    applications = account.simulator.state("applications")["applications"]
    mine = str(applications[0]["id"])
    if is_stored:
        account.simulator.edit_application(mine, application_date="2026-02-02")
    await created(account, mine)
    await set_mode(account, "from_date", from_on=LONG_AGO.date() + timedelta(days=2))
    await account.sync("full")
    await set_mode(account, "created_only")

    assert await waiting_runs(account) == ([] if is_stored else ["full"])


async def test_a_mode_needs_what_belongs_to_it(product: Product) -> None:
    account = await product.connect()
    for mode, named in (("from_date", {}), ("all", {"days": 3}), ("rolling_days", {"from_on": date(2026, 1, 1)})):
        with pytest.raises(InvalidInput):
            await set_mode(account, mode, **named)


async def test_a_switch_while_a_run_reads_takes_effect_at_once(product: Product) -> None:
    account = await product.connect(small_company(applications=40))
    switching: list[asyncio.Task[Switch]] = []

    def observe(stream: str, result: object) -> None:
        if stream == "candidates" and not switching:
            switching.append(asyncio.create_task(set_mode(account, "created_only")))

    begun = await account.sync("full", observe=observe)
    await switching[0]
    assert begun.state == "RUNNING"
    await account.resume(begun.id)
    assert not await stored(account)
    assert not await account.remote_ids("applications")


async def test_a_switch_that_was_cut_short_is_completed_by_the_next_full_run(product: Product) -> None:
    account = await product.synced(small_company(applications=20))
    async with account.pool.acquire() as connection, connection.transaction():
        await store.set_mode(connection, account.number, "created_only")
    await account.sync("full")
    assert not await stored(account)
    assert not await account.remote_ids("candidates")
