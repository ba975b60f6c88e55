"""The product as API surfaces see it: :class:`atsumi.dialects.services.Services` over the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from atsumi.connector.contract import Connector, MappingContext
from atsumi.connector.disclosure import Disclosure
from atsumi.dialects import links
from atsumi.dialects.services import FoundAttachments, Integration
from atsumi.model.catalog import CODES, STRUCTS
from atsumi.model.ids import record_id
from atsumi.model.names import Model
from atsumi.model.record import term
from atsumi.server.attachments import attachments_of
from atsumi.server.custom_fields import CustomFieldService
from atsumi.server.passthrough import PassthroughServices
from atsumi.server.runs import SyncServices, streams_behind
from atsumi.server.runtime import Runtime
from atsumi.server.writes import WriteServices
from atsumi.store import reading, records
from atsumi.store.aliases import resolve_aliases
from atsumi.store.reading import ListPage, ListQuery, Operator
from atsumi.sync import codec
from atsumi.sync.codec import search_key
from atsumi.sync.projection import Projection
from atsumi.sync.raw_documents import load_parts
from atsumi.sync.shaping import Shape


class DialectServices(SyncServices, WriteServices, PassthroughServices):
    """The services of one dialect. Keeps no state of its own, so any process may answer any request."""

    def __init__(self, runtime: Runtime, projection: Projection) -> None:
        super().__init__(runtime, projection.name, projection.code)
        self._code = projection.code
        self._surface = projection.name
        self.custom_fields = CustomFieldService(runtime)
        self._link_key = runtime.vault.derive(links.LINK_KEY)

    @property
    def public_url(self) -> str | None:
        return self._runtime.settings.public_url

    @property
    def connectors(self) -> Mapping[str, Connector]:
        return self._runtime.connectors

    async def list_page(self, integration: Integration, query: ListQuery) -> ListPage:
        keys = [
            [
                search_key(integration.public_id, one.child or query.model, term(one.field, str(value)))
                for value in one.values
            ]
            for one in query.conditions
            if one.operator in (Operator.LOOKUP, Operator.NAMED)
        ]
        if not integration.scope.has_model(query.model):
            return ListPage((), None)
        query = await self._with_known_ids(integration, query)
        return await reading.list_page(self._runtime.pool, integration.number, self._code, query, search_keys=keys)

    async def _with_known_ids(self, integration: Integration, query: ListQuery) -> ListQuery:
        """The query by the ids of records, where it names stand-ins that were given out before them."""
        if query.ids:
            known = await resolve_aliases(self._runtime.pool, integration.number, CODES[query.model], query.ids)
            query = replace(query, ids=known)
        if not any(one.operator is Operator.REFERENCE for one in query.conditions):
            return query
        conditions = []
        for one in query.conditions:
            model = STRUCTS[one.child or query.model].references.get(one.field)
            if one.operator is Operator.REFERENCE and model is not None:
                ids = [value for value in one.values if isinstance(value, UUID)]
                one = replace(
                    one, values=await resolve_aliases(self._runtime.pool, integration.number, CODES[model], ids)
                )
            conditions.append(one)
        return replace(query, conditions=conditions)

    def file_path(self, integration: Integration, attachment: UUID) -> str:
        lifetime = timedelta(hours=self._runtime.settings.file_link_hours)
        end = links.expiry(datetime.now(UTC), lifetime)
        return links.write_link(self._link_key, links.FileLink(integration.public_id, attachment), end)

    async def attachments_of(self, integration: Integration, owner: Model, id: UUID) -> FoundAttachments:
        return await attachments_of(self._runtime, integration, owner, id)

    def as_of(self, integration: Integration, model: Model) -> datetime | None:
        connector = self._runtime.connector(integration.tool)
        if integration.freshness is None or not integration.is_rendered or model not in connector.mapping.coverage:
            return None
        if not integration.scope.has_model(model):
            return None
        read_from = integration.freshness.read_from
        streams = streams_behind(connector, integration.scope, model)
        # A stream that only adds details may be refused for ever, and then does not count.
        needed = streams & (connector.required_streams | connector.mapping.made_of.get(model, frozenset()))
        if not streams & read_from.keys() or needed - read_from.keys():
            return None
        return min(read_from[name] for name in streams & read_from.keys())

    def held_back(self, integration: Integration, model: Model) -> int:
        connector = self._runtime.connector(integration.tool)
        if integration.freshness is None or model not in connector.mapping.coverage:
            return 0
        behind = streams_behind(connector, integration.scope, model)
        return sum(count for stream, count in integration.freshness.held_back.items() if stream in behind)

    def supported_fields(self, tool: str, model: Model) -> Mapping[str, str]:
        return self._runtime.connector(tool).mapping.coverage.get(model, {})

    async def raw_sources(
        self, integration: Integration, model: Model, remote_ids: Sequence[str]
    ) -> Sequence[Sequence[tuple[str, bytes]]]:
        connector = self._runtime.connector(integration.tool)
        context = MappingContext(config=integration.config)
        # What is out of scope is removed before long; until then it is not shown.
        shape = Shape(scope=integration.scope, disclosure=connector.disclosure or Disclosure())
        ids = [record_id(integration.public_id, model, remote_id) for remote_id in remote_ids]
        async with self._runtime.pool.acquire() as connection:
            stored = await records.records_by_id(connection, integration.number, CODES[model], ids)
            wanted = [codec.decode(stored[id]) for id in ids if id in stored]
            found = await load_parts(connection, integration.number, connector.mapping, context, wanted, shape.kept)
        by_remote_id = {record.remote_id: parts for record, parts in zip(wanted, found, strict=True)}
        return [by_remote_id.get(remote_id, []) for remote_id in remote_ids]
