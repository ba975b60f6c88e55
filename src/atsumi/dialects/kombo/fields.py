"""Which canonical field each wire field shows, and what the wire cannot express.

The first table tells which wire fields a tool can fill (``/tools`` and ``/integrations/{id}``); the second is the
explicit list of losses. A test changes every canonical field and checks that a document changes unless the field is
listed as omitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from atsumi.model.names import Model


class Always(Enum):
    """Sources that do not depend on the tool."""

    OURS = "filled by us for every record"
    NEVER = "not filled yet, whatever the tool"
    CHOSEN = "filled with what callers choose of the tool's own fields"


Source = str | Model | Always
"""A canonical field of the list's own model, or a model whose records are embedded."""


def _plain(names: str) -> dict[str, Source]:
    return {name: name for name in names.split()}


_COMMON: dict[str, Source] = {
    "id": Always.OURS,
    "remote_id": Always.OURS,
    "changed_at": Always.OURS,
    "remote_deleted_at": Always.OURS,
}
_TIMES = _plain("remote_created_at remote_updated_at")
_CUSTOM: dict[str, Source] = {"custom_fields": Always.CHOSEN, "integration_fields": Always.CHOSEN}

FIELDS: Mapping[str, Mapping[str, Source]] = {
    "jobs": {
        **_COMMON,
        **_TIMES,
        **_CUSTOM,
        **_plain("name job_code description weekly_hours category department post_url experience_level"),
        **_plain("employment_type status visibility remote_work_status location remote_url opened_at closed_at"),
        **_plain("salary_amount salary_amount_from salary_amount_to salary_currency salary_period"),
        "confidential": "is_confidential",
        "contact_id": Always.NEVER,
        "stages": Model.JOB_STAGE,
        "screening_questions": Model.JOB_SCREENING_QUESTION,
        "job_postings": Model.JOB_POSTING,
        "hiring_team": Model.HIRING_TEAM_MEMBER,
    },
    "applications": {
        **_COMMON,
        **_TIMES,
        **_CUSTOM,
        **_plain("outcome rejection_reason_name rejected_at remote_url"),
        "current_stage_id": "current_stage_remote_id",
        "job_id": "job_remote_id",
        "candidate_id": "candidate_remote_id",
        "screening_question_answers": "screening_answers",
        "candidate": "candidate_remote_id",
        "current_stage": "current_stage_remote_id",
        "job": "job_remote_id",
        "interviews": Model.INTERVIEW,
        "offers": Model.OFFER,
    },
    "candidates": {
        **_COMMON,
        **_TIMES,
        **_CUSTOM,
        **_plain("first_name last_name company title phone_numbers email_addresses social_media location source"),
        **_plain("remote_url"),
        "confidential": "is_confidential",
        "applications": Model.APPLICATION,
        "tags": "tag_remote_ids",
    },
    "application-stages": {**_COMMON, **_plain("name status"), "custom_fields": Always.CHOSEN},
    "users": {**_COMMON, **_plain("first_name last_name email status"), "system_roles": Always.NEVER},
    "roles": {**_COMMON, "remote_label": "label", "scope": "scope", "unified_type": "type"},
    "offers": {
        **_COMMON,
        **_TIMES,
        **_CUSTOM,
        "status": "status",
        "employment_start_date": "employment_start_at",
        "application_id": "application_remote_id",
        "application": "application_remote_id",
    },
    "interviews": {
        **_COMMON,
        **_TIMES,
        **_plain("title starting_at ending_at location video_conferencing_url"),
        "application_id": "application_remote_id",
        "stage_id": "stage_remote_id",
        "canceled": "is_canceled",
        "users": "user_remote_ids",
        "application": "application_remote_id",
    },
    "rejection-reasons": {**_COMMON, **_plain("name")},
    "tags": {**_COMMON, **_plain("name")},
    "notes": {
        **_COMMON,
        **_TIMES,
        **_plain("title content_html is_private"),
        "candidate_id": "candidate_remote_id",
        "application_id": "application_remote_id",
        "author_id": "author_remote_id",
        "author": "author_remote_id",
    },
    "scorecards": {
        **_COMMON,
        **_TIMES,
        **_plain("responses"),
        "candidate_id": "candidate_remote_id",
        "application_id": "application_remote_id",
        "interview_id": "interview_remote_id",
        "author_id": "author_remote_id",
        "author": "author_remote_id",
    },
    "attachments": {
        **_COMMON,
        **_TIMES,
        **_plain("type file_name"),
        "candidate_id": "candidate_remote_id",
        "application_id": "application_remote_id",
        "content_ref": Always.NEVER,
    },
}
"""Every field of every list's documents."""

