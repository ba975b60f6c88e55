"""What the client sends, and what it makes of refusals."""

from __future__ import annotations

from datetime import timedelta

import httpx2
import pytest

from atsumi.connector.context import RateLimit
from atsumi.connectors.personio.client import PersonioClient, RequestRefused, pause_seconds, stated_limit
from atsumi.connectors.personio.tests.fixed import SECRET, FixedAccount, fixture, ok, problem
from atsumi.errors import (
    AuthenticationFailed,
    PermissionMissing,
    RateLimited,
    RemoteUnavailable,
    ToolError,
    UnexpectedResponse,
)
from atsumi.testing.doubles import NOON, MemoryTokens, UnlimitedRate

TOKEN, JOBS, PERSONS = "/v2/auth/token", "/v2/recruiting/jobs", "/v2/persons"
JOB = "/v2/recruiting/jobs/5101"


async def list_jobs(account: FixedAccount) -> list[object]:
    return [item async for page in PersonioClient(account.context).jobs({}) for item in page.items]


async def test_the_token_is_asked_for_with_a_form_and_used_until_shortly_before_its_end() -> None:
    account = FixedAccount({JOBS: ok("list_jobs")})
    await list_jobs(account)
    await list_jobs(account)
    (asked,) = account.asked(TOKEN)
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert asked.content.decode() == f"grant_type=client_credentials&client_id=papi-client&client_secret={SECRET}"
    tokens = account.context.tokens
    assert isinstance(tokens, MemoryTokens)
    assert tokens.token is not None
    assert tokens.token.expires_at == NOON + timedelta(seconds=86400 - 300)


@pytest.mark.parametrize(("remaining", "usable"), [(86400, 86100), (600, 540), (10, 9)])
async def test_a_token_close_to_its_end_is_still_used(remaining: int, usable: int) -> None:
    answer = {**fixture("get_token"), "expires_in": remaining}
    account = FixedAccount({TOKEN: httpx2.Response(200, json=answer), JOBS: ok("list_jobs")})
    await list_jobs(account)
    tokens = account.context.tokens
    assert isinstance(tokens, MemoryTokens)
    assert tokens.token is not None
    assert tokens.token.expires_at == NOON + timedelta(seconds=usable)


async def test_every_request_carries_the_token_and_opts_into_the_beta() -> None:
    account = FixedAccount({JOBS: ok("list_jobs")})
    assert len(await list_jobs(account)) == 1
    (asked,) = account.asked(JOBS)
    assert asked.headers["authorization"] == "Bearer papi-fixture-access-token"
    assert asked.headers["beta"] == "true"
    assert dict(asked.url.params) == {"limit": "200"}


async def test_401_is_answered_with_one_fresh_token() -> None:
    fresh = {**fixture("get_token"), "access_token": "papi-second-token"}
    tokens = [ok("get_token"), httpx2.Response(200, json=fresh)]
    account = FixedAccount({TOKEN: tokens, JOBS: [httpx2.Response(401), ok("list_jobs")]})
    assert len(await list_jobs(account)) == 1
    assert [asked.headers["authorization"] for asked in account.asked(JOBS)] == [
        "Bearer papi-fixture-access-token",
        "Bearer papi-second-token",
    ]


async def test_a_single_401_does_not_cost_the_customer_a_reconnect() -> None:
    account = FixedAccount({JOBS: [httpx2.Response(401), ok("list_jobs")]})
    assert len(await list_jobs(account)) == 1
    assert len(account.asked(TOKEN)) == 2


