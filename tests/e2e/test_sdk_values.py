"""Kombo's published client reads a synced company, and every value is the one that the tool holds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from atsumi.model.names import Model
from harness import FILLED, READ_METHODS, Account

Rows = dict[str, Any]

EMPTY = tuple(name for name in READ_METHODS if name not in FILLED)

OUTCOMES = {"accepted": "HIRED", "rejected": "DECLINED", "withdrawn": "DECLINED"}
BUILTIN = ("unassigned", "rejected", "withdrawn", "offer", "accepted")


def instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def stage_id(reference: str) -> str:
    return f"system:{reference}" if reference in BUILTIN else reference


def truth(account: Account, kind: str) -> dict[str, dict[str, Any]]:
    return {item["id"]: item for item in account.simulator.state(kind)[kind]}


def dump(value: Any) -> Any:
    """The plain value of an enum member, and the plain object of a client's object."""
    return (
        value.model_dump(mode="json", by_alias=True) if hasattr(value, "model_dump") else getattr(value, "value", value)
    )


@pytest.fixture(scope="module")
async def records(company: Account) -> dict[str, Rows]:
    """All lists as the client gives them, by remote id."""
    found: dict[str, Rows] = {}
    for name in READ_METHODS:
        rows = await company.read(name)
        found[name] = {row.remote_id: row for row in rows}
        assert len(found[name]) == len(rows)
    return found


async def test_every_application_of_the_tool_is_listed(company: Account, records: dict[str, Rows]) -> None:
    applications, candidates = truth(company, "applications"), truth(company, "candidates")
    jobs, stages = truth(company, "jobs"), truth(company, "stages")
    assert records["applications"].keys() == applications.keys()
    for id, shown in records["applications"].items():
        held = applications[id]
        person, job = candidates[held["candidate_id"]], jobs[held["job_id"]]
        assert shown.id == company.id(Model.APPLICATION, id)
        assert dump(shown.outcome) == OUTCOMES.get(held["stage"], "PENDING")
        assert shown.remote_created_at == instant(held["created_at"])
        assert shown.remote_updated_at == instant(held["updated_at"])
        assert shown.remote_deleted_at is None
        assert shown.candidate_id == shown.candidate.id == company.id(Model.CANDIDATE, person["id"])
        assert shown.candidate.remote_id == person["id"]
        assert (shown.candidate.first_name, shown.candidate.last_name) == (person["first_name"], person["last_name"])
        assert [mail.email_address for mail in shown.candidate.email_addresses] == (
            [person["email"]] if person["email"] else []
        )
        assert shown.job_id == shown.job.id == company.id(Model.JOB, job["id"])
        assert (shown.job.remote_id, shown.job.name) == (job["id"], job["name"])
        assert shown.current_stage_id == shown.current_stage.id
        assert shown.current_stage.remote_id == stage_id(held["stage"])
        assert shown.current_stage.name == stages[held["stage"]]["name"]
        assert shown.interviews == []
        assert shown.offers == []


async def test_every_candidate_is_shown_as_the_tool_holds_them(company: Account, records: dict[str, Rows]) -> None:
    candidates, applications = truth(company, "candidates"), truth(company, "applications")
    assert records["candidates"].keys() == candidates.keys()
    erased = 0
    for id, shown in records["candidates"].items():
        held = candidates[id]
        mine = [applications[one] for one in held["applications"]]
        assert shown.id == company.id(Model.CANDIDATE, id)
        assert (shown.first_name, shown.last_name) == (held["first_name"], held["last_name"])
        assert [mail.email_address for mail in shown.email_addresses] == ([held["email"]] if held["email"] else [])
        assert [phone.phone_number for phone in shown.phone_numbers] == ([held["phone"]] if held["phone"] else [])
        assert [(link.link, link.type) for link in shown.social_media] == (
            [(held["linkedin_profile"], "LINKEDIN")] if held["linkedin_profile"] else []
        )
        assert (shown.location.raw if shown.location else None) == held["location"]
        assert shown.custom_fields == {}
        assert shown.remote_created_at == instant(held["created_at"])
        assert shown.remote_updated_at == instant(held["updated_at"])
        assert {one.remote_id for one in shown.applications} == set(held["applications"])
        for one in shown.applications:
            application = applications[one.remote_id]
            assert one.id == company.id(Model.APPLICATION, one.remote_id)
            assert dump(one.outcome) == OUTCOMES.get(application["stage"], "PENDING")
            assert one.job.remote_id == application["job_id"]
            assert one.current_stage.remote_id == stage_id(application["stage"])
        newest = max(mine, key=lambda one: (one["application_date"], one["created_at"], one["id"]), default=None)
        assert shown.source == (newest["channel"] if newest else None)
        assert shown.tags == []
        erased += held["last_name"] is None
    assert erased == 1
    assert sum(row.source is not None for row in records["candidates"].values()) > 3


