"""What our own API says of a tool, held against the model, the surfaces' tables and what a synced company fills."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from atsumi.connectors.personio import connector
from atsumi.dialects.bindbee import fields as bindbee_fields
from atsumi.dialects.bindbee import lists as bindbee_lists
from atsumi.dialects.kombo import fields as kombo_fields
from atsumi.dialects.kombo import lists as kombo_lists
from atsumi.model.catalog import CODES, STRUCTS
from atsumi.model.names import Model
from atsumi.server.registry import SPELLINGS
from harness import Account, Product, small_company


async def _tool(product: Product, slug: str = "personio") -> dict[str, Any]:
    _, key = await product.environment()
    answer = await product.api.get(f"/atsumi/v1/tools/{slug}", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture(scope="module")
async def tool(product: Product) -> dict[str, Any]:
    return await _tool(product)


@pytest.fixture(scope="module")
async def rich(product: Product) -> Account:
    """A company that uses everything of Personio that can be read, with its files and moves."""
    simulator = small_company(applications=120, jobs=12, published_share=0.8)
    job = simulator.state()["published"][0]["id"]
    simulator.edit_job(
        job,
        descriptions={"de": [["Aufgaben", "<p>Kuchen</p>"]], "en": [["Tasks", "<p>Cake</p>"]]},
        salary={"minimum": "42000", "maximum": "51000"},
        additional_offices=["Wien"],
    )
    simulator.anonymise_application(simulator.state()["applications"][0]["id"])
    account = await product.synced(simulator)
    await account.background()
    return account


def _fields(tool: dict[str, Any]) -> Iterator[tuple[Model, dict[str, Any]]]:
    for model in tool["models"]:
        for field in model["fields"]:
            yield Model(model["model"]), field


def test_every_model_and_field_is_listed_exactly_once(tool: dict[str, Any]) -> None:
    assert [model["model"] for model in tool["models"]] == [model.value for model in STRUCTS]
    listed = [(model, field["field"]) for model, field in _fields(tool)]
    assert listed == [(model, name) for model, struct in STRUCTS.items() for name in struct.__struct_fields__]


def test_what_is_not_offered_says_why_and_what_is_offered_how_sure_it_is(tool: dict[str, Any]) -> None:
    for model in tool["models"]:
        assert (model["status"] == "not_offered") is bool(model["reason"])
        assert (model["status"] == "supported") is bool(model["streams"])
    seen = set()
    for _, field in _fields(tool):
        seen.add(field["status"])
        assert (field["evidence"] is None) is (field["status"] in ("not_offered", "configured"))
        assert (field["reason"] is None) is (field["status"] == "supported")
        assert field["reason"] != "The connector gives no reason."
        assert (field["evidence"] == "inferred") is (field["status"] == "inferred")
    assert seen == {"supported", "inferred", "not_offered", "configured"}
    nothing = {model["model"] for model in tool["models"] if model["status"] == "not_offered"}
    assert nothing == {"interview", "offer", "rejection_reason", "tag", "note", "scorecard"}


async def test_whatever_is_said_to_be_given_is_filled_in_a_rich_company(rich: Account, tool: dict[str, Any]) -> None:
    filled: set[tuple[int, str]] = set()
    for (code, _), (record, _) in (await rich.canonical()).items():
        filled |= {(code, name) for name, value in record.items() if value not in (None, [], {}, False)}
    said = {
        (CODES[model], field["field"]) for model, field in _fields(tool) if field["status"] in ("supported", "inferred")
    }
    assert said == filled


@pytest.mark.parametrize(("surface", "tables"), [("kombo", kombo_fields), ("bindbee", bindbee_fields)])
def test_each_surface_names_a_field_in_its_documents_or_says_why_not(
    tool: dict[str, Any], surface: str, tables: Any
) -> None:
    for model, field in _fields(tool):
        spelled = field["surfaces"][surface]
        assert bool(spelled["names"]) is not bool(spelled["reason"]), f"{model}.{field['field']}"
        for name in spelled["names"]:
            list_name, _, wire_field = name.partition(".")
            assert list_name in tables.FIELDS
            assert not wire_field or wire_field in tables.FIELDS[list_name]


def test_names_lead_to_where_a_field_is_shown(tool: dict[str, Any]) -> None:
    names = {
        (surface, model.value, field["field"]): spelled["names"]
        for model, field in _fields(tool)
        for surface, spelled in field["surfaces"].items()
    }
    assert names["kombo", "job", "is_confidential"] == ["jobs.confidential"]
    assert names["bindbee", "job", "job_code"] == ["jobs.code"]
    assert names["bindbee", "user", "status"] == ["remote-users.disabled"]
    assert names["bindbee", "screening_question", "title"] == ["screening-questions.title"]
    assert names["kombo", "job_posting", "title"] == ["jobs.job_postings"]
    assert names["bindbee", "role", "type"] == ["jobs.hiring_managers", "jobs.recruiters"]
    assert names["kombo", "candidate", "mapped_fields"] == ["candidates.custom_fields"]
    assert names["kombo", "candidate", "remote_id"] == ["candidates.remote_id"]


def test_lists_are_those_that_are_served(tool: dict[str, Any]) -> None:
    by_model = {model["model"]: model["lists"] for model in tool["models"]}
    assert by_model["user"] == {"kombo": ["/v1/ats/users"], "bindbee": ["/api/ats/v1/remote-users"]}
    assert by_model["stage_transition"] == {"kombo": [], "bindbee": []}
    assert set(SPELLINGS) == {"kombo", "bindbee"}


def test_every_list_that_is_served_is_told_of_once_also_one_that_stays_empty(tool: dict[str, Any]) -> None:
    served = {
        "kombo": [f"/v1{spec.path}" for spec in kombo_lists.LISTS],
        "bindbee": [f"/api{spec.path}" for spec in bindbee_lists.LISTS],
    }
    for surface, paths in served.items():
        told = [path for model in tool["models"] for path in model["lists"][surface]]
        told += [one["path"] for one in tool["empty_lists"] if one["surface"] == surface]
        assert sorted(told) == sorted(paths)
    (eeocs,) = tool["empty_lists"]
    assert eeocs["path"] == "/api/ats/v1/eeocs"
    assert "race" in eeocs["fields"]
    assert eeocs["reason"]


def test_rights_and_listings_are_those_of_the_manifest(tool: dict[str, Any]) -> None:
    by_model = {model["model"]: model for model in tool["models"]}
    assert by_model["attachment"]["streams"] == ["applications", "documents"]
    assert by_model["attachment"]["permissions"] == ["personio:recruiting:read", "personio:documents:read"]
    assert [one["name"] for one in tool["permissions"]] == [scope.name for scope in connector.manifest.scopes]
    assert tool["caveats"] == list(connector.manifest.caveats)


async def test_tools_are_listed_with_the_models_that_they_give(product: Product) -> None:
    _, key = await product.environment()
    answer = await product.api.get("/atsumi/v1/tools", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 200
    (found,) = answer.json()["items"]
    assert (found["tool"], found["label"], found["category"]) == ("personio", "Personio", "ATS")
    assert set(found["models"]) == {model.value for model in connector.mapping.coverage}


HOSTILE = (
    "greenhouse",
    "PERSONIO",
    "personio%00",
    "..%2f..%2fetc",
    "%ff%fe",
    "personio;--",
    "x" * 4000,
    "%F0%9F%92%A5",
)


@pytest.mark.parametrize("slug", HOSTILE)
async def test_an_unknown_tool_is_a_404_that_names_those_there_are(product: Product, slug: str) -> None:
    _, key = await product.environment()
    answer = await product.api.get(f"/atsumi/v1/tools/{slug}", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert msgspec.json.decode(answer.content)["code"] == "not_found"


@pytest.mark.parametrize("path", ["/tools", "/tools/personio"])
async def test_tools_need_a_key_and_take_no_parameters(product: Product, path: str) -> None:
    assert (await product.api.get(f"/atsumi/v1{path}")).status_code == 401
    _, key = await product.environment()
    headers = {"Authorization": f"Bearer {key}"}
    refused = await product.api.get(f"/atsumi/v1{path}?category=ats", headers=headers)
    assert (refused.status_code, refused.json()["parameter"]) == (400, "category")
    assert (await product.api.post(f"/atsumi/v1{path}", headers=headers)).status_code == 405
