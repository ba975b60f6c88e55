"""The thirteen lists and their filters, as one table: parser, routes and OpenAPI document all read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as default
from enum import Enum
from typing import get_args

from atsumi.dialects.kombo import wire
from atsumi.dialects.kombo.projection import projection
from atsumi.dialects.kombo.render_job import EMPLOYMENT_TYPE_WORDS
from atsumi.dialects.kombo.wire import words
from atsumi.model.names import Model
from atsumi.store.reading import Operator


class Kind(Enum):
    """What a parameter's text holds."""

    TEXT = "one text"
    TEXTS = "texts, separated by commas"
    IDS = "our ids, separated by commas"
    REMOTE_IDS = "ids of the tool, separated by commas"
    WORD = "one word of a vocabulary"
    WORDS = "words of a vocabulary, separated by commas"
    INSTANT = "a date or an instant"


@dataclass(frozen=True, slots=True)
class Filter:
    """One query parameter that narrows a list.

    ``needs`` are the canonical fields that the connector must fill for the filter to make sense. ``words`` is the
    vocabulary, each word with the canonical values it stands for. ``target`` is the model that ids point at.
    """

    name: str
    kind: Kind
    operator: Operator
    field: str
    needs: tuple[tuple[Model, str], ...]
    description: str
    words: Mapping[str, tuple[str, ...]] = default(default_factory=dict)
    target: Model | None = None
    child: Model | None = None
    via: str | None = None
    is_deprecated: bool = False


@dataclass(frozen=True, slots=True)
class ListSpec:
    """One list: ``name`` is the end of its path and the name of its wire model."""

    name: str
    model: Model
    operation: str
    title: str
    document: type[wire.Document]
    filters: tuple[Filter, ...] = ()

    @property
    def path(self) -> str:
        return f"/ats/{self.name}"


def _ids(name: str, model: Model, reference: str, target: Model, what: str) -> Filter:
    return Filter(
        name, Kind.IDS, Operator.REFERENCE, reference, ((model, reference),), f"Ids of {what}.", target=target
    )


def _same(vocabulary: Iterable[str]) -> dict[str, tuple[str, ...]]:
    return {word: (word,) for word in vocabulary}


def _facet(name: str, kind: Kind, model: Model, facet: str, vocabulary: Mapping[str, tuple[str, ...]]) -> Filter:
    return Filter(
        name,
        kind,
        Operator.FACET,
        facet,
        ((model, facet),),
        f"Values of `{facet}`.",
        words=vocabulary,
        is_deprecated=kind is Kind.WORD,
    )


def _lookup(name: str, kind: Kind, model: Model, term: str, needs: str | None = None) -> Filter:
    description = "Compared as a whole, ignoring case."
    return Filter(name, kind, Operator.LOOKUP, term, ((model, needs or term),), description)


def _created_after(model: Model) -> Filter:
    return Filter(
        "remote_created_after",
        Kind.INSTANT,
        Operator.CREATED_FROM,
        "remote_created_at",
        ((model, "remote_created_at"),),
        "Records that the tool created at or after this instant.",
    )


_OUTCOMES = _same(get_args(words.OutcomeWord))
_STATUSES = _same(words.JOB_STATUSES)
_EMPLOYMENT_TYPES = {
    word: tuple(str(canonical) for canonical, shown in EMPLOYMENT_TYPE_WORDS.items() if shown == word)
    for word in words.EMPLOYMENT_TYPES
}
"""A word finds all records that show it, so CONTRACT finds freelance work, too."""


def _people(model: Model) -> tuple[Filter, ...]:
    return (
        _ids("candidate_ids", model, "candidate_remote_id", Model.CANDIDATE, "candidates"),
        _ids("application_ids", model, "application_remote_id", Model.APPLICATION, "applications"),
    )


