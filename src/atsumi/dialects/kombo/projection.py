"""Which records each list is made of, and which changes count for ``updated_after``.

``counts_link`` and ``counts_change`` follow the table that the vendor states per list (Kombo Python SDK 1.4.0,
docstrings of ``updated_after``; first value: relation added or removed, second value: linked record changed). A link
that the record holds in a field of its own (an application's candidate) is a change of the record itself and counts
anyway, as does a candidate's list of tags or an interview's list of interviewers.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from atsumi.dialects.kombo import render, render_answers, render_job, wire
from atsumi.model.names import Model
from atsumi.model.record import Record
from atsumi.sync.projection import Projection, Relation, Stored, WireModel

_ENCODER = msgspec.json.Encoder()


def _document(build: Callable[[Stored[Record]], wire.Document]) -> Callable[[Stored[Record]], bytes]:
    """Encode what ``build`` makes, leaving the object open: the reader appends ``remote_data`` and the brace."""

    def rendered(stored: Stored[Record]) -> bytes:
        return _ENCODER.encode(build(stored))[:-1]

    return rendered


def _forward(
    name: str,
    model: Model,
    field: str,
    shows: str,
    *relations: Relation,
    counts_change: bool = False,
) -> Relation:
    return Relation(
        name=name,
        model=model,
        forward=field,
        shows=frozenset(shows.split()),
        counts_change=counts_change,
        relations=relations,
    )


def _job(shows: str = "remote_id name") -> Relation:
    return _forward("job", Model.JOB, "job_remote_id", shows)


def _candidate() -> Relation:
    return _forward(
        "candidate", Model.CANDIDATE, "candidate_remote_id", "remote_id first_name last_name email_addresses"
    )


def _tags() -> Relation:
    return _forward("tags", Model.TAG, "tag_remote_ids", "remote_id name")


def _author() -> Relation:
    return _forward("author", Model.USER, "author_remote_id", "remote_id first_name last_name email")


_STAGE = "remote_id name status mapped_fields unresolved_fields"

_JOBS = (
    Relation(
        name="stages",
        model=Model.JOB_STAGE,
        reverse="job_remote_id",
        counts_link=True,
        relations=(_forward("stage", Model.STAGE, "stage_remote_id", _STAGE),),
    ),
    Relation(
        name="screening_questions",
        model=Model.JOB_SCREENING_QUESTION,
        reverse="job_remote_id",
        counts_link=True,
        counts_change=True,
        relations=(
            _forward(
                "question",
                Model.SCREENING_QUESTION,
                "question_remote_id",
                "remote_id title description category format",
                counts_change=True,
            ),
        ),
    ),
    Relation(
        name="job_postings", model=Model.JOB_POSTING, reverse="job_remote_id", counts_link=True, counts_change=True
    ),
    Relation(
        name="hiring_team",
        model=Model.HIRING_TEAM_MEMBER,
        reverse="job_remote_id",
        counts_link=True,
        relations=(
            _forward("user", Model.USER, "user_remote_id", "remote_id first_name last_name email"),
            _forward("role", Model.ROLE, "role_remote_id", "remote_id label type"),
        ),
    ),
)

_APPLICATIONS = (
    _forward(
        "candidate",
        Model.CANDIDATE,
        "candidate_remote_id",
        "remote_id first_name last_name source remote_url tag_remote_ids email_addresses phone_numbers social_media",
        _tags(),
        counts_change=True,
    ),
    _forward("current_stage", Model.STAGE, "current_stage_remote_id", _STAGE),
    _job(),
    Relation(
        name="interviews",
        model=Model.INTERVIEW,
        reverse="application_remote_id",
        shows=frozenset({"remote_id", "title", "starting_at", "ending_at", "is_canceled", "location"}),
        counts_link=True,
        counts_change=True,
    ),
    Relation(
        name="offers",
        model=Model.OFFER,
        reverse="application_remote_id",
        shows=frozenset({"remote_id", "status"}),
        counts_link=True,
        counts_change=True,
    ),
)

_CANDIDATES = (
    Relation(
        name="applications",
        model=Model.APPLICATION,
        reverse="candidate_remote_id",
        counts_link=True,
        counts_change=True,
        relations=(_forward("current_stage", Model.STAGE, "current_stage_remote_id", "remote_id name"), _job()),
    ),
    _tags(),
)
"""The embedded applications show their own ``changed_at``, so every change of one reaches the candidate."""

_OFFERS = (
    _forward(
        "application",
        Model.APPLICATION,
        "application_remote_id",
        "candidate_remote_id job_remote_id",
        _candidate(),
        _job(),
        counts_change=True,
    ),
)

_INTERVIEWS = (
    _forward("users", Model.USER, "user_remote_ids", "remote_id first_name last_name email"),
    _forward(
        "application",
        Model.APPLICATION,
        "application_remote_id",
        "remote_id outcome rejection_reason_name candidate_remote_id job_remote_id",
        _candidate(),
        _job(),
        counts_change=True,
    ),
)

_OWNER = _forward("application", Model.APPLICATION, "application_remote_id", "candidate_remote_id")
"""Notes and attachments must name a candidate even where the tool names only the application."""

projection = Projection(
    name="kombo",
    code=1,
    wire_models=(
        WireModel("jobs", Model.JOB, _JOBS, _document(render_job.job)),
        WireModel("applications", Model.APPLICATION, _APPLICATIONS, _document(render.application)),
        WireModel("candidates", Model.CANDIDATE, _CANDIDATES, _document(render.candidate)),
        WireModel("application-stages", Model.STAGE, (), _document(render.application_stage)),
        WireModel("users", Model.USER, (), _document(render.user)),
        WireModel("roles", Model.ROLE, (), _document(render.role)),
        WireModel("offers", Model.OFFER, _OFFERS, _document(render.offer)),
        WireModel("interviews", Model.INTERVIEW, _INTERVIEWS, _document(render.interview)),
        WireModel("rejection-reasons", Model.REJECTION_REASON, (), _document(render.rejection_reason)),
        WireModel("tags", Model.TAG, (), _document(render.tag)),
        WireModel("notes", Model.NOTE, (_author(), _OWNER), _document(render.note)),
        WireModel("scorecards", Model.SCORECARD, (_author(),), _document(render_answers.scorecard)),
        WireModel("attachments", Model.ATTACHMENT, (_OWNER,), _document(render.attachment)),
    ),
)
"""Everything that this dialect stores. Names are those of the lists' paths."""
