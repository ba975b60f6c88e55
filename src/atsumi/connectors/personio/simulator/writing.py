"""The rules of v1 recruiting: what an application must look like and what becomes of it. No HTTP.

Personio NOTES section 9 for the rules, section 13 for the codes.
"""

from __future__ import annotations

import re
import uuid
from datetime import date
from typing import Any

import msgspec

from atsumi.connectors.personio.simulator.records import (
    BUILTIN_KEYS,
    BUILTIN_STAGES,
    Application,
    Attribute,
    Candidate,
    Document,
    Job,
    Received,
    Stage,
    Upload,
    Written,
)
from atsumi.connectors.personio.simulator.seed import day_of
from atsumi.connectors.personio.simulator.simulator import Simulator

FILE_CATEGORIES = ("cv", "cover-letter", "employment-reference", "certificate", "work-sample", "other")

CONTENT_TYPES = {
    "pdf": "application/pdf",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odt": "application/vnd.oasis.opendocument.text",
    "7z": "application/x-7z-compressed",
    "gz": "application/gzip",
    "rar": "application/vnd.rar",
    "zip": "application/zip",
    "bmp": "image/bmp",
    "gif": "image/gif",
    "jpg": "image/jpeg",
    "png": "image/png",
    "tif": "image/tiff",
    "csv": "text/csv",
    "txt": "text/plain",
    "rtf": "application/rtf",
    "mp4": "video/mp4",
    "3gp": "video/3gpp",
    "mov": "video/quicktime",
    "avi": "video/x-msvideo",
    "wmv": "video/x-ms-wmv",
}
"""Allowed extensions of uploads."""

GENDERS = ("male", "female", "diverse", "undefined")
_TEXT_ATTRIBUTES = ("location", "phone", "available_from", "salary_expectations")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_VALIDATION = "errors.attribute-validation."
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class InvalidBody(Exception):
    """The body is not an application at all: no JSON object, an unknown key, or a value of the wrong type."""


class Rejected(Exception):
    """The application cannot be created; `errors` are pairs of field and reason code."""

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = errors


class _Phase(msgspec.Struct, forbid_unknown_fields=True):
    type: str
    id: int | str


class _File(msgspec.Struct, forbid_unknown_fields=True):
    uuid: str
    original_filename: str
    category: str


