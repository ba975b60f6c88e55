"""Records that no longer name others take them away; a document in which very much goes that way waits."""

from __future__ import annotations

import pytest

from atsumi.store import unsafe
from atsumi.sync import decisions
from harness import Account, Product, small_company


async def job_stages(account: Account) -> dict[str, list[str]]:
    return {row["remote_id"]: [one["remote_id"] for one in row["stages"]] for row in await account.rows("jobs")}


def empty(account: Account) -> dict[str, list[str]]:
    """Take all stages out of all categories; what they held."""
    found = account.simulator.state("categories")["categories"]
    for one in found:
        account.simulator.edit_category(one["id"], stages=[])
    return {one["id"]: one["stages"] for one in found}


async def test_emptied_lists_of_stages_take_no_stage_from_a_job_until_the_operator_agrees(product: Product) -> None:
    account = await product.synced(small_company(applications=20, jobs=12))
    before = await job_stages(account)
    empty(account)
    for kind in ("incremental", "full", "incremental"):
        assert (await account.sync(kind)).state == "PARTIALLY_FAILED"
        assert await job_stages(account) == before

    (change,) = await unsafe.unsafe_changes(account.pool, account.number)
    assert (change.stream, change.listing) == ("category_stages", "categories")
    await decisions.confirm(account.pool, await account.runtime.target(account.integration), change)
    assert (await account.sync("incremental")).state == "SUCCEEDED"
    after = await job_stages(account)
    assert sum(map(len, after.values())) < sum(map(len, before.values()))


@pytest.mark.parametrize("runs", [1, 3])
async def test_stages_that_are_back_have_never_been_away(product: Product, runs: int) -> None:
    account = await product.synced(small_company(applications=20, jobs=12))
    before = await job_stages(account)
    held = empty(account)
    for _ in range(runs):
        await account.sync("incremental")
    changes = await account.fetch("SELECT count(*) FROM change WHERE integration = $1")
    for id, stages in held.items():
        account.simulator.edit_category(id, stages=stages)
    assert (await account.sync("incremental")).state == "SUCCEEDED"
    assert await job_stages(account) == before
    assert await account.fetch("SELECT count(*) FROM change WHERE integration = $1") == changes