REFUSALS = {
    "a fresh token is refused": (httpx2.Response(401), AuthenticationFailed),
    "a right is missing": (httpx2.Response(403), PermissionMissing),
    "a right is missing, other style": (
        httpx2.Response(400, json={"errors": [{"title": "Unauthorized token", "detail": ""}]}),
        PermissionMissing,
    ),
    "the gateway does not know the endpoint": (problem(404, "error_gateway_404"), PermissionMissing),
    "a listing is unknown": (problem(404, "error_resource_404"), UnexpectedResponse),
    "404 from elsewhere": (httpx2.Response(404, text="<html>"), UnexpectedResponse),
    "a parameter is refused": (problem(400, "error_bad_request"), RequestRefused),
    "400 from elsewhere": (httpx2.Response(400, text="Bad Request"), UnexpectedResponse),
    "400 without a reason": (httpx2.Response(400, json={}), UnexpectedResponse),
    "the budget is used up": (httpx2.Response(429), RateLimited),
    "the tool is down": (httpx2.Response(503), RemoteUnavailable),
    "a redirect": (httpx2.Response(302, headers={"Location": "https://elsewhere.test"}), UnexpectedResponse),
    "an odd status": (httpx2.Response(418), UnexpectedResponse),
    "a page instead of data": (httpx2.Response(200, html="<p>maintenance</p>"), UnexpectedResponse),
    "an error with status 200": (httpx2.Response(200, json=fixture("error_bad_request")), UnexpectedResponse),
    "no envelope": (httpx2.Response(200, json=[]), UnexpectedResponse),
    "an envelope without a list": (httpx2.Response(200, json={"_data": {}}), UnexpectedResponse),
    "a list and errors": (httpx2.Response(200, json={"_data": [], "errors": []}), UnexpectedResponse),
}


@pytest.mark.parametrize(("answer", "expected"), REFUSALS.values(), ids=REFUSALS)
async def test_each_refusal_says_who_acts(answer: httpx2.Response, expected: type[ToolError]) -> None:
    with pytest.raises(ToolError) as caught:
        await list_jobs(FixedAccount({JOBS: answer}))
    assert isinstance(caught.value, expected)
    assert str(caught.value).startswith("personio: list jobs: ")
    assert SECRET not in str(caught.value)
    assert "papi-fixture-access-token" not in str(caught.value)


async def test_a_missing_right_names_the_scope_and_where_to_tick_it() -> None:
    with pytest.raises(PermissionMissing, match=r'lack "Recruiting: read".*Marketplace') as caught:
        await list_jobs(FixedAccount({JOBS: httpx2.Response(403)}))
    assert caught.value.scope == "personio:recruiting:read"


async def test_an_unexpected_answer_shows_its_shape_and_no_value() -> None:
    answer = httpx2.Response(200, json={"_data": "ada@example.com", "note": {"name": "Ada"}})
    with pytest.raises(UnexpectedResponse) as caught:
        await list_jobs(FixedAccount({JOBS: answer}))
    assert caught.value.shape == "{_data: str, note: {name: str}}"


async def test_401_on_persons_is_a_missing_right() -> None:
    account = FixedAccount({PERSONS: httpx2.Response(401)})
    with pytest.raises(PermissionMissing) as caught:
        await PersonioClient(account.context).check_persons()
    assert caught.value.scope == "personio:persons:read"


@pytest.mark.parametrize("scope", ["personio:persons:read", "persons:read"])
async def test_401_with_a_token_that_lacks_the_right_is_a_missing_right(scope: str) -> None:
    token = httpx2.Response(200, json={**fixture("get_token"), "scope": scope})
    with pytest.raises(PermissionMissing):
        await list_jobs(FixedAccount({TOKEN: token, JOBS: httpx2.Response(401)}))


TOKEN_REFUSALS = {
    "wrong secret": (problem(400, "error_token"), AuthenticationFailed),
    "no reason": (httpx2.Response(400, json={}), UnexpectedResponse),
    "a page": (httpx2.Response(400, text="no"), UnexpectedResponse),
    "temporary": (httpx2.Response(400, json={"error": "temporarily_unavailable"}), RemoteUnavailable),
    "down": (httpx2.Response(500), RemoteUnavailable),
    "too often": (httpx2.Response(429), RateLimited),
    "200 without a token": (httpx2.Response(200, json={"success": True}), UnexpectedResponse),
    "200 with a page": (httpx2.Response(200, text="<html>"), UnexpectedResponse),
}


