"""Custom fields through Bindbee's contract: definitions, mappings, previews, and the values in the lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx2
import jsonschema
import pytest
import yaml

from atsumi.dialects.kombo.tests.kit import reference
from atsumi.model.names import Model
from atsumi.server.custom_fields import CustomFieldService
from atsumi.server.remapping import execute_run
from atsumi.store import connectors
from harness import Account, Product

BASE = "/api/v1/custom-fields"
CANDIDATE = {"category": "ATS", "model": "candidate"}


@dataclass
class Caller:
    """An account, asked through this surface."""

    account: Account
    token: str

    async def ask(self, method: str, path: str, body: Any = None, **params: Any) -> httpx2.Response:
        return await self.account.product.api.request(
            method, f"{BASE}{path}", headers={"Authorization": f"Bearer {self.account.key}"}, json=body, params=params
        )

    async def done(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        answer = await self.ask(method, path, body, **params)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def refused(self, status: int, method: str, path: str, body: Any = None, **params: Any) -> Any:
        answer = await self.ask(method, path, body, **params)
        assert answer.status_code == status, answer.text
        return answer.json()["detail"]

    async def field(self, name: str, **more: Any) -> str:
        created = await self.done("POST", "", {"name": name, **CANDIDATE, **more})
        assert created == {"id": created["id"], "status": "SUCCESS"}
        return str(created["id"])

    async def map(self, field: str, path: str, **scope: str) -> str:
        scope = scope or {"connector_token": self.token}
        return str((await self.done("POST", "/mapping", {"custom_field_id": field, "json_path": path, **scope}))["id"])

    async def remap(self) -> None:
        claim = await self.account.claim("remap")
        await execute_run(self.account.runtime, claim, await self.account.fresh())

    async def candidates(self, **params: str) -> dict[str, Any]:
        return {id: row["custom_fields"] for id, row in (await self.rows("candidates", **params)).items()}

    async def rows(self, name: str, **params: str) -> dict[str, Any]:
        answer = await self.account.product.api.get(
            f"/api/ats/v1/{name}",
            headers={"Authorization": f"Bearer {self.account.key}", "x-connector-token": self.token},
            params={"include_custom_fields": "true", "page_size": "200", **params},
        )
        assert answer.status_code == 200, answer.text
        return {row["remote_id"]: row for row in answer.json()["items"]}


async def connected(product: Product, *, is_synced: bool = True) -> Caller:
    account = await (product.synced(applications=6) if is_synced else product.connect(applications=1))
    return Caller(account, await connectors.token_of(account.pool, account.runtime.vault, await account.fresh()))


@pytest.fixture
async def caller(product: Product) -> Caller:
    return await connected(product)


@pytest.fixture(scope="module")
async def unsynced(product: Product) -> Caller:
    """An account of which nothing was read, for tests that leave nothing behind."""
    return await connected(product, is_synced=False)


def held(caller: Caller) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in caller.account.simulator.state("candidates")["candidates"]}


async def test_own_fields_keep_their_names_and_mapped_ones_win(caller: Caller) -> None:
    own = {
        id: {name: row[name] for name in ("gender", "birthday", "available_from") if row[name]}
        for id, row in held(caller).items()
    }
    assert any(own.values())
    assert await caller.candidates() == own

    gender, nowhere = await caller.field("gender"), await caller.field("nowhere")
    await caller.map(gender, "last_name")
    await caller.map(nowhere, "nothing.at.all", integration_slug="personio")
    await caller.remap()

    assert await caller.candidates() == {
        id: {**own[id], "gender": row["last_name"], "nowhere": "INVALID_JSON_PATH"} for id, row in held(caller).items()
    }
    assert set((await caller.candidates(include_custom_fields="false")).values()) == {None}
    [mapping] = (await caller.done("GET", f"/{gender}"))["mappings"]
    await caller.done("PATCH", f"/mapping/{mapping['id']}", {"json_path": "nothing.at.all"})
    await caller.remap()
    assert await caller.candidates() == {
        id: {"gender": "INVALID_JSON_PATH", **own[id], "nowhere": "INVALID_JSON_PATH"} for id in held(caller)
    }
    await caller.done("DELETE", f"/{gender}")
    await caller.done("DELETE", f"/{nowhere}")
    await caller.remap()
    assert await caller.candidates() == own


async def test_an_attachment_has_its_entry_of_the_tools_list_as_raw_data(product: Product) -> None:
    caller = await connected(product)
    await caller.account.background()
    documents = {one["id"]: one for one in caller.account.simulator.state("documents")["documents"]}
    assert documents
    await caller.map(await caller.field("label", model="attachment"), "name")
    await caller.map(await caller.field("where", model="attachment"), "no.such", integration_slug="personio")
    await caller.remap()

    rows = await caller.rows("attachments", include_raw_data="true")
    assert rows.keys() == documents.keys()
    for id, row in rows.items():
        assert (row["raw_data"]["id"], row["raw_data"]["name"]) == (id, documents[id]["name"])
        assert row["custom_fields"] == {"label": documents[id]["name"], "where": "INVALID_JSON_PATH"}
    asked = {"connector_token": caller.token, "category": "ATS", "model": "attachment"}
    newest = await caller.done("GET", "/raw-data", **asked)
    found = await caller.done("POST", "/preview", {**asked, "json_path": "name"})
    assert (found["resolved_value"], found["raw_data_source"]) == (newest["name"], "connector_sync")
    fields = await CustomFieldService(caller.account.runtime).tool_fields(
        await caller.account.fresh(), models=[Model.ATTACHMENT], limit=100
    )
    shares = {field.path: (field.records_seen, field.records) for field in fields}
    assert shares["name"] == shares["id"] == (len(documents), len(documents))


async def test_what_a_tool_tells_nothing_about_cannot_be_mapped(unsynced: Caller) -> None:
    field = await unsynced.field("floor", model="office")
    for scope in ({"integration_slug": "personio"}, {"connector_token": unsynced.token}):
        [fault] = await unsynced.refused(
            422, "POST", "/mapping", {"custom_field_id": field, "json_path": "name", **scope}
        )
        assert fault["loc"] == ["body", "custom_field_id"]
        assert "personio says nothing" in fault["msg"]
    asked = {"connector_token": unsynced.token, "category": "ATS", "model": "office", "json_path": "name"}
    [fault] = await unsynced.refused(422, "POST", "/preview", asked)
    assert fault["loc"] == ["body", "model"]
    assert "no raw data" in fault["msg"]
    inline = await unsynced.done("POST", "/preview", {**asked, "raw_data": {"name": "A"}})
    assert inline["resolved_value"] == "A"
    await unsynced.done("DELETE", f"/{field}")


async def test_a_field_is_listed_changed_and_deleted(caller: Caller) -> None:
    first = await caller.field("alpha", description="The first")
    second = await caller.field("beta")
    shown = await caller.done("GET", f"/{first}")
    assert (shown["name"], shown["description"], shown["source"]) == ("alpha", "The first", "API")
    assert (shown["category"], shown["model"], shown["updated_at"]) == ("ATS", "candidate", None)
    assert shown["mapping_counts"] == {"total": 0, "organization": 0, "connector": 0}

    assert (await caller.done("PATCH", f"/{first}", {}))["updated_at"] is None
    assert (await caller.done("PATCH", f"/{first}", {"name": "alpha"}))["updated_at"] is None
    changed = await caller.done("PATCH", f"/{first}", {"name": "gamma", "description": None, "model": "job"})
    assert (changed["name"], changed["description"], changed["model"]) == ("gamma", None, "job")
    assert changed["updated_at"] is not None
    page = await caller.done("GET", "", page_size=1)
    assert page["cursor"] is not None
    following = await caller.done("GET", "", page_size=1, cursor=page["cursor"])
    assert (page["items"] + following["items"], following["cursor"]) == ((await caller.done("GET", ""))["items"], None)
    assert [one["id"] for one in (await caller.done("GET", "", model="candidate"))["items"]] == [second]
    assert (await caller.done("GET", "", category="HRIS"))["items"] == []
    assert (await caller.done("GET", "", source="DASHBOARD"))["items"] == []
    await caller.refused(422, "GET", "", cursor=page["cursor"], model="job")

    await caller.map(second, "first_name")
    [fault] = await caller.refused(422, "PATCH", f"/{second}", {"model": "job"})
    assert fault["loc"] == ["body", "model"]
    assert await caller.done("DELETE", f"/{second}") is None
    assert await caller.refused(404, "GET", f"/{second}")
    assert await caller.done("GET", "/mapping", connector_token=caller.token) == []


async def test_the_connectors_mapping_wins(caller: Caller) -> None:
    field, bare = await caller.field("who"), await caller.field("bare")
    wide = await caller.map(field, "last_name", integration_slug="personio")
    narrow = await caller.map(field, "first_name")
    found = await caller.done("GET", "/configuration", connector_token=caller.token, **CANDIDATE)
    assert (found["connector_token"], found["integration_slug"]) == (caller.token, "personio")
    entries = {one["custom_field_id"]: (one["json_path"], one["source"], one["mapping_id"]) for one in found["fields"]}
    assert entries == {field: ("first_name", "connector", narrow), bare: (None, None, None)}

    changed = await caller.done("PATCH", f"/mapping/{narrow}", {"json_path": "email"})
    assert (changed["json_path"], changed["connector_token"], changed["integration_slug"]) == (
        "email",
        caller.token,
        None,
    )
    await caller.done("DELETE", f"/mapping/{narrow}")
    found = await caller.done("GET", "/configuration", connector_token=caller.token, **CANDIDATE)
    assert [one["source"] for one in found["fields"]] == [None, "organization"]
    [mapping] = await caller.done("GET", "/mapping", integration_slug="personio")
    assert (mapping["id"], mapping["json_path"], mapping["connector_token"]) == (wide, "last_name", None)
    counts = (await caller.done("GET", f"/{field}"))["mapping_counts"]
    assert counts == {"total": 1, "organization": 1, "connector": 0}


async def test_a_preview_tells_what_a_path_comes_to_and_from_what(product: Product, caller: Caller) -> None:
    async def preview(path: str, asked: Caller = caller, **more: Any) -> tuple[Any, str, str]:
        found = await asked.done(
            "POST", "/preview", {"connector_token": asked.token, **CANDIDATE, "json_path": path, **more}
        )
        return found["resolved_value"], found["resolved_value_type"], found["raw_data_source"]

    newest = await caller.done("GET", "/raw-data", connector_token=caller.token, **CANDIDATE)
    assert newest["last_name"] == held(caller)[newest["id"]]["last_name"]
    assert await preview("last_name") == (newest["last_name"], "string", "connector_sync")
    assert await preview("length(applications)") == (len(newest["applications"]), "number", "connector_sync")
    assert await preview("nothing") == ("INVALID_JSON_PATH", "string", "connector_sync")
    assert await preview("sum(last_name)") == ("INVALID_JSON_PATH", "string", "connector_sync")
    inline = {"a": {"b": [1, None, True]}}
    assert await preview("a.b", raw_data=inline) == ([1, None, True], "array", "inline")
    assert await preview("a.b[1]", raw_data=inline) == (None, "null", "inline")
    assert await preview("a.b[3]", raw_data=inline) == ("INVALID_JSON_PATH", "string", "inline")
    assert await preview("a", raw_data={"a": None}) == (None, "null", "inline")
    assert await preview("a.b[2]", raw_data=inline) == (True, "boolean", "inline")

    fresh = await connected(product, is_synced=False)
    sample = await fresh.done("GET", "/raw-data", integration_slug="personio", **CANDIDATE)
    assert sample["email"].endswith("@example.com")
    assert await fresh.done("GET", "/raw-data", connector_token=fresh.token, **CANDIDATE) == sample
    assert await preview("email", fresh) == (sample["email"], "string", "integration_sample")
    assert await fresh.done("GET", "/raw-data", integration_slug="personio", category="ATS", model="offer") is None


HOSTILE = ["", "a..b", "[" * 1000, "x" * 1025, "system('x')", "&a", "\0"]


async def test_a_hostile_path_is_refused_at_every_entry(product: Product) -> None:
    caller = await connected(product, is_synced=False)
    field = await caller.field("hostile")
    mapping = await caller.map(field, "first_name")
    for path in HOSTILE:
        entries = [
            ("POST", "/mapping", {"custom_field_id": field, "json_path": path, "integration_slug": "personio"}),
            ("PATCH", f"/mapping/{mapping}", {"json_path": path}),
            ("POST", "/preview", {"connector_token": caller.token, **CANDIDATE, "json_path": path}),
        ]
        for method, at, sent in entries:
            [fault] = await caller.refused(422, method, at, sent)
            assert fault["loc"] == ["body", "json_path"]
            assert {"loc", "msg", "type"} <= fault.keys()


async def test_a_path_that_would_run_for_ever_comes_to_nothing(caller: Caller) -> None:
    found = await caller.done(
        "POST",
        "/preview",
        {"connector_token": caller.token, **CANDIDATE, "json_path": " | ".join(["[@, @]"] * 60) + " | to_string(@)"},
    )
    assert found["resolved_value"] == "INVALID_JSON_PATH"


BAD = [
    ("POST", "", {"name": "Bad Name", **CANDIDATE}, ["body", "name"]),
    ("POST", "", {"name": "x", **CANDIDATE}, ["body", "name"]),
    ("POST", "", {"name": "fine", "category": "HRIS", "model": "employee"}, ["body", "model"]),
    ("POST", "", {"name": "fine", "category": "X", "model": "candidate"}, ["body", "category"]),
    ("POST", "", {"name": "fine", "category": "ATS", "model": "eeoc"}, ["body", "model"]),
    ("POST", "", {"category": "ATS", "model": "candidate"}, ["body", "name"]),
    ("POST", "", {"name": 5, **CANDIDATE}, ["body", "name"]),
    ("POST", "", [], ["body"]),
    ("POST", "/mapping", {"custom_field_id": str(uuid4()), "json_path": "a"}, ["body"]),
    (
        "POST",
        "/mapping",
        {"custom_field_id": str(uuid4()), "json_path": "a", "integration_slug": "personio"},
        ["body", "custom_field_id"],
    ),
    (
        "POST",
        "/mapping",
        {"custom_field_id": "x", "json_path": "a", "integration_slug": "personio"},
        ["body", "custom_field_id"],
    ),
    (
        "POST",
        "/mapping",
        {"custom_field_id": str(uuid4()), "json_path": "a", "integration_slug": "other"},
        ["body", "integration_slug"],
    ),
    ("GET", "/mapping", None, ["query"]),
    ("GET", "/raw-data", None, ["query", "category"]),
    ("GET", "/configuration", None, ["query", "connector_token"]),
    ("GET", "/nonsense", None, ["path", "custom_field_id"]),
]


@pytest.mark.parametrize(("method", "path", "body", "loc"), BAD, ids=range(len(BAD)))
async def test_bad_input_is_told_where_it_is(
    unsynced: Caller, method: str, path: str, body: Any, loc: list[str]
) -> None:
    faults = await unsynced.refused(422, method, path, body)
    assert faults[0]["loc"] == loc


@pytest.mark.parametrize("name", ["x", "Bad Name", 5, True, "long " * 40])
async def test_a_refused_name_is_told_as_it_was_sent(unsynced: Caller, name: Any) -> None:
    told = f"{name[:60]}…" if isinstance(name, str) and len(name) > 60 else name
    field = await unsynced.field(f"fine_{uuid4().hex}")
    for method, path, body in (("POST", "", {"name": name, **CANDIDATE}), ("PATCH", f"/{field}", {"name": name})):
        [fault] = await unsynced.refused(422, method, path, body)
        assert (fault["loc"], fault["input"]) == (["body", "name"], told)
    await unsynced.done("DELETE", f"/{field}")


async def test_the_same_name_or_scope_twice_is_refused(caller: Caller) -> None:
    field = await caller.field("once")
    [fault] = await caller.refused(422, "POST", "", {"name": "once", **CANDIDATE})
    assert fault["loc"] == ["body", "name"]
    await caller.map(field, "a")
    [fault] = await caller.refused(
        422, "POST", "/mapping", {"custom_field_id": field, "json_path": "b", "connector_token": caller.token}
    )
    assert fault["loc"] == ["body", "custom_field_id"]


async def test_another_environment_finds_nothing(product: Product, caller: Caller) -> None:
    other = await connected(product, is_synced=False)
    field = await caller.field("secret")
    mapping = await caller.map(field, "first_name")
    wide = await caller.field("wide")
    await caller.map(wide, "first_name", integration_slug="personio")

    assert (await other.done("GET", ""))["items"] == []
    assert await other.done("GET", "/mapping", integration_slug="personio") == []
    for method, path, body in [
        ("GET", f"/{field}", None),
        ("PATCH", f"/{field}", {"name": "mine"}),
        ("DELETE", f"/{field}", None),
        ("PATCH", f"/mapping/{mapping}", {"json_path": "a"}),
        ("DELETE", f"/mapping/{mapping}", None),
    ]:
        await other.refused(404, method, path, body)
    for method, path, body, params in [
        ("GET", "/mapping", None, {"connector_token": caller.token}),
        ("GET", "/raw-data", None, {"connector_token": caller.token, **CANDIDATE}),
        ("GET", "/configuration", None, {"connector_token": caller.token, **CANDIDATE}),
        ("POST", "/preview", {"connector_token": caller.token, **CANDIDATE, "json_path": "email"}, {}),
        (
            "POST",
            "/mapping",
            {"custom_field_id": field, "json_path": "a", "integration_slug": "personio"},
            {},
        ),
    ]:
        assert caller.token not in str(await other.refused(422, method, path, body, **params))


@pytest.mark.reference
async def test_answers_fit_the_contract(caller: Caller) -> None:
    contract = yaml.load(reference("openapi.yaml", vendor="bindbee").read_bytes(), yaml.CSafeLoader)

    def check(method: str, path: str, answer: httpx2.Response) -> None:
        said = contract["paths"][f"{BASE}{path}"][method.lower()]["responses"][str(answer.status_code)]
        if "$ref" in said:
            said = contract["components"]["responses"][said["$ref"].rsplit("/", 1)[1]]
        schema = said["content"]["application/json"]["schema"]
        jsonschema.Draft202012Validator({**schema, "components": contract["components"]}).validate(answer.json())

    created = await caller.ask("POST", "", {"name": "contract", **CANDIDATE})
    check("POST", "", created)
    field = created.json()["id"]
    made = await caller.ask(
        "POST", "/mapping", {"custom_field_id": field, "json_path": "email", "connector_token": caller.token}
    )
    check("POST", "/mapping", made)
    mapping = made.json()["id"]
    check("GET", "", await caller.ask("GET", ""))
    check("GET", "/{custom_field_id}", await caller.ask("GET", f"/{field}"))
    check("PATCH", "/{custom_field_id}", await caller.ask("PATCH", f"/{field}", {"description": "x"}))
    check("GET", "/mapping", await caller.ask("GET", "/mapping", connector_token=caller.token))
    changed = await caller.ask("PATCH", f"/mapping/{mapping}", {"json_path": "phone"})
    check("PATCH", "/mapping/{custom_field_mapping_id}", changed)
    check("GET", "/raw-data", await caller.ask("GET", "/raw-data", connector_token=caller.token, **CANDIDATE))
    preview = {"connector_token": caller.token, **CANDIDATE, "json_path": "email"}
    check("POST", "/preview", await caller.ask("POST", "/preview", preview))
    check("GET", "/configuration", await caller.ask("GET", "/configuration", connector_token=caller.token, **CANDIDATE))
    check("GET", "", await caller.ask("GET", "", page_size=0))
    check("GET", "/{custom_field_id}", await caller.ask("GET", f"/{uuid4()}"))
