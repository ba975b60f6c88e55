"""Sync runs as API surfaces see them: :class:`atsumi.dialects.services.SyncServices` over the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal
from uuid import UUID

from atsumi.connector.contract import Connector
from atsumi.dialects.services import Integration, IntegrationState, ModelStatus, RequestedSync, RunDetails
from atsumi.errors import Conflict
from atsumi.model.names import Model
from atsumi.server.access import AccessServices
from atsumi.store import queue, runs, unsafe
from atsumi.store.runs import Run, StreamProgress
from atsumi.store.unsafe import UnsafeRow

_BY_STATE = {
    "PENDING": ModelStatus.PENDING,
    "READING": ModelStatus.PENDING,
    "COMPLETE": ModelStatus.SYNCED,
    "SKIPPED": ModelStatus.SKIPPED,
    "FAILED": ModelStatus.FAILED,
}
_WORST_FIRST = (ModelStatus.FAILED, ModelStatus.SKIPPED, ModelStatus.PENDING, ModelStatus.SYNCED)


class SyncServices(AccessServices):
    """Requesting and looking at sync runs."""

    async def request_sync(self, integration: Integration, kind: Literal["full", "incremental"]) -> RequestedSync:
        if integration.state is not IntegrationState.ACTIVE:
            raise Conflict(
                "This integration does not sync: "
                + (
                    "it is switched off."
                    if integration.state is IntegrationState.INACTIVE
                    else "the tool refuses its credentials. The customer must connect it again."
                )
            )
        if integration.first_synced_at is None:
            kind = "full"
        run, is_already_queued = await queue.request_by_caller(self._runtime.pool, integration.number, kind)
        return RequestedSync(run.id, kind, is_already_queued)

    async def runs(self, integration: Integration, limit: int) -> Sequence[Run]:
        return await runs.latest_runs(self._runtime.pool, integration.number, limit)

    async def run(self, integration: Integration, run_id: UUID) -> RunDetails | None:
        found = await runs.find_run(self._runtime.pool, run_id)
        if found is None or found.integration != integration.number:
            return None
        streams = await runs.progress(self._runtime.pool, run_id)
        return RunDetails(found, streams, model_statuses(self._runtime.connector(integration.tool), streams))

    async def unsafe_changes(self, integration: Integration) -> Sequence[UnsafeRow]:
        return await unsafe.unsafe_changes(self._runtime.pool, integration.number)


def model_statuses(connector: Connector, streams: Sequence[StreamProgress]) -> Mapping[Model, ModelStatus]:
    """What a run's streams mean for each model: the worst of what it rests on."""
    states = {one.stream: _BY_STATE[one.state] for one in streams}
    found: dict[Model, ModelStatus] = {}
    for model in Model:
        if model not in connector.mapping.coverage:
            found[model] = ModelStatus.NOT_SUPPORTED
            continue
        mine = {states[name] for name in connector.streams_behind(model) if name in states}
        found[model] = next((status for status in _WORST_FIRST if status in mine), ModelStatus.PENDING)
    return found
