"""The change log and the past of records for our own API: its services over the store."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from atsumi.dialects.services import Integration
from atsumi.model.catalog import CODES
from atsumi.model.names import Model
from atsumi.server.access import AccessServices
from atsumi.server.runtime import Runtime
from atsumi.store import feed, history
from atsumi.store.feed import ChangePage, ChangeWatch
from atsumi.store.history import Moment, Version, VersionLine


class HistoryServices(AccessServices):
    """:class:`atsumi.dialects.services.HistoryServices` over the store. All waiting readers share one watch."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(runtime, "atsumi")
        self._watch = ChangeWatch(runtime.pool)

    async def changes(
        self, integration: Integration, after: int | None, limit: int, models: Sequence[Model] | None
    ) -> ChangePage:
        codes = [CODES[model] for model in models] if models is not None else None
        return await feed.read_changes(self._runtime.pool, integration.number, after, limit, codes)

    async def latest_sequence(self, integration: Integration) -> int:
        return await feed.latest_sequence(self._runtime.pool, integration.number)

    async def wait_for_change(self, integration: Integration, after: int, seconds: float) -> bool:
        return await self._watch.wait(integration.number, after, seconds)

    async def version_at(self, integration: Integration, model: Model, id: UUID, moment: Moment | None) -> Version:
        return await history.version_at(self._runtime.pool, integration.number, CODES[model], id, moment)

    async def versions(
        self, integration: Integration, model: Model, id: UUID, limit: int, before: int | None
    ) -> tuple[Sequence[VersionLine], bool]:
        return await history.versions(self._runtime.pool, integration.number, CODES[model], id, limit, before)
