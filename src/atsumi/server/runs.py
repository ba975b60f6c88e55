"""Sync runs as API surfaces see them: :class:`atsumi.dialects.services.SyncServices` over the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal
from uuid import UUID

from atsumi.connector.contract import Connector
from atsumi.dialects.services import Integration, IntegrationState, ModelStatus, RequestedSync, RunDetails
from atsumi.errors import Conflict
from atsumi.model.names import Model
from atsumi.model.scope import Scope
from atsumi.server.access import AccessServices
from atsumi.store import queue, runs, unsafe
from atsumi.store.outcomes import SETTLED, Outcome, latest_outcomes, percentage
from atsumi.store.runs import Run, StreamProgress
from atsumi.store.unsafe import UnsafeRow
from atsumi.sync.background import background_streams

_BY_STATE = {
    "COMPLETE": ModelStatus.SYNCED,
    "SKIPPED": ModelStatus.SKIPPED,
    "FAILED": ModelStatus.FAILED,
}
"""Of a stream; any other state is pending."""
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
        connector = self._runtime.connector(integration.tool)
        streams = await runs.progress(self._runtime.pool, run_id)
        elsewhere = await latest_outcomes(
            self._runtime.pool, integration.number, [stream.name for stream in connector.streams]
        )
        return RunDetails(
            found,
            streams,
            model_statuses(connector, integration.scope, found, streams, elsewhere),
            await percentage(self._runtime.pool, found, streams),
        )

    async def unsafe_changes(self, integration: Integration) -> Sequence[UnsafeRow]:
        return await unsafe.unsafe_changes(self._runtime.pool, integration.number)


def streams_behind(connector: Connector, scope: Scope, model: Model) -> frozenset[str]:
    """The streams that the model's list rests on and that are read in this scope."""
    behind, disclosure = connector.streams_behind(model), connector.disclosure
    if disclosure is None:
        return behind
    return frozenset(one for one in behind if disclosure.is_requested(one, scope))


def model_statuses(
    connector: Connector,
    scope: Scope,
    run: Run,
    streams: Sequence[StreamProgress],
    elsewhere: Mapping[str, Outcome],
) -> Mapping[Model, ModelStatus]:
    """What a run's streams mean for each model: the worst of what it rests on.

    What the run does not read, or has left to the background, counts as the last run that did has left it
    (``elsewhere``).
    """
    known = {name: _status(outcome.state, outcome.message) for name, outcome in elsewhere.items()}
    is_background = run.kind == "background"
    left = {one.name for one in background_streams(connector) if one.is_background or is_background}
    for one in streams:
        if one.state in SETTLED or run.ended_at is None or one.stream not in left:
            known[one.stream] = _status(one.state, one.message)
    found: dict[Model, ModelStatus] = {}
    for model in Model:
        if model not in connector.mapping.coverage:
            found[model] = ModelStatus.NOT_SUPPORTED
        elif not scope.has_model(model):
            found[model] = ModelStatus.SKIPPED
        else:
            mine = {known.get(name, ModelStatus.PENDING) for name in streams_behind(connector, scope, model)}
            found[model] = next((status for status in _WORST_FIRST if status in mine), ModelStatus.PENDING)
    return found


def _status(state: str, message: str | None) -> ModelStatus:
    if state == "COMPLETE" and message is not None:
        # Read to its end, but not believed: records that it missed are held back, or stay until it is proven complete.
        return ModelStatus.PENDING
    return _BY_STATE.get(state, ModelStatus.PENDING)