class _Attribute(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    value: str | None = None


class Submission(msgspec.Struct, forbid_unknown_fields=True):
    """The body of `POST /v1/recruiting/applications`. Required fields are optional here, to be named when missing."""

    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    job_position_id: int | None = None
    recruiting_channel_id: int | None = None
    external_posting_id: str | None = None
    message: str | None = None
    application_date: str | None = None
    phase: _Phase | None = None
    tags: list[str] | None = None
    files: list[_File] | None = None
    attributes: list[_Attribute] | None = None


def submission_from(body: bytes) -> Submission:
    """Return the parsed body. Raises InvalidBody."""
    try:
        return msgspec.json.decode(body, type=Submission)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidBody from error


class Writing:
    """Creates applications and keeps uploads, in one simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def upload(self, filename: str, content: bytes) -> Upload:
        """Keep a file until an application takes it. Raises Rejected for a type that is not allowed."""
        extension = filename.rpartition(".")[2].lower() if "." in filename else ""
        if extension not in CONTENT_TYPES:
            raise Rejected([("file", "errors.invalid-file-type")])
        company = self._simulator.company
        upload = Upload(
            str(uuid.uuid4()), filename, extension, CONTENT_TYPES[extension], content, company.clock.milliseconds()
        )
        company.uploads[upload.uuid] = upload
        return upload

    def create(self, submission: Submission) -> Application:
        """Create an application, and its candidate unless the address is known. Raises Rejected with all errors."""
        errors = [*self._required(submission), *self._references(submission), *self._details(submission)]
        if errors:
            raise Rejected(errors)
        company = self._simulator.company
        job = company.jobs.get(submission.job_position_id or 0)
        if job is None or not job.is_published:
            raise Rejected([("job_position_id", "errors.job-position.not-published")])
        missing = self._missing_answers(submission, job)
        if missing:
            raise Rejected(missing)
        email = (submission.email or "").strip()
        if any(item.job_id == job.id for item in company.applications_by_email(email)):
            raise Rejected([("email", "errors.applicant-already-exists")])
        values = {item.id: (item.value or "").strip() for item in submission.attributes or []}
        candidate = self._candidate(submission, email, values)
        application = self._add(submission, job, candidate, values)
        company.tags.update(submission.tags or [])
        return application

    def note(self, body: bytes, status: int) -> None:
        """Remember what was given, for tests that compare it with what should have been."""
        company = self._simulator.company
        try:
            given = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            given = body.decode("utf-8", "replace")
        company.received.append(Received(company.clock.milliseconds(), status, given))

    # Checks.

    def _required(self, submission: Submission) -> list[tuple[str, str]]:
        errors = [
            (name, f"{_VALIDATION}required-attribute")
            for name in ("first_name", "last_name", "email")
            if not (getattr(submission, name) or "").strip()
        ]
        if submission.job_position_id is None:
            errors.append(("job_position_id", f"{_VALIDATION}required-attribute"))
        email = (submission.email or "").strip()
        if email and not _EMAIL.fullmatch(email):
            errors.append(("email", f"{_VALIDATION}invalid-email-format"))
        return errors

    def _references(self, submission: Submission) -> list[tuple[str, str]]:
        company = self._simulator.company
        errors = []
        channel = submission.recruiting_channel_id
        if channel is not None and channel not in company.channels:
            errors.append(("recruiting_channel_id", "errors.posting-validation.channel-not-found"))
        if submission.external_posting_id is not None:
            expected = company.postings.get(submission.external_posting_id)
            if expected is None or (channel is not None and channel != expected):
                errors.append(("external_posting_id", "errors.posting-validation.posting-not-found"))
        for index, file in enumerate(submission.files or []):
            if file.category not in FILE_CATEGORIES:
                errors.append((f"files[{index}].category", "errors.file-validation.unknown-file-category"))
            if self._waiting(file.uuid) is None:
                errors.append((f"files[{index}].uuid", "errors.file-validation.file-not-exists"))
        return errors

    def _details(self, submission: Submission) -> list[tuple[str, str]]:
        errors = []
        if submission.application_date is not None:
            applied = _day(submission.application_date)
            if applied is None:
                errors.append(("application_date", f"{_VALIDATION}invalid-date-format"))
            elif applied > self._simulator.clock.now().date():
                errors.append(("application_date", "errors.date-validation.date-in-the-future"))
        phase = submission.phase
        if phase is not None and phase.type != "custom" and (phase.type != "system" or phase.id not in BUILTIN_KEYS):
            errors.append(("phase", "errors.phase-validation.invalid-system-phase"))
        for item in submission.attributes or []:
            reason = self._attribute_fault(item)
            if reason:
                errors.append((item.id, _VALIDATION + reason))
        return errors

    def _missing_answers(self, submission: Submission, job: Job) -> list[tuple[str, str]]:
        if not self._simulator.switches.v1_requires_answers:
            return []
        given = {item.id for item in submission.attributes or []}
        return [
            (question.attribute_id, f"{_VALIDATION}required-attribute")
            for question in job.questions
            if question.is_required and question.attribute_id not in given
        ]

    def _attribute_fault(self, item: _Attribute) -> str | None:
        value = (item.value or "").strip()
        attribute = self._simulator.company.attributes.get(item.id)
        is_builtin = item.id in _TEXT_ATTRIBUTES or item.id in ("birthday", "gender")
        if attribute is None and not is_builtin:
            return "unknown"
        if not value:
            return "required-attribute"
        if item.id == "gender":
            return None if value in GENDERS else "unknown-attribute-option"
        if item.id == "birthday":
            return None if _day(value) else "invalid-date-format"
        return _custom_fault(attribute, value) if attribute else None

    def _waiting(self, reference: str) -> Upload | None:
        company = self._simulator.company
        upload = company.uploads.get(reference)
        if upload is None:
            return None
        age = company.clock.milliseconds() - upload.created_at
        return upload if age < self._simulator.switches.upload_lifetime_seconds * 1000 else None

    # Effects.

    def _candidate(self, submission: Submission, email: str, values: dict[str, str]) -> Candidate:
        simulator = self._simulator
        known = simulator.company.candidates_by_email(email) if simulator.switches.one_candidate_per_email else []
        fields: dict[str, Any] = {
            name: values[name]
            for name in ("gender", "phone", "location", "birthday", "available_from")
            if name in values
        }
        if known:
            if fields:
                simulator.edit_candidate(known[0].id, **fields)
            return known[0]
        first, last = (submission.first_name or "").strip(), (submission.last_name or "").strip()
        created = simulator.company.candidates.get(simulator.create_candidate(first, last, email, **fields))
        if created is None:  # pragma: no cover - it was created a line ago
            raise AssertionError
        return created

    def _add(self, submission: Submission, job: Job, candidate: Candidate, values: dict[str, str]) -> Application:
        company = self._simulator.company
        at = company.stamp()
        stage = self._stage(submission, job)
        applied = _day(submission.application_date) if submission.application_date else None
        channel_id = submission.recruiting_channel_id
        if channel_id is None and submission.external_posting_id is not None:
            channel_id = company.postings[submission.external_posting_id]
        application = Application(
            id=company.next_id("application"),
            candidate_id=candidate.id,
            job_id=job.id,
            stage=stage,
            channel=company.channels[channel_id] if channel_id is not None else None,
            applied_on=applied.toordinal() if applied else day_of(at),
            created_at=at,
            updated_at=at,
            transitions=[(at, stage)],
            documents=[],
            written=Written(
                submission.message,
                submission.tags or [],
                values,
                submission.external_posting_id,
                company.clock.milliseconds(),
            ),
        )
        self._simulator.file_application(application, candidate)
        for file in submission.files or []:
            self._attach(application, file)
        return application

    def _attach(self, application: Application, file: _File) -> None:
        company = self._simulator.company
        upload = company.uploads.pop(file.uuid, None)
        if upload is None:
            return
        document = Document(
            id=company.next_id("document"),
            owner_id=application.id,
            name=file.original_filename,
            category=file.category,
            created_at=company.clock.milliseconds(),
            content=upload.content,
            content_type=upload.content_type,
        )
        company.own_documents(application).append(document)
        company.index_document(document)

    def _stage(self, submission: Submission, job: Job) -> Stage:
        """Return where the application starts; a custom phase outside the job's category is swallowed."""
        company = self._simulator.company
        category = company.categories.get(job.category_id) if job.category_id is not None else None
        phase = submission.phase
        if phase is None:
            return category.initial if category else BUILTIN_STAGES["unassigned"]
        if phase.type == "system":
            return BUILTIN_STAGES[str(phase.id)]
        for stage in category.stages if category else []:
            if stage.key is None and str(stage.id) == str(phase.id):
                return stage
        return BUILTIN_STAGES["unassigned"]


def _custom_fault(attribute: Attribute, value: str) -> str | None:
    match attribute.kind:
        case "select":
            accepted = {option.key for option in attribute.options}
            accepted |= {label for option in attribute.options for label in option.label.values()}
            return None if value in accepted else "unknown-attribute-option"
        case "date":
            return None if _day(value) else "invalid-date-format"
        case "multiselect" | "file":
            return "invalid-type"
        case _:
            return None


def _day(text: str) -> date | None:
    if not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
