"""Requests of a caller's own to each of Personio's APIs, against the simulator."""

from __future__ import annotations

import json
from typing import Any

import pytest

from atsumi.connector.passthrough import Part, PassthroughAnswer, PassthroughRequest, send
from atsumi.connectors.personio import connector
from atsumi.connectors.personio.facts import MANIFEST
from atsumi.connectors.personio.passthrough import PASSTHROUGH
from atsumi.connectors.personio.tests.simulated import SimulatedAccount
from atsumi.errors import AuthenticationFailed, PermissionMissing
from atsumi.testing.doubles import MemoryTokens, UnlimitedRate


class Asking:
    """One account, and who asks it; ``context`` may be changed before asking."""

    def __init__(self) -> None:
        self.account = SimulatedAccount(applications=30, jobs=4)
        self.simulator = self.account.simulator
        self.context = self.account.context()
        given = self.simulator.credentials()
        self.context.credentials = {**self.context.credentials, "recruiting_key": given["recruiting_key"]}
        self.context.config = {**self.context.config, "company_id": given["company_id"]}

    async def send(self, api: str, method: str, path: str, **sent: Any) -> PassthroughAnswer:
        request = PassthroughRequest(method, path, **sent)
        return await send(self.context, connector.manifest, connector.passthrough[api], request)

    @property
    def limiter(self) -> UnlimitedRate:
        assert isinstance(self.context.limiter, UnlimitedRate)
        return self.context.limiter

    @property
    def tokens(self) -> MemoryTokens:
        assert isinstance(self.context.tokens, MemoryTokens)
        return self.context.tokens


@pytest.fixture
def asking() -> Asking:
    return Asking()


async def test_each_api_is_asked_with_its_own_credentials(asking: Asking) -> None:
    applications = await asking.send("recruitingV2", "GET", "/applications", query=[("limit", "2")])
    assert (applications.status, len(json.loads(applications.body)["_data"])) == (200, 2)
    persons = await asking.send("personnelv2", "GET", "/persons?limit=3")
    assert (persons.status, len(json.loads(persons.body)["_data"])) == (200, 3)
    employees = await asking.send("personnel", "GET", "/company/employees", query=[("limit", "4")])
    assert (employees.status, len(json.loads(employees.body)["data"])) == (200, 4)
    feed = await asking.send("jobboard", "GET", "/xml", query=[("language", "en")])
    assert (feed.status, feed.content_type) == (200, "text/xml")
    assert b"<workzag-jobs>" in feed.body
    part = Part("file", b"%PDF-1.4", "cv.pdf", "application/pdf")
    uploaded = await asking.send("recruiting", "POST", "/applications/documents", parts=[part])
    assert (uploaded.status, json.loads(uploaded.body)["original_filename"]) == (200, "cv.pdf")


async def test_an_application_is_created(asking: Asking) -> None:
    job = asking.simulator.state("published")["published"][0]["id"]
    body = {"first_name": "A", "last_name": "B", "email": "a.b@example.com", "job_position_id": int(job)}
    before = asking.simulator.counts()["applications"]
    content = json.dumps(body).encode()
    answer = await asking.send("recruiting", "POST", "/applications", content=content, content_type="application/json")
    assert (answer.status, answer.body) == (201, b"")
    again = await asking.send("recruiting", "POST", "/applications", content=content, content_type="application/json")
    assert again.status == 400
    assert b"applicant-already-exists" in again.body
    assert asking.simulator.counts()["applications"] == before + 1


@pytest.mark.parametrize(("api", "path"), [("recruitingV2", "/jobs"), ("personnel", "/company/employees")])
async def test_a_token_that_the_tool_has_ended_is_renewed_once(asking: Asking, api: str, path: str) -> None:
    assert (await asking.send(api, "GET", path)).status == 200
    asking.simulator.revoke_tokens()
    assert (await asking.send(api, "GET", path)).status == 200
    assert asking.tokens.refreshes == 2


