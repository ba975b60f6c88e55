"""Writes to integrations that keep less than everything: mode and scope count for what was created, too."""

from __future__ import annotations

import pytest

from action_kit import EMAIL, applying, company_with_open_job, write
from atsumi.actions.requests import ActionState
from atsumi.model.ids import to_base58
from atsumi.sync.modes import switch
from harness import Product
from scope_kit import disable


@pytest.mark.parametrize("kind", ["full", "incremental"])
async def test_what_was_created_is_kept_where_nothing_else_is(product: Product, kind: str) -> None:
    account = await product.synced(company_with_open_job(applications=5))
    await switch(account.pool, account.number, await account.runtime.target(account.integration), "created_only")
    await account.sync("full")
    receipt = await write(account, applying(account))
    assert not receipt.is_provisional
    for _ in range(2):
        assert [row["id"] for row in await account.rows("applications")] == [to_base58(receipt.application)]
        [person] = await account.rows("candidates")
        assert [one["email_address"] for one in person["email_addresses"]] == [EMAIL]
        assert (await account.sync(kind)).state == "SUCCEEDED"


@pytest.mark.parametrize("left_out", [("candidate",), ("application",), ("candidate", "application")])
async def test_what_is_out_of_scope_is_created_and_not_kept(product: Product, left_out: tuple[str, ...]) -> None:
    account = await product.synced(company_with_open_job(applications=5))
    await disable(account, *left_out)
    receipt = await write(account, applying(account))
    assert receipt.state is ActionState.SUCCEEDED
    assert not receipt.is_provisional
    assert len(account.simulator.company.applications_by_email(EMAIL)) == 1
    kept = await account.fetch("SELECT id FROM record WHERE integration = $1 AND deleted_at IS NULL")
    for name, id in {"application": receipt.application, "candidate": receipt.candidate}.items():
        assert ({"id": id} in [dict(row) for row in kept]) is (name not in left_out)
