"""What the creates take. One declaration says what is read, what is refused in which words, and what schemas show.

The published service is built with FastAPI, so bodies are pydantic models: the faults that they find are those that
clients know. Fields are those of the contract (Bindbee OpenAPI document 0.1.0: ``AtsCandidateWrite``,
``PostCandidate``, ``AtsAttachmentWrite``, and the inferred ``CreateAtsApplication``), and what the canonical draft
takes beyond them stands in ``additional_attributes``. ``null`` is the same as leaving a field out, and is taken out
before.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, StringConstraints, model_validator
from pydantic.json_schema import WithJsonSchema
from pydantic_core import PydanticCustomError, PydanticKnownError

from atsumi.actions.requests import MAX_FILES
from atsumi.dialects import reading
from atsumi.errors import InvalidInput
from atsumi.model.enums import SalaryPeriod

EMAIL = r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$"
NOT_BLANK = r"\S"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_LONGEST_URL = 2083


def _day(sent: Any) -> date:
    if not isinstance(sent, str):
        raise PydanticKnownError("date_type")
    try:
        if _DAY.fullmatch(sent) is None:
            raise ValueError("it is not written as 2024-01-31")
        return date.fromisoformat(sent)
    except ValueError as error:
        raise PydanticKnownError("date_parsing", {"error": str(error)}) from error


def _instant(sent: Any) -> datetime:
    if not isinstance(sent, str):
        raise PydanticKnownError("datetime_type")
    try:
        return reading.instant("value", sent)
    except InvalidInput as error:
        raise PydanticKnownError("datetime_parsing", {"error": "it is neither a date nor an instant"}) from error


Text = str
Id = Annotated[UUID, Field(strict=False)]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Instant = Annotated[datetime, BeforeValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})]
Email = Annotated[str, StringConstraints(pattern=EMAIL), Field(json_schema_extra={"format": "email"})]
Address = Annotated[
    str,
    StringConstraints(pattern=r"^https?://", max_length=_LONGEST_URL),
    Field(json_schema_extra={"format": "uri"}),
]


class Part(BaseModel):
    """A part of a body. Names are exact: a misspelt one would be lost without a word."""

    model_config = ConfigDict(extra="forbid", strict=True)


class AtsUrlWrite(Part):
    """A link of a person."""

    value: Annotated[str, StringConstraints(min_length=1)]
    url_type: str | None = None


_FILE_SOURCES: JsonValue = [{"required": ["file_url"]}, {"required": ["file_content"]}]


class AtsAttachmentWrite(Part):
    """A file. Exactly one of ``file_url`` and ``file_content`` is given."""

    model_config = ConfigDict(json_schema_extra={"oneOf": _FILE_SOURCES})

    file_name: Annotated[str, StringConstraints(min_length=1)] = Field(description="With its ending.")
    file_url: Address | None = Field(default=None, description="Where the file is fetched from, without credentials.")
    file_content: str | None = Field(
        default=None, description="The file itself, as base64.", json_schema_extra={"contentEncoding": "base64"}
    )
    attachment_type: str | None = Field(
        default=None,
        description="RESUME, COVER_LETTER or another word. Any other counts as OTHER.",
        json_schema_extra={"allowed_values": ["RESUME", "COVER_LETTER", "OTHER"]},
    )
    content_type: str | None = Field(default=None, description="The MIME type.")
    candidate: Id | None = Field(default=None, description="Not read: the path or the body around it says whose it is.")
    remote_user_id: str | None = Field(default=None, description="Not written.")

    @model_validator(mode="after")
    def _has_one_source(self) -> AtsAttachmentWrite:
        if (self.file_url is None) == (self.file_content is None):
            raise PydanticCustomError("value_error", "Value error, give either file_url or file_content")
        return self


class SalaryWrite(Part):
    """What an applicant wants to earn, in the currency of the tool's account."""

    amount: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    period: Annotated[SalaryPeriod, Field(strict=False)]


class ConsentWrite(Part):
    """Whether an applicant agrees to their data being kept, and until when."""

    given: bool | None = None
    expires_at: Instant | None = None