EMPLOYMENT = {
    ("permanent", "full-time"): "FULL_TIME",
    ("permanent", "part-time"): "PART_TIME",
    ("permanent", "full-or-part-time"): "permanent, full-or-part-time",
    "intern": "INTERNSHIP",
    "freelance": "CONTRACT",
}
"""Words without an equal keep the tool's own, as the contract asks of an open enum."""


def employment_type(job: dict[str, Any]) -> str | None:
    kind, schedule = job["employment_type"], job["schedule"]
    own = ", ".join(word for word in (kind, schedule) if word) or None
    return EMPLOYMENT.get((kind, schedule)) or EMPLOYMENT.get(kind) or own


async def test_every_job_is_shown_with_what_the_career_page_says(company: Account, records: dict[str, Rows]) -> None:
    jobs = truth(company, "jobs")
    assert records["jobs"].keys() == jobs.keys()
    assert sum(job["is_published"] for job in jobs.values()) >= 4
    for id, shown in records["jobs"].items():
        held = jobs[id]
        assert shown.id == company.id(Model.JOB, id)
        assert shown.name == held["name"]
        assert (shown.department, shown.category) == (held["department"], held["category"])
        assert shown.remote_created_at == instant(held["created_at"])
        assert shown.remote_updated_at == instant(held["updated_at"])
        assert shown.remote_url.endswith(f"/recruiting/positions/{id}")
        if not held["is_published"]:
            assert shown.description is None
            assert shown.post_url is None
            assert shown.job_postings == []
            assert shown.screening_questions == []
            assert dump(shown.status) is None
            continue
        site = f"{company.origin}/career/{company.simulator.company.subdomain}/job/{id}"
        assert (dump(shown.status), dump(shown.visibility)) == ("OPEN", "PUBLIC")
        assert shown.post_url == site
        assert shown.experience_level == held["seniority"]
        assert dump(shown.employment_type) == employment_type(held)
        assert (shown.location.raw if shown.location else None) == held["office"]
        assert shown.custom_fields == {}
        assert "<h3>" in shown.description
        names = held["names"] or {"de": held["name"]}
        assert {posting.remote_id: posting.title for posting in shown.job_postings} == {
            f"{id}:{language}": names.get(language, held["name"]) for language in ("de", "en")
        }
        for posting in shown.job_postings:
            language = posting.remote_id.partition(":")[2]
            assert posting.url == f"{site}?display={language}"
            assert (dump(posting.status), dump(posting.visibility)) == ("ACTIVE", "PUBLIC")


async def test_a_jobs_texts_salary_and_places_are_the_career_pages(company: Account, records: dict[str, Rows]) -> None:
    published = company.simulator.state("published")["published"][0]["id"]
    shown = records["jobs"][published]
    german = "<h3>Aufgaben</h3>\n<p>Kuchen &amp; Kaffee</p>\n<h3>Profil</h3>\n<ul><li>wach</li></ul>"
    assert shown.description == german
    assert {posting.remote_id: posting.description_html for posting in shown.job_postings} == {
        f"{published}:de": german,
        f"{published}:en": "<h3>Tasks</h3>\n<p>Cake &amp; coffee</p>",
    }
    assert (shown.salary_amount_from, shown.salary_amount_to) == (42000, 51000.5)
    assert (shown.salary_currency, dump(shown.salary_period)) == ("EUR", "YEAR")
    assert shown.location.raw == "Berlin"


