"""How fresh a list is, as headers of ours beside every surface's own contract."""

from __future__ import annotations

from datetime import UTC, datetime

from atsumi.dialects.http import Headers
from atsumi.dialects.services import Integration, Services
from atsumi.model.names import Model

AS_OF, NEXT_SYNC_AT, SYNC_STATE = "x-atsumi-as-of", "x-atsumi-next-sync-at", "x-atsumi-sync-state"
"""The instant that the list is at least as new as, when the next sync is due, and what became of the last one."""
HELD_BACK = "x-atsumi-held-back"
"""How many records of the list wait for the operator to say whether they are gone; only where there are some."""
COMPLETE = "x-atsumi-complete"
"""``false`` while the list does not show everything yet: before the first sync has ended, or while the surface is new
to the integration. Left out otherwise."""


def freshness_headers(
    services: Services, integration: Integration, model: Model | None, as_of: datetime | None
) -> Headers:
    """The headers of one list. ``as_of`` is to be taken before the list is read, so that it is never newer than told.

    ``model`` is ``None`` for a list that nothing stands behind.
    """
    fresh = integration.freshness
    headers = [(SYNC_STATE.encode(), fresh.sync_state.encode())] if fresh is not None else []
    if integration.first_synced_at is None or not integration.is_rendered:
        headers.append((COMPLETE.encode(), b"false"))
    held_back = services.held_back(integration, model) if model is not None else 0
    if held_back:
        headers.append((HELD_BACK.encode(), str(held_back).encode()))
    moments = ((AS_OF, as_of), (NEXT_SYNC_AT, fresh.next_sync_at if fresh is not None else None))
    return (*headers, *((name.encode(), _spelled(at)) for name, at in moments if at is not None))


def _spelled(moment: datetime) -> bytes:
    """UTC with milliseconds and ``Z``, cut: a list is never newer than its header says."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6].encode() + b"Z"
