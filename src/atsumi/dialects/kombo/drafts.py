"""From the body of a write to what is to be written, and from the paths of that back to those of the body."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

import msgspec

from atsumi.actions.requests import Content
from atsumi.dialects import reading
from atsumi.dialects.kombo import write_bodies as bodies
from atsumi.dialects.writing import EncodedFile
from atsumi.errors import InvalidInput
from atsumi.model.draft import (
    Answer,
    ApplicationDraft,
    AttachmentDraft,
    Draft,
    FileDraft,
    GdprConsent,
    Gender,
    NoteDraft,
    Ref,
    RejectionDraft,
    ResultLinkDraft,
    SalaryExpectation,
    SourceDraft,
    StageDraft,
    TagDraft,
)
from atsumi.model.enums import AttachmentType, SalaryPeriod
from atsumi.model.ids import from_base58
from atsumi.model.parts import EmailAddress, Location, PhoneNumber

B = TypeVar("B")
_REMOTE = "remote:"
_INDEX = re.compile(r"\[(\d+)\]")
_ZERO = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_CANDIDATE = {
    "first_name": "first_name",
    "last_name": "last_name",
    "email_address": "email_address",
    "additional_email_addresses": "additional_email_addresses",
    "phone_number": "phone_number",
    "additional_phone_numbers": "additional_phone_numbers",
    "company": "company",
    "title": "title",
    "location": "location",
    "gender": "gender",
    "available_from": "availability_date",
    "salary_expectation": "salary_expectations",
    "social_links": "social_links",
}
_REST = {
    "stage": "stage_id",
    "job": "job_id",
    "source": "source",
    "credited_to": "sourced_by.user_id",
    "gdpr_consent": "gdpr_consent",
    "answers": "screening_question_answers",
    "files": "attachments",
    "remote_fields": "remote_fields",
    "reason": "rejection_reason_id",
}


_FORMS = {
    "email_address": "an e-mail address",
    "country": "a country's code, two capital letters such as DE",
    "availability_date": "a date such as 2027-01-15",
    "expires_at": "a date such as 2027-01-15",
    "tracked_at": "a date such as 2027-01-15",
    "content_type": "a media type such as application/pdf",
}
"""What a text should have been, by the name of its field."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What is to be written, and the contents of the files that came along."""

    draft: Draft
    contents: Mapping[int, Content] = field(default_factory=dict)
    path: Callable[[str], str] = lambda path: path
    """From a path of the draft to that in the body."""


def read(data: bytes | msgspec.Raw, kind: type[B], at: str = "") -> B:
    """A body, or the part of one that stands ``at`` a path.

    Raises :class:`InvalidInput` with the path of what is wrong, in the body's own words.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        text, _, where = str(error).partition(" - at `$")
        path = _INDEX.sub(r".\1", where.partition("[...]")[0].rstrip("`")).removeprefix(".")
        path = ".".join(filter(None, (at, path)))
        if "matching regex" in text:
            text = f"this is not {_FORMS.get(path.rpartition('.')[2], 'of the form that the contract gives')}"
        raise InvalidInput(f"{path or 'The body'}: {text}.", path=path or None) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"The body is no JSON: {error}.") from error


def body(data: bytes, kind: type[B]) -> B:
    """A whole body. Raises :class:`InvalidInput` as :func:`read` does, and for zero bytes in its texts."""
    if b"\\u0000" in data and _ZERO.search(data):
        raise InvalidInput("The body has a text with a zero byte, which no tool takes.")
    return read(data, kind)


def reference(spelled: str, path: str, what: str) -> Ref:
    """A record by our id, or by the tool's after ``remote:``. Raises :class:`InvalidInput`."""
    if spelled.startswith(_REMOTE) and len(spelled) > len(_REMOTE) and "\x00" not in spelled:
        return Ref(remote_id=spelled.removeprefix(_REMOTE))
    id = from_base58(spelled)
    if id is None:
        raise InvalidInput(f"{path}: this is not the id of a {what}, and no `{_REMOTE}<id>` either.", path=path)
    return Ref(id=id)


def application(body: bodies.NewApplication, job: Ref, tool: str) -> Parsed:
    """An application for the job that the path names."""
    stage = reference(body.stage_id, "stage_id", "stage") if body.stage_id is not None else None
    return _applying(body, job, stage, tool, "")


