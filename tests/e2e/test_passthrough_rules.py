"""What callers may not ask of a tool, whom they share its budget with, and what is logged of it."""

from __future__ import annotations

import asyncio
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

from atsumi.connector.guard import Allowance
from atsumi.connector.guarded import GuardedClient
from atsumi.connectors.personio.facts import MANIFEST
from atsumi.server.logging import configure_logging
from bindbee_reader import Bindbee, bindbee_of
from harness import Account, Product
from passthrough_attacks import HEADERS, MALFORMED_HEADERS, PATHS
from passthrough_kit import bindbee_asks, kombo, sent


@pytest.fixture(scope="module")
async def account(product: Product) -> Account:
    """Connected, not synced: passthrough needs nothing that is stored."""
    return await product.connect(applications=30, jobs=4)


@pytest.fixture(scope="module")
async def bindbee(account: Account) -> Bindbee:
    return await bindbee_of(account)


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


@pytest.mark.usefixtures("nothing_sent")
async def test_files_are_waited_for_as_long_as_the_request_may_take(
    account: Account, bindbee: Bindbee, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def for_ever(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    guarded = GuardedClient(resolve=for_ever)
    monkeypatch.setattr(account.runtime, "guarded", guarded)
    file = {"file_name": "cv.pdf", "file_url": "https://files.example/cv.pdf"}
    body = {"method": "POST", "path": "/v1/recruiting/applications/documents", "request_format": "MULTIPART"}
    late = await bindbee_asks(bindbee, **body, data={"file": file}, timeout=0.05)
    assert late.status_code == 504
    assert "Nothing was sent" in late.text
    many = await bindbee_asks(bindbee, **body, data={f"file-{index}": file for index in range(11)})
    assert many.status_code == 422
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
