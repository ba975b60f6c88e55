"""One small account in which every canonical field has a value, and everything refers to everything it can."""

from __future__ import annotations

from datetime import UTC, datetime

from atsumi.model.application import Application, ScreeningAnswer
from atsumi.model.attachment import Attachment
from atsumi.model.candidate import Candidate
from atsumi.model.enums import (
    AttachmentType,
    EmploymentType,
    JobStatus,
    OfferStatus,
    Outcome,
    PostingStatus,
    QuestionType,
    RemoteWorkStatus,
    RoleScope,
    RoleType,
    SalaryPeriod,
    StageStatus,
    UserStatus,
    Visibility,
)
from atsumi.model.hiring_team_member import HiringTeamMember
from atsumi.model.interview import Interview
from atsumi.model.job import Job
from atsumi.model.job_posting import JobPosting
from atsumi.model.job_screening_question import JobScreeningQuestion
from atsumi.model.job_stage import JobStage
from atsumi.model.note import Note
from atsumi.model.offer import Offer
from atsumi.model.parts import EmailAddress, Location, PassedField, PhoneNumber, SocialMedia
from atsumi.model.record import Record
from atsumi.model.rejection_reason import RejectionReason
from atsumi.model.role import Role
from atsumi.model.scorecard import Scorecard
from atsumi.model.screening_question import QuestionFormat, QuestionOption, ScreeningQuestion
from atsumi.model.stage import Stage
from atsumi.model.tag import Tag
from atsumi.model.user import User

CREATED = datetime(2024, 5, 14, 8, 12, tzinfo=UTC)
UPDATED = datetime(2024, 5, 15, 9, 0, tzinfo=UTC)
LATER = datetime(2024, 7, 1, tzinfo=UTC)
PLACE = Location(
    raw="Berlin, Germany", city="Berlin", country="DE", state="BE", street_1="Weg 1", street_2="Hof", zip_code="10115"
)
OWN = {
    "remote_created_at": CREATED,
    "remote_updated_at": UPDATED,
    "custom_fields": {"Cost center": "4711"},
    "mapped_fields": {"cost_center": "4711"},
    "unresolved_fields": ["shoe_size"],
    "passed_fields": [PassedField(key='"notice period"', value={"months": 3}, is_custom=True)],
}


def _url(path: str) -> str:
    return f"https://acme.app.example.com/{path}"