LISTS: tuple[ListSpec, ...] = (
    ListSpec(
        "jobs",
        Model.JOB,
        "GetAtsJobs",
        "Jobs",
        wire.Job,
        (
            _lookup("job_codes", Kind.TEXTS, Model.JOB, "job_code"),
            _lookup("post_url", Kind.TEXT, Model.JOB, "post_url"),
            _facet("statuses", Kind.WORDS, Model.JOB, "status", _STATUSES),
            _facet("employment_types", Kind.WORDS, Model.JOB, "employment_type", _EMPLOYMENT_TYPES),
            _facet("visibilities", Kind.WORDS, Model.JOB, "visibility", _same(words.VISIBILITIES)),
            _created_after(Model.JOB),
            Filter(
                "name_contains",
                Kind.TEXT,
                Operator.FACET_CONTAINS,
                "name",
                ((Model.JOB, "name"),),
                "Part of the job's name, ignoring case.",
            ),
            _facet("status", Kind.WORD, Model.JOB, "status", _STATUSES),
        ),
    ),
    ListSpec(
        "applications",
        Model.APPLICATION,
        "GetAtsApplications",
        "Applications",
        wire.Application,
        (
            _facet("outcomes", Kind.WORDS, Model.APPLICATION, "outcome", _OUTCOMES),
            _ids("job_ids", Model.APPLICATION, "job_remote_id", Model.JOB, "jobs"),
            Filter(
                "job_remote_ids",
                Kind.REMOTE_IDS,
                Operator.REFERENCE,
                "job_remote_id",
                ((Model.APPLICATION, "job_remote_id"),),
                "The tool's own ids of jobs.",
                target=Model.JOB,
            ),
            _ids("current_stage_ids", Model.APPLICATION, "current_stage_remote_id", Model.STAGE, "stages"),
            _created_after(Model.APPLICATION),
            _facet("outcome", Kind.WORD, Model.APPLICATION, "outcome", _OUTCOMES),
        ),
    ),
    ListSpec(
        "candidates",
        Model.CANDIDATE,
        "GetAtsCandidates",
        "Candidates",
        wire.Candidate,
        (
            _lookup("email", Kind.TEXT, Model.CANDIDATE, "email", "email_addresses"),
            Filter(
                "job_ids",
                Kind.IDS,
                Operator.HAS_CHILD,
                "job_remote_id",
                ((Model.APPLICATION, "job_remote_id"), (Model.APPLICATION, "candidate_remote_id")),
                "Ids of jobs that the candidate applied to.",
                target=Model.JOB,
                child=Model.APPLICATION,
            ),
            _lookup("first_name", Kind.TEXT, Model.CANDIDATE, "first_name"),
            _lookup("last_name", Kind.TEXT, Model.CANDIDATE, "last_name"),
        ),
    ),
    ListSpec("application-stages", Model.STAGE, "GetAtsApplicationStages", "Application stages", wire.Stage),
    ListSpec(
        "users",
        Model.USER,
        "GetAtsUsers",
        "Users",
        wire.User,
        (_lookup("emails", Kind.TEXTS, Model.USER, "email"),),
    ),
    ListSpec(
        "roles",
        Model.ROLE,
        "GetAtsRoles",
        "Roles",
        wire.Role,
        (_facet("scopes", Kind.WORDS, Model.ROLE, "scope", _same(get_args(words.RoleScopeWord))),),
    ),
    ListSpec("offers", Model.OFFER, "GetAtsOffers", "Offers", wire.Offer),
    ListSpec(
        "interviews",
        Model.INTERVIEW,
        "GetAtsInterviews",
        "Interviews",
        wire.Interview,
        (
            Filter(
                "job_ids",
                Kind.IDS,
                Operator.VIA_PARENT,
                "job_remote_id",
                ((Model.INTERVIEW, "application_remote_id"), (Model.APPLICATION, "job_remote_id")),
                "Ids of the jobs that the interviews are for.",
                target=Model.JOB,
                via="application_remote_id",
            ),
        ),
    ),
    ListSpec(
        "rejection-reasons",
        Model.REJECTION_REASON,
        "GetAtsRejectionReasons",
        "Rejection reasons",
        wire.RejectionReason,
    ),
    ListSpec("tags", Model.TAG, "GetAtsTags", "Tags", wire.Tag),
    ListSpec("notes", Model.NOTE, "GetAtsNotes", "Notes", wire.Note, _people(Model.NOTE)),
    ListSpec("scorecards", Model.SCORECARD, "GetAtsScorecards", "Scorecards", wire.Scorecard, _people(Model.SCORECARD)),
    ListSpec(
        "attachments",
        Model.ATTACHMENT,
        "GetAtsAttachments",
        "Attachments",
        wire.Attachment,
        _people(Model.ATTACHMENT),
    ),
)
"""In the order of the published document (Kombo OpenAPI document, May 2026, ``GET /ats/*``)."""

if [(spec.name, spec.model) for spec in LISTS] != [(made.name, made.model) for made in projection.wire_models]:
    raise ValueError("The lists that are served and the lists that are rendered differ.")
