"""What the tests of this dialect share: a product that is plain lists, and a client for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from starlette.applications import Starlette

from atsumi.dialects.bindbee.lists import LISTS, ListSpec
from atsumi.dialects.bindbee.projection import projection
from atsumi.dialects.bindbee.routes import routes
from atsumi.dialects.bindbee.tests import samples
from atsumi.dialects.kombo.tests import kit
from atsumi.dialects.kombo.tests.kit import CHANGED_AT, INTEGRATION, KEY, ORIGIN, gather
from atsumi.dialects.services import Caller, Integration
from atsumi.model.names import Model
from atsumi.model.record import Record
from atsumi.store.reading import Fragment, ListPage, ListQuery, Position
from atsumi.sync.projection import WireModel

TOKEN = "token-of-the-tests"
WIRE_MODELS: Mapping[str, WireModel] = {made.name: made for made in projection.wire_models}
SPECS: Mapping[str, ListSpec] = {spec.name: spec for spec in LISTS}
RAW = b'{"id": 1, "score": 1.50}'


def fragment(name: str, record: Record, records: Sequence[Record] = ()) -> Fragment:
    """A document of one list as it is stored."""
    made = WIRE_MODELS[name]
    tree = gather(record, made.relations, records)
    assert made.custom_fields is not None
    return Fragment(tree.id, 0, CHANGED_AT, made.render(tree), record.remote_id, made.custom_fields(tree))


class FakeServices(kit.FakeServices):
    """The product over plain lists. Conditions are recorded, not applied; everything else works."""

    def __init__(self, **stored: Sequence[Fragment]) -> None:
        super().__init__()
        self.stored: dict[Model | None, list[Fragment]] = {
            SPECS[name.replace("_", "-")].model: list(found) for name, found in stored.items()
        }
        self.tokens = {TOKEN: INTEGRATION}
        self.raw: dict[str, list[tuple[str, bytes]]] = {}

    async def integration_by_token(self, caller: Caller, token: str) -> Integration | None:
        found = self.tokens.get(token)
        return await self.find_integration(caller, found) if found is not None else None

    async def use_request(self, caller: Caller, integration: Integration | None) -> None:
        return None

    def untouched_window(self) -> None:
        return None

    async def list_page(self, integration: Integration, query: ListQuery) -> ListPage:
        self.queries.append(query)
        if self.failure is not None:
            raise self.failure
        start = query.after.seq if query.after else 0
        rows = [one._replace(touched_seq=at) for at, one in enumerate(self.stored.get(query.model, ()), 1)][start:]
        if query.ids is not None:
            rows = [row for row in rows if row.id in query.ids]
        page = [
            row._replace(
                remote_id=row.remote_id if query.with_remote_ids else None,
                custom_fields=row.custom_fields if query.with_custom_fields else None,
            )
            for row in rows[: query.page_size]
        ]
        return ListPage(page, Position(page[-1].touched_seq, page[-1].id) if len(rows) > len(page) else None)

    async def raw_sources(
        self, integration: Integration, model: Model, remote_ids: Sequence[str]
    ) -> Sequence[Sequence[tuple[str, bytes]]]:
        return [self.raw.get(remote_id, ()) for remote_id in remote_ids]


def whole_account() -> FakeServices:
    """Everything of the samples, each in its list."""
    services = FakeServices()
    for spec in LISTS:
        if spec.model is not None:
            services.stored[spec.model] = [
                fragment(spec.name, record, samples.RECORDS) for record in samples.RECORDS if record.model is spec.model
            ]
    return services


def client(services: FakeServices, **headers: str) -> httpx.AsyncClient:
    """Speaks to the application in-process, with a key and a token unless ``headers`` say otherwise."""
    sent = {"Authorization": f"Bearer {KEY}", "x-connector-token": TOKEN}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=Starlette(routes=routes(services))),
        base_url=ORIGIN,
        headers={name: value for name, value in sent.items() if value},
    )


async def read(services: FakeServices, path: str, **params: Any) -> Any:
    """What a successful request below ``/api/ats/v1`` is answered with."""
    async with client(services) as http:
        answer = await http.get(f"/api/ats/v1/{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()
