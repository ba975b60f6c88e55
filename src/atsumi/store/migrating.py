"""Bringing the schema to the newest revision, with Alembic. The door is :func:`atsumi.store.database.migrate`."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from atsumi.errors import ConfigurationError

_MIGRATION_LOCK = 0x6174_7375_6D69
"""Key of the session advisory lock that keeps two migrations apart (the product's name in ASCII)."""


async def upgrade(database_url: str, folder: Path) -> tuple[str | None, str]:
    """Apply what ``folder`` holds and the database lacks; returns the revision before and after.

    Raises :class:`ConfigurationError` when the database belongs to a newer release, and what the driver raises.
    """
    engine = create_async_engine(_sqlalchemy_url(database_url), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.execute(text(f"SELECT pg_advisory_lock({_MIGRATION_LOCK})"))
            await connection.commit()
            try:
                return await connection.run_sync(_upgrade, folder)
            finally:
                await connection.rollback()
                await connection.execute(text(f"SELECT pg_advisory_unlock({_MIGRATION_LOCK})"))
                await connection.commit()
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, folder: Path) -> tuple[str | None, str]:
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
