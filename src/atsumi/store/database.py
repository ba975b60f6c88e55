"""The connection pool and the schema's version."""

from __future__ import annotations

import asyncio
import ssl as _ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from atsumi.errors import ConfigurationError

_MIGRATION_LOCK = 0x6174_7375_6D69
"""Key of the session advisory lock that keeps two migrations apart (the product's name in ASCII)."""

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
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError, ValueError, _ssl.SSLError) as error:
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
    engine = create_async_engine(_sqlalchemy_url(database_url), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.execute(text(f"SELECT pg_advisory_lock({_MIGRATION_LOCK})"))
            await connection.commit()
            try:
                return await connection.run_sync(_upgrade)
            finally:
                await connection.rollback()
                await connection.execute(text(f"SELECT pg_advisory_unlock({_MIGRATION_LOCK})"))
                await connection.commit()
    except (OSError, asyncpg.PostgresError) as error:
        raise ConfigurationError(
            f"ATSUMI_DATABASE_URL: cannot migrate {describe(database_url)}: {_first_line(error)}"
        ) from error
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> tuple[str | None, str]:
    folder = Path(__file__).parent / "migrations"
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    script = ScriptDirectory.from_config(config)
    head = script.get_current_head()
    exists = connection.execute(text("SELECT to_regclass('alembic_version') IS NOT NULL")).scalar_one()
    before = connection.execute(text("SELECT version_num FROM alembic_version")).scalar() if exists else None
    connection.rollback()
    known = {revision.revision for revision in script.walk_revisions()}
    if before is not None and before not in known:
        raise ConfigurationError(
            f"The database is at schema revision {before}, which this release does not know. "
            "It was used by a newer release: run that one, or restore an older backup."
        )
    if before != head:
        command.upgrade(config, "head")
    return before, str(head)


def _sqlalchemy_url(database_url: str) -> str:
    parts = urlsplit(database_url)
    return urlunsplit(parts._replace(scheme="postgresql+asyncpg"))


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
