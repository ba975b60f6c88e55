"""Requests of callers' own to a tool, with the whole product and a simulated account: what both contracts say."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from kombo import models
from kombo.errors import KomboGeneralError

from bindbee_reader import Bindbee, bindbee_of
from harness import Account, Product
from passthrough_kit import bindbee_asks, sent

PDF = b"%PDF-1.4\x00\xff\xfe"


@pytest.fixture(scope="module")
async def account(product: Product) -> Account:
    """Connected, not synced: passthrough needs nothing that is stored."""
    return await product.connect(applications=30, jobs=4)


@pytest.fixture(scope="module")
async def bindbee(account: Account) -> Bindbee:
    return await bindbee_of(account)


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
