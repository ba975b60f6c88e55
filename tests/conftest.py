"""Fixtures for every test: a real PostgreSQL, the embedded one or the one that a variable names."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from atsumi.store.embedded import EmbeddedPostgres
from harness import RUN_ID, Product, drop_template, new_database, running_product

SHARED_FOLDER = Path(tempfile.gettempdir(), f"atsumi-test-{RUN_ID}")
FAST_AND_FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "300",
}


def pytest_unconfigure(config: pytest.Config) -> None:
    """The process that started the others removes what all of them shared, when they have ended."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(SHARED_FOLDER, ignore_errors=True)


@pytest.fixture
def data_folder() -> Iterator[Path]:
    """An empty data folder for an embedded server.

    Not ``tmp_path``: pytest makes that unreachable for other accounts, and under root the server runs as one.
    """
    folder = Path(tempfile.mkdtemp(prefix="atsumi-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
async def postgres_dsn() -> AsyncIterator[str]:
    """The address of a PostgreSQL server whose user may create databases; all processes of a run share it."""
    named = os.environ.get("ATSUMI_TEST_DATABASE_URL")
    if named:
        yield named
        await drop_template(named)
        return
    # The first process starts it, the last one that leaves stops it.
    async with EmbeddedPostgres(SHARED_FOLDER, settings=FAST_AND_FORGETFUL) as server:
        yield server.dsn


@pytest.fixture(scope="session")
async def product_database(postgres_dsn: str) -> AsyncIterator[str]:
    """The address of one database for the whole product; see :mod:`harness` on how tests stay apart in it."""
    async with new_database(postgres_dsn) as url:
        yield url


@pytest.fixture(scope="session")
async def product(product_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    """The whole product, serving, without a worker."""
    async with running_product(product_database, tmp_path_factory.mktemp("product")) as running:
        yield running
