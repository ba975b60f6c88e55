"""The request budget of API callers: never more than the limit in all, whoever counts."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from atsumi.store import database
from atsumi.store.request_windows import WINDOW_SECONDS, RequestWindows, Window, forget_windows
from harness import Product


@pytest.fixture
async def other_pool(product: Product) -> AsyncIterator[asyncpg.Pool]:
    """Connections of a second process."""
    pool = await database.connect(product.runtime.database_url, size=2)
    yield pool
    await database.close(pool)


@pytest.fixture
async def key(product: Product) -> str:
    """A caller's key, with enough of the minute left for a test."""
    left = WINDOW_SECONDS - datetime.now(UTC).timestamp() % WINDOW_SECONDS
    if left < 10:
        await asyncio.sleep(left)
    return secrets.token_hex(8)


async def take(windows: RequestWindows, key: str, times: int) -> list[Window]:
    found = [await windows.take(key) for _ in range(times)]
    return [window for window in found if window is not None]


async def used_of(product: Product, key: str) -> int:
    used: int = await product.runtime.pool.fetchval("SELECT used FROM request_window WHERE key = $1", key)
    return used


@pytest.mark.parametrize("limit", [1, 2, 3, 20, 50, 200])
async def test_one_process_gives_out_exactly_the_limit(product: Product, key: str, limit: int) -> None:
    windows = await take(RequestWindows(product.runtime.light_pool, limit), key, limit + 5)
    assert [window.is_allowed for window in windows] == [True] * limit + [False] * 5
    assert [window.remaining for window in windows] == [*range(limit - 1, -1, -1), 0, 0, 0, 0, 0]
    assert {window.limit for window in windows} == {limit}
    assert all(1 <= window.seconds_left <= WINDOW_SECONDS for window in windows)
    (reset_at,) = {window.reset_at for window in windows}
    assert reset_at % WINDOW_SECONDS == 0


@pytest.mark.parametrize("limit", [1, 7, 50, 200])
async def test_processes_never_give_out_more_than_the_limit_together(
    product: Product, other_pool: asyncpg.Pool, key: str, limit: int
) -> None:
    both = [RequestWindows(product.runtime.light_pool, limit), RequestWindows(other_pool, limit)]
    found = await asyncio.gather(*(both[place % 2].take(key) for place in range(3 * limit)))
    assert sum(window is not None and window.is_allowed for window in found) == limit


async def test_little_stays_unused_where_callers_change_between_processes(
    product: Product, other_pool: asyncpg.Pool, key: str
) -> None:
    mine, other = RequestWindows(product.runtime.light_pool, 200), RequestWindows(other_pool, 200)
    await take(other, key, 1)
    assert sum(window.is_allowed for window in await take(mine, key, 300)) == 190
    assert sum(window.is_allowed for window in await take(other, key, 300)) == 9


async def test_what_remains_never_grows_within_a_minute(product: Product, other_pool: asyncpg.Pool, key: str) -> None:
    mine, other = RequestWindows(product.runtime.light_pool, 60), RequestWindows(other_pool, 60)
    shown: list[int] = []
    for _ in range(30):
        shown += [window.remaining for window in await take(mine, key, 2)]
        await take(other, key, 1)
    assert shown == sorted(shown, reverse=True)
    assert shown[-1] == 0


async def test_most_requests_do_not_ask_the_database(product: Product, key: str) -> None:
    windows = RequestWindows(product.runtime.light_pool, 2000)
    await take(windows, key, 100)
    assert await used_of(product, key) == 100
    await take(windows, key, 1)
    assert await used_of(product, key) == 200
    await take(windows, key, 99)
    assert await used_of(product, key) == 200


async def test_callers_do_not_share_a_budget(product: Product, key: str) -> None:
    windows = RequestWindows(product.runtime.light_pool, 2)
    assert [window.is_allowed for window in await take(windows, key, 3)] == [True, True, False]
    assert [window.is_allowed for window in await take(windows, key + "other", 1)] == [True]


async def test_the_next_minute_begins_anew(product: Product, key: str) -> None:
    windows = RequestWindows(product.runtime.light_pool, 2)
    assert [window.is_allowed for window in await take(windows, key, 3)] == [True, True, False]
    await product.runtime.pool.execute(
        "UPDATE request_window SET started_at = started_at - interval '1 minute' WHERE key = $1", key
    )
    # Another process, which knows nothing of the minute that is over.
    other = RequestWindows(product.runtime.light_pool, 2)
    assert [window.is_allowed for window in await take(other, key, 3)] == [True, True, False]


async def test_a_lease_ends_with_its_minute(product: Product, key: str) -> None:
    passed = 0.0
    windows = RequestWindows(product.runtime.light_pool, 40, clock=lambda: datetime.now(UTC).timestamp() + passed)
    (first,) = await take(windows, key, 1)
    passed = float(first.seconds_left)
    (after,) = await take(windows, key, 1)
    # The database's minute goes on: what was leased before counts in it.
    assert await used_of(product, key) == 4
    assert (first.remaining, after.remaining) == (39, 37)


async def test_a_process_whose_clock_is_wrong_counts_the_same_minutes(product: Product, key: str) -> None:
    wrong = RequestWindows(product.runtime.light_pool, 2, clock=lambda: datetime.now(UTC).timestamp() - 12_345)
    found = await take(wrong, key, 3)
    assert [window.is_allowed for window in found] == [True, True, False]
    assert {window.reset_at for window in found} == {
        int(datetime.now(UTC).timestamp()) // WINDOW_SECONDS * WINDOW_SECONDS + WINDOW_SECONDS
    }


async def test_a_past_minute_never_comes_back(product: Product, key: str) -> None:
    await product.runtime.pool.execute(
        "INSERT INTO request_window VALUES ($1, date_trunc('minute', now()) + interval '1 minute', 1)", key
    )
    # As when somebody has begun the next minute while our question waited for the row: it must not be reset.
    windows = RequestWindows(product.runtime.light_pool, 2)
    assert [window.is_allowed for window in await take(windows, key, 1)] == [False]
    assert await used_of(product, key) == 1


async def test_without_a_limit_nothing_is_counted(product: Product, key: str) -> None:
    windows = RequestWindows(product.runtime.light_pool, 0)
    assert await windows.take(key) is None
    assert windows.untouched() is None
    assert await product.runtime.pool.fetchval("SELECT count(*) FROM request_window WHERE key = $1", key) == 0


async def test_a_caller_of_whom_nothing_is_known_has_all_of_it(product: Product) -> None:
    window = RequestWindows(product.runtime.light_pool, 200).untouched()
    assert window is not None
    assert (window.limit, window.remaining, window.is_allowed) == (200, 200, True)


async def test_counts_of_past_minutes_are_removed(product: Product, key: str) -> None:
    await take(RequestWindows(product.runtime.light_pool, 5), key, 1)
    await forget_windows(product.runtime.pool, datetime.now(UTC) - timedelta(hours=1))
    assert await used_of(product, key) == 1
    await forget_windows(product.runtime.pool, datetime.now(UTC) + timedelta(seconds=1))
    assert await product.runtime.pool.fetchval("SELECT count(*) FROM request_window WHERE key = $1", key) == 0
