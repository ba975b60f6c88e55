"""Which canonical field each wire field shows, and what the wire cannot express.

The first table is what tells which wire fields a tool can fill; the second is the explicit list of losses. A test
changes every canonical field and checks that a document changes unless the field is listed as omitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from atsumi.model.names import Model


class Always(Enum):
    """Sources that do not depend on the tool."""

    OURS = "filled by us for every record"
    NEVER = "not part of the canonical model, so empty whatever the tool"


Source = str | Model | Always
"""A canonical field of the list's own model, or a related model whose records the field is made of."""


def _plain(names: str) -> dict[str, Source]:
    return {name: name for name in names.split()}


def _never(names: str) -> dict[str, Source]:
    return dict.fromkeys(names.split(), Always.NEVER)


_COMMON: dict[str, Source] = {
    "id": Always.OURS,
    "remote_id": Always.OURS,
    "modified_at": Always.OURS,
    "raw_data": Always.OURS,
    "custom_fields": "custom_fields",
}
_CREATED = _plain("remote_created_at")
_TIMES = _plain("remote_created_at remote_updated_at")

FIELDS: Mapping[str, Mapping[str, Source]] = {
    "candidates": {
        **_COMMON,
        **_TIMES,
        **_plain("first_name last_name company title phone_numbers email_addresses"),
        **_never("last_interaction_at can_email avatar"),
        "is_private": "is_confidential",
        "locations": "location",
        "urls": "social_media",
        "tags": Model.TAG,
        "applications": Model.APPLICATION,
        "attachments": Model.ATTACHMENT,
    },
    "applications": {
        **_COMMON,
        **_plain("applied_at rejected_at source"),
        "candidate": "candidate_remote_id",
        "job": "job_remote_id",
        "credited_to": "credited_to_remote_id",
        "current_stage": "current_stage_remote_id",
        "reject_reason": "rejection_reason_remote_id",
    },
    "jobs": {
        **_COMMON,
        **_TIMES,
        **_plain("name description status"),
        "code": "job_code",
        "job_posting_urls": "post_url",
        "confidential": "is_confidential",
        "departments": "department_remote_id",
        "offices": "office_remote_ids",
        "hiring_managers": Model.HIRING_TEAM_MEMBER,
        "recruiters": Model.HIRING_TEAM_MEMBER,
    },
    "job-interview-stages": {**_COMMON, "name": Model.STAGE, "job": "job_remote_id", "stage_order": "index"},
    "scheduled-interviews": {
        **_COMMON,
        **_TIMES,
        **_never("organizer"),
        "application": "application_remote_id",
        "job_interview_stage": "stage_remote_id",
        "interviewers": "user_remote_ids",
        "location": "location",
        "start_at": "starting_at",
        "end_at": "ending_at",
        "status": "is_canceled",
    },
    "offers": {
        **_COMMON,
        **_CREATED,
        **_plain("closed_at sent_at status"),
        **_never("creator"),
        "application": "application_remote_id",
        "start_date": "employment_start_at",
    },
    "attachments": {
        **_COMMON,
        "file_name": "file_name",
        "file_url": Always.OURS,
        "attachment_type": "type",
        "candidate": "candidate_remote_id",
    },
    "departments": {**_COMMON, **_plain("name")},
    "offices": {**_COMMON, **_plain("name location")},
    "remote-users": {
        **_COMMON,
        **_CREATED,
        **_plain("first_name last_name email"),
        **_never("access_role"),
        "disabled": "status",
    },
    "reject-reasons": {**_COMMON, **_plain("name")},
    "tags": {**_COMMON, **_plain("name")},
    "activities": {
        **_COMMON,
        **_CREATED,
        "user": "author_remote_id",
        "activity_type": Always.OURS,
        "subject": "title",
        "body": "content_html",
        "visibility": "is_private",
        "candidate": "candidate_remote_id",
    },
    "scorecards": {
        **_COMMON,
        **_CREATED,
        **_never("submitted_at overall_recommendation"),
        "application": "application_remote_id",
        "interview": "interview_remote_id",
        "interviewer": "author_remote_id",
    },
    "screening-questions": {
        **_COMMON,
        "job": "job_remote_id",
        "required": "is_required",
        **dict.fromkeys(("description", "title", "type", "options"), Model.SCREENING_QUESTION),
    },
    "eeocs": {
        **dict.fromkeys(_COMMON, Always.NEVER),
        **_never("candidate submitted_at race gender veteran_status disability_status"),
    },
}
"""Every key of every list's documents."""

