"""Every document of the sixteen lists, as typed structs.

Field names and nullability follow the vendor's published contract (Bindbee OpenAPI document 0.1.0). Vocabularies are
open: ``null`` says that the tool gives no value, ``-`` that its value cannot be classified, and any other word is the
tool's own (Bindbee NOTES, section 15). Relations are ids; ``expand`` puts documents in their place. An array is never
``null``: no entries are an empty one.

``modified_at``, ``custom_fields``, ``raw_data`` and the ``file_url`` of attachments are missing on purpose: the reader
appends them.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

Id = Annotated[str, msgspec.Meta(extra_json_schema={"format": "uuid"})]
Instant = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]


class Document(msgspec.Struct, kw_only=True):
    """What all documents have."""

    id: Id
    remote_id: str | None


class AtsUrl(msgspec.Struct, kw_only=True):
    """A typed link."""

    value: str | None
    url_type: str | None


class AtsCandidate(Document, kw_only=True):
    """The person. What became of them stands in their applications."""

    first_name: str | None
    last_name: str | None
    company: str | None
    title: str | None
    last_interaction_at: Instant | None
    is_private: bool | None
    can_email: bool | None
    locations: list[str]
    phone_numbers: list[str]
    email_addresses: list[str]
    urls: list[AtsUrl]
    tags: list[str]
    applications: list[Id]
    attachments: list[Id]
    remote_created_at: Instant | None
    remote_updated_at: Instant | None
    avatar: str | None


class AtsApplication(Document, kw_only=True):
    """One candidate's attempt at one job."""

    candidate: Id | None
    job: Id | None
    applied_at: Instant | None
    rejected_at: Instant | None
    source: str | None
    credited_to: Id | None
    current_stage: Id | None
    reject_reason: Id | None


class AtsJob(Document, kw_only=True):
    """An opening."""

    name: str | None
    description: str | None
    code: str | None
    status: str | None
    job_posting_urls: list[AtsUrl]
    remote_created_at: Instant | None
    remote_updated_at: Instant | None
    confidential: bool | None
    departments: list[Id]
    offices: list[Id]
    hiring_managers: list[Id]
    recruiters: list[Id]


class AtsJobInterviewStage(Document, kw_only=True):
    """One step of one job's process. ``stage_order`` counts from 0 and is ``null`` where the tool gives no order."""

    name: str | None
    job: Id | None
    stage_order: int | None


class AtsScheduledInterview(Document, kw_only=True):
    """One interview."""

    application: Id | None
    job_interview_stage: Id | None
    organizer: Id | None
    interviewers: list[Id]
    location: str | None
    start_at: Instant | None
    end_at: Instant | None
    remote_created_at: Instant | None
    remote_updated_at: Instant | None
    status: str | None


class AtsOffer(Document, kw_only=True):
    """An offer on an application."""

    application: Id | None
    creator: Id | None
    remote_created_at: Instant | None
    closed_at: Instant | None
    sent_at: Instant | None
    start_date: Instant | None
    status: str | None


class AtsAttachment(Document, kw_only=True):
    """A file of a candidate."""

    file_name: str | None
    attachment_type: str | None
    candidate: Id | None


class AtsDepartment(Document, kw_only=True):
    """A department of the customer."""

    name: str | None


class AtsOffice(Document, kw_only=True):
    """A place of work of the customer."""

    name: str | None
    location: str | None


class AtsRemoteUser(Document, kw_only=True):
    """A person who works with the tool."""

    first_name: str | None
    last_name: str | None
    email: str | None
    disabled: bool | None
    remote_created_at: Instant | None
    access_role: str | None


class AtsRejectReason(Document, kw_only=True):
    """A reason for turning a candidate down."""

    name: str | None


class AtsTag(Document, kw_only=True):
    """A label on candidates."""

    name: str | None


class AtsActivity(Document, kw_only=True):
    """A remark about a candidate."""

    user: Id | None
    activity_type: str | None
    subject: str | None
    body: str | None
    visibility: str | None
    candidate: Id | None
    remote_created_at: Instant | None


class AtsScorecard(Document, kw_only=True):
    """Feedback from one interview."""

    application: Id | None
    interview: Id | None
    interviewer: Id | None
    remote_created_at: Instant | None
    submitted_at: Instant | None
    overall_recommendation: str | None


class AtsScreeningQuestion(Document, kw_only=True):
    """A question that one job asks."""

    job: Id | None
    description: str | None
    title: str | None
    type: str | None
    required: bool | None
    options: list[dict[str, Any]]


class AtsEEOC(Document, kw_only=True):
    """Equal-opportunity answers, which no connector reads: they are special-category data."""

    candidate: Id | None
    submitted_at: Instant | None
    race: str | None
    gender: str | None
    veteran_status: str | None
    disability_status: str | None
