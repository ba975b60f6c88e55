"""Deleting an integration: access ends at once, it can be undone for some days, and then nothing of it is left."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from atsumi.dialects.atsumi.operations import OPERATIONS as OWN_OPERATIONS
from atsumi.dialects.bindbee.operations import OPERATIONS as BINDBEE_OPERATIONS
from atsumi.dialects.kombo.operations import OPERATIONS as KOMBO_OPERATIONS
from atsumi.errors import ConfigurationError, Conflict, StaleToken
from atsumi.model.ids import from_base58, to_base58
from atsumi.server import control
from atsumi.server.files import store_attachment
from atsumi.server.removal import remove_due
from atsumi.server.runtime import Runtime
from atsumi.store import background, connectors, queue, records, removal, runs, tenants
from atsumi.store.tokens import SharedBuckets
from atsumi.store.windows import SharedWindows
from canaries import tables_with
from harness import Account, Product, small_company

_STEPS = ("begin", "remove_rows", "end")


def at(runtime: Runtime, days: float) -> Runtime:
    """The product, so many days later."""
    return replace(runtime, clock=lambda: datetime.now(UTC) + timedelta(days=days))


@pytest.fixture
async def account(product: Product) -> AsyncIterator[Account]:
    account = await product.synced(small_company(applications=12, jobs=3))
    yield account
    # Whatever a test leaves must not be removed by the next one's pass.
    await account.pool.execute("UPDATE integration SET deleted_at = NULL WHERE number = $1", account.number)


async def delete(account: Account) -> None:
    await control.delete(account.runtime, await account.fresh())


async def deleted(account: Account) -> tenants.IntegrationRow:
    (found,) = [one for one in await removal.deleted(account.pool) if one.integration.number == account.number]
    return found.integration


async def every_surface(account: Account) -> dict[str, int]:
    """The status of every route of every surface that is about the integration."""
    token = await connectors.token_of(account.pool, account.runtime.vault, account.integration)
    headers = {**account.headers, "x-connector-token": token}
    surfaces = (
        (
            "/v1",
            [(one.method, one.path) for one in KOMBO_OPERATIONS if one.is_addressed or "{integration_id}" in one.path],
        ),
        ("/atsumi/v1", [(one.method, one.path) for one in OWN_OPERATIONS if not one.path.startswith("/tools")]),
        ("/api", [(one.method, one.path) for one in BINDBEE_OPERATIONS if one.needs_token]),
    )
    found = {}
    for base, operations in surfaces:
        for method, path in operations:
            values = {name: _value(account, name, base) for name in re.findall(r"\{(\w+)\}", path)}
            answer = await account.product.api.request(method, base + path.format(**values), headers=headers)
            found[f"{method} {base}{path}"] = answer.status_code
    return found


def _value(account: Account, name: str, base: str) -> str:
    id = account.integration.public_id
    match name:
        case "integration_id":
            return account.integration.id
        case "model":
            return "job"
        case _:
            return to_base58(id) if base == "/v1" else str(id)


async def test_all_access_ends_at_once(account: Account) -> None:
    claim = await account.claim("incremental")
    await delete(account)
    answers = await every_surface(account)
    assert {path: status for path, status in answers.items() if status not in (401, 404)} == {}
    assert {status for path, status in answers.items() if "/api/" in path} == {401}
    listing = await account.product.api.get("/api/ats/v1/connectors", headers=account.headers)
    assert listing.json()["items"] == []
    run = await runs.find_run(account.pool, claim.run.id)
    assert run is not None
    assert (run.state, run.message) == ("CANCELLED", "The integration was deleted.")
    async with account.pool.acquire() as connection, connection.transaction():
        with pytest.raises(StaleToken):
            await records.take_clock(connection, claim.owner)
    with pytest.raises(ConfigurationError, match="no stored credentials"):
        await account.runtime.context(account.integration)


@pytest.mark.parametrize("kind", ["full", "incremental", "remap", "background"])
async def test_nothing_runs_for_a_deleted_integration(account: Account, kind: str) -> None:
    await delete(account)
    run, _ = await runs.request_run(account.pool, account.number, kind)
    assert run.id not in [one.id for one in await queue.due_runs(account.pool, 10_000)]
    assert run.id not in await background.due(account.pool, 10_000)
    assert await runs.claim_run(account.pool, run.id) is None


async def test_what_was_deleted_comes_back_whole(account: Account) -> None:
    before, token = (
        await account.documents(),
        await connectors.token_of(account.pool, account.runtime.vault, account.integration),
    )
    await delete(account)
    await control.restore(at(account.runtime, 6.9), await deleted(account))
    assert await account.documents() == before
    assert await connectors.token_of(account.pool, account.runtime.vault, account.integration) == token
    assert (await account.sync("incremental")).state == "SUCCEEDED"


async def test_deleting_and_restoring_twice_changes_nothing_more(account: Account) -> None:
    await delete(account)
    row = await deleted(account)
    assert await removal.delete(account.pool, account.number) is False
    await control.restore(account.runtime, row)
    with pytest.raises(Conflict, match="is not deleted"):
        await control.restore(account.runtime, row)


async def test_after_the_days_are_over_nothing_comes_back(account: Account) -> None:
    await delete(account)
    with pytest.raises(Conflict, match="too long ago"):
        await control.restore(at(account.runtime, 7.1), await deleted(account))


async def test_what_was_connected_anew_is_not_restored_beside_it(product: Product) -> None:
    account = await product.synced(small_company(applications=2, jobs=1))
    await delete(account)
    row = await deleted(account)
    anew = await product.connect(account.simulator, environment=(account.environment, account.key))
    with pytest.raises(Conflict, match=f"connected anew as {re.escape(anew.integration.id)}"):
        await control.restore(account.runtime, row)
    await delete(anew)
    await control.restore(account.runtime, row)
    with pytest.raises(Conflict, match="connected anew"):
        await control.restore(account.runtime, await deleted(anew))


async def test_nothing_is_left_of_it_in_any_table_or_folder(product: Product, tmp_path: Path) -> None:
    simulator = small_company(applications=8, jobs=2)
    account = await product.synced(simulator)
    await account.background()
    other = await product.synced(simulator)
    runtime = replace(
        at(account.runtime, 7.1), settings=account.runtime.settings.model_copy(update={"data_dir": tmp_path})
    )
    (attachment, *_) = await account.rows("attachments")
    id = from_base58(attachment["id"])
    assert id is not None
    await store_attachment(runtime, account.integration, id, attachment["remote_id"])
    folder = tmp_path / "files" / to_base58(account.integration.public_id)
    (folder / "left-over").write_bytes(b"content whose row was never written")
    # Budgets as they are kept for a tool whose form does not say what names a credential.
    budget = f"{account.integration.public_id}/bucket"
    await SharedBuckets(account.pool, tool="t", patience_seconds=0).acquire(budget, (1, 1))
    await SharedWindows(account.pool, tool="t", patience_seconds=0).acquire(budget, (1, 1))
    before = await counts(account.pool, other.number)
    assert (await counts(account.pool, account.number)).keys() >= {"record", "fragment", "raw_record", "stored_file"}

    await delete(account)
    assert await remove_due(at(account.runtime, 6.9)) == 0
    assert (await counts(account.pool, account.number))["record"]
    assert await remove_due(runtime) >= 1

    assert await counts(account.pool, account.number) == {}
    for canary in (str(account.integration.public_id), to_base58(account.integration.public_id)):
        assert await tables_with(account.pool, canary) == []
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert await counts(account.pool, other.number) == before
    assert await removal.deleted(account.pool) == []


async def counts(pool: asyncpg.Pool, integration: int) -> dict[str, int]:
    """Rows of an integration by table, of every table that names integrations."""
    found = {}
    for table in await removal._tables(pool):
        found[table] = await pool.fetchval(f"SELECT count(*) FROM {table} WHERE integration = $1", integration)  # noqa: S608 -- a table name of ours
    return {table: count for table, count in found.items() if count}


@pytest.mark.parametrize("step", _STEPS)
async def test_removing_goes_on_wherever_it_was_killed(
    account: Account, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await delete(account)
    row = await deleted(account)
    later = at(account.runtime, 7.1)

    class Killed(Exception):
        pass

    whole = getattr(removal, step)

    async def cut(*args: Any) -> Any:
        if step == "remove_rows":
            monkeypatch.setattr(removal, "STEP", 7)
            await removal._remove_some(args[0], "record", args[1], args[2])
        if step == "begin":
            await whole(*args)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(removal, step, cut)
        with pytest.raises(Killed):
            await remove_due(later)
    # From the first step on it is gone for good, however many days may be set later.
    with pytest.raises(Conflict, match="has been removed"):
        await control.restore(account.runtime, row)
    assert await remove_due(later) == 1
    assert await counts(account.pool, account.number) == {}


async def test_what_was_restored_in_time_is_never_removed(account: Account) -> None:
    before = await counts(account.pool, account.number)
    await delete(account)
    await control.restore(account.runtime, await deleted(account))
    cutoff = datetime.now(UTC) + timedelta(days=8)
    assert await removal.begin(account.pool, account.number, cutoff) is False
    assert await removal.remove_rows(account.pool, account.number, cutoff) == 0
    assert await removal.end(account.pool, account.number, account.integration.public_id, cutoff) is False
    assert {**await counts(account.pool, account.number), "sync_run": 0} == {**before, "sync_run": 0}


async def test_every_step_is_bounded(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "STEP", 5)
    await delete(account)
    cutoff = datetime.now(UTC) + timedelta(days=8)
    rows = (await counts(account.pool, account.number))["record"]
    assert await removal._remove_some(account.pool, "record", account.number, cutoff) == 5
    assert (await counts(account.pool, account.number))["record"] == rows - 5
