"""The rules for deletions that an operator sets: which loss waits for a decision, and when content is removed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from atsumi.store import deletion, unsafe
from atsumi.store.deletion import Policy
from atsumi.sync.blanking import blank_due
from atsumi.sync.snapshots import is_unsafe
from harness import Account, Product, small_company

DEFAULT = Policy(unsafe_fraction=0.3, blank_after_days=14, sync_mode="all", sync_from_on=None, sync_days=None)


@pytest.mark.parametrize(
    ("fraction", "stored", "missing", "waits"),
    [
        (0.3, 9, 9, False),
        (0.3, 10, 3, False),
        (0.3, 10, 4, True),
        (0.3, 1000, 300, False),
        (0.3, 1000, 301, True),
        (0.1, 10, 1, False),
        (0.1, 10, 2, True),
        (0.7, 10, 7, False),
        (0.7, 10, 8, True),
        (1.0, 10, 10, False),
        (0.01, 10, 0, False),
        (0.3, 0, 0, False),
    ],
)
def test_a_loss_waits_above_the_share_of_at_least_ten(fraction: float, stored: int, missing: int, waits: bool) -> None:
    assert is_unsafe(stored, missing, replace(DEFAULT, unsafe_fraction=fraction)) is waits


async def test_an_integration_begins_with_the_documented_rules(product: Product) -> None:
    account = await product.connect()
    assert await deletion.policy_of(account.pool, account.number) == DEFAULT


@pytest.mark.parametrize(("fraction", "waits"), [(0.1, True), (0.3, False)])
async def test_the_share_that_waits_is_the_integrations_own(product: Product, fraction: float, waits: bool) -> None:
    account = await product.synced(small_company(applications=20))
    before = await account.remote_ids("applications")
    await deletion.set_policy(account.pool, account.number, unsafe_fraction=fraction)
    lost = set(sorted(before)[: len(before) // 5])
    for one in lost:
        account.simulator.delete_application(one)
    run = await account.sync("full")

    assert run.state == ("PARTIALLY_FAILED" if waits else "SUCCEEDED"), run.message
    assert await account.remote_ids("applications") == (before if waits else before - lost)
    assert len(await unsafe.unsafe_changes(account.pool, account.number)) == waits


async def is_blanked_after(account: Account, candidate: str, days: float) -> bool:
    target = await account.runtime.target(account.integration)
    while await blank_due(account.pool, account.number, target, datetime.now(UTC) + timedelta(days=days)):
        pass
    [row] = [one for one in await account.rows("candidates", include_deleted="true") if one["remote_id"] == candidate]
    return row["last_name"] is None


@pytest.mark.parametrize("days", [0, 3, 14, 30])
async def test_content_goes_after_as_many_days_as_are_set(product: Product, days: int) -> None:
    account = await product.synced(small_company(applications=20))
    if days != DEFAULT.blank_after_days:
        await deletion.set_policy(account.pool, account.number, blank_after_days=days)
    candidate = str(account.simulator.state("candidates")["candidates"][0]["id"])
    account.simulator.delete_candidate(candidate)
    await account.sync("full")

    assert not await is_blanked_after(account, candidate, days - 0.1)
    assert await is_blanked_after(account, candidate, days + 0.1)
