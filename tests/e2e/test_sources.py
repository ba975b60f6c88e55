"""Which sources an integration's applications show, and the one that created applications get."""

from __future__ import annotations

from collections import Counter

import pytest

from atsumi.connectors.personio.simulator.records import Named
from atsumi.errors import NotFound
from atsumi.store import sources
from harness import Account, Product


@pytest.fixture
async def account(product: Product) -> Account:
    return await product.synced()


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
    assert await known.of(account.number) == before
    assert "Job fair" in {one.name for one in await known.of(account.number, seconds=0)}
    assert "Job fair" in {one.name for one in await known.of(account.number)}