def candidate(body: bodies.NewCandidate, tool: str) -> Parsed:
    """A candidate with an application."""
    wanted = body.application
    job = reference(wanted.job_id, "application.job_id", "job")
    stage = reference(wanted.stage_id, "application.stage_id", "stage") if wanted.stage_id is not None else None
    return _applying(body, job, stage, tool, "application.")


def stage(body: bodies.StageChoice, application: Ref, tool: str) -> Parsed:
    draft = StageDraft(application=application, stage=reference(body.stage_id, "stage_id", "stage"))
    return _with_remote_fields(draft, body, tool)


def rejection(body: bodies.Rejection, application: Ref, tool: str) -> Parsed:
    reason = reference(body.rejection_reason_id, "rejection_reason_id", "rejection reason")
    return _with_remote_fields(RejectionDraft(application=application, reason=reason, note=body.note), body, tool)


def note(body: bodies.NewNote, application: Ref, tool: str) -> Parsed:
    return _with_remote_fields(NoteDraft(application=application, content=body.content), body, tool)


def result_link(
    body: bodies.NewResultLink, tool: str, *, application: Ref | None = None, candidate: Ref | None = None
) -> Parsed:
    details = body.details
    draft = ResultLinkDraft(
        label=body.label,
        url=body.url,
        field_name_prefix=details.custom_field_name_prefix if details is not None else None,
        attributes=[(one.key, one.value) for one in details.attributes] if details is not None else [],
        application=application,
        candidate=candidate,
    )
    return _with_remote_fields(draft, body, tool)


def tag(body: bodies.TagChoice, candidate: Ref, tool: str) -> Parsed:
    return _with_remote_fields(TagDraft(candidate=candidate, name=body.tag.name), body, tool)


def attachment(
    body: bodies.AddedAttachment, tool: str, *, application: Ref | None = None, candidate: Ref | None = None
) -> Parsed:
    file, content = _file(body.attachment, "attachment", AttachmentType(body.attachment.type))
    draft = AttachmentDraft(files=[file], application=application, candidate=candidate)
    return Parsed(
        _with_remote_fields(draft, body, tool).draft,
        {0: content} if content is not None else {},
        lambda path: "attachment" if path.startswith("files") else path,
    )


def _applying(
    body: bodies.NewApplication | bodies.NewCandidate, job: Ref, stage: Ref | None, tool: str, place: str
) -> Parsed:
    person = body.candidate
    files: list[FileDraft] = []
    contents: dict[int, Content] = {}

    def add(file: bodies.FileBody, path: str, type: AttachmentType) -> int:
        drafted, content = _file(file, path, type)
        if content is not None:
            contents[len(files)] = content
        files.append(drafted)
        return len(files) - 1

    for index, attached in enumerate(body.attachments or ()):
        add(attached, f"attachments.{index}", AttachmentType(attached.type))
    answers = [_answer(one, index, add) for index, one in enumerate(body.screening_question_answers or ())]
    draft = ApplicationDraft(
        job=job,
        stage=stage,
        first_name=person.first_name.strip(),
        last_name=person.last_name.strip(),
        email_address=person.email_address.strip(),
        company=person.company,
        title=person.title,
        phone_number=person.phone_number,
        additional_email_addresses=[
            EmailAddress(email_address=one.email_address, type=one.type)
            for one in person.additional_email_addresses or ()
        ],
        additional_phone_numbers=[
            PhoneNumber(phone_number=one.phone_number, type=one.type) for one in person.additional_phone_numbers or ()
        ],
        location=_location(person.location),
        gender=Gender(person.gender) if person.gender is not None else None,
        available_from=_day(person.availability_date, "candidate.availability_date"),
        salary_expectation=_salary(person.salary_expectations),
        social_links=[one.url for one in person.social_links or ()],
        source=_source(body.source),
        credited_to=(
            reference(body.sourced_by.user_id, "sourced_by.user_id", "user") if body.sourced_by is not None else None
        ),
        gdpr_consent=_consent(body.gdpr_consent),
        answers=answers,
        files=files,
        remote_fields=_remote_fields(body, tool),
    )

    def path(of_draft: str) -> str:
        """From a path of the draft to where its caller wrote it."""
        name, _, rest = of_draft.partition(".")
        written = [one.path for one in (answers if name == "answers" else files if name == "files" else ())]
        if rest.isdecimal() and int(rest) < len(written):
            return written[int(rest)]
        if name in _CANDIDATE:
            known = f"candidate.{_CANDIDATE[name]}"
        elif name == "remote_fields":
            known = f"remote_fields.{tool}.application"
        else:
            known = (place if name in ("job", "stage") else "") + _REST.get(name, name)
        return f"{known}.{rest}" if rest else known

    return Parsed(draft, contents, path)