async def test_a_refusal_that_a_fresh_token_does_not_change_is_the_answer(asking: Asking) -> None:
    asking.simulator.set_scopes(["personio:recruiting:read"])
    asking.context.credentials = {**asking.context.credentials, "recruiting_key": "a key of somebody else"}
    assert (await asking.send("recruiting", "POST", "/applications", content=b"{}")).status == 401
    assert len(asking.limiter.acquired) == 1
    assert (await asking.send("personnelv2", "GET", "/persons")).status == 403


async def test_the_echo_of_the_token_is_not_shown(asking: Asking) -> None:
    answer = await asking.send("personnel", "GET", "/company/employees")
    assert "authorization" not in answer.headers
    assert "papi-" not in json.dumps(dict(answer.headers))


async def test_what_the_integration_lacks_is_named(asking: Asking) -> None:
    asking.context.credentials = {"client_secret": "wrong"}
    with pytest.raises(PermissionMissing, match="Recruiting API key"):
        await asking.send("recruiting", "POST", "/applications")
    for api in ("recruitingV2", "personnel"):
        with pytest.raises(AuthenticationFailed, match="connect again"):
            await asking.send(api, "GET", "/anything")


@pytest.mark.parametrize(
    ("api", "method", "path", "bucket"),
    [
        ("recruitingV2", "GET", "/applications", "applications"),
        ("recruitingV2", "GET", "/applications/", "applications"),
        ("recruitingV2", "GET", "/applications/1", "applications"),
        ("recruitingV2", "GET", "/applications/1/stage-transitions", "stage_transitions"),
        ("personnelv2", "GET", "/recruiting/applications", "applications"),
        ("personnelv2", "GET", "/persons/1/employments", "persons"),
        ("personnelv2", "GET", "/document-management/documents/1/download", "documents"),
        ("personnelv2", "POST", "/auth/revoke", "token"),
        ("personnelv2", "GET", "/applicationsx", "other"),
        ("recruiting", "POST", "/applications", "create_application"),
        ("recruiting", "POST", "/applications/documents", "upload_document"),
        ("personnel", "POST", "/recruiting/applications", "create_application"),
        ("personnel", "POST", "/auth", "personnel_token"),
        ("personnel", "GET", "/company/employees/1", "employees"),
        ("personnel", "GET", "/company/attendances", "other"),
        ("jobboard", "GET", "/xml", "career"),
    ],
)
def test_requests_use_the_budget_that_everything_else_uses(api: str, method: str, path: str, bucket: str) -> None:
    assert PASSTHROUGH[api].bucket(method, path) == bucket


def test_every_budget_is_in_the_manifest(asking: Asking) -> None:
    for api in PASSTHROUGH.values():
        for path in ("", "/x", "/applications", "/auth", "/persons", "/company/employees", "/recruiting/jobs"):
            for method in ("GET", "POST"):
                assert MANIFEST.limit(api.bucket(method, path))


@pytest.mark.parametrize("path", ["/%61pplications", "/applications;a=1", "/applications%3Ba", "/applications/"])
async def test_another_spelling_of_a_path_uses_its_budget(asking: Asking, path: str) -> None:
    await asking.send("recruitingV2", "GET", path)
    assert asking.limiter.acquired[-1] == "applications"


async def test_the_budget_that_the_tool_states_is_learnt_and_its_refusal_stops_everybody(asking: Asking) -> None:
    asking.simulator.switch(v2_rate_limit=True, v2_replenish_per_second=7, v2_burst=1)
    assert (await asking.send("recruitingV2", "GET", "/jobs")).status == 200
    assert asking.limiter.learned["jobs"] == ((7, 1), 0)
    assert not asking.limiter.blocked
    assert (await asking.send("recruitingV2", "GET", "/jobs")).status == 429
    assert set(asking.limiter.blocked) == {"jobs"}
