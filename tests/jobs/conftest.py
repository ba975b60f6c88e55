"""A database of its own and an engine in it."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
import pytest

from atsumi.jobs.pgqueuer_engine import PgQueuerEngine
from atsumi.store import database


@pytest.fixture
async def jobs_database(postgres_dsn: str) -> AsyncIterator[str]:
    """The address of an empty database."""
    name = f"jobs_{secrets.token_hex(4)}"
    admin = await asyncpg.connect(postgres_dsn)
    await admin.execute(f"CREATE DATABASE {name}")
    yield urlsplit(postgres_dsn)._replace(path=f"/{name}").geturl()
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture
async def pool(jobs_database: str) -> AsyncIterator[asyncpg.Pool]:
    pool = await database.connect(jobs_database, size=5)
    yield pool
    await database.close(pool)


@pytest.fixture
async def engine(jobs_database: str, pool: asyncpg.Pool) -> PgQueuerEngine:
    """An installed engine with a lease of one second."""
    engine = PgQueuerEngine(jobs_database, pool, lease_seconds=1.0, grace_seconds=0.2)
    await engine.install()
    return engine
