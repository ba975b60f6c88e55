"""Connectors: their tokens, their list, the request limit, resync, and how one environment sees nothing of another."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

import httpx2
import msgspec
import pytest

from atsumi.dialects.bindbee.lists import LISTS
from atsumi.dialects.bindbee.operations import OPERATIONS
from atsumi.redaction import redact_text
from atsumi.server.app import create_app
from atsumi.server.runtime import Runtime
from atsumi.store import connectors, queue, runs
from harness import Account, Product, small_company

LIMIT, REMAINING, RESET = "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"


class Pair(NamedTuple):
    mine: Account
    theirs: Account


@pytest.fixture(scope="module")
async def pair(product: Product) -> Pair:
    """The same account of the tool, connected by two environments."""
    simulator = small_company()
    return Pair(await product.synced(simulator), await product.synced(simulator))


async def token_of(account: Account) -> str:
    return await connectors.token_of(account.pool, account.runtime.vault, await account.fresh())


async def ask(
    account: Account, path: str, *, method: str = "GET", token: str | None = None, key: str | None = None, **params: Any
) -> httpx2.Response:
    """One request below ``/api`` with the account's key."""
    headers = {"Authorization": f"Bearer {key or account.key}"}
    if token is not None:
        headers["x-connector-token"] = token
    return await account.product.api.request(method, f"/api{path}", headers=headers, params=params)


async def listed(account: Account, **params: Any) -> list[dict[str, Any]]:
    answer = await ask(account, "/ats/v1/connectors", **params)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def limited(runtime: Runtime, limit: int) -> httpx2.AsyncClient:
    """Another process with a request limit of its own."""
    settings = runtime.settings.model_copy(update={"requests_per_minute": limit})
    transport = httpx2.ASGITransport(app=create_app(replace(runtime, settings=settings)))
    return httpx2.AsyncClient(transport=transport, base_url="http://api.test")


# Tokens.


async def test_a_token_is_made_with_its_integration_and_kept_sealed(product: Product) -> None:
    account = await product.connect()
    (row,) = await account.fetch("SELECT digest, sealed FROM connector_token WHERE integration = $1")
    token = await token_of(account)
    assert len(token) == 64
    assert token.encode() not in row["sealed"]
    assert redact_text(f"token {token}") == "token [redacted]"


async def test_an_integration_from_before_tokens_gets_one_when_it_is_listed(product: Product) -> None:
    account = await product.connect()
    await account.pool.execute("DELETE FROM connector_token WHERE integration = $1", account.number)
    (first,) = await listed(account)
    (again,) = await listed(account)
    assert first["connector_token"] == again["connector_token"] == await token_of(account)


async def test_of_many_who_ask_for_a_token_at_once_all_get_the_same(product: Product) -> None:
    account = await product.connect()
    await account.pool.execute("DELETE FROM connector_token WHERE integration = $1", account.number)
    assert len(set(await asyncio.gather(*(token_of(account) for _ in range(8))))) == 1


async def test_a_new_token_ends_the_old_one_at_once(pair: Pair) -> None:
    old = await token_of(pair.mine)
    assert (await ask(pair.mine, "/ats/v1/jobs", token=old)).status_code == 200
    row = await pair.mine.fresh()
    new = await connectors.token_of(pair.mine.pool, pair.mine.runtime.vault, row, is_renewed=True)
    assert new != old
    assert (await ask(pair.mine, "/ats/v1/jobs", token=old)).status_code == 401
    assert (await ask(pair.mine, "/ats/v1/jobs", token=new)).status_code == 200


async def test_a_token_of_another_category_is_refused(pair: Pair) -> None:
    runtime = pair.mine.runtime
    connector = runtime.connector("personio")
    hris = replace(connector, manifest=msgspec.structs.replace(connector.manifest, category="HRIS"))
    app = create_app(replace(runtime, connectors={"personio": hris}))
    token = await token_of(pair.mine)
    headers = {"Authorization": f"Bearer {pair.mine.key}", "x-connector-token": token}
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://api.test") as api:
        answer = await api.get("/api/ats/v1/jobs", headers=headers)
        assert answer.status_code == 403
        assert "HRIS" in answer.json()["detail"]
        # What is not about a category is open to it.
        assert (await api.post("/api/embedded/v1/connectors/resync", headers=headers)).status_code == 200


