"""`atsumi actions`, and what `doctor` and `integrations show` tell of actions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from typer.testing import CliRunner, Result

from action_kit import EMAIL, LAST_NAME, applying, begun, company_with_open_job, ended, given_back, write
from atsumi.errors import AlreadyExists, JobClosed, OutcomeUnknown, RemoteCall
from atsumi.model.ids import to_base58
from atsumi.server import acting
from atsumi.server.cli import app
from atsumi.server.doctor import examine
from harness import MASTER_KEY, Account, Product

CALL = RemoteCall("personio", "create application", "POST", "https://api.personio.test/v1/recruiting/applications")

Command = Callable[..., Awaitable[Result]]


@pytest.fixture
async def account(product: Product) -> Account:
    return await product.synced(company_with_open_job(applications=3))


@pytest.fixture
def command(product: Product, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs `atsumi` with these arguments on the product's database."""
    monkeypatch.setenv("ATSUMI_DATA_DIR", str(product.runtime.settings.data_dir))
    monkeypatch.setenv("ATSUMI_DATABASE_URL", product.runtime.database_url)
    monkeypatch.setenv("ATSUMI_MASTER_KEY", MASTER_KEY)
    monkeypatch.setenv("ATSUMI_LOG_LEVEL", "error")

    async def invoke(*arguments: str) -> Result:
        result = await asyncio.to_thread(CliRunner().invoke, app, list(arguments))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        for content in (EMAIL, LAST_NAME):
            assert content not in result.output
        return result

    return invoke


async def test_actions_are_listed_and_shown_without_what_was_written(account: Account, command: Command) -> None:
    made = await write(account, applying(account))
    refused = await begun(account)
    await ended(account, refused, JobClosed(CALL, "the job is closed"))
    listed = (await command("actions", "list", account.integration.id)).stdout
    assert listed.index(to_base58(refused.id)) < listed.index(to_base58(made.id))
    failed = (await command("actions", "list", account.integration.id, "--state", "failed")).stdout
    assert to_base58(refused.id) in failed
    assert "job closed" in failed
    assert to_base58(made.id) not in failed

    assert made.application is not None
    shown = (await command("actions", "show", account.integration.id, str(made.id))).stdout
    assert "SUCCEEDED" in shown
    assert to_base58(made.application) in shown
    shown = (await command("actions", "show", account.integration.id, to_base58(refused.id))).stdout
    assert "job closed: personio: create application: the job is closed" in shown
    assert "caller" in shown


async def test_retrying_has_what_waits_carried_on_and_written_once(account: Account, command: Command) -> None:
    made = await write(account, applying(account, is_deferred=True))
    await account.pool.execute("UPDATE action SET next_at = now() + interval '1 hour' WHERE id = $1", made.id)
    await acting._carry_on(account.runtime, made.id, account.number)
    assert not account.simulator.company.applications_by_email(EMAIL)
    done = await command("actions", "retry", account.integration.id, to_base58(made.id))
    assert done.exit_code == 0, done.output
    await acting._carry_on(account.runtime, made.id, account.number)
    assert len(account.simulator.company.applications_by_email(EMAIL)) == 1
    again = await command("actions", "retry", account.integration.id, to_base58(made.id))
    assert again.exit_code == 1
    assert "does not wait: it is SUCCEEDED" in again.stderr


@pytest.mark.parametrize("verb", ["show", "retry"])
async def test_the_action_of_another_integration_is_not_found(
    account: Account, product: Product, command: Command, verb: str
) -> None:
    theirs = await begun(await product.connect())
    for id, said in ((to_base58(theirs.id), "has no action"), ("x", "is not an action's id")):
        result = await command("actions", verb, account.integration.id, id)
        assert result.exit_code == 1
        assert said in result.stderr


async def test_the_doctor_tells_of_unknown_outcomes_and_of_failures_by_kind(
    account: Account, product: Product, command: Command
) -> None:
    async def told() -> list[tuple[bool, str]]:
        found = [one async for one in examine(product.runtime.settings)]
        return [
            (one.is_well, one.text) for one in found if one.subject == account.integration.id and "action" in one.text
        ]

    assert await told() == []
    for error in (AlreadyExists(CALL, "no"), AlreadyExists(CALL, "no"), JobClosed(CALL, "no")):
        await ended(account, await begun(account), error)
    old = await begun(account)
    await ended(account, old, JobClosed(CALL, "no"))
    await account.pool.execute("UPDATE action SET ended_at = now() - interval '25 hours' WHERE id = $1", old.id)
    unknown = await begun(account)
    await given_back(account, unknown, "UNKNOWN", OutcomeUnknown(CALL, "no answer"), timedelta(minutes=1))
    [(is_well, first), (_, second)] = await told()
    assert is_well
    assert "1 action may or may not have reached the tool" in first
    assert second == "3 actions failed in the last 24 hours: 2 already exists, 1 job closed"
    shown = (await command("integrations", "show", account.integration.id)).stdout
    assert f"actions       {first}" in shown
    assert f"actions       {second}" in shown
    await account.pool.execute("UPDATE action SET created_at = now() - interval '2 hours' WHERE id = $1", unknown.id)
    assert not (await told())[0][0]
