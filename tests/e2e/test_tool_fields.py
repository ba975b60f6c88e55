"""The catalogue of a tool's fields in our own API: counts, pages, and whose it is."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from atsumi.dialects.atsumi.openapi import openapi_document
from harness import Account, Product

DOCUMENT: dict[str, Any] = json.loads(openapi_document())


@pytest.fixture(scope="module")
async def account(product: Product) -> Account:
    return await product.synced(applications=6)


async def read(account: Account, id: str, status: int = 200, **params: Any) -> dict[str, Any]:
    path = f"/atsumi/v1/integrations/{id}/fields"
    answer = await account.product.api.get(path, params=params, headers=account.headers)
    assert answer.status_code == status, answer.text
    described = DOCUMENT["paths"]["/integrations/{integration_id}/fields"]["get"]["responses"][str(status)]
    (content,) = described["content"].values()
    jsonschema.Draft202012Validator({**content["schema"], "components": DOCUMENT["components"]}).validate(answer.json())
    return answer.json()


async def test_a_field_says_in_how_many_records_it_was_met(account: Account) -> None:
    people = account.simulator.state("candidates")["candidates"]
    found = await read(account, account.integration.id, models="candidate", limit=1000)
    (email,) = [one for one in found["items"] if one["path"] == "email"]
    assert (email["records"], email["records_of_model"], email["share"]) == (len(people), len(people), 1)
    assert (email["types"], email["is_passthrough"]) == (["string"], False)
    assert all(0 <= one["share"] <= 1 for one in found["items"])
    assert not any(person["email"] in json.dumps(found) for person in people)


@pytest.mark.parametrize("limit", [1, 7])
async def test_pages_hold_every_field_once_in_order(account: Account, limit: int) -> None:
    whole = (await read(account, account.integration.id, models="candidate,job", limit=1000))["items"]
    found, cursor = [], None
    while cursor is not None or not found:
        sent = {"cursor": cursor} if cursor else {}
        page = await read(account, account.integration.id, models="candidate,job", limit=limit, **sent)
        found += page["items"]
        cursor = page["cursor"]
    assert found == whole


async def test_fields_of_another_tenant_are_out_of_reach(account: Account, product: Product) -> None:
    other = await product.synced(applications=1)
    await read(other, account.integration.id, 404)
    theirs = (await read(account, account.integration.id, limit=1))["cursor"]
    for cursor in (theirs, "nonsense", "é"):
        refused = await read(other, other.integration.id, 400, cursor=cursor)
        assert refused["parameter"] == "cursor"
