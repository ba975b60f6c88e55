"""A company that can be written to. Writes of these tests repeat a failed look at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina

from action_kit import company_with_open_job
from harness import Account, Product
from writing_kit import Writer


@pytest.fixture(autouse=True)
def _no_pauses() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
async def account(product: Product) -> Account:
    return await product.synced(company_with_open_job(applications=5))


@pytest.fixture
async def writer(account: Account) -> Writer:
    return await Writer.of(account)
