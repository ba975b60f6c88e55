"""Access tokens and rate budgets, shared by every process that uses a credential.

The classes fit the protocols of :mod:`atsumi.connector.context` by shape: a token is (value, expires_at), a limit is
(requests per second, burst). The store does not import the connectors' side.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TypeAlias

import asyncpg

from atsumi.errors import RateLimited, RemoteCall
from atsumi.store.vault import Vault

_Token: TypeAlias = tuple[str, datetime]
_Limit: TypeAlias = tuple[float, int]


class SharedTokens:
    """The tokens of one credential, by name.

    Within a process a lock lets one task refresh while the others wait; between processes the row's lock does. The
    tokens are kept sealed.
    """

    def __init__(self, pool: asyncpg.Pool, vault: Vault, *, integration: int, owner: str) -> None:
        """``owner`` names environment and integration: it binds the sealed tokens and begins the rows' keys."""
        self._pool = pool
        self._vault = vault
        self._integration = integration
        self._owner = owner
        self._locks: dict[str, asyncio.Lock] = {}
        self._held: dict[str, _Token] = {}

    async def get(
        self, refresh: Callable[[], Awaitable[_Token]], *, rejected: str | None = None, name: str = "token"
    ) -> str:
        """See :class:`atsumi.connector.context.TokenStore`."""
        held = self._held.get(name)
        if held is not None and _usable(held, rejected):
            return held[0]
        async with self._locks.setdefault(name, asyncio.Lock()):
            held = self._held.get(name)
            if held is None or not _usable(held, rejected):
                held = self._held[name] = await self._shared(f"{self._owner}/{name}", refresh, rejected)
            return held[0]

    async def _shared(self, key: str, refresh: Callable[[], Awaitable[_Token]], rejected: str | None) -> _Token:
        async with self._pool.acquire() as connection, connection.transaction():
            # The row stays locked while the tool is asked, which may take longer than an idle transaction may.
            await connection.execute("SET LOCAL idle_in_transaction_session_timeout = '5min'")
            await connection.execute(
                "INSERT INTO access_token (credential_key, integration) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                key,
                self._integration,
            )
            row = await connection.fetchrow(
                "SELECT sealed, expires_at FROM access_token WHERE credential_key = $1 FOR UPDATE", key
            )
            if row is not None and row["sealed"] is not None:
                value = self._vault.open(row["sealed"], owner=key).decode()
                stored = (value, row["expires_at"])
                if _usable(stored, rejected):
                    return stored
            value, expires_at = await refresh()
            await connection.execute(
                "UPDATE access_token SET sealed = $2, expires_at = $3 WHERE credential_key = $1",
                key,
                self._vault.seal(value.encode(), owner=key),
                expires_at,
            )
            return value, expires_at


def _usable(token: _Token, rejected: str | None) -> bool:
    return token[0] != rejected and token[1] > datetime.now(UTC)


_TAKE = """
INSERT INTO rate_bucket AS b (key, tokens, per_second, burst, refilled_at)
VALUES ($1, $3::int - 1, $2, $3, clock_timestamp())
ON CONFLICT (key) DO UPDATE SET
    tokens = least(b.burst,
                   b.tokens + extract(epoch FROM clock_timestamp() - b.refilled_at)::float8 * b.per_second) - 1,
    refilled_at = clock_timestamp()
WHERE b.blocked_until IS NULL OR b.blocked_until <= clock_timestamp()
RETURNING tokens, per_second
"""


_TAKE_OVER = """
WITH made AS (
    INSERT INTO rate_bucket (key, tokens, per_second, burst, refilled_at)
    VALUES ($1, $3::int, $2, $3, clock_timestamp())
    ON CONFLICT (key) DO NOTHING
)
UPDATE rate_bucket AS b SET
    tokens = least(b.burst,
                   b.tokens + extract(epoch FROM clock_timestamp() - b.refilled_at)::float8 * b.per_second) - 1,
    refilled_at = clock_timestamp()
WHERE key = $1 AND (b.blocked_until IS NULL OR b.blocked_until <= clock_timestamp())
  AND least(b.burst, b.tokens + extract(epoch FROM clock_timestamp() - b.refilled_at)::float8 * b.per_second)
      >= 1 + $4::float8 * (b.burst - 1)
RETURNING 1
"""
_UNTIL_OVER = """
SELECT greatest(0,
    (1 + $2::float8 * (burst - 1) - tokens) / per_second - extract(epoch FROM clock_timestamp() - refilled_at),
    extract(epoch FROM blocked_until - clock_timestamp()))::float8
FROM rate_bucket WHERE key = $1
"""


