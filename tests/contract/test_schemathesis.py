"""Requests made of the OpenAPI documents, good and bad ones: no 5xx, and no answer that is not documented.

They go to a real server in this process, so that its own refusals count, too. The same requests are made every time;
``make soak`` (``ATSUMI_SOAK_REQUESTS``) makes more of them, and other ones.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from action_kit import begun
from bindbee_reader import NAMES, bindbee_of
from harness import Account, Product, small_company

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
REQUESTS = int(os.environ.get("ATSUMI_SOAK_REQUESTS", "0"))
"""How many requests of a kind each operation gets; 0: few, and always the same."""
SURFACES = ("/v1", "/api", "/atsumi/v1")

Known = Mapping[str, list[str]]


@pytest.fixture(scope="module")
async def account(product: Product) -> Account:
    account = await product.synced(small_company(applications=20, jobs=4))
    await account.background()
    return account


@pytest.fixture(scope="module")
async def known(account: Account) -> Known:
    """Values of parameters that mean something, by name or by the whole path that ends in the parameter."""
    bindbee = await bindbee_of(account)
    ids = {name: [row["id"] for row in await account.rows(name)] for name in ("applications", "candidates")}
    runs = await account.product.api.get(
        f"/atsumi/v1/integrations/{account.integration.id}/runs", headers=account.headers
    )
    return {
        "X-Integration-Id": [account.integration.id],
        "x-connector-token": [bindbee.token],
        "integration_id": [account.integration.id],
        "application_id": ids["applications"][:3],
        "candidate_id": ids["candidates"][:3],
        "run_id": [run["id"] for run in runs.json()["items"]],
        "action_id": [str((await begun(account)).id)],
        "tool": ["personio"],
        "api": ["recruitingV2", "jobboard"],
        "model": ["application", "candidate"],
        "id": [*ids["applications"][:2], *ids["candidates"][:2]],
        "category": ["ATS"],
        "connector_token": [bindbee.token],
        "integration_slug": ["personio"],
        **{f"/ats/v1/{name}/{{id}}": [row["id"] for row in (await bindbee.rows(name))[:3]] or [""] for name in NAMES},
    }


def _check(operation: Any, mode: GenerationMode, send: Callable[[Any], None], known: Known) -> None:
    """Make requests for one operation, with meaningful ids and headers for most of what only they lead to."""
    places = {"path": "path_parameters", "header": "headers", "query": "query"}
    # The id of a record is one of its list.
    known = {**known, "id": known.get(operation.path, known["id"])}
    named = {
        (places[parameter["in"]], parameter["name"]): known[parameter["name"]]
        for parameter in operation.definition.raw["parameters"]
        if parameter["name"] in known
    }
    chosen = st.fixed_dictionaries({at: st.sampled_from([*values * 3, ""]) for at, values in named.items()})

    @given(case=operation.as_strategy(generation_mode=mode), values=chosen)
    @settings(
        max_examples=REQUESTS or 4,
        derandomize=not REQUESTS,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any, values: Mapping[tuple[str, str], str]) -> None:
        for (place, name), value in values.items():
            if value and name in (getattr(case, place) or {}):
                getattr(case, place)[name] = value
        send(case)

    ask()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["good", "bad"])
@pytest.mark.parametrize("base", SURFACES)
async def test_no_request_leads_to_an_undocumented_answer(
    product: Product, account: Account, known: Known, base: str, mode: GenerationMode
) -> None:
    document = (await product.api.get(f"{base}/openapi.json")).json()
    schema = schemathesis.openapi.from_dict(document)

    answered: dict[str, set[int]] = {}

    def send(case: Any) -> None:
        answer = case.call(base_url=f"{product.url}{base}", headers={"Authorization": f"Bearer {account.key}"})
        answered.setdefault(case.operation.label, set()).add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    for found in schema.get_all_operations():
        await asyncio.to_thread(_check, found.ok(), mode, send, known)
    assert len(answered) == sum(len(methods) for methods in document["paths"].values())
    if mode is GenerationMode.POSITIVE:
        readable = [label for label in answered if label.startswith("GET ")]
        assert sum(200 in answered[label] for label in readable) > len(readable) // 2, answered
