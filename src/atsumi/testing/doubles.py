"""Stand-ins for what upper layers give a connector (tokens, budgets, a clock, a log), and for a connector.

All in memory, none waits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx2

from atsumi.connector.context import Context, Limit, RateLimit, Token
from atsumi.connector.contract import Account, Connector, RecordMapping, Stream
from atsumi.connector.http import AT_ONCE, Http, make_client
from atsumi.connector.manifest import Manifest

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


class FakeClock:
    """A clock that moves only when told to."""

    def __init__(self, start: datetime = NOON) -> None:
        self.instant = start

    def __call__(self) -> datetime:
        return self.instant

    def advance(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


class MemoryTokens:
    """A token store for one process. ``refreshes`` counts how often the tool was asked."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._tokens: dict[str, Token] = {}
        self.refreshes = 0

    @property
    def token(self) -> Token | None:
        """The token that has no name of its own."""
        return self._tokens.get("token")

    async def get(
        self, refresh: Callable[[], Awaitable[Token]], *, rejected: str | None = None, name: str = "token"
    ) -> str:
        token = self._tokens.get(name)
        if token is None or token.expires_at <= self._now() or token.value == rejected:
            self.refreshes += 1
            token = self._tokens[name] = await refresh()
        return token.value


@dataclass
class UnlimitedRate:
    """A limiter that never waits and remembers what it was told."""

    acquired: list[str] = field(default_factory=list)
    learned: dict[str, tuple[RateLimit, int | None]] = field(default_factory=dict)
    blocked: dict[str, datetime] = field(default_factory=dict)

    async def acquire(self, bucket: str, limit: Limit) -> None:
        self.acquired.append(bucket)

    async def expected_wait(self, bucket: str, limit: Limit) -> float:
        return 0.0

    async def learn(self, bucket: str, limit: RateLimit, remaining: int | None) -> None:
        self.learned[bucket] = (limit, remaining)

    async def block(self, bucket: str, until: datetime) -> None:
        self.blocked[bucket] = until


@dataclass
class MemoryLog:
    """A log that keeps its entries."""

    entries: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def info(self, event: str, **fields: object) -> object:
        self.entries.append((event, fields))
        return None

    warning = info


def make_context(
    manifest: Manifest,
    transport: httpx2.AsyncBaseTransport,
    *,
    credentials: Mapping[str, str],
    config: Mapping[str, str],
    now: Callable[[], datetime] | None = None,
) -> Context:
    """A context whose requests all go to ``transport``; safe requests are repeated without a pause.

    The doubles are its ``tokens``, ``limiter`` and ``log``. Nothing needs closing unless the transport does.
    """
    clock = now or FakeClock()
    return Context(
        http=Http(make_client(transport), manifest.slug, clock, AT_ONCE),
        credentials=credentials,
        config=config,
        tokens=MemoryTokens(clock),
        limiter=UnlimitedRate(),
        now=clock,
        log=MemoryLog(),
    )


STANDIN = "standin"
"""The tool of :func:`standin`."""


def standin(stream: Stream) -> Connector:
    """A connector of one listing and no models, for tests of what runs connectors. Its check is never asked."""
    manifest = Manifest(
        slug=STANDIN,
        label="Stand-in",
        category="ATS",
        auth="api_key",
        check="GET /",
        overlap_seconds=60,
        base_urls={},
        fields=(),
        rate_limits={},
    )
    mapping = RecordMapping(rules={}, affected=lambda raw, context: (), remote_data={}, coverage={})
    return Connector(manifest=manifest, streams=(stream,), mapping=mapping, check=_refuse)


async def _refuse(context: Context) -> Account:
    raise NotImplementedError("nothing can be connected to the stand-in")