class SharedBuckets:
    """Token buckets as rows, each under its key: one statement reserves a request, whichever process asks.

    A bucket may go below zero: the debt is the queue, and each caller learns from it how long to wait for its turn.
    """

    def __init__(self, pool: asyncpg.Pool, *, tool: str, patience_seconds: float, spared_fraction: float = 0) -> None:
        """Waits up to ``patience_seconds``, longer waits raise ``RateLimited``.

        ``spared_fraction`` of a bucket is left to others: requests are taken only while more than that is in it, so
        whoever asks without such restraint finds that much ready, and goes first.
        """
        self._pool = pool
        self._tool = tool
        self._patience = patience_seconds
        self._spared = spared_fraction
        self._turns: dict[str, asyncio.Lock] = {}

    async def acquire(self, key: str, limit: _Limit) -> None:
        """See :class:`atsumi.connector.context.RateLimiter`."""
        if self._spared > 0:
            # One asks at a time: the others would only ask in vain.
            async with self._turns.setdefault(key, asyncio.Lock()):
                await self._acquire_over(key, limit)
        else:
            await self._acquire(key, limit)

    async def expected_wait(self, key: str) -> float:
        """See :class:`atsumi.connector.context.RateLimiter`."""
        wait: float | None = await self._pool.fetchval(_UNTIL_OVER, key, self._spared)
        return wait or 0.0

    async def _acquire_over(self, key: str, limit: _Limit) -> None:
        deadline = asyncio.get_running_loop().time() + self._patience
        while await self._pool.fetchval(_TAKE_OVER, key, *limit, self._spared) is None:
            wait = await self.expected_wait(key)
            # No wait: the row was only just made, or somebody else was faster.
            if wait > 0 and asyncio.get_running_loop().time() + wait > deadline:
                raise budget_used_up(self._tool, key, datetime.now(UTC) + timedelta(seconds=wait))
            await asyncio.sleep(max(wait, 0.005))

    async def _acquire(self, key: str, limit: _Limit) -> None:
        deadline = asyncio.get_running_loop().time() + self._patience
        while True:
            row = await self._pool.fetchrow(_TAKE, key, *limit)
            if row is not None:
                wait = max(0.0, -row["tokens"] / row["per_second"])
                if wait > self._patience:
                    await self._pool.execute("UPDATE rate_bucket SET tokens = tokens + 1 WHERE key = $1", key)
                    raise budget_used_up(self._tool, key, datetime.now(UTC) + timedelta(seconds=wait))
                if wait:
                    await asyncio.sleep(wait)
                return
            until = await self._pool.fetchval("SELECT blocked_until FROM rate_bucket WHERE key = $1", key)
            pause = (until - datetime.now(UTC)).total_seconds() if until else 0.0
            if asyncio.get_running_loop().time() + pause > deadline:
                raise budget_used_up(self._tool, key, until)
            await asyncio.sleep(max(pause, 0.01))

    async def learn(self, key: str, limit: _Limit, remaining: int | None) -> None:
        """See :class:`atsumi.connector.context.RateLimiter`. Writes only when the budget differs.

        A second's worth of the burst, but at most half of it, is never used: the tool counts a request when it
        arrives, in order and at a pace that the network decides, and may refill once a second only. Without that, a
        full bucket that is emptied at once gets refusals.
        """
        burst = max(1, limit[1] - min(ceil(limit[0]), limit[1] // 2))
        unused = limit[1] - burst
        await self._pool.execute(
            """
            UPDATE rate_bucket SET per_second = $2, burst = $3, tokens = least(tokens, $4::float8)
            WHERE key = $1 AND (per_second, burst) IS DISTINCT FROM ($2, $3)
            """,
            key,
            limit[0],
            burst,
            float(burst if remaining is None else remaining - unused),
        )

    async def block(self, key: str, until: datetime) -> None:
        """See :class:`atsumi.connector.context.RateLimiter`."""
        await self._pool.execute(
            """
            UPDATE rate_bucket SET blocked_until = greatest(blocked_until, $2), tokens = least(tokens, 0)
            WHERE key = $1
            """,
            key,
            until,
        )


def budget_used_up(tool: str, key: str, retry_at: datetime) -> RateLimited:
    """The error that a request would have to wait for longer than its caller does; a key ends with its bucket."""
    call = RemoteCall(tool, key.rpartition("/")[2], "-", "-")
    return RateLimited(call, f"the tool's request budget is used up until {retry_at:%H:%M:%S} UTC", retry_at=retry_at)
