"""Our documents against the vendor's published contract, where the reference folder is there."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import jsonschema
import pytest
import yaml

from atsumi.actions.requests import ActionState, Receipt, Written
from atsumi.dialects.bindbee.lists import BY_NAME, LISTS, ListSpec
from atsumi.dialects.bindbee.openapi import openapi_document
from atsumi.dialects.bindbee.parse import keys_of
from atsumi.dialects.bindbee.tests.kit import client, fragment, read, whole_account
from atsumi.dialects.bindbee.tests.test_writes import JOB, PERSON, STAGE, Writing, parsed
from atsumi.dialects.kombo.tests.kit import CHANGED_AT, reference
from atsumi.model.actions import Action
from atsumi.model.catalog import STRUCTS

pytestmark = pytest.mark.reference

OURS = {"created_after", "created_before", "modified_before", "remote_id", "expand"}
"""Parameters that some or all lists of the contract lack."""


@pytest.fixture(scope="session")
def contract() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(reference("openapi.yaml", vendor="bindbee").read_bytes(), yaml.CSafeLoader)
    return loaded


def check(contract: dict[str, Any], path: str, instance: object, code: str = "200", method: str = "get") -> None:
    answer = contract["paths"][path][method]["responses"][code]
    if "$ref" in answer:
        answer = contract["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    schema = answer["content"]["application/json"]["schema"]
    jsonschema.Draft202012Validator({**schema, "components": contract["components"]}).validate(instance)


@pytest.mark.parametrize("spec", LISTS, ids=lambda spec: spec.name)
async def test_what_is_answered_fits_the_contract(contract: dict[str, Any], spec: ListSpec) -> None:
    services = whole_account()
    path = f"/api{spec.path}"
    if spec.model is not None:
        required = dict.fromkeys(("job_remote_id", "stage_remote_id", "question_remote_id", "remote_id"), "1")
        fields = STRUCTS[spec.model].__struct_fields__
        bare = STRUCTS[spec.model](**{name: value for name, value in required.items() if name in fields})
        services.stored[spec.model].append(fragment(spec.name, bare))
    expand = {"expand": ",".join(spec.relations)} if spec.relations else {}
    for params in ({}, {"include_raw_data": "true", "include_custom_fields": "true", **expand}):
        page = await read(services, spec.name, **params)
        check(contract, path, page)
        for item in page["items"]:
            check(contract, f"{path}/{{id}}", await read(services, f"{spec.name}/{item['id']}", **params))
    async with client(services) as http:
        check(contract, path, (await http.get(f"{path}?page_size=0")).json(), "422")
        missing = await http.get(f"{path}/018b18ef-c487-703c-afd9-0ca478ccd9d6")
        check(contract, f"{path}/{{id}}", missing.json(), "404")
        check(contract, path, (await http.get(path, headers={"Authorization": "Bearer x"})).json(), "401")


@pytest.mark.parametrize("spec", LISTS, ids=lambda spec: spec.name)
def test_the_keys_and_relations_are_those_of_the_contract(contract: dict[str, Any], spec: ListSpec) -> None:
    schema = contract["components"]["schemas"][spec.document.__name__]
    assert set(keys_of(spec)) == set(schema["properties"])
    related = {name: each["x-relation"] for name, each in schema["properties"].items() if "x-relation" in each}
    assert {name: BY_NAME[target].document.__name__ for name, target in spec.relations.items()} == related


def test_the_lists_and_their_parameters_are_those_of_the_contract(contract: dict[str, Any]) -> None:
    ours = json.loads(openapi_document())
    for spec in LISTS:
        stated = contract["paths"][f"/api{spec.path}"]["get"]["parameters"]
        resolved = [
            contract["components"]["parameters"][e["$ref"].rsplit("/", 1)[1]] if "$ref" in e else e for e in stated
        ]
        theirs = {each["name"]: each for each in resolved}
        own = {each["name"]: each for each in ours["paths"][spec.path]["get"]["parameters"]}
        assert set(theirs) <= set(own)
        assert set(own) - set(theirs) <= OURS
        for name, parameter in theirs.items():
            described = own[name]
            assert described["required"] == parameter["required"]
            assert described["schema"] == parameter["schema"], name
            assert described.get("explode", True)
    served = {path.removeprefix("/api/ats/v1/") for path in contract["paths"] if path.startswith("/api/ats/v1/")}
    lists = {path for path in served if "/" not in path} - {"connectors", "integrations"}
    assert lists == {spec.name for spec in LISTS}


# Writes.


def test_every_create_of_the_contract_is_served(contract: dict[str, Any]) -> None:
    ours = json.loads(openapi_document())["paths"]
    theirs = {path.removeprefix("/api") for path, methods in contract["paths"].items() if "post" in methods}
    creates = {path for path in theirs if path.startswith("/ats/")}
    assert creates == {path for path, methods in ours.items() if path.startswith("/ats/") and "post" in methods}


@pytest.mark.parametrize("name", ["AtsCandidateWrite", "PostCandidate"])
def test_every_field_of_the_contracts_bodies_is_read(contract: dict[str, Any], name: str) -> None:
    """The samples that the contract gives, all at once; ours is its own job."""
    properties = contract["components"]["schemas"][name]["properties"]
    body = {field: one["examples"][0] for field, one in properties.items() if one.get("examples")}
    body |= {field: str(JOB) for field in ("job", "job_id") if field in body}
    if "job_interview_stage_id" in body:
        body["job_interview_stage_id"] = str(STAGE)
    found = parsed(body if name == "AtsCandidateWrite" else {"data": body, "job_requisition_id": "77"})
    assert (found.draft.first_name, found.draft.email_address) == ("John", "john@doe.com")


async def test_what_creates_answer_fits_the_contract(contract: dict[str, Any]) -> None:
    receipt = Receipt(
        UUID(int=1), Action.CREATE_CANDIDATE, ActionState.SUCCEEDED, "bindbee", CHANGED_AT, candidate=UUID(int=2)
    )
    services = Writing(Written(receipt))
    path = "/api/ats/v1/candidates"
    async with client(services) as http:
        created = await http.post(path, json=PERSON | {"job": str(services.job)})
        assert created.status_code == 200
        check(contract, path, created.json(), method="post")
        check(contract, path, (await http.post(path, json={})).json(), "422", "post")
        check(contract, "/api/ats/v1/tags", (await http.post("/api/ats/v1/tags")).json(), "403", "post")
        meta = (await http.get(f"{path}/create/meta")).json()
        check(contract, f"{path}/create/meta", meta)
    node = {"$ref": "#/components/schemas/WriteSchemaNode", "components": contract["components"]}
    jsonschema.Draft202012Validator(node).validate(meta["data"])
