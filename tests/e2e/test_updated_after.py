"""What counts as an update of what: each edit in the tool, then a sync, then exactly the records that must show up.

The expectations are the vendor's table (Kombo Python SDK 1.4.0, docstrings of ``updated_after``), in as far as
Personio can bring the situation about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from atsumi.connector.contract import versions
from atsumi.connectors.personio import raw
from atsumi.connectors.personio.simulator import Simulator
from harness import LISTS, Account, Product, small_company

Touched = dict[str, set[str]]


@dataclass
class Consequence:
    """``touched`` are the records that ``updated_after`` gives, ``moved`` those whose ``changed_at`` is new."""

    touched: Touched
    moved: Touched
    after: dict[str, dict[str, Any]]


async def consequence(account: Account, edit: Callable[[], object], kind: str = "incremental") -> Consequence:
    """Edit, sync, and see what the lists say. The stored documents are those that rendering anew would give."""
    before = await account.documents()
    instant = datetime.now(UTC).isoformat()
    edit()
    run = await account.sync(kind)
    assert run.state == "SUCCEEDED", run.message
    after = await account.documents()
    touched = {
        name: found
        for name in LISTS
        if (found := await account.remote_ids(name, updated_after=instant, include_deleted="true"))
    }
    moved = {
        name: changed
        for name, rows in after.items()
        if (
            changed := {
                id for id, row in rows.items() if row["changed_at"] != before[name].get(id, {}).get("changed_at")
            }
        )
    }
    assert await account.fragments() == await account.rendered_anew()
    return Consequence(touched, moved, after)


def nothing() -> None:
    """No edit: what one document did not hold goes when a second run misses it, too."""


def only(**lists: Iterable[str]) -> Touched:
    return {name.replace("_", "-"): set(ids) for name, ids in lists.items()}


@pytest.fixture
async def account(product: Product) -> Account:
    return await product.synced(small_company(applications=30, jobs=8, published_share=0.6))


def held(account: Account, kind: str) -> list[dict[str, Any]]:
    return account.simulator.state(kind)[kind]


def one_application(account: Account) -> dict[str, Any]:
    """An application under way, for a job with a category, of a candidate who has no other."""
    alone = {one["id"] for one in held(account, "candidates") if len(one["applications"]) == 1}
    categories = {one["id"]: one["category_id"] for one in held(account, "jobs")}
    return next(
        one
        for one in held(account, "applications")
        if one["candidate_id"] in alone and categories[one["job_id"]] and one["stage"] != "accepted"
    )


def two_applications(account: Account) -> list[dict[str, Any]]:
    """All applications of a candidate with several, oldest first."""
    several = next(one for one in held(account, "candidates") if len(one["applications"]) > 1)
    mine = [one for one in held(account, "applications") if one["candidate_id"] == several["id"]]
    return sorted(mine, key=lambda one: (one["application_date"], one["created_at"], one["id"]))


async def test_a_moved_application_counts_for_itself_and_its_candidate(account: Account) -> None:
    application = one_application(account)

    seen = await consequence(account, lambda: account.simulator.move_application(application["id"], "accepted"))

    assert seen.touched == only(applications=[application["id"]], candidates=[application["candidate_id"]])
    assert seen.moved == only(applications=[application["id"]])
    assert seen.after["applications"][application["id"]]["outcome"] == "HIRED"
    [embedded] = seen.after["candidates"][application["candidate_id"]]["applications"]
    assert embedded["outcome"] == "HIRED"


async def test_a_changed_candidate_counts_for_all_of_their_applications(account: Account) -> None:
    mine = two_applications(account)
    candidate = mine[0]["candidate_id"]

    seen = await consequence(account, lambda: account.simulator.edit_candidate(candidate, phone="+49 30 5550177"))

    assert seen.touched == only(candidates=[candidate], applications=[one["id"] for one in mine])
    assert seen.moved == only(candidates=[candidate])
    for one in mine:
        [phone] = seen.after["applications"][one["id"]]["candidate"]["phone_numbers"]
        assert phone["phone_number"] == "+49 30 5550177"


async def test_a_new_application_counts_for_itself_and_its_candidate(account: Account) -> None:
    old = one_application(account)
    made: list[str] = []

    def apply() -> None:
        channel = None if old["channel_id"] is None else old["channel_id"]
        made.append(str(account.simulator.create_application(old["candidate_id"], old["job_id"], channel_id=channel)))

    seen = await consequence(account, apply)

    assert seen.touched == only(applications=made, candidates=[old["candidate_id"]])
    assert seen.moved == only(applications=made)
    assert {one["remote_id"] for one in seen.after["candidates"][old["candidate_id"]]["applications"]} == {
        old["id"],
        *made,
    }


async def test_the_channel_of_the_newest_application_is_the_candidates_source(account: Account) -> None:
    *_, older, newest = two_applications(account)
    channel = next(one for one in held(account, "channels") if one["id"] != newest["channel_id"])
    mine = {one["id"] for one in two_applications(account)}

    seen = await consequence(
        account, lambda: account.simulator.edit_application(newest["id"], channel_id=channel["id"])
    )

    assert seen.touched == only(applications=mine, candidates=[newest["candidate_id"]])
    assert seen.moved == only(applications=[newest["id"]], candidates=[newest["candidate_id"]])
    assert seen.after["candidates"][newest["candidate_id"]]["source"] == channel["name"]
    assert older["id"] in mine


async def test_the_channel_of_an_older_application_changes_nothing_of_the_candidate(account: Account) -> None:
    older = two_applications(account)[0]
    channel = next(one for one in held(account, "channels") if one["id"] != older["channel_id"])

    seen = await consequence(account, lambda: account.simulator.edit_application(older["id"], channel_id=channel["id"]))

    assert seen.touched == only(applications=[older["id"]], candidates=[older["candidate_id"]])
    assert seen.moved == only(applications=[older["id"]])


async def test_a_renamed_job_counts_for_no_application(account: Account) -> None:
    job = one_application(account)["job_id"]

    seen = await consequence(account, lambda: account.simulator.edit_job(job, name="Renamed"))

    assert seen.touched == only(jobs=[job])
    assert seen.moved == only(jobs=[job])
    mine = [one for one in held(account, "applications") if one["job_id"] == job]
    assert {seen.after["applications"][one["id"]]["job"]["name"] for one in mine} == {"Renamed"}


async def test_a_renamed_stage_counts_for_nothing_but_itself(account: Account) -> None:
    [category, *_] = held(account, "categories")
    stage = next(stage for stage in category["stages"] if stage.isdigit())

    seen = await consequence(account, lambda: account.simulator.rename_stage(stage, "Kaffee"))

    assert seen.touched == only(application_stages=[stage])
    assert seen.moved == only(application_stages=[stage])
    jobs = [one["id"] for one in held(account, "jobs") if one["category_id"] == category["id"]]
    for job in jobs:
        names = {one["remote_id"]: one["name"] for one in seen.after["jobs"][job]["stages"]}
        assert names[stage] == "Kaffee"
    for one in held(account, "applications"):
        if one["stage"] == stage:
            assert seen.after["applications"][one["id"]]["current_stage"]["name"] == "Kaffee"


def in_category(account: Account) -> tuple[dict[str, Any], list[str]]:
    jobs = held(account, "jobs")
    category = next(one for one in held(account, "categories") if any(job["category_id"] == one["id"] for job in jobs))
    return category, [job["id"] for job in jobs if job["category_id"] == category["id"]]


async def test_a_stage_added_to_a_category_counts_for_its_jobs(account: Account) -> None:
    category, jobs = in_category(account)
    known = {one["id"] for one in held(account, "stages")}

    seen = await consequence(
        account, lambda: account.simulator.edit_category(category["id"], stages=[*category["stages"], "Probetag"])
    )

    [added] = {one["id"] for one in held(account, "stages")} - known
    assert seen.touched == only(jobs=jobs, application_stages=[added])
    assert seen.moved == only(application_stages=[added])
    for job in jobs:
        [shown] = [one for one in seen.after["jobs"][job]["stages"] if one["remote_id"] == added]
        assert (shown["name"], shown["index"]) == ("Probetag", len(category["stages"]))


def own_stages(account: Account, category: dict[str, Any]) -> list[str]:
    """Stages of one category only."""
    others = {
        stage for other in held(account, "categories") if other["id"] != category["id"] for stage in other["stages"]
    }
    return [stage for stage in category["stages"] if stage.isdigit() and stage not in others]


async def test_an_unused_stage_taken_out_of_a_category_is_deleted_and_counts_for_its_jobs(account: Account) -> None:
    category, jobs = in_category(account)
    used = {one["stage"] for one in held(account, "applications")}
    stage = next(one for one in own_stages(account, category) if one not in used)
    rest = [one for one in category["stages"] if one != stage]

    seen = await consequence(account, lambda: account.simulator.edit_category(category["id"], stages=rest))

    # One document may be wrong: nothing is believed of it until a second run has missed the stage, too.
    assert (seen.touched, seen.moved) == ({}, {})

    seen = await consequence(account, nothing)

    assert seen.touched == only(jobs=jobs, application_stages=[stage])
    assert seen.moved == only(application_stages=[stage])
    assert seen.after["application-stages"][stage]["remote_deleted_at"] is not None
    assert stage not in await account.remote_ids("application-stages")
    for job in jobs:
        assert stage not in {one["remote_id"] for one in seen.after["jobs"][job]["stages"]}


async def test_a_used_stage_taken_out_of_a_category_goes_inactive_and_stays_where_it_was_seen(
    account: Account,
) -> None:
    category, jobs = in_category(account)
    stage = own_stages(account, category)[0]
    [first, *_] = [one for one in held(account, "applications") if one["job_id"] in jobs]
    account.simulator.move_application(first["id"], stage)
    assert (await account.sync()).state == "SUCCEEDED"
    seen_in = {one["job_id"] for one in held(account, "applications") if one["stage"] == stage}
    rest = [one for one in category["stages"] if one != stage]

    seen = await consequence(account, lambda: account.simulator.edit_category(category["id"], stages=rest))

    assert (seen.touched, seen.moved) == ({}, {})

    seen = await consequence(account, nothing)

    assert seen.touched == only(application_stages=[stage], **({"jobs": left} if (left := set(jobs) - seen_in) else {}))
    assert seen.moved == only(application_stages=[stage])
    shown = seen.after["application-stages"][stage]
    assert (shown["status"], shown["remote_deleted_at"]) == ("INACTIVE", None)
    assert seen.after["applications"][first["id"]]["current_stage"]["status"] == "INACTIVE"
    [place] = [one for one in seen.after["jobs"][first["job_id"]]["stages"] if one["remote_id"] == stage]
    assert place["index"] is None


def published(account: Account) -> dict[str, Any]:
    ids = {one["id"] for one in held(account, "published")}
    return next(one for one in held(account, "jobs") if one["id"] in ids and one["questions"])


async def test_a_changed_posting_counts_for_its_job(account: Account) -> None:
    job = published(account)
    record = account.simulator.company.jobs.get(int(job["id"]))
    texts = {"de": [("Aufgaben", "<p>Alt</p>")], "en": [("Tasks", "<p>Old</p>")]}
    account.simulator.edit_job(job["id"], descriptions=texts)
    assert (await account.sync()).state == "SUCCEEDED"

    def edit() -> None:
        record.descriptions = {**texts, "en": [("Tasks", "<p>New</p>")]}
        account.simulator.company.touch_feed()

    seen = await consequence(account, edit)

    assert seen.touched == only(jobs=[job["id"]])
    assert seen.moved == {}
    [english] = [one for one in seen.after["jobs"][job["id"]]["job_postings"] if one["remote_id"].endswith(":en")]
    assert english["description_html"] == "<h3>Tasks</h3>\n<p>New</p>"


async def test_a_posting_that_ends_counts_for_its_job(account: Account) -> None:
    def german_only() -> None:
        account.simulator.switch(feed_languages=("de",))
        account.simulator.company.touch_feed()

    two = {id for id, row in (await account.documents())["jobs"].items() if len(row["job_postings"]) == 2}
    assert two

    seen = await consequence(account, german_only)

    assert seen.touched == only(jobs=two)
    assert seen.moved == {}
    assert all(len(row["job_postings"]) < 2 for row in seen.after["jobs"].values())


async def test_a_published_job_changes_itself(account: Account) -> None:
    job = next(one["id"] for one in held(account, "jobs") if not one["is_published"])

    seen = await consequence(account, lambda: account.simulator.publish_job(job))

    assert seen.touched == only(jobs=[job])
    assert seen.moved == only(jobs=[job])
    open_job = seen.after["jobs"][job]
    assert open_job["status"] == "OPEN"
    assert seen.after["jobs"][job]["screening_questions"] or not published(account)["questions"]

    seen = await consequence(account, lambda: account.simulator.unpublish_job(job))

    assert seen.touched == only(jobs=[job])
    assert seen.after["jobs"][job]["status"] == "CLOSED"
    assert seen.after["jobs"][job]["description"] == open_job["description"]
    assert open_job["description"]
    assert seen.after["jobs"][job]["post_url"] is None
    assert {one["status"] for one in seen.after["jobs"][job]["job_postings"]} == {"INACTIVE"}


async def forms_are_due(account: Account) -> None:
    """Let the next full run fetch every form again, as if each had last been fetched for another position."""
    await account.pool.execute(
        "DELETE FROM raw_record WHERE integration = $1 AND stream = $2", account.number, versions(raw.FORMS)
    )


async def test_a_changed_question_counts_for_the_jobs_that_ask_it(account: Account) -> None:
    question = published(account)["questions"][0]["id"]
    asking = [
        one["id"]
        for one in held(account, "jobs")
        if one["is_published"] and any(item["id"] == question for item in one["questions"])
    ]
    attributes = account.simulator.company.attributes

    def edit() -> None:
        found = attributes[question]
        attributes[question] = msgspec.structs.replace(found, label={**found.label, "de": "Neu gefragt"})

    await forms_are_due(account)
    seen = await consequence(account, edit, "full")

    assert seen.touched == only(jobs=asking)
    assert seen.moved == {}
    shown = {one["remote_id"]: one["title"] for one in seen.after["jobs"][asking[0]]["screening_questions"]}
    assert shown[question] == "Neu gefragt"


async def test_a_question_that_is_required_now_counts_for_its_job(account: Account) -> None:
    job = published(account)
    record = account.simulator.company.jobs.get(int(job["id"]))
    first, *rest = record.questions

    def edit() -> None:
        record.questions = [msgspec.structs.replace(first, is_required=not first.is_required), *rest]

    await forms_are_due(account)
    seen = await consequence(account, edit, "full")

    assert seen.touched == only(jobs=[job["id"]])
    assert seen.moved == {}


async def test_a_question_no_longer_asked_counts_for_its_job(account: Account) -> None:
    job = published(account)
    record = account.simulator.company.jobs.get(int(job["id"]))

    def edit() -> None:
        record.questions = record.questions[1:]

    await forms_are_due(account)
    seen = await consequence(account, edit, "full")

    assert seen.touched == only(jobs=[job["id"]])
    assert seen.moved == {}
    assert len(seen.after["jobs"][job["id"]]["screening_questions"]) == len(job["questions"]) - 1


async def test_a_person_who_is_renamed_counts_for_no_job(account: Account) -> None:
    job = next(one for one in held(account, "jobs") if one["hiring_team"])
    person = job["hiring_team"][0]["person_id"]

    seen = await consequence(account, lambda: account.simulator.edit_person(person, last_name="Neu"), "full")

    assert seen.touched == only(users=[person])
    assert seen.moved == only(users=[person])
    names = {one["remote_id"]: one["last_name"] for one in seen.after["jobs"][job["id"]]["hiring_team"]}
    assert names[person] == "Neu"


async def test_somebody_who_joins_a_hiring_team_counts_for_the_job(account: Account) -> None:
    job = next(one for one in held(account, "jobs") if one["hiring_team"])
    record = account.simulator.company.jobs.get(int(job["id"]))
    made: list[str] = []

    def join() -> None:
        made.append(str(account.simulator.create_person("Neue", "Kollegin", "neue@customer.example")))
        team = [*job["hiring_team"], {"person_id": made[0], "role": "Office Dog"}]
        account.simulator.edit_job(job["id"], hiring_team=team)
        assert record is not None

    seen = await consequence(account, join)

    assert seen.touched["jobs"] == {job["id"]}
    assert seen.touched["users"] == set(made)
    assert seen.touched["roles"] == {"Office Dog"}
    assert set(seen.touched) == {"jobs", "users", "roles"}
    joined = {one["remote_id"]: one for one in seen.after["jobs"][job["id"]]["hiring_team"]}[made[0]]
    assert (joined["first_name"], joined["email"]) == ("Neue", "neue@customer.example")
    assert [role["remote_label"] for role in joined["job_roles"]] == ["Office Dog"]


async def test_an_erased_person_is_blank_everywhere(account: Account) -> None:
    application = one_application(account)
    candidate = application["candidate_id"]

    seen = await consequence(account, lambda: account.simulator.anonymise_application(application["id"]))

    assert seen.touched == only(applications=[application["id"]], candidates=[candidate])
    shown = seen.after["candidates"][candidate]
    assert (shown["first_name"], shown["last_name"], shown["email_addresses"]) == (None, None, [])
    embedded = seen.after["applications"][application["id"]]["candidate"]
    assert (embedded["first_name"], embedded["email_addresses"], embedded["phone_numbers"]) == (None, [], [])


async def test_an_instant_after_the_last_change_gives_nothing_and_one_before_gives_everything(
    account: Account,
) -> None:
    everything = await account.remote_ids("applications")
    assert await account.remote_ids("applications", updated_after="2020-01-01") == everything
    assert await account.remote_ids("applications", updated_after=datetime.now(UTC).isoformat()) == set()


async def test_polling_from_the_start_of_the_last_fetch_misses_nothing(account: Account) -> None:
    simulator: Simulator = account.simulator
    known = {row["remote_id"]: row["outcome"] for row in await account.rows("applications")}
    since = datetime.now(UTC)
    for stage, application in zip(
        ("accepted", "rejected", "offer", "withdrawn"), held(account, "applications"), strict=False
    ):
        simulator.move_application(application["id"], stage)
        await account.sync()
        started = datetime.now(UTC)
        rows = await account.rows("applications", updated_after=since.isoformat())
        known.update({row["remote_id"]: row["outcome"] for row in rows})
        since = started
    assert known == {row["remote_id"]: row["outcome"] for row in await account.rows("applications")}
