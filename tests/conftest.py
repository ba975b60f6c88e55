"""Fixtures for every test: a real PostgreSQL, the embedded one or the one that a variable names."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from atsumi.store.embedded import EmbeddedPostgres
from harness import Product, new_database, running_product

FAST_AND_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


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
def postgres_dsn() -> Iterator[str]:
    """The address of a PostgreSQL server whose user may create databases."""
    named = os.environ.get("ATSUMI_TEST_DATABASE_URL")
    if named:
        yield named
        return
    folder = Path(tempfile.mkdtemp(prefix="atsumi-test-"))
    folder.chmod(0o755)
    try:
        with EmbeddedPostgres(folder, settings=FAST_AND_FORGETFUL) as server:
            yield server.dsn
    finally:
        shutil.rmtree(folder)


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
