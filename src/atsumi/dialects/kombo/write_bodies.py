"""The bodies of writes (Kombo OpenAPI document, May 2026). Keys that are not listed are ignored, as the vendor does.

Content of files stays where it is in the request's body (``msgspec.Raw`` is a view of it): it is not held twice.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from atsumi.dialects.writing import EMAIL

Email = Annotated[str, Meta(pattern=EMAIL, max_length=320, examples=["ada@example.com"])]
Text = Annotated[str, Meta(min_length=1)]
Day = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?)?Z?(?!\s)$", examples=["2027-01-15"])]
Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}(?!\s)$", examples=["DE"])]
ContentType = Annotated[str, Meta(pattern=r"^[\w.-]+/[\w.+-]+(?!\s)$", examples=["application/pdf"])]
Kind = Literal["PERSONAL", "WORK", "OTHER"]


class FileBody(msgspec.Struct, kw_only=True):
    """A file: either ``data`` in base64 with its ``content_type``, or the public ``data_url`` where it is fetched."""

    name: Text
    content_type: ContentType | None = None
    data_url: str | None = None
    data: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)


class NewAttachment(FileBody, kw_only=True):
    """The first one of type CV becomes the resume."""

    type: Literal["CV", "COVER_LETTER", "OTHER"]


class AnswerBody(msgspec.Struct, kw_only=True):
    """An answer: text, number, truth value, id of an option or a list of them, ISO date, or a file."""

    question_id: str
    answer: msgspec.Raw


class NewLocation(msgspec.Struct, kw_only=True):
    country: Country
    city: str | None = None
    state: str | None = None
    street_1: str | None = None
    zip_code: str | None = None


class AdditionalEmailAddress(msgspec.Struct, kw_only=True):
    type: Kind
    email_address: Email


class AdditionalPhoneNumber(msgspec.Struct, kw_only=True):
    type: Kind
    phone_number: str


class SalaryExpectations(msgspec.Struct, kw_only=True):
    period: Literal["MONTH", "YEAR"]
    amount: Annotated[float, Meta(ge=0, le=1e12)]


class SocialLink(msgspec.Struct, kw_only=True):
    url: str


class NewPerson(msgspec.Struct, kw_only=True):
    """Whoever applies."""

    first_name: Text
    last_name: Text
    email_address: Email
    additional_email_addresses: list[AdditionalEmailAddress] | None = None
    company: str | None = None
    title: str | None = None
    phone_number: str | None = None
    additional_phone_numbers: list[AdditionalPhoneNumber] | None = None
    location: NewLocation | None = None
    gender: Literal["MALE", "FEMALE", "OTHER"] | None = None
    availability_date: Day | None = None
    salary_expectations: SalaryExpectations | None = None
    social_links: list[SocialLink] | None = None


class NewSource(msgspec.Struct, kw_only=True):
    """Where somebody came from, by one of three. Without it counts what is set for the integration."""

    name: str | None = None
    unified_key: str | None = None
    id: str | None = None


class SourcedBy(msgspec.Struct, kw_only=True):
    user_id: str


class GdprConsentBody(msgspec.Struct, kw_only=True):
    given: bool | None = None
    expires_at: Day | None = None


class RemoteFieldsBody(msgspec.Struct, kw_only=True):
    """``remote_fields``: for each tool, what is merged into the requests to it."""

    remote_fields: dict[str, Any] | None = None


class _Applying(RemoteFieldsBody, kw_only=True):
    candidate: NewPerson
    screening_question_answers: list[AnswerBody] | None = None
    attachments: list[NewAttachment] | None = None
    source: NewSource | None = None
    sourced_by: SourcedBy | None = None
    gdpr_consent: GdprConsentBody | None = None


class NewApplication(_Applying, kw_only=True):
    """An application for the job that the path names. Without ``stage_id``, it starts where the tool says."""

    stage_id: str | None = None


class AppliedFor(msgspec.Struct, kw_only=True):
    """``job_id`` and ``stage_id`` are our ids, or the tool's after ``remote:``."""

    job_id: str
    stage_id: str | None = None


class NewCandidate(_Applying, kw_only=True):
    """A candidate with their application."""

    application: AppliedFor


class StageChoice(RemoteFieldsBody, kw_only=True):
    stage_id: str


class Rejection(RemoteFieldsBody, kw_only=True):
    rejection_reason_id: str
    note: str | None = None


class NewNote(RemoteFieldsBody, kw_only=True):
    content: Text
    content_type: Literal["PLAIN_TEXT"]


class LinkAttribute(msgspec.Struct, kw_only=True):
    key: str
    value: str


class LinkDetails(msgspec.Struct, kw_only=True):
    custom_field_name_prefix: str
    attributes: list[LinkAttribute]


class NewResultLink(RemoteFieldsBody, kw_only=True):
    label: Text
    url: Text
    details: LinkDetails | None = None


class TagName(msgspec.Struct, kw_only=True):
    name: Text


class TagChoice(RemoteFieldsBody, kw_only=True):
    tag: TagName


class AddedAttachment(RemoteFieldsBody, kw_only=True):
    attachment: NewAttachment


class NewInterview(msgspec.Struct, kw_only=True):
    title: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    interviewer_user_ids: list[str] | None = None
    organizer_user_id: str | None = None
    location: dict[str, Any] | None = None


class TrackedApplication(msgspec.Struct, kw_only=True):
    """Names an application at one of the tools that can be tracked, none of which is served here."""

    tracked_at: Day | None