async def test_a_jobs_stages_are_its_categorys_in_order_and_those_seen(
    company: Account, records: dict[str, Rows]
) -> None:
    jobs, categories = truth(company, "jobs"), truth(company, "categories")
    stages, applications = truth(company, "stages"), truth(company, "applications")
    for id, shown in records["jobs"].items():
        category = categories.get(jobs[id]["category_id"])
        ordered = [stage_id(stage) for stage in category["stages"]] if category else []
        seen = {stage_id(one["stage"]) for one in applications.values() if one["job_id"] == id}
        places = [(stage.remote_id, stage.index) for stage in shown.stages]
        assert places[: len(ordered)] == [(stage, index) for index, stage in enumerate(ordered)]
        assert sorted(places[len(ordered) :]) == [(stage, None) for stage in sorted(seen - set(ordered))]
        for stage in shown.stages:
            assert stage.id == company.id(Model.STAGE, stage.remote_id)
            assert stage.name == stages[stage.remote_id.removeprefix("system:")]["name"]


FORMATS = {
    "text": {"type": "TEXT", "display_type": "SINGLE_LINE"},
    "textarea": {"type": "TEXT", "display_type": "MULTI_LINE"},
    "select": {"type": "SINGLE_SELECT", "display_type": "DROPDOWN"},
    "multiselect": {"type": "MULTI_SELECT"},
    "checkbox": {"type": "BOOLEAN"},
    "file": {"type": "FILE"},
    "number": {"type": "NUMBER", "display_type": "FIELD"},
    "date": {"type": "DATE"},
}


async def test_a_jobs_questions_are_those_of_its_form(company: Account, records: dict[str, Rows]) -> None:
    asked: set[str] = set()
    for job in company.simulator.state("jobs")["jobs"]:
        questions = job["questions"] if job["is_published"] else []
        shown = records["jobs"][job["id"]].screening_questions
        assert [(one.remote_id, one.title, one.required, one.index) for one in shown] == [
            (one["id"], one["label"]["de"], one["is_required"], index) for index, one in enumerate(questions)
        ]
        for one, question in zip(shown, questions, strict=True):
            asked.add(question["kind"])
            found = dump(one.format_)
            assert {name: found[name] for name in FORMATS[question["kind"]]} == FORMATS[question["kind"]]
            assert [(option["name"], option["remote_id"]) for option in found.get("options") or []] == [
                (option["label"]["de"], option["key"]) for option in question["options"]
            ]
            assert one.precondition_question_id is None
            description = company.simulator.company.attributes[one.remote_id].description.get("de")
            assert one.description == description
    assert len(asked) >= 5


ROLE_TYPES = {"Recruiter": "RECRUITER", "Senior Recruiterin": "RECRUITER", "Hiring Manager": "HIRING_MANAGER"}


async def test_a_jobs_hiring_team_has_names_and_roles(company: Account, records: dict[str, Rows]) -> None:
    persons = truth(company, "persons")
    members = 0
    for job in company.simulator.state("jobs")["jobs"]:
        roles: dict[str, set[str]] = {}
        for member in job["hiring_team"]:
            roles.setdefault(member["person_id"], set()).add(member["role"])
        shown = {one.remote_id: one for one in records["jobs"][job["id"]].hiring_team}
        assert shown.keys() == roles.keys()
        for id, one in shown.items():
            person = persons[id]
            assert (one.first_name, one.last_name, one.email) == (
                person["first_name"],
                person["last_name"],
                person["email"],
            )
            assert {role.remote_label for role in one.job_roles} == {" ".join(role.split()) for role in roles[id]}
            for role in one.job_roles:
                assert dump(role.unified_type) == role_type(role.remote_label)
            members += 1
    assert members > 5


