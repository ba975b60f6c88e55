"""The answer, with the product's fields."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class NamedOut(_Out):
    id: str | None
    remote_id: str | None
    name: str | None


class EmailOut(_Out):
    email_address: str | None
    type: str | None


class PhoneOut(_Out):
    phone_number: str | None
    type: str | None


class SocialOut(_Out):
    link: str | None
    type: str | None
    username: str | None


class CandidateOut(_Out):
    id: str
    remote_id: str | None
    first_name: str | None
    last_name: str | None
    source: str | None
    remote_url: str | None
    tags: list[NamedOut]
    email_addresses: list[EmailOut]
    phone_numbers: list[PhoneOut]
    social_media: list[SocialOut]


class StageOut(_Out):
    id: str
    remote_id: str | None
    name: str | None
    status: str | None
    custom_fields: dict[str, Any]
    index: int | None


class ApplicationOut(_Out):
    id: str
    remote_id: str | None
    outcome: str | None
    rejection_reason_name: str | None
    rejected_at: datetime | None
    current_stage_id: str | None
    job_id: str | None
    candidate_id: str | None
    screening_question_answers: list[dict[str, Any]]
    custom_fields: dict[str, Any]
    integration_fields: list[dict[str, Any]]
    remote_url: str | None
    changed_at: datetime
    remote_deleted_at: datetime | None
    remote_created_at: datetime | None
    remote_updated_at: datetime | None
    candidate: CandidateOut | None
    current_stage: StageOut | None
    job: NamedOut | None
    interviews: list[dict[str, Any]] = []
    offers: list[dict[str, Any]] = []
    remote_data: dict[str, Any] | None = None


class PageOut(_Out):
    next: str | None
    results: list[ApplicationOut]


class AnswerOut(_Out):
    status: str = "success"
    data: PageOut
