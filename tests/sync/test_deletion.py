"""Deletion with evidence: what confirms it, what stops it, and what stays of a record."""

from __future__ import annotations

from typing import Any

import pytest

from atsumi.model.names import Model
from atsumi.store import deletion, unsafe
from atsumi.sync import deletion as sync_deletion
from harness import Account, Product, small_company


async def evidence(account: Account) -> dict[tuple[str, str], str]:
    found = await deletion.evidence(account.pool, account.number)
    return {(one.stream, one.remote_id): one.kind for one in found}


async def probes(account: Account, kind: str) -> int:
    counts = account.simulator.log.counts
    return sum(count for key, count in counts.items() if key.startswith(f"GET /v2/recruiting/{kind}/"))


def first(account: Account, kind: str, number: int = 0) -> Any:
    return sorted(account.simulator.state(kind)[kind], key=lambda one: int(one["id"]))[number]["id"]


async def test_a_probe_confirms_a_deletion_in_the_full_run_that_suspected_it(product: Product) -> None:
    account = await product.synced()
    gone = str(first(account, "applications"))
    account.simulator.delete_application(gone)

    incremental = await account.sync("incremental")
    assert gone in await account.remote_ids("applications")
    run = await account.sync("full")

    assert (incremental.state, run.state) == ("SUCCEEDED", "SUCCEEDED")
    assert gone not in await account.remote_ids("applications")
    rows = {row["remote_id"]: row for row in await account.rows("applications", include_deleted="true")}
    assert rows[gone]["remote_deleted_at"] is not None
    assert await evidence(account) == {("applications", gone): "probe"}
    assert await account.fragments() == await account.rendered_anew()
    assert await account.fetch("SELECT 1 FROM suspicion WHERE integration = $1") == []
    assert (
        await account.fetch("SELECT 1 FROM seen_page s JOIN sync_run r ON r.id = run_id WHERE integration = $1") == []
    )


async def test_nothing_is_asked_for_one_by_one_when_nothing_is_missing(product: Product) -> None:
    account = await product.synced()
    account.simulator.log.clear()
    await account.sync("full")
    assert await probes(account, "applications") + await probes(account, "candidates") == 0


async def test_without_probes_only_a_second_complete_listing_confirms(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync_deletion.Sweep, "__init__", _without_probes(sync_deletion.Sweep.__init__))
    account = await product.synced()
    gone = str(first(account, "applications"))
    account.simulator.delete_application(gone)

    await account.sync("full")
    assert gone in await account.remote_ids("applications")
    await account.sync("incremental")
    assert gone in await account.remote_ids("applications")
    run = await account.sync("full")

    assert gone not in await account.remote_ids("applications")
    (found,) = await deletion.evidence(account.pool, account.number)
    assert (found.kind, found.confirmed_by) == ("second_sweep", run.id)
    assert found.suspected_by not in (None, run.id)


def _without_probes(init: Any) -> Any:
    def made(self: Any, *values: Any, **named: Any) -> None:
        init(self, *values, **named)
        self.probes_left = 0

    return made


async def test_a_record_that_the_listing_left_out_is_read_by_itself_and_the_run_says_so(product: Product) -> None:
    account = await product.synced()
    before = await account.documents()
    account.simulator.inject("drop_records", path="/v2/recruiting/candidates", records=3)

    run = await account.sync("full")

    assert run.state == "PARTIALLY_FAILED"
    assert "left out 3 records" in (run.message or "")
    assert await account.documents() == before
    assert await evidence(account) == {}


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 503}, {"kind": "html"}, {"kind": "error_body"}])
async def test_a_probe_that_fails_proves_nothing_however_often(product: Product, fault: dict[str, Any]) -> None:
    account = await product.synced()
    before = await account.documents()
    for _ in range(3):
        account.simulator.clear_faults()
        account.simulator.inject("drop_records", path="/v2/recruiting/candidates", records=2)
        account.simulator.inject(path="/v2/recruiting/candidates/", count=None, **fault)
        run = await account.sync("full")
        assert run.state == "PARTIALLY_FAILED"
        assert "did not say whether they exist" in (run.message or "")
    assert await account.documents() == before


async def test_the_gateways_404_is_no_deletion(product: Product) -> None:
    account = await product.synced()
    before = await account.documents()
    gateway = '{"errors":[{"title":"Not Found","type":"https://x.test/codes#apinot_found"}]}'
    for _ in range(2):
        account.simulator.inject("drop_records", path="/v2/recruiting/applications", records=2)
        account.simulator.inject("status", path="/v2/recruiting/applications/", status=404, body=gateway, count=None)
        await account.sync("full")
        account.simulator.clear_faults()
    assert await account.documents() == before


async def test_a_record_that_reappears_is_revived_under_its_id(product: Product) -> None:
    account = await product.synced()
    kept = account.simulator.company.applications
    gone = first(account, "applications")
    record = kept.get(int(gone))
    assert record is not None
    before = next(row for row in await account.rows("applications") if row["remote_id"] == gone)
    account.simulator.delete_application(gone)
    await account.sync("full")

    account.simulator.company.applications.add(record)
    await account.sync("full")

    after = next(row for row in await account.rows("applications") if row["remote_id"] == gone)
    volatile = {"changed_at": None, "candidate": None}
    assert after | volatile == before | volatile
    kinds = await account.fetch(
        "SELECT kind FROM change WHERE integration = $1 AND model = 13 ORDER BY seq DESC LIMIT 2"
    )
    assert [row["kind"] for row in kinds] == [4, 3]