def _with_remote_fields(draft: Draft, body: bodies.RemoteFieldsBody, tool: str) -> Parsed:
    draft.remote_fields = _remote_fields(body, tool)
    return Parsed(draft, path=lambda path: _REST.get(path.partition(".")[0], path))


def _remote_fields(body: bodies.RemoteFieldsBody, tool: str) -> dict[str, Any]:
    """What the caller gives for this very tool; what is for others is left out, as one body may serve several."""
    given = (body.remote_fields or {}).get(tool)
    if given is None:
        return {}
    inner = given.get("application", {}) if isinstance(given, dict) else None
    if not isinstance(inner, dict):
        raise InvalidInput(
            f'remote_fields.{tool}: this must look like {{"application": {{...}}}}.', path=f"remote_fields.{tool}"
        )
    return inner


def _answer(body: bodies.AnswerBody, index: int, add: Callable[[bodies.FileBody, str, AttachmentType], int]) -> Answer:
    path = f"screening_question_answers.{index}"
    id = from_base58(body.question_id)
    question = Ref(id=id) if id is not None else Ref(remote_id=body.question_id.removeprefix(_REMOTE))
    if bytes(memoryview(body.answer)[:1]) == b"{":
        file = read(body.answer, bodies.FileBody, f"{path}.answer")
        return Answer(question=question, file=add(file, f"{path}.answer", AttachmentType.OTHER), path=path)
    return Answer(question=question, value=read(body.answer, object, f"{path}.answer"), path=path)


def _file(body: bodies.FileBody, path: str, type: AttachmentType) -> tuple[FileDraft, Content | None]:
    has_data = len(body.data) > 0 and bytes(memoryview(body.data)[:4]) != b"null"
    if has_data == (body.data_url is not None):
        raise InvalidInput(f"{path}: give either `data` or `data_url`.", path=path)
    draft = FileDraft(name=body.name, type=type, content_type=body.content_type, url=body.data_url, path=path)
    if not has_data:
        return draft, None
    if body.content_type is None:
        raise InvalidInput(f"{path}.content_type: this is required with `data`.", path=f"{path}.content_type")
    if bytes(memoryview(body.data)[:1]) != b'"':
        raise InvalidInput(f"{path}.data: Expected `str`.", path=f"{path}.data")
    try:
        file = EncodedFile.read(body.data)
    except ValueError as error:
        raise InvalidInput(f"{path}.data: {error}.", path=f"{path}.data") from error
    return msgspec.structs.replace(draft, sha256=file.sha256, size_bytes=file.size_bytes), file.content


def _location(body: bodies.NewLocation | None) -> Location | None:
    if body is None:
        return None
    return Location(
        country=body.country, city=body.city, state=body.state, street_1=body.street_1, zip_code=body.zip_code
    )


def _salary(body: bodies.SalaryExpectations | None) -> SalaryExpectation | None:
    return SalaryExpectation(amount=body.amount, period=SalaryPeriod(body.period)) if body is not None else None


def _source(body: bodies.NewSource | None) -> SourceDraft | None:
    if body is None or not (body.id or body.name or body.unified_key):
        return None
    return SourceDraft(id=body.id or None, name=body.name or None, unified_key=body.unified_key or None)


def _consent(body: bodies.GdprConsentBody | None) -> GdprConsent | None:
    if body is None:
        return None
    expires_at = _instant(body.expires_at, "gdpr_consent.expires_at") if body.expires_at is not None else None
    return GdprConsent(given=body.given, expires_at=expires_at)


def _day(text: str | None, path: str) -> date | None:
    """The day as it is written, whatever its time is in other zones."""
    if text is None:
        return None
    _instant(text, path)
    return date.fromisoformat(text[:10])


def _instant(text: str, path: str) -> datetime:
    try:
        return reading.instant(path, text)
    except InvalidInput:
        raise InvalidInput(f"{path}: there is no such day or time.", path=path) from None
