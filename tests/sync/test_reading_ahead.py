"""What is read ahead of its use: no more than said, and no more than that is read again after a stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atsumi.connector.contract import Page
from atsumi.sync.page import PageResult
from atsumi.sync.run import _ahead, execute
from harness import Product, small_company

LISTING = "/v2/recruiting/applications"
PAGES, PAGE_SIZE = 8, 5


@settings(deadline=None)
@given(size=st.integers(0, 4), count=st.integers(0, 8))
def test_no_more_pages_are_asked_for_than_are_read_ahead(size: int, count: int) -> None:
    asked = 0

    async def listing() -> AsyncGenerator[Page]:
        nonlocal asked
        for number in range(count):
            asked += 1
            yield Page((), position=str(number))

    async def read() -> None:
        used = []
        async for page in _ahead(listing(), size):
            used.append(page.position)
            for _ in range(20):
                await asyncio.sleep(0)
            assert asked == min(count, len(used) + size)
        assert used == [str(number) for number in range(count)]

    asyncio.run(read())


@pytest.mark.parametrize(
    ("changes", "read_again"), [({}, 1), ({"prefetch": 1}, 2), ({"prefetch": 3}, 4)], ids=["default", "1", "3"]
)
@pytest.mark.parametrize("stops_at", [1, 4])
async def test_a_stopped_run_reads_the_page_under_way_again_and_none_but_those_read_ahead_on_wish(
    product: Product, monkeypatch: pytest.MonkeyPatch, changes: dict[str, int], read_again: int, stops_at: int
) -> None:
    monkeypatch.setattr("atsumi.connectors.personio.client.PAGE_SIZE", PAGE_SIZE)
    account = await product.connect(small_company(applications=PAGES * PAGE_SIZE))
    claim, stored = await account.claim("full"), 0

    def stop(stream: str, _: PageResult) -> None:
        nonlocal stored
        stored += stream == "applications"
        if stored == stops_at:
            running.cancel()

    running = asyncio.create_task(execute(await account.work(claim, observe=stop, **changes)))
    with pytest.raises(asyncio.CancelledError):
        await running
    run = await account.resume(claim.run.id)

    assert run.state == "SUCCEEDED"
    assert PAGES <= account.simulator.log.counts[f"GET {LISTING}"] <= PAGES + read_again
    assert len(await account.remote_ids("applications")) == PAGES * PAGE_SIZE
