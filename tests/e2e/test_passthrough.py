"""Requests of callers' own to a tool, through both surfaces, with the whole product and a simulated account."""

from __future__ import annotations

import base64
import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
import structlog
from kombo import models
from kombo.errors import KomboGeneralError

from atsumi.connector.guard import Allowance
from atsumi.connector.guarded import GuardedClient
from atsumi.connectors.personio.facts import MANIFEST
from atsumi.server.logging import configure_logging
from bindbee_reader import Bindbee, bindbee_of
from harness import Account, Product
from passthrough_attacks import HEADERS, MALFORMED_HEADERS, PATHS

PDF = b"%PDF-1.4\x00\xff\xfe"


@pytest.fixture(scope="module")
async def account(product: Product) -> Account:
    """Connected, not synced: passthrough needs nothing that is stored."""
    return await product.connect(applications=30, jobs=4)


@pytest.fixture(scope="module")
async def bindbee(account: Account) -> Bindbee:
    return await bindbee_of(account)


async def kombo(account: Account, api: str, **body: Any) -> httpx2.Response:
    path = f"/v1/passthrough/personio/{api}"
    return await account.product.api.post(path, json={"method": "GET", **body}, headers=account.headers)


async def sent(account: Account, api: str, **body: Any) -> dict[str, Any]:
    answer = await kombo(account, api, **body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "success"
    return answer.json()


# Kombo's contract.


async def test_kombos_client_asks_the_tool(account: Account) -> None:
    def ask(client: Any) -> Any:
        return client.general.send_passthrough_request(
            tool="personio", api="recruitingV2", method="GET", path="/applications", params={"limit": "2"}
        )

    answer = await account.ask(ask)
    assert answer.data.status == 200
    assert answer.data.url == f"{account.origin}/v2/recruiting/applications?limit=2"
    assert len(answer.data.data["_data"]) == 2
    assert answer.data.headers["content-type"] == "application/json"
    assert answer.warnings == []


async def test_kombos_client_uploads_a_file_and_creates_an_application(account: Account) -> None:
    file = models.Value(name="cv.pdf", content_type="application/pdf", data=base64.b64encode(PDF).decode())
    job = account.simulator.state("published")["published"][0]["id"]

    def upload(client: Any) -> Any:
        return client.general.send_passthrough_request(
            tool="personio",
            api="recruiting",
            method="POST",
            path="/applications/documents",
            multipart_form_data=[models.MultipartFormDatum(name="file", value=file)],
        )

    def create(client: Any) -> Any:
        body = {"first_name": "A", "last_name": "B", "email": "a.b@example.com", "job_position_id": int(job)}
        return client.general.send_passthrough_request(
            tool="personio", api="recruiting", method="POST", path="/applications", data=body
        )

    uploaded = await account.ask(upload)
    assert (uploaded.data.status, uploaded.data.data["size"]) == (200, len(PDF))
    made = await account.ask(create)
    assert (made.data.status, made.data.data) == (201, None)
    refused = await account.ask(create)
    assert refused.data.status == 400
    assert "applicant-already-exists" in json.dumps(refused.data.data)


async def test_kombos_client_gets_its_own_error_for_an_unknown_api(account: Account) -> None:
    def ask(client: Any) -> Any:
        return client.general.send_passthrough_request(tool="personio", api="v7", method="GET", path="/")

    with pytest.raises(KomboGeneralError, match="recruiting, recruitingV2, jobboard, personnel, personnelv2"):
        await account.ask(ask)


async def test_a_status_of_the_tool_stands_inside_the_answer(account: Account) -> None:
    unknown = await sent(account, "recruitingV2", path="/jobs/99999999")
    assert unknown["data"]["status"] == 404
    assert unknown["data"]["data"]["errors"]
    assert (await sent(account, "recruiting", method="POST", path="/applications", data="no json"))["data"][
        "status"
    ] == 400
    account.simulator.inject("status", path="/v2/recruiting/categories", status=503, count=1)
    down = await sent(account, "recruitingV2", path="/categories")
    assert down["data"]["status"] == 503


async def test_xml_is_text_and_anything_is_base64_where_asked_for(account: Account) -> None:
    feed = (await sent(account, "jobboard", path="/xml?language=de"))["data"]
    assert feed["data"].startswith("<?xml")
    assert feed["url"] == f"{account.origin}/career/{account.simulator.company.subdomain}/xml?language=de"
    packed = (await sent(account, "jobboard", path="xml", params={"language": "de"}, response_as_base64=True))["data"]
    assert base64.b64decode(packed["data"]).decode() == feed["data"]


async def test_a_file_of_the_tool_comes_whole(account: Account) -> None:
    documents = account.simulator.state("documents")["documents"]
    path = f"/document-management/documents/{documents[0]['id']}/download"
    account.simulator.clock.advance(86400)
    lossy = await sent(account, "personnelv2", path=path)
    whole = await sent(account, "personnelv2", path=path, response_as_base64=True)
    content = base64.b64decode(whole["data"]["data"])
    assert content.startswith(b"%PDF")
    if content.decode("utf-8", "ignore").encode() != content:
        assert "response_as_base64" in lossy["warnings"][0]["message"]


async def test_a_redirect_is_an_answer(account: Account) -> None:
    account.simulator.switch(feed="redirect")
    answer = (await sent(account, "jobboard", path="/xml"))["data"]
    account.simulator.switch(feed="on")
    assert answer["status"] == 302
    assert answer["headers"]["location"].startswith(account.origin)


async def test_headers_that_are_not_the_callers_are_left_out_with_a_warning(account: Account) -> None:
    headers = {"Authorization": "Bearer mine", "X-Company-ID": "1", "HOST": "evil.example", "Accept": "text/plain"}
    answer = await sent(account, "recruitingV2", path="/jobs", headers=headers, api_options={"mode": "x"})
    assert answer["data"]["status"] == 200
    said = " ".join(warning["message"] for warning in answer["warnings"])
    assert all(name in said for name in ("Authorization", "X-Company-ID", "HOST", "mode"))
    assert "Accept" not in said


# Bindbee's contract.


async def bindbee_asks(bindbee: Bindbee, **body: Any) -> httpx2.Response:
    whole = {"method": "GET", "headers": {}, **body}
    return await bindbee.account.product.api.post("/api/v1/passthrough", json=whole, headers=bindbee.headers)


async def test_the_tools_answer_has_no_envelope(bindbee: Bindbee) -> None:
    answer = await bindbee_asks(bindbee, path="/v2/recruiting/candidates", params={"limit": 2})
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["_data"]) == 2
    assert answer.headers["x-atsumi-remote-status"] == "200"
    assert answer.headers["content-type"] == "application/json"
    feed = await bindbee_asks(bindbee, path="/jobboard/xml", response_format="XML")
    assert feed.headers["content-type"].startswith("text/xml")
    assert feed.content.startswith(b"<?xml")
    employees = await bindbee_asks(bindbee, path="/v1/company/employees", params={"limit": 3})
    assert len(employees.json()["data"]) == 3


