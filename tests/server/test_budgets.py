"""Whose budget a request uses, and that each kind is kept as it is meant."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from atsumi.connector.context import RateLimit, WindowLimit
from atsumi.connectors.personio.facts import MANIFEST
from atsumi.errors import RateLimited
from atsumi.server.budgets import Budgets, budget_keys
from atsumi.store.tokens import SharedBuckets
from atsumi.store.vault import Vault
from atsumi.store.windows import SharedWindows
from harness import Product

VAULT = Vault([bytes(32)])
READ, WRITE = "jobs", "create_application"
ONE = {"client_id": "first", "company_id": "77"}


def keys(values: Mapping[str, str], owner: str = "one") -> Mapping[str, str]:
    return budget_keys(MANIFEST, VAULT, owner, values)


def test_a_credential_has_one_budget_in_whichever_integrations_it_stands() -> None:
    assert keys(ONE, "one") == keys(ONE, "two")


def test_a_companys_credentials_share_what_the_tool_counts_by_company() -> None:
    """Personio NOTES section 14: writes are counted by company, everything else by credential."""
    one, two = keys(ONE), keys({**ONE, "client_id": "second"})
    assert {name for name in one if one[name] == two[name]} == {WRITE, "upload_document"}


def test_companies_share_nothing() -> None:
    one, two = keys(ONE), keys({"client_id": "second", "company_id": "78"})
    assert not set(one.values()) & set(two.values())


def test_where_the_company_is_not_told_the_credential_counts() -> None:
    one, two = keys({"client_id": "first"}), keys({"client_id": "second"})
    assert one[WRITE] == keys({"client_id": "first", "company_id": ""}, "two")[WRITE] != two[WRITE]


def test_where_nothing_is_told_the_integration_counts() -> None:
    assert keys({}) == {name: f"one/{name}" for name in MANIFEST.rate_limits}


def test_every_bucket_has_a_key_of_its_own_that_tells_no_value() -> None:
    made = keys({"client_id": "sesame", "company_id": "4711"})
    assert len(set(made.values())) == len(MANIFEST.rate_limits)
    assert not [key for key in made.values() if "sesame" in key or "4711" in key]


LIMITS = {"bucket": RateLimit(0.001, 3), "window": WindowLimit(3, 1000)}


@pytest.mark.parametrize("limit", LIMITS.values(), ids=LIMITS)
async def test_a_budget_of_either_kind_is_used_up_told_and_stopped(
    product: Product, limit: RateLimit | WindowLimit
) -> None:
    pool, bucket = product.runtime.light_pool, type(limit).__name__
    for_all = {bucket: f"{id(limit)}/{bucket}"}
    budgets = Budgets(
        for_all,
        SharedBuckets(pool, tool="tool", patience_seconds=0),
        SharedWindows(pool, tool="tool", patience_seconds=0),
    )
    assert await budgets.expected_wait(bucket, limit) == 0
    await budgets.acquire(bucket, limit)
    assert await budgets.expected_wait(bucket, limit) == 0
    for _ in range(2):
        await budgets.acquire(bucket, limit)
    wait = await budgets.expected_wait(bucket, limit)
    # One comes back after a thousand seconds, less the time that this test took so far.
    assert 900 < wait <= 1001
    with pytest.raises(RateLimited, match=f"^tool: {bucket}: "):
        await budgets.acquire(bucket, limit)

    await budgets.block(bucket, datetime.now(UTC) + timedelta(seconds=5000))
    assert 4900 < await budgets.expected_wait(bucket, limit) <= 5000
