"""What a connector is given while it talks to its tool: a guarded client, credentials, tokens, a clock, a log.

Never the store. The protocols here are implemented by upper layers and by the test kit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from atsumi.connector.http import Http


class Token(NamedTuple):
    """An access token and the instant (aware UTC) from which it must not be used any more."""

    value: str
    expires_at: datetime


class TokenStore(Protocol):
    """Hands the same token to everything that uses a credential, in all processes."""

    async def get(
        self, refresh: Callable[[], Awaitable[Token]], *, rejected: str | None = None, name: str = "token"
    ) -> str:
        """A token that is valid now; ``name`` tells apart those that one credential has for several APIs of a tool.

        ``refresh`` is called at most once for all concurrent callers, and only if no valid token is stored or the
        stored one equals ``rejected`` (the value the tool has just refused). Whatever ``refresh`` raises is raised.
        """
        ...


class RateLimit(NamedTuple):
    """A token bucket: ``per_second`` refill, ``burst`` capacity (whole requests)."""

    per_second: float
    burst: int


class WindowLimit(NamedTuple):
    """At most ``requests`` requests within any ``seconds`` seconds."""

    requests: int
    seconds: float


Limit: TypeAlias = RateLimit | WindowLimit


class RateLimiter(Protocol):
    """Shares a tool's request budget among everything that uses one credential, in all processes."""

    async def acquire(self, bucket: str, limit: Limit) -> None:
        """Take one request from the bucket, waiting for it if need be.

        Raises :class:`~atsumi.errors.RateLimited` when the wait would be longer than the caller's patience
        (a slot is never held through a long pause).
        """
        ...

    async def expected_wait(self, bucket: str, limit: Limit) -> float:
        """Seconds that a request asked for now would wait, 0 if it would not; takes nothing.

        It may wait longer: others can come first, and a refusal by the tool stops everybody.
        """
        ...

    async def learn(self, bucket: str, limit: RateLimit, remaining: int | None) -> None:
        """Adopt the budget the tool states about itself in its answer's headers."""
        ...

    async def block(self, bucket: str, until: datetime) -> None:
        """Nobody may ask before ``until`` (aware UTC): the tool answered 429."""
        ...


class Log(Protocol):
    """Structured log; secrets are redacted by value, people's data is never handed over."""

    def info(self, event: str, **fields: object) -> object: ...

    def warning(self, event: str, **fields: object) -> object: ...


@dataclass(slots=True)
class Context:
    """One integration's way to its tool.

    ``credentials`` are the secret values of the connect form, ``config`` the public ones, both by field name of the
    manifest. ``now`` gives aware UTC.
    """

    http: Http
    credentials: Mapping[str, str]
    config: Mapping[str, str]
    tokens: TokenStore
    limiter: RateLimiter
    now: Callable[[], datetime]
    log: Log
