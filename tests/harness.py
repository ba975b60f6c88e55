"""The whole product in this process, with simulated accounts behind it, for tests.

One database serves all tests of a process; every account has an environment of its own, so tests never meet and may
run in any order. No worker runs: a test says when a sync happens.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import httpx2
import msgspec
from kombo import Kombo
from starlette.types import ASGIApp

from atsumi.connector.http import make_client
from atsumi.connectors.personio.simulator import Simulator, create_app
from atsumi.jobs.pgqueuer_engine import PgQueuerEngine
from atsumi.model.catalog import CODES
from atsumi.model.ids import record_id, to_base58
from atsumi.model.names import Model
from atsumi.server.app import create_app as create_api
from atsumi.server.connecting import connect
from atsumi.server.runtime import Runtime, run_time
from atsumi.server.serving import listen, serve
from atsumi.server.settings import Settings
from atsumi.store import database, runs, tenants
from atsumi.store.records import Owner
from atsumi.store.runs import Claim, Run
from atsumi.store.tenants import Environment, IntegrationRow
from atsumi.sync.render import render_all
from atsumi.sync.run import Work, execute

MASTER_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

READ_METHODS = {
    "applications": "get_applications",
    "candidates": "get_candidates",
    "jobs": "get_jobs",
    "application-stages": "get_application_stages",
    "users": "get_users",
    "roles": "get_roles",
    "offers": "get_offers",
    "interviews": "get_interviews",
    "rejection-reasons": "get_rejection_reasons",
    "tags": "get_tags",
    "notes": "get_notes",
    "scorecards": "get_ats_scorecards",
    "attachments": "get_ats_attachments",
}
"""The published client's method for each list."""

LISTS = tuple(READ_METHODS)

FILLED = ("applications", "candidates", "jobs", "application-stages", "users", "roles")
"""The lists that Personio has something for."""

RUN_ID = os.environ.setdefault("ATSUMI_TEST_RUN", secrets.token_hex(4))
"""The same in all processes of a run of the tests, and in no other run."""

DEADLINE_SECONDS = 120.0
"""Longer than a busy machine takes for anything: only what never comes is waited for that long."""


async def until(condition: Callable[[], Any], what: str, seconds: float = DEADLINE_SECONDS) -> Any:
    """Poll until a condition gives something true, and return that."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        found = condition()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        assert asyncio.get_running_loop().time() < deadline, f"waited too long for: {what}"
        await asyncio.sleep(0.02)


class Origins(httpx2.AsyncBaseTransport):
    """Hands requests to the application that stands for their host; other hosts are really asked."""

    def __init__(self) -> None:
        self._by_host: dict[str, httpx2.ASGITransport] = {}
        self._network = httpx2.AsyncHTTPTransport()
        self.is_cut: set[str] = set()
        """Hosts that refuse connections."""

    def add(self, app: ASGIApp) -> str:
        """An origin under which the application is reached from now on."""
        host = f"tool-{secrets.token_hex(4)}.test"
        self._by_host[host] = httpx2.ASGITransport(app=app)
        return f"http://{host}"

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.host in self.is_cut:
            raise httpx2.ConnectError("refused", request=request)
        transport = self._by_host.get(request.url.host, self._network)
        return await transport.handle_async_request(request)

    async def aclose(self) -> None:
        await self._network.aclose()


@dataclass
class Product:
    """A running product: ``url`` is a real server's, ``api`` reaches the same application in this process."""

    runtime: Runtime
    origins: Origins
    api: httpx2.AsyncClient
    url: str

    async def environment(self) -> tuple[Environment, str]:
        """A new environment and an API key of it."""
        environment = await tenants.ensure_environment(self.runtime.pool, f"env-{secrets.token_hex(6)}")
        key, _ = await tenants.create_api_key(self.runtime.pool, environment.id, "test")
        return environment, key

    async def connect(
        self,
        simulator: Simulator | None = None,
        *,
        environment: tuple[Environment, str] | None = None,
        values: Mapping[str, str] | None = None,
        **company: Any,
    ) -> Account:
        """Connect a simulated account; nothing is synced yet, and nothing of the tool's budgets is used."""
        # Simulated companies of one seed are the same to whoever counts requests, whichever test they are of.
        await self.runtime.pool.execute("DELETE FROM rate_window; DELETE FROM rate_bucket")
        simulator = simulator or small_company(**company)
        environment = environment or await self.environment()
        origin = self.origins.add(create_app(simulator))
        integration = await connect(
            self.runtime,
            environment_id=environment[0].id,
            tool="personio",
            organization_name=simulator.company.name,
            values=connect_values(simulator, origin) | dict(values or {}),
            email="admin@customer.example",
            origin_id="customer-1",
        )
        return Account(self, simulator, integration, *environment, origin)

    async def synced(self, simulator: Simulator | None = None, **company: Any) -> Account:
        """Connect a simulated account and read all of it."""
        account = await self.connect(simulator, **company)
        run = await account.sync("full")
        assert run.state == "SUCCEEDED", run.message
        return account

    def sdk(self, key: str, integration: str | None) -> Kombo:
        return Kombo(server_url=f"{self.url}/v1", api_key=key, integration_id=integration)


