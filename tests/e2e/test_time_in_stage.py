"""How long an application was in each stage, in our own API."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

import httpx2
import pytest

from atsumi.model.catalog import CODES
from atsumi.model.ids import from_base58, record_id
from atsumi.model.names import Model
from harness import Account, Product
from scope_kit import disable


@pytest.fixture
async def account(product: Product) -> Account:
    found = await product.synced()
    await found.background()
    return found


async def ask(account: Account, id: object) -> httpx2.Response:
    return await account.product.api.get(f"/atsumi/v1/applications/{id}/stages", headers=account.headers)


async def stages(account: Account, remote_id: str) -> dict[str, Any]:
    answer = await ask(account, account.id(Model.APPLICATION, remote_id))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def moved(account: Account) -> str:
    """The remote id of an application with several recorded moves."""
    company = account.simulator.company
    return str(next(one.id for one in company.applications if len(company.transitions(one)) > 1))


async def test_every_stay_has_its_seconds_and_they_follow_each_other(account: Account) -> None:
    remote_id = await moved(account)
    found = await stages(account, remote_id)
    items = found["items"]
    assert len(items) > 1
    assert found["uuid"] == str(record_id(account.integration.public_id, Model.APPLICATION, remote_id))
    names = {row["id"]: row["name"] for row in await account.rows("application-stages")}
    for one, following in pairwise(items):
        assert one["left_at"] == following["entered_at"]
        lasted = datetime.fromisoformat(one["left_at"]) - datetime.fromisoformat(one["entered_at"])
        assert one["seconds"] == int(lasted.total_seconds()) >= 0
    last = items[-1]
    assert last["left_at"] is None
    until = datetime.fromisoformat(found["counted_until"]) - datetime.fromisoformat(last["entered_at"])
    assert last["seconds"] == int(until.total_seconds())
    for one in items:
        assert names[one["stage_id"]] == one["name"]
        assert from_base58(one["stage_id"]) == UUID(one["stage_uuid"])


async def test_moves_that_were_not_read_yet_are_no_stays(product: Product) -> None:
    account = await product.synced()
    assert (await stages(account, await moved(account)))["items"] == []


async def test_both_spellings_of_the_id_work_and_anything_else_is_not_found(account: Account) -> None:
    remote_id = await moved(account)
    spelled = account.id(Model.APPLICATION, remote_id)
    by_uuid = await ask(account, from_base58(spelled))
    assert by_uuid.json()["id"] == spelled
    assert by_uuid.json()["items"]
    for wrong in ("nonsense", "1" * 24, account.id(Model.JOB, remote_id)):
        answer = await ask(account, wrong)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    other = await account.product.synced()
    refused = await account.product.api.get(f"/atsumi/v1/applications/{spelled}/stages", headers=other.headers)
    assert refused.status_code == 404


async def test_an_application_that_is_gone_shows_no_stays(account: Account) -> None:
    remote_id = await moved(account)
    account.simulator.delete_application(remote_id)
    await account.sync("full")
    assert (await ask(account, account.id(Model.APPLICATION, remote_id))).status_code == 404


async def test_what_is_out_of_scope_is_not_told(account: Account) -> None:
    remote_id = await moved(account)
    await disable(account, "stage_transition")
    assert (await stages(account, remote_id))["items"] == []
    await disable(account, "application")
    assert (await ask(account, account.id(Model.APPLICATION, remote_id))).status_code == 404


async def test_the_moves_in_the_store_are_all_there(account: Account) -> None:
    rows = await account.fetch(
        "SELECT count(*) AS n FROM record WHERE integration = $1 AND model = $2 AND deleted_at IS NULL",
        CODES[Model.STAGE_TRANSITION],
    )
    shown = [len((await stages(account, row["remote_id"]))["items"]) for row in await account.rows("applications")]
    assert sum(shown) == rows[0]["n"]
