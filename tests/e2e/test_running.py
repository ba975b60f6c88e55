"""Syncs on demand and by themselves, through the published client and through real worker processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from kombo.errors import KomboGeneralError

from atsumi.model.ids import from_base58
from atsumi.server import control
from atsumi.server.cli_schedules import describe
from atsumi.server.connecting import reconnect
from atsumi.server.worker import run_worker
from atsumi.store import runs, schedules, unsafe
from atsumi.store.freshness import find_with_freshness
from atsumi.sync import decisions
from atsumi.sync.run import execute
from harness import Account, Product, connect_values, new_database, running_product, until


@pytest.fixture(scope="module")
async def own(postgres_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    """A product of its own: its worker and its clock see every integration there is."""
    folder: Path = tmp_path_factory.mktemp("running")
    async with new_database(postgres_dsn) as url, running_product(url, folder) as running:
        yield running


@pytest.fixture
async def account(own: Product) -> AsyncIterator[Account]:
    connected = await own.connect(applications=8, jobs=2)
    yield connected
    own.runtime.clock = None
    await own.runtime.pool.execute("UPDATE integration SET deleted_at = now() WHERE deleted_at IS NULL")


@asynccontextmanager
async def worker(product: Product) -> AsyncIterator[None]:
    stop = asyncio.Event()
    working = asyncio.create_task(run_worker(product.runtime, stop))
    try:
        yield
    finally:
        stop.set()
        await working


async def ended(account: Account, run_id: UUID) -> runs.Run:
    async def look() -> runs.Run | None:
        run = await runs.find_run(account.pool, run_id)
        return run if run is not None and run.ended_at is not None else None

    found: runs.Run = await until(look, "the run to end")
    return found


# On demand.


async def test_the_published_client_requests_a_sync_and_is_told_of_one_that_waits(account: Account) -> None:
    def ask(kind: str) -> tuple[bool, str, str]:
        data = account.sdk().general.trigger_sync(type_=kind).data  # type: ignore[arg-type]  # the client takes the word as well
        return data.already_queued, data.sync_id, data.type

    # The first sync waits since the account was connected; before it there is nothing that a delta could start from.
    queued, first, kind = await asyncio.to_thread(ask, "DELTA")
    assert (queued, kind) == (True, "FULL")
    async with worker(account.product):
        run = await ended(account, from_base58(first) or UUID(int=0))
        assert (run.state, run.requested_by) == ("SUCCEEDED", "connect")
    queued, second, kind = await asyncio.to_thread(ask, "DELTA")
    assert (queued, kind) == (False, "DELTA")
    assert await asyncio.to_thread(ask, "DELTA") == (True, second, "DELTA")
    queued, third, kind = await asyncio.to_thread(ask, "FULL")
    assert (queued, kind) == (False, "FULL")
    async with worker(account.product):
        for spelled, expected in ((second, "incremental"), (third, "full")):
            run = await ended(account, from_base58(spelled) or UUID(int=0))
            assert (run.state, run.kind, run.requested_by) == ("SUCCEEDED", expected, "api")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"type":"PARTIAL"}', b'{"type":null}', b'{"kind":"FULL"}', b"x" * 99_999]
)
async def test_a_wrong_body_is_refused_as_input(account: Account, body: bytes) -> None:
    answer = await account.product.api.post("/v1/force-sync", headers=account.headers, content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "PLATFORM.INPUT_INVALID"


async def test_only_platform_codes_answer_a_request_for_a_sync(account: Account) -> None:
    await account.sync("full")
    await control.disable(account.runtime, await account.fresh())
    with pytest.raises(KomboGeneralError) as refused:
        await asyncio.to_thread(account.sdk().general.trigger_sync)
    assert refused.value.status_code == 409
    assert refused.value.data.error.code is None
    read = await account.get("/ats/jobs")
    assert (read.status_code, read.json()["error"]["code"]) == (409, "INTEGRATION.INACTIVE")

    await control.enable(account.runtime, await account.fresh())
    assert (await account.get("/ats/jobs")).status_code == 200
    unknown = account.headers | {"X-Integration-Id": "personio:2NdJBhEgyM6L9xJ3rGjvBo3Z"}
    answer = await account.product.api.post("/v1/force-sync", headers=unknown, json={})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "PLATFORM.INTEGRATION_NOT_FOUND")


# Freshness.


async def test_every_list_says_how_fresh_it_is(account: Account) -> None:
    before = datetime.now(UTC)
    await account.sync("full")
    for name in ("applications", "candidates", "jobs", "application-stages", "users"):
        answer = await account.get(f"/ats/{name}")
        as_of = answer.headers["x-atsumi-as-of"]
        assert answer.json()["data"]["as_of"] == as_of
        assert before - timedelta(milliseconds=1) <= datetime.fromisoformat(as_of) <= datetime.now(UTC)
        assert answer.headers["x-atsumi-sync-state"] == "SUCCEEDED"
        due = datetime.fromisoformat(answer.headers["x-atsumi-next-sync-at"])
        assert timedelta(minutes=7) < due - before < timedelta(minutes=16)
    # A model that the tool lacks has no freshness.
    answer = await account.get("/ats/offers")
    assert answer.json()["data"]["as_of"] is None
    assert "x-atsumi-as-of" not in answer.headers

    fresh = await account.get("/ats/jobs")
    account.product.origins.is_cut.add(account.origin.removeprefix("http://"))
    await account.sync("incremental")
    stale = await account.get("/ats/jobs")
    assert stale.headers["x-atsumi-as-of"] == fresh.headers["x-atsumi-as-of"] == stale.json()["data"]["as_of"]
    assert stale.headers["x-atsumi-sync-state"] == "WAITING"
    assert stale.status_code == 200


async def test_removals_that_wait_for_the_operator_are_told_wherever_one_looks(product: Product) -> None:
    account = await product.connect()
    api, path = account.product.api, f"/atsumi/v1/integrations/{account.integration.id}/runs"
    await account.sync("full")
    await account.sync("incremental")
    before = await account.get("/ats/applications")
    assert "x-atsumi-held-back" not in before.headers
    assert (await api.get(path, headers=account.headers)).json()["unsafe_changes"] == []
    lost = [one["id"] for one in account.simulator.state("applications")["applications"][:20]]
    for one in lost:
        account.simulator.delete_application(one)
    found_by = await account.sync("full")
    for _ in range(2):
        # An increment sees nothing of it, and succeeds.
        assert (await account.sync("incremental")).state == "SUCCEEDED"

        held = await account.get("/ats/applications")
        assert (held.headers["x-atsumi-held-back"], held.headers["x-atsumi-sync-state"]) == ("20", "SUCCEEDED")
        assert held.headers["x-atsumi-as-of"] == before.headers["x-atsumi-as-of"] == held.json()["data"]["as_of"]
        other = await account.get("/ats/jobs")
        assert "x-atsumi-held-back" not in other.headers
        assert other.headers["x-atsumi-as-of"] > before.headers["x-atsumi-as-of"]
        (waiting,) = (await api.get(path, headers=account.headers)).json()["unsafe_changes"]
        assert (waiting["stream"], waiting["missing"], waiting["stored"]) == ("applications", 20, 40)
        assert waiting["sample"] == dict.fromkeys(lost, "gone")
        assert waiting["as_of"][:19] == before.headers["x-atsumi-as-of"][:19]
        run = (await api.get(f"/atsumi/v1/runs/{waiting['run_id']}", headers=account.headers)).json()
        assert (run["uuid"], run["unsafe_changes"]) == (str(found_by.id), [waiting])
        shown = await find_with_freshness(account.pool, account.environment.id, account.integration.public_id)
        assert shown is not None
        assert "20 applications are missing at the tool" in describe(*shown, frozenset({"applications"}))

    change = await unsafe.find_unsafe(account.pool, UUID(waiting["id"]))
    await decisions.confirm(account.pool, await account.runtime.target(account.integration), change)
    decided = await account.get("/ats/applications")
    assert "x-atsumi-held-back" not in decided.headers
    assert decided.headers["x-atsumi-as-of"] > before.headers["x-atsumi-as-of"]


async def test_the_published_client_ignores_what_is_ours(account: Account) -> None:
    await account.sync("full")
    page = await asyncio.to_thread(account.sdk().ats.get_jobs)
    assert page is not None
    assert page.result.data.results


# Runs that can be looked at.


async def test_runs_can_be_looked_at_with_their_streams_and_what_they_mean_for_every_model(account: Account) -> None:
    api, headers = account.product.api, {"Authorization": f"Bearer {account.key}"}
    path = f"/atsumi/v1/integrations/{account.integration.id}/runs"
    waiting = (await api.get(path, headers=headers)).json()
    assert [(run["state"], run["requested_by"], run["kind"]) for run in waiting["items"]] == [
        ("QUEUED", "connect", "full")
    ]
    assert (waiting["sync_state"], waiting["next_sync_at"]) == ("PENDING", None)

    await account.sync("full")
    listed = (await api.get(path, headers=headers, params={"limit": 1})).json()
    assert listed["sync_state"] == "SUCCEEDED"
    assert listed["next_sync_at"] is not None
    [run] = listed["items"]
    for spelled in (run["id"], run["uuid"]):
        found = (await api.get(f"/atsumi/v1/runs/{spelled}", headers=account.headers)).json()
        assert found.items() >= run.items()
    models = found["models"]
    assert (models["job"], models["application"], models["offer"]) == ("SYNCED", "SYNCED", "NOT_SUPPORTED")
    assert {stream["state"] for stream in found["streams"]} == {"COMPLETE"}
    assert any(stream["records_seen"] > 0 for stream in found["streams"])

    other = await account.product.connect(applications=1, jobs=1)
    assert (await api.get(f"/atsumi/v1/runs/{run['id']}", headers=other.headers)).status_code == 404
    stolen = await api.get(path, headers={"Authorization": f"Bearer {other.key}"})
    assert stolen.status_code == 404


# By itself.


async def test_an_edit_arrives_by_itself_when_the_increment_is_due(account: Account) -> None:
    start = datetime.now(UTC)
    account.runtime.clock = lambda: start
    async with worker(account.product):
        await until(lambda: _is_synced(account), "the first sync")
        account.simulator.edit_job(account.simulator.state()["jobs"][0]["id"], name="Lighthouse keeper")
        due = (await account.fresh()).next_incremental_at
        assert due is not None
        account.runtime.clock = lambda: due

        async def arrived() -> bool:
            return any(row["name"] == "Lighthouse keeper" for row in await account.rows("jobs"))

        await until(arrived, "the edit")
    latest = (await runs.latest_runs(account.pool, account.number, 1))[0]
    assert (latest.kind, latest.requested_by) == ("incremental", "schedule")


async def test_a_run_that_is_called_off_stops_at_the_next_page_and_the_lists_stay_whole(own: Product) -> None:
    account = await own.connect(applications=600, jobs=3)
    async with worker(own):

        async def is_reading() -> bool:
            return bool(await account.fetch("SELECT 1 FROM record WHERE integration = $1 LIMIT 1"))

        await until(is_reading, "the first page")
        [cancelled] = await control.cancel(own.runtime, account.integration)
        run = await ended(account, cancelled)
        assert run.state == "CANCELLED"
        counted = await account.fetch("SELECT count(*) FROM record WHERE integration = $1")
        await asyncio.sleep(0.3)
        assert await account.fetch("SELECT count(*) FROM record WHERE integration = $1") == counted
        assert await account.fragments() == await account.rendered_anew(), "what was stored is whole"
        await runs.request_run(account.pool, account.number, "full")
        await until(lambda: _is_synced(account), "the next full run")
    assert len(await account.rows("applications")) == 600


async def test_refused_credentials_pause_the_integration_after_three_days_and_a_reconnect_resumes(
    account: Account,
) -> None:
    now = datetime.now(UTC)
    account.runtime.clock = lambda: now
    await account.sync("full")
    account.simulator.rotate_secret()
    failing: list[str] = []
    while (await account.fresh()).state == "ACTIVE":
        now += timedelta(hours=6)
        await schedules.request_due(account.pool, now=now)
        [waiting] = await account.fetch(
            "SELECT id FROM sync_run WHERE integration = $1 AND state = 'QUEUED' ORDER BY requested_at DESC LIMIT 1"
        )
        now += schedules.CATCH_UP
        await account.runtime.pool.execute("DELETE FROM access_token")
        failing.append(await _execute(account, waiting["id"], now))
        assert (await account.get("/ats/jobs")).status_code == 200, "stored data stays readable"
    assert set(failing) == {"AUTHENTICATION_FAILED"}
    assert len(failing) == 13
    assert "customer" in ((await account.fresh()).state_reason or "")
    answer = await account.product.api.post("/v1/force-sync", headers=account.headers, json={"type": "FULL"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, None)

    await reconnect(account.runtime, await account.fresh(), connect_values(account.simulator, account.origin))
    assert (await account.fresh()).state == "ACTIVE"
    assert await schedules.request_due(account.pool, now=now) == 1


async def _execute(account: Account, run_id: UUID, now: datetime) -> str:
    claim = await runs.claim_run(account.pool, run_id, now=now)
    assert claim is not None
    return await execute(await account.work(claim))


async def _is_synced(account: Account) -> bool:
    return (await account.fresh()).first_synced_at is not None