_NO_RECORD_TIMES = dict.fromkeys(("remote_created_at", "remote_updated_at"), "the list has no such times")
_NO_URL = {"remote_url": "the list has no links"}
_UNCHOSEN = {"custom_fields": "the tool's own fields are shown where they are mapped or handed on"}
_NO_CUSTOM = dict.fromkeys(
    ("custom_fields", "mapped_fields", "unresolved_fields", "passed_fields"), "the list has no custom fields"
)
_BARE = {**_NO_RECORD_TIMES, **_NO_URL, **_NO_CUSTOM}

OMITTED: Mapping[Model, Mapping[str, str]] = {
    Model.JOB: {
        **_UNCHOSEN,
        "department_remote_id": "departments are shown by name only",
        "office_remote_ids": "offices are not part of the contract",
        "other_locations": "a job has one location",
        "employment_type_raw": "shown only where employment_type has no word for it",
        "salary_period_raw": "shown only where salary_period is unknown",
    },
    Model.JOB_POSTING: {**_BARE, "language": "postings have no language"},
    Model.JOB_STAGE: {**_BARE, "remote_id": "the stage's own id is shown"},
    Model.STAGE: {
        **_NO_RECORD_TIMES,
        **_NO_URL,
        **_UNCHOSEN,
        "passed_fields": "stages have no integration fields",
    },
    Model.SCREENING_QUESTION: _BARE,
    Model.JOB_SCREENING_QUESTION: {**_BARE, "remote_id": "the question's own id is shown"},
    Model.HIRING_TEAM_MEMBER: {**_BARE, "remote_id": "the user's own id is shown"},
    Model.USER: _BARE,
    Model.ROLE: _BARE,
    Model.CANDIDATE: _UNCHOSEN,
    Model.APPLICATION: {
        **_UNCHOSEN,
        "applied_at": "remote_created_at is the only time of arrival",
        "rejection_reason_remote_id": "the reason is shown by name",
        "source": "sources belong to candidates",
        "source_remote_id": "sources belong to candidates",
        "credited_to_remote_id": "credit is not part of the contract",
        "is_anonymized": "an erased person is shown by empty fields",
    },
    Model.INTERVIEW: {**_NO_URL, **_NO_CUSTOM},
    Model.OFFER: {
        **_UNCHOSEN,
        **_NO_URL,
        "sent_at": "an offer has no dates but the start of employment",
        "closed_at": "an offer has no dates but the start of employment",
    },
    Model.REJECTION_REASON: _BARE,
    Model.TAG: _BARE,
    Model.NOTE: {**_NO_URL, **_NO_CUSTOM},
    Model.SCORECARD: {**_NO_URL, **_NO_CUSTOM},
    Model.ATTACHMENT: {**_NO_URL, **_NO_CUSTOM, "size_bytes": "attachments have no size"},
}
"""Canonical fields that no list shows, and why."""

OMITTED_MODELS: Mapping[Model, str] = {
    Model.DEPARTMENT: "shown by name inside jobs",
    Model.OFFICE: "not part of the contract",
    Model.STAGE_TRANSITION: "not part of the contract",
}
"""Canonical models that no list shows."""
