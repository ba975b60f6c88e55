"""What costs a request per record is read beside everything else, and ends in the same place."""

from __future__ import annotations

import asyncio
import copy
from collections import Counter
from typing import Any

import pytest

from atsumi.connectors.personio.simulator import Simulator
from atsumi.errors import RateLimited
from atsumi.model.catalog import CODES
from atsumi.model.names import Model
from atsumi.server.background import request_due, run_background
from atsumi.server.connecting import reconnect
from atsumi.store import background, runs
from atsumi.store.tokens import SharedBuckets
from atsumi.sync.background import Slice
from atsumi.sync.run import execute
from harness import Account, Product, until


def asked(simulator: Simulator, end: str) -> Counter[str]:
    """How often each path ending like this was asked for since the log was cleared."""
    return Counter(entry.path for entry in simulator.log.entries if entry.path.endswith(end))


async def kept(account: Account, model: Model) -> dict[str, dict[str, Any]]:
    """Present records of a model by remote id."""
    rows = await account.canonical()
    return {id: data for (code, id), (data, is_deleted) in rows.items() if code == CODES[model] and not is_deleted}


async def due(account: Account) -> list[runs.Run]:
    """The background run that a tick requests for the account, if any; it is taken away again."""
    await request_due(account.runtime)
    found = [run for run in await runs.latest_runs(account.pool, account.number) if run.kind == "background"]
    open_runs = [run for run in found if run.ended_at is None]
    await account.pool.execute("DELETE FROM sync_run WHERE id = ANY($1)", [run.id for run in open_runs])
    return open_runs


async def test_the_first_sync_waits_for_no_moves_and_files(product: Product) -> None:
    account = await product.synced()
    assert not asked(account.simulator, "/stage-transitions")
    assert not asked(account.simulator, "/documents")
    assert (await account.rows("jobs"))[0]["screening_questions"] is not None
    assert asked(account.simulator, "/apply")


async def test_the_background_brings_moves_rejections_and_files(product: Product) -> None:
    account = await product.synced()
    assert await account.background() == "SUCCEEDED"
    moves = await kept(account, Model.STAGE_TRANSITION)
    company = account.simulator.company
    expected = {str(one.id): len(company.transitions(one)) for one in company.applications}
    assert Counter(one["application_remote_id"] for one in moves.values()) == expected
    files = {str(document.id) for one in company.applications for document in company.documents(one)}
    assert set(await kept(account, Model.ATTACHMENT)) == files == await account.remote_ids("attachments")
    for row in await account.rows("applications"):
        is_rejected = row["current_stage"]["remote_id"] in ("system:rejected", "system:withdrawn")
        assert (row["rejected_at"] is not None) == is_rejected
    for row in await account.rows("attachments"):
        assert row["type"] in ("CV", "COVER_LETTER", "OTHER")
        assert row["content_ref"] is None
        assert row["candidate_id"]
    assert await account.fragments() == await account.rendered_anew()


async def test_only_applications_that_moved_are_asked_for_again(product: Product) -> None:
    account = await product.synced()
    await account.background()
    assert await due(account) == []
    simulator = account.simulator
    moved = str(simulator.state()["applications"][0]["id"])
    simulator.log.clear()
    simulator.clock.advance(5)
    simulator.move_application(moved, "rejected")
    simulator.edit_job(simulator.state()["jobs"][0]["id"], name="Renamed")
    await account.sync()
    await account.sync("full")
    assert await due(account)
    await account.background()
    assert asked(simulator, "/stage-transitions") == {f"/v2/recruiting/applications/{moved}/stage-transitions": 1}
    moves = [
        one for one in (await kept(account, Model.STAGE_TRANSITION)).values() if one["application_remote_id"] == moved
    ]
    assert sum("left_at" not in one for one in moves) == 1
    [row] = [row for row in await account.rows("applications") if row["remote_id"] == moved]
    assert row["rejected_at"] is not None


async def test_a_run_that_found_nothing_leaves_no_trace(product: Product) -> None:
    account = await product.synced()
    await account.background()
    history = await runs.latest_runs(account.pool, account.number)
    assert await account.background() == "SUCCEEDED"
    assert await runs.latest_runs(account.pool, account.number) == history


async def test_slices_of_any_size_end_in_the_same_place(product: Product) -> None:
    one, other = await product.synced(), await product.synced()
    await one.background()
    await other.background(slice=Slice(pages=1))
    for account in (one, other):
        assert set(asked(account.simulator, "/stage-transitions").values()) == {1}
    assert set(await kept(one, Model.STAGE_TRANSITION)) == set(await kept(other, Model.STAGE_TRANSITION))
    assert set(await kept(one, Model.ATTACHMENT)) == set(await kept(other, Model.ATTACHMENT))


async def test_a_slice_gives_way_to_other_runs(product: Product) -> None:
    account = await product.synced()
    claim = await account.claim("background")
    await runs.request_run(account.pool, account.number, "incremental")
    work = await account.work(claim)
    assert await execute(work) == "YIELDED"
    run = await runs.find_run(account.pool, claim.run.id)
    assert run is not None
    assert (run.state, run.attempts) == ("QUEUED", 0)
    # One batch of each stream at most.
    assert sum(asked(account.simulator, "/stage-transitions").values()) <= 5
    assert run.id not in await background.due(account.pool, 1000)
    assert (await account.sync()).state == "SUCCEEDED"
    assert run.id in await background.due(account.pool, 1000)


