"""Which sources an integration's applications show, and the one that created applications get."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from typer.testing import CliRunner

from action_kit import EMAIL, applying, company_with_open_job, write
from atsumi.connectors.personio.simulator import create_app
from atsumi.connectors.personio.simulator.records import Named
from atsumi.errors import InvalidInput, NotFound
from atsumi.model.draft import SourceDraft
from atsumi.server.cli import app
from atsumi.server.connecting import connect
from atsumi.store import sources
from harness import MASTER_KEY, Account, Product, connect_values


@pytest.fixture
async def account(product: Product) -> Account:
    return await product.synced(company_with_open_job())


def shown(account: Account) -> Counter[str]:
    """How many applications the tool shows with each channel."""
    return Counter(str(one.channel.id) for one in account.simulator.company.applications if one.channel is not None)


async def test_known_sources_are_those_that_the_applications_show(account: Account) -> None:
    found = await sources.known_sources(account.pool, account.number)
    assert {one.id: one.applications for one in found} == shown(account)
    names = {str(one.id): one.name for one in account.simulator.company.channels.values()}
    assert {one.id: one.name for one in found} == {id: names[id] for id in shown(account)}
    counts = [one.applications for one in found]
    assert counts == sorted(counts, reverse=True)


async def test_a_renamed_source_is_one_source_with_its_newest_name(account: Account) -> None:
    company = account.simulator.company
    first = (await sources.known_sources(account.pool, account.number))[0]
    assert first.applications > 1
    one = next(one for one in company.applications if one.channel is not None and str(one.channel.id) == first.id)
    company.channels[int(first.id)] = Named(int(first.id), "Job fair")
    company.revision += 1
    account.simulator.edit_application(one.id, channel_id=int(first.id))
    await account.sync()
    again = (await sources.known_sources(account.pool, account.number))[0]
    assert again == sources.SourceUse(first.id, "Job fair", first.applications)


async def test_the_default_source_is_set_and_removed(account: Account) -> None:
    assert await sources.default_source(account.pool, account.number) is None
    await sources.set_default_source(account.pool, account.number, "250601")
    assert await sources.default_source(account.pool, account.number) == "250601"
    await sources.set_default_source(account.pool, account.number, None)
    assert await sources.default_source(account.pool, account.number) is None
    with pytest.raises(NotFound):
        await sources.set_default_source(account.pool, -1, "250601")


async def test_sources_are_read_again_when_they_are_old_or_a_newer_answer_is_asked_for(account: Account) -> None:
    known = account.runtime.known_sources
    before = await known.of(account.number)
    assert before == await sources.known_sources(account.pool, account.number)
    company = account.simulator.company
    company.channels[999] = Named(999, "Job fair")
    account.simulator.edit_application(next(iter(company.applications)).id, channel_id=999)
    await account.sync()
    assert await known.of(account.number, seconds=3600) == before
    assert "Job fair" in {one.name for one in await known.of(account.number, seconds=0)}
    assert "Job fair" in {one.name for one in await known.of(account.number, seconds=3600)}


async def atsumi(account: Account, *arguments: str, status: int = 0) -> str:
    """One `atsumi integrations` command against the account's database; its output."""
    variables = {
        "ATSUMI_DATABASE_URL": account.runtime.database_url,
        "ATSUMI_MASTER_KEY": MASTER_KEY,
        "ATSUMI_DATA_DIR": str(account.runtime.settings.data_dir),
        "ATSUMI_LOG_LEVEL": "error",
    }
    done = await asyncio.to_thread(CliRunner().invoke, app, ["integrations", *arguments], env=variables)
    assert done.exit_code == status, done.output
    return done.output


def channel_of(account: Account) -> str | None:
    """The channel of the application that was created."""
    [made] = account.simulator.company.applications_by_email(EMAIL)
    return str(made.channel.id) if made.channel is not None else None


async def test_the_operator_sets_the_source_that_created_applications_get(account: Account) -> None:
    id = account.integration.id
    shown = await atsumi(account, "source", id)
    assert "have no source" in shown
    first, second, *_ = await sources.known_sources(account.pool, account.number)
    assert f"{first.id}" in shown
    assert first.name in shown
    assert first.name in (await atsumi(account, "source", id, first.id)).splitlines()[0]
    await write(account, applying(account))
    assert channel_of(account) == first.id
    again = applying(account, source=SourceDraft(name=second.name), email_address="grace@applicants.example")
    await write(account, again)
    [made] = account.simulator.company.applications_by_email("grace@applicants.example")
    assert str(made.channel.id) == second.id
    assert "have no source" in await atsumi(account, "source", id, "--none")


async def test_an_id_that_was_never_seen_is_taken_and_one_that_cannot_be_is_refused(account: Account) -> None:
    id = account.integration.id
    assert "not seen on any application yet" in await atsumi(account, "source", id, "4711")
    assert await sources.default_source(account.pool, account.number) == "4711"
    assert "cannot be the id of a source" in await atsumi(account, "source", id, "Referral", status=1)
    assert "not both" in await atsumi(account, "source", id, "4711", "--none", status=1)
    assert await sources.default_source(account.pool, account.number) == "4711"
    receipt = await write(account, applying(account))
    assert channel_of(account) is None
    assert any("source" in warning for warning in receipt.warnings)


async def test_an_account_is_connected_with_its_default_source(product: Product) -> None:
    environment, _ = await product.environment()
    simulator = company_with_open_job()
    values = connect_values(simulator, product.origins.add(create_app(simulator)))
    wanted = {"environment_id": environment.id, "tool": "personio", "organization_name": "Example", "values": values}
    with pytest.raises(InvalidInput) as refused:
        await connect(product.runtime, **wanted, source="Referral")
    assert refused.value.path == "source"
    integration = await connect(product.runtime, **wanted, source="250601")
    assert await sources.default_source(product.runtime.pool, integration.number) == "250601"
