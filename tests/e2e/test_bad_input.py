"""What goes wrong outside ends in a message that says who acts next; nothing is lost and lists go on answering."""

from __future__ import annotations

import asyncio
import io
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from rich.console import Console

from atsumi.connectors.personio.simulator import Simulator, create_app, run_server
from atsumi.errors import (
    AtsumiError,
    AuthenticationFailed,
    Conflict,
    InvalidInput,
    PermissionMissing,
    RemoteUnavailable,
)
from atsumi.server.connecting import connect, reconnect
from atsumi.server.progress import explain
from atsumi.server.syncing import sync_now
from atsumi.store import runs, tenants
from atsumi.store.runs import Run
from harness import DEADLINE_SECONDS, MASTER_KEY, Account, Product, connect_values, small_company


@dataclass(frozen=True)
class Trouble:
    """``says`` are words of the message: what is wrong and who acts."""

    make: Callable[[Account], object]
    state: str
    says: tuple[str, ...]
    mend: Callable[[Account], object]


def cut(account: Account) -> None:
    account.product.origins.is_cut.add(account.origin.removeprefix("http://"))


def join(account: Account) -> None:
    account.product.origins.is_cut.discard(account.origin.removeprefix("http://"))


EVERYTHING = ["personio:recruiting:read", "personio:persons:read", "personio:documents:read"]


def without(scope: str) -> Callable[[Account], object]:
    return lambda account: account.simulator.set_scopes([one for one in EVERYTHING if one != scope])


def switch(**changes: Any) -> Callable[[Account], object]:
    return lambda account: account.simulator.switch(**changes)


def fault(kind: str, stream: str) -> Callable[[Account], object]:
    return lambda account: account.simulator.inject(kind, path=f"/v2/recruiting/{stream}", count=None)


def whole(account: Account) -> None:
    account.simulator.set_scopes(EVERYTHING)


def no_faults(account: Account) -> None:
    account.simulator.clear_faults()


TROUBLES = {
    "tool cannot be reached": Trouble(cut, "RUNNING", ("connection", "goes on by itself"), join),
    "tool fails on its side": Trouble(
        lambda account: account.simulator.inject("status", status=502, path="/v2/", count=None),
        "RUNNING",
        ("502", "goes on by itself"),
        no_faults,
    ),
    "right to read recruiting missing": Trouble(
        without("personio:recruiting:read"), "FAILED", ('lack "Recruiting: read"', "tick Recruiting"), whole
    ),
    "right to read persons missing": Trouble(
        without("personio:persons:read"), "PARTIALLY_FAILED", ('lack "Employees: read"', "tick Employees"), whole
    ),
    "feed off": Trouble(switch(feed="off"), "PARTIALLY_FAILED", ("XML feed is off", "switch on"), switch(feed="on")),
    "feed malformed": Trouble(
        switch(feed="malformed"), "PARTIALLY_FAILED", ("malformed XML", "maintainers"), switch(feed="on")
    ),
    "API not enabled": Trouble(
        switch(recruiting_enabled=False), "FAILED", ("ask Personio support",), switch(recruiting_enabled=True)
    ),
    "page cut": Trouble(fault("cut", "candidates"), "FAILED", ("not JSON", "maintainers"), no_faults),
    "page is HTML": Trouble(fault("html", "applications"), "FAILED", ("text/html", "maintainers"), no_faults),
    "page is an error": Trouble(fault("error_body", "jobs"), "FAILED", ("envelope", "maintainers"), no_faults),
}


