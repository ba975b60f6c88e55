"""The simulator's answers against the transcribed specifications of the reference folder."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from atsumi.connectors.personio.tests.simulator_kit import Probe, simulated

pytestmark = pytest.mark.reference

Check = Callable[[str, str, Any], None]


def folder() -> Path:
    """Return the reference folder's part about the tool, wanted or not."""
    fallback = Path(__file__).parents[6] / "shared" / "reference"
    return Path(os.environ.get("ATSUMI_REFERENCE", fallback)) / "personio"


@functools.cache
def specification(file: str) -> Any:
    return yaml.safe_load((folder() / file).read_text(encoding="utf-8"))


@functools.cache
def validator(file: str, schema: str) -> Draft202012Validator:
    registry = Registry().with_resource("urn:spec", DRAFT202012.create_resource(specification(file)))
    return Draft202012Validator({"$ref": f"urn:spec#/components/schemas/{schema}"}, registry=registry)


@pytest.fixture
def check() -> Check:
    """Return a function that validates a value against a component schema of a file."""
    if not folder().is_dir():
        pytest.skip("the reference folder is not there (ATSUMI_REFERENCE or ../shared/reference)")
    return lambda file, schema, value: validator(file, schema).validate(value)


RECRUITING = "personio-recruiting-v2.openapi.yaml"


@pytest.fixture
def probe() -> Probe:
    return Probe(simulated(60))


@pytest.mark.parametrize(
    ("kind", "schema"),
    [("applications", "Application"), ("candidates", "Candidate"), ("jobs", "Job"), ("categories", "Category")],
)
async def test_recruiting_records_match_the_specification(probe: Probe, check: Check, kind: str, schema: str) -> None:
    page = await probe.data(f"/v2/recruiting/{kind}")
    check(RECRUITING, "Meta", page["_meta"])
    documented = set(specification(RECRUITING)["components"]["schemas"][schema]["properties"])
    for record in page["_data"][:25]:
        check(RECRUITING, schema, record)
        assert set(record) == documented


async def test_transitions_and_problems_match_the_specification(probe: Probe, check: Check) -> None:
    application = probe.simulator.state("applications")["applications"][0]["id"]
    for entry in (await probe.data(f"/v2/recruiting/applications/{application}/stage-transitions"))["_data"]:
        check(RECRUITING, "StageTransition", entry)
    for url in ("/v2/recruiting/jobs?limit=0", "/v2/recruiting/jobs/1", "/v2/recruiting/nothing"):
        check(RECRUITING, "Problem", (await probe.get(url)).json())


async def test_tokens_and_their_errors_match_the_specification(probe: Probe, check: Check) -> None:
    file = "personio-auth-v2.openapi.yaml"
    check(file, "OAuth2Token", (await probe.token()).json())
    check(file, "OAuth2TokenErrorResponse", (await probe.token(client_secret="wrong")).json())


async def test_persons_and_documents_match_the_specification(probe: Probe, check: Check) -> None:
    for person in (await probe.data("/v2/persons"))["_data"]:
        check("personio-persons-v2.openapi.yaml", "Person", person)
    owner = probe.simulator.state("documents")["documents"][0]["application_id"]
    for document in await probe.records(f"/v2/document-management/documents?owner_id={owner}"):
        check("personio-documents-v2.openapi.yaml", "Document", document)


async def test_uploads_and_rejections_match_the_specification(probe: Probe, check: Check) -> None:
    file = "personio-recruiting-v1.openapi.yaml"
    check(file, "uploaded_document", (await probe.upload("deck.ppt")).json())
    check(file, "error_response", (await probe.apply(email="none")).json())
    check(file, "error_response", (await probe.apply(surprise=1)).json())


def test_every_documented_error_code_of_v1_is_produced_and_tested(check: Check) -> None:
    text = (folder() / "personio-recruiting-v1.openapi.yaml").read_text(encoding="utf-8")
    codes = set(re.findall(r"\| ((?:errors|feature)\.[a-z.-]+)", text))
    tested = (Path(__file__).parent / "test_simulator_writing.py").read_text(encoding="utf-8")
    validation = "errors.attribute-validation."
    assert len(codes) == 18
    for code in codes:
        expected = f'VALIDATION + "{code.removeprefix(validation)}"' if code.startswith(validation) else f'"{code}"'
        assert expected in tested, code
