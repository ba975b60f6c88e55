"""What the Bindbee surface shows of what is out of scope: nothing, before and after the pass that removes it."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from bindbee_reader import NAMES, Bindbee, bindbee_of
from harness import Product, small_company
from scope_kit import Canaries, disable, remap

ALL = {"include_raw_data": "true", "include_custom_fields": "true"}


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture
async def bindbee(product: Product, canaries: Canaries) -> Bindbee:
    simulator = small_company(applications=8, jobs=3)
    canaries.plant(simulator)
    account = await product.synced(simulator)
    await account.background()
    return await bindbee_of(account)


async def test_a_disabled_model_is_absent(bindbee: Bindbee) -> None:
    held = {name: await bindbee.rows(name) for name in ("departments", "attachments")}
    links = [row["file_url"] for row in held["attachments"]]
    named = {row["id"]: row["departments"] for row in await bindbee.rows("jobs")}
    assert any(named.values())
    assert (await follow(bindbee, links[0])).status_code == 200

    await disable(bindbee.account, "department", "attachment")
    for is_removed in (False, True):
        if is_removed:
            await remap(bindbee.account)
        for name, rows in held.items():
            assert await bindbee.rows(name) == []
            assert (await bindbee.get(f"{name}/{rows[0]['id']}")).status_code == 404
        # Jobs still name their departments, which is theirs to tell; there is nothing to put in the place of the ids.
        expanded = {row["id"]: row["departments"] for row in await bindbee.rows("jobs", expand="departments")}
        assert expanded == named
        for link in links:
            assert (await follow(bindbee, link)).status_code == 404, f"removed: {is_removed}"
    assert [id for row in await bindbee.rows("candidates") for id in row["attachments"]] == []


FIELDS = {
    "candidate.email_addresses": ("candidates", "email_addresses", []),
    "candidate.last_name": ("candidates", "last_name", None),
    "job.description": ("jobs", "description", None),
    "job.department_remote_id": ("jobs", "departments", []),
    "user.email": ("remote-users", "email", None),
}


async def test_a_disabled_field_is_empty_in_documents_raw_data_and_custom_fields(
    bindbee: Bindbee, canaries: Canaries
) -> None:
    told = set().union(*canaries.by_fields)
    secret = {canary for names, canary in canaries.by_fields.items() if "candidate" in names[0] or "user" in names[0]}
    before = await everything(bindbee)
    assert all(canary in before for canary in secret)
    for name, key, empty in FIELDS.values():
        assert any(row[key] != empty for row in await bindbee.rows(name))
    assert "available_from" in await catalogue(bindbee)

    await disable(bindbee.account, *told, *FIELDS)
    # Raw records are shown without it from now on, everything else after the pass.
    raw = [row["raw_data"] for name in NAMES for row in await bindbee.rows(name, **ALL)]
    assert not [canary for canary in canaries.values if canary in json.dumps([raw, await raw_documents(bindbee)])]

    await remap(bindbee.account)
    for name, key, empty in FIELDS.values():
        assert {json.dumps(row[key]) for row in await bindbee.rows(name)} == {json.dumps(empty)}, key
    after = await everything(bindbee)
    assert not [canary for canary in canaries.values if canary in after]
    assert "available_from" not in await catalogue(bindbee)


async def follow(bindbee: Bindbee, link: str) -> httpx2.Response:
    return await bindbee.account.product.api.get(httpx2.URL(link).raw_path.decode())


async def everything(bindbee: Bindbee) -> str:
    return json.dumps([await bindbee.documents(**ALL), await raw_documents(bindbee)])


async def raw_documents(bindbee: Bindbee) -> list[Any]:
    """The records on which paths of custom fields are tried out."""
    found = []
    for model in ("candidate", "application", "job"):
        asked = {"connector_token": bindbee.token, "category": "ATS", "model": model}
        answer = await bindbee.account.product.api.get(
            "/api/v1/custom-fields/raw-data", params=asked, headers=bindbee.headers
        )
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
    return found


async def catalogue(bindbee: Bindbee) -> set[str]:
    """The discovered fields of candidates, by their paths."""
    rows = await bindbee.account.fetch("SELECT path FROM integration_field WHERE integration = $1")
    return {row["path"] for row in rows}
