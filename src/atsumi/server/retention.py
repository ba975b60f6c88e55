"""Removing what has been kept long enough, now and then, for as long as a worker runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from atsumi.errors import AtsumiError
from atsumi.server.logging import get_logger
from atsumi.server.removal import remove_due
from atsumi.server.runtime import Runtime
from atsumi.store import action_retention
from atsumi.store.database import UNREACHABLE
from atsumi.store.request_windows import forget_windows
from atsumi.store.retention import remove_old

_FIRST_SECONDS = 60.0
"""After the start: soon enough for processes that are restarted often, and not among everything else that starts."""
_INTERVAL_SECONDS = 3600.0
_ACTIONS_SECONDS = 300.0
"""What is kept for minutes only is not to be kept for an hour."""

_log = get_logger("atsumi.retention")


async def keep_removing_old(runtime: Runtime, stop: asyncio.Event) -> None:
    """Remove what is too old until ``stop`` is set: answers to writes every few minutes, everything else every hour."""
    await asyncio.gather(
        _repeat(partial(_remove_old, runtime), _INTERVAL_SECONDS, stop),
        _repeat(partial(_remove_old_actions, runtime), _ACTIONS_SECONDS, stop),
    )


async def _repeat(remove: Callable[[], Awaitable[Mapping[str, int]]], interval: float, stop: asyncio.Event) -> None:
    seconds = _FIRST_SECONDS
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)
            return
        seconds = interval
        try:
            removed = await remove()
        except (AtsumiError, *UNREACHABLE) as error:
            reason = str(error) if isinstance(error, AtsumiError) else type(error).__name__
            _log.warning("retention.failed", reason=reason)
            continue
        if any(removed.values()):
            _log.info("retention.removed", **removed)


async def _remove_old(runtime: Runtime) -> Mapping[str, int]:
    """Versions, lines of the change log, and deleted integrations."""
    removed = await remove_old(runtime.pool, now=_now(runtime), change_log_days=runtime.settings.change_log_days)
    await forget_windows(runtime.pool, datetime.now(UTC) - timedelta(hours=1))
    await remove_due(runtime)
    return removed._asdict()


async def _remove_old_actions(runtime: Runtime) -> Mapping[str, int]:
    return (await action_retention.remove_old(runtime.pool, now=_now(runtime)))._asdict()


def _now(runtime: Runtime) -> datetime:
    """Days and minutes are counted by it, so it does not matter whose clock it is."""
    return runtime.now() or datetime.now(UTC)
