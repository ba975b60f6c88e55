"""Tools, integration details, pictures, and our own OpenAPI document."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from defusedxml import ElementTree

from atsumi.dialects.kombo.call import integration_id
from atsumi.dialects.kombo.lists import LISTS
from atsumi.dialects.kombo.openapi import openapi_document
from atsumi.dialects.kombo.operations import OPERATIONS
from atsumi.dialects.kombo.parse import COMMON
from atsumi.dialects.kombo.tests import samples
from atsumi.dialects.kombo.tests.kit import ORIGIN, FakeServices, body, client, integration
from atsumi.model.names import Model

DOCUMENT: dict[str, Any] = json.loads(openapi_document())


def check(schema: dict[str, Any], instance: object) -> None:
    jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(instance)


def answer_schema(path: str, code: str = "200") -> dict[str, Any]:
    found = DOCUMENT["paths"][path]["get"]["responses"][code]["content"]["application/json"]["schema"]
    return dict(found)


@pytest.mark.parametrize("name", samples.LISTED)
async def test_a_list_fits_our_published_document(name: str) -> None:
    services = FakeServices()
    record = samples.LISTED[name]
    services.documents[record.model] = [(integration().public_id, body(name, record, samples.RECORDS))]
    async with client(services) as http:
        full = await http.get(f"/v1/ats/{name}")
        services.documents.clear()
        empty = await http.get(f"/v1/ats/{name}")
        refused = await http.get(f"/v1/ats/{name}?nonsense=1")
    assert len(full.json()["data"]["results"]) == 1
    check(answer_schema(f"/ats/{name}"), full.json())
    check(answer_schema(f"/ats/{name}"), empty.json())
    check(answer_schema(f"/ats/{name}", str(refused.status_code)), refused.json())


@pytest.mark.parametrize("path", ["/check-api-key", "/tools/{category}", "/integrations/{integration_id}"])
@pytest.mark.parametrize("spelled", [":", "%3A"])
async def test_a_general_operation_fits_our_published_document(path: str, spelled: str) -> None:
    url = path.format(category="ats", integration_id=integration_id(integration()).replace(":", spelled))
    async with client(FakeServices(), X_Integration_Id="") as http:
        answer = await http.get(f"/v1{url}")
    assert answer.status_code == 200
    check(answer_schema(path), answer.json())


async def test_our_document_is_served_to_everyone_and_names_every_operation_and_parameter() -> None:
    async with client(FakeServices(), Authorization="") as http:
        assert (await http.get("/v1/openapi.json")).json() == DOCUMENT
    assert set(DOCUMENT["paths"]) == {operation.path for operation in OPERATIONS}
    for spec in LISTS:
        described = {each["name"] for each in DOCUMENT["paths"][spec.path]["get"]["parameters"]}
        assert described == {"X-Integration-Id", *COMMON, *(filter_.name for filter_ in spec.filters)}


async def test_an_unknown_category_is_refused_by_name() -> None:
    async with client(FakeServices()) as http:
        answer = await http.get("/v1/tools/crm")
    assert answer.status_code == 400
    assert "hris, ats, assessment, lms" in answer.json()["error"]["message"]


async def test_coverage_is_what_the_connector_can_fill() -> None:
    services = FakeServices({Model.JOB: {"name": "certain"}, Model.JOB_STAGE: {"index": "certain"}})
    async with client(services) as http:
        details = (await http.get(f"/v1/integrations/{integration_id(integration())}")).json()["data"]
        tools = (await http.get("/v1/tools/ats")).json()["data"]["tools"]
    jobs = next(model for model in details["read_models"] if model["id"] == "ats_jobs")
    assert {field["id"] for field in jobs["fields"] if field["is_available"]} == {
        "name",
        "stages",
        "custom_fields",
        "integration_fields",
    }
    assert [model["id"] for model in details["read_models"] if model["is_available"]] == ["ats_jobs"]
    assert [model["id"] for model in tools[0]["coverage"]["read_models"]] == [m["id"] for m in details["read_models"]]
    assert {action["coverage_status"] for action in details["write_actions"]} == {"UNSUPPORTED"}


async def test_an_integration_that_waits_for_its_first_sync_says_so() -> None:
    services = FakeServices()
    services.change_integration(first_synced_at=None)
    async with client(services) as http:
        details = (await http.get(f"/v1/integrations/{integration_id(integration())}")).json()["data"]
        missing = await http.get("/v1/integrations/personio:nobody")
    assert details["setup_status"] == "FINAL_SYNC_PENDING"
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "PLATFORM.INTEGRATION_NOT_FOUND")


async def test_pictures_are_served_where_tools_say() -> None:
    async with client(FakeServices(), Authorization="") as http:
        for name in ("logo", "icon", "icon_black"):
            answer = await http.get(f"/assets/tools/personio/{name}.svg")
            assert answer.headers["content-type"] == "image/svg+xml"
            assert ElementTree.fromstring(answer.content).get("aria-label") == "Personio"
        assert (await http.get("/assets/tools/personio/banner.svg")).status_code == 404
        assert (await http.get("/assets/tools/nobody/icon.svg")).status_code == 404
    async with client(FakeServices()) as http:
        (tool,) = (await http.get("/v1/tools/ats")).json()["data"]["tools"]
    assert tool["assets"]["icon_url"] == f"{ORIGIN}/assets/tools/personio/icon.svg"


async def test_links_to_ourselves_use_the_configured_address() -> None:
    services = FakeServices()
    services.public_url = "https://ats.example.com/unified"
    async with client(services) as http:
        (tool,) = (await http.get("/v1/tools/ats")).json()["data"]["tools"]
    assert tool["assets"]["logo_url"] == "https://ats.example.com/unified/assets/tools/personio/logo.svg"