JOB = Job(
    remote_id="32",
    remote_url=_url("jobs/32"),
    name="Backend Engineer (m/f/d)",
    job_code="BE-32",
    description="<p>Build things</p>",
    status=JobStatus.OPEN,
    visibility=Visibility.PUBLIC,
    employment_type=EmploymentType.FREELANCE,
    employment_type_raw="freelance",
    remote_work_status=RemoteWorkStatus.HYBRID,
    category="Engineering",
    department="Product",
    department_remote_id="d1",
    office_remote_ids=["o1"],
    post_url="https://acme.jobs.example.com/job/32",
    experience_level="experienced",
    location=PLACE,
    other_locations=[PLACE],
    is_confidential=False,
    weekly_hours=40.0,
    salary_amount=70000.0,
    salary_amount_from=60000.0,
    salary_amount_to=80000.0,
    salary_currency="EUR",
    salary_period=SalaryPeriod.YEAR,
    salary_period_raw="p.a.",
    opened_at=CREATED,
    closed_at=LATER,
    **OWN,
)
STAGE = Stage(remote_id="s2", name="Interview", status=StageStatus.ACTIVE, remote_url=_url("s2"), **OWN)
FIRST_STAGE = Stage(remote_id="s1", name="Applied")
QUESTION = ScreeningQuestion(
    remote_id="q1",
    title="Work permit?",
    description="For Germany",
    category="EEO",
    format=QuestionFormat(
        type=QuestionType.SINGLE_SELECT,
        display_type="RADIO",
        options=[QuestionOption(name="Yes", remote_id="yes"), QuestionOption(name="No", remote_id="no")],
    ),
    remote_url=_url("q1"),
    **OWN,
)
FORMATS = [
    QuestionFormat(type=QuestionType.TEXT, display_type="MULTI_LINE", max_length=500),
    QuestionFormat(type=QuestionType.NUMBER, display_type="SLIDER", minimum=0.0, maximum=60.0),
    QuestionFormat(type=QuestionType.FILE, accepted_mime_types=["application/pdf"], max_file_size_bytes=20_000_000),
    QuestionFormat(type=QuestionType.MULTI_SELECT, options=[QuestionOption(name="Go", remote_id="go")]),
    QuestionFormat(type=QuestionType.BOOLEAN),
    QuestionFormat(type=QuestionType.DATE),
    QuestionFormat(type=QuestionType.INFORMATION),
    QuestionFormat(type=QuestionType.UNKNOWN, raw_question={"kind": "matrix"}),
]
QUESTIONS = [
    ScreeningQuestion(remote_id=f"f{place}", title=f"Question {place}", format=asked)
    for place, asked in enumerate(FORMATS)
]
QUESTION_USE = JobScreeningQuestion(
    remote_id="32:q1",
    job_remote_id="32",
    question_remote_id="q1",
    index=1,
    is_required=True,
    precondition_question_remote_id="f4",
    precondition_options=[True],
    remote_url=_url("32:q1"),
    **OWN,
)
QUESTION_USES = [
    JobScreeningQuestion(
        remote_id=f"32:{question.remote_id}",
        job_remote_id="32",
        question_remote_id=question.remote_id,
        index=place + 2,
        precondition_question_remote_id="q1" if place == 0 else None,
        precondition_options=["yes"] if place == 0 else None,
    )
    for place, question in enumerate(QUESTIONS)
]
JOB_STAGE = JobStage(
    remote_id="32:s2", job_remote_id="32", stage_remote_id="s2", index=1, remote_url=_url("32:s2"), **OWN
)
FIRST_JOB_STAGE = JobStage(remote_id="32:s1", job_remote_id="32", stage_remote_id="s1", index=0)
POSTING = JobPosting(
    remote_id="32:en",
    job_remote_id="32",
    title="Backend Engineer",
    description_html="<p>Build things</p>",
    language="en",
    status=PostingStatus.ACTIVE,
    visibility=Visibility.PUBLIC,
    url="https://acme.jobs.example.com/job/32?language=en",
    remote_url=_url("p1"),
    **OWN,
)
USER = User(
    remote_id="501",
    first_name="Rita",
    last_name="Recruiter",
    email="Rita@Example.COM",
    status=UserStatus.ACTIVE,
    remote_url=_url("501"),
    **OWN,
)
ROLE = Role(
    remote_id="recruiter",
    label="Recruiter",
    scope=RoleScope.JOB,
    type=RoleType.RECRUITER,
    remote_url=_url("r1"),
    **OWN,
)
SECOND_ROLE = Role(remote_id="lead", label="Lead", scope=RoleScope.JOB, type=RoleType.ADMIN)
MEMBER = HiringTeamMember(
    remote_id="32:501:recruiter",
    job_remote_id="32",
    user_remote_id="501",
    role_remote_id="recruiter",
    remote_url=_url("m1"),
    **OWN,
)
SECOND_PART = HiringTeamMember(remote_id="32:501:lead", job_remote_id="32", user_remote_id="501", role_remote_id="lead")
TAG = Tag(remote_id="12", name="Top talent", remote_url=_url("12"), **OWN)
CANDIDATE = Candidate(
    remote_id="7001",
    first_name="Ada",
    last_name="Example",
    company="Engines Ltd",
    title="Analyst",
    email_addresses=[EmailAddress(email_address="ada@example.com", type="PRIMARY"), EmailAddress(email_address="none")],
    phone_numbers=[PhoneNumber(phone_number="+49 30 1234567", type="MOBILE")],
    social_media=[SocialMedia(link="https://social.example.com/ada", type="LINKEDIN", username="ada")],
    location=PLACE,
    source="Career page",
    is_confidential=True,
    tag_remote_ids=["12"],
    remote_url=_url("7001"),
    **OWN,
)
ANSWERS = [
    ScreeningAnswer(question_remote_id="9", title="Why us?", type="TEXT", answer="I like it"),
    ScreeningAnswer(question_remote_id="10", title="Work permit?", type="SINGLE_SELECT", answer="Yes"),
    ScreeningAnswer(question_remote_id="11", title="Languages", type="MULTI_SELECT", answer=["Python", "Go"]),
    ScreeningAnswer(question_remote_id="12", title="Relocate?", type="BOOLEAN", answer=True),
    ScreeningAnswer(question_remote_id="13", title="Years", type="NUMBER", answer=4),
    ScreeningAnswer(question_remote_id="14", title="Start", type="DATE", answer="2024-07-01"),
    ScreeningAnswer(question_remote_id="15", title="Portfolio", type="FILE", answer={"name": "a.pdf"}),
    ScreeningAnswer(title="Salary", type="NUMBER", answer="a lot"),
]
APPLICATION = Application(
    remote_id="101",
    candidate_remote_id="7001",
    job_remote_id="32",
    current_stage_remote_id="s2",
    outcome=Outcome.DECLINED,
    applied_at=CREATED,
    rejected_at=UPDATED,
    rejection_reason_name="Salary",
    rejection_reason_remote_id="3",
    source="Career page",
    source_remote_id="c1",
    credited_to_remote_id="501",
    is_anonymized=True,
    screening_answers=ANSWERS,
    remote_url=_url("101"),
    **OWN,
)
INTERVIEW = Interview(
    remote_id="88",
    application_remote_id="101",
    stage_remote_id="s2",
    title="First call",
    starting_at=CREATED,
    ending_at=UPDATED,
    location=PLACE,
    video_conferencing_url="https://meet.example.com/abc",
    is_canceled=False,
    user_remote_ids=["501"],
    remote_url=_url("88"),
    **OWN,
)
OFFER = Offer(
    remote_id="55",
    application_remote_id="101",
    status=OfferStatus.SENT,
    employment_start_at=LATER,
    sent_at=CREATED,
    closed_at=UPDATED,
    remote_url=_url("55"),
    **OWN,
)
REASON = RejectionReason(remote_id="3", name="Salary", remote_url=_url("3"), **OWN)
NOTE = Note(
    remote_id="71",
    candidate_remote_id="7001",
    application_remote_id="101",
    author_remote_id="501",
    title="Call",
    content_html="<p>Strong profile</p>",
    is_private=False,
    remote_url=_url("71"),
    **OWN,
)
RESPONSES = [
    {"type": "TEXT", "label": "Impression", "answer": "Good"},
    {"type": "SINGLE_SELECT", "label": "Hire?", "required": True, "options": ["Yes", "No"], "answer": "Yes"},
    {
        "type": "MULTI_SELECT",
        "label": "Strengths",
        "options": [{"remote_id": "c", "label": "Code"}],
        "answer": ["Code"],
    },
    {"type": "BOOLEAN", "label": "On time", "answer": True},
    {"type": "NUMBER", "label": "Score", "answer": 4.5},
    {"type": "DATE", "label": "Start", "answer": "2024-07-01"},
    {"type": "STARS", "label": "Stars", "answer": {"of": 5}},
]
SCORECARD = Scorecard(
    remote_id="81",
    candidate_remote_id="7001",
    application_remote_id="101",
    interview_remote_id="88",
    author_remote_id="501",
    responses=RESPONSES,
    remote_url=_url("81"),
    **OWN,
)
ATTACHMENT = Attachment(
    remote_id="91",
    candidate_remote_id="7001",
    application_remote_id="101",
    type=AttachmentType.CV,
    file_name="cv.pdf",
    size_bytes=1000,
    remote_url=_url("91"),
    **OWN,
)

LISTED: dict[str, Record] = {
    "jobs": JOB,
    "applications": APPLICATION,
    "candidates": CANDIDATE,
    "application-stages": STAGE,
    "users": USER,
    "roles": ROLE,
    "offers": OFFER,
    "interviews": INTERVIEW,
    "rejection-reasons": REASON,
    "tags": TAG,
    "notes": NOTE,
    "scorecards": SCORECARD,
    "attachments": ATTACHMENT,
}
"""The record that each list shows."""

RECORDS: list[Record] = [
    *LISTED.values(), JOB_STAGE, FIRST_JOB_STAGE, FIRST_STAGE, POSTING, QUESTION, QUESTION_USE, *QUESTIONS,
    *QUESTION_USES, MEMBER, SECOND_PART, SECOND_ROLE,
]  # fmt: skip
"""The whole account."""
