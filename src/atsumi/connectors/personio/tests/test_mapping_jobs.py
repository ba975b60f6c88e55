"""Jobs with their postings, stages and teams, rule by rule."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from atsumi.connector.contract import Group
from atsumi.connectors.personio import raw
from atsumi.connectors.personio.mapping import mapping
from atsumi.connectors.personio.tests.fixed import CONFIG, fixture
from atsumi.connectors.personio.tests.stored import APPLICATION, CATEGORY, JOB, Stored, position
from atsumi.model.enums import (
    EmploymentType,
    JobStatus,
    PostingStatus,
    RoleType,
    SalaryPeriod,
    UserStatus,
    Visibility,
)
from atsumi.model.job import Job
from atsumi.model.job_posting import JobPosting
from atsumi.model.job_stage import JobStage
from atsumi.model.names import Model
from atsumi.model.parts import Location
from atsumi.model.role import Role
from atsumi.model.user import User

SECTIONS = (
    "<jobDescription><name>Ihre Aufgaben &amp; mehr</name><value>&lt;p onclick='x()'&gt;Texte&lt;/p&gt;"
    "&lt;script&gt;alert(1)&lt;/script&gt;</value></jobDescription>"
    "<jobDescription><name>Profil</name><value>&lt;ul&gt;&lt;li&gt;Sorgfalt&lt;/li&gt;&lt;/ul&gt;</value></jobDescription>"
)
FULL = position(
    office="Berlin",
    additionalOffices="<office>Graz</office><office>Remote</office><office>Berlin</office>",
    name="Redaktion (m/w/d)",
    recruitingCategory="Büro",
    jobDescriptions=SECTIONS,
    employmentType="permanent",
    schedule="part-time",
    seniority="experienced",
    keywords="a, b ,,c",
    subcompany="Acme Beispiel GmbH",
    createdAt="2026-01-01T09:00:00+0100",
    salaryInformation="<min>70000.00</min><max></max><currencyCode>EUR</currencyCode><type>yearly</type>",
)


def published(**languages: str) -> Stored:
    stored = Stored().put(raw.JOBS, "5101", JOB)
    for language, xml in languages.items():
        stored.put(raw.feed(language), "5101", xml)
    return stored


def test_a_job_joins_v2_and_the_feed() -> None:
    job = published(de=FULL).put(raw.CATEGORIES, "9", CATEGORY).one(Job, "5101")
    assert job == Job(
        remote_id="5101",
        name="Technical Writer",
        description=("<h3>Ihre Aufgaben &amp; mehr</h3>\n<p>Texte</p>\n<h3>Profil</h3>\n<ul><li>Sorgfalt</li></ul>"),
        status=JobStatus.OPEN,
        visibility=Visibility.PUBLIC,
        employment_type=EmploymentType.PART_TIME,
        employment_type_raw="permanent, part-time",
        category="Office",
        department="Documentation",
        department_remote_id="61",
        office_remote_ids=["Berlin", "Graz", "Remote"],
        post_url="https://acme.jobs.personio.de/job/5101",
        experience_level="experienced",
        location=Location(raw="Berlin"),
        other_locations=[Location(raw="Graz"), Location(raw="Remote")],
        salary_amount_from=70000.0,
        salary_currency="EUR",
        salary_period=SalaryPeriod.YEAR,
        salary_period_raw="yearly",
        remote_url="https://acme.personio.de/recruiting/positions/5101",
        remote_created_at=datetime(2026, 2, 1, 7, tzinfo=UTC),
        remote_updated_at=datetime(2026, 2, 3, 7, tzinfo=UTC),
        custom_fields={
            "subcompany": "Acme Beispiel GmbH",
            "keywords": ["a", "b", "c"],
            "salaryInformation": {"min": "70000.00", "currencyCode": "EUR", "type": "yearly"},
        },
    )


def test_a_job_that_was_never_published_has_no_status() -> None:
    job = published().one(Job, "5101")
    assert (job.status, job.visibility, job.description, job.post_url) == (None, None, None, None)


def test_a_job_that_left_the_feed_is_closed_and_keeps_what_was_said_last() -> None:
    english = position(name="Writer", jobDescriptions=SECTIONS)
    stored = published(de=FULL, en=english)
    before = stored.one(Job, "5101")
    postings = stored.many(JobPosting, "5101", Model.JOB)
    stored.reading.store.remove("feed:de", "5101")
    stored.reading.store.remove("feed:en", "5101")
    assert before.description
    assert stored.one(Job, "5101") == msgspec.structs.replace(
        before, status=JobStatus.CLOSED, visibility=None, post_url=None
    )
    assert len(postings) == 2
    assert stored.many(JobPosting, "5101", Model.JOB) == [
        msgspec.structs.replace(posting, status=PostingStatus.INACTIVE, visibility=None, url=None)
        for posting in postings
    ]
    stored.put("feed:de", "5101", FULL)
    assert stored.one(Job, "5101") == before
    assert stored.many(JobPosting, "5101", Model.JOB) == postings[:1]


def test_a_job_without_a_department_does_not_take_that_of_a_position_that_has_left() -> None:
    stored = published(de=position(name="Redaktion", department="Redaktion"))
    stored.put(raw.JOBS, "5101", JOB | {"department": None}).reading.store.remove("feed:de", "5101")
    assert stored.one(Job, "5101").department is None


def test_a_job_that_left_the_feed_and_is_gone_from_the_tool_is_no_job() -> None:
    stored = published(de=FULL)
    stored.reading.store.remove("feed:de", "5101")
    stored.reading.store.remove("jobs", "5101")
    assert stored.build(Model.JOB, "5101") == ([], [])


def test_a_job_that_is_gone_is_not_rebuilt_from_an_applications_stub() -> None:
    stored = Stored().put(raw.JOB_STUBS, "5101", APPLICATION["job"])
    assert stored.one(Job, "5101").name == "Technical Writer"
    stored.put(raw.JOBS, "5101", JOB).reading.store.remove("jobs", "5101")
    assert stored.build(Model.JOB, "5101") == ([], [])


def test_a_job_known_from_the_feed_alone_is_a_job() -> None:
    job = Stored().put("feed:en", "5101", FULL).one(Job, "5101")
    assert (job.name, job.category, job.status) == ("Redaktion (m/w/d)", "Büro", JobStatus.OPEN)
    assert job.remote_created_at == datetime(2026, 1, 1, 8, tzinfo=UTC)


def test_each_language_with_its_own_text_is_a_posting() -> None:
    english = position(name="Writer", jobDescriptions=SECTIONS)
    stored = published(de=FULL, en=english, fr=position(name="Not configured"))
    found = stored.many(JobPosting, "5101", Model.JOB)
    assert [(item.remote_id, item.title, item.url) for item in found] == [
        ("5101:de", "Redaktion (m/w/d)", "https://acme.jobs.personio.de/job/5101?display=de"),
        ("5101:en", "Writer", "https://acme.jobs.personio.de/job/5101?display=en"),
    ]
    assert [item.remote_id for item in published(de=FULL, en=FULL).many(JobPosting, "5101", Model.JOB)] == ["5101:de"]


EMPLOYMENT = {
    ("permanent", "full-time"): EmploymentType.FULL_TIME,
    ("permanent", "part-time"): EmploymentType.PART_TIME,
    ("permanent", "full-or-part-time"): None,
    ("permanent", ""): None,
    ("", "full-time"): EmploymentType.FULL_TIME,
    ("", ""): None,
    ("intern", "full-time"): EmploymentType.INTERNSHIP,
    ("trainee", "part-time"): EmploymentType.APPRENTICESHIP,
    ("freelance", "full-time"): EmploymentType.FREELANCE,
    ("temporary", "part-time"): EmploymentType.TEMPORARY,
    ("Working_Student", "part-time"): EmploymentType.WORKING_STUDENT,
}


@pytest.mark.parametrize(("words", "expected"), EMPLOYMENT.items())
def test_employment_type_and_schedule_make_one_type(words: tuple[str, str], expected: EmploymentType | None) -> None:
    stored = published(de=position(employmentType=words[0], schedule=words[1]))
    job = stored.one(Job, "5101")
    assert job.employment_type == expected
    assert job.employment_type_raw == (", ".join(word for word in words if word) or None)
    assert not stored.build(Model.JOB, "5101")[1]


def test_unknown_words_stay_raw_and_are_counted() -> None:
    salary = "<min>1</min><type>per-piece</type><currencyCode>Euro</currencyCode>"
    stored = published(de=position(employmentType="gig", schedule="nights", salaryInformation=salary))
    records, issues = stored.build(Model.JOB, "5101")
    job = next(item for item in records if isinstance(item, Job))
    assert (job.employment_type, job.employment_type_raw) == (None, "gig, nights")
    assert (job.salary_period, job.salary_period_raw, job.salary_currency) == (None, "per-piece", None)
    assert sorted((issue.kind, issue.field, issue.detail) for issue in issues) == [
        ("unknown_value", "employmentType", "gig"),
        ("unknown_value", "salaryInformation.type", "per-piece"),
        ("unknown_value", "schedule", "nights"),
    ]


CATEGORY_SHAPES: dict[str, Any] = {"object": {"id": "9", "name": "Office"}, "id only": {"id": "9"}, "name": "Office"}


@pytest.mark.parametrize("shape", CATEGORY_SHAPES.values(), ids=CATEGORY_SHAPES)
def test_stages_of_the_category_come_first_and_seen_ones_after_them(shape: Any) -> None:
    stored = Stored().put(raw.JOBS, "5101", {**JOB, "category": shape}).put(raw.CATEGORIES, "9", CATEGORY)
    stored.observe(raw.of_category(CATEGORY))
    for stage in ("31001", "30000", "system:rejected"):
        stored.put(raw.JOB_STAGES_SEEN, f"5101:{stage}", {})
    stored.put(raw.JOB_STAGES_SEEN, "51012:31002", {})
    records, _ = stored.build(Model.JOB, "5101")
    found = [(item.remote_id, item.index) for item in records if isinstance(item, JobStage)]
    assert found == [
        ("5101:system:unassigned", 0),
        ("5101:31001", 1),
        ("5101:31002", 2),
        ("5101:system:offer", 3),
        ("5101:30000", None),
        ("5101:system:rejected", None),
    ]
    assert stored.one(Job, "5101").category == "Office"


def test_a_change_of_a_category_reaches_its_jobs_as_a_linked_source() -> None:
    assert mapping.rules[Model.JOB].is_linked
    stored = Stored().put(raw.JOBS, "5101", JOB)
    assert raw.CATEGORIES in {source.stream for source in stored.reading.sources(Group(Model.JOB, "5101"), CONFIG)}


def test_hiring_team_members_users_and_roles_belong_together() -> None:
    twice = {**JOB, "hiring_team": [*JOB["hiring_team"], *JOB["hiring_team"], {"person": None}, {"person": {"id": 7}}]}
    stored = Stored().put(raw.JOBS, "5101", twice).observe(raw.of_job(twice))
    records, _ = stored.build(Model.JOB, "5101")
    members = [item.remote_id for item in records if item.model == Model.HIRING_TEAM_MEMBER]
    assert members == ["5101:4001:Recruiter", "5101:4002:Hiring Manager", "5101:7:"]
    assert stored.one(User, "4001") == User(remote_id="4001")
    assert stored.one(Role, "Recruiter").type == RoleType.RECRUITER
    assert stored.one(Role, "Hiring Manager").type == RoleType.HIRING_MANAGER
    stored.put(raw.ROLES, "Fachbereich", {})
    assert stored.one(Role, "Fachbereich").type is None
    stored.put(raw.PERSONS, "4001", fixture("list_persons")["_data"][0])
    user = stored.one(User, "4001")
    assert (user.first_name, user.email, user.status) == ("Nora", "nora.beispiel@example.com", UserStatus.ACTIVE)
