"""What an operator does to an integration: call off, switch off and on, set intervals, delete and restore."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from atsumi.errors import Conflict, InvalidInput
from atsumi.server.runtime import Runtime
from atsumi.server.worker import sync_key
from atsumi.store import queue, removal, schedules
from atsumi.store.tenants import IntegrationRow

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = timedelta(days=365)


async def cancel(runtime: Runtime, integration: IntegrationRow) -> list[UUID]:
    """End the integration's open runs and return them; pages that are stored stay.

    The rows decide: a worker can store nothing more from now on. That it also stops reading is the engine's part, and
    if that message is lost, the next page stops it.
    """
    ended = await queue.cancel_runs(runtime.pool, integration.number, "Called off by the operator.", now=runtime.now())
    await runtime.engine.cancel([sync_key(integration.number)])
    return ended


async def disable(runtime: Runtime, integration: IntegrationRow) -> list[UUID]:
    """Switch the integration off: no runs, no reads through the API; returns the runs that were called off."""
    ended = await queue.disable(runtime.pool, integration.number, now=runtime.now())
    await runtime.engine.cancel([sync_key(integration.number)])
    return ended


async def enable(runtime: Runtime, integration: IntegrationRow) -> None:
    """Switch the integration on again; it syncs at once. Raises :class:`Conflict` for one without good credentials."""
    if integration.state == "INVALID":
        raise Conflict(f"{integration.id} needs new credentials: `atsumi integrations reconnect` gives it some.")
    await queue.enable(runtime.pool, integration.number, now=runtime.now())


async def delete(runtime: Runtime, integration: IntegrationRow) -> None:
    """End all access to the integration at once; nothing of it is removed yet.

    Its runs are cancelled, its credentials are given to nobody, and every surface answers as if it did not exist.
    """
    await removal.delete(runtime.pool, integration.number, now=runtime.now())
    await runtime.engine.cancel([sync_key(integration.number)])
    runtime.tokens.pop(integration.number, None)


async def restore(runtime: Runtime, integration: IntegrationRow) -> None:
    """Bring a deleted integration back; it syncs at once. Raises :class:`Conflict`."""
    now = runtime.now()
    deleted_after = (now or datetime.now(UTC)) - timedelta(days=runtime.settings.undo_days)
    await removal.restore(runtime.pool, integration, deleted_after=deleted_after, now=now)


async def set_intervals(
    runtime: Runtime, integration: IntegrationRow, *, full: timedelta | None, incremental: timedelta | None
) -> None:
    """Change how often the integration is read; ``None`` leaves an interval as it is."""
    await schedules.set_intervals(
        runtime.pool, integration.number, full=full, incremental=incremental, now=runtime.now()
    )


def read_interval(text: str) -> timedelta:
    """``90s``, ``15m``, ``24h`` or ``7d``. Raises :class:`InvalidInput`; a minute is the least, a year the most."""
    found = re.fullmatch(r"(\d{1,9})([smhd])", text.strip())
    if found is None:
        raise InvalidInput(f"{text!r} is not an interval; write a number and s, m, h or d, such as 15m or 24h")
    interval = timedelta(seconds=min(int(found[1]) * _UNITS[found[2]], 10**9))
    if not schedules.MINIMUM_INTERVAL <= interval <= _LONGEST:
        raise InvalidInput(f"{text}: an interval is at least 1m and at most 365d")
    return interval


def spell_interval(seconds: int) -> str:
    """The interval as :func:`read_interval` takes it, in the largest unit that fits."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % size == 0 and (unit != "d" or seconds >= 2 * size):
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
