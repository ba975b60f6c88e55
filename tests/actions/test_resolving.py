"""From what a caller wrote to what a tool is sent: sources, people, fields without a place, files."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from action_kit import EMAIL, applying, company_with_open_job, write
from atsumi.actions.requests import MAX_FILES, Planned
from atsumi.errors import InvalidInput
from atsumi.model.draft import ApplicationDraft, FileDraft, GdprConsent, Gender, Ref, SourceDraft
from atsumi.model.enums import AttachmentType
from atsumi.model.ids import record_id
from atsumi.model.names import Model
from atsumi.model.parts import EmailAddress, Location
from atsumi.server.acting import desk_for
from atsumi.store import sources
from harness import Account, Product


@pytest.fixture(scope="module")
async def account(product: Product) -> Account:
    return await product.synced(company_with_open_job(applications=30))


async def planned(account: Account, **changes: Any) -> Planned:
    return await (await desk_for(account.runtime, account.number, "kombo")).plan(applying(account, **changes))


async def sent(account: Account, **changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = (await planned(account, **changes)).requests[-1].body
    return body


def channels(account: Account) -> dict[str, str]:
    """Name by id, of the channels that applications show."""
    company = account.simulator.company
    return {str(one.channel.id): one.channel.name for one in company.applications if one.channel is not None}


async def test_a_source_goes_by_its_id_its_name_or_a_key(account: Account) -> None:
    id, name = next(iter(channels(account).items()))
    key = name.upper().replace(" ", "_").replace("-", "_")
    for source in (SourceDraft(id=id), SourceDraft(name=name.lower()), SourceDraft(unified_key=key)):
        assert (await sent(account, source=source))["recruiting_channel_id"] == int(id)


async def test_a_source_that_nobody_has_used_yet_is_left_to_the_tool(account: Account) -> None:
    assert (await sent(account, source=SourceDraft(id="987654")))["recruiting_channel_id"] == 987654


async def test_looking_for_a_source_needs_one_connection_only(product: Product) -> None:
    account = await product.synced(company_with_open_job(applications=5))
    async with AsyncExitStack() as held:
        for _ in range(account.pool.get_max_size() - 1):
            await held.enter_async_context(account.pool.acquire())
        async with asyncio.timeout(30):
            await planned(account, source=SourceDraft(name="a friend of a friend"))


async def test_the_default_source_is_for_those_that_name_none(product: Product) -> None:
    account = await product.synced(company_with_open_job(applications=30))
    [default, other, *_] = channels(account)
    assert "recruiting_channel_id" not in await sent(account)
    await sources.set_default_source(account.pool, account.number, default)
    assert (await sent(account))["recruiting_channel_id"] == int(default)
    assert (await sent(account, source=SourceDraft(id=other)))["recruiting_channel_id"] == int(other)
    found = await planned(account, source=SourceDraft(name="a friend of a friend"))
    assert found.requests[-1].body["recruiting_channel_id"] == int(default)
    assert any("a friend of a friend" in warning for warning in found.warnings)


async def test_a_candidate_applies_again_with_what_is_known(account: Account) -> None:
    known = next(one for one in account.simulator.company.candidates if one.email)
    ref = Ref(remote_id=str(known.id))
    body = await sent(account, candidate=ref, first_name="", last_name="", email_address="")
    assert (body["first_name"], body["last_name"], body["email"]) == (known.first_name, known.last_name, known.email)
    # What the caller says counts.
    assert (await sent(account, candidate=ref))["email"] == EMAIL
    with pytest.raises(InvalidInput) as refused:
        await planned(account, candidate=Ref(remote_id="none"))
    assert refused.value.path == "candidate"


@pytest.mark.parametrize("field", ["first_name", "last_name", "email_address"])
async def test_what_the_tool_needs_is_named_when_it_is_missing(account: Account, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await planned(account, **{field: ""})
    assert refused.value.path == field


async def test_what_the_tool_has_no_place_for_is_told(account: Account) -> None:
    found = await planned(
        account,
        company="Glassworks",
        additional_email_addresses=[EmailAddress(email_address="home@applicants.example")],
        gdpr_consent=GdprConsent(given=True),
        gender=Gender.OTHER,
    )
    told = " ".join(found.warnings)
    assert all(word in told for word in ("company", "additional email addresses", "gdpr consent"))
    assert "gender" not in told
    assert "Glassworks" not in str(found.requests)


async def test_places_are_written_as_they_are_read(account: Account) -> None:
    body = await sent(account, location=Location(city="Murano", country="IT"))
    [location] = [one["value"] for one in body["attributes"] if one["id"] == "location"]
    assert "Murano" in location


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (FileDraft(name="cv.exe"), "no files with .exe"),
        (FileDraft(name="cv"), "no extension"),
        (FileDraft(name="cv.pdf", size_bytes=21 * 1024 * 1024), "larger than"),
        (FileDraft(name="cv.pdf", size_bytes=0), "empty"),
    ],
)
async def test_files_that_the_tool_does_not_take_are_refused_at_once(
    account: Account, file: FileDraft, words: str
) -> None:
    good = FileDraft(name="letter.pdf", type=AttachmentType.COVER_LETTER, size_bytes=10)
    with pytest.raises(InvalidInput, match=words) as refused:
        await planned(account, files=[good, file])
    assert refused.value.path == "files.1"


async def test_one_write_brings_so_many_files_and_no_more(account: Account) -> None:
    files = [FileDraft(name=f"{n}.pdf", url=f"https://files.example/{n}") for n in range(MAX_FILES + 1)]
    await planned(account, files=files[:-1])
    with pytest.raises(InvalidInput, match=f"at most {MAX_FILES} files") as refused:
        await planned(account, files=files)
    assert refused.value.path == f"files.{MAX_FILES}"


async def test_a_name_without_ending_gets_the_one_of_its_type(account: Account) -> None:
    found = await planned(account, files=[FileDraft(name="my life", content_type="application/pdf", size_bytes=10)])
    assert found.requests[0].file == "my life.pdf"


async def test_an_id_and_the_tools_own_id_name_the_same(account: Account) -> None:
    wanted = applying(account)
    assert isinstance(wanted.draft, ApplicationDraft)
    by_remote = await sent(account)
    id = record_id(account.integration.public_id, Model.JOB, wanted.draft.job.remote)
    assert await sent(account, job=Ref(id=id)) == by_remote


async def test_nothing_is_noted_of_a_plan(account: Account) -> None:
    await planned(account)
    assert not await account.fetch("SELECT 1 FROM action WHERE integration = $1")


async def test_the_drafts_of_callers_stay_as_they_are(account: Account) -> None:
    """The same request object is told apart by its content again and again."""
    request = applying(account, key="again", company="Glassworks", source=SourceDraft(name="nobody"))
    assert (await write(account, request)).id == (await write(account, request)).id
