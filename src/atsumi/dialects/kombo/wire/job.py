"""The documents of the jobs list."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, UnsetType

from atsumi.dialects.kombo.wire.parts import CustomFields, Document, Id, Instant, IntegrationField, Location
from atsumi.dialects.kombo.wire.words import (
    ActivityWord,
    DisplayTypeWord,
    HiringTeamRoleWord,
    PostingStatusWord,
    PostingVisibilityWord,
    QuestionCategoryWord,
    QuestionTypeWord,
    RoleTypeWord,
)


class JobStage(Document):
    id: Id
    remote_id: str | None
    name: str | None
    status: ActivityWord | None
    custom_fields: CustomFields
    index: int | None
    remote_data: UnsetType | None = UNSET
    """Sent inside jobs only, where it is always null: a tool's own record is shown at the top of its list."""


class QuestionOption(Document):
    id: Id
    name: str
    remote_id: str | None


class QuestionFormat(Document):
    """``type`` decides which of the other fields are present."""

    type: QuestionTypeWord
    display_type: DisplayTypeWord | UnsetType | None = UNSET
    max_length: int | UnsetType | None = UNSET
    min: float | UnsetType | None = UNSET
    max: float | UnsetType | None = UNSET
    options: list[QuestionOption] | UnsetType = UNSET
    accepted_mime_types: list[str] | UnsetType | None = UNSET
    max_file_size_bytes: int | UnsetType | None = UNSET
    raw_question: Any | UnsetType = UNSET


class ScreeningQuestion(Document):
    id: Id
    remote_id: str | None
    title: str | None
    description: str | None
    category: QuestionCategoryWord | None
    required: bool | None
    index: int | None
    precondition_question_id: Id | None
    precondition_options: list[str | bool] | None
    """Option ids, or booleans where the other question is a BOOLEAN one; never both."""
    format: QuestionFormat | None


class JobPosting(Document):
    id: Id
    remote_id: str | None
    title: str | None
    description_html: str | None
    status: PostingStatusWord | None
    visibility: PostingVisibilityWord | None
    url: str | None
    remote_data: None = None


class JobRole(Document):
    remote_id: str | None
    remote_label: str | None
    unified_type: RoleTypeWord | None
    scope: Literal["JOB"] = "JOB"


class SystemRole(Document):
    remote_id: str | None
    remote_label: str | None
    unified_type: RoleTypeWord | None
    scope: Literal["SYSTEM"] = "SYSTEM"


class HiringTeamEntry(Document):
    id: Id
    remote_id: str | None
    first_name: str | None
    last_name: str | None
    email: str | None
    hiring_team_roles: list[HiringTeamRoleWord]
    job_roles: list[JobRole]


class Job(Document):
    id: Id
    remote_id: str
    name: str | None
    job_code: str | None
    description: str | None
    confidential: bool | None
    weekly_hours: float | None
    category: str | None
    department: str | None
    post_url: str | None
    experience_level: str | None
    employment_type: str | None
    status: str | None
    visibility: str | None
    remote_work_status: str | None
    salary_amount: float | None
    salary_amount_from: float | None
    salary_amount_to: float | None
    salary_currency: str | None
    salary_period: str | None
    location: Location | None
    custom_fields: CustomFields
    integration_fields: list[IntegrationField]
    remote_url: str | None
    opened_at: Instant | None
    closed_at: Instant | None
    changed_at: Instant
    remote_deleted_at: Instant | None
    remote_created_at: Instant | None
    remote_updated_at: Instant | None
    contact_id: str | None
    stages: list[JobStage]
    screening_questions: list[ScreeningQuestion]
    job_postings: list[JobPosting]
    hiring_team: list[HiringTeamEntry]
