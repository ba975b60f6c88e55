"""A right that only the background needs is seen by the commands that tell how an integration is."""

from __future__ import annotations

import asyncio

import pytest
from typer.testing import CliRunner

from atsumi.server.cli import app
from atsumi.server.doctor import examine
from atsumi.server.unread import unread_listings
from atsumi.store import runs
from harness import MASTER_KEY, Account, Product
from scope_kit import disable

WITHOUT_DOCUMENTS = ["personio:recruiting:read", "personio:persons:read"]


async def refused(product: Product) -> Account:
    account = await product.connect()
    account.simulator.set_scopes(WITHOUT_DOCUMENTS)
    await account.sync("full")
    await account.background()
    return account


async def test_nothing_is_unread_where_every_right_is_there(product: Product) -> None:
    account = await product.synced()
    await account.background()
    assert await unread_listings(account.runtime, await account.fresh()) == {}


async def test_a_refused_background_listing_is_told_until_it_was_read(product: Product) -> None:
    account = await refused(product)
    for _ in range(2):
        (found,) = (await unread_listings(account.runtime, await account.fresh())).items()
        assert found[0] == "documents"
        assert "Documents: read" in found[1]
        await account.sync("full")

    account.simulator.set_scopes([*WITHOUT_DOCUMENTS, "personio:documents:read"])
    await account.pool.execute("UPDATE stream_watermark SET paused_until = NULL WHERE integration = $1", account.number)
    assert await account.background() == "SUCCEEDED"
    assert await unread_listings(account.runtime, await account.fresh()) == {}


async def test_what_is_out_of_scope_is_not_missed(product: Product) -> None:
    account = await refused(product)
    await disable(account, "attachment")
    assert await unread_listings(account.runtime, await account.fresh()) == {}


async def test_the_doctor_and_the_integration_tell_of_it_and_of_how_far_a_run_is(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await refused(product)
    await account.sync("full")
    claim = await account.claim("full")
    names = [stream.name for stream in account.runtime.connector("personio").streams]
    await runs.plan_streams(account.pool, claim, names)
    settings = product.runtime.settings
    told = [one.text for one in [found async for found in examine(settings)] if one.subject == account.integration.id]
    assert [text for text in told if "documents was not read" in text and "Documents: read" in text]

    monkeypatch.setenv("ATSUMI_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("ATSUMI_DATABASE_URL", product.runtime.database_url)
    monkeypatch.setenv("ATSUMI_MASTER_KEY", MASTER_KEY)
    monkeypatch.setenv("ATSUMI_LOG_LEVEL", "error")
    shown = await asyncio.to_thread(CliRunner().invoke, app, ["integrations", "show", account.integration.id])
    assert shown.exit_code == 0, shown.output
    assert "not read      documents: " in shown.stdout
    assert "under way     0 % of the full run" in shown.stdout