async def test_a_token_of_a_tool_that_is_not_installed_any_more_is_refused(pair: Pair) -> None:
    app = create_app(replace(pair.mine.runtime, connectors={}))
    headers = {"Authorization": f"Bearer {pair.mine.key}", "x-connector-token": await token_of(pair.mine)}
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://api.test") as api:
        assert (await api.get("/api/ats/v1/jobs", headers=headers)).status_code == 403
        assert len((await api.get("/api/ats/v1/connectors", headers=headers)).json()["items"]) == 1


# Tenants.


def spelled_with(path: str, id: UUID) -> str:
    """The path with this id wherever it names one."""
    return re.sub(r"\{\w+\}", str(id), path)


ROUTES = [(operation.method, operation.path, operation.needs_token) for operation in OPERATIONS]
OWN = [(method, path) for method, path, needs_token in ROUTES if needs_token]


@pytest.mark.parametrize(("method", "path"), OWN)
async def test_their_token_opens_nothing_for_my_key(pair: Pair, method: str, path: str) -> None:
    spelled = spelled_with(path, pair.theirs.integration.public_id)
    answer = await ask(pair.mine, spelled, method=method, token=await token_of(pair.theirs))
    nobody = await ask(pair.mine, spelled, method=method, token="x" * 64)
    assert answer.status_code == nobody.status_code == 401
    assert answer.json() == nobody.json()
    assert "www-authenticate" in answer.headers