@pytest.mark.parametrize("pages", [1, 2, 5])
async def test_a_killed_slice_repeats_one_batch_of_each_stream(product: Product, pages: int) -> None:
    account = await product.synced()
    claim = await account.claim("background")
    stored = 0

    def die(stream: str, result: object) -> None:
        nonlocal stored
        stored += 1
        if stored == pages:
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        await execute(await account.work(claim, observe=die))
    # The process is gone: its lease runs out.
    await account.pool.execute("UPDATE sync_run SET heartbeat_at = '-infinity' WHERE id = $1", claim.run.id)
    assert (await account.sync()).state == "SUCCEEDED"
    await account.background()
    counts = asked(account.simulator, "/stage-transitions")
    assert len(counts) == len(account.simulator.company.applications)
    assert sum(counts.values()) <= len(counts) + 5


async def test_everything_is_read_again_when_it_is_time(product: Product) -> None:
    account = await product.synced()
    await account.background()
    simulator = account.simulator
    application = simulator.state()["applications"][0]["id"]
    document = str(simulator.add_document(application, "Portfolio.pdf"))
    person = simulator.state()["jobs"][0]["hiring_team"][0]["person_id"]
    simulator.edit_person(person, last_name="Neumann")
    await account.sync()
    assert await due(account) == []
    await account.pool.execute("UPDATE stream_watermark SET refresh_at = now() WHERE refresh_at IS NOT NULL")
    assert await due(account)
    await account.background(slice=Slice(pages=2))
    assert document in await account.remote_ids("attachments")
    assert "Neumann" in {row["last_name"] for row in await account.rows("users")}
    assert await due(account) == []


async def test_a_missing_right_rests_only_its_stream(product: Product) -> None:
    account = await product.connect()
    account.simulator.set_scopes(["personio:recruiting:read", "personio:persons:read"])
    assert (await account.sync("full")).state == "SUCCEEDED"
    assert await account.background() == "PARTIALLY_FAILED"
    assert await kept(account, Model.STAGE_TRANSITION)
    [run] = [run for run in await runs.latest_runs(account.pool, account.number) if run.kind == "background"]
    assert "Documents: read" in (run.message or "")
    assert await due(account) == []


async def test_files_of_an_employee_with_the_same_number_are_left_out(product: Product) -> None:
    account = await product.synced()
    simulator = account.simulator
    application = next(one for one in simulator.company.applications if simulator.company.documents(one))
    namesake = copy.copy(next(iter(simulator.company.persons)))
    namesake.id = application.id
    simulator.company.persons.add(namesake)
    await account.background()
    assert str(application.id) not in {
        one["application_remote_id"] for one in (await kept(account, Model.ATTACHMENT)).values()
    }


async def test_an_anonymised_application_loses_its_files(product: Product) -> None:
    account = await product.synced()
    await account.background()
    simulator = account.simulator
    files = await kept(account, Model.ATTACHMENT)
    application = next(iter(files.values()))["application_remote_id"]
    simulator.clock.advance(5)
    simulator.anonymise_application(application)
    await account.sync()
    left = {one["application_remote_id"] for one in (await kept(account, Model.ATTACHMENT)).values()}
    assert application not in left


async def test_a_process_finds_the_work_by_itself(product: Product) -> None:
    account = await product.synced()
    stop = asyncio.Event()
    running = asyncio.create_task(run_background(account.runtime, stop))
    try:

        async def has_ended() -> bool:
            newest = (await runs.latest_runs(account.pool, account.number))[0]
            return newest.kind == "background" and newest.state == "SUCCEEDED"

        await until(has_ended, "the background run")
    finally:
        stop.set()
        await running
    assert await kept(account, Model.STAGE_TRANSITION)


async def test_the_background_leaves_half_of_a_budget_to_others(product: Product) -> None:
    pool, key = product.runtime.light_pool, f"spared-{id(product)}/b"
    careful = SharedBuckets(pool, tool="t", patience_seconds=0, spared_fraction=0.5)
    others = SharedBuckets(pool, tool="t", patience_seconds=0)
    limit = (0.001, 10)
    for _ in range(5):
        await careful.acquire(key, limit)
    with pytest.raises(RateLimited):
        await careful.acquire(key, limit)
    for _ in range(5):
        await others.acquire(key, limit)
    with pytest.raises(RateLimited):
        await others.acquire(key, limit)


async def test_refused_credentials_are_left_to_the_next_sync(product: Product) -> None:
    account = await product.synced()
    secret = account.simulator.rotate_secret()
    account.simulator.log.clear()
    await account.pool.execute("UPDATE access_token SET expires_at = now() WHERE integration = $1", account.number)
    assert await account.background() == "AUTHENTICATION_FAILED"
    tried = account.simulator.log.counts["POST /v2/auth/token"]
    history = await runs.latest_runs(account.pool, account.number)
    assert tried >= 1

    for _ in range(3):
        # Of others' integrations any may be due by now.
        await request_due(account.runtime)
        assert await runs.latest_runs(account.pool, account.number) == history
    waiting, _ = await runs.request_run(account.pool, account.number, "background")
    assert waiting.id not in await background.due(account.pool, 100)
    await account.pool.execute("DELETE FROM sync_run WHERE id = $1", waiting.id)
    assert account.simulator.log.counts["POST /v2/auth/token"] == tried
    assert await runs.latest_runs(account.pool, account.number) == history

    await reconnect(account.runtime, await account.fresh(), {"client_secret": secret})
    assert await due(account)
