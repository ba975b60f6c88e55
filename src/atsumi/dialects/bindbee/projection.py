"""Which records each list is made of.

Documents name related records by their ids, so few changes reach further than the record itself, and whatever a
document shows counts: who reads what was modified after an instant has everything that a full read would give.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from atsumi.dialects.bindbee import render, wire
from atsumi.model.names import Model
from atsumi.model.record import Record
from atsumi.sync.projection import Projection, Relation, Stored, WireModel

_ENCODER = msgspec.json.Encoder()


def _forward(name: str, model: Model, field: str, shows: str) -> Relation:
    return Relation(name, model, forward=field, shows=frozenset(shows.split()), counts_shown=True)


def _reverse(name: str, model: Model, field: str, shows: str, *relations: Relation) -> Relation:
    return Relation(name, model, reverse=field, shows=frozenset(shows.split()), counts_shown=True, relations=relations)


_CANDIDATES = (
    _forward("tags", Model.TAG, "tag_remote_ids", "name"),
    _reverse("attachments", Model.ATTACHMENT, "candidate_remote_id", ""),
    _reverse(
        "applications",
        Model.APPLICATION,
        "candidate_remote_id",
        "",
        _reverse("files", Model.ATTACHMENT, "application_remote_id", ""),
    ),
)

_JOBS = (
    _reverse("job_postings", Model.JOB_POSTING, "job_remote_id", "url"),
    _reverse(
        "hiring_team",
        Model.HIRING_TEAM_MEMBER,
        "job_remote_id",
        "user_remote_id role_remote_id",
        _forward("role", Model.ROLE, "role_remote_id", "type"),
    ),
)

_STAGES = (_forward("stage", Model.STAGE, "stage_remote_id", "name"),)
_QUESTIONS = (_forward("question", Model.SCREENING_QUESTION, "question_remote_id", "title description format"),)
_INTERVIEWS = (_forward("application", Model.APPLICATION, "application_remote_id", "job_remote_id"),)
_OWNER = (_forward("application", Model.APPLICATION, "application_remote_id", "candidate_remote_id"),)
"""Activities and attachments must name a candidate even where the tool names only the application."""


def _made(
    name: str, model: Model, build: Callable[[Stored[Record]], wire.Document], relations: tuple[Relation, ...] = ()
) -> WireModel:
    """A list whose documents ``build`` makes. They stay open: the reader appends what is not stored, and the brace."""

    def rendered(stored: Stored[Record]) -> bytes:
        return _ENCODER.encode(build(stored))[:-1]

    return WireModel(name, model, relations, rendered, _custom_fields)


INVALID_PATH = "INVALID_JSON_PATH"
"""The value of a mapped field whose path leads nowhere in the record (Bindbee NOTES, section 13)."""


def _custom_fields(stored: Stored[Record]) -> bytes | None:
    """The tool's own fields under its own names, and mapped ones, which win over them if they have a value."""
    record = stored.record
    found = {
        **dict.fromkeys(record.unresolved_fields, INVALID_PATH),
        **(record.custom_fields or {}),
        **(record.mapped_fields or {}),
    }
    return _ENCODER.encode(found) if found else None


projection = Projection(
    name="bindbee",
    code=2,
    wire_models=(
        _made("candidates", Model.CANDIDATE, render.candidate, _CANDIDATES),
        _made("applications", Model.APPLICATION, render.application),
        _made("jobs", Model.JOB, render.job, _JOBS),
        _made("job-interview-stages", Model.JOB_STAGE, render.job_interview_stage, _STAGES),
        _made("scheduled-interviews", Model.INTERVIEW, render.scheduled_interview, _INTERVIEWS),
        _made("offers", Model.OFFER, render.offer),
        _made("attachments", Model.ATTACHMENT, render.attachment, _OWNER),
        _made("departments", Model.DEPARTMENT, render.department),
        _made("offices", Model.OFFICE, render.office),
        _made("remote-users", Model.USER, render.remote_user),
        _made("reject-reasons", Model.REJECTION_REASON, render.reject_reason),
        _made("tags", Model.TAG, render.tag),
        _made("activities", Model.NOTE, render.activity, _OWNER),
        _made("scorecards", Model.SCORECARD, render.scorecard),
        _made("screening-questions", Model.JOB_SCREENING_QUESTION, render.screening_question, _QUESTIONS),
    ),
)
"""Everything that this dialect stores. Names are those of the lists' paths; nothing stands behind ``eeocs``."""
