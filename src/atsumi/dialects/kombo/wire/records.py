"""The documents of the other eleven lists."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, UnsetType

from atsumi.dialects.kombo.wire.job import SystemRole
from atsumi.dialects.kombo.wire.parts import (
    CustomFields,
    Document,
    EmbeddedCandidate,
    EmbeddedJob,
    EmbeddedUser,
    Id,
    Instant,
    IntegrationField,
    Location,
)
from atsumi.dialects.kombo.wire.words import (
    ActivityWord,
    AttachmentTypeWord,
    OfferStatusWord,
    OutcomeWord,
    ResponseTypeWord,
    RoleScopeWord,
    RoleTypeWord,
)


class Stage(Document):
    id: Id
    remote_id: str | None
    name: str | None
    status: ActivityWord | None
    custom_fields: CustomFields
    changed_at: Instant
    remote_deleted_at: Instant | None


class User(Document):
    id: Id
    remote_id: str | None
    first_name: str | None
    last_name: str | None
    email: str | None
    status: ActivityWord | None
    changed_at: Instant
    remote_deleted_at: Instant | None
    system_roles: list[SystemRole]


class Role(Document):
    id: Id
    remote_id: str | None
    remote_label: str | None
    scope: RoleScopeWord | None
    unified_type: RoleTypeWord | None
    changed_at: Instant
    remote_deleted_at: Instant | None


class NamedEntry(Document):
    """A tag or a rejection reason."""

    id: Id
    remote_id: str
    name: str | None
    changed_at: Instant
    remote_deleted_at: Instant | None


class Tag(NamedEntry):
    """One tag."""


class RejectionReason(NamedEntry):
    """One rejection reason."""


class OfferApplication(Document):
    candidate: EmbeddedCandidate | None
    job: EmbeddedJob | None


class Offer(Document):
    id: Id
    remote_id: str | None
    status: OfferStatusWord | None
    employment_start_date: Instant | None
    application_id: Id | None
    custom_fields: CustomFields
    integration_fields: list[IntegrationField]
    changed_at: Instant
    remote_deleted_at: Instant | None
    remote_created_at: Instant | None
    remote_updated_at: Instant | None
    application: OfferApplication | None


class InterviewApplication(Document):
    id: Id
    remote_id: str | None
    outcome: OutcomeWord | None
    rejection_reason_name: str | None
    candidate: EmbeddedCandidate | None
    job: EmbeddedJob | None


class Interview(Document):
    id: Id
    remote_id: str | None
    title: str | None
    starting_at: Instant | None
    ending_at: Instant | None
    location: Location | None
    video_conferencing_url: str | None
    application_id: Id | None
    stage_id: Id | None
    canceled: bool | None
    changed_at: Instant
    remote_deleted_at: Instant | None
    remote_created_at: Instant | None
    remote_updated_at: Instant | None
    users: list[EmbeddedUser]
    application: InterviewApplication | None


class Note(Document):
    id: Id
    remote_id: str
    candidate_id: str
    """Empty only for a record whose content was erased: the contract allows no null here."""
    application_id: Id | None
    author_id: Id | None
    title: str | None
    content_html: str | None
    is_private: bool | None
    changed_at: Instant
    remote_deleted_at: Instant | None
    remote_created_at: Instant | None
    remote_updated_at: Instant | None
    author: EmbeddedUser | None


class ScorecardChoice(Document):
    remote_id: str | None
    label: str


class ScorecardResponse(Document):
    """``type`` decides the kind of ``answer``; select responses list their ``options``."""

    type: ResponseTypeWord
    remote_id: str | None
    label: str
    description: str | None
    required: bool | None
    answer: Any
    options: list[ScorecardChoice] | UnsetType = UNSET


class Scorecard(Document):
    id: Id
    remote_id: str
    candidate_id: Id | None
    application_id: Id | None
    interview_id: Id | None
    author_id: Id | None
    changed_at: Instant
    remote_deleted_at: Instant | None
    remote_created_at: Instant | None
    remote_updated_at: Instant | None
    author: EmbeddedUser | None
    responses: list[ScorecardResponse]


class ContentRef(Document):
    bucket: str
    key: str
    type: Literal["s3"] = "s3"


class Attachment(Document):
    id: Id
    remote_id: str
    candidate_id: str
    """As in notes."""
    application_id: Id | None
    type: AttachmentTypeWord | None
    file_name: str | None
    changed_at: Instant
    remote_deleted_at: Instant | None
    remote_created_at: Instant | None
    remote_updated_at: Instant | None
    content_ref: ContentRef | None
