"""A tool's budget is used and not exceeded, by however many processes. Counted at the simulator, on its clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

import pytest

from atsumi.connectors.personio.client import PersonioClient
from atsumi.connectors.personio.facts import MANIFEST
from atsumi.errors import RateLimited
from atsumi.server.runtime import Runtime
from atsumi.store import database
from harness import Account, Product, small_company

RATE, BURST = 20, 40
TASKS = 12
"""Of each process, each with one request under way."""
USED_FRACTION = 0.95


@asynccontextmanager
async def processes(product: Product, count: int) -> AsyncIterator[list[Runtime]]:
    """Runtimes that share the database and nothing else."""
    pools = [await database.connect(product.runtime.database_url, size=4) for _ in range(count)]
    try:
        yield [replace(product.runtime, pool=pool, light_pool=pool, tokens={}) for pool in pools]
    finally:
        for pool in pools:
            await database.close(pool)


async def work(runtimes: list[Runtime], account: Account, seconds: float, *, spared: float = 0) -> None:
    """Ask for stage transitions, as much as the budget allows."""
    application = str(account.simulator.state()["applications"][0]["id"])
    contexts = [await runtime.context(account.integration, spared_fraction=spared) for runtime in runtimes]
    end = asyncio.get_running_loop().time() + seconds

    async def one(client: PersonioClient) -> None:
        while asyncio.get_running_loop().time() < end:
            await client.stage_transitions(application)

    await asyncio.gather(*(one(PersonioClient(context)) for context in contexts for _ in range(TASKS)))


def answers(account: Account) -> list[tuple[datetime, int]]:
    found = [entry for entry in account.simulator.log.entries if entry.path.endswith("/stage-transitions")]
    return [(datetime.fromisoformat(entry.at), entry.status) for entry in found]


@pytest.mark.parametrize("spared", [0, 0.5])
async def test_two_processes_use_the_budget_and_no_request_is_refused(product: Product, spared: float) -> None:
    account = await product.synced(small_company(applications=3))
    account.simulator.switch(v2_rate_limit=True, v2_replenish_per_second=RATE, v2_burst=BURST)
    async with processes(product, 2) as runtimes:
        # The first answers tell the budget, which is another one than the manifest's guess.
        await work(runtimes, account, 0.1, spared=spared)
        account.simulator.log.clear()
        await work(runtimes, account, 2.5, spared=spared)
        steady = answers(account)
        # A full bucket is where both counts begin anew, and the easiest to overdraw.
        await asyncio.sleep(BURST / RATE)
        await work(runtimes, account, 2.5, spared=spared)
    seen = answers(account)
    assert {status for _, status in seen} == {200}
    times = [at for at, _ in steady]
    seconds = (times[-1] - times[0]).total_seconds()
    assert seconds > 2
    assert len(times) - 1 >= USED_FRACTION * RATE * seconds


async def test_a_refusal_stops_everybody_until_the_tool_has_room(product: Product) -> None:
    account = await product.synced(small_company(applications=3))
    application = str(account.simulator.state()["applications"][0]["id"])
    account.simulator.inject("429", path="/v2/recruiting/applications/")
    account.simulator.log.clear()
    async with processes(product, 2) as runtimes:
        first, second = [PersonioClient(await runtime.context(account.integration)) for runtime in runtimes]
        with pytest.raises(RateLimited) as refused:
            await first.stage_transitions(application)
        await second.stage_transitions(application)
    [(at, refusal), (following, status)] = answers(account)
    assert (refusal, status) == (429, 200)
    assert following >= refused.value.retry_at > at


@pytest.mark.parametrize(("bucket", "requests", "seconds"), [("token", 150, 60)])
def test_a_stated_window_is_never_exceeded(bucket: str, requests: int, seconds: int) -> None:
    """However a window lies, it holds at most a full bucket and what is refilled meanwhile."""
    limit = MANIFEST.limit(bucket)
    assert limit.burst + limit.per_second * seconds <= requests
    assert limit.per_second * seconds >= 0.9 * requests
