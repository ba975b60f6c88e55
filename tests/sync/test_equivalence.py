"""However the records came in, the result is the same."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from atsumi.connectors.personio import client as personio_client
from atsumi.connectors.personio.simulator import Simulator
from atsumi.errors import StaleToken
from atsumi.model.names import Model
from atsumi.store import runs
from atsumi.sync.page import PageResult
from atsumi.sync.run import execute
from harness import DEADLINE_SECONDS, Account, Product, small_company

COMPANY = {"applications": 30, "jobs": 7, "published_share": 0.6}


def _plain(value: Any, names: dict[str, str]) -> Any:
    """A document with our ids replaced by what they stand for, so that two integrations can be compared."""
    if isinstance(value, dict):
        return {
            key: _plain(item, names) for key, item in value.items() if key not in ("changed_at", "remote_deleted_at")
        }
    if isinstance(value, list):
        return [_plain(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value


Complete = tuple[dict[str, Any], dict[Any, Any]]


async def complete(account: Account) -> Complete:
    """(documents, canonical records) that are present, free of what differs between integrations."""
    canonical = {key: data for key, (data, is_deleted) in (await account.canonical()).items() if not is_deleted}
    names = {account.id(model, remote_id): f"{model}/{remote_id}" for model in Model for _, remote_id in canonical}
    documents = {}
    for name, rows in (await account.documents()).items():
        present = {id: row for id, row in rows.items() if row["remote_deleted_at"] is None}
        documents[name] = {id: _plain(row, names) for id, row in present.items()}
        for row in documents[name].values():
            _forget_option_ids(row)
    assert await account.fragments() == await account.rendered_anew()
    text = msgspec.json.encode(documents).decode().replace(account.origin, "http://tool")
    # The address of the career page differs, too.
    canonical_text = {
        key: msgspec.json.encode(data).decode().replace(account.origin, "http://tool")
        for key, data in canonical.items()
    }
    return msgspec.json.decode(text), canonical_text


def _forget_option_ids(row: dict[str, Any]) -> None:
    for question in row.get("screening_questions") or []:
        for option in (question["format"] or {}).get("options") or []:
            option.pop("id", None)


@pytest.fixture(scope="module")
async def unbroken(product: Product) -> Complete:
    """What one plain full sync of the company gives."""
    return await complete(await product.synced(small_company(**COMPANY)))


async def assert_same(account: Account, expected: Complete) -> None:
    documents, canonical = await complete(account)
    assert canonical == expected[1]
    assert documents == expected[0]


async def assert_log_is_whole(account: Account) -> None:
    """The change log has no gap, its instants rise with its numbers, and it ends where the clock stands."""
    log = await account.fetch("SELECT seq, changed_at FROM change WHERE integration = $1 ORDER BY seq")
    assert [row["seq"] for row in log] == list(range(1, len(log) + 1))
    instants = [row["changed_at"] for row in log]
    assert instants == sorted(instants)
    batches = await account.fetch(
        "SELECT first_seq, last_seq, stamped_at FROM commit_batch WHERE integration = $1 ORDER BY batch"
    )
    assert [row["first_seq"] for row in batches] == [1, *(row["last_seq"] + 1 for row in batches[:-1])]
    assert len({row["stamped_at"] for row in batches}) == len(batches)
    [clock] = await account.fetch("SELECT seq FROM clock WHERE integration = $1")
    assert clock["seq"] == len(log) == batches[-1]["last_seq"]
    newest = await account.fetch(
        """
        SELECT r.seq, r.changed_at, c.seq AS last, c.changed_at AS at FROM record r JOIN LATERAL (
            SELECT seq, changed_at FROM change WHERE integration = $1 AND model = r.model AND id = r.id
            ORDER BY seq DESC LIMIT 1
        ) c ON true WHERE r.integration = $1
        """
    )
    assert newest
    assert all((row["seq"], row["changed_at"]) == (row["last"], row["at"]) for row in newest)


def edits(simulator: Simulator, chance: random.Random) -> list[Callable[[], object]]:
    """Edits that a recruiter could make now; deletions are for another day."""
    state = simulator.state()
    application = chance.choice(state["applications"])
    candidate = chance.choice(state["candidates"])
    job = chance.choice(state["jobs"])
    category = chance.choice(state["categories"])
    stage = chance.choice([one for one in state["stages"] if not one["is_builtin"]])
    channel = chance.choice(state["channels"])
    person = chance.choice(state["persons"])
    number = chance.randrange(1000)
    return [
        lambda: simulator.move_application(application["id"], chance.choice(state["stages"])["id"]),
        lambda: simulator.move_application(application["id"], chance.choice(category["stages"])),
        lambda: simulator.create_application(candidate["id"], job["id"], channel_id=channel["id"]),
        lambda: simulator.edit_application(application["id"], channel_id=channel["id"]),
        lambda: simulator.edit_application(application["id"], job_id=job["id"]),
        lambda: simulator.edit_candidate(candidate["id"], phone=f"+49 30 555{number}", last_name=f"Neu {number}"),
        lambda: simulator.anonymise_application(application["id"]),
        lambda: simulator.edit_job(job["id"], name=f"Job {number}"),
        lambda: simulator.edit_job(job["id"], is_published=not job["is_published"]),
        lambda: simulator.edit_job(
            job["id"], hiring_team=[{"person_id": person["id"], "role": chance.choice(["Recruiter", "Buddy"])}]
        ),
        lambda: simulator.edit_job(job["id"], category_id=category["id"]),
        lambda: simulator.edit_job(job["id"], questions=[]),
        lambda: simulator.edit_job(job["id"], office=f"Ort {number}", department=f"Abteilung {number % 3}"),
        lambda: simulator.create_job(f"Neu {number}", category_id=category["id"]),
        lambda: simulator.edit_category(category["id"], stages=chance.sample(category["stages"], 5)),
        lambda: simulator.edit_category(category["id"], name=f"Kategorie {number}"),
        lambda: simulator.rename_stage(stage["id"], f"Phase {number}"),
    ]


@pytest.mark.parametrize("seed", range(6))
async def test_edits_then_an_incremental_sync_equal_a_full_one(product: Product, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 -- a repeatable choice
    simulator = small_company(seed=seed + 1, **COMPANY)
    account = await product.synced(simulator)
    for _ in range(3):
        for _ in range(chance.randrange(1, 5)):
            chance.choice(edits(simulator, chance))()
        run = await account.sync(chance.choice(["incremental", "incremental", "full"]))
        assert run.state == "SUCCEEDED", run.message
        assert await account.fragments() == await account.rendered_anew()
    await assert_log_is_whole(account)
    documents, _ = await complete(account)

    fresh, _ = await complete(await product.synced(simulator))

    # A stage that was seen once stays known; who comes later cannot know it.
    for name in ("applications", "candidates", "users", "roles"):
        kept = {id: row for id, row in documents[name].items() if id in fresh[name]}
        if name in ("applications", "candidates"):
            assert documents[name].keys() == fresh[name].keys()
        assert _without_learned(kept) == _without_learned(fresh[name])
    assert documents["jobs"].keys() == fresh["jobs"].keys()
    for id, row in documents["jobs"].items():
        expected = fresh["jobs"][id]
        # What a form asked and what the feed said last stay known when a job is no longer published.
        learned = {"stages", "status", *([] if expected["status"] == "OPEN" else FROM_CAREER_SITE)}
        assert {k: v for k, v in row.items() if k not in learned} == {
            k: v for k, v in expected.items() if k not in learned
        }
        assert (row["status"] or "CLOSED") == (expected["status"] or "CLOSED")
        shown = [stage["remote_id"] for stage in row["stages"] if stage["index"] is not None]
        assert shown == [stage["remote_id"] for stage in expected["stages"] if stage["index"] is not None]
        assert {stage["remote_id"] for stage in row["stages"]} >= {stage["remote_id"] for stage in expected["stages"]}


FROM_CAREER_SITE = (
    "screening_questions",
    "job_postings",
    "description",
    "experience_level",
    "employment_type",
    "location",
    "custom_fields",
    "salary_amount_from",
    "salary_amount_to",
    "salary_currency",
    "salary_period",
)
"""What only the career site tells of a job."""


def _without_learned(value: Any) -> Any:
    """A stage's status tells whether it was in a category once, which only who was there knows."""
    if isinstance(value, dict):
        return {
            key: ({**item, "status": None} if key == "current_stage" and item else _without_learned(item))
            for key, item in value.items()
        }
    return [_without_learned(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("size", [1, 3, 7])
async def test_the_size_of_the_tools_pages_changes_nothing(
    product: Product, unbroken: Complete, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    simulator = small_company(**COMPANY)
    monkeypatch.setattr(personio_client, "PAGE_SIZE", size)
    account = await product.connect(simulator)
    run = await account.sync("full")
    assert run.state == "SUCCEEDED", run.message
    pages = {one.stream: one.pages for one in await runs.progress(account.pool, run.id)}
    assert pages["applications"] >= 30 // size
    await assert_same(account, unbroken)
    await assert_log_is_whole(account)


@pytest.mark.parametrize("after", [1, 4, 9, 14, 20])
async def test_a_run_that_was_cut_off_goes_on_and_ends_the_same(
    product: Product, unbroken: Complete, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    simulator = small_company(**COMPANY)
    monkeypatch.setattr(personio_client, "PAGE_SIZE", 5)
    account = await product.connect(simulator)
    stored = 0

    def cut(stream: str, result: PageResult) -> None:
        nonlocal stored
        stored += 1
        if stored == after:
            raise asyncio.CancelledError

    claim = await account.claim("full")
    with pytest.raises(asyncio.CancelledError):
        await execute(await account.work(claim, observe=cut))
    [waiting] = [run for run in await runs.latest_runs(account.pool, account.number) if run.state == "RUNNING"]
    done = {one.stream for one in await runs.progress(account.pool, waiting.id) if one.state == "COMPLETE"}
    answer = await account.get("/ats/jobs")
    assert answer.json()["error"]["code"] == "INTEGRATION.SETUP_SYNC_PENDING"
    simulator.log.clear()

    run = await account.resume(waiting.id)

    assert (run.state, run.attempts) == ("SUCCEEDED", 1)
    asked = " ".join(simulator.log.counts)
    for stream in done & {"jobs", "candidates", "categories"}:
        assert f"/v2/recruiting/{stream}" not in asked
    await assert_same(account, unbroken)
    await assert_log_is_whole(account)


FAULTS: dict[str, dict[str, Any]] = {
    "5xx": {"kind": "status", "status": 503, "count": 3},
    "5xx for good": {"kind": "status", "status": 500, "count": 12},
    "429": {"kind": "429", "retry_after": "1"},
    "cut page": {"kind": "cut"},
    "200 with HTML": {"kind": "html"},
    "200 with an error": {"kind": "error_body"},
    "redirect": {"kind": "redirect"},
    "duplicates": {"kind": "duplicate_records", "records": 3},
    "reordered": {"kind": "reorder_records", "count": 2},
    "swapped pages": {"kind": "swap_pages"},
    "repeated page": {"kind": "repeat_page", "after": 1},
    "next is this page": {"kind": "self_next"},
    "not an object": {"kind": "malformed_record"},
    "odd timestamp": {"kind": "malformed_record", "malformation": "odd_timestamp"},
    "missing fields": {"kind": "malformed_record", "malformation": "missing_fields"},
    "wrong types": {"kind": "malformed_record", "malformation": "wrong_types"},
    "unknown words": {"kind": "malformed_record", "malformation": "unknown_words"},
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_after_any_fault_the_next_full_run_ends_like_one_without(
    product: Product, unbroken: Complete, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(personio_client, "PAGE_SIZE", 8)
    simulator = small_company(**COMPANY)
    account = await product.connect(simulator)
    for stream in ("jobs", "candidates", "applications"):
        simulator.inject(path=f"/v2/recruiting/{stream}", **FAULTS[fault])
    run = await account.sync("full")
    for _ in range(10):
        if run.state != "RUNNING":
            break
        run = await account.resume(run.id)
    assert run.ended_at is not None, run
    if run.state != "SUCCEEDED":
        assert "personio" in (run.message or "")
    simulator.clear_faults()

    assert (await account.sync("full")).state == "SUCCEEDED"

    if fault == "unknown words":
        # The unknown stage was learned, which is right; everything else is as ever.
        assert await account.remote_ids("application-stages") == {*unbroken[0]["application-stages"], "system:archived"}
        assert (await complete(account))[0]["applications"] == unbroken[0]["applications"]
    else:
        await assert_same(account, unbroken)
    await assert_log_is_whole(account)


async def test_a_second_owner_keeps_the_first_one_from_writing(product: Product, unbroken: Complete) -> None:
    account = await product.connect(small_company(**COMPANY))
    first = await account.claim("full")
    work = await account.work(first)
    await account.pool.execute("UPDATE sync_run SET heartbeat_at = '-infinity' WHERE id = $1", first.run.id)
    second = await runs.claim_run(account.pool, first.run.id)
    assert second is not None
    assert second.owner.token == first.owner.token + 1
    before = await account.row_versions()

    assert await execute(work) == "LOST"

    assert await account.row_versions() == before
    assert before["record"] == []
    with pytest.raises(StaleToken):
        await runs.heartbeat(account.pool, first)
    assert await execute(await account.work(second)) == "SUCCEEDED"
    await assert_same(account, unbroken)


async def test_an_owner_that_loses_the_run_half_way_writes_nothing_more(product: Product) -> None:
    account = await product.connect(small_company(**COMPANY))
    first = await account.claim("full")
    stored: list[str] = []
    taken: list[Any] = []
    versions: list[Any] = []

    async def take_over() -> None:
        await account.pool.execute("UPDATE sync_run SET heartbeat_at = '-infinity' WHERE id = $1", first.run.id)
        taken.append(await runs.claim_run(account.pool, first.run.id))
        versions.append(await account.row_versions())

    def observe(stream: str, result: PageResult) -> None:
        stored.append(stream)

    work = await account.work(first)
    original = work.target.connector.streams
    hooked = tuple(_Hooked(stream, take_over) if stream.name == "candidates" else stream for stream in original)
    connector = replace(work.target.connector, streams=hooked)
    work = replace(work, target=replace(work.target, connector=connector), observe=observe)

    assert await execute(work) == "LOST"
    assert taken[0] is not None
    assert "jobs" in stored
    assert "candidates" not in stored
    assert await account.row_versions() == versions[0]
    assert await execute(await account.work(taken[0])) == "SUCCEEDED"


class _Hooked:
    """A stream that calls something before its first page."""

    def __init__(self, stream: Any, before: Callable[[], Any]) -> None:
        self._stream, self._before = stream, before
        self.name = stream.name

    async def pages(self, context: Any, request: Any) -> Any:
        await self._before()
        async for page in self._stream.pages(context, request):
            yield page


async def test_a_reader_who_walks_a_list_misses_nothing_that_is_there_all_along(product: Product) -> None:
    simulator = small_company(applications=60, jobs=5, published_share=0.4)
    account = await product.synced(simulator)
    there = await account.remote_ids("applications")
    chance = random.Random(7)  # noqa: S311 -- a repeatable choice
    is_over = asyncio.Event()

    async def write() -> None:
        while not is_over.is_set():
            for _ in range(5):
                application = chance.choice(simulator.state("applications")["applications"])
                simulator.move_application(application["id"], chance.choice(["offer", "rejected", "unassigned"]))
            run = await account.sync()
            assert run.state == "SUCCEEDED"

    writer = asyncio.create_task(write())
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            for size in (1, 3, 11):
                seen: set[str] = set()
                cursor: dict[str, str] = {}
                while True:
                    page = await account.page("applications", page_size=size, **cursor)
                    seen |= {row["remote_id"] for row in page["results"]}
                    if page["next"] is None:
                        break
                    cursor = {"cursor": page["next"]}
                    assert not writer.done() or writer.result() is None
                assert seen >= there
    finally:
        is_over.set()
        await writer
    await assert_log_is_whole(account)


async def test_pollers_by_change_instant_see_every_change_whatever_commits_meanwhile(product: Product) -> None:
    simulator = small_company(applications=40, jobs=5)
    account = await product.synced(simulator)
    mirror = {row["id"]: row for row in await account.rows("applications")}
    chance = random.Random(3)  # noqa: S311 -- a repeatable choice
    since = max(row["changed_at"] for row in mirror.values())
    for _ in range(6):
        applications = chance.sample(simulator.state("applications")["applications"], 4)
        for one in applications:
            simulator.move_application(one["id"], chance.choice(["offer", "rejected", "accepted"]))
        syncing = asyncio.create_task(account.sync())
        while not syncing.done():
            rows = await account.rows("applications", updated_after=since)
            mirror.update({row["id"]: row for row in rows})
            since = max([since, *(row["changed_at"] for row in rows)])
        assert syncing.result().state == "SUCCEEDED"
    rows = await account.rows("applications", updated_after=since)
    mirror.update({row["id"]: row for row in rows})
    assert mirror == {row["id"]: row for row in await account.rows("applications")}


async def test_a_learned_stage_stays_when_no_application_is_in_it_any_more(product: Product) -> None:
    simulator = small_company(**COMPANY)
    account = await product.synced(simulator)
    category = simulator.state("categories")["categories"][0]
    simulator.edit_category(category["id"], stages=[*category["stages"], "Probetag"])
    [outside] = [one["id"] for one in simulator.state("stages")["stages"] if one["name"] == "Probetag"]
    simulator.edit_category(category["id"], stages=category["stages"])
    application = simulator.state("applications")["applications"][0]
    simulator.move_application(application["id"], outside)
    await account.sync()
    assert outside in await account.remote_ids("application-stages")

    simulator.move_application(application["id"], "rejected")
    for kind in ("incremental", "full"):
        await account.sync(kind)
        assert outside in await account.remote_ids("application-stages")
        [job] = await account.rows("jobs", remote_ids=application["job_id"])
        assert outside in {stage["remote_id"] for stage in job["stages"]}


async def test_one_malformed_record_costs_nothing_but_itself(product: Product) -> None:
    simulator = small_company(**COMPANY)
    account = await product.connect(simulator)
    simulator.inject("malformed_record", path="/v2/recruiting/applications")

    run = await account.sync("full")

    assert run.state == "SUCCEEDED"
    assert len(await account.rows("applications")) == len(simulator.state("applications")["applications"]) - 1
    [kept] = await account.fetch(
        "SELECT data FROM raw_record WHERE integration = $1 AND stream = 'malformed:applications'"
    )
    assert kept["data"] == b'"?"'
    issues = await account.issues(run)
    assert issues["applications", "malformed_record", "id", ""] == 1
    progress = {one.stream: one for one in await runs.progress(account.pool, run.id)}
    assert progress["applications"].issues == 1


async def test_an_unknown_word_is_counted_and_kept_raw(product: Product) -> None:
    simulator = small_company(**COMPANY)
    account = await product.connect(simulator)
    simulator.inject("malformed_record", path="/v2/recruiting/applications", malformation="unknown_words", records=2)

    run = await account.sync("full")

    assert run.state == "SUCCEEDED"
    assert await account.remote_ids("applications") == {
        one["id"] for one in simulator.state("applications")["applications"]
    }
    unknown = {key: count for key, count in (await account.issues(run)).items() if "unknown" in key[1]}
    assert sum(unknown.values()) == 2, await account.issues(run)
    [(_, _, field, detail)] = unknown
    assert (field, detail) == ("current_stage", "archived")
    raw = await account.fetch(
        "SELECT data FROM raw_record WHERE integration = $1 AND stream = 'applications' "
        "AND strpos(convert_from(data, 'UTF8'), 'unheard-of') > 0"
    )
    assert len(raw) == 2