async def test_a_refusal_of_the_tool_has_its_own_status(bindbee: Bindbee) -> None:
    unknown = await bindbee_asks(bindbee, path="/v2/recruiting/jobs/99999999")
    assert (unknown.status_code, unknown.headers["x-atsumi-remote-status"]) == (404, "404")
    assert unknown.json()["errors"]
    nowhere = await bindbee_asks(bindbee, path="/v3/jobs")
    assert nowhere.status_code == 422
    assert "x-atsumi-remote-status" not in nowhere.headers
    assert "/v2/recruiting" in nowhere.text
    bindbee.account.simulator.switch(feed="redirect")
    moved = await bindbee_asks(bindbee, path="/jobboard/xml")
    bindbee.account.simulator.switch(feed="on")
    assert moved.status_code == 302
    # Nobody's client is sent there with its key in hand.
    assert "location" not in moved.headers
    assert moved.headers["x-atsumi-remote-location"].startswith(bindbee.account.origin)


async def test_multipart_and_binary(bindbee: Bindbee) -> None:
    file = {"file_name": "cv.pdf", "content_type": "application/pdf", "file_content": base64.b64encode(PDF).decode()}
    uploaded = await bindbee_asks(
        bindbee,
        method="POST",
        path="/v1/recruiting/applications/documents",
        request_format="MULTIPART",
        data={"file": file, "note": "text"},
    )
    assert uploaded.status_code == 200, uploaded.text
    assert uploaded.json()["size"] == len(PDF)
    document = bindbee.account.simulator.state("documents")["documents"][0]
    bindbee.account.simulator.clock.advance(86400)
    path = f"/v2/document-management/documents/{document['id']}/download"
    answer = await bindbee_asks(bindbee, path=path, response_format="BINARY")
    assert answer.content.startswith(b"%PDF")
    assert answer.headers["content-type"] == "application/pdf"