@pytest.mark.parametrize(("answer", "expected"), TOKEN_REFUSALS.values(), ids=TOKEN_REFUSALS)
async def test_each_token_refusal_says_who_acts(answer: httpx2.Response, expected: type[ToolError]) -> None:
    with pytest.raises(expected, match=r"^personio: get token: "):
        await list_jobs(FixedAccount({TOKEN: answer}))


@pytest.mark.parametrize("wrap", [True, False], ids=["wrapped", "bare"])
async def test_a_single_record_may_be_wrapped(wrap: bool) -> None:
    job = fixture("list_jobs")["_data"][0]
    account = FixedAccount({JOB: httpx2.Response(200, json={"_data": job} if wrap else job)})
    assert await PersonioClient(account.context).job("5101") == job


async def test_an_unknown_record_is_none_but_an_unknown_endpoint_is_not() -> None:
    account = FixedAccount({JOB: [problem(404, "error_resource_404"), problem(404, "error_gateway_404")]})
    client = PersonioClient(account.context)
    assert await client.job("5101") is None
    with pytest.raises(PermissionMissing):
        await client.job("5101")


@pytest.mark.parametrize("remote_id", ["../etc/passwd?", "51/01", "", "5101 ", ".", "5101%2F"])
async def test_an_id_that_the_tool_cannot_have_is_unknown_without_asking(remote_id: str) -> None:
    account = FixedAccount({})
    client = PersonioClient(account.context)
    assert await client.candidate(remote_id) is None
    assert await client.stage_transitions(remote_id) is None
    assert not account.requests


async def test_stage_transitions_may_be_wrapped_bare_or_unknown() -> None:
    path = "/v2/recruiting/applications/880001/stage-transitions"
    wrapped = fixture("list_stage_transitions")
    answers = [httpx2.Response(200, json=body) for body in (wrapped, wrapped["_data"])]
    account = FixedAccount({path: [*answers, problem(404, "error_resource_404")]})
    client = PersonioClient(account.context)
    assert await client.stage_transitions("880001") == wrapped["_data"]
    assert await client.stage_transitions("880001") == wrapped["_data"]
    assert await client.stage_transitions("880001") is None


async def test_persons_are_asked_for_by_id_and_strangers_are_dropped() -> None:
    account = FixedAccount({PERSONS: ok("list_persons")})
    found = await PersonioClient(account.context).persons(["4002", "4001"])
    assert found == fixture("list_persons")["_data"][:1]
    assert dict(account.asked(PERSONS)[0].url.params) == {"id": "4001,4002", "limit": "50"}


async def test_the_budget_in_the_headers_is_learned() -> None:
    headers = {
        "x-ratelimit-replenish-rate": "40",
        "x-ratelimit-burst-capacity": "80",
        "x-ratelimit-requested-tokens": "2",
        "x-ratelimit-remaining": "61",
    }
    account = FixedAccount({JOBS: httpx2.Response(200, json=fixture("list_jobs"), headers=headers)})
    await list_jobs(account)
    limiter = account.context.limiter
    assert isinstance(limiter, UnlimitedRate)
    assert limiter.learned == {"jobs": (RateLimit(20, 40), 30)}
    assert limiter.acquired == ["token", "jobs"]


@pytest.mark.parametrize("headers", [{}, {"x-ratelimit-replenish-rate": "0"}, {"x-ratelimit-replenish-rate": "many"}])
def test_odd_budget_headers_teach_nothing(headers: dict[str, str]) -> None:
    assert stated_limit(headers) is None
    assert pause_seconds(headers) is None


def test_429_waits_until_one_request_is_affordable_again() -> None:
    assert pause_seconds({"x-ratelimit-replenish-rate": "2", "x-ratelimit-requested-tokens": "5"}) == 3.0
