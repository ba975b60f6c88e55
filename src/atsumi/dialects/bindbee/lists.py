"""The sixteen lists, their filters and their relations, as one table: parser, routes and OpenAPI document read it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from atsumi.dialects.bindbee import wire
from atsumi.dialects.bindbee.parameters import Parameter, instant, text, texts
from atsumi.dialects.bindbee.projection import projection
from atsumi.model.names import Model
from atsumi.store.reading import Operator


@dataclass(frozen=True, slots=True)
class Filter:
    """One parameter that narrows a list. ``operator`` is ``None`` where the canonical model lacks the field.

    ``has_ids`` tells that the values are ids of ours; one that nobody has matches nothing.
    """

    parameter: Parameter
    operator: Operator | None
    field: str
    has_ids: bool = False
    child: Model | None = None
    via: str | None = None

    @property
    def name(self) -> str:
        return self.parameter.name


@dataclass(frozen=True, slots=True)
class ListSpec:
    """One list: ``name`` is the end of its path and the name of its wire model.

    ``model`` is ``None`` for the list that nothing stands behind. ``relations`` are the fields of its documents that
    ``expand`` takes, each with the list that its ids belong to.
    """

    name: str
    model: Model | None
    document: type[wire.Document]
    title: str
    filters: tuple[Filter, ...] = ()
    relations: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/ats/v1/{self.name}"

    @property
    def tag(self) -> str:
        """What the contract calls one of its documents."""
        return self.document.__name__.removeprefix("Ats")

    @property
    def slug(self) -> str:
        """How the contract's custom fields and look-ups spell the model (Bindbee NOTES, section 13: inferred)."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", self.tag).lower()


def _ids(name: str, reference: str | None, what: str) -> Filter:
    operator = Operator.REFERENCE if reference is not None else None
    return Filter(texts(name, f"Ids of {what}, separated by commas."), operator, reference or name, has_ids=True)


def _place(name: str, via: str | None = None) -> Filter:
    """By the place of a stage in a job, which joins what a record, or its parent, names one by one."""
    described = texts(name, "Ids of job interview stages, separated by commas.")
    return Filter(described, Operator.JOINED, "stage_remote_id", has_ids=True, child=Model.JOB_STAGE, via=via)


def _word(name: str, field: str) -> Filter:
    return Filter(text(name, "Compared as it is shown. A word that no record has matches nothing."), _FACET, field)


_FACET, _LOOKUP = Operator.FACET, Operator.LOOKUP
_IGNORING_CASE = "Compared as a whole, ignoring case."
_CANDIDATE = _ids("candidate", "candidate_remote_id", "candidates")
_APPLICATION = _ids("application", "application_remote_id", "applications")
_JOB = _ids("job", "job_remote_id", "jobs")
_CREATED = (
    Filter(
        instant("created_after", "Records that the tool created at this instant or later. A parameter of ours."),
        Operator.CREATED_FROM,
        "remote_created_at",
    ),
    Filter(
        instant("created_before", "Records that the tool created earlier. A parameter of ours."),
        Operator.CREATED_BEFORE,
        "remote_created_at",
    ),
)
"""Lists of a company's settings refuse them: those have no such date, and an empty page would look like an answer."""