async def test_applications_of_a_deleted_candidate_and_job_stay(product: Product) -> None:
    account = await product.synced()
    application = account.simulator.state("applications")["applications"][0]
    candidate, job = str(application["candidate_id"]), str(application["job_id"])
    account.simulator.delete_candidate(candidate, with_applications=False)
    account.simulator.delete_job(job)

    for kind in ("full", "incremental", "full"):
        await account.sync(kind)

    assert application["id"] in await account.remote_ids("applications")
    assert candidate not in await account.remote_ids("candidates")
    assert job not in await account.remote_ids("jobs")
    (row,) = [row for row in await account.rows("applications") if row["remote_id"] == application["id"]]
    assert row["candidate"]["remote_id"] == candidate
    assert row["candidate_id"] == account.id(Model.CANDIDATE, candidate)


async def test_a_large_loss_waits_for_the_operator(product: Product) -> None:
    account = await product.synced()
    before = await account.documents()
    for one in account.simulator.state("applications")["applications"][:20]:
        account.simulator.delete_application(one["id"])
    account.simulator.log.clear()

    run = await account.sync("full")

    assert run.state == "PARTIALLY_FAILED"
    assert "20 of 40" in (run.message or "")
    assert await account.documents() == before
    (waiting,) = await unsafe.unsafe_changes(account.pool, account.number)
    assert (waiting.run_id, waiting.stored, len(waiting.missing), waiting.pages) == (run.id, 40, 20, 1)
    assert await deletion.seen_pages(account.pool, run.id, "applications") == [(1, 20)]

    await account.sync("full")
    assert [one.id for one in await unsafe.unsafe_changes(account.pool, account.number)] == [waiting.id]


async def test_the_tool_is_asked_for_a_sample_of_a_large_loss(product: Product) -> None:
    account = await product.synced(applications=80)
    for one in account.simulator.state("applications")["applications"][:60]:
        account.simulator.delete_application(one["id"])
    account.simulator.log.clear()

    await account.sync("full")

    assert await probes(account, "applications") == len(range(0, 60, 60 // sync_deletion.SAMPLE))
    (waiting,) = await unsafe.unsafe_changes(account.pool, account.number)
    assert set(waiting.sample) < set(waiting.missing)
    assert dict(waiting.sample) == dict.fromkeys(waiting.sample, "gone")
    assert len(waiting.sample) == sync_deletion.SAMPLE

    # The same loss again, with a tool that does not say: the change stays, its sample is the newest.
    account.simulator.inject("status", path="/v2/recruiting/applications/", status=500, count=None)
    await account.sync("full")
    (again,) = await unsafe.unsafe_changes(account.pool, account.number)
    assert (again.id, again.as_of) == (waiting.id, waiting.as_of)


async def test_a_large_loss_of_records_that_exist_is_no_loss(product: Product) -> None:
    account = await product.synced()
    before = await account.documents()
    account.simulator.inject("drop_records", path="/v2/recruiting/applications", records=20)

    run = await account.sync("full")

    assert run.state == "PARTIALLY_FAILED"
    assert "left out 20 records that exist" in (run.message or "")
    assert await unsafe.unsafe_changes(account.pool, account.number) == []
    assert await account.documents() == before


async def test_records_of_a_sample_that_exist_are_not_among_those_that_the_operator_decides_about(
    product: Product,
) -> None:
    account = await product.synced(applications=80)
    there = [one["id"] for one in account.simulator.state("applications")["applications"]]
    for id in there[:20]:
        account.simulator.delete_application(id)
    account.simulator.inject("drop_records", path="/v2/recruiting/applications", records=30)

    run = await account.sync("full")

    (waiting,) = await unsafe.unsafe_changes(account.pool, account.number)
    asked = await probes(account, "applications")
    gone = sum(answer == "gone" for answer in waiting.sample.values())
    assert 0 < gone < asked == sync_deletion.SAMPLE - 3
    assert len(waiting.missing) == 50 - (asked - gone)
    assert f"left out {asked - gone} records" in (run.message or "")


async def test_an_empty_feed_closes_no_job_at_once(product: Product) -> None:
    account = await product.synced(jobs=6, published_share=1)
    before = await account.rows("jobs")
    published = [job["id"] for job in account.simulator.state("jobs")["jobs"]]
    for job in published:
        account.simulator.company.jobs.get(int(job)).is_published = False  # type: ignore[union-attr]  # it is there
    account.simulator.company.touch_feed()

    await account.sync("incremental")
    assert [row["status"] for row in await account.rows("jobs")] == [row["status"] for row in before]
    await account.sync("incremental")
    assert {row["status"] for row in await account.rows("jobs")} == {"CLOSED"}


async def test_an_empty_feed_of_many_jobs_waits_for_the_operator(product: Product) -> None:
    account = await product.synced(jobs=14, published_share=1)
    for job in account.simulator.state("jobs")["jobs"]:
        account.simulator.company.jobs.get(int(job["id"])).is_published = False  # type: ignore[union-attr]  # it is there
    account.simulator.company.touch_feed()
    for _ in range(3):
        run = await account.sync("incremental")
        assert run.state == "PARTIALLY_FAILED"
        assert {row["status"] for row in await account.rows("jobs")} == {"OPEN"}


async def test_one_document_that_leaves_categories_out_removes_nothing(product: Product) -> None:
    account = await product.synced(small_company(applications=20, jobs=6))
    before = await account.rows("jobs")
    account.simulator.inject("drop_records", path="/v2/recruiting/categories", records=1)
    await account.sync("incremental")
    assert [job["stages"] for job in await account.rows("jobs")] == [job["stages"] for job in before]
