"""Writes against the vendor's published contract, where the reference folder is there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from atsumi.actions.requests import Written
from atsumi.dialects.http import pattern
from atsumi.dialects.kombo.openapi import openapi_document
from atsumi.dialects.kombo.operations import OPERATIONS
from atsumi.dialects.kombo.tests.kit import fits, reference
from atsumi.dialects.kombo.tests.writes_kit import BODIES, MADE, Ledger, listed, receipt, sent
from atsumi.model.actions import Action
from atsumi.model.draft import ApplicationDraft, Ref

pytestmark = pytest.mark.reference

WRITES = [one for one in OPERATIONS if one.is_write]
OPEN = {"remote_fields", "data"}
"""What is any JSON to us: other tools' own fields, and contents of files, which are checked as they are read."""
MINIMAL = {
    Action.CREATE_APPLICATION: "create-application",
    Action.CREATE_CANDIDATE: "create-candidate",
}


def test_every_action_of_the_contract_is_served(contract: dict[str, Any]) -> None:
    wanted = {
        (method.upper(), path)
        for path, methods in contract["paths"].items()
        for method in methods
        if path.startswith("/ats/") and (method in ("post", "put", "patch", "delete") or "/actions/" in path)
    }
    served = {(one.method, one.path) for one in OPERATIONS if one.path.startswith("/ats/")}
    assert wanted
    assert wanted <= served
    assert not [path for method, path in served - wanted if method != "GET"]


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without references, alternatives with ``null`` and wrappers around one schema."""
    while True:
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        elif len(schema.get("allOf", ())) == 1:
            [schema] = schema["allOf"]
        elif [one for one in schema.get("anyOf", ()) if one.get("type") == "null"] and len(schema["anyOf"]) == 2:
            [schema] = [one for one in schema["anyOf"] if one.get("type") != "null"]
        else:
            return schema


def compare(theirs: Any, ours: Any, documents: tuple[Any, Any], place: str) -> None:
    theirs, ours = resolved(documents[0], theirs), resolved(documents[1], ours)
    if place.rsplit(".", 1)[-1] in OPEN or "answers.[].answer" in place:
        return
    assert theirs["type"] == ours.get("type", "string"), place
    words = theirs.get("enum") or ([theirs["const"]] if "const" in theirs else None)
    assert sorted(words or ()) == sorted(ours.get("enum", ())), place
    assert ("pattern" in theirs) <= ("pattern" in ours), place
    assert (theirs.get("format") == "email") <= ("pattern" in ours), place
    if theirs["type"] == "array":
        compare(theirs["items"], ours["items"], documents, f"{place}.[]")
    if theirs["type"] == "object":
        assert set(theirs["properties"]) == set(ours["properties"]), place
        assert set(theirs.get("required", ())) == set(ours.get("required", ())), place
        for name, schema in theirs["properties"].items():
            compare(schema, ours["properties"][name], documents, f"{place}.{name}")


@pytest.mark.parametrize("operation", WRITES, ids=lambda one: one.id)
def test_a_body_takes_what_the_contract_lists(contract: dict[str, Any], operation: Any) -> None:
    own = json.loads(openapi_document())
    theirs, ours = (
        document["paths"][operation.path][operation.method.lower()]["requestBody"]["content"]["application/json"]
        for document in (contract, own)
    )
    compare(theirs["schema"], ours["schema"], (contract, own), operation.id)


@pytest.mark.parametrize("action", BODIES)
async def test_an_answer_to_a_write_fits_the_contract(contract: dict[str, Any], action: Action) -> None:
    services = Ledger()
    application, candidate = listed(services)
    draft = ApplicationDraft(job=Ref(remote_id="1"), first_name="Ada", last_name="L", email_address="ada@example.com")
    method, path, given = BODIES[action]
    [declared] = [one.path for one in WRITES if one.method == method and pattern(one.path).fullmatch(f"/ats/{path}")]
    for is_provisional in (False, True):
        ended = receipt(action, application=application, candidate=candidate, is_provisional=is_provisional)
        services.outcome = Written(ended, draft)
        answer = (await sent(services, given, url=f"/v1/ats/{path}", method=method)).json()
        fits(contract, declared, answer, method=method.lower())
        if action in MADE:
            least = json.loads(reference("minimal", f"action.{MINIMAL[action]}.min.json").read_bytes())["data"]
            assert set(least) <= set(answer["data"])
    services.outcome, services.kept = None, None
    refused = (await sent(services, b"x", url=f"/v1/ats/{path}", method=method)).json()
    fits(contract, declared, refused, "default", method.lower())
