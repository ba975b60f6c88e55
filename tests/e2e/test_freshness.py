"""Lists say how fresh they are, and never more than was read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from atsumi.sync.modes import switch
from harness import Account, Product
from scope_kit import disable


async def as_of(account: Account, name: str) -> datetime | None:
    """How fresh a list of the Kombo surface is, from its header and its body alike."""
    answer = await account.get(f"/ats/{name}")
    assert answer.status_code == 200, answer.text
    told = answer.json()["data"]["as_of"]
    assert answer.headers.get("x-atsumi-as-of") == told
    return datetime.fromisoformat(told) if told is not None else None


async def read_from(account: Account, stream: str) -> datetime | None:
    """From when on the next incremental run reads the stream."""
    [row] = await account.fetch(
        "SELECT complete_from FROM stream_watermark WHERE integration = $1 AND stream = $2", stream
    )
    return row["complete_from"]


async def set_mode(account: Account, mode: str, **named: Any) -> None:
    target = await account.runtime.target(account.integration)
    await switch(account.pool, account.number, target, mode, **named)


async def test_a_list_whose_own_listing_was_never_read_claims_no_freshness(product: Product) -> None:
    account = await product.synced()
    assert await as_of(account, "applications") is not None
    assert await as_of(account, "attachments") is None, "files are read in the background"
    await account.sync("incremental")
    assert await as_of(account, "attachments") is None

    assert await account.background() == "SUCCEEDED"
    assert await as_of(account, "attachments") is not None


async def test_a_list_that_the_tool_refuses_claims_no_freshness(product: Product) -> None:
    account = await product.connect()
    account.simulator.set_scopes(["personio:recruiting:read", "personio:persons:read"])
    await account.sync("full")
    assert await account.background() == "PARTIALLY_FAILED"
    for _ in range(2):
        await account.sync("incremental")
        assert await as_of(account, "attachments") is None
    assert await as_of(account, "applications") is not None


async def test_details_that_were_never_read_hide_no_freshness(product: Product) -> None:
    account = await product.synced()
    read = await as_of(account, "jobs")
    assert read is not None
    await account.pool.execute(
        "DELETE FROM stream_watermark WHERE integration = $1 AND stream LIKE 'feed:%'", account.number
    )
    assert await as_of(account, "jobs") == read


async def test_a_list_that_is_out_of_scope_claims_no_freshness(product: Product) -> None:
    account = await product.synced()
    await account.background()
    await disable(account, "attachment")
    answer = await account.get("/ats/attachments")
    assert "x-atsumi-as-of" not in answer.headers


async def test_what_a_mode_leaves_unread_is_as_fresh_as_the_run_that_left_it_out(product: Product) -> None:
    account = await product.connect()
    await set_mode(account, "created_only")
    await account.sync("full")
    first = await as_of(account, "applications")
    assert first is not None
    assert await as_of(account, "candidates") == first
    await account.sync("incremental")
    second = await as_of(account, "applications")
    assert second is not None
    assert second > first
    await set_mode(account, "created_only")
    assert await as_of(account, "applications") == second, "the mode is the same"

    await set_mode(account, "all")
    assert await as_of(account, "applications") is None, "nothing of what the mode left out was read yet"
    await account.sync("full")
    third = await as_of(account, "applications")
    assert third is not None
    assert third > second


async def test_a_switch_to_less_does_not_stop_the_clock(product: Product) -> None:
    account = await product.synced()
    before, begins = await as_of(account, "applications"), await read_from(account, "applications")
    assert before is not None
    await set_mode(account, "created_only")
    await account.sync("full")
    after = await as_of(account, "applications")
    assert after is not None
    assert after > before
    assert await read_from(account, "applications") == begins, "the next read begins where the last one did"