async def test_xml_is_sent_as_it_is(bindbee: Bindbee) -> None:
    common = {"method": "POST", "path": "/v1/recruiting/applications", "request_format": "XML"}
    answer = await bindbee_asks(bindbee, **common, data="<a/>")
    assert answer.status_code == 400
    assert (await bindbee_asks(bindbee, **common, data={"a": 1})).status_code == 422


async def test_an_empty_answer_is_null(bindbee: Bindbee) -> None:
    job = bindbee.account.simulator.state("published")["published"][0]["id"]
    body = {"first_name": "C", "last_name": "D", "email": "c.d@example.com", "job_position_id": int(job)}
    answer = await bindbee_asks(bindbee, method="POST", path="/v1/recruiting/applications", data=body)
    assert (answer.status_code, answer.json()) == (201, None)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"headers": None, "path": "/v1/x"}, None),
        ({"path": "/v2/../x"}, "path"),
        ({"path": "/v1/x", "headers": {"authorization": "x"}}, "headers.authorization"),
        ({"path": "/v1/x", "headers": {"Cookie": "x"}}, "headers.Cookie"),
        ({"path": "/v2/x", "headers": {"x-company-id": "x"}}, "headers.x-company-id"),
        ({"path": "/v1/x", "headers": {"a b": "x"}}, "headers"),
        ({"path": "/v1/x", "method": "CONNECT"}, "method"),
        ({"path": "/v1/x", "method": "TRACE"}, "method"),
        ({"path": "/v1/x", "method": "LOOK"}, "method"),
        ({"path": "/v1/x", "timeout": 0}, "timeout"),
        ({"path": "/v1/x", "params": {"a": {"b": 1}}}, "params"),
        ({"path": "/v1/x", "request_format": "MULTIPART", "data": [1]}, "data"),
    ],
)
async def test_what_bindbees_surface_does_not_send(bindbee: Bindbee, changes: Any, place: str | None) -> None:
    log = len(bindbee.account.simulator.log.entries)
    answer = await bindbee_asks(bindbee, **changes)
    if place is None:
        assert answer.status_code != 422, answer.text
        return
    assert answer.status_code == 422, answer.text
    assert ".".join(str(step) for step in answer.json()["detail"][0]["loc"][1:]) == place
    assert len(bindbee.account.simulator.log.entries) == log


async def test_the_key_headers_must_be_there(bindbee: Bindbee) -> None:
    body = {"method": "GET", "path": "/v1/x"}
    answer = await bindbee.account.product.api.post("/api/v1/passthrough", json=body, headers=bindbee.headers)
    assert answer.status_code == 422
    (fault,) = answer.json()["detail"]
    assert (fault["type"], fault["loc"]) == ("missing", ["body", "headers"])


# Attacks, through both surfaces.


@pytest.fixture
def nothing_sent(account: Account) -> Iterator[None]:
    """The tool must not hear of what happens in the test."""
    before = list(account.simulator.log.entries)
    yield
    assert list(account.simulator.log.entries) == before


@pytest.mark.usefixtures("nothing_sent")
@pytest.mark.parametrize("path", PATHS)
async def test_a_path_that_could_lead_elsewhere_is_refused(account: Account, bindbee: Bindbee, path: str) -> None:
    for api in ("personnelv2", "jobboard", "recruiting"):
        answer = await kombo(account, api, path=path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "PLATFORM.INPUT_INVALID"), answer.text
    below = path if path.startswith("/") else f"/{path}"
    for spelled in (path, f"/v2{below}", f"/jobboard{below}", f"/v1/recruiting{below}"):
        refused = await bindbee_asks(bindbee, path=spelled)
        assert refused.status_code == 422, refused.text
        assert "x-atsumi-remote-status" not in refused.headers


