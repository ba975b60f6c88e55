"""A read that may have passed over records is repeated, but neither for ever nor over a growing range."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

import pytest

from atsumi.store import runs
from atsumi.store.runs import GAPS_REPEATED
from harness import Account, Product, small_company

LISTING = "/v2/recruiting/applications"


async def watermark(account: Account) -> datetime | None:
    (row,) = await account.fetch(
        "SELECT complete_from FROM stream_watermark WHERE integration = $1 AND stream = 'applications'"
    )
    found: datetime | None = row["complete_from"]
    return found


async def begun(account: Account, kind: str = "incremental") -> datetime:
    run = await account.sync(kind)
    assert run.started_at is not None
    return run.started_at


@pytest.mark.parametrize("kind", ["full", "incremental"])
@pytest.mark.parametrize("fault", [{"kind": "empty_page", "after": 1}, {"kind": "self_next", "after": 2}])
async def test_the_next_read_begins_where_one_with_a_gap_began(
    product: Product, monkeypatch: pytest.MonkeyPatch, kind: str, fault: dict[str, Any]
) -> None:
    monkeypatch.setattr("atsumi.connectors.personio.client.PAGE_SIZE", 9)
    account = await product.connect(small_company(applications=20))
    before = await begun(account, "full")
    for one in account.simulator.state("applications")["applications"]:
        account.simulator.move_application(one["id"], "accepted")
    account.simulator.inject(path=LISTING, **fault)

    run = await account.sync(kind)

    assert await watermark(account) == before
    (row,) = [one for one in await runs.progress(account.pool, run.id) if one.stream == "applications"]
    assert row.has_gap
    assert [key for key in await account.issues(run) if key[:2] == ("applications", "listing_gap")] != []
    account.simulator.clear_faults()
    after = await begun(account)
    assert await watermark(account) == after
    assert {row["outcome"] for row in await account.rows("applications")} == {"HIRED"}


@pytest.mark.parametrize("seed", range(2))
async def test_the_watermark_trails_the_reads_that_may_have_a_gap(product: Product, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 (a test repeats by its seed)
    account = await product.connect(small_company(applications=3, jobs=1))
    expected: datetime | None = None
    open_: list[datetime] = []
    for number in range(12):
        # A listing without anything new is a single empty page.
        application = account.simulator.state("applications")["applications"][0]["id"]
        account.simulator.move_application(application, ("accepted", "withdrawn")[number % 2])
        has_gap = chance.random() < 0.8
        account.simulator.switch(next_points_to_itself=has_gap)
        started = await begun(account, "incremental" if number else "full")
        open_ = [*open_, started] if has_gap else []
        if not has_gap:
            expected = started
        elif len(open_) > GAPS_REPEATED:
            expected = open_.pop(0)
        assert await watermark(account) == expected


async def test_a_tool_whose_every_listing_names_itself_is_not_read_in_full_for_ever(product: Product) -> None:
    account = await product.connect(small_company(applications=3, jobs=1))
    account.simulator.switch(next_points_to_itself=True)
    starts = [await begun(account, "full")]
    for _ in range(GAPS_REPEATED):
        assert (await account.page("applications"))["as_of"] is None
        starts.append(await begun(account))
    assert await watermark(account) == starts[0]
    as_of = (await account.page("applications"))["as_of"]
    assert datetime.fromisoformat(as_of) <= starts[0]
    account.simulator.log.clear()
    await account.sync("incremental")
    asked = [one.query for one in account.simulator.log.entries if one.path == LISTING]
    assert asked != []
    assert all("updated_at.gt" in query for query in asked)