_NO_URL = {
    "remote_url": "records have no links into the tool",
    "passed_fields": "a tool's fields are shown by their names, or mapped",
}
_NO_UPDATE = {"remote_updated_at": "the list shows no such time"}
_NO_TIMES = {"remote_created_at": "the list shows no such time", **_NO_UPDATE}
_BARE = {**_NO_URL, **_NO_TIMES}
_CUSTOM = ("custom_fields", "mapped_fields", "unresolved_fields")
_EMBEDDED = {**_BARE, **dict.fromkeys(_CUSTOM, "the record is shown inside another one")}

OMITTED: Mapping[Model, Mapping[str, str]] = {
    Model.JOB: {
        **_NO_URL,
        "visibility": "whether a job is public is not part of the contract",
        "employment_type": "not part of the contract",
        "employment_type_raw": "not part of the contract",
        "remote_work_status": "not part of the contract",
        "category": "not part of the contract",
        "department": "departments are shown as records",
        "experience_level": "not part of the contract",
        "location": "places are shown as offices",
        "other_locations": "places are shown as offices",
        "weekly_hours": "not part of the contract",
        "salary_amount": "not part of the contract",
        "salary_amount_from": "not part of the contract",
        "salary_amount_to": "not part of the contract",
        "salary_currency": "not part of the contract",
        "salary_period": "not part of the contract",
        "salary_period_raw": "not part of the contract",
        "opened_at": "not part of the contract",
        "closed_at": "not part of the contract",
    },
    Model.JOB_POSTING: {
        **_EMBEDDED,
        "remote_id": "only the address is shown",
        "title": "only the address is shown",
        "description_html": "only the address is shown",
        "language": "only the address is shown",
        "status": "only the address is shown",
        "visibility": "only the address is shown",
    },
    Model.JOB_STAGE: _BARE,
    Model.STAGE: {
        **_EMBEDDED,
        "remote_id": "the id of its place in the job is shown",
        "status": "not part of the contract",
    },
    Model.SCREENING_QUESTION: {
        **_EMBEDDED,
        "remote_id": "the id of its use in the job is shown",
        "category": "not part of the contract",
    },
    Model.JOB_SCREENING_QUESTION: {
        **_BARE,
        "index": "questions have no order",
        "precondition_question_remote_id": "questions have no conditions",
        "precondition_options": "questions have no conditions",
    },
    Model.HIRING_TEAM_MEMBER: {**_EMBEDDED, "remote_id": "the user's own id is shown"},
    Model.ROLE: {
        **_EMBEDDED,
        "remote_id": "a role is shown by where its users stand",
        "label": "a role is shown by where its users stand",
        "scope": "a role is shown by where its users stand",
    },
    Model.USER: {**_NO_URL, **_NO_UPDATE},
    Model.DEPARTMENT: _BARE,
    Model.OFFICE: _BARE,
    Model.CANDIDATE: {**_NO_URL, "source": "sources belong to applications"},
    Model.APPLICATION: {
        **_BARE,
        "outcome": "an application is judged by its stage and its rejection",
        "rejection_reason_name": "reasons are shown as records",
        "source_remote_id": "sources are shown by name",
        "is_anonymized": "an erased person is shown by empty fields",
        "screening_answers": "not part of the contract",
    },
    Model.INTERVIEW: {
        **_NO_URL,
        "title": "not part of the contract",
        "video_conferencing_url": "shown only where there is no place",
    },
    Model.OFFER: {**_NO_URL, **_NO_UPDATE},
    Model.REJECTION_REASON: _BARE,
    Model.TAG: _BARE,
    Model.NOTE: {**_NO_URL, **_NO_UPDATE, "application_remote_id": "shown only by its candidate"},
    Model.SCORECARD: {
        **_NO_URL,
        **_NO_UPDATE,
        "candidate_remote_id": "shown by its application",
        "responses": "answers are not part of the contract",
    },
    Model.ATTACHMENT: {
        **_BARE,
        "application_remote_id": "shown only by its candidate",
        "size_bytes": "not part of the contract",
    },
}
"""Canonical fields that no list shows, and why."""

OMITTED_MODELS: Mapping[Model, str] = {Model.STAGE_TRANSITION: "not part of the contract"}
"""Canonical models that no list shows."""
