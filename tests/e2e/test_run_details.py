"""What a run's details say of every model, and of how far the run is."""

from __future__ import annotations

from typing import Any

import pytest

from atsumi.store import runs
from atsumi.store.outcomes import share_done
from atsumi.store.runs import StreamProgress
from atsumi.sync.run import execute
from harness import Account, Product, small_company
from scope_kit import disable


async def details(account: Account, kind: str) -> dict[str, Any]:
    """The newest run of a kind, as our own API shows it."""
    newest = next(run for run in await runs.latest_runs(account.pool, account.number) if run.kind == kind)
    answer = await account.product.api.get(f"/atsumi/v1/runs/{newest.id}", headers=account.headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def models(account: Account, kind: str) -> dict[str, str]:
    return (await details(account, kind))["models"]


async def test_what_a_run_leaves_to_the_background_is_pending_until_that_has_brought_it(product: Product) -> None:
    account = await product.synced()
    first = await models(account, "full")
    assert (first["application"], first["candidate"], first["job"]) == ("SYNCED", "SYNCED", "SYNCED")
    assert (first["attachment"], first["stage_transition"]) == ("PENDING", "PENDING")
    await account.background()
    later = await models(account, "full")
    assert (later["attachment"], later["stage_transition"]) == ("SYNCED", "SYNCED")
    assert await models(account, "background") == later, "applications are as the last full run left them"
    await account.sync("incremental")
    assert await models(account, "incremental") == later


async def test_many_forms_are_pending_until_the_background_has_read_them(product: Product) -> None:
    account = await product.synced(small_company(applications=5, jobs=60, published_share=1.0))
    first = await details(account, "full")
    assert {one["stream"]: one["state"] for one in first["streams"]}["forms"] == "PENDING"
    assert (first["state"], first["models"]["screening_question"]) == ("SUCCEEDED", "PENDING")
    await account.background()
    assert (await models(account, "full"))["screening_question"] == "SYNCED"


async def test_a_refused_right_is_told_by_every_run(product: Product) -> None:
    account = await product.connect()
    account.simulator.set_scopes(["personio:recruiting:read", "personio:persons:read"])
    await account.sync("full")
    assert await account.background() == "PARTIALLY_FAILED"
    await account.sync("full")
    for kind in ("background", "full"):
        told = await models(account, kind)
        assert (told["attachment"], told["application"]) == ("SKIPPED", "SYNCED")


async def test_what_is_out_of_scope_is_skipped(product: Product) -> None:
    account = await product.synced()
    await account.background()
    await disable(account, "attachment")
    told = await models(account, "full")
    assert (told["attachment"], told["application"]) == ("SKIPPED", "SYNCED")


async def test_a_model_of_which_a_loss_is_held_back_is_not_synced(product: Product) -> None:
    account = await product.synced(small_company(applications=20, jobs=2))
    for one in account.simulator.state("applications")["applications"][:8]:
        account.simulator.delete_application(one["id"])
    run = await account.sync("full")
    assert run.state == "PARTIALLY_FAILED"
    told = await models(account, "full")
    assert (told["application"], told["job"]) == ("PENDING", "SYNCED")


async def test_a_cancelled_run_does_not_borrow_what_an_earlier_one_has_brought(product: Product) -> None:
    account = await product.synced()
    run, _ = await runs.request_run(account.pool, account.number, "full")
    claim = await runs.claim_run(account.pool, run.id)
    assert claim is not None
    names = [stream.name for stream in account.runtime.connector("personio").streams]
    await runs.plan_streams(account.pool, claim, [name for name in names if name not in ("transitions", "documents")])
    under_way = await details(account, "full")
    assert (under_way["models"]["application"], under_way["progress_percent"]) == ("PENDING", 0)
    await account.pool.execute("UPDATE sync_run SET state = 'CANCELLED', ended_at = now() WHERE id = $1", run.id)
    ended = await details(account, "full")
    assert (ended["models"]["application"], ended["progress_percent"]) == ("PENDING", None)


async def test_a_full_run_tells_how_far_it_is_once_another_has_shown_how_much_there_is(product: Product) -> None:
    account = await product.connect(applications=30, jobs=3)
    seen: list[int | None] = []

    async def sync() -> None:
        claim = await account.claim("full")

        class Killed(Exception):
            pass

        def stop(stream: str, result: object) -> None:
            if stream == "candidates":
                raise Killed

        with pytest.raises(Killed):
            await execute(await account.work(claim, observe=stop))
        seen.append((await details(account, "full"))["progress_percent"])
        await account.pool.execute("UPDATE sync_run SET heartbeat_at = '-infinity' WHERE id = $1", claim.run.id)
        await account.resume(claim.run.id)

    await sync()
    await sync()
    assert seen[0] is None
    assert seen[1] is not None
    assert 0 < seen[1] < 100
    assert (await details(account, "full"))["progress_percent"] is None


def progress(stream: str, state: str, seen: int) -> StreamProgress:
    return StreamProgress(stream, state, None, None, 1, seen, 0, 0, None, False)


@pytest.mark.parametrize(
    ("streams", "percent"),
    [
        ([], None),
        ([progress("jobs", "READING", 5)], 5),
        ([progress("jobs", "COMPLETE", 5)], 99),
        ([progress("jobs", "READING", 500)], 99),
        ([progress("jobs", "SKIPPED", 0), progress("applications", "READING", 150)], 62),
        ([progress("offices", "READING", 7)], None),
    ],
)
def test_the_share_counts_by_what_is_expected(streams: list[StreamProgress], percent: int | None) -> None:
    assert share_done(streams, {"jobs": 100, "applications": 300}) == percent
