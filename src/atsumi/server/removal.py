"""Removing for good what was deleted long enough ago."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from atsumi.model.ids import to_base58
from atsumi.server.files import storage_of
from atsumi.server.logging import get_logger, log_context
from atsumi.server.runtime import Runtime
from atsumi.store import removal

_QUIET = timedelta(minutes=10)
"""Removal begins so long after the deletion at the least: whoever still works for the integration has stopped then."""

_log = get_logger("atsumi.removal")


async def remove_due(runtime: Runtime) -> int:
    """Remove all that is left of integrations which were deleted longer ago than they can be restored; how many.

    Files go first, since only rows know of the integration. May be killed anywhere and goes on at the next call.
    """
    now = runtime.now() or datetime.now(UTC)
    before = now - max(timedelta(days=runtime.settings.undo_days), _QUIET)
    count = 0
    for number, public_id in await removal.due(runtime.pool, before):
        with log_context(integration=to_base58(public_id)):
            if not await removal.begin(runtime.pool, number, before):
                continue
            files = await storage_of(runtime).delete_folder(to_base58(public_id))
            rows = await removal.remove_rows(runtime.pool, number, before)
            if await removal.end(runtime.pool, number, public_id, before):
                count += 1
                _log.info("integration.removed", rows=rows, files=files)
    return count