async def test_no_header_of_these_reaches_the_tool(account: Account, bindbee: Bindbee) -> None:
    names = [*HEADERS, "X-Company-ID"]
    answer = await sent(account, "recruitingV2", path="/jobs", headers=dict.fromkeys(names, "mine"))
    assert answer["data"]["status"] == 200
    assert len(answer["warnings"]) == len(names)
    before = len(account.simulator.log.entries)
    for name in names:
        refused = await bindbee_asks(bindbee, path="/v2/recruiting/jobs", headers={name: "mine"})
        assert refused.status_code == 422, name
    assert len(account.simulator.log.entries) == before


@pytest.mark.usefixtures("nothing_sent")
@pytest.mark.parametrize(("name", "value"), MALFORMED_HEADERS)
async def test_what_is_no_header_is_refused(account: Account, bindbee: Bindbee, name: str, value: str) -> None:
    assert (await kombo(account, "recruitingV2", path="/jobs", headers={name: value})).status_code == 400
    assert (await bindbee_asks(bindbee, path="/v2/recruiting/jobs", headers={name: value})).status_code == 422


@pytest.mark.usefixtures("nothing_sent")
@pytest.mark.parametrize(
    "body",
    [
        {"path": 1},
        {"path": "/jobs", "method": "HEAD"},
        {"path": "/jobs", "data": {}, "multipart_form_data": [{"name": "a", "value": "b"}]},
        {"path": "/jobs", "multipart_form_data": []},
        {"path": "/jobs", "multipart_form_data": [{"name": "a", "value": {"name": "b"}}]},
        {"path": "/jobs", "multipart_form_data": [{"name": "a", "value": {"name": "b", "data": "QQ=="}}]},
        {
            "path": "/jobs",
            "multipart_form_data": [{"name": "a", "value": {"name": "b", "content_type": "a/b", "data": "!"}}],
        },
        {"path": "/jobs", "params": {"a": 1}},
        {"path": "/jobs", "headers": {"a": 1}},
        {"path": "/jobs", "nonsense": 1},
    ],
)
async def test_a_body_that_is_not_understood_is_refused(account: Account, body: dict[str, Any]) -> None:
    answer = await kombo(account, "recruitingV2", **body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "PLATFORM.INPUT_INVALID"), answer.text


async def test_a_body_may_be_large_but_not_endless(account: Account) -> None:
    path = {"method": "POST", "path": "/applications/documents"}
    file = {"name": "cv.pdf", "content_type": "application/pdf", "data": base64.b64encode(bytes(7_000_000)).decode()}
    uploaded = await sent(account, "recruiting", **path, multipart_form_data=[{"name": "file", "value": file}])
    assert uploaded["data"]["data"]["size"] == 7_000_000
    before = len(account.simulator.log.entries)
    for data in ("x" * (11 * 2**20), "x" * (16 * 2**20)):
        assert (await kombo(account, "recruiting", **path, data=data)).status_code == 400
    assert len(account.simulator.log.entries) == before


# Files that are named by an address.


def with_file_at(url: str) -> dict[str, Any]:
    file = {"name": "cv.pdf", "data_url": url}
    return {
        "method": "POST",
        "path": "/applications/documents",
        "multipart_form_data": [{"name": "file", "value": file}],
    }


@pytest.mark.usefixtures("nothing_sent")
async def test_a_file_is_not_fetched_from_within(account: Account, bindbee: Bindbee) -> None:
    for url in (f"{account.product.url}/healthz", "http://169.254.169.254/x", "file:///etc/passwd"):
        refused = await kombo(account, "recruiting", **with_file_at(url))
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "PLATFORM.INPUT_INVALID")
        answer = await bindbee_asks(
            bindbee,
            method="POST",
            path="/v1/recruiting/applications/documents",
            request_format="MULTIPART",
            data={"file": {"file_name": "cv.pdf", "file_url": url}},
        )
        assert answer.status_code == 422, answer.text


