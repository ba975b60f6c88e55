"""Whatever goes wrong, the answer is the contract's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from atsumi import errors
from atsumi.dialects.bindbee.errors import error_answer
from atsumi.dialects.bindbee.tests.kit import TOKEN, FakeServices, client
from atsumi.dialects.kombo.tests.kit import INTEGRATION
from atsumi.dialects.kombo.tests.test_errors import CALL
from atsumi.dialects.services import Caller, IntegrationState

TOMORROW = datetime.now(UTC) + timedelta(days=1)
"""Far enough that the suite is never slow enough to reach it."""


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.AuthenticationRequired("no"), 401),
        (errors.NotReady("no"), 409),
        (errors.NotFound("no"), 404),
        (errors.NoLongerKept("no"), 404),
        (errors.Conflict("no"), 409),
        (errors.UnsupportedByTool("no"), 501),
        (errors.RateLimited(CALL, "no", retry_at=TOMORROW), 429),
        (errors.RemoteUnavailable(CALL, "no"), 503),
        (errors.RemoteRejected(CALL, "no"), 502),
        (TimeoutError(), 504),
        (RuntimeError("secret detail"), 500),
        (errors.UnsafeChange("secret detail"), 500),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
async def test_an_error_has_its_status_and_a_text(error: Exception, status: int) -> None:
    services = FakeServices()
    services.failure = error
    async with client(services) as http:
        answer = await http.get("/api/ats/v1/jobs")
    assert answer.status_code == status
    assert set(answer.json()) == {"detail"}
    assert answer.json()["detail"]
    assert "secret" not in answer.text
    assert ("retry-after" in answer.headers) is (status == 429)
    assert ("x-request-id" in answer.headers) is (status == 500)
    assert answer.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)


def test_bad_input_that_the_product_finds_names_its_field() -> None:
    answer = error_answer(errors.InvalidInput("no such field", path="name"), "/", "")
    assert answer.status == 422
    assert b'"loc":["body","name"]' in answer.body


async def test_a_fault_of_ours_is_logged_and_others_are_not(caplog: pytest.LogCaptureFixture) -> None:
    assert error_answer(RuntimeError("x"), "/", "id").is_fault
    assert not error_answer(errors.NotFound("x"), "/", "id").is_fault


@pytest.mark.parametrize("authorization", ["", "Basic abc", "Bearer", "Bearer nobody", "Bearer \xe9"])
@pytest.mark.parametrize("path", ["jobs", "jobs/x", "eeocs", "jobs?page_size=0"])
async def test_a_key_is_needed_before_anything_else(authorization: str, path: str) -> None:
    services = FakeServices()
    async with client(services, Authorization="") as http:
        headers = {"Authorization": authorization.encode("latin-1")} if authorization else {}
        answer = await http.get(f"/api/ats/v1/{path}", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert isinstance(answer.json()["detail"], str)
    assert services.queries == []


async def test_a_connector_token_is_needed() -> None:
    async with client(FakeServices(), x_connector_token="") as http:
        answer = await http.get("/api/ats/v1/jobs")
    assert answer.status_code == 422
    assert answer.json() == {
        "detail": [{"type": "missing", "loc": ["header", "x-connector-token"], "msg": "Field required", "input": None}]
    }


async def test_a_token_is_good_only_in_its_own_environment() -> None:
    services = FakeServices()
    services.keys["other"] = Caller(UUID(int=3), "Other", UUID(int=4))
    answers = []
    for headers in ({"x_connector_token": "nobody"}, {"Authorization": "Bearer other"}):
        async with client(services, **headers) as http:
            answers.append(await http.get("/api/ats/v1/jobs"))
    assert [answer.status_code for answer in answers] == [401] * 2
    assert len({answer.text for answer in answers}) == 1
    assert services.queries == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"state": IntegrationState.INACTIVE}, 403),
        ({"state": IntegrationState.INVALID}, 200),
        ({"first_synced_at": None}, 200),
    ],
)
async def test_stored_data_stays_readable_unless_the_connector_is_switched_off(
    changes: dict[str, object], status: int
) -> None:
    services = FakeServices()
    services.change_integration(**changes)
    async with client(services) as http:
        for path in ("jobs", f"jobs/{INTEGRATION}"):
            answer = await http.get(f"/api/ats/v1/{path}")
            assert answer.status_code == (404 if status == 200 and "/" in path else status)


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/api/ats/v1/nothing", 404, None),
        ("GET", "/api/", 404, None),
        ("GET", "/api/ats/v1/jobs/", 404, None),
        ("GET", "/api/ATS/v1/jobs", 404, None),
        ("OPTIONS", "/api/ats/v1/jobs", 405, "GET, HEAD, POST"),
        ("BREW", "/api/ats/v1/tags/x", 405, "GET, HEAD"),
        ("POST", "/api/openapi.json", 405, "GET, HEAD"),
    ],
)
async def test_unknown_paths_and_methods_are_answered_in_the_same_shape(
    method: str, path: str, status: int, allow: str | None
) -> None:
    async with client(FakeServices()) as http:
        answer = await http.request(method, path, content=b"{not json")
    assert (answer.status_code, answer.headers.get("allow")) == (status, allow)
    assert set(answer.json()) == {"detail"}


async def test_a_record_that_nobody_has_is_not_found() -> None:
    async with client(FakeServices()) as http:
        for path in (f"jobs/{UUID(int=7)}", f"eeocs/{UUID(int=7)}"):
            answer = await http.get(f"/api/ats/v1/{path}")
            assert answer.status_code == 404
            assert answer.json()["detail"].endswith("not found")
        assert (await http.get("/api/ats/v1/jobs/7")).status_code == 422


async def test_a_token_is_never_told_in_an_answer() -> None:
    services = FakeServices()
    services.failure = RuntimeError(TOKEN)
    async with client(services) as http:
        assert TOKEN not in (await http.get("/api/ats/v1/jobs")).text