async def sync_as_the_command_does(account: Account, kind: str) -> tuple[Run, str]:
    shown = io.StringIO()
    await account.pool.execute("DELETE FROM rate_bucket")
    async with asyncio.timeout(DEADLINE_SECONDS):
        run = await sync_now(account.runtime, await account.fresh(), kind, Console(file=shown, width=200))
    return run, shown.getvalue() + explain(run)


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES.keys())
async def test_trouble_is_told_and_over_once_it_is_mended(product: Product, trouble: Trouble) -> None:
    account = await product.synced(small_company())
    before = await account.documents()
    application = account.simulator.state("applications")["applications"][0]
    account.simulator.move_application(application["id"], "accepted")
    trouble.make(account)

    run, shown = await sync_as_the_command_does(account, "full")

    assert run.state == trouble.state
    for words in trouble.says:
        assert words in shown
    assert "Stored data stays readable" in shown or "what was read is stored" in shown
    assert (await account.fresh()).state == "ACTIVE"
    during = await account.documents()
    assert {name: rows.keys() for name, rows in during.items()} == {name: rows.keys() for name, rows in before.items()}
    assert all(row["remote_deleted_at"] is None for rows in during.values() for row in rows.values())

    trouble.mend(account)
    run, shown = await sync_as_the_command_does(account, "incremental")

    assert run.state == "SUCCEEDED", shown
    [row] = await account.rows("applications", remote_ids=application["id"])
    assert row["outcome"] == "HIRED"


async def test_a_wrong_secret_is_the_customers_to_mend(product: Product) -> None:
    account = await product.synced(small_company())
    before = await account.documents()
    secret = account.simulator.rotate_secret()

    run, shown = await sync_as_the_command_does(account, "incremental")

    assert run.state == "AUTHENTICATION_FAILED"
    assert "refuses client id or client secret" in shown
    assert "The customer must give new credentials" in shown
    assert await account.documents() == before

    given = connect_values(account.simulator, account.origin)
    with pytest.raises(AuthenticationFailed):
        await reconnect(product.runtime, account.integration, {**given, "client_secret": "wrong"})
    await reconnect(product.runtime, account.integration, {**given, "client_secret": secret})
    run, _ = await sync_as_the_command_does(account, "incremental")
    assert run.state == "SUCCEEDED"


async def test_a_revoked_token_is_nobodys_business(product: Product) -> None:
    account = await product.synced(small_company())
    account.simulator.revoke_tokens()
    run, _ = await sync_as_the_command_does(account, "incremental")
    assert run.state == "SUCCEEDED"


async def test_a_run_that_waits_for_the_tool_is_continued_by_the_next_command(product: Product) -> None:
    account = await product.connect(small_company())
    cut(account)
    waiting, _ = await sync_as_the_command_does(account, "incremental")
    assert (waiting.kind, waiting.state) == ("full", "RUNNING")
    still, _ = await sync_as_the_command_does(account, "incremental")
    assert still.id == waiting.id
    join(account)
    run, _ = await sync_as_the_command_does(account, "incremental")
    assert (run.id, run.state) == (waiting.id, "SUCCEEDED")
    assert await account.remote_ids("jobs")


async def test_a_run_whose_worker_died_is_continued_by_the_next_command(product: Product) -> None:
    account = await product.connect(small_company())
    claim = await account.claim("full")
    await account.pool.execute(
        "UPDATE sync_run SET heartbeat_at = now() - interval '1 hour' WHERE id = $1", claim.run.id
    )
    run, _ = await sync_as_the_command_does(account, "full")
    assert (run.id, run.state, run.attempts) == (claim.run.id, "SUCCEEDED", 2)


@pytest.mark.parametrize("feed", ["unavailable", "rate_limited"])
async def test_a_career_page_that_is_down_keeps_nothing_else_from_being_read(product: Product, feed: str) -> None:
    account = await product.connect(small_company())
    account.simulator.switch(feed=feed)
    run = await account.sync("full")
    assert run.state == "RUNNING"
    states = {one.stream: one.state for one in await runs.progress(account.pool, run.id)}
    assert (states["feed:de"], states["applications"]) == ("PENDING", "COMPLETE")
    await account.pool.execute("UPDATE sync_run SET attempts = $2 WHERE id = $1", run.id, runs.MAXIMUM_ATTEMPTS - 2)
    assert (await account.resume(run.id)).state == "RUNNING"
    run = await account.resume(run.id)
    assert run.state == "PARTIALLY_FAILED"
    assert "Given up" in (run.message or "")
    assert len(await account.rows("applications")) == 40

    account.simulator.switch(feed="on")
    assert (await account.sync()).state == "SUCCEEDED"
    published = {one["id"] for one in account.simulator.state("published")["published"]}
    assert await account.remote_ids("jobs", statuses="OPEN") == published