@pytest.mark.parametrize(("method", "path", "needs_token"), ROUTES)
@pytest.mark.parametrize("key", ["", "atsumi_" + "x" * 32, "ö"])
async def test_without_a_key_of_ours_nothing_is_answered(
    pair: Pair, method: str, path: str, needs_token: bool, key: str
) -> None:
    id = pair.mine.integration.public_id
    headers = {"Authorization": f"Bearer {key}".encode(), "x-connector-token": (await token_of(pair.mine)).encode()}
    spelled = spelled_with(path, id)
    async with limited(pair.mine.runtime, 200) as api:
        answer = await api.request(method, f"/api{spelled}", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"]
    assert answer.headers[REMAINING] == answer.headers[LIMIT]


@pytest.mark.parametrize(("method", "path"), OWN)
async def test_without_a_token_the_missing_header_is_told(pair: Pair, method: str, path: str) -> None:
    answer = await ask(pair.mine, spelled_with(path, pair.mine.integration.public_id), method=method)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["header", "x-connector-token"]


async def test_the_connectors_of_a_key_are_those_of_its_environment(pair: Pair) -> None:
    (mine,) = await listed(pair.mine)
    assert mine["id"] == str(pair.mine.integration.public_id)
    assert await listed(pair.mine, connector_token=await token_of(pair.theirs)) == []
    answer = await ask(pair.mine, f"/ats/v1/connectors/{pair.theirs.integration.public_id}/delete", method="DELETE")
    assert answer.status_code == 404
    assert len(await listed(pair.theirs)) == 1


async def test_cursors_of_another_environment_list_or_filter_are_refused(product: Product) -> None:
    mine = await product.connect(small_company(seed=1))
    await product.connect(small_company(seed=2), environment=(mine.environment, mine.key))
    other = await product.connect(small_company(seed=3))
    cursor = (await ask(mine, "/ats/v1/connectors", page_size=1)).json()["cursor"]
    assert (await ask(mine, "/ats/v1/connectors", page_size=1, cursor=cursor)).status_code == 200
    for answer in (
        await ask(other, "/ats/v1/connectors", cursor=cursor),
        await ask(mine, "/ats/v1/integrations", cursor=cursor),
        await ask(mine, "/ats/v1/connectors", cursor=cursor, is_active="true"),
        await ask(mine, "/ats/v1/connectors", cursor=cursor[:-1]),
    ):
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["query", "cursor"]


# The list.


async def test_a_connector_shows_what_the_contract_asks_for(pair: Pair) -> None:
    (shown,) = await listed(pair.mine)
    row = await pair.mine.fresh()
    assert shown == {
        "id": str(row.public_id),
        "is_active": True,
        "status": "COMPLETE",
        "integration_slug": "personio",
        "end_user": row.end_user_organization_name,
        "origin_id": "customer-1",
        "sync_status": "Done",
        "last_sync_start_time": shown["last_sync_start_time"],
        "next_sync_start_time": shown["next_sync_start_time"],
        "connector_token": await token_of(pair.mine),
        "category": "ATS",
        "relink_needed_at": None,
        "is_test_connector": False,
        "completed_at": shown["created_at"],
        "created_at": shown["created_at"],
    }
    assert shown["created_at"] <= shown["last_sync_start_time"] < shown["next_sync_start_time"]


async def test_the_list_is_walked_page_by_page_and_filtered(product: Product) -> None:
    first = await product.connect(small_company(seed=1))
    environment = (first.environment, first.key)
    others = [await product.connect(small_company(seed=seed), environment=environment) for seed in (2, 3)]
    ids = {str(one.integration.public_id) for one in (first, *others)}
    found: list[str] = []
    cursor: dict[str, str] = {}
    for left in (2, 1, 0):
        page = (await ask(first, "/ats/v1/connectors", page_size=1, **cursor)).json()
        found += [one["id"] for one in page["items"]]
        assert page["page_size"] == 1
        assert (page["cursor"] is None) is (left == 0)
        cursor = {"cursor": page["cursor"]}
    assert set(found) == ids
    assert found == sorted(found)
    token = await token_of(others[0])
    assert [one["id"] for one in await listed(first, connector_token=token)] == [str(others[0].integration.public_id)]
    assert len(await listed(first, origin_id="customer-1")) == 3
    assert await listed(first, origin_id="customer-2") == []
    await queue.disable(first.pool, first.number)
    assert [one["id"] for one in await listed(first, is_active="false")] == [str(first.integration.public_id)]
    assert len(await listed(first, is_active="true")) == 2
    for wrong in ({"page_size": 201}, {"page_size": 0}, {"page_size": "x"}, {"is_active": "maybe"}, {"other": "1"}):
        assert (await ask(first, "/ats/v1/connectors", **wrong)).status_code == 422


async def test_the_states_of_a_connector_follow_its_syncs(product: Product) -> None:
    account = await product.connect()

    async def state() -> tuple[Any, ...]:
        (shown,) = await listed(account)
        return shown["status"], shown["sync_status"], shown["is_active"], shown["relink_needed_at"] is not None

    assert await state() == ("COMPLETE", None, True, False)
    claim = await account.claim("full")
    assert await state() == ("COMPLETE", "Syncing", True, False)
    await queue.cancel_runs(account.pool, account.number, "Called off.")
    assert await state() == ("COMPLETE", "Failed", True, False)
    assert claim.run.id is not None
    assert (await account.sync("full")).state == "SUCCEEDED"
    assert await state() == ("COMPLETE", "Done", True, False)
    await account.pool.execute(
        "UPDATE integration SET state = 'INVALID', authentication_failing_since = now() WHERE number = $1",
        account.number,
    )
    assert await state() == ("RELINK_NEEDED", "Done", True, True)
    await account.pool.execute("UPDATE integration SET state = 'INACTIVE' WHERE number = $1", account.number)
    assert await state() == ("COMPLETE", "Done", False, False)


async def test_names_are_looked_up(pair: Pair) -> None:
    (tool,) = (await ask(pair.mine, "/ats/v1/integrations")).json()["items"]
    assert (tool["integration_slug"], tool["display_name"], tool["category"]) == ("personio", "Personio", "ATS")
    assert UUID(tool["id"]) != UUID(tool["integration_id"])
    picture = await pair.mine.product.api.get(tool["icon_url"])
    assert picture.headers["content-type"].startswith("image/svg")
    known = (await ask(pair.mine, "/v1/lookup/integrations", category="ATS")).json()
    assert known == {"integrations": [{"slug": "personio", "display_name": "Personio", "categories": ["ATS"]}]}
    assert (await ask(pair.mine, "/v1/lookup/integrations", category="HRIS")).json() == {"integrations": []}
    assert (await ask(pair.mine, "/v1/lookup/models", category="LMS")).json() == {"models": []}
    models = (await ask(pair.mine, "/v1/lookup/models")).json()["models"]
    assert [one["slug"] for one in models] == [spec.slug for spec in LISTS]
    assert {"candidate", "job-interview-stage", "remote-user", "eeoc"} <= {one["slug"] for one in models}
    assert (await ask(pair.mine, "/v1/lookup/models", category="ats")).status_code == 422
    assert (await ask(pair.mine, "/v1/org-check", method="POST")).status_code == 200


# Resync.


async def test_a_resync_queues_one_run_and_none_beside_a_running_one(product: Product) -> None:
    account = await product.synced()
    token = await token_of(account)

    async def resync() -> int:
        answer = await ask(account, "/embedded/v1/connectors/resync", method="POST", token=token)
        assert answer.status_code == 200, answer.text
        assert isinstance(answer.json(), str)
        return len([run for run in await runs.latest_runs(account.pool, account.number) if run.ended_at is None])

    assert await resync() == 1
    assert await resync() == 1
    claim = await account.claim("incremental")
    assert await resync() == 1
    await queue.cancel_runs(account.pool, account.number, "Called off.")
    assert claim.run.kind == "incremental"
    await runs.request_run(account.pool, account.number, "full", requested_by="schedule")
    assert await resync() == 1


@pytest.mark.parametrize("state", ["INVALID", "INACTIVE"])
async def test_a_connector_that_does_not_sync_says_so(product: Product, state: str) -> None:
    account = await product.connect()
    await account.pool.execute("UPDATE integration SET state = $2 WHERE number = $1", account.number, state)
    answer = await ask(account, "/embedded/v1/connectors/resync", method="POST", token=await token_of(account))
    assert answer.status_code == 403


# The request limit.


async def test_every_answer_tells_what_is_left(pair: Pair) -> None:
    headers = {"Authorization": f"Bearer {pair.mine.key}", "x-connector-token": await token_of(pair.mine)}
    shown = []
    async with limited(pair.mine.runtime, 200) as api:
        for path in ("jobs", "jobs?page_size=0", f"jobs/{UUID(int=1)}", "tags"):
            answer = await api.get(f"/api/ats/v1/{path}", headers=headers)
            assert answer.headers[LIMIT] == "200"
            assert int(answer.headers[RESET]) % 60 == 0
            shown.append((int(answer.headers[RESET]), -int(answer.headers[REMAINING])))
        nowhere = await api.get("/api/nowhere", headers=headers)
    assert shown == sorted(set(shown))
    assert (nowhere.status_code, nowhere.headers[LIMIT]) == (404, "200")


async def test_what_is_over_the_limit_is_refused_until_the_minute_ends(pair: Pair) -> None:
    headers = {"Authorization": f"Bearer {pair.theirs.key}", "x-connector-token": await token_of(pair.theirs)}
    async with limited(pair.theirs.runtime, 3) as api:
        answers = [await api.get("/api/ats/v1/tags", headers=headers) for _ in range(8)]
        refused = [answer for answer in answers if answer.status_code == 429]
        # A minute may end in between, once.
        assert len(refused) >= 2
        for answer in refused:
            assert answer.json() == {"detail": "Rate limit exceeded"}
            assert answer.headers[REMAINING] == "0"
            assert 1 <= int(answer.headers["retry-after"]) <= 60
        # Calls that are about no connector have the key's own budget.
        assert (await api.post("/api/v1/org-check", headers=headers)).status_code == 200


async def test_there_may_be_no_limit(pair: Pair) -> None:
    headers = {"Authorization": f"Bearer {pair.mine.key}", "x-connector-token": await token_of(pair.mine)}
    async with limited(pair.mine.runtime, 0) as api:
        answer = await api.get("/api/ats/v1/tags", headers=headers)
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("x-ratelimit")]
