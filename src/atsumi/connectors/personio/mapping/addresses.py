"""Which group a raw record feeds, and which raw records stand behind a canonical one."""

from __future__ import annotations

from collections.abc import Sequence

from atsumi.connector.contract import MappingContext, RawKey
from atsumi.connectors.personio import raw
from atsumi.connectors.personio.facts import LANGUAGES, Settings
from atsumi.model.names import Model

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


def remote_data(model: Model, remote_id: str, context: MappingContext) -> Sequence[tuple[str, RawKey]]:
    """The raw records to show for a canonical one, each under the path of the endpoint it came from."""
    job = remote_id.partition(":")[0]
    match model:
        case Model.JOB:
            languages = Settings.read(context.config).languages
            positions = [(_feed(language), RawKey(raw.feed(language), remote_id)) for language in languages]
            return [(_JOBS, RawKey(raw.JOBS, remote_id)), *positions, (_FORM, RawKey(raw.FORMS, remote_id))]
        case Model.JOB_POSTING:
            language = remote_id.rpartition(":")[2]
            return [(_feed(language), RawKey(raw.feed(language), job))]
        case Model.HIRING_TEAM_MEMBER:
            return [(_JOBS, RawKey(raw.JOBS, job))]
        case Model.JOB_SCREENING_QUESTION:
            return [(_FORM, RawKey(raw.FORMS, job))]
        case Model.SCREENING_QUESTION:
            return [(_FORM, RawKey(raw.QUESTIONS, remote_id))]
        case Model.STAGE:
            return [
                (_CATEGORIES, RawKey(raw.CATEGORY_STAGES, remote_id)),
                (_APPLICATIONS, RawKey(raw.STAGES, remote_id)),
            ]
        case Model.DEPARTMENT:
            return [(_JOBS, RawKey(raw.DEPARTMENTS, remote_id))]
        case Model.USER:
            return [(_PERSONS, RawKey(raw.PERSONS, remote_id))]
        case Model.CANDIDATE:
            return [
                (_CANDIDATES, RawKey(raw.CANDIDATES, remote_id)),
                (_APPLICATIONS, RawKey(raw.CANDIDATE_STUBS, remote_id)),
            ]
        case Model.APPLICATION:
            return [
                (_APPLICATIONS, RawKey(raw.APPLICATIONS, remote_id)),
                (_TRANSITIONS, RawKey(raw.TRANSITIONS, remote_id)),
                (_DOCUMENTS, RawKey(raw.DOCUMENTS, remote_id)),
            ]
        case Model.STAGE_TRANSITION:
            return [(_TRANSITIONS, RawKey(raw.TRANSITIONS, remote_id.partition(":")[0]))]
        case _:
            return []


def _feed(language: str) -> str:
    return f"/xml?language={language}"
