"""The connection pool and the schema's version."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg

from atsumi.errors import ConfigurationError

_MIGRATIONS = Path(__file__).parent / "migrations"

MINIMUM_SERVER_VERSION = 14
"""The oldest PostgreSQL that the durable engine supports."""

_SESSION = {
    "application_name": "atsumi",
    # With 64 partitions a generic plan would lock all of them on every read; planning again prunes first.
    "plan_cache_mode": "force_custom_plan",
    "jit": "off",
    "timezone": "UTC",
    # A process that was paused in the middle of a transaction must not keep the next owner of its locks waiting.
    "idle_in_transaction_session_timeout": "30s",
}

UNREACHABLE = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""What a database that is away or goes away raises; the last when it is killed in the middle of a statement."""

Pool = asyncpg.Pool
Acquired = asyncpg.pool.PoolConnectionProxy


async def connect(database_url: str, *, size: int = 10, settings: Mapping[str, str] | None = None) -> asyncpg.Pool:
    """Open a pool of at most ``size`` connections.

    Raises :class:`ConfigurationError` when the server cannot be reached, refuses the login or is too old.
    The message never holds the password.
    """
    try:
        pool = await asyncpg.create_pool(
            database_url,
            min_size=1,
            max_size=size,
            server_settings={**_SESSION, **(settings or {})},
            reset=_reset,
        )
        async with pool.acquire() as connection:
            version = connection.get_server_version().major
    except (*UNREACHABLE, ValueError) as error:
        raise ConfigurationError(
            f"ATSUMI_DATABASE_URL: cannot use {describe(database_url)}: {type(error).__name__}: {_first_line(error)}. "
            "Check that the server runs and that the user may log in."
        ) from None
    if version < MINIMUM_SERVER_VERSION:
        await pool.close()
        raise ConfigurationError(
            f"ATSUMI_DATABASE_URL: {describe(database_url)} is PostgreSQL {version}; "
            f"at least {MINIMUM_SERVER_VERSION} is needed."
        )
    return pool


async def _reset(connection: asyncpg.Connection) -> None:
    """What happens when a connection goes back to the pool: nothing, unless a transaction was left open.

    No code of ours leaves settings, cursors, listeners or session locks behind, so the driver's own clean-up would
    only cost every read another way to the server and back.
    """
    if connection.is_in_transaction():
        await connection.reset()


def describe(database_url: str) -> str:
    """The address without its password, for messages."""
    parts = urlsplit(database_url)
    host = parts.hostname or ",".join(parse_qs(parts.query).get("host", [])) or "localhost"
    user = f"{unquote(parts.username)}@" if parts.username else ""
    port = f":{parts.port}" if parts.port else ""
    return f"{user}{host}{port}{parts.path}"


async def migrate(database_url: str) -> tuple[str | None, str]:
    """Bring the schema to the newest revision; returns the revision before and after.

    Safe to call from any number of processes at once. Each revision is one transaction.
    Raises :class:`ConfigurationError` when the database belongs to a newer release.
    """
    try:
        found = await _revision(database_url)
        if found == newest_revision():
            return found, found
        # Alembic and SQLAlchemy take longer to import than all the rest, and most starts need neither.
        from atsumi.store.migrating import upgrade

        return await upgrade(database_url, _MIGRATIONS)
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        raise ConfigurationError(
            f"ATSUMI_DATABASE_URL: cannot migrate {describe(database_url)}: {_first_line(error)}"
        ) from error


def newest_revision() -> str:
    """The revision that this release brings the schema to; files of revisions begin with their number."""
    return max(path.name for path in (_MIGRATIONS / "versions").glob("[0-9]*.py")).partition("_")[0]


async def _revision(database_url: str) -> str | None:
    connection = await asyncpg.connect(database_url)
    try:
        if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
            return None
        revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
        return revision
    finally:
        await connection.close()


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else "no reason given"


async def close(pool: asyncpg.Pool) -> None:
    """Close the pool, waiting a few seconds for queries under way before cutting them off."""
    try:
        async with asyncio.timeout(5):
            await pool.close()
    except TimeoutError:
        pool.terminate()


async def analyze(pool: asyncpg.Pool, integration: int) -> None:
    """Refresh the planner's statistics of the partitions that hold an integration.

    A first sync fills them faster than the server's own maintenance notices; without statistics the planner reads
    whole partitions where an index would find a few rows.
    """
    for table in ("raw_record", "record", "fragment"):
        leaf = await pool.fetchval(
            f"SELECT tableoid::regclass::text FROM {table} WHERE integration = $1 LIMIT 1", integration
        )
        if leaf is not None:
            await pool.execute(f"ANALYZE {leaf}")
