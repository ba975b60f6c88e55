"""A run that takes too long ends, and others get their turn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from atsumi.store import runs
from atsumi.store.runs import Claim, Run
from atsumi.sync.run import LONGEST, Work, execute
from harness import Account, Product

KINDS = pytest.mark.parametrize("kind", ["full", "incremental"])


async def found(account: Account, claim: Claim) -> Run:
    run = await runs.find_run(account.pool, claim.run.id)
    assert run is not None
    return run


async def reclaim(account: Account, claim: Claim) -> Claim:
    """The run under a new claim, whatever it waits for."""
    await account.pool.execute("UPDATE sync_run SET next_at = now() WHERE id = $1", claim.run.id)
    again = await runs.claim_run(account.pool, claim.run.id)
    assert again is not None
    return again


async def work_at(account: Account, claim: Claim, passed: timedelta) -> Work:
    """The work when so much time has passed since the run began."""
    assert claim.run.started_at is not None
    now = claim.run.started_at + passed
    return await account.work(claim, clock=lambda: now)


@KINDS
async def test_a_run_that_is_answered_too_slowly_ends_and_the_next_one_starts(product: Product, kind: str) -> None:
    account = await product.synced()
    account.simulator.clock.advance(5)
    account.simulator.edit_job(account.simulator.state()["jobs"][0]["id"], name="Lighthouse keeper")
    account.simulator.inject("slow", path="/v2/recruiting/applications", seconds=25, count=None)
    claim = await account.claim(kind)
    assert await execute(await work_at(account, claim, LONGEST - timedelta(seconds=2))) == "TIMED_OUT"
    account.simulator.clear_faults()
    run = await found(account, claim)
    assert run.state == "TIMED_OUT"
    assert run.ended_at is not None
    assert "24 hours" in (run.message or "")
    assert await account.fragments() == await account.rendered_anew(), "what was stored is whole"
    assert (await account.sync("incremental")).state == "SUCCEEDED"
    assert "Lighthouse keeper" in {row["name"] for row in await account.rows("jobs")}


@KINDS
async def test_a_run_whose_time_is_over_asks_the_tool_nothing_more(product: Product, kind: str) -> None:
    account = await product.synced()
    claim = await account.claim(kind)
    await runs.release_run(account.pool, claim)
    claim = await reclaim(account, claim)
    account.simulator.log.clear()
    assert await execute(await work_at(account, claim, LONGEST + timedelta(hours=1))) == "TIMED_OUT"
    assert not account.simulator.log.entries


async def test_a_run_that_is_in_time_is_left_alone(product: Product) -> None:
    account = await product.connect()
    claim = await account.claim("full")
    assert await execute(await work_at(account, claim, LONGEST / 2)) == "SUCCEEDED"


async def test_a_run_does_not_wait_for_the_tool_beyond_its_time(product: Product) -> None:
    account = await product.connect()
    account.simulator.inject("429", path="/v2/recruiting/jobs", count=None, retry_after=str(9 * 86400))
    claim = await account.claim("full")
    try:
        assert await execute(await work_at(account, claim, LONGEST - timedelta(minutes=20))) == "POSTPONED"
    finally:
        await account.pool.execute("DELETE FROM rate_bucket")
    run = await found(account, claim)
    assert timedelta(minutes=10) < run.next_at - datetime.now(UTC) <= timedelta(minutes=20)
    again = await reclaim(account, claim)
    assert await execute(await work_at(account, again, LONGEST)) == "TIMED_OUT"


async def test_the_background_goes_on_for_as_long_as_it_takes(product: Product) -> None:
    account = await product.synced()
    claim = await account.claim("background")
    assert await execute(await work_at(account, claim, LONGEST * 30)) == "SUCCEEDED"


async def test_how_a_run_timed_out_is_shown(product: Product) -> None:
    account = await product.synced()
    claim = await account.claim("full")
    await execute(await work_at(account, claim, LONGEST))
    shown = await account.product.api.get(f"/atsumi/v1/runs/{claim.run.id}", headers=account.headers)
    assert shown.json()["state"] == "TIMED_OUT"
    assert (await account.get("/ats/jobs")).headers["x-atsumi-sync-state"] == "TIMED_OUT"
