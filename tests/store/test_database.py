"""The schema's version, and what a start does not load for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from alembic.script import ScriptDirectory

from atsumi.errors import ConfigurationError
from atsumi.store import database
from harness import new_database

MIGRATIONS = Path(database.__file__).parent / "migrations"


def test_the_names_of_files_tell_the_newest_revision() -> None:
    assert database.newest_revision() == ScriptDirectory(str(MIGRATIONS)).get_current_head()


async def test_an_empty_database_is_brought_up_to_date_and_then_left_alone(postgres_dsn: str) -> None:
    newest = database.newest_revision()
    async with new_database(postgres_dsn, is_empty=True) as url:
        assert await database.migrate(url) == (None, newest)
        assert await database.migrate(url) == (newest, newest)


async def test_a_database_of_a_newer_release_is_refused(postgres_dsn: str) -> None:
    async with new_database(postgres_dsn) as url:
        connection = await asyncpg.connect(url)
        await connection.execute("UPDATE alembic_version SET version_num = '9999'")
        await connection.close()
        with pytest.raises(ConfigurationError, match="schema revision 9999, which this release does not know"):
            await database.migrate(url)


def test_a_start_does_not_load_what_only_migrations_need() -> None:
    shown = "import sys, atsumi.server.cli; print(sorted({'alembic', 'sqlalchemy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True).stdout == "[]\n"
