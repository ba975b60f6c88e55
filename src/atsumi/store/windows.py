"""Budgets of the kind "so many requests within any so many seconds", shared by every process.

A window's row holds when the last requests were sent and when those that wait will be: one statement reserves the next
instant at which the window has room, whichever process asks, in the order of asking. A limit is (requests, seconds),
which fits :class:`atsumi.connector.context.WindowLimit` by shape. All instants are the database's.
"""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from datetime import datetime, timedelta
from typing import TypeAlias

import asyncpg

from atsumi.store.tokens import budget_used_up

_Limit: TypeAlias = tuple[int, float]

MARGIN_SECONDS = 1.0
"""By how much longer than the tool's our window is: the tool counts when requests arrive, and the last of a full window
may be on its way for so much longer than the first of the next one."""

# The arguments are key, requests, window with margin, and the longest wait.
_NEXT = """
greatest(clock_timestamp(), w.blocked_until, w.taken[cardinality(w.taken)],
         w.taken[cardinality(w.taken) - $2::int + 1] + $3::interval)
"""
_RESERVE = f"""
INSERT INTO rate_window AS w (key, taken) VALUES ($1, ARRAY[clock_timestamp()])
ON CONFLICT (key) DO UPDATE SET
    taken = ARRAY(SELECT at FROM unnest(w.taken) AS at WHERE at > clock_timestamp() - $3::interval ORDER BY at)
            || {_NEXT}
WHERE {_NEXT} <= clock_timestamp() + $4::interval
RETURNING taken[cardinality(taken)] AS at, blocked_until,
          extract(epoch FROM taken[cardinality(taken)] - clock_timestamp())::float8 AS wait
"""
_EXPECT = f"""
SELECT at, extract(epoch FROM at - clock_timestamp())::float8 AS wait
FROM (SELECT {_NEXT} AS at FROM rate_window AS w WHERE key = $1) AS expected
"""
# A reservation holds until the tool refuses a request. Its instant may then be somebody else's, so it is no evidence.
_STANDS = "SELECT blocked_until IS NOT DISTINCT FROM $2 FROM rate_window WHERE key = $1"
_GIVE_UP = """
UPDATE rate_window SET
    taken = taken[:array_position(taken, $3) - 1] || taken[array_position(taken, $3) + 1:]
WHERE key = $1 AND blocked_until IS NOT DISTINCT FROM $2 AND $3 = ANY (taken)
"""
# Those who wait find out when they wake up, and then ask again. Nothing is reserved before the end of a known refusal,
# so one that ends earlier changes nothing.
_BLOCK = """
UPDATE rate_window SET
    blocked_until = $2,
    taken = ARRAY(SELECT at FROM unnest(taken) AS at WHERE at <= clock_timestamp() ORDER BY at)
WHERE key = $1 AND (blocked_until IS NULL OR blocked_until < $2)
"""


class SharedWindows:
    """Windows as rows, each under its key."""

    def __init__(self, pool: asyncpg.Pool, *, tool: str, patience_seconds: float) -> None:
        """Waits up to ``patience_seconds``, longer waits raise ``RateLimited``."""
        self._pool = pool
        self._tool = tool
        self._patience = patience_seconds

    async def acquire(self, key: str, limit: _Limit) -> None:
        """See :class:`atsumi.connector.context.RateLimiter`. First come, first served.

        After a refusal by the tool everybody queues anew, each at the instant that was promised before.
        """
        deadline = asyncio.get_running_loop().time() + self._patience
        while True:
            left = timedelta(seconds=max(0.0, deadline - asyncio.get_running_loop().time()))
            reserved = await self._pool.fetchrow(_RESERVE, key, *_spans(limit), left)
            if reserved is None:
                retry_at = await self._pool.fetchval(_EXPECT, key, *_spans(limit))
                raise budget_used_up(self._tool, key, retry_at)
            if reserved["wait"] <= 0:
                return
            try:
                await asyncio.sleep(reserved["wait"])
            except CancelledError:
                await self._pool.execute(_GIVE_UP, key, reserved["blocked_until"], reserved["at"])
                raise
            if await self._pool.fetchval(_STANDS, key, reserved["blocked_until"]):
                return

    async def expected_wait(self, key: str, limit: _Limit) -> float:
        """See :class:`atsumi.connector.context.RateLimiter`."""
        row = await self._pool.fetchrow(_EXPECT, key, *_spans(limit))
        return max(0.0, row["wait"]) if row is not None else 0.0

    async def block(self, key: str, until: datetime) -> None:
        """See :class:`atsumi.connector.context.RateLimiter`."""
        await self._pool.execute(_BLOCK, key, until)


def _spans(limit: _Limit) -> tuple[int, timedelta]:
    requests, seconds = limit
    return requests, timedelta(seconds=seconds + MARGIN_SECONDS)