LISTS: tuple[ListSpec, ...] = (
    ListSpec(
        "candidates",
        Model.CANDIDATE,
        wire.AtsCandidate,
        "Candidates",
        (
            Filter(texts("company", f"Companies, separated by commas. {_IGNORING_CASE}"), _LOOKUP, "company"),
            Filter(text("first_name", _IGNORING_CASE), _LOOKUP, "first_name"),
            Filter(text("last_name", _IGNORING_CASE), _LOOKUP, "last_name"),
            Filter(text("tag", f"The name of a tag. {_IGNORING_CASE}"), Operator.NAMED, "name", child=Model.TAG),
            Filter(texts("email_addresses", _IGNORING_CASE, is_repeated=True), _LOOKUP, "email"),
            *_CREATED,
        ),
        {"applications": "applications", "attachments": "attachments"},
    ),
    ListSpec(
        "applications",
        Model.APPLICATION,
        wire.AtsApplication,
        "Applications",
        (
            _place("current_stage"),
            _ids("credited_to", "credited_to_remote_id", "remote users"),
            _word("source", "source"),
            _JOB,
            _CANDIDATE,
            _ids("reject_reason", "rejection_reason_remote_id", "reject reasons"),
            *_CREATED,
        ),
        {
            "candidate": "candidates",
            "job": "jobs",
            "credited_to": "remote-users",
            "current_stage": "job-interview-stages",
            "reject_reason": "reject-reasons",
        },
    ),
    ListSpec(
        "jobs",
        Model.JOB,
        wire.AtsJob,
        "Jobs",
        (
            Filter(text("code", _IGNORING_CASE), _LOOKUP, "job_code"),
            _word("status", "status"),
            _ids("offices", "office_remote_ids", "offices"),
            *_CREATED,
        ),
        {
            "departments": "departments",
            "offices": "offices",
            "hiring_managers": "remote-users",
            "recruiters": "remote-users",
        },
    ),
    ListSpec(
        "job-interview-stages",
        Model.JOB_STAGE,
        wire.AtsJobInterviewStage,
        "Job interview stages",
        (_JOB,),
        {"job": "jobs"},
    ),
    ListSpec(
        "scheduled-interviews",
        Model.INTERVIEW,
        wire.AtsScheduledInterview,
        "Scheduled interviews",
        (
            _APPLICATION,
            _ids("organizer", None, "remote users"),
            _place("job_interview_stage", via="application_remote_id"),
            *_CREATED,
        ),
        {
            "application": "applications",
            "job_interview_stage": "job-interview-stages",
            "organizer": "remote-users",
            "interviewers": "remote-users",
        },
    ),
    ListSpec(
        "offers",
        Model.OFFER,
        wire.AtsOffer,
        "Offers",
        (_APPLICATION, _ids("creator", None, "remote users"), *_CREATED),
        {"application": "applications", "creator": "remote-users"},
    ),
    ListSpec(
        "attachments",
        Model.ATTACHMENT,
        wire.AtsAttachment,
        "Attachments",
        (_CANDIDATE, *_CREATED),
        {"candidate": "candidates"},
    ),
    ListSpec("departments", Model.DEPARTMENT, wire.AtsDepartment, "Departments"),
    ListSpec("offices", Model.OFFICE, wire.AtsOffice, "Offices"),
    ListSpec(
        "remote-users",
        Model.USER,
        wire.AtsRemoteUser,
        "Remote users",
        (Filter(text("email", _IGNORING_CASE), _LOOKUP, "email"), *_CREATED),
    ),
    ListSpec("reject-reasons", Model.REJECTION_REASON, wire.AtsRejectReason, "Reject reasons"),
    ListSpec("tags", Model.TAG, wire.AtsTag, "Tags"),
    ListSpec(
        "activities",
        Model.NOTE,
        wire.AtsActivity,
        "Activities",
        (_ids("user", "author_remote_id", "remote users"), _CANDIDATE, *_CREATED),
        {"user": "remote-users", "candidate": "candidates"},
    ),
    ListSpec(
        "scorecards",
        Model.SCORECARD,
        wire.AtsScorecard,
        "Scorecards",
        (
            _APPLICATION,
            _ids("interview", "interview_remote_id", "scheduled interviews"),
            _ids("interviewer", "author_remote_id", "remote users"),
            *_CREATED,
        ),
        {"application": "applications", "interview": "scheduled-interviews", "interviewer": "remote-users"},
    ),
    ListSpec(
        "screening-questions",
        Model.JOB_SCREENING_QUESTION,
        wire.AtsScreeningQuestion,
        "Screening questions",
        (_JOB,),
        {"job": "jobs"},
    ),
    ListSpec("eeocs", None, wire.AtsEEOC, "Equal-opportunity answers", (_CANDIDATE,), {"candidate": "candidates"}),
)
"""Filters and relations are those of the contract (Bindbee OpenAPI document 0.1.0, ``GET /api/ats/v1/*``), which
narrows by no creation date."""

BY_NAME: Mapping[str, ListSpec] = {spec.name: spec for spec in LISTS}

if {(made.name, made.model) for made in projection.wire_models} != {(s.name, s.model) for s in LISTS if s.model}:
    raise ValueError("The lists that are served and the lists that are rendered differ.")
