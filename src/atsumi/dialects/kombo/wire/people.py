"""The documents of the applications and candidates lists."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, UnsetType

from atsumi.dialects.kombo.wire.job import JobStage
from atsumi.dialects.kombo.wire.parts import (
    CustomFields,
    Document,
    EmailAddress,
    EmbeddedJob,
    EmbeddedTag,
    Id,
    Instant,
    IntegrationField,
    Location,
    PhoneNumber,
    SocialMedia,
)
from atsumi.dialects.kombo.wire.words import AnswerTypeWord, OfferStatusWord, OutcomeWord


class AnsweredQuestion(Document):
    remote_id: str | None
    title: str
    type: AnswerTypeWord


class AnswerValue(Document):
    """Exactly one field is present, by the question's type; ``raw`` for what fits none."""

    content: str | UnsetType | None = UNSET
    choice: str | UnsetType | None = UNSET
    choices: list[str] | UnsetType = UNSET
    checked: bool | UnsetType | None = UNSET
    number: float | int | UnsetType | None = UNSET
    date: Instant | UnsetType | None = UNSET
    raw: Any | UnsetType = UNSET


class ScreeningAnswer(Document):
    answer: AnswerValue
    question: AnsweredQuestion


class ApplicationCandidate(Document):
    id: Id
    remote_id: str
    first_name: str | None
    last_name: str | None
    source: str | None
    remote_url: str | None
    tags: list[EmbeddedTag]
    email_addresses: list[EmailAddress]
    phone_numbers: list[PhoneNumber]
    social_media: list[SocialMedia]


class ApplicationInterview(Document):
    id: Id
    remote_id: str | None
    title: str | None
    starting_at: Instant | None
    ending_at: Instant | None
    canceled: bool | None
    location: Location | None


class ApplicationOffer(Document):
    id: Id
    remote_id: str | None
    status: OfferStatusWord | None


class Application(Document):
    id: Id
    remote_id: str | None
    outcome: OutcomeWord | None
    rejection_reason_name: str | None
    rejected_at: Instant | None
    current_stage_id: Id | None
    job_id: Id | None
    candidate_id: Id | None
    screening_question_answers: list[ScreeningAnswer]
    custom_fields: CustomFields
    integration_fields: list[IntegrationField]
    remote_url: str | None
    changed_at: Instant
    remote_deleted_at: Instant | None
    remote_created_at: Instant | None
    remote_updated_at: Instant | None
    candidate: ApplicationCandidate | None
    current_stage: JobStage | None
    job: EmbeddedJob | None
    interviews: list[ApplicationInterview]
    offers: list[ApplicationOffer]


class CandidateStage(Document):
    id: Id
    remote_id: str | None
    name: str | None
    index: int | None


class CandidateApplication(Document):
    id: Id
    remote_id: str | None
    outcome: OutcomeWord | None
    rejection_reason_name: str | None
    rejected_at: Instant | None
    remote_url: str | None
    changed_at: Instant
    remote_created_at: Instant | None
    remote_updated_at: Instant | None
    current_stage: CandidateStage | None
    job: EmbeddedJob | None


class Candidate(Document):
    id: Id
    remote_id: str
    first_name: str | None
    last_name: str | None
    company: str | None
    title: str | None
    phone_numbers: list[PhoneNumber]
    email_addresses: list[EmailAddress]
    social_media: list[SocialMedia]
    location: Location | None
    confidential: bool | None
    source: str | None
    custom_fields: CustomFields
    integration_fields: list[IntegrationField]
    remote_url: str | None
    changed_at: Instant
    remote_deleted_at: Instant | None
    remote_created_at: Instant | None
    remote_updated_at: Instant | None
    applications: list[CandidateApplication]
    tags: list[EmbeddedTag]


class CreatedCandidate(Document):
    """The whole candidate, as the answer to the creation of an application holds them."""

    id: Id
    remote_id: str
    first_name: str | None
    last_name: str | None
    company: str | None
    title: str | None
    phone_numbers: list[PhoneNumber]
    email_addresses: list[EmailAddress]
    social_media: list[SocialMedia]
    location: Location | None
    confidential: bool | None
    source: str | None
    custom_fields: CustomFields
    integration_fields: list[IntegrationField]
    remote_url: str | None
    changed_at: Instant
    remote_deleted_at: Instant | None
    remote_created_at: Instant | None
    remote_updated_at: Instant | None
    tags: list[EmbeddedTag]


class CreatedApplication(Application):
    """The answer to the creation of an application."""

    candidate: CreatedCandidate | None  # type: ignore[assignment] # the contract shows more of them here
