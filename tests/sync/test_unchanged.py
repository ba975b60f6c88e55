"""Reading the same again."""

from __future__ import annotations

import pytest

from harness import Product


@pytest.mark.parametrize("kind", ["full", "incremental"])
async def test_a_second_sync_emits_no_change_and_rewrites_no_row(product: Product, kind: str) -> None:
    account = await product.synced()
    before, documents = await account.row_versions(), await account.documents()

    run = await account.sync(kind)

    assert run.state == "SUCCEEDED"
    assert await account.row_versions() == before
    assert await account.documents() == documents
