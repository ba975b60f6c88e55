"""Whatever goes wrong, the answer is the contract's envelope."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from atsumi import errors
from atsumi.dialects.kombo.errors import CODES, Family, codes_of, error_answer
from atsumi.dialects.kombo.tests.kit import ENVIRONMENT, INTEGRATION, KEY, FakeServices, client
from atsumi.dialects.services import Caller, IntegrationState

CALL = errors.RemoteCall(
    tool="personio", operation="list jobs", method="GET", url="https://api.example.com", status=400
)
TOMORROW = datetime.now(UTC) + timedelta(days=1)
"""Far enough that the suite is never slow enough to reach it."""


def envelope(answer: httpx.Response) -> dict[str, object]:
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body["status"] == "error"
    assert set(body["error"]) == {"code", "title", "message", "log_url"}
    assert body["error"]["message"]
    assert body["error"]["log_url"] is None
    code = body["error"]["code"]
    assert body["error"]["title"] == (CODES[code].title if code else None)
    return dict(body["error"])


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.InvalidInput("no"), 400, "PLATFORM.INPUT_INVALID"),
        (errors.AuthenticationRequired("no"), 401, "PLATFORM.AUTHENTICATION_INVALID"),
        (errors.NotReady("no"), 409, "INTEGRATION.SETUP_SYNC_PENDING"),
        (errors.UnsupportedByTool("no"), 400, "INTEGRATION.ACTION_NOT_AVAILABLE"),
        (errors.NotFound("no"), 404, None),
        (errors.Conflict("no"), 409, None),
        (errors.InProgress("no", seconds=5), 409, None),
        (errors.TooManyActions("no", limit=30), 429, "PLATFORM.CONCURRENCY_LIMIT_EXCEEDED"),
        (errors.AuthenticationFailed(CALL, "no"), 401, "INTEGRATION.AUTHENTICATION_INVALID"),
        (errors.PermissionMissing(CALL, "no"), 403, "INTEGRATION.PERMISSION_MISSING"),
        (errors.RateLimited(CALL, "no", retry_at=TOMORROW), 429, "REMOTE.RATE_LIMIT_EXCEEDED"),
        (errors.RemoteUnavailable(CALL, "no"), 503, "REMOTE.SERVICE_UNAVAILABLE"),
        (errors.OutcomeUnknown(CALL, "no"), 503, "REMOTE.SERVICE_UNAVAILABLE"),
        (errors.RemoteRejected(CALL, "no"), 400, "REMOTE.INPUT_INVALID"),
        (errors.AlreadyExists(CALL, "no"), 409, "ATS.APPLICATION_ALREADY_EXISTS"),
        (errors.JobClosed(CALL, "no"), 400, "ATS.JOB_CLOSED"),
        (errors.UnexpectedResponse(CALL, "no"), 502, "REMOTE.UNKNOWN_HTTP_ERROR"),
        (TimeoutError(), 504, "PLATFORM.TASK_TIMED_OUT"),
        (RuntimeError("secret detail"), 500, "PLATFORM.UNKNOWN_ERROR"),
        (errors.UnsafeChange("secret detail"), 500, "PLATFORM.UNKNOWN_ERROR"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
async def test_an_error_has_its_status_and_code(error: Exception, status: int, code: str | None) -> None:
    services = FakeServices()
    services.failure = error
    async with client(services) as http:
        answer = await http.get("/v1/ats/jobs")
    assert answer.status_code == status
    found = envelope(answer)
    assert found["code"] == code
    assert "secret detail" not in answer.text
    if status == 500:
        assert answer.headers["x-request-id"] in str(found["message"])
    if isinstance(error, errors.RateLimited):
        assert 80_000 < int(answer.headers["retry-after"]) <= 86_400
    if isinstance(error, errors.InProgress | errors.TooManyActions):
        assert answer.headers["retry-after"] == ("5" if isinstance(error, errors.InProgress) else "1")


@pytest.mark.parametrize("code", CODES)
def test_clients_of_general_operations_see_platform_codes_only(code: str) -> None:
    assert code in codes_of(Family.ATS)
    assert (code in codes_of(Family.GENERAL)) is code.startswith("PLATFORM.")
    answer = error_answer(errors.RemoteUnavailable(CALL, "no"), Family.GENERAL, "r")
    assert answer.status == 503
    assert b'"code":null' in answer.body


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("", 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        (f"Basic {KEY}", 401),
        ("Bearer unknown", 401),
        (KEY, 401),
        (f"bearer {KEY}", 200),
        (f"Bearer  {KEY}", 200),
    ],
)
@pytest.mark.parametrize("path", ["/v1/ats/jobs", "/v1/check-api-key"])
async def test_a_key_is_needed(path: str, authorization: str, status: int) -> None:
    async with client(FakeServices(), Authorization=authorization) as http:
        answer = await http.get(path)
    assert answer.status_code == status
    if status == 401:
        assert envelope(answer)["code"] == "PLATFORM.AUTHENTICATION_INVALID"
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_an_integration_is_found_only_by_its_whole_id_and_in_its_own_environment() -> None:
    services = FakeServices()
    services.keys["other"] = Caller(UUID(int=3), "Other", key_id=UUID(int=4))
    for headers in (
        {"X_Integration_Id": ""},
        {"X_Integration_Id": "personio:"},
        {"X_Integration_Id": "personio"},
        {"X_Integration_Id": "personio:26vafvWSRmbhNcxJYqjCzuJg"},
        {"X_Integration_Id": "greenhouse:1111111111111111111111153"},
        {"Authorization": "Bearer other"},
    ):
        async with client(services, **headers) as http:
            answer = await http.get("/v1/ats/jobs")
        assert answer.status_code == 404
        assert envelope(answer)["code"] == "PLATFORM.INTEGRATION_NOT_FOUND"
    assert services.queries == []


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"state": IntegrationState.INACTIVE}, 409, "INTEGRATION.INACTIVE"),
        ({"first_synced_at": None}, 409, "INTEGRATION.SETUP_SYNC_PENDING"),
        ({"first_synced_at": None, "state": IntegrationState.INVALID}, 409, "INTEGRATION.SETUP_SYNC_PENDING"),
        ({"state": IntegrationState.INVALID}, 200, None),
    ],
)
async def test_the_state_of_an_integration_decides_whether_it_can_be_read(
    changes: dict[str, object], status: int, code: str | None
) -> None:
    services = FakeServices()
    services.change_integration(**changes)
    async with client(services) as http:
        answer = await http.get("/v1/ats/jobs")
    assert answer.status_code == status
    if code:
        assert envelope(answer)["code"] == code


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/v1/ats/nothing", 404, None),
        ("GET", "/v1/", 404, None),
        ("GET", "/v1/ats/jobs/", 404, None),
        ("GET", "/v1/ATS/jobs", 404, None),
        ("GET", "/v1/integrations/a/b", 404, None),
        ("POST", "/v1/ats/jobs", 405, "GET, HEAD"),
        ("OPTIONS", "/v1/ats/jobs", 405, "GET, HEAD"),
        ("DELETE", "/v1/check-api-key", 405, "GET, HEAD"),
        ("PUT", "/v1/tools/ats", 405, "GET, HEAD"),
        ("POST", "/v1/openapi.json", 405, "GET, HEAD"),
        ("BREW", "/v1/ats/jobs", 405, "GET, HEAD"),
    ],
)
async def test_unknown_paths_and_methods_are_answered_in_the_envelope(
    method: str, path: str, status: int, allow: str | None
) -> None:
    async with client(FakeServices()) as http:
        answer = await http.request(method, path, content=b"{not json")
    assert (answer.status_code, answer.headers.get("allow")) == (status, allow)
    assert envelope(answer)["code"] is None


async def test_head_is_get_without_its_body() -> None:
    async with client(FakeServices()) as http:
        head, get = await http.head("/v1/ats/jobs"), await http.get("/v1/ats/jobs")
        assert (await http.head("/v1/nothing")).status_code == 404
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers == get.headers


async def test_a_foreign_cursor_is_refused_before_anything_is_read() -> None:
    services = FakeServices()
    async with client(services) as http:
        answer = await http.get("/v1/ats/jobs", params={"cursor": "A" * 52})
    assert answer.status_code == 400
    assert envelope(answer)["code"] == "PLATFORM.INPUT_INVALID"
    assert services.queries == []
    assert services.integrations[INTEGRATION].environment_id == ENVIRONMENT
