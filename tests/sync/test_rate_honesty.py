"""A tool's budget is used and not exceeded, by however many processes.

Counted at the simulator, on its clock, over loopback. Time passes when told (:mod:`asking_kit`), so the windows are
those of the tool, with nothing scaled, and the counts do not depend on the machine.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pytest

from asking_kit import ToldTime, order, served_account
from atsumi.connectors.personio.client import PersonioClient
from atsumi.connectors.personio.facts import MANIFEST
from atsumi.connectors.personio.simulator import Simulator
from atsumi.errors import RateLimited
from atsumi.store.windows import MARGIN_SECONDS
from harness import Account, Product, small_company

PROCESSES = 2
USED_FRACTION = 0.95
CREATE = "/v1/recruiting/applications"
LAST_WINDOW_SECONDS = 2 * (60 + MARGIN_SECONDS) + 1
"""After so long the third 20 of a tool's 20 per 60 s (Personio NOTES section 14) have arrived, however slowly."""


class Window(NamedTuple):
    """A limit of the tool: ``refilled`` requests a second and ``burst`` at once."""

    what: str
    path: str
    refilled: float
    burst: int
    switches: dict[str, Any]
    spared: float = 0
    tasks: int = 8
    """Of each process, each with one request under way."""
    seconds: float = 1


WINDOWS = {
    # The simulator's own, and the 30 a second that were seen for persons (Personio NOTES section 14).
    "recruiting": Window("moves", "/stage-transitions", 200, 400, {}, tasks=12),
    "persons": Window(
        "persons", "/v2/persons", 30, 30, {"persons_replenish_per_second": 30, "persons_burst": 30}, seconds=4
    ),
    # 150 a minute, beyond that one a second for a minute.
    "token": Window("token", "/v2/auth/token", 150 / 60, 0, {}, seconds=120, tasks=4),
    # What runs in the background leaves half of each budget to others, and uses all that nobody else wants.
    "background": Window(
        "moves", "/stage-transitions", 20, 40, {"v2_replenish_per_second": 20, "v2_burst": 40}, spared=0.5, seconds=4
    ),
}


def answers(account: Account, path: str) -> list[tuple[datetime, int]]:
    found = [entry for entry in account.simulator.log.entries if entry.path.endswith(path)]
    return [(datetime.fromisoformat(entry.at), entry.status) for entry in found]


@pytest.mark.parametrize("name", WINDOWS)
async def test_two_processes_use_the_budget_and_no_request_is_refused(product: Product, name: str) -> None:
    window = WINDOWS[name]
    async with served_account(product, Simulator(applications=3, jobs=2)) as account:
        simulator = account.simulator
        simulator.switch(**window.switches)
        # A token: who fetches one keeps the others waiting in the database, where told time is not known.
        await PersonioClient(await product.runtime.context(account.integration)).categories()
        application = simulator.state("applications")["applications"][0]["id"]
        orders = [
            await order(
                account,
                window.what,
                window.tasks,
                application=application,
                spared=window.spared,
                seed=seed,
                is_told_time=True,
            )
            for seed in range(PROCESSES)
        ]
        async with ToldTime.begin(account.pool, simulator, *orders) as time:
            # The first answers tell the budget, which is another one than the manifest's guess.
            await time.pass_by(1)
            simulator.log.clear()
            await time.pass_by(window.seconds)
            steady = answers(account, window.path)
            # A full bucket is where both counts begin anew, and the easiest to overdraw.
            await time.stand_idle((window.burst + PROCESSES * window.tasks) / window.refilled)
            await time.pass_by(window.seconds / 2)
        seen = answers(account, window.path)
    assert {status for _, status in seen} == {200}
    allowed = window.refilled * window.seconds
    assert len(steady) >= USED_FRACTION * allowed


async def test_writes_fill_every_window_of_the_tool_while_reads_go_on(product: Product) -> None:
    async with served_account(product, Simulator(applications=3, jobs=2)) as account:
        simulator = account.simulator
        simulator.switch(v2_replenish_per_second=2, v2_burst=20)
        await PersonioClient(await product.runtime.context(account.integration)).categories()
        application = simulator.state("applications")["applications"][0]["id"]
        job = simulator.state("published")["published"][0]["id"]
        writing = [
            await order(account, "writes", 30, job=job, seed=seed, is_told_time=True) for seed in range(PROCESSES)
        ]
        reading = await order(account, "moves", 8, application=application, seed=PROCESSES, is_told_time=True)
        async with ToldTime.begin(account.pool, simulator, *writing, reading) as time:
            # The first answers tell readers their budget.
            await time.pass_by(10)
            begun = simulator.clock.now()
            seconds = LAST_WINDOW_SECONDS - 10
            await time.pass_by(seconds)
        written = answers(account, CREATE)
        read = [status for at, status in answers(account, "/stage-transitions") if at > begun]
    assert [status for _, status in written] == [201] * 60
    arrived = [at for at, _ in written]
    assert all(later - earlier >= timedelta(seconds=60) for earlier, later in zip(arrived, arrived[20:], strict=False))
    assert set(read) == {200}
    assert len(read) >= USED_FRACTION * 2 * seconds


async def test_a_refusal_stops_everybody_until_the_tool_has_room(product: Product) -> None:
    account = await product.synced(small_company(applications=3))
    application = str(account.simulator.state()["applications"][0]["id"])
    account.simulator.inject("429", path="/v2/recruiting/applications/")
    account.simulator.log.clear()
    first, second = [PersonioClient(await product.runtime.context(account.integration)) for _ in range(2)]
    with pytest.raises(RateLimited) as refused:
        await first.stage_transitions(application)
    await second.stage_transitions(application)
    [(at, refusal), (following, status)] = answers(account, "/stage-transitions")
    assert (refusal, status) == (429, 200)
    assert following >= refused.value.retry_at > at


@pytest.mark.parametrize(("bucket", "requests", "seconds"), [("token", 150, 60)])
def test_a_stated_window_is_never_exceeded(bucket: str, requests: int, seconds: int) -> None:
    """However a window lies, it holds at most a full bucket and what is refilled meanwhile."""
    limit = MANIFEST.limit(bucket)
    assert limit.burst + limit.per_second * seconds <= requests
    assert limit.per_second * seconds >= USED_FRACTION * requests
