"""Surfaces that are switched on and off: their documents become complete by themselves, and are never half told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import httpx2
import pytest

from atsumi.dialects.bindbee.projection import projection as bindbee
from atsumi.dialects.kombo.projection import projection as kombo
from atsumi.server.app import create_app
from atsumi.server.remapping import execute_run
from atsumi.server.runtime import Runtime
from atsumi.server.worker import Worker
from atsumi.store import connectors, dialects, queue, runs
from atsumi.sync.projection import Projection
from atsumi.sync.run import execute
from harness import Account, Product, small_company


def only(account: Account, *projections: Projection) -> Runtime:
    """Another process, in which these surfaces are switched on."""
    return replace(account.runtime, projections=projections)


async def complete(account: Account) -> set[int]:
    rows = await account.fetch("SELECT dialect FROM integration_dialect WHERE integration = $1")
    return {row["dialect"] for row in rows}


async def sync(account: Account, runtime: Runtime, kind: str = "full") -> None:
    claim = await account.claim(kind)
    await execute(await runtime.work(claim, await account.fresh()))


async def open_remaps(account: Account) -> Sequence[runs.Run]:
    found = await runs.latest_runs(account.pool, account.number)
    return [run for run in found if run.kind == "remap" and run.ended_at is None]


async def finish_remap(account: Account, runtime: Runtime) -> str:
    (run,) = await open_remaps(account)
    claim = await runs.claim_run(account.pool, run.id)
    assert claim is not None
    return await execute_run(runtime, claim, await account.fresh())


async def listed(account: Account, runtime: Runtime, name: str = "jobs") -> tuple[httpx2.Response, httpx2.Response]:
    """The list of jobs, or another one, as each surface answers."""
    token = await connectors.token_of(account.pool, runtime.vault, account.integration)
    transport = httpx2.ASGITransport(app=create_app(runtime))
    async with httpx2.AsyncClient(transport=transport, base_url="http://api.test") as api:
        headers = {**account.headers, "x-connector-token": token}
        first = await api.get(f"/v1/ats/{name}", headers=headers)
        return first, await api.get(f"/api/ats/v1/{name}", headers=headers)


async def requested(account: Account) -> Sequence[runs.Run]:
    """Its open remaps, once it is its turn: a worker requests a few at a time, those of other tests too."""
    for _ in range(50):
        await Worker(account.runtime).due_documents()
        if found := await open_remaps(account):
            return found
    return []


@pytest.fixture
async def account(product: Product) -> Account:
    """An integration that was synced while only the first surface was there."""
    account = await product.connect(small_company(applications=6, jobs=2))
    await sync(account, only(account, kombo))
    return account


async def test_a_new_integration_is_complete_for_every_surface_from_the_start(product: Product) -> None:
    account = await product.connect()
    assert await complete(account) == {kombo.code, bindbee.code}


async def test_a_surface_that_is_switched_on_later_is_completed_without_the_tool(account: Account) -> None:
    assert await complete(account) == {kombo.code}
    before, partial = await listed(account, account.runtime)
    assert before.status_code == partial.status_code == 200
    assert partial.json()["items"] == []
    assert partial.headers["x-atsumi-complete"] == "false"
    assert "x-atsumi-as-of" not in partial.headers

    account.product.origins.is_cut.add(account.origin.removeprefix("http://"))
    (run,) = await requested(account)
    assert run.only_documents
    assert await finish_remap(account, account.runtime) == "SUCCEEDED"

    assert await complete(account) == {kombo.code, bindbee.code}
    after, whole = await listed(account, account.runtime)
    assert after.content == before.content
    assert {row["remote_id"] for row in whole.json()["items"]} == {
        row["remote_id"] for row in before.json()["data"]["results"]
    }
    assert "x-atsumi-complete" not in whole.headers
    assert whole.headers["x-atsumi-as-of"] == before.headers["x-atsumi-as-of"]
    assert await account.fragments() == await account.rendered_anew()


async def test_before_its_first_sync_an_integration_says_that_nothing_is_complete(product: Product) -> None:
    account = await product.connect()
    refused, partial = await listed(account, account.runtime)
    assert refused.json()["error"]["code"] == "INTEGRATION.SETUP_SYNC_PENDING"
    assert (partial.status_code, partial.headers["x-atsumi-complete"]) == (200, "false")


async def test_the_surface_with_an_error_for_it_refuses_what_is_not_complete(product: Product) -> None:
    account = await product.connect(small_company(applications=6, jobs=2))
    await sync(account, only(account, bindbee))
    refused, whole = await listed(account, account.runtime)
    assert refused.json()["error"]["code"] == "INTEGRATION.SETUP_SYNC_PENDING"
    assert "x-atsumi-complete" not in whole.headers
    await dialects.request_missing(account.pool, [kombo.code, bindbee.code], 10_000)
    assert await finish_remap(account, account.runtime) == "SUCCEEDED"
    assert (await listed(account, account.runtime))[0].status_code == 200


async def test_a_surface_that_was_switched_off_is_rendered_anew_when_it_is_switched_on(product: Product) -> None:
    account = await product.synced(small_company(applications=6, jobs=2))
    assert await complete(account) == {kombo.code, bindbee.code}
    candidate = account.simulator.state("candidates")["candidates"][0]["id"]
    account.simulator.edit_candidate(candidate, phone="+49 30 5550177")
    await sync(account, only(account, kombo), "incremental")
    assert await complete(account) == {kombo.code}
    await dialects.request_missing(account.pool, [kombo.code, bindbee.code], 10_000)
    assert await finish_remap(account, account.runtime) == "SUCCEEDED"
    _, shown = await listed(account, account.runtime, "candidates")
    (edited,) = [row for row in shown.json()["items"] if row["remote_id"] == candidate]
    assert edited["phone_numbers"] == ["+49 30 5550177"]


async def test_surfaces_that_are_switched_off_are_not_served(account: Account) -> None:
    first, second = await listed(account, only(account, kombo))
    assert (first.status_code, second.status_code) == (200, 404)


async def test_one_run_is_requested_and_a_failed_one_is_not_repeated_at_once(account: Account) -> None:
    for _ in range(3):
        await dialects.request_missing(account.pool, [kombo.code, bindbee.code], 10_000)
    (run,) = await open_remaps(account)
    await account.pool.execute("UPDATE sync_run SET state = 'FAILED', ended_at = now() WHERE id = $1", run.id)
    await dialects.request_missing(account.pool, [kombo.code, bindbee.code], 10_000)
    assert await open_remaps(account) == []
    await account.pool.execute("UPDATE sync_run SET ended_at = now() - interval '2 hours' WHERE id = $1", run.id)
    await dialects.request_missing(account.pool, [kombo.code, bindbee.code], 10_000)
    assert len(await open_remaps(account)) == 1


@pytest.mark.parametrize("state", ["INVALID", "INACTIVE"])
async def test_the_run_needs_no_tool_and_so_no_credentials(account: Account, state: str) -> None:
    await account.pool.execute("UPDATE integration SET state = $2 WHERE number = $1", account.number, state)
    await dialects.request_missing(account.pool, [kombo.code, bindbee.code], 10_000)
    (run,) = await open_remaps(account)
    assert run.id in [one.id for one in await queue.due_runs(account.pool, 10_000)]
    assert await finish_remap(account, account.runtime) == "SUCCEEDED"
    assert await complete(account) == {kombo.code, bindbee.code}


async def test_a_run_that_was_begun_without_the_surface_does_not_complete_it(account: Account) -> None:
    run, _ = await runs.request_run(account.pool, account.number, "remap", only_documents=True)
    claim = await runs.claim_run(account.pool, run.id)
    assert claim is not None
    await execute_run(only(account, kombo), claim, await account.fresh())
    assert await complete(account) == {kombo.code}


async def test_a_request_for_everything_makes_a_waiting_run_do_everything(account: Account) -> None:
    first, _ = await runs.request_run(account.pool, account.number, "remap", only_documents=True)
    second, was_waiting = await runs.request_run(account.pool, account.number, "remap")
    assert (second.id, was_waiting, second.only_documents) == (first.id, True, False)
    third, _ = await runs.request_run(account.pool, account.number, "remap", only_documents=True)
    assert not third.only_documents
