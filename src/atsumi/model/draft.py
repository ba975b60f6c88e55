"""What a caller wants written, before a tool has made records of it: the inputs of actions.

A draft is read from a caller's request by a dialect, resolved against the stored records, and handed to a connector.
Contents of files are not part of it: they are kept beside it, in the order of ``files``.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from atsumi.model.actions import Action
from atsumi.model.enums import AttachmentType, QuestionType, SalaryPeriod
from atsumi.model.names import Model
from atsumi.model.parts import EmailAddress, Location, PhoneNumber


class Gender(StrEnum):
    MALE = "MALE"
    FEMALE = "FEMALE"
    OTHER = "OTHER"


class Ref(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A record that the caller names, by our id or by the tool's. Once resolved it has a ``remote_id``."""

    id: UUID | None = None
    remote_id: str | None = None

    @property
    def remote(self) -> str:
        """The tool's id of a resolved reference; asking one that is not resolved is a bug."""
        if self.remote_id is None:
            raise ValueError("the reference was not resolved")
        return self.remote_id


class FileDraft(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A file to hand on. One with a ``url`` is fetched from there; of all others the content came with the request."""

    name: str
    type: AttachmentType = AttachmentType.OTHER
    content_type: str | None = None
    url: str | None = None
    sha256: str | None = None
    """Of the content, in hexadecimal; unset for files that are fetched."""
    size_bytes: int | None = None
    path: str = ""
    """Where the caller wrote it, in the words of the surface: for messages about it."""


class Answer(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An answer to a screening question. ``value`` has the JSON type that the caller sent.

    Resolved, ``type`` is the question's, and options in ``value`` are the tool's own.
    """

    question: Ref
    value: Any = None
    file: int | None = None
    """Which of the draft's ``files`` the answer is, for a FILE question."""
    type: QuestionType | None = None
    path: str = ""


class SalaryExpectation(msgspec.Struct, kw_only=True):
    """An amount of the tool's own currency, for a period."""

    amount: float
    period: SalaryPeriod

    def per(self, period: SalaryPeriod) -> float:
        """The amount for another period; MONTH and YEAR are converted into each other, a year having 12 months."""
        factors = {
            (SalaryPeriod.MONTH, SalaryPeriod.YEAR): 12.0,
            (SalaryPeriod.YEAR, SalaryPeriod.MONTH): 1 / 12,
        }
        return self.amount if period is self.period else self.amount * factors[self.period, period]


class SourceDraft(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Where an applicant came from: by the tool's ``id`` of the source, its name, or a key that is alike in all tools.

    Resolved, only ``id`` is set.
    """

    id: str | None = None
    name: str | None = None
    unified_key: str | None = None


class GdprConsent(msgspec.Struct, kw_only=True, omit_defaults=True):
    given: bool | None = None
    expires_at: datetime | None = None


class Draft(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Base of all inputs. ``remote_fields`` is merged into what the tool is sent, above everything else."""

    references: ClassVar[dict[str, Model]] = {}
    """The fields that are a :class:`Ref`, and the model of what they name."""

    files: list[FileDraft] = []
    remote_fields: dict[str, Any] = {}


class ApplicationDraft(Draft):
    """A person and the job they apply for, as one application: the input of both creating actions.

    With ``candidate`` the person is one that is known; names and address may then be left out.
    """

    references: ClassVar[dict[str, Model]] = {
        "job": Model.JOB,
        "candidate": Model.CANDIDATE,
        "stage": Model.STAGE,
        "credited_to": Model.USER,
    }

    job: Ref
    candidate: Ref | None = None
    first_name: str = ""
    last_name: str = ""
    email_address: str = ""
    additional_email_addresses: list[EmailAddress] = []
    phone_number: str | None = None
    additional_phone_numbers: list[PhoneNumber] = []
    company: str | None = None
    title: str | None = None
    location: Location | None = None
    gender: Gender | None = None
    birthday: date | None = None
    available_from: date | None = None
    salary_expectation: SalaryExpectation | None = None
    social_links: list[str] = []
    tags: list[str] = []
    message: str | None = None
    applied_on: date | None = None
    stage: Ref | None = None
    source: SourceDraft | None = None
    credited_to: Ref | None = None
    gdpr_consent: GdprConsent | None = None
    answers: list[Answer] = []


class StageDraft(Draft):
    """Move an application to a stage."""

    references: ClassVar[dict[str, Model]] = {"application": Model.APPLICATION, "stage": Model.STAGE}

    application: Ref
    stage: Ref


class RejectionDraft(Draft):
    """Reject an application."""

    references: ClassVar[dict[str, Model]] = {"application": Model.APPLICATION, "reason": Model.REJECTION_REASON}

    application: Ref
    reason: Ref
    note: str | None = None


class NoteDraft(Draft):
    """Add a plain-text note to an application."""

    references: ClassVar[dict[str, Model]] = {"application": Model.APPLICATION}

    application: Ref
    content: str


class ResultLinkDraft(Draft):
    """Add a link to somebody's results elsewhere, to an application or a candidate. ``attributes``: key and value."""

    references: ClassVar[dict[str, Model]] = {"application": Model.APPLICATION, "candidate": Model.CANDIDATE}

    label: str
    url: str
    application: Ref | None = None
    candidate: Ref | None = None
    field_name_prefix: str | None = None
    attributes: list[tuple[str, str]] = []


class TagDraft(Draft):
    """Add a tag to a candidate, or take it off."""

    references: ClassVar[dict[str, Model]] = {"candidate": Model.CANDIDATE}

    candidate: Ref
    name: str


class AttachmentDraft(Draft):
    """Add ``files``, exactly one, to an application or a candidate."""

    references: ClassVar[dict[str, Model]] = {"application": Model.APPLICATION, "candidate": Model.CANDIDATE}

    application: Ref | None = None
    candidate: Ref | None = None


DRAFTS: dict[Action, type[Draft]] = {
    Action.CREATE_APPLICATION: ApplicationDraft,
    Action.CREATE_CANDIDATE: ApplicationDraft,
    Action.ADD_APPLICATION_ATTACHMENT: AttachmentDraft,
    Action.ADD_CANDIDATE_ATTACHMENT: AttachmentDraft,
    Action.SET_APPLICATION_STAGE: StageDraft,
    Action.REJECT_APPLICATION: RejectionDraft,
    Action.ADD_APPLICATION_NOTE: NoteDraft,
    Action.ADD_APPLICATION_RESULT_LINK: ResultLinkDraft,
    Action.ADD_CANDIDATE_RESULT_LINK: ResultLinkDraft,
    Action.ADD_CANDIDATE_TAG: TagDraft,
    Action.REMOVE_CANDIDATE_TAG: TagDraft,
}
"""What each action takes."""
