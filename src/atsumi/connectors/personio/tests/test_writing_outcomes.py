"""What became of a create whose answer was lost: it is found out, and never done twice."""

from __future__ import annotations

import contextlib
from typing import Any

import httpx2
import pytest

from atsumi.connectors.personio.tests.fixed import FixedAccount
from atsumi.connectors.personio.tests.writing_kit import CREATE, CREATE_PATH, EMAIL, UPLOAD_PATH, Writer
from atsumi.errors import AlreadyExists, OutcomeUnknown, RemoteRejected, RemoteUnavailable, UnexpectedResponse
from atsumi.model.draft import ApplicationDraft, Ref
from atsumi.model.names import Model
from atsumi.testing.journal import Killed, MemoryJournal

LISTING = "/v2/recruiting/applications"


def lost(request: httpx2.Request) -> None:
    if request.url.path == CREATE_PATH:
        raise httpx2.ReadError("the connection was reset")


@pytest.mark.parametrize("loss", ["status", "silence", "closed"])
async def test_an_answer_that_is_lost_is_made_up_for_by_looking(loss: str) -> None:
    account = Writer([[b"%PDF"]])
    if loss == "closed":
        account.wire.after = lost
    else:
        account.simulator.inject("lost_answer", path=CREATE_PATH, after=1, loss=loss, status=502, seconds=0)
    await account.perform()
    assert account.statuses() == [201]
    assert account.held(account.wanted) == 1
    assert await account.find() is not None


async def test_an_application_that_shows_late_is_waited_for_and_not_sent_twice() -> None:
    account = Writer()
    account.simulator.switch(v2_visible_after_seconds=60)
    account.simulator.inject("lost_answer", path="/v1", loss="status", status=502)
    with pytest.raises(OutcomeUnknown):
        await account.perform()
    assert await account.find() is None
    # Asked again, the tool says that it exists; as v2 showed none before, that can only be this one.
    with pytest.raises(OutcomeUnknown):
        await account.perform()
    account.simulator.clock.advance(60)
    await account.perform()
    assert account.statuses() == [201, 400]
    made = await account.find()
    assert made is not None
    assert made.ids[Model.APPLICATION] == account.written()["id"]


async def test_an_accepted_application_that_shows_late_is_done_and_found_later() -> None:
    account = Writer()
    account.simulator.switch(v2_visible_after_seconds=60)
    await account.perform()
    assert await account.find() is None
    account.simulator.clock.advance(60)
    assert await account.find() is not None
    assert account.statuses() == [201]


async def test_an_application_that_was_there_before_is_never_taken_for_this_one() -> None:
    account = Writer(email_address="Ada.Beispiel@Example.com")
    candidate = account.simulator.create_candidate("Ada", "Beispiel", EMAIL)
    old = account.simulator.create_application(candidate, account.wanted.job.remote)
    for _ in range(2):
        with pytest.raises(AlreadyExists) as caught:
            await account.perform()
        assert await account.find() is None
    assert [one.path for one in caught.value.problems or ()] in ([], ["email_address"])
    assert account.statuses() == [400], "a refusal for good is not asked for again"
    account.simulator.edit_application(old, application_date="2026-10-01")
    assert await account.find() is None, "a change of the old one makes no new one"


async def test_the_lost_refusal_of_an_application_that_was_there_before_is_found_out() -> None:
    account = Writer()
    candidate = account.simulator.create_candidate("Ada", "Beispiel", EMAIL)
    account.simulator.create_application(candidate, account.wanted.job.remote)
    account.simulator.inject("lost_answer", path="/v1", loss="status", status=502)
    with pytest.raises(OutcomeUnknown):
        await account.perform()
    with pytest.raises(AlreadyExists):
        await account.perform()
    assert account.statuses() == [400, 400]


async def test_one_that_v2_did_not_show_and_that_was_not_sent_exists() -> None:
    account = Writer()
    account.simulator.switch(v2_visible_after_seconds=60)
    other = MemoryJournal()
    await CREATE.perform(account.context(), account.wanted, other)
    with pytest.raises(AlreadyExists) as caught:
        await account.perform()
    assert [one.path for one in caught.value.problems] == ["email_address"]
    assert account.journal.unknown == set()


async def test_the_same_person_may_apply_for_another_job() -> None:
    account = Writer()
    await account.perform()
    second = account.simulator.state("published")["published"][1]["id"]
    account.wanted.job, account.journal = Ref(remote_id=second), MemoryJournal()
    await account.perform()
    made = await account.find()
    assert made is not None
    assert account.statuses() == [201, 201]
    [candidate] = account.simulator.company.candidates_by_email(EMAIL)
    assert made.ids == {Model.APPLICATION: account.written()["id"], Model.CANDIDATE: str(candidate.id)}


async def test_a_request_that_never_left_leaves_no_doubt() -> None:
    account = Writer()

    def unreachable(request: httpx2.Request) -> None:
        if request.url.path == CREATE_PATH:
            raise httpx2.ConnectError("refused")

    account.wire.before = unreachable
    with pytest.raises(RemoteUnavailable) as caught:
        await account.perform()
    assert caught.value.is_unsent
    assert account.journal.unknown == set()
    account.wire.before = lambda request: None
    await account.perform()
    assert account.statuses() == [201]


@pytest.mark.parametrize("kind", ["html", "redirect", "status", "timeout"])
async def test_an_answer_that_says_nothing_is_asked_about_before_sending_again(kind: str) -> None:
    account = Writer()
    account.simulator.inject(kind, path="/v1", seconds=0)
    with pytest.raises(OutcomeUnknown):
        await account.perform()
    asked = len(account.wire.sent)
    await account.perform()
    assert account.statuses() == [201]
    again = [request.url.path for request in account.wire.sent[asked:]]
    assert [path for path in again if "auth" not in path] == [LISTING, CREATE_PATH], "it looks first"


