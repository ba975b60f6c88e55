"""The published Python client reads everything that this dialect serves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from kombo import Kombo
from kombo.errors import KomboAtsError, KomboGeneralError

from atsumi.dialects.kombo.call import integration_id
from atsumi.dialects.kombo.lists import LISTS
from atsumi.dialects.kombo.tests import samples
from atsumi.dialects.kombo.tests.kit import KEY, ORIGIN, WIRE_MODELS, FakeServices, application, body, integration
from atsumi.dialects.services import IntegrationState
from atsumi.model.ids import record_id, to_base58
from atsumi.model.names import Model
from atsumi.model.tag import Tag
from atsumi.store.reading import Operator

METHODS: Mapping[str, str] = {
    "jobs": "get_jobs",
    "applications": "get_applications",
    "candidates": "get_candidates",
    "application-stages": "get_application_stages",
    "users": "get_users",
    "roles": "get_roles",
    "offers": "get_offers",
    "interviews": "get_interviews",
    "rejection-reasons": "get_rejection_reasons",
    "tags": "get_tags",
    "notes": "get_notes",
    "scorecards": "get_ats_scorecards",
    "attachments": "get_ats_attachments",
}


@pytest.fixture
def services() -> FakeServices:
    services = FakeServices()
    for name, record in samples.LISTED.items():
        made = body(name, record, samples.RECORDS)
        services.documents[WIRE_MODELS[name].model] = [
            (record_id(integration().public_id, record.model, record.remote_id), made)
        ]
    return services


@pytest.fixture
async def sdk(services: FakeServices) -> AsyncIterator[Kombo]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=application(services))) as http:
        yield client(http)


def client(http: httpx.AsyncClient, **changes: Any) -> Kombo:
    given = {"api_key": KEY, "integration_id": integration_id(integration()), "server_url": f"{ORIGIN}/v1"}
    return Kombo(**{**given, **changes}, async_client=http)


@pytest.mark.parametrize("spec", LISTS, ids=lambda spec: spec.name)
async def test_the_client_reads_every_list(sdk: Kombo, spec: Any) -> None:
    page = await getattr(sdk.ats, f"{METHODS[spec.name]}_async")()
    (shown,) = page.result.data.results
    assert shown.remote_id == samples.LISTED[spec.name].remote_id
    assert len(shown.id) == 24
    assert await page.next() is None


async def test_the_client_walks_pages_with_its_filters(sdk: Kombo, services: FakeServices) -> None:
    tags = [Tag(remote_id=str(number)) for number in range(5)]
    services.documents[Model.TAG] = [
        (record_id(integration().public_id, Model.TAG, tag.remote_id), body("tags", tag, [])) for tag in tags
    ]
    seen = []
    page = await sdk.ats.get_tags_async(
        page_size=2, include_deleted=True, updated_after=datetime(2024, 1, 1, tzinfo=UTC)
    )
    while page is not None:
        seen += [tag.remote_id for tag in page.result.data.results]
        page = await page.next()
    assert seen == ["0", "1", "2", "3", "4"]
    assert [query.after.seq if query.after else None for query in services.queries] == [None, 2, 4]
    assert all(query.include_deleted for query in services.queries)


async def test_the_clients_own_spelling_of_filters_is_understood(sdk: Kombo, services: FakeServices) -> None:
    ids = [record_id(integration().public_id, Model.APPLICATION, remote_id) for remote_id in ("1", "2")]
    await sdk.ats.get_applications_async(
        updated_after=datetime(2024, 1, 1, 12, 30, 0, 5000, tzinfo=UTC),
        outcomes=["PENDING", "HIRED"],
        ids=[to_base58(id) for id in ids],
        job_remote_ids=["32"],
    )
    (query,) = services.queries
    assert query.updated_after == datetime(2024, 1, 1, 12, 30, 0, 5000, tzinfo=UTC)
    assert query.ids == ids
    assert [condition.operator for condition in query.conditions] == [Operator.FACET, Operator.REFERENCE]
    assert query.conditions[0].values == ["PENDING", "HIRED"]


async def test_screening_answers_keep_their_types(sdk: Kombo) -> None:
    page = await sdk.ats.get_applications_async()
    assert page is not None
    answers = page.result.data.results[0].screening_question_answers
    assert answers is not None
    kinds = [type(answer).__name__ for answer in answers]
    assert len(kinds) == len(samples.ANSWERS)
    assert len(set(kinds)) == 7


async def test_a_refusal_is_the_clients_typed_error(sdk: Kombo, services: FakeServices) -> None:
    services.change_integration(state=IntegrationState.INACTIVE)
    with pytest.raises(KomboAtsError) as refused:
        await sdk.ats.get_jobs_async()
    assert refused.value.data.error.code == "INTEGRATION.INACTIVE"
    assert refused.value.status_code == 409


async def test_a_client_without_an_integration_is_told_so(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INTEGRATION_ID", raising=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=application(services))) as http:
        with pytest.raises(KomboAtsError) as refused:
            await client(http, integration_id=None).ats.get_jobs_async()
        assert refused.value.data.error.code == "PLATFORM.INTEGRATION_NOT_FOUND"
        with pytest.raises(KomboGeneralError) as denied:
            await client(http, api_key="wrong").general.check_api_key_async()
        assert denied.value.data.error.code == "PLATFORM.AUTHENTICATION_INVALID"


async def test_the_client_reads_general_operations(sdk: Kombo) -> None:
    checked = await sdk.general.check_api_key_async()
    assert len(checked.data.environment_id) == 24
    tools = await sdk.general.get_tools_async(category="ats")
    (tool,) = tools.data.tools
    assert tool.id == "personio"
    assert {model.id: model.coverage_status for model in tool.coverage.read_models}["ats_jobs"] == "SUPPORTED"
    assert (await sdk.general.get_tools_async(category="hris")).data.tools == []
    details = await sdk.general.get_integration_details_async(integration_id=integration_id(integration()))
    assert details.data.id == integration_id(integration())
    assert details.data.setup_status == "COMPLETED"
    assert not any(action.is_available for action in details.data.write_actions)
