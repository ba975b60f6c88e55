"""Removing what has been kept long enough, now and then, for as long as a worker runs."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

from atsumi.errors import AtsumiError
from atsumi.server.logging import get_logger
from atsumi.server.removal import remove_due
from atsumi.server.runtime import Runtime
from atsumi.store.database import UNREACHABLE
from atsumi.store.request_windows import forget_windows
from atsumi.store.retention import remove_old

_FIRST_SECONDS = 60.0
"""After the start: soon enough for processes that are restarted often, and not among everything else that starts."""
_INTERVAL_SECONDS = 3600.0

_log = get_logger("atsumi.retention")


async def keep_removing_old(runtime: Runtime, stop: asyncio.Event) -> None:
    """Remove old versions, old lines of the change log and deleted integrations every hour until ``stop`` is set."""
    seconds = _FIRST_SECONDS
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)
            return
        seconds = _INTERVAL_SECONDS
        try:
            # Days are counted here, so it does not matter whose clock it is.
            now = runtime.now() or datetime.now(UTC)
            removed = await remove_old(runtime.pool, now=now, change_log_days=runtime.settings.change_log_days)
            await forget_windows(runtime.pool, datetime.now(UTC) - timedelta(hours=1))
            await remove_due(runtime)
        except (AtsumiError, *UNREACHABLE) as error:
            reason = str(error) if isinstance(error, AtsumiError) else type(error).__name__
            _log.warning("retention.failed", reason=reason)
            continue
        if any(removed):
            _log.info("retention.removed", **removed._asdict())
