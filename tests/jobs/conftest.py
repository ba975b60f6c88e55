"""A database of its own and an engine in it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from atsumi.jobs.pgqueuer_engine import PgQueuerEngine
from atsumi.store import database
from harness import new_database


@pytest.fixture
async def jobs_database(postgres_dsn: str) -> AsyncIterator[str]:
    """The address of an empty database."""
    async with new_database(postgres_dsn, is_empty=True) as url:
        yield url


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