@pytest.mark.parametrize("loss", [None, "status"])
async def test_a_write_with_everything_that_can_be_mended_is_done_once_wherever_it_is_killed(loss: str | None) -> None:
    moment = 0
    while True:
        account = Writer([[b"a"], [b"b"]], remote_fields={"recruiting_channel_id": 1})
        if loss is not None:
            account.simulator.inject("lost_answer", path=CREATE_PATH, after=3, loss=loss, status=502)
        account.journal.kill_after = moment
        try:
            await account.perform()
        except Killed:
            # What is lost may also be a refusal, of which nothing can be found: then it is sent again.
            with contextlib.suppress(OutcomeUnknown):
                await account.perform()
            await account.perform()
        else:
            break
        assert account.held(account.wanted) == 1, account.journal.reached[moment]
        assert account.statuses().count(201) == 1
        assert await account.find() is not None
        moment += 1
    assert moment >= 9


async def test_an_upload_that_breaks_off_is_done_again() -> None:
    account = Writer([[b"a"]])
    account.simulator.inject("status", path=UPLOAD_PATH)
    with pytest.raises(RemoteUnavailable):
        await account.perform()
    await account.perform()
    assert account.wire.posts() == [UPLOAD_PATH, UPLOAD_PATH, CREATE_PATH]


JOB, ME = "4101", {"id": "700", "email": "ADA@example.com"}


def shown(id: str, **changes: Any) -> dict[str, Any]:
    return {"id": id, "job": {"id": JOB}, "candidate": ME, **changes}


def knowing(before: str) -> MemoryJournal:
    """A journal of a write before which v2 showed these applications."""
    journal = MemoryJournal()
    journal.steps["before"] = before
    return journal


async def found_among(*items: object, candidate: dict[str, Any] | None = None) -> tuple[str | None, FixedAccount]:
    account = FixedAccount(
        {
            LISTING: httpx2.Response(200, json={"_data": list(items)}),
            "/v2/recruiting/candidates/700": httpx2.Response(200, json={"id": "700", **(candidate or {})}),
        }
    )
    draft = ApplicationDraft(job=Ref(remote_id=JOB), first_name="A", last_name="B", email_address="ada@Example.com")
    made = await CREATE.find(account.context, draft, knowing('["1"]'))
    return (made.ids[Model.APPLICATION] if made is not None else None), account


@pytest.mark.parametrize(
    ("items", "id"),
    [
        ([shown("1"), shown("2")], "2"),
        ([shown("1")], None),
        ([], None),
        ([shown("2", job={"id": "4102"}), shown("3", candidate={"id": "9", "email": "ada@example.com.au"})], None),
        ([shown("9"), shown("10")], "10"),
        (["?", None, {"id": None}, {"job": None}, shown("2", candidate=None), shown("3", job="4101")], None),
        ([shown("2", candidate={"id": "700", "email": None}, is_anonymized=True)], None),
    ],
)
async def test_only_this_persons_new_application_for_the_job_is_found(items: list[object], id: str | None) -> None:
    assert (await found_among(*items))[0] == id


@pytest.mark.parametrize(("email", "id"), [("ada@example.com", "2"), ("other@example.com", None), (None, None)])
async def test_an_application_without_address_is_asked_whose_it_is(email: str | None, id: str | None) -> None:
    found, account = await found_among(shown("2", candidate={"id": "700"}), candidate={"email": email})
    assert found == id
    assert account.asked("/v2/recruiting/candidates/700")
    [asked] = account.asked(LISTING)
    assert asked.url.params["candidate.email"] == "ada@Example.com"


async def test_a_listing_that_ignores_the_filter_is_not_read_to_its_end() -> None:
    def page(request: httpx2.Request) -> httpx2.Response:
        number = int(request.url.params.get("cursor", "0")) + 1
        links = {"next": {"href": f"?cursor={number}"}}
        items = [shown(str(1000 * number + at), candidate={"id": "9", "email": "x@example.com"}) for at in range(200)]
        return httpx2.Response(200, json={"_data": items, "_meta": {"links": links}})

    account = FixedAccount({LISTING: page})
    draft = ApplicationDraft(job=Ref(remote_id=JOB), first_name="A", last_name="B", email_address="ada@example.com")
    assert await CREATE.find(account.context, draft, MemoryJournal()) is None
    assert len(account.asked(LISTING)) < 20


async def test_an_address_that_v2_does_not_take_is_judged_by_v1() -> None:
    refusal = {
        "errors": [{"field": "email", "errors": [{"reason": "errors.attribute-validation.invalid-email-format"}]}]
    }
    account = FixedAccount(
        {
            LISTING: httpx2.Response(400, json={"errors": [{"title": "Bad request"}]}),
            CREATE_PATH: httpx2.Response(400, json=refusal),
        },
        company_id="1",
    )
    account.context.credentials = {**account.context.credentials, "recruiting_key": "recruiting-key"}
    draft = ApplicationDraft(job=Ref(remote_id=JOB), first_name="A", last_name="B", email_address="ada")
    with pytest.raises(RemoteRejected) as caught:
        await CREATE.perform(account.context, draft, MemoryJournal())
    assert [one.path for one in caught.value.problems] == ["email_address"]
    with pytest.raises(UnexpectedResponse):
        await CREATE.find(account.context, draft, knowing("[]"))