async def test_a_file_is_fetched_where_that_is_allowed(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    host = httpx2.URL(account.product.url)
    guarded = GuardedClient(Allowance.parse([f"{host.host}:{host.port}"]))
    monkeypatch.setattr(account.runtime, "guarded", guarded)
    found = await sent(account, "recruiting", **with_file_at(f"{account.product.url}/healthz"))
    assert (found["data"]["status"], found["data"]["data"]["size"]) == (200, len(b'{"status":"ok"}'))
    missing = await kombo(account, "recruiting", **with_file_at(f"{account.product.url}/nowhere"))
    assert missing.status_code == 400
    assert "404" in missing.text
    guarded.close()


# Who may, and when.


async def test_another_tenants_integration_is_not_there(account: Account, bindbee: Bindbee) -> None:
    mine = await account.product.connect(applications=3, jobs=1)
    token = await bindbee_of(mine)
    body = {"method": "GET", "path": "/v2/recruiting/jobs", "headers": {}}
    headers = {"X-Integration-Id": account.integration.id, "x-connector-token": bindbee.token}
    api, key = account.product.api, {"Authorization": f"Bearer {mine.key}"}
    before = len(account.simulator.log.entries)
    kombos = await api.post("/v1/passthrough/personio/recruitingV2", json=body, headers=key | headers)
    assert (kombos.status_code, kombos.json()["error"]["code"]) == (404, "PLATFORM.INTEGRATION_NOT_FOUND")
    assert (await api.post("/api/v1/passthrough", json=body, headers=key | headers)).status_code == 401
    assert len(account.simulator.log.entries) == before
    assert (await api.post("/api/v1/passthrough", json=body, headers=token.headers)).status_code == 200


@pytest.mark.parametrize(("state", "kombos", "bindbees"), [("INACTIVE", 409, 403), ("INVALID", 409, 409)])
async def test_an_integration_that_does_not_work_is_not_asked(
    product: Product, state: str, kombos: int, bindbees: int
) -> None:
    account = await product.connect(applications=3, jobs=1)
    bindbee = await bindbee_of(account)
    await account.pool.execute("UPDATE integration SET state = $2 WHERE number = $1", account.number, state)
    before = len(account.simulator.log.entries)
    answer = await kombo(account, "jobboard", path="/xml")
    assert (answer.status_code, answer.json()["error"]["code"]) == (kombos, None)
    assert (await bindbee_asks(bindbee, path="/jobboard/xml")).status_code == bindbees
    assert len(account.simulator.log.entries) == before


@pytest.mark.usefixtures("nothing_sent")
async def test_an_operator_switches_it_off(account: Account, bindbee: Bindbee, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = account.runtime.settings.model_copy(update={"passthrough_enabled": False})
    monkeypatch.setattr(account.runtime, "settings", settings)
    answer = await kombo(account, "recruitingV2", path="/jobs")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, None)
    assert (await bindbee_asks(bindbee, path="/v2/recruiting/jobs")).status_code == 403


async def test_another_tools_apis_are_not_there(account: Account) -> None:
    url = "/v1/passthrough/greenhouse/recruitingV2"
    answer = await account.product.api.post(url, json={"method": "GET", "path": "/"}, headers=account.headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, None)
    assert "personio" in answer.json()["error"]["message"]


async def test_a_tool_that_is_away_is_told(product: Product) -> None:
    account = await product.connect(applications=3, jobs=1)
    bindbee = await bindbee_of(account)
    product.origins.is_cut.add(httpx2.URL(account.origin).host)
    answer = await kombo(account, "jobboard", path="/xml")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, None)
    refused = await bindbee_asks(bindbee, path="/jobboard/xml")
    assert refused.status_code == 503
    assert "x-atsumi-remote-status" not in refused.headers


# The tool's budget, which belongs to the credential: each of these accounts has another one.


async def test_requests_use_the_budget_that_syncs_use(product: Product) -> None:
    account = await product.connect(applications=3, jobs=1, seed=901)
    account.simulator.switch(v2_rate_headers=False)
    limit = MANIFEST.limit("jobs")
    of_sync = (await account.runtime.context(await account.fresh())).limiter
    assert await of_sync.expected_wait("jobs", limit) == 0
    for _ in range(12):
        assert (await sent(account, "recruitingV2", path="/jobs"))["data"]["status"] == 200
    assert await of_sync.expected_wait("jobs", limit) > 0
    assert await of_sync.expected_wait("candidates", limit) == 0


