"""How many requests API callers may send a minute, counted by all processes together.

The count of a key's present minute is one row. A process leases several requests at a time from it, so most requests
cost the database nothing, and never more than the limit are leased in all. What a process has leased and not used when
the minute ends is lost, as is everything when the database crashes: the table is not logged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from time import time
from typing import NamedTuple

import asyncpg

WINDOW_SECONDS = 60
_LEASES_PER_WINDOW = 20
"""Into how many leases the limit is divided at first; later ones are smaller, so that little is left unused."""
_MANY_KEYS = 10_000
"""With more keys in memory, those of past minutes are forgotten."""


class Window(NamedTuple):
    """A caller's present minute, as of one request. ``reset_at`` is its end in unix seconds."""

    limit: int
    remaining: int
    reset_at: int
    is_allowed: bool
    seconds_left: int
    """Until ``reset_at``, at least one: how long a refused caller has to wait."""


@dataclass(slots=True)
class _Lease:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    reset_at: int = 0
    left: int = 0
    unleased: int = 0
    """What nobody had leased when this process last looked."""


# Whoever waited for the row while a minute ended must not bring the past one back.
_LEASE = """
WITH present AS (
    SELECT to_timestamp(floor(extract(epoch FROM statement_timestamp()) / $4) * $4) AS started_at
), leased AS (
    INSERT INTO request_window AS w (key, started_at, used) SELECT $1, started_at, $2 FROM present
    ON CONFLICT (key) DO UPDATE SET
        used = CASE WHEN w.started_at = excluded.started_at THEN w.used ELSE 0 END + $2,
        started_at = excluded.started_at
    WHERE w.started_at < excluded.started_at OR (w.started_at = excluded.started_at AND w.used < $3)
    RETURNING used
)
SELECT extract(epoch FROM statement_timestamp())::float8 AS now, (SELECT used FROM leased) AS used
"""


class RequestWindows:
    """The request budget of API callers in this process. Safe to use concurrently.

    ``limit`` requests a minute and key; 0: no limit, and nothing is counted. Minutes are those of the database's clock.
    """

    def __init__(self, pool: asyncpg.Pool, limit: int, *, clock: Callable[[], float] = time) -> None:
        self._pool = pool
        self._limit = limit
        self._clock = clock
        self._leases: dict[str, _Lease] = {}
        self._ahead = 0.0
        """By how many seconds the database's clock is ahead of this process's."""

    def untouched(self) -> Window | None:
        """The present minute of a caller of whom nothing is known; ``None`` where there is no limit."""
        return self._window(self._limit, _end_of_minute(self._now()), True) if self._limit else None

    async def take(self, key: str) -> Window | None:
        """Use up one request of a caller, if there is one left; ``None`` where there is no limit."""
        if not self._limit:
            return None
        lease = self._leases.get(key)
        if lease is None:
            if len(self._leases) >= _MANY_KEYS:
                self._forget_past()
            lease = self._leases[key] = _Lease()
        while not self._is_known(lease):
            # One asks, and whoever comes meanwhile finds what it has brought.
            async with lease.lock:
                if not self._is_known(lease):
                    await self._renew(key, lease)
        is_allowed = lease.left > 0
        if is_allowed:
            lease.left -= 1
        return self._window(lease.unleased + lease.left, lease.reset_at, is_allowed)

    def _window(self, remaining: int, reset_at: int, is_allowed: bool) -> Window:
        return Window(self._limit, remaining, reset_at, is_allowed, max(1, ceil(reset_at - self._now())))

    def _is_known(self, lease: _Lease) -> bool:
        """Whether the lease can tell what becomes of a request: it has some left, or nobody has."""
        return lease.reset_at > self._now() and (lease.left > 0 or lease.unleased == 0)

    async def _renew(self, key: str, lease: _Lease) -> None:
        left = lease.unleased if lease.reset_at > self._now() else self._limit
        size = max(1, min(self._limit // _LEASES_PER_WINDOW, left // 4))
        asked_at = self._clock()
        row = await self._pool.fetchrow(_LEASE, key, size, self._limit, WINDOW_SECONDS)
        if row is None:
            raise LookupError("a statement that always returns a row returned none")
        # Counted from before the question: a lease ends rather too early than too late.
        self._ahead = row["now"] - asked_at
        lease.reset_at = _end_of_minute(row["now"])
        used = row["used"] if row["used"] is not None else self._limit + size
        lease.left = size - max(0, used - self._limit)
        lease.unleased = max(0, self._limit - used)

    def _now(self) -> float:
        return self._clock() + self._ahead

    def _forget_past(self) -> None:
        now = self._now()
        self._leases = {key: one for key, one in self._leases.items() if one.reset_at > now or one.lock.locked()}


def _end_of_minute(now: float) -> int:
    return (int(now) // WINDOW_SECONDS + 1) * WINDOW_SECONDS


async def forget_windows(pool: asyncpg.Pool, before: datetime) -> None:
    """Remove the counts of minutes that began before an instant."""
    await pool.execute("DELETE FROM request_window WHERE started_at < $1", before)
