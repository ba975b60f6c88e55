"""What a benchmark stands on: a data folder with its PostgreSQL, simulated companies, connected integrations."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
import urllib.request
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import asyncpg

from atsumi.server.connecting import connect
from atsumi.server.runtime import run_time
from atsumi.server.settings import Settings
from atsumi.store import connector_tokens, tenants
from atsumi.store.embedded import EmbeddedPostgres
from atsumi.store.tenants import IntegrationRow
from benchmarks.processes import BenchmarkFailed, Child

T = TypeVar("T")

DIALECTS = ("kombo", "bindbee")
COUNTED = ("jobs", "candidates", "applications")
"""Streams whose records count; categories, feeds, forms and persons are few and left out."""


def settings(data_dir: Path, dialects: Sequence[str]) -> Settings:
    """The product's defaults with these dialects."""
    return Settings.model_validate({"data_dir": data_dir, "dialects": tuple(dialects)})


@dataclass(frozen=True, slots=True)
class Company:
    """A simulated company in a process of its own."""

    base_url: str
    credentials: dict[str, str]
    counts: dict[str, int]

    @property
    def records(self) -> int:
        """How many records count."""
        return sum(self.counts[name] for name in COUNTED)

    def control(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """Call the simulator's control API."""
        request = urllib.request.Request(  # noqa: S310 -- our own simulator
            f"{self.base_url}/_control{path}", method=method, data=json.dumps(body or {}).encode()
        )
        with urllib.request.urlopen(request, timeout=300) as answer:  # noqa: S310 -- our own servers
            return json.loads(answer.read())


@contextmanager
def company(folder: Path, applications: int) -> Iterator[Company]:
    """A company of that size until the context ends."""
    with Child("the simulator", ["benchmarks.simulator", str(applications)], folder) as child:
        yield Company(**child.answer())


@dataclass(frozen=True, slots=True)
class Connected:
    """An integration with a key that may read it."""

    integration: IntegrationRow
    api_key: str
    connector_token: str

    @property
    def headers(self) -> dict[str, str]:
        """What every request to the Kombo surface carries."""
        return {"Authorization": f"Bearer {self.api_key}", "X-Integration-Id": self.integration.id}

    @property
    def bindbee_headers(self) -> dict[str, str]:
        """What every request to the Bindbee surface carries."""
        return {"Authorization": f"Bearer {self.api_key}", "X-Connector-Token": self.connector_token}


class Stage:
    """A data folder and its running PostgreSQL. One object serves one thread."""

    def __init__(self, folder: Path, postgres: EmbeddedPostgres) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        self.database_url = postgres.dsn
        [pid_file] = self.data_dir.glob("postgres/**/postmaster.pid")
        self.postmaster = int(pid_file.read_text().split()[0])
        self._loop = asyncio.new_event_loop()

    def run(self, action: Coroutine[Any, Any, T]) -> T:
        """Carry out something asynchronous."""
        return self._loop.run_until_complete(action)

    def close(self) -> None:
        """Release what the object holds itself."""
        self._loop.close()

    def connect(self, simulated: Company, environment: str, dialects: Sequence[str] = DIALECTS) -> Connected:
        """Connect the company as a customer of that environment, with a new key, to be read in these dialects."""
        return self.run(self._connect(simulated, environment, dialects))

    async def _connect(self, simulated: Company, environment: str, dialects: Sequence[str]) -> Connected:
        given = simulated.credentials
        async with run_time(settings(self.data_dir, dialects)) as runtime:
            found = await tenants.ensure_environment(runtime.pool, environment)
            key, _ = await tenants.create_api_key(runtime.pool, found.id, "benchmark")
            integration = await connect(
                runtime,
                environment_id=found.id,
                tool="personio",
                organization_name=given["company_name"],
                values={
                    "company": given["subdomain"],
                    "client_id": given["client_id"],
                    "client_secret": given["client_secret"],
                    "company_id": given["company_id"],
                    "recruiting_key": given["recruiting_key"],
                    "api_base_url": simulated.base_url,
                    "career_base_url": simulated.base_url + "/career/{company}",
                },
            )
            tokens = await connector_tokens.tokens_of(runtime.pool, runtime.vault, [integration.number])
        return Connected(integration, key, tokens[integration.number])

    def sync(self, connected: Connected, kind: str, dialects: Sequence[str] = DIALECTS) -> dict[str, Any]:
        """One sync run in a process of its own, which keeps the documents of these dialects.

        Raises :class:`BenchmarkFailed` unless everything was read.
        """
        number = str(connected.integration.number)
        arguments = ["benchmarks.syncer", str(self.data_dir), number, kind, ",".join(dialects)]
        with Child("the sync", arguments, self.folder) as child:
            result: dict[str, Any] = child.answer()
        if result["state"] != "SUCCEEDED":
            raise BenchmarkFailed(f"the sync ended as {result['state']}")
        return result

    def fetch(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Rows of one statement."""
        return self.run(self._fetch(statement, *arguments))

    async def _fetch(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.database_url)
        try:
            return await connection.fetch(statement, *arguments)
        finally:
            await connection.close()


@contextmanager
def stage() -> Iterator[Stage]:
    """A fresh data folder with the embedded PostgreSQL as the product sets it up, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="atsumi-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        # The embedded server may run under another account, which must be able to pass through.
        folder.chmod(0o711)
        with EmbeddedPostgres(folder / "data") as postgres, contextlib.closing(Stage(folder, postgres)) as made:
            yield made


def page_path(page_size: int, cursor: str | None, name: str = "applications") -> str:
    """The address of one page of a list."""
    return f"/v1/ats/{name}?page_size={page_size}" + (f"&cursor={quote(cursor)}" if cursor else "")


def get(base_url: str, path: str, headers: dict[str, str]) -> bytes:
    """The body of a page that is answered with 200. Raises :class:`BenchmarkFailed` otherwise."""
    request = urllib.request.Request(base_url + path, headers=headers)  # noqa: S310 -- our own servers
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 -- our own servers
            body: bytes = answer.read()
            return body
    except OSError as error:
        raise BenchmarkFailed(f"{path}: {error}") from error