def role_type(label: str) -> str | None:
    word = label.lower()
    if "hiring manager" in word:
        return "HIRING_MANAGER"
    return "RECRUITER" if "recruit" in word else None


async def test_users_are_the_people_of_hiring_teams(company: Account, records: dict[str, Rows]) -> None:
    persons = truth(company, "persons")
    jobs = company.simulator.state("jobs")["jobs"]
    assert records["users"].keys() == {member["person_id"] for job in jobs for member in job["hiring_team"]}
    for id, shown in records["users"].items():
        held = persons[id]
        assert shown.id == company.id(Model.USER, id)
        assert (shown.first_name, shown.last_name, shown.email) == (
            held["first_name"],
            held["last_name"],
            held["email"],
        )
        assert dump(shown.status) == held["status"]
        assert shown.system_roles == []


async def test_roles_are_the_labels_of_hiring_teams(company: Account, records: dict[str, Rows]) -> None:
    jobs = company.simulator.state("jobs")["jobs"]
    labels = {" ".join(member["role"].split()) for job in jobs for member in job["hiring_team"]}
    assert {row.remote_label for row in records["roles"].values()} == labels
    for row in records["roles"].values():
        assert dump(row.scope) == "JOB"
        assert dump(row.unified_type) == role_type(row.remote_label)


async def test_stages_are_those_of_categories_applications_and_the_built_in_ones(
    company: Account, records: dict[str, Rows]
) -> None:
    stages, categories = truth(company, "stages"), truth(company, "categories")
    used = {one["stage"] for one in company.simulator.state("applications")["applications"]}
    listed = {stage for category in categories.values() for stage in category["stages"]} | set(BUILTIN)
    assert records["application-stages"].keys() == {stage_id(stage) for stage in listed | used}
    for id, shown in records["application-stages"].items():
        reference = id.removeprefix("system:")
        assert shown.id == company.id(Model.STAGE, id)
        assert shown.name == stages[reference]["name"]
        assert dump(shown.status) == ("ACTIVE" if reference in listed else None)


@pytest.mark.parametrize("name", EMPTY)
async def test_a_list_that_the_tool_cannot_fill_is_empty(company: Account, name: str) -> None:
    assert await company.read(name, include_deleted=True) == []


@pytest.mark.parametrize("size", [1, 7, 250])
@pytest.mark.parametrize("name", FILLED)
async def test_any_page_size_gives_each_record_exactly_once(
    company: Account, records: dict[str, Rows], name: str, size: int
) -> None:
    rows = await company.read(name, page_size=size)
    assert [row.remote_id for row in rows] == list(records[name])
    assert rows == list(records[name].values())


async def test_the_key_the_integration_and_the_tools_are_described(company: Account) -> None:
    assert (await company.ask(lambda client: client.general.check_api_key())).data.environment_id

    details = (
        await company.ask(lambda client: client.general.get_integration_details(integration_id=company.integration.id))
    ).data
    assert details.id == company.integration.id
    assert (details.tool.id, dump(details.category), dump(details.status)) == ("personio", "ATS", "ACTIVE")
    assert dump(details.setup_status) == "COMPLETED"
    assert details.end_user.organization_name == company.simulator.company.name
    assert (details.end_user.creator_email, details.end_user.origin_id) == ("admin@customer.example", "customer-1")

    tools = (await company.ask(lambda client: client.general.get_tools(category="ats"))).data.tools
    [personio] = [tool for tool in tools if tool.id == "personio"]
    for url in (personio.assets.logo_url, personio.assets.icon_url, personio.assets.icon_black_url):
        assert url.startswith(company.product.url)
        assert (await company.product.runtime.http.get(url)).headers["content-type"].startswith("image/svg+xml")
    assert personio.coverage.read_models
    assert (await company.ask(lambda client: client.general.get_tools(category="hris"))).data.tools == []
