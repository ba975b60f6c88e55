"""Sync runs in our own API: which there were, how far one is, and what that means for every model."""

from __future__ import annotations

from typing import Any, Literal, cast

from atsumi.dialects.atsumi import wire
from atsumi.dialects.atsumi.call import Call
from atsumi.errors import NotFound
from atsumi.model.ids import to_base58
from atsumi.store.runs import Run


async def list_runs(call: Call) -> wire.RunList:
    """The newest runs of the integration."""
    found = await call.services.runs(call.integration, call.query["limit"])
    fresh = call.integration.freshness
    return wire.RunList(
        items=[wire.Run(**_fields(run)) for run in found],
        unsafe_changes=await _unsafe_changes(call),
        sync_state=cast(wire.SyncState, fresh.sync_state) if fresh is not None else "PENDING",
        next_sync_at=fresh.next_sync_at if fresh is not None else None,
    )


async def get_run(call: Call) -> wire.RunDetails:
    """One run of the integration. Raises :class:`NotFound`."""
    id = call.id("run_id", "run")
    found = await call.services.run(call.integration, id)
    if found is None:
        raise NotFound("This integration has no such run.", path="run_id")
    return wire.RunDetails(
        **_fields(found.run),
        streams=[
            wire.StreamState(
                stream=one.stream,
                state=cast(wire.StreamProgressState, one.state),
                pages=one.pages,
                records_seen=one.records_seen,
                records_changed=one.records_changed,
                issues=one.issues,
                has_gap=one.has_gap,
                message=one.message,
            )
            for one in found.streams
        ],
        unsafe_changes=[one for one in await _unsafe_changes(call) if one.run_id == to_base58(id)],
        progress_percent=found.progress_percent,
        models={model.value: status.value for model, status in found.models.items()},
    )


async def _unsafe_changes(call: Call) -> list[wire.UnsafeChange]:
    return [
        wire.UnsafeChange(
            id=str(one.id),
            stream=one.stream,
            listing=one.listing,
            missing=len(one.missing),
            stored=one.stored,
            run_id=to_base58(one.run_id),
            sample={id: cast(Literal["gone", "unknown"], answer) for id, answer in one.sample.items()},
            as_of=one.as_of,
            found_at=one.found_at,
        )
        for one in await call.services.unsafe_changes(call.integration)
    ]


def _fields(run: Run) -> dict[str, Any]:
    return {
        "id": to_base58(run.id),
        "uuid": str(run.id),
        "kind": run.kind,
        "requested_by": run.requested_by,
        "state": run.state,
        "attempts": run.attempts,
        "requested_at": run.requested_at,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "next_at": run.next_at if run.ended_at is None else None,
        "message": run.message,
    }