class AdditionalAttributes(Part):
    """Inputs beyond the unified model. Other keys are handed to the tool as they are."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, JsonValue]

    recruiting_channel_id: str | None = Field(default=None, description="The tool's id of the source.")
    application_date: Day | None = Field(default=None, description="When they applied; wins over `applied_at`.")
    message: str | None = Field(default=None, description="What the applicant writes with the application.")
    gender: Literal["MALE", "FEMALE", "OTHER"] | None = None
    birthday: Day | None = None
    available_from: Day | None = None
    salary_expectation: SalaryWrite | None = None
    gdpr_consent: ConsentWrite | None = None
    screening_question_answers: Any = Field(
        default=None, description="By the id of the screening question. `create/meta` says what each job asks."
    )


class Applying(Part):
    """What both bodies hold."""

    job: Id = Field(description="The job.")
    job_interview_stage_id: Id | None = Field(default=None, description="The stage to start in; one of the job's.")
    source: str | None = Field(default=None, description="Where they came from, by name.")
    applied_at: Instant | None = Field(default=None, description="When they applied; the day counts, in UTC.")
    credited_to: Id | None = Field(default=None, description="The remote user to whom the application is credited.")
    attachments: list[AtsAttachmentWrite] | None = Field(
        default=None, max_length=MAX_FILES, description="Files. The first RESUME is the CV."
    )
    additional_attributes: AdditionalAttributes | None = Field(
        default=None, description="Inputs beyond the unified model."
    )
    custom_fields: dict[str, JsonValue] | None = Field(default=None, description="Not written.")
    remote_user_id: str | None = Field(default=None, description="Not written.")


class AtsCandidateWrite(Applying):
    """A person and the job they apply for."""

    first_name: str | None = Field(default=None, description="Given name.")
    last_name: str | None = Field(default=None, description="Family name.")
    email_addresses: list[Email] | None = Field(default=None, description="The first is the main one.")
    phone_numbers: list[str] | None = Field(default=None, description="The first is the main one.")
    company: str | None = Field(default=None, description="Present employer.")
    title: str | None = Field(default=None, description="Present position.")
    locations: list[str] | None = Field(default=None, description="Where they live. The first one counts.")
    urls: list[AtsUrlWrite] | None = Field(default=None, description="Links.")
    tags: list[str] | None = Field(default=None, description="Names of tags.")
    is_private: bool | None = Field(default=None, description="Not written.")
    can_email: bool | None = Field(default=None, description="Not written.")
    avatar: str | None = Field(default=None, description="Not written.")
    applications: list[JsonValue] | None = Field(default=None, description="Not read.")
    last_interaction_at: str | None = Field(default=None, description="Not read.")
    remote_created_at: str | None = Field(default=None, description="Not read.")
    remote_updated_at: str | None = Field(default=None, description="Not read.")


class CreateAtsApplication(Applying):
    """Another application of a candidate who is known."""

    candidate: Id = Field(description="The candidate who applies.")


class CreateCandidate(Part):
    """A candidate, and who sends them for what."""

    data: dict[str, Any]
    remote_user_id: str | None = None
    job_requisition_id: str | None = Field(
        default=None, description="The tool's id of the job, where `data` names none."
    )


PLACES: dict[str, str] = {
    "candidate": "candidate",
    "first_name": "first_name",
    "last_name": "last_name",
    "email_addresses": "email_address",
    "phone_numbers": "phone_number",
    "company": "company",
    "title": "title",
    "locations": "location",
    "urls": "social_links",
    "tags": "tags",
    "job": "job",
    "job_interview_stage_id": "stage",
    "source": "source",
    "applied_at": "applied_on",
    "credited_to": "credited_to",
    "attachments": "files",
}
"""Where in the draft a field of the body goes. Those that are not named go nowhere."""

ADDITIONAL_PLACES: dict[str, str] = {
    "recruiting_channel_id": "source",
    "application_date": "applied_on",
    "message": "message",
    "gender": "gender",
    "birthday": "birthday",
    "available_from": "available_from",
    "salary_expectation": "salary_expectation",
    "gdpr_consent": "gdpr_consent",
    "screening_question_answers": "answers",
}
"""The same within ``additional_attributes``."""

UNWRITTEN = ("is_private", "can_email", "avatar", "custom_fields", "remote_user_id")
"""Fields that nobody has a place for; whoever fills one is told so. The others without a place are never inputs."""
