"""Pages and single records: what stands around the stored documents, and what is put into them."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from atsumi.dialects.bindbee.fields import FIELDS, Always
from atsumi.dialects.bindbee.lists import BY_NAME, LISTS, ListSpec
from atsumi.dialects.bindbee.openapi import openapi_document
from atsumi.dialects.bindbee.operations import OPERATIONS
from atsumi.dialects.bindbee.parse import keys_of, list_parameters
from atsumi.dialects.bindbee.tests.kit import FakeServices, client, fragment, read, whole_account
from atsumi.dialects.kombo.tests import samples as account
from atsumi.model.application import Application
from atsumi.model.tag import Tag

DOCUMENT: dict[str, Any] = json.loads(openapi_document())


def check(path: str, code: int, instance: object) -> None:
    schema = DOCUMENT["paths"][path]["get"]["responses"][str(code)]["content"]["application/json"]["schema"]
    jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(instance)


def expand_all(spec: ListSpec) -> dict[str, str]:
    return {"expand": ",".join(spec.relations)} if spec.relations else {}


@pytest.mark.parametrize("spec", LISTS, ids=lambda spec: spec.name)
async def test_what_is_answered_fits_our_published_document(spec: ListSpec) -> None:
    services = whole_account()
    for params in ({}, {"include_raw_data": "true", "include_custom_fields": "true", **expand_all(spec)}):
        page = await read(services, spec.name, **params)
        assert page["page_size"] == len(page["items"])
        assert bool(page["items"]) is (spec.model is not None)
        check(spec.path, 200, page)
        for item in page["items"][:1]:
            assert set(item) == set(keys_of(spec))
            one = await read(services, f"{spec.name}/{item['id']}", **params)
            assert one == item
            check(f"{spec.path}/{{id}}", 200, one)
    async with client(services) as http:
        for path, code in ((f"{spec.path}?x=1", 422), (f"{spec.path}?x=1", 422)):
            check(spec.path, code, (await http.get(f"/api{path}")).json())


async def test_our_document_is_served_to_everyone_and_names_every_operation_and_parameter() -> None:
    async with client(FakeServices(), Authorization="", x_connector_token="") as http:
        assert (await http.get("/api/openapi.json")).json() == DOCUMENT
    assert set(DOCUMENT["paths"]) == {operation.path for operation in OPERATIONS}
    for spec in LISTS:
        described = {each["name"] for each in DOCUMENT["paths"][spec.path]["get"]["parameters"]}
        assert described == {"x-connector-token", *(parameter.name for parameter in list_parameters(spec))}


async def test_pages_follow_each_other_until_there_is_none() -> None:
    services = FakeServices(tags=[fragment("tags", Tag(remote_id=str(number))) for number in range(7)])
    found, cursor, sizes = [], None, []
    while cursor is not None or not sizes:
        page = await read(services, "tags", page_size=3, **({"cursor": cursor} if cursor else {}))
        found += [item["remote_id"] for item in page["items"]]
        sizes.append(page["page_size"])
        cursor = page["cursor"]
    assert found == [str(number) for number in range(7)]
    assert sizes == [3, 3, 1]


async def test_what_was_not_asked_for_is_null_and_what_there_is_none_of_is_empty() -> None:
    services = FakeServices(tags=[fragment("tags", Tag(remote_id="1"))])
    plain = (await read(services, "tags"))["items"][0]
    asked = (await read(services, "tags", include_raw_data="true", include_custom_fields="true"))["items"][0]
    assert (plain["raw_data"], plain["custom_fields"]) == (None, None)
    assert (asked["raw_data"], asked["custom_fields"]) == (None, {})
    assert services.queries[0].with_remote_ids is services.queries[0].with_custom_fields is False


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        ([("/a", b'{"id": 1, "deep": {"x": 1.50}}')], {"id": 1, "deep": {"x": 1.5}}),
        ([("/a", b'{"id":1}'), ("/b", b'{"id":2}'), ("/c", b"[3]")], {"id": 1, "/b": {"id": 2}, "/c": [3]}),
        ([("/a", b'{"/b":1}'), ("/b", b"2")], {"/b": 1}),
        ([("/a", b"[1]"), ("/b", b"2")], {"/a": [1], "/b": 2}),
        ([("/a", b"\xff no json"), ("/b", b"2")], {"/a": None, "/b": 2}),
        ([], None),
    ],
)
async def test_raw_data_is_the_main_record_with_further_ones_by_their_names(
    parts: list[tuple[str, bytes]], shown: object
) -> None:
    services = FakeServices(tags=[fragment("tags", Tag(remote_id="1"))])
    services.raw["1"] = parts
    assert (await read(services, "tags", include_raw_data="true"))["items"][0]["raw_data"] == shown


# Relations as records.


@pytest.mark.parametrize("spec", [spec for spec in LISTS if spec.model], ids=lambda spec: spec.name)
async def test_related_records_are_those_of_their_own_lists(spec: ListSpec) -> None:
    services = whole_account()
    plain = (await read(services, spec.name, include_custom_fields="true"))["items"]
    services.queries.clear()
    expanded = (await read(services, spec.name, include_custom_fields="true", **expand_all(spec)))["items"]
    assert len(services.queries) <= 1 + len(spec.relations)
    for before, after in zip(plain, expanded, strict=True):
        for name, target in spec.relations.items():
            ids = before[name] if isinstance(before[name], list) else [before[name]]
            found = after[name] if isinstance(after[name], list) else [after[name]]
            for id, record in zip(ids, found, strict=True):
                assert record == (id and await read(services, f"{target}/{id}", include_custom_fields="true")), (
                    f"{name} of {spec.name}"
                )
        assert {key: value for key, value in after.items() if key not in spec.relations} == {
            key: value for key, value in before.items() if key not in spec.relations
        }


async def test_only_the_keys_that_are_named_come_back() -> None:
    services = whole_account()
    id = (await read(services, "applications"))["items"][0]["id"]
    found = await read(services, f"applications/{id}", expand="job[name,code],candidate[first_name,modified_at]")
    assert found["job"] == {"name": account.JOB.name, "code": account.JOB.job_code}
    assert found["candidate"] == {"first_name": "Ada", "modified_at": "2024-05-20T10:00:00.123Z"}
    assert isinstance(found["current_stage"], str)


FILLED = [(spec, name) for spec in LISTS for name in spec.relations if FIELDS[spec.name][name] is not Always.NEVER]


@pytest.mark.parametrize(("spec", "relation"), FILLED, ids=lambda one: one if isinstance(one, str) else one.name)
async def test_a_relation_cut_to_one_key_fits_our_published_document(spec: ListSpec, relation: str) -> None:
    services = whole_account()
    keys = keys_of(BY_NAME[spec.relations[relation]])
    for key in (keys[0], keys[-1]):
        page = await read(services, spec.name, expand=f"{relation}[{key}]")
        shown = [item[relation] for item in page["items"]]
        inline = [one for each in shown for one in (each if isinstance(each, list) else [each]) if one is not None]
        assert inline
        assert all(set(one) == {key} for one in inline)
        check(spec.path, 200, page)
        check(f"{spec.path}/{{id}}", 200, page["items"][0])


async def test_relations_that_are_null_or_not_stored_stay_what_they_are() -> None:
    bare, dangling = Application(remote_id="1"), Application(remote_id="2", job_remote_id="9")
    services = FakeServices(applications=[fragment("applications", one) for one in (bare, dangling)])
    plain = (await read(services, "applications"))["items"]
    expanded = (await read(services, "applications", expand="candidate,job,current_stage"))["items"]
    assert expanded == plain
    assert plain[0]["job"] is None
    assert isinstance(plain[1]["job"], str)


async def test_an_empty_page_asks_for_nothing_more() -> None:
    services = FakeServices()
    assert (await read(services, "applications", expand="candidate,job"))["items"] == []
    assert len(services.queries) == 1


async def test_head_is_get_without_its_body() -> None:
    async with client(whole_account()) as http:
        head, get = await http.head("/api/ats/v1/jobs"), await http.get("/api/ats/v1/jobs")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == get.headers
