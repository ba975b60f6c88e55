"""A running product: database, vault, engine, connectors and dialects, put together and taken apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx2

from atsumi.connector.context import Context
from atsumi.connector.contract import Connector, MappingContext
from atsumi.connector.guard import Allowance
from atsumi.connector.guarded import GuardedClient
from atsumi.connector.http import Http, make_client
from atsumi.errors import ConfigurationError
from atsumi.jobs.pgqueuer_engine import PgQueuerEngine
from atsumi.jobs.port import Engine
from atsumi.redaction import register_secret
from atsumi.server.budgets import Budgets, budget_keys
from atsumi.server.logging import get_logger
from atsumi.server.registry import load_connectors, load_projections
from atsumi.server.settings import Settings, master_key
from atsumi.server.sources import KnownSources
from atsumi.store import database, dialects, tenants
from atsumi.store.embedded import EmbeddedPostgres
from atsumi.store.request_windows import RequestWindows
from atsumi.store.runs import Claim
from atsumi.store.tenants import IntegrationRow
from atsumi.store.tokens import SharedBuckets, SharedTokens
from atsumi.store.vault import Vault
from atsumi.store.windows import SharedWindows
from atsumi.sync.projection import Projection
from atsumi.sync.run import Observer, Work
from atsumi.sync.shaping import Shape, load_shape
from atsumi.sync.target import Target

BACKGROUND_SPARES = 0.5
"""The share of each budget that background runs leave to those that somebody waits for."""


@dataclass(slots=True)
class Runtime:
    """What every command and request works with.

    ``light_pool`` is for bookkeeping that may be lost in a crash (rate buckets): its commits do not wait for the disk.
    """

    settings: Settings
    database_url: str
    pool: asyncpg.Pool
    light_pool: asyncpg.Pool
    vault: Vault
    engine: Engine
    connectors: Mapping[str, Connector]
    projections: Sequence[Projection]
    http: httpx2.AsyncClient
    guarded: GuardedClient
    """The way out to addresses that a caller chose."""
    tokens: dict[int, SharedTokens]
    shapes: dict[int, Shape] = field(default_factory=dict)
    """The shape that each integration had when it was last asked for; it counts only while its version does."""
    clock: Callable[[], datetime] | None = None
    """Decides what is due when; ``None``: the database's clock, which all processes share."""
    request_windows: RequestWindows = field(init=False)
    known_sources: KnownSources = field(init=False)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.request_windows = RequestWindows(self.light_pool, self.settings.requests_per_minute)
        self.known_sources = KnownSources(self.pool)

    def keep_running(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start work that goes on when whoever asked for it is gone; it is cancelled when the product stops."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def stop_tasks(self) -> None:
        """Cancel what :meth:`keep_running` has started, and wait for it."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def now(self) -> datetime | None:
        """The instant for decisions on what is due, or ``None`` where the database tells it."""
        return self.clock() if self.clock is not None else None

    def connector(self, tool: str) -> Connector:
        """The connector of a tool. Raises :class:`ConfigurationError` for a tool that is not installed."""
        try:
            return self.connectors[tool]
        except KeyError:
            known = ", ".join(sorted(self.connectors)) or "none"
            raise ConfigurationError(f"there is no connector for {tool!r}; installed: {known}") from None

    async def context(
        self, integration: IntegrationRow, *, spared_fraction: float = 0, patience_seconds: float | None = None
    ) -> Context:
        """The way to one integration's tool, with its decrypted credentials.

        ``spared_fraction`` of the tool's token buckets is left to others. A request waits for the tool's budget up to
        ``patience_seconds``, ``None``: as the settings say.
        """
        credentials = await tenants.credentials_of(self.pool, self.vault, integration)
        return self.context_with(
            integration.tool,
            str(integration.public_id),
            integration.number,
            credentials,
            integration.config,
            spared_fraction=spared_fraction,
            patience_seconds=patience_seconds,
        )

    def context_with(
        self,
        tool: str,
        owner: str,
        number: int,
        credentials: Mapping[str, str],
        config: Mapping[str, str],
        *,
        spared_fraction: float = 0,
        patience_seconds: float | None = None,
    ) -> Context:
        """The way to a tool with these credentials; ``owner`` separates tokens; budgets belong to the credential."""
        for value in credentials.values():
            register_secret(value)
        # One object per integration and process, so that all of its tasks share one token and one lock.
        tokens = self.tokens.get(number)
        if tokens is None:
            tokens = SharedTokens(self.pool, self.vault, integration=number, owner=owner)
            self.tokens[number] = tokens
        patience = self.settings.rate_limit_patience_seconds if patience_seconds is None else patience_seconds
        return Context(
            http=Http(self.http, tool, now=_now, timeout_seconds=self.settings.http_timeout_seconds),
            credentials=credentials,
            config=config,
            tokens=tokens,
            limiter=Budgets(
                budget_keys(self.connector(tool).manifest, self.vault, owner, {**config, **credentials}),
                SharedBuckets(self.light_pool, tool=tool, patience_seconds=patience, spared_fraction=spared_fraction),
                SharedWindows(self.light_pool, tool=tool, patience_seconds=patience),
            ),
            now=_now,
            log=get_logger(f"atsumi.{tool}"),
        )

    async def target(self, integration: IntegrationRow) -> Target:
        """Where the integration's records go, and in which shape.

        Raises :class:`ConfigurationError` for a tool that is not installed.
        """
        connector, number = self.connector(integration.tool), integration.number
        shape = self.shapes[number] = await load_shape(self.pool, number, connector, self.shapes.get(number))
        return Target(
            integration=integration.public_id,
            connector=connector,
            context=MappingContext(config=integration.config),
            projections=self.projections,
            shape=shape,
        )

    async def note_rendered(self, integration: IntegrationRow) -> None:
        """Say that this process's dialects are the only ones whose documents are kept from now on.

        Belongs before a run of the integration.
        """
        await dialects.forget_others(self.pool, [one.code for one in self.projections], integration.number)

    async def work(self, claim: Claim, integration: IntegrationRow, observe: Observer | None = None) -> Work:
        """Everything that executing a claimed run of this integration needs."""
        await self.note_rendered(integration)
        return Work(
            pool=self.pool,
            claim=claim,
            target=await self.target(integration),
            context=await self.context(
                integration, spared_fraction=BACKGROUND_SPARES if claim.run.kind == "background" else 0
            ),
            observe=observe,
            prefetch=self.settings.sync_page_prefetch,
            longest=timedelta(hours=self.settings.sync_run_hours),
            clock=self.clock,
        )


@asynccontextmanager
async def run_time(settings: Settings) -> AsyncIterator[Runtime]:
    """Start everything the product stands on and stop it again, in order.

    The embedded PostgreSQL is started unless the settings name a server; the schema is brought up to date.
    Raises :class:`ConfigurationError` when any of it cannot be used.
    """
    key = await asyncio.to_thread(master_key, settings)
    async with AsyncExitStack() as stack:
        if settings.database_url is None:
            postgres = await stack.enter_async_context(EmbeddedPostgres(settings.data_dir))
            database_url = postgres.dsn
        else:
            database_url = settings.database_url.get_secret_value()
        pool = await database.connect(database_url, size=settings.database_pool_size)
        stack.push_async_callback(database.close, pool)
        await database.migrate(database_url)
        light_pool = await database.connect(database_url, size=4, settings={"synchronous_commit": "off"})
        stack.push_async_callback(database.close, light_pool)
        engine = PgQueuerEngine(database_url, pool, concurrency=settings.worker_concurrency)
        await engine.install()
        http = await stack.enter_async_context(make_client())
        guarded = stack.enter_context(closing(GuardedClient(Allowance.parse(settings.outbound_allow))))
        runtime = Runtime(
            settings=settings,
            database_url=database_url,
            pool=pool,
            light_pool=light_pool,
            vault=Vault([key]),
            engine=engine,
            connectors=load_connectors(),
            projections=load_projections(settings.dialects),
            http=http,
            guarded=guarded,
            tokens={},
        )
        stack.push_async_callback(runtime.stop_tasks)
        yield runtime


def _now() -> datetime:
    return datetime.now(UTC)
