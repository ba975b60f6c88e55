"""`atsumi doctor`: is everything there that the product needs?"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import NamedTuple

from atsumi.errors import AtsumiError
from atsumi.server.registry import load_connectors
from atsumi.server.runtime import run_time
from atsumi.server.settings import Settings, master_key
from atsumi.server.troubles import actions_in_trouble
from atsumi.server.unread import unread_listings
from atsumi.store import database, files, tenants, unsafe
from atsumi.store.database import describe


class Finding(NamedTuple):
    """One thing that was looked at. ``advice`` says what to do if it is not well."""

    subject: str
    is_well: bool
    text: str


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Look at settings, key, connectors, database and credentials, one finding each; stops where nothing can follow."""
    yield Finding("data folder", *_data_folder(settings))
    if settings.is_database_embedded and not (settings.data_dir / "postgres").exists():
        # Looking must not make a database in a folder whose name was misspelt.
        yield Finding("database", True, "nothing there yet; `atsumi serve` makes it")
        return
    try:
        key = await asyncio.to_thread(master_key, settings)
        yield Finding("master key", True, "present")
        connectors = load_connectors()
        yield Finding("connectors", bool(connectors), ", ".join(sorted(connectors)) or "none are installed")
        async with run_time(settings) as runtime:
            version = await runtime.pool.fetchval("SHOW server_version")
            where = "embedded" if settings.database_url is None else describe(runtime.database_url)
            yield Finding("database", True, f"PostgreSQL {version}, {where}")
            _, revision = await database.migrate(runtime.database_url)
            yield Finding("schema", True, f"at revision {revision}")
            for row in await tenants.integrations(runtime.pool):
                try:
                    await tenants.credentials_of(runtime.pool, runtime.vault, row)
                except AtsumiError as error:
                    yield Finding(row.id, False, str(error))
                else:
                    yield Finding(row.id, row.state == "ACTIVE", row.state_reason or row.state.lower())
                for reason, count in (await files.counts(runtime.pool, row.number)).given_up:
                    yield Finding(row.id, True, f"{count:,} files were given up: {reason}")
                if row.tool in runtime.connectors:
                    for stream, reason in (await unread_listings(runtime, row)).items():
                        yield Finding(row.id, True, f"{stream} was not read: {reason}")
                for trouble in await actions_in_trouble(runtime, row):
                    yield Finding(row.id, *trouble)
                for change in await unsafe.unsafe_changes(runtime.pool, row.number):
                    lost = f"{len(change.missing):,} of {change.stored:,} {change.stream} are missing at the tool"
                    yield Finding(row.id, False, f"{lost} and wait for `atsumi deletions show {change.id}`")
        del key
    except AtsumiError as error:
        yield Finding("start", False, str(error))


def _data_folder(settings: Settings) -> tuple[bool, str]:
    folder = settings.data_dir
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not os.access(existing, os.W_OK):
        return False, f"{folder}: {existing} cannot be written to. Choose another with ATSUMI_DATA_DIR."
    return True, str(folder)
