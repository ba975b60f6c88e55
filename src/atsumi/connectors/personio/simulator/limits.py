"""The rate limits of Personio NOTES section 14, on the simulator's clock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from atsumi.connectors.personio.simulator.clock import Clock
from atsumi.connectors.personio.simulator.switches import Switches


@dataclass
class _Bucket:
    tokens: float
    at: int


class Limits:
    """Counts requests. Every method takes one request into account and says whether it may pass."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}
        self._windows: dict[str, deque[int]] = {}
        self._paused_until: dict[str, int] = {}
        self._slow_until = 0
        self._slow_last = 0

    def clear(self) -> None:
        """Forget all requests so far."""
        self._buckets.clear()
        self._windows.clear()
        self._paused_until.clear()
        self._slow_until = self._slow_last = 0

    def bucket(self, endpoint: str, replenish: int, burst: int) -> tuple[bool, int]:
        """Take a token for a v2 endpoint: whether there was one, and how many are left."""
        now = self._clock.milliseconds()
        bucket = self._buckets.setdefault(endpoint, _Bucket(burst, now))
        earned = max(now - bucket.at, 0) / 1000 * replenish
        bucket.tokens = min(bucket.tokens + earned, burst)
        bucket.at = now
        if bucket.tokens < 1:
            return False, 0
        bucket.tokens -= 1
        return True, int(bucket.tokens)

    def window(self, endpoint: str, switches: Switches) -> bool:
        """Count a v1 recruiting request: so many per window, and then a pause in which nothing passes."""
        allowed = switches.v1_requests_per_window
        if allowed == 0:
            return True
        now = self._clock.milliseconds()
        if now < self._paused_until.get(endpoint, 0):
            return False
        seen = self._windows.setdefault(endpoint, deque())
        while seen and seen[0] <= now - switches.v1_window_seconds * 1000:
            seen.popleft()
        if len(seen) >= allowed:
            self._paused_until[endpoint] = now + switches.v1_pause_seconds * 1000
            seen.clear()
            return False
        seen.append(now)
        return True

    def token(self, switches: Switches) -> bool:
        """Count a token request: so many per minute, beyond that one per second for a minute."""
        allowed = switches.token_requests_per_minute
        if allowed == 0:
            return True
        now = self._clock.milliseconds()
        if now < self._slow_until:
            if now - self._slow_last < 1000:
                return False
            self._slow_last = now
            return True
        seen = self._windows.setdefault("token", deque())
        while seen and seen[0] <= now - 60_000:
            seen.popleft()
        if len(seen) >= allowed:
            self._slow_until = now + 60_000
            self._slow_last = now
            return False
        seen.append(now)
        return True
