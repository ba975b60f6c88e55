"""Two tenants never meet: every route with the ids, cursors and keys of the other one."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import httpx2
import pytest

from atsumi.dialects.kombo.lists import LISTS as SPECS
from atsumi.dialects.kombo.lists import Kind
from atsumi.dialects.kombo.operations import OPERATIONS
from atsumi.model.names import Model
from atsumi.store import tenants
from harness import FILLED, LISTS, Account, Product, small_company


class Pair(NamedTuple):
    mine: Account
    theirs: Account


@pytest.fixture(scope="module")
async def pair(product: Product) -> Pair:
    """The same account of the tool, connected by two environments: all remote ids are equal, no id of ours is."""
    simulator = small_company()
    return Pair(await product.synced(simulator), await product.synced(simulator))


ROUTES = [(operation.method, operation.path) for operation in OPERATIONS]
WITHOUT_INTEGRATION = ("/check-api-key", "/tools/{category}")
FILTERS = [
    (spec.name, filter_.name, filter_.target) for spec in SPECS for filter_ in spec.filters if filter_.kind is Kind.IDS
]
assert len(FILTERS) >= 4


async def ask(pair: Pair, method: str, route: str, key: str | None, integration: str) -> httpx2.Response:
    """One route with this key, and this integration wherever one is named."""
    headers = {"X-Integration-Id": integration.encode()}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}".encode()
    names = dict.fromkeys(re.findall(r"{(\w+)}", route), "1" * 24)
    path = route.format(**(names | {"integration_id": integration, "category": "ats"}))
    body = {} if method in ("GET", "DELETE") else {"json": {}}
    return await pair.mine.product.api.request(method, f"/v1{path}", headers=headers, **body)


def assert_nothing_of(account: Account, answer: Any) -> None:
    """No id, key or name of an account stands in an answer."""
    text = answer.text
    assert account.key not in text
    assert account.integration.id not in text
    for application in account.simulator.state("applications")["applications"]:
        assert account.id(Model.APPLICATION, application["id"]) not in text


@pytest.mark.parametrize(("method", "route"), ROUTES)
async def test_their_integration_is_not_there_for_my_key(pair: Pair, method: str, route: str) -> None:
    answer = await ask(pair, method, route, pair.mine.key, pair.theirs.integration.id)
    if route not in WITHOUT_INTEGRATION:
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "PLATFORM.INTEGRATION_NOT_FOUND"
        # Word for word what an id gets that nobody has.
        unknown = f"personio:{'1' * 24}"
        nobody = await ask(pair, method, route, pair.mine.key, unknown)
        assert nobody.status_code == 404
        assert {**answer.json()["error"], "log_url": None} == {**nobody.json()["error"], "log_url": None}
    else:
        assert answer.status_code == 200
    assert_nothing_of(pair.theirs, answer)


@pytest.mark.parametrize(("method", "route"), ROUTES)
@pytest.mark.parametrize("key", [None, "", "atsumi_", "atsumi_" + "x" * 32, "ö", "a b"])
async def test_without_a_key_of_ours_nothing_is_answered(pair: Pair, method: str, route: str, key: str | None) -> None:
    answer = await ask(pair, method, route, key, pair.theirs.integration.id)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "PLATFORM.AUTHENTICATION_INVALID"
    assert_nothing_of(pair.theirs, answer)


@pytest.mark.parametrize(("method", "route"), ROUTES)
async def test_a_revoked_key_opens_nothing(pair: Pair, method: str, route: str) -> None:
    key, stored = await tenants.create_api_key(pair.mine.pool, pair.mine.environment.id, "revoked")
    # Nothing has the ids in the path, and no body is sent: both is told only to whoever is let in.
    assert (await ask(pair, method, route, key, pair.mine.integration.id)).status_code in (200, 400, 404)
    await tenants.revoke_api_key(pair.mine.pool, stored.id)
    assert (await ask(pair, method, route, key, pair.mine.integration.id)).status_code == 401


@pytest.mark.parametrize("name", LISTS)
async def test_their_ids_select_nothing_of_mine(pair: Pair, name: str) -> None:
    theirs = await pair.theirs.rows(name)
    assert bool(theirs) == (name in FILLED)
    ids = ",".join(row["id"] for row in theirs[:50]) or "1" * 24
    assert await pair.mine.rows(name, ids=ids) == []
    assert await pair.mine.rows(name, ids=ids, include_deleted="true") == []
    mine = await pair.mine.rows(name)
    assert {row["remote_id"] for row in mine} == {row["remote_id"] for row in theirs}
    assert not {row["id"] for row in mine} & {row["id"] for row in theirs}


@pytest.mark.parametrize(("name", "parameter", "target"), FILTERS)
async def test_a_filter_by_their_ids_selects_nothing(pair: Pair, name: str, parameter: str, target: Model) -> None:
    lists = {Model.JOB: "jobs", Model.STAGE: "application-stages", Model.CANDIDATE: "candidates"}
    theirs = await pair.theirs.rows(lists.get(target, "applications"))
    ids = ",".join(row["id"] for row in theirs[:50])
    assert await pair.mine.rows(name, **{parameter: ids}) == []


@pytest.mark.parametrize("name", FILLED)
async def test_their_cursors_are_refused(pair: Pair, name: str) -> None:
    page = await pair.theirs.page(name, page_size=1)
    assert page["next"]
    answer = await pair.mine.get(f"/ats/{name}", page_size=1, cursor=page["next"])
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "PLATFORM.INPUT_INVALID"
    for other in LISTS:
        if other != name:
            answer = await pair.theirs.get(f"/ats/{other}", page_size=1, cursor=page["next"])
            assert answer.status_code == 400, other


@pytest.mark.parametrize("name", FILLED)
async def test_a_cursor_with_any_byte_changed_is_refused(pair: Pair, name: str) -> None:
    page = await pair.mine.page(name, page_size=1)
    cursor = page["next"]
    for place in range(0, len(cursor), 3):
        changed = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
        answer = await pair.mine.get(f"/ats/{name}", page_size=1, cursor=changed)
        # The last character of base64 may hold bits that mean nothing.
        assert answer.status_code == 400 or place >= len(cursor) - 2, place


async def test_two_integrations_of_one_environment_are_kept_apart_too(product: Product) -> None:
    mine = await product.synced(small_company(seed=11))
    other = await product.connect(small_company(seed=12), environment=(mine.environment, mine.key))
    assert (await other.sync("full")).state == "SUCCEEDED"
    for name in FILLED:
        ids = ",".join(row["id"] for row in (await other.rows(name))[:50])
        assert await mine.rows(name, ids=ids) == []
        page = await other.page(name, page_size=1)
        assert (await mine.get(f"/ats/{name}", page_size=1, cursor=page["next"])).status_code == 400


async def test_the_key_tells_its_own_environment_only(pair: Pair) -> None:
    found = [(await one.get("/check-api-key")).json()["data"]["environment_id"] for one in pair]
    assert len(set(found)) == 2
