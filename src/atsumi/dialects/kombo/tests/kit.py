"""What the tests of this dialect share: sample records, and a product that is plain lists."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import httpx
import jsonschema
import pytest
from starlette.applications import Starlette

from atsumi.connector.context import Context
from atsumi.connector.contract import Account, Connector, RecordMapping
from atsumi.connector.manifest import Manifest
from atsumi.connector.writing import WriteAction
from atsumi.dialects.kombo.call import integration_id
from atsumi.dialects.kombo.projection import projection
from atsumi.dialects.kombo.routes import routes
from atsumi.dialects.services import (
    Caller,
    FoundAttachments,
    Integration,
    IntegrationState,
    RequestedSync,
    RunDetails,
)
from atsumi.errors import NotFound
from atsumi.model.actions import Action
from atsumi.model.catalog import STRUCTS
from atsumi.model.ids import record_id
from atsumi.model.names import Model
from atsumi.model.record import Record
from atsumi.store.freshness import Freshness
from atsumi.store.reading import Fragment, ListPage, ListQuery, Position
from atsumi.store.runs import Run
from atsumi.sync.projection import Relation, Stored, WireModel

INTEGRATION = UUID("00000000-0000-8000-8000-0000000000a1")
ENVIRONMENT = UUID("00000000-0000-8000-8000-0000000000e1")
READ_FROM = datetime(2024, 5, 20, 11, 30, tzinfo=UTC)
NEXT_SYNC_AT = datetime(2024, 5, 20, 11, 45, tzinfo=UTC)
CHANGED_AT = datetime(2024, 5, 20, 10, 0, 0, 123999, tzinfo=UTC)
KEY = "key-of-the-tests"
ORIGIN = "http://atsumi.test"
WIRE_MODELS: Mapping[str, WireModel] = {made.name: made for made in projection.wire_models}

ALL_FIELDS: Mapping[Model, Mapping[str, str]] = {
    model: dict.fromkeys(struct.__struct_fields__, "certain") for model, struct in STRUCTS.items()
}


def stored(record: Record, related: Mapping[str, Sequence[Stored[Record]]] | None = None) -> Stored[Record]:
    return Stored(
        id=record_id(INTEGRATION, record.model, record.remote_id),
        integration=INTEGRATION,
        record=record,
        changed_at=CHANGED_AT,
        deleted_at=None,
        related=related or {},
    )


def gather(record: Record, relations: Sequence[Relation], records: Sequence[Record]) -> Stored[Record]:
    """A record with its relations, found among ``records`` as the engine would find them."""
    related: dict[str, list[Stored[Record]]] = {}
    for relation in relations:
        mine = [other for other in records if other.model is relation.model and _is_related(record, relation, other)]
        related[relation.name] = [gather(other, relation.relations, records) for other in mine]
    return stored(record, related)


def _is_related(record: Record, relation: Relation, other: Record) -> bool:
    if relation.forward is not None:
        named = getattr(record, relation.forward)
        return other.remote_id in (named if isinstance(named, list) else [named])
    assert relation.reverse is not None
    return bool(getattr(other, relation.reverse) == record.remote_id)


END = b',"remote_data":null}'


def body(name: str, record: Record, records: Sequence[Record]) -> bytes:
    """A document of one list as it is stored."""
    made = WIRE_MODELS[name]
    return made.render(gather(record, made.relations, records))


def document(name: str, record: Record, records: Sequence[Record]) -> bytes:
    """A complete document of one list, as a reader would send it."""
    return body(name, record, records) + END


MANIFEST = Manifest(
    slug="personio",
    label="Personio",
    category="ATS",
    auth="api_key",
    check="GET /me",
    overlap_seconds=60,
    base_urls={},
    fields=(),
    rate_limits={},
)


async def _check(context: Context) -> Account:
    raise NotImplementedError


def connector(coverage: Mapping[Model, Mapping[str, str]] = ALL_FIELDS) -> Connector:
    mapping = RecordMapping(rules={}, affected=lambda raw, context: (), remote_data={}, coverage=coverage)
    return Connector(manifest=MANIFEST, streams=(), mapping=mapping, check=_check)


class FakeServices:
    """The product over plain lists. Conditions are recorded, not applied; everything else works."""

    def __init__(self, coverage: Mapping[Model, Mapping[str, str]] = ALL_FIELDS) -> None:
        self.cursor_key = b"k" * 32
        self.public_url: str | None = None
        self.connectors = {"personio": connector(coverage)}
        self.keys = {KEY: Caller(environment_id=ENVIRONMENT, environment_name="Test", key_id=ENVIRONMENT)}
        self.integrations = {INTEGRATION: integration()}
        self.documents: dict[Model, list[tuple[UUID, bytes]]] = {}
        self.attachments: dict[tuple[Model, UUID], FoundAttachments] = {}
        self.queries: list[ListQuery] = []
        self.failure: Exception | None = None
        self.requested: list[str] = []

    async def authenticate(self, api_key: str) -> Caller | None:
        return self.keys.get(api_key)

    async def find_integration(self, caller: Caller, public_id: UUID) -> Integration | None:
        found = self.integrations.get(public_id)
        return found if found and found.environment_id == caller.environment_id else None

    async def list_page(self, integration: Integration, query: ListQuery) -> ListPage:
        self.queries.append(query)
        if self.failure is not None:
            raise self.failure
        start = query.after.seq if query.after else 0
        rows = list(enumerate(self.documents.get(query.model, []), 1))[start:]
        if query.ids is not None:
            rows = [row for row in rows if row[1][0] in query.ids]
        page = rows[: query.page_size]
        following = Position(seq=page[-1][0], id=page[-1][1][0]) if len(rows) > len(page) else None
        return ListPage([Fragment(row[1][0], row[0], CHANGED_AT, row[1][1]) for row in page], following)

    async def raw_sources(
        self, integration: Integration, model: Model, remote_ids: Sequence[str]
    ) -> Sequence[Sequence[tuple[str, bytes]]]:
        return [() for _ in remote_ids]

    def file_path(self, integration: Integration, attachment: UUID) -> str:
        return f"/files/{attachment}"

    async def attachments_of(self, integration: Integration, owner: Model, id: UUID) -> FoundAttachments:
        if (owner, id) not in self.attachments:
            raise NotFound("There is none.")
        return self.attachments[owner, id]

    def supported_fields(self, tool: str, model: Model) -> Mapping[str, str]:
        return self.connectors[tool].mapping.coverage.get(model, {})

    def write_action(self, tool: str, action: Action) -> WriteAction | None:
        return self.connectors[tool].actions.get(action)

    def as_of(self, integration: Integration, model: Model) -> datetime | None:
        return READ_FROM if integration.freshness is not None else None

    def held_back(self, integration: Integration, model: Model) -> int:
        return sum(integration.freshness.held_back.values()) if integration.freshness is not None else 0

    async def request_sync(self, integration: Integration, kind: Literal["full", "incremental"]) -> RequestedSync:
        if self.failure is not None:
            raise self.failure
        is_already_queued = kind in self.requested
        self.requested.append(kind)
        return RequestedSync(INTEGRATION, kind, is_already_queued)

    async def runs(self, integration: Integration, limit: int) -> Sequence[Run]:
        raise NotImplementedError

    async def run(self, integration: Integration, run_id: UUID) -> RunDetails | None:
        raise NotImplementedError

    def change_integration(self, **changes: Any) -> None:
        self.integrations[INTEGRATION] = replace(self.integrations[INTEGRATION], **changes)


def integration() -> Integration:
    return Integration(
        number=1,
        public_id=INTEGRATION,
        environment_id=ENVIRONMENT,
        tool="personio",
        state=IntegrationState.ACTIVE,
        end_user_organization_name="Example GmbH",
        end_user_email="hr@example.com",
        end_user_origin_id="customer-1",
        created_at=CHANGED_AT,
        first_synced_at=CHANGED_AT,
        remote_data_enabled=False,
        config={},
        freshness=Freshness({}, NEXT_SYNC_AT, "SUCCEEDED"),
    )


def application(services: FakeServices) -> Starlette:
    return Starlette(routes=routes(services))


def client(services: FakeServices, **headers: str) -> httpx.AsyncClient:
    """Speaks to the application in-process, with a key and an integration unless ``headers`` say otherwise."""
    sent = {"Authorization": f"Bearer {KEY}", "X-Integration-Id": integration_id(integration())}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=application(services)),
        base_url=ORIGIN,
        headers={name: value for name, value in sent.items() if value},
    )


def reference(*parts: str, vendor: str = "kombo") -> Path:
    """A file of the reference folder; skips the test where that is absent."""
    fallback = Path(__file__).parents[6] / "shared" / "reference"
    found = Path(os.environ.get("ATSUMI_REFERENCE", fallback)).joinpath(vendor, *parts)
    if not found.exists():
        pytest.skip("the reference folder is not there (ATSUMI_REFERENCE or ../shared/reference)")
    return found


def fits(contract: dict[str, Any], path: str, instance: object, code: str = "200", method: str = "get") -> None:
    """Hold an answer against the vendor's contract."""
    answer = contract["paths"][path][method]["responses"][code]
    if "$ref" in answer:
        answer = contract["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    schema = answer["content"]["application/json"]["schema"]
    jsonschema.Draft202012Validator({**schema, "components": contract["components"]}).validate(instance)
