"""Reading whole accounts: paging, fallbacks, and what each stream leaves behind when it fails."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from atsumi.connector.contract import LookupStream, Page, RawKey, Stream, StreamRequest
from atsumi.connectors.personio import connector, raw
from atsumi.connectors.personio.tests.fixed import Answer, FixedAccount, fixture, ok, problem
from atsumi.connectors.personio.tests.simulated import SimulatedAccount
from atsumi.errors import PermissionMissing, RateLimited, UnexpectedResponse
from atsumi.testing.doubles import MemoryLog
from atsumi.testing.reading import Reading

APPLICATIONS, JOBS = "/v2/recruiting/applications", "/v2/recruiting/jobs"
SINCE = datetime(2026, 5, 1, 12, 0, 0, 500_000, tzinfo=UTC)


def stream(name: str) -> Any:
    return next(item for item in connector.streams if item.name == name)


async def pages(name: str, account: FixedAccount, request: StreamRequest | None = None) -> list[Page]:
    listing = stream(name)
    assert isinstance(listing, Stream)
    return [page async for page in listing.pages(account.context, request or StreamRequest())]


def keys(found: Sequence[Page], name: str) -> list[str]:
    return [record.remote_id for page in found for record in page.records if record.stream == name]


def listing(*items: Any, following: str | None = None) -> httpx2.Response:
    links = {"next": {"href": f"https://api.personio.de/x?cursor={following}"}} if following else {}
    return httpx2.Response(200, json={"_data": list(items), "_meta": {"links": links}})


async def whole(account: SimulatedAccount) -> Reading:
    reading = Reading(connector, lookup_limit=20)
    await reading.read(account.context())
    return reading


def ids_of(account: SimulatedAccount, kind: str) -> set[str]:
    return {str(record.id) for record in getattr(account.simulator.company, kind)}


PAGING = {
    "no next on the last page": {},
    "an empty last page": {"next_on_last_page": True},
    "relative links": {"next_is_relative": True},
    "links without limit and filter": {"next_keeps_query": False},
    "all of it": {"next_on_last_page": True, "next_is_relative": True, "next_keeps_query": False},
}


@pytest.mark.parametrize("switches", PAGING.values(), ids=PAGING)
async def test_every_way_of_paging_gives_everything(switches: dict[str, bool]) -> None:
    account = SimulatedAccount()
    account.simulator.switch(**switches)
    reading = await whole(account)
    assert not reading.failures
    assert not reading.unproven
    for kind in ("applications", "candidates", "jobs"):
        assert reading.store.ids(kind) == ids_of(account, kind)


async def test_a_last_page_that_names_itself_gives_everything_but_proves_nothing() -> None:
    account = SimulatedAccount()
    account.simulator.switch(next_points_to_itself=True)
    reading = await whole(account)
    assert not reading.failures
    assert reading.unproven == {"applications", "candidates", "jobs"}
    assert reading.store.ids("applications") == ids_of(account, "applications")


async def test_a_full_page_that_names_itself_fails_and_keeps_what_came() -> None:
    account = SimulatedAccount()
    account.simulator.inject("self_next", path="/v2/recruiting/applications", after=1)
    reading = await whole(account)
    assert {name: type(error) for name, error in reading.failures.items()} == {"applications": UnexpectedResponse}
    assert len(reading.store.ids("applications")) == 200


async def test_an_incremental_read_filters_a_second_before_the_asked_instant() -> None:
    account = FixedAccount({APPLICATIONS: listing()})
    await pages("applications", account, StreamRequest(since=SINCE))
    assert dict(account.asked(APPLICATIONS)[0].url.params) == {
        "limit": "200",
        "updated_at.gt": "2026-05-01T11:59:59Z",
    }


def application(number: int, updated: Any) -> dict[str, Any]:
    return {"id": str(number), "updated_at": updated}


NEW, OLD = {"date-time": "2026-05-02T00:00:00Z"}, {"date-time": "2026-04-01T00:00:00Z"}


async def test_without_the_filter_reading_stops_at_the_first_older_record() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if "updated_at.gt" in request.url.params:
            return problem(400, "error_bad_request")
        match request.url.params.get("cursor"):
            case None:
                return listing(application(3, NEW), application(2, "unreadable"), following="cur_2")
            case "cur_2":
                return listing(application(1, OLD), following="cur_3")
        raise AssertionError("it should have stopped")

    account = FixedAccount({APPLICATIONS: answer})
    found = await pages("applications", account, StreamRequest(since=SINCE))
    assert keys(found, "applications") == ["3", "2", "1"]
    assert found[-1].position is None
    assert isinstance(account.context.log, MemoryLog)
    assert len(account.context.log.entries) == 1


async def test_a_tenant_without_the_filter_still_shows_every_edit() -> None:
    account = SimulatedAccount()
    account.simulator.switch(updated_filter_refused=True)
    reading = await whole(account)
    since = account.now() - timedelta(days=1)
    stream_name, key = account.edit()
    before = len(reading.store.changes)
    await reading.read(account.context(), since=since)
    assert not reading.failures
    assert RawKey(stream_name, key) in reading.store.changes[before:]


async def test_a_stopped_read_goes_on_at_its_position() -> None:
    account = FixedAccount({APPLICATIONS: listing(application(1, NEW))})
    await pages("applications", account, StreamRequest(position="cur_9"))
    assert account.asked(APPLICATIONS)[0].url.params["cursor"] == "cur_9"


async def test_a_refused_position_starts_over_once() -> None:
    answers: list[Answer] = [
        problem(400, "error_bad_request"),
        listing(application(1, NEW), following="cur_2"),
        problem(400, "error_bad_request"),
    ]
    account = FixedAccount({APPLICATIONS: answers})
    with pytest.raises(UnexpectedResponse):
        await pages("applications", account, StreamRequest(position="cur_9"))
    assert [request.url.params.get("cursor") for request in account.asked(APPLICATIONS)] == ["cur_9", None, "cur_2"]


async def test_a_listing_that_is_refused_without_a_reason_is_unexpected() -> None:
    with pytest.raises(UnexpectedResponse):
        await pages("jobs", FixedAccount({JOBS: problem(400, "error_bad_request")}))


async def test_what_is_no_record_is_kept_aside_and_the_page_goes_on() -> None:
    odd: list[Any] = [None, 7, "text", [], {}, {"id": None}, {"id": ""}, {"id": {"a": 1}}]
    account = FixedAccount({APPLICATIONS: listing(*odd, application(1, NEW), {"id": 2}, None)})
    (page,) = await pages("applications", account)
    assert keys([page], "applications") == ["1", "2"]
    assert len(keys([page], "malformed:applications")) == len(odd)
    assert {issue.kind for issue in page.issues} == {"malformed_record"}
    assert len(page.issues) == len(odd) + 1


async def test_an_application_teaches_stages_and_leaves_stand_ins() -> None:
    (page,) = await pages("applications", FixedAccount({APPLICATIONS: ok("list_applications")}))
    found = {(record.stream, record.remote_id): record for record in page.records}
    assert set(found) == {
        (raw.APPLICATIONS, "880001"),
        (raw.APPLICATIONS, "880002"),
        (raw.STAGES, "31001"),
        (raw.JOB_STAGES_SEEN, "5101:31001"),
        (raw.JOB_STAGES_SEEN, "5101:system:rejected"),
        (raw.CANDIDATE_STUBS, "770001"),
        (raw.CANDIDATE_STUBS, "770002"),
        (raw.ANONYMIZED, "770002:880002"),
        (raw.JOB_STUBS, "5101"),
    }
    stub = found[raw.CANDIDATE_STUBS, "770001"]
    assert stub.unless == RawKey("candidates", "770001")
    assert json.loads(found[raw.CANDIDATE_STUBS, "770002"].data) == {"id": "770002", "is_anonymized": True}
    assert found[raw.JOB_STUBS, "5101"].unless == RawKey("jobs", "5101")


def test_moves_teach_stages_that_no_application_is_in_any_more() -> None:
    found = raw.of_transitions([*fixture("list_stage_transitions")["_data"], None, {"stage": 7}])
    assert [(record.stream, record.remote_id) for record in found] == [("stages", "31001"), ("stages", "31000")]
    (page,) = [raw.PageBuilder()]
    page.add(raw.of_application(fixture("list_applications")["_data"][0], "880001"))
    seen = next(record for record in page.records() if record.stream == raw.STAGES)
    assert seen == found[0]


async def test_categories_are_a_snapshot_with_their_stages() -> None:
    (page,) = await pages("categories", FixedAccount({"/v2/recruiting/categories": ok("list_categories")}))
    assert set(page.snapshot_of) == {"categories", "category_names", "category_stages", "malformed:categories"}
    assert keys([page], "category_stages") == ["31001", "31002"]
    assert keys([page], "category_names") == ["office"]


async def test_categories_that_show_no_stages_mark_none_as_gone() -> None:
    body = [{"id": "9", "name": "Office"}]
    (page,) = await pages("categories", FixedAccount({"/v2/recruiting/categories": httpx2.Response(200, json=body)}))
    assert "category_stages" not in page.snapshot_of


async def test_no_categories_at_all_are_no_evidence_that_they_went() -> None:
    (page,) = await pages("categories", FixedAccount({"/v2/recruiting/categories": listing()}))
    assert not page.snapshot_of


async def test_builtin_stages_exist_whatever_the_credentials_may_read() -> None:
    (page,) = await pages("builtin_stages", FixedAccount({}))
    assert keys([page], "builtin_stages") == [
        f"system:{key}" for key in ("unassigned", "rejected", "withdrawn", "offer", "accepted")
    ]


FEED_FAILURES = {"off": PermissionMissing, "redirect": PermissionMissing, "malformed": UnexpectedResponse}


@pytest.mark.parametrize(("switch", "expected"), FEED_FAILURES.items())
async def test_a_feed_that_fails_marks_nothing_as_gone(switch: str, expected: type[Exception]) -> None:
    account = SimulatedAccount(applications=20)
    reading = await whole(account)
    published = reading.store.ids("feed:de")
    account.simulator.switch(feed=switch)
    await reading.read(account.context())
    assert {name: type(error) for name, error in reading.failures.items()} == {
        "feed:de": expected,
        "feed:en": expected,
    }
    assert reading.store.ids("feed:de") == published
    assert not reading.store.gone.get("feed:de")


async def test_the_feed_is_read_in_the_configured_languages_only() -> None:
    account = SimulatedAccount(applications=20)
    account.config_changes["languages"] = " EN , xx, fr,en"
    reading = await whole(account)
    assert {name for name in reading.store.streams if name.startswith("feed:")} == {"feed:en", "feed:fr"}
    assert json.loads(next(iter(reading.store.streams["forms"].values())))["language"] == "en"


async def test_positions_that_left_the_feed_are_marked_as_gone() -> None:
    account = SimulatedAccount(applications=20)
    reading = await whole(account)
    left = min(reading.store.ids("feed:de"))
    account.simulator.unpublish_job(left)
    await reading.read(account.context())
    assert set(reading.store.gone["feed:de"]) == set(reading.store.gone["feed:en"]) == {left}


async def test_forms_are_read_again_when_their_position_changes() -> None:
    account = SimulatedAccount(applications=20)
    reading = await whole(account)
    changed = min(reading.store.ids("feed:de"))
    account.simulator.clock.advance(60)
    account.simulator.edit_job(changed, name="Neuer Name")
    account.simulator.log.clear()
    await reading.read(account.context(), since=account.now())
    asked = [entry.path for entry in account.simulator.log.entries if entry.path.endswith("/apply")]
    assert asked == [f"/career/{account.simulator.company.subdomain}/job/{changed}/apply"]


@pytest.mark.parametrize("switch", ["script_only", "off"])
async def test_forms_that_cannot_be_read_leave_what_was_known(switch: str) -> None:
    account = SimulatedAccount(applications=20)
    reading = await whole(account)
    known, questions = reading.store.ids("forms"), reading.store.ids("questions")
    account.simulator.switch(form=switch)
    await reading.read(account.context())
    assert not reading.failures
    assert {issue.remote_id for issue in reading.issues if issue.kind == "questions_unavailable"} == known
    assert (reading.store.ids("forms"), reading.store.ids("questions")) == (known, questions)


async def test_a_rate_limit_on_forms_is_not_swallowed() -> None:
    forms = stream("forms")
    assert isinstance(forms, LookupStream)
    with pytest.raises(RateLimited):
        await forms.fetch(FixedAccount({"/job/1/apply": httpx2.Response(429)}).context, ["1"])


async def test_people_of_hiring_teams_are_looked_up_in_one_request_per_fifty() -> None:
    account = SimulatedAccount(applications=20)
    await whole(account)
    asked = [entry for entry in account.simulator.log.entries if entry.path == "/v2/persons" and "=300" in entry.query]
    assert len(asked) == 1


@pytest.mark.parametrize("status", [401, 403])
async def test_without_the_right_to_read_persons_the_rest_is_read(status: int) -> None:
    account = SimulatedAccount(applications=20)
    account.simulator.switch(missing_scope_status=status)
    account.take_right("personio:persons:read")
    reading = await whole(account)
    assert {name: type(error) for name, error in reading.failures.items()} == {"persons": PermissionMissing}
    assert reading.store.ids("applications") == ids_of(account, "applications")


async def test_a_tenant_that_needs_the_beta_header_is_read() -> None:
    account = SimulatedAccount(applications=20)
    account.simulator.switch(require_beta=True)
    assert not (await whole(account)).failures


async def test_a_tenant_without_the_recruiting_api_is_told_so() -> None:
    account = SimulatedAccount(applications=20)
    account.simulator.switch(recruiting_enabled=False)
    reading = await whole(account)
    for name in ("categories", "jobs", "candidates", "applications"):
        with pytest.raises(PermissionMissing, match="not enabled"):
            raise reading.failures[name]