async def test_an_integration_that_is_switched_off_is_refused_and_not_waited_for(product: Product) -> None:
    account = await product.synced(small_company())
    await tenants.set_state(account.pool, account.number, "INACTIVE", "switched off by the operator")
    with pytest.raises(Conflict, match="switched off by the operator"):
        await sync_as_the_command_does(account, "incremental")


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"client_secret": "wrong"}, AuthenticationFailed, "client secret"),
        ({"company": "nobody-here"}, InvalidInput, "no career page"),
        ({"company": "Not A Name"}, InvalidInput, "company"),
        ({"company_id": "1"}, InvalidInput, "another company"),
        ({"api_base_url": "http://127.0.0.1:9"}, RemoteUnavailable, "connection"),
        ({"surprise": "1"}, InvalidInput, "surprise"),
        ({"client_id": ""}, InvalidInput, "client_id"),
    ],
)
async def test_nothing_is_stored_unless_the_tool_agrees(
    product: Product, change: dict[str, str], error: type[AtsumiError], words: str
) -> None:
    simulator = small_company()
    environment, _ = await product.environment()
    origin = product.origins.add(create_app(simulator))
    with pytest.raises(error, match=words) as caught:
        await connect(
            product.runtime,
            environment_id=environment.id,
            tool="personio",
            organization_name="Customer",
            values=connect_values(simulator, origin) | change,
        )
    assert simulator.credentials()["client_secret"] not in str(caught.value)
    assert await tenants.integrations(product.runtime.pool, environment.id) == []


async def test_rights_that_matter_are_asked_for_before_anything_is_stored(product: Product) -> None:
    simulator = small_company()
    simulator.set_scopes(["personio:persons:read"])
    with pytest.raises(PermissionMissing, match="Recruiting: read"):
        await product.connect(simulator)


async def test_the_same_account_is_not_connected_twice(product: Product) -> None:
    account = await product.synced(small_company())
    with pytest.raises(Conflict, match=account.integration.id):
        await product.connect(account.simulator, environment=(account.environment, account.key))


# The command itself, as a process of its own.


@asynccontextmanager
async def served(simulator: Simulator) -> AsyncIterator[str]:
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(run_server(simulator, port=0, on_ready=ready.set_result))
    try:
        yield await ready
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def command(product: Product, *arguments: str) -> tuple[int, str, str]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ATSUMI_")},
        "ATSUMI_DATABASE_URL": product.runtime.database_url,
        "ATSUMI_MASTER_KEY": MASTER_KEY,
        "ATSUMI_LOG_LEVEL": "error",
        "COLUMNS": "200",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "atsumi.server",
        *arguments,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), DEADLINE_SECONDS)
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


async def test_the_sync_command_tells_what_it_read_and_what_went_wrong(product: Product) -> None:
    simulator = small_company()
    environment = await product.environment()
    async with served(simulator) as origin:
        integration = await connect(
            product.runtime,
            environment_id=environment[0].id,
            tool="personio",
            organization_name="Customer",
            values=connect_values(simulator, origin),
        )
        account = Account(product, simulator, integration, *environment, origin)
        status, output, errors = await command(product, "sync", integration.id)
        assert (status, errors) == (0, "")
        assert "Everything was read." in output
        assert any(line.split()[:3] == ["applications", "complete", "40"] for line in output.splitlines()), output
        assert len(await account.rows("applications")) == 40

        simulator.rotate_secret()
        simulator.revoke_tokens()
        status, output, errors = await command(product, "sync", integration.id)
        assert status == 1
        assert "The customer must give new credentials." in output
        assert "Traceback" not in output + errors
    status, output, errors = await command(product, "sync", integration.id)
    assert status == 1
    assert "goes on by itself" in output
    assert "Traceback" not in output + errors
    assert len(await account.rows("applications")) == 40
