"""How long an application was in each stage, in our own API."""

from __future__ import annotations

from datetime import UTC, datetime

from atsumi.dialects.atsumi import wire
from atsumi.dialects.atsumi.call import Call
from atsumi.dialects.services import StageVisit
from atsumi.model.ids import to_base58


async def list_stages(call: Call) -> wire.StageVisitList:
    """The stages that the application went through. Raises :class:`NotFound`."""
    id = call.id("id", "application")
    visits = await call.services.stage_visits(call.integration, id)
    now = datetime.now(UTC)
    return wire.StageVisitList(
        id=to_base58(id),
        uuid=str(id),
        items=[
            wire.StageVisit(
                stage_id=to_base58(one.stage) if one.stage is not None else None,
                stage_uuid=str(one.stage) if one.stage is not None else None,
                name=one.name,
                entered_at=one.entered_at,
                left_at=one.left_at,
                seconds=_seconds(one, now),
            )
            for one in visits
        ],
        counted_until=now,
    )


def _seconds(visit: StageVisit, now: datetime) -> int | None:
    """Whole seconds in the stage; ``None`` where its beginning is unknown or lies after its end."""
    if visit.entered_at is None:
        return None
    lasted = (visit.left_at or now) - visit.entered_at
    return int(lasted.total_seconds()) if lasted.total_seconds() >= 0 else None
