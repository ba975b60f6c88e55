"""Our own API: what callers wanted written, how far it is, and what came of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from jsonschema import Draft202012Validator

from action_kit import EMAIL, FIRST_NAME, LAST_NAME, applying, begun, company_with_open_job, ended, given_back, write
from atsumi import errors
from atsumi.actions.outcome import KINDS
from atsumi.dialects.atsumi.actions import ERRORS
from atsumi.errors import JobClosed, OutcomeUnknown, RateLimited, RemoteCall
from atsumi.model.draft import Ref
from atsumi.model.ids import from_base58, to_base58
from harness import Account, Product

CALL = RemoteCall("personio", "create application", "POST", "https://api.personio.test/v1/recruiting/applications")


@pytest.fixture
async def account(product: Product) -> Account:
    return await product.synced(company_with_open_job(applications=5))


async def ask(account: Account, path: str, **params: Any) -> httpx2.Response:
    sent = {name: str(value) for name, value in params.items()}
    return await account.product.api.get(f"/atsumi/v1{path}", params=sent, headers=account.headers)


async def read(account: Account, path: str, **params: Any) -> dict[str, Any]:
    """What a successful read answers, held against the published document."""
    answer = await ask(account, path, **params)
    assert answer.status_code == 200, answer.text
    document = (await account.product.api.get("/atsumi/v1/openapi.json")).json()
    template = "/actions/{action_id}" if path.startswith("/actions/") else path
    schema = document["paths"][template]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    Draft202012Validator({**schema, "components": document["components"]}).validate(answer.json())
    for content in (FIRST_NAME, LAST_NAME, EMAIL):
        assert content not in answer.text
    return answer.json()


async def shown(account: Account, id: UUID) -> dict[str, Any]:
    return await read(account, f"/actions/{to_base58(id)}")


async def test_what_was_created_is_shown_with_its_ids_in_both_spellings(account: Account) -> None:
    receipt = await write(account, applying(account))
    found = await shown(account, receipt.id)
    assert (found["state"], found["action"], found["surface"]) == ("SUCCEEDED", "create_application", "kombo")
    assert found["uuid"] == str(receipt.id)
    [row] = [row for row in await account.rows("applications") if row["id"] == found["application_id"]]
    assert found["candidate_id"] == row["candidate_id"]
    for kind in ("application", "candidate"):
        assert from_base58(found[f"{kind}_id"]) == UUID(found[f"{kind}_uuid"])
    assert (found["next"], found["next_at"], found["error"], found["is_provisional"]) == (None, None, None, False)
    assert await shown(account, UUID(found["uuid"])) == await read(account, f"/actions/{found['uuid']}")


async def test_a_refusal_tells_the_tools_words_and_that_the_caller_acts(account: Account) -> None:
    closed = next(str(job.id) for job in account.simulator.company.jobs if not job.is_published)
    with pytest.raises(JobClosed) as refused:
        await write(account, applying(account, job=Ref(remote_id=closed)))
    [found] = (await read(account, "/actions"))["items"]
    assert (found["state"], found["next"]) == ("FAILED", None)
    assert found["error"] == {"code": "job_closed", "message": str(refused.value), "who_acts": "caller"}


async def test_a_deferred_action_tells_when_it_is_carried_out(account: Account) -> None:
    receipt = await write(account, applying(account, is_deferred=True))
    found = await shown(account, receipt.id)
    assert (found["state"], found["ended_at"]) == ("PENDING", None)
    assert found["next_at"] is not None
    assert found["expected_wait_seconds"] == 0
    assert "next_at" in found["next"]


async def test_what_waits_for_its_caller_says_so(account: Account) -> None:
    claim = await begun(account)
    pause = timedelta(minutes=5)
    error = RateLimited(CALL, "the budget is used up", retry_at=account.integration.created_at)
    await given_back(account, claim, "PENDING", error, pause)
    waiting = await shown(account, claim.id)
    assert waiting["error"]["who_acts"] == "nobody"
    assert 0 < waiting["expected_wait_seconds"] <= pause.total_seconds()
    await account.pool.execute("UPDATE action SET next_at = NULL WHERE id = $1", claim.id)
    found = await shown(account, claim.id)
    assert (found["next_at"], found["expected_wait_seconds"]) == (None, None)
    assert "sent again" in found["next"]


async def test_an_unknown_outcome_tells_when_it_is_looked_for(account: Account) -> None:
    claim = await begun(account)
    assert (await shown(account, claim.id))["state"] == "RUNNING"
    await given_back(account, claim, "UNKNOWN", OutcomeUnknown(CALL, "no answer"), timedelta(minutes=1))
    found = await shown(account, claim.id)
    assert (found["state"], found["error"]["code"]) == ("UNKNOWN", "outcome_unknown")
    assert found["next_at"] is not None
    assert "only if it does not" in found["next"]


async def test_what_the_tool_does_not_show_yet_has_ids_that_are_provisional(account: Account) -> None:
    claim, stand_in = await begun(account), uuid4()
    await ended(account, claim, application=stand_in, look_after=timedelta(minutes=1))
    found = await shown(account, claim.id)
    assert (found["state"], found["is_provisional"]) == ("SUCCEEDED", True)
    assert found["application_uuid"] == str(stand_in)
    assert "looked for" in found["next"]


async def test_actions_are_listed_newest_first_page_by_page_and_by_state(account: Account) -> None:
    claims = [await begun(account) for _ in range(5)]
    newest_first = [str(claim.id) for claim in reversed(claims)]
    await ended(account, claims[1])
    pages, before = [], {}
    while True:
        page = await read(account, "/actions", limit=2, **before)
        pages.append([one["uuid"] for one in page["items"]])
        if not page["has_more"]:
            break
        before = {"before": page["items"][-1]["id"]}
    assert pages == [newest_first[:2], newest_first[2:4], newest_first[4:]]
    succeeded = await read(account, "/actions", state="SUCCEEDED")
    assert [one["uuid"] for one in succeeded["items"]] == [str(claims[1].id)]
    assert (await read(account, "/actions", before=newest_first[-1]))["items"] == []


@pytest.mark.parametrize(
    ("params", "parameter"),
    [
        ({"state": "DONE"}, "state"),
        ({"limit": "101"}, "limit"),
        ({"before": "x"}, "before"),
        ({"before": str(uuid4())}, "before"),
        ({"after": "x"}, "after"),
    ],
)
async def test_a_wrong_parameter_is_named(account: Account, params: dict[str, str], parameter: str) -> None:
    answer = await ask(account, "/actions", **params)
    assert (answer.status_code, answer.json()["parameter"]) == (400, parameter)


@pytest.mark.parametrize("id", ["x", "1" * 24, "018b18ef-c487-703c-afd9-0ca478ccd9d6"])
async def test_an_id_of_nothing_is_not_found(account: Account, id: str) -> None:
    answer = await ask(account, f"/actions/{id}")
    assert (answer.status_code, answer.json()["parameter"]) == (404, "action_id")


async def test_the_actions_of_others_are_not_there(account: Account, product: Product) -> None:
    other = await product.connect()
    theirs = await begun(other)
    answer = await ask(account, f"/actions/{theirs.id}")
    assert (answer.status_code, answer.json()) == (404, (await ask(account, f"/actions/{uuid4()}")).json())
    assert (await read(account, "/actions"))["items"] == []
    assert (await ask(account, "/actions", before=theirs.id)).status_code == 400
    for path in ("/actions", f"/actions/{theirs.id}"):
        headers = account.headers | {"X-Integration-Id": other.integration.id}
        answer = await product.api.get(f"/atsumi/v1{path}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "integration_not_found")


async def test_actions_are_shown_while_the_integration_is_switched_off(account: Account) -> None:
    claim = await begun(account)
    await account.pool.execute("UPDATE integration SET state = 'INACTIVE' WHERE number = $1", account.number)
    assert (await shown(account, claim.id))["uuid"] == str(claim.id)


def test_every_error_that_is_kept_has_a_code_and_says_who_acts() -> None:
    assert ERRORS.keys() == KINDS.keys()
    for name, (_, who_acts) in ERRORS.items():
        is_callers = issubclass(KINDS[name], errors.CallerError | errors.RemoteRejected)
        assert (who_acts == "caller") == is_callers
