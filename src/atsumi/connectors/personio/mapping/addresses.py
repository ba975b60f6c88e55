"""Which group a raw record feeds, and which raw records stand behind a canonical one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from atsumi.connector.contract import MappingContext, RawKey, RawPart
from atsumi.connectors.personio import raw
from atsumi.connectors.personio.facts import LANGUAGES, Settings
from atsumi.model.attachment import Attachment
from atsumi.model.names import Model
from atsumi.model.record import Record

_Address = Callable[[Record, MappingContext], Sequence[RawPart]]

_CATEGORIES = "/v2/recruiting/categories"
_JOBS = "/v2/recruiting/jobs"
_CANDIDATES = "/v2/recruiting/candidates"
_APPLICATIONS = "/v2/recruiting/applications"
_TRANSITIONS = "/v2/recruiting/applications/{id}/stage-transitions"
_DOCUMENTS = "/v2/document-management/documents"
_PERSONS = "/v2/persons"
_FORM = "/job/{id}/apply"

GROUP_OF_STREAM: dict[str, Model] = {
    raw.JOBS: Model.JOB,
    raw.JOB_STUBS: Model.JOB,
    raw.JOB_STAGES_SEEN: Model.JOB,
    raw.FORMS: Model.JOB,
    **{raw.feed(language): Model.JOB for language in LANGUAGES},
    raw.BUILTIN_STAGES: Model.STAGE,
    raw.CATEGORY_STAGES: Model.STAGE,
    raw.STAGES: Model.STAGE,
    raw.DEPARTMENTS: Model.DEPARTMENT,
    raw.OFFICES: Model.OFFICE,
    raw.QUESTIONS: Model.SCREENING_QUESTION,
    raw.PERSONS: Model.USER,
    raw.PERSONS_SEEN: Model.USER,
    raw.ROLES: Model.ROLE,
    raw.CANDIDATES: Model.CANDIDATE,
    raw.CANDIDATE_STUBS: Model.CANDIDATE,
    raw.ANONYMIZED: Model.CANDIDATE,
    raw.APPLICATIONS: Model.APPLICATION,
    raw.TRANSITIONS: Model.APPLICATION,
    raw.DOCUMENTS: Model.APPLICATION,
}
"""Streams that are not named here (categories, versions of lookups and what is malformed) feed no group directly."""


def _feed(language: str) -> str:
    return f"/xml?language={language}"


def _job(record: Record, context: MappingContext) -> Sequence[RawPart]:
    languages = Settings.read(context.config).languages
    positions = [RawPart(_feed(language), RawKey(raw.feed(language), record.remote_id)) for language in languages]
    return [
        RawPart(_JOBS, RawKey(raw.JOBS, record.remote_id)),
        *positions,
        RawPart(_FORM, RawKey(raw.FORMS, record.remote_id)),
    ]


def _job_posting(record: Record, context: MappingContext) -> Sequence[RawPart]:
    job, _, language = record.remote_id.rpartition(":")
    return [RawPart(_feed(language), RawKey(raw.feed(language), job))]


def _attachment(record: Record, context: MappingContext) -> Sequence[RawPart]:
    """Its entry among the files of its application."""
    owner = record.application_remote_id if isinstance(record, Attachment) else None
    return [RawPart(_DOCUMENTS, RawKey(raw.DOCUMENTS, owner), record.remote_id)] if owner is not None else []


def _own(*named: tuple[str, str]) -> _Address:
    """The raw records of these streams, given with their labels, under the record's own remote id."""
    return lambda record, context: [RawPart(label, RawKey(stream, record.remote_id)) for label, stream in named]


def _parent(label: str, stream: str) -> _Address:
    """The raw record of what the record is a part of, whose remote id its own starts with."""
    return lambda record, context: [RawPart(label, RawKey(stream, record.remote_id.partition(":")[0]))]


REMOTE_DATA: Mapping[Model, _Address] = {
    Model.JOB: _job,
    Model.JOB_POSTING: _job_posting,
    Model.HIRING_TEAM_MEMBER: _parent(_JOBS, raw.JOBS),
    Model.JOB_SCREENING_QUESTION: _parent(_FORM, raw.FORMS),
    Model.SCREENING_QUESTION: _own((_FORM, raw.QUESTIONS)),
    Model.STAGE: _own((_CATEGORIES, raw.CATEGORY_STAGES), (_APPLICATIONS, raw.STAGES)),
    Model.DEPARTMENT: _own((_JOBS, raw.DEPARTMENTS)),
    Model.USER: _own((_PERSONS, raw.PERSONS)),
    Model.CANDIDATE: _own((_CANDIDATES, raw.CANDIDATES), (_APPLICATIONS, raw.CANDIDATE_STUBS)),
    Model.APPLICATION: _own(
        (_APPLICATIONS, raw.APPLICATIONS), (_TRANSITIONS, raw.TRANSITIONS), (_DOCUMENTS, raw.DOCUMENTS)
    ),
    Model.STAGE_TRANSITION: _parent(_TRANSITIONS, raw.TRANSITIONS),
    Model.ATTACHMENT: _attachment,
}
"""The raw records to show for a canonical one, each under the path of the endpoint it came from."""
