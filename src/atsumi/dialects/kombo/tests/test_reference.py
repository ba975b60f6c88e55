"""Our documents against the vendor's published contract, where the reference folder is there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from atsumi.dialects.kombo.call import integration_id
from atsumi.dialects.kombo.errors import CODES, Family, codes_of
from atsumi.dialects.kombo.lists import LISTS, Kind, ListSpec
from atsumi.dialects.kombo.openapi import openapi_document
from atsumi.dialects.kombo.tests import samples
from atsumi.dialects.kombo.tests.kit import (
    WIRE_MODELS,
    FakeServices,
    body,
    client,
    document,
    fits,
    integration,
    reference,
)
from atsumi.model.catalog import STRUCTS
from atsumi.sync.projection import Relation

pytestmark = pytest.mark.reference

OWN_FIELDS = {("candidates", "tags"), ("interviews", "interviewers")}
"""Paths that are a list of remote ids in the record itself: adding or removing one counts anyway."""
NOT_IN_THE_MODEL = {("users", "system_role_assignment")}


@pytest.mark.parametrize("spec", LISTS, ids=lambda spec: spec.name)
async def test_a_served_list_fits_the_contract(contract: dict[str, Any], spec: ListSpec) -> None:
    services = FakeServices()
    record = samples.LISTED[spec.name]
    bare = STRUCTS[spec.model](remote_id="1")
    services.documents[spec.model] = [
        (integration().public_id, body(spec.name, record, samples.RECORDS)),
        (integration().public_id, body(spec.name, bare, [])),
    ]
    async with client(services) as http:
        fits(contract, spec.path, (await http.get(f"/v1{spec.path}")).json())
        fits(contract, spec.path, (await http.get(f"/v1{spec.path}?x=1")).json(), "default")


@pytest.mark.parametrize("path", ["/check-api-key", "/tools/{category}", "/integrations/{integration_id}"])
async def test_a_general_answer_fits_the_contract(contract: dict[str, Any], path: str) -> None:
    url = path.format(category="ats", integration_id=integration_id(integration()))
    async with client(FakeServices()) as http:
        fits(contract, path, (await http.get(f"/v1{url}")).json())
        fits(contract, path, (await http.get("/v1/integrations/x")).json(), "default")


async def test_a_requested_sync_fits_the_contract(contract: dict[str, Any]) -> None:
    async with client(FakeServices()) as http:
        for content in (b'{"type":"DELTA"}', b'{"type":"DELTA"}', b"{}"):
            fits(contract, "/force-sync", (await http.post("/v1/force-sync", content=content)).json(), method="post")
        for content in (b"[]", b'{"type":"\xff"}', b'{"\xff":1}', b'{"a":' + b"[" * 20_000):
            refused = await http.post("/v1/force-sync", content=content)
            fits(contract, "/force-sync", refused.json(), "default", method="post")
            assert refused.json()["error"]["code"] == "PLATFORM.INPUT_INVALID"


@pytest.mark.parametrize("spec", LISTS, ids=lambda spec: spec.name)
def test_no_required_or_known_key_is_missing(spec: ListSpec) -> None:
    made = json.loads(document(spec.name, samples.LISTED[spec.name], samples.RECORDS))
    for kind in ("min", "full"):
        known = json.loads(reference("minimal", f"{spec.name}.{kind}.json").read_bytes())["data"]["results"][0]
        assert set(known) <= set(made)


def test_the_parameters_are_those_of_the_contract(contract: dict[str, Any]) -> None:
    ours = json.loads(openapi_document())
    for spec in LISTS:
        theirs = {each["name"]: each for each in contract["paths"][spec.path]["get"]["parameters"] if "name" in each}
        own = {each["name"]: each for each in ours["paths"][spec.path]["get"]["parameters"] if each["in"] == "query"}
        assert set(own) == set(theirs)
        for name, parameter in theirs.items():
            schema, described = parameter["schema"], own[name]["schema"]
            assert described["type"] == schema["type"]
            for limit in ("minimum", "maximum", "default"):
                assert described.get(limit) == schema.get(limit)
            assert own[name].get("explode") == parameter.get("explode")
            vocabulary = schema.get("items", schema).get("enum")
            assert sorted(described.get("items", described).get("enum", [])) == sorted(vocabulary or [])
        assert all(not filter_.words or filter_.kind in (Kind.WORD, Kind.WORDS) for filter_ in spec.filters)


def test_the_codes_are_those_of_the_contract(contract: dict[str, Any]) -> None:
    for family, schema in ((Family.ATS, "KomboAtsErrorError"), (Family.GENERAL, "KomboGeneralErrorError")):
        known = contract["components"]["schemas"][schema]["properties"]["code"]["enum"]
        assert {*codes_of(family), None} == set(known)
    stated = contract["components"]["responses"]["AtsError"]["x-error-codes"]
    assert {code: entry["http_status"] for code, entry in stated.items()} == {
        code: entry.status for code, entry in CODES.items()
    }


def test_what_counts_for_updated_after_is_what_the_contract_says(contract: dict[str, Any]) -> None:
    for spec in LISTS:
        compared = set()
        for trigger in contract["paths"][spec.path]["get"]["x-updated-after-triggers"]:
            path, link, change = trigger["path"], trigger["added_or_removed"], trigger["linked_record_changed"]
            compared.add(path)
            if (spec.name, path) in OWN_FIELDS | NOT_IN_THE_MODEL:
                continue
            relation = find(WIRE_MODELS[spec.name].relations, path.split("."))
            if relation is None:
                assert not link, (spec.name, path)
                assert not change, (spec.name, path)
                continue
            assert relation.counts_change is change, (spec.name, path)
            assert link is None or relation.counts_link is link, (spec.name, path)
        named = {relation.name for relation in WIRE_MODELS[spec.name].relations}
        silent = {each.name for each in WIRE_MODELS[spec.name].relations if not each.counts_change | each.counts_link}
        assert named - compared <= silent


def find(relations: tuple[Relation, ...], path: list[str]) -> Relation | None:
    found = next((relation for relation in relations if relation.name == path[0]), None)
    return find(found.relations, path[1:]) if found and path[1:] else found