def small_company(**options: Any) -> Simulator:
    """A company with a bit of everything."""
    simulator = Simulator(**({"applications": 40, "jobs": 6, "published_share": 0.5} | options))
    # A budget that no test uses up, told in every answer's headers.
    simulator.switch(v2_replenish_per_second=100_000, v2_burst=100_000, unknown_parameters="refused")
    return simulator


def connect_values(simulator: Simulator, origin: str) -> dict[str, str]:
    """What the connect form is given."""
    given = simulator.credentials()
    return {
        "company": given["subdomain"],
        "client_id": given["client_id"],
        "client_secret": given["client_secret"],
        "company_id": given["company_id"],
        "recruiting_key": given["recruiting_key"],
        "api_base_url": origin,
        "career_base_url": f"{origin}/career/{{company}}",
    }


@dataclass
class Account:
    """One connected, simulated account."""

    product: Product
    simulator: Simulator
    integration: IntegrationRow
    environment: Environment
    key: str
    origin: str

    @property
    def runtime(self) -> Runtime:
        return self.product.runtime

    @property
    def pool(self) -> asyncpg.Pool:
        return self.runtime.pool

    @property
    def number(self) -> int:
        return self.integration.number

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}", "X-Integration-Id": self.integration.id}

    # Syncing.

    async def fresh(self) -> IntegrationRow:
        """The integration as stored now."""
        row = await tenants.integration_by_number(self.pool, self.number)
        assert row is not None
        return row

    async def claim(self, kind: str = "incremental") -> Claim:
        """Request a run and become its owner."""
        run, _ = await runs.request_run(self.pool, self.number, kind)
        claim = await runs.claim_run(self.pool, run.id)
        assert claim is not None
        return claim

    async def work(self, claim: Claim, **changes: Any) -> Work:
        # A sync must not wait for what earlier syncs of the same test took out of the buckets.
        await self.pool.execute(
            "DELETE FROM rate_bucket WHERE starts_with(key, $1::text)", str(self.integration.public_id)
        )
        work = await self.runtime.work(claim, await self.fresh())
        return replace(work, **changes)

    async def sync(self, kind: str = "incremental", **changes: Any) -> Run:
        """One whole run, executed here and now."""
        claim = await self.claim(kind)
        await execute(await self.work(claim, **changes))
        run = await runs.find_run(self.pool, claim.run.id)
        assert run is not None
        return run

    async def background(self, **changes: Any) -> str:
        """Work in the background until nothing is left to do there; the state in which it ended."""
        while True:
            claim = await self.claim("background")
            state = await execute(await self.work(claim, **changes))
            if state != "YIELDED":
                return state

    async def resume(self, run_id: UUID) -> Run:
        """Go on with a run that was interrupted or put off, without waiting."""
        await self.pool.execute("UPDATE sync_run SET next_at = now() WHERE id = $1", run_id)
        claim = await runs.claim_run(self.pool, run_id)
        assert claim is not None
        await execute(await self.work(claim))
        run = await runs.find_run(self.pool, run_id)
        assert run is not None
        return run

    # Reading.

    def id(self, model: Model, remote_id: str) -> str:
        """Our id of a record, as the API spells it."""
        return to_base58(record_id(self.integration.public_id, model, remote_id))

    def sdk(self) -> Kombo:
        return self.product.sdk(self.key, self.integration.id)

    async def ask(self, call: Callable[[Kombo], Any]) -> Any:
        """Use the published client, which blocks."""

        def run() -> Any:
            with self.sdk() as client:
                return call(client)

        return await asyncio.to_thread(run)

    async def read(self, name: str, **params: Any) -> list[Any]:
        """A whole list, page after page, as the published client gives it."""

        def walk(client: Kombo) -> list[Any]:
            found: list[Any] = []
            page = getattr(client.ats, READ_METHODS[name])(**params)
            while page is not None:
                found += page.result.data.results
                page = page.next()
            return found

        return await self.ask(walk)

    async def get(self, path: str, *, headers: Mapping[str, str] | None = None, **params: Any) -> httpx2.Response:
        """One request below ``/v1``, in this process."""
        sent = {name: str(value) for name, value in params.items()}
        return await self.product.api.get(f"/v1{path}", params=sent, headers=headers or self.headers)

    async def page(self, name: str, **params: Any) -> dict[str, Any]:
        answer = await self.get(f"/ats/{name}", **params)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def rows(self, name: str, **params: Any) -> list[dict[str, Any]]:
        """A whole list, all pages."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self.page(name, **({"page_size": 250} | params), **cursor)
            found += page["results"]
            if page["next"] is None:
                return found
            cursor = {"cursor": page["next"]}

    async def remote_ids(self, name: str, **params: Any) -> set[str]:
        return {row["remote_id"] for row in await self.rows(name, **params)}

    async def documents(self) -> dict[str, dict[str, Any]]:
        """Every list whole, deleted records included, by remote id."""
        return {
            name: {row["remote_id"]: row for row in await self.rows(name, include_deleted="true")} for name in LISTS
        }

    # Looking into the store.

    async def fetch(self, statement: str, *values: object) -> list[asyncpg.Record]:
        return await self.pool.fetch(statement, self.number, *values)

    async def canonical(self) -> dict[tuple[int, str], tuple[Any, bool]]:
        """Every canonical record by model and remote id: its content and whether it is deleted."""
        rows = await self.fetch("SELECT model, remote_id, data, deleted_at FROM record WHERE integration = $1")
        return {
            (row["model"], row["remote_id"]): (msgspec.json.decode(row["data"]), row["deleted_at"] is not None)
            for row in rows
        }

    async def fragments(self) -> dict[tuple[int, int, UUID], tuple[bytes, bytes | None]]:
        """All stored documents with their custom fields, by dialect, model and id."""
        rows = await self.fetch("SELECT dialect, model, id, body, custom_fields FROM fragment WHERE integration = $1")
        return {(row["dialect"], row["model"], row["id"]): (row["body"], row["custom_fields"]) for row in rows}

    async def rendered_anew(self) -> dict[tuple[int, int, UUID], tuple[bytes, bytes | None]]:
        """What all fragments must equal."""
        found: dict[tuple[int, int, UUID], tuple[bytes, bytes | None]] = {}
        stored: dict[int, list[UUID]] = {}
        for row in await self.fetch("SELECT model, id FROM record WHERE integration = $1"):
            stored.setdefault(row["model"], []).append(row["id"])
        async with self.pool.acquire() as connection:
            for projection in self.runtime.projections:
                for wire_model in projection.wire_models:
                    rows = await render_all(
                        connection,
                        Owner(self.number, 0),
                        self.integration.public_id,
                        projection,
                        wire_model,
                        stored.get(CODES[wire_model.model], []),
                    )
                    for one in rows:
                        found[projection.code, one.model, one.id] = (one.body, one.custom_fields)
        return found

    async def row_versions(self) -> dict[str, Any]:
        """Where every stored row lies and which transaction wrote it: equal means that nothing was rewritten."""
        return {
            table: sorted(
                str(tuple(row))
                for row in await self.fetch(
                    f"SELECT tableoid, ctid::text, xmin::text FROM {table} WHERE integration = $1"  # noqa: S608 -- a table name of ours
                )
            )
            for table in ("record", "raw_record", "fragment", "change", "commit_batch", "source_link")
        }

    async def issues(self, run: Run) -> dict[tuple[str, str, str, str], int]:
        return {found[:4]: found[4] for found in await runs.issues_of(self.pool, run.id)}


def product_settings(database_url: str, folder: Path) -> Settings:
    return Settings(
        data_dir=folder,
        database_url=database_url,
        master_key=MASTER_KEY,
        worker_enabled=False,
        requests_per_minute=0,
        log_level="error",
    )


@asynccontextmanager
async def new_database(server_dsn: str, *, is_empty: bool = False) -> AsyncIterator[str]:
    """A database of the product, dropped at the end; an empty one where that is asked for."""
    name = f"product_{secrets.token_hex(4)}"
    admin = await asyncpg.connect(server_dsn)
    try:
        if is_empty:
            await admin.execute(f"CREATE DATABASE {name}")
        else:
            await _copy_of_the_template(admin, server_dsn, name)
        yield _at(server_dsn, name)
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


async def _copy_of_the_template(admin: asyncpg.Connection, server_dsn: str, name: str) -> None:
    """Create a database from one that has the schema and the queue already: that takes a fraction of the time.

    The first process of a run that asks makes the template, the others wait for it.
    """
    template = f"template_{RUN_ID}"
    # Copying files takes less than logging them, where nobody wants to recover them from a log.
    strategy = "STRATEGY file_copy" if admin.get_server_version().major >= 15 else ""
    async with _template_lock(admin):
        if not await admin.fetchval("SELECT count(*) FROM pg_database WHERE datname = $1", template):
            draft = f"draft_{RUN_ID}"
            await admin.execute(f"DROP DATABASE IF EXISTS {draft}")
            await admin.execute(f"CREATE DATABASE {draft}")
            await database.migrate(_at(server_dsn, draft))
            pool = await database.connect(_at(server_dsn, draft), size=1)
            await PgQueuerEngine(server_dsn, pool).install()
            await database.close(pool)
            await admin.execute(f"ALTER DATABASE {draft} RENAME TO {template}")
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} {strategy}")


async def drop_template(server_dsn: str) -> None:
    """Leave nothing behind on a server that outlives the run; whoever still needs the template makes it again."""
    admin = await asyncpg.connect(server_dsn)
    try:
        async with _template_lock(admin):
            await admin.execute(f"DROP DATABASE IF EXISTS template_{RUN_ID}")
    finally:
        await admin.close()


@asynccontextmanager
async def _template_lock(admin: asyncpg.Connection) -> AsyncIterator[None]:
    await admin.execute("SELECT pg_advisory_lock(hashtext($1))", RUN_ID)
    try:
        yield
    finally:
        await admin.execute("SELECT pg_advisory_unlock(hashtext($1))", RUN_ID)


def _at(server_dsn: str, name: str) -> str:
    return urlsplit(server_dsn)._replace(path=f"/{name}").geturl()


@asynccontextmanager
async def running_product(database_url: str, folder: Path) -> AsyncIterator[Product]:
    """The product over a database, serving on a free port."""
    async with run_time(product_settings(database_url, folder)) as runtime:
        origins = Origins()
        stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(serve(runtime, listen("127.0.0.1", 0), stop, on_ready=ready.set_result))
        network, runtime.http = runtime.http, make_client(origins)
        transport = httpx2.ASGITransport(app=create_api(runtime))
        async with runtime.http, httpx2.AsyncClient(transport=transport, base_url="http://api.test") as api:
            await asyncio.wait({ready, serving}, return_when=asyncio.FIRST_COMPLETED)
            try:
                yield Product(runtime, origins, api, ready.result())
            finally:
                stop.set()
                await serving
                runtime.http = network