async def test_nobody_passes_a_budget_that_is_blocked(product: Product) -> None:
    account = await product.connect(applications=3, jobs=1, seed=902)
    bindbee = await bindbee_of(account)
    of_sync = (await account.runtime.context(await account.fresh())).limiter
    await of_sync.acquire("jobs", MANIFEST.limit("jobs"))
    await of_sync.block("jobs", datetime.now(UTC) + timedelta(hours=1))
    account.simulator.log.clear()
    for answer in (
        await kombo(account, "recruitingV2", path="/jobs"),
        await kombo(account, "personnelv2", path="/recruiting/%6aobs/1"),
        await bindbee_asks(bindbee, path="/v2/recruiting/jobs"),
    ):
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 3000
    assert set(account.simulator.log.counts) == {"POST /v2/auth/token"}
    assert (await kombo(account, "recruitingV2", path="/candidates")).status_code == 200


async def test_a_429_of_the_tool_is_told_and_stops_everybody(product: Product) -> None:
    account = await product.connect(applications=3, jobs=1, seed=903)
    account.simulator.inject("429", path="/v2/recruiting/jobs", count=1)
    answer = await sent(account, "recruitingV2", path="/jobs")
    assert answer["data"]["status"] == 429
    of_sync = (await account.runtime.context(await account.fresh())).limiter
    assert await of_sync.expected_wait("jobs", MANIFEST.limit("jobs")) > 0


# Logs.


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged in the test, down to the least."""
    root = logging.getLogger()
    before, level, hooks = list(root.handlers), root.level, (sys.excepthook, threading.excepthook)
    stream = io.StringIO()
    configure_logging("debug", "json", stream=stream)
    yield stream
    structlog.reset_defaults()
    root.handlers[:] = before
    root.setLevel(level)
    sys.excepthook, threading.excepthook = hooks


async def test_logs_hold_neither_secrets_nor_what_is_sent_or_answered(product: Product, log: io.StringIO) -> None:
    account = await product.connect(applications=3, jobs=1, published_share=1)
    bindbee = await bindbee_of(account)
    candidate = account.simulator.state("candidates")["candidates"][0]
    canaries = {"canary-param@example.com", "canary-body", "canary-header", "canary-segment@example.com"}
    canaries |= {candidate["email"], candidate["last_name"], account.key, bindbee.token}
    given = account.simulator.credentials()
    canaries |= {given["client_secret"], given["recruiting_key"]}
    email = {"email": "canary-param@example.com"}
    headers = {"X-Note": "canary-header"}
    await sent(account, "recruitingV2", path="/candidates?email=canary-param@example.com", headers=headers)
    await sent(account, "recruitingV2", path=f"/candidates/{candidate['id']}")
    await sent(account, "recruitingV2", path="/candidates/canary-segment@example.com")
    await sent(account, "recruiting", method="POST", path="/applications", data={"first_name": "canary-body"})
    await sent(account, "personnel", path="/company/employees", params=email)
    await bindbee_asks(bindbee, path="/v2/recruiting/candidates", params=email, headers=headers)
    await kombo(account, "recruitingV2", path="/../canary-segment@example.com", params=email)
    product.origins.is_cut.add(httpx2.URL(account.origin).host)
    await kombo(account, "recruitingV2", path="/candidates", params=email, headers=headers)
    written = log.getvalue()
    assert not {canary for canary in canaries if canary in written}
    assert "papi-" not in written
    lines = [json.loads(line) for line in written.splitlines() if '"passthrough"' in line]
    assert [(line["api"], line["method"], line["path"], line["status"]) for line in lines] == [
        ("recruitingV2", "GET", "/candidates", 200),
        ("recruitingV2", "GET", f"/candidates/{candidate['id']}", 200),
        ("recruitingV2", "GET", "/candidates/...", 404),
        ("recruiting", "POST", "/applications", 400),
        ("personnel", "GET", "/company/employees", 200),
        ("recruitingV2", "GET", "/candidates", 200),
        ("recruitingV2", "GET", "/.../...", None),
        ("recruitingV2", "GET", "/candidates", None),
    ]
    assert {line["integration"] for line in lines} == {str(account.integration.public_id)}
    assert all(line["seconds"] >= 0 for line in lines)
