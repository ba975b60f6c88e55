"""From a body to a draft, and from the draft's paths back to places in the body.

Both shapes of the contract are read as one: the enveloped one is laid flat, and every fault is told by where the caller
wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError

from atsumi.connector.writing import WriteAction
from atsumi.dialects import reading
from atsumi.dialects.bindbee.asked import KnownJob
from atsumi.dialects.bindbee.bodies import (
    UNWRITTEN,
    AdditionalAttributes,
    Applying,
    AtsAttachmentWrite,
    AtsCandidateWrite,
    CreateAtsApplication,
    CreateCandidate,
)
from atsumi.dialects.bindbee.errors import Fault, InvalidRequest, value_fault
from atsumi.dialects.bindbee.narrowing import ADDITIONAL, ANSWERS, STAGE, narrowed, takes
from atsumi.model.draft import (
    Answer,
    ApplicationDraft,
    FileDraft,
    GdprConsent,
    Gender,
    Ref,
    SalaryExpectation,
    SourceDraft,
)
from atsumi.model.enums import AttachmentType
from atsumi.model.parts import EmailAddress, Location, PhoneNumber

B = TypeVar("B", bound=BaseModel)
Loc = tuple[str | int, ...]

_SAME: Mapping[str, str] = {"job_id": "job", "current_stage": STAGE}
"""Other words of the contract for the same fields."""
_TYPES: Mapping[str, AttachmentType] = {
    "RESUME": AttachmentType.CV,
    "CV": AttachmentType.CV,
    "COVER_LETTER": AttachmentType.COVER_LETTER,
}
_PLAIN: Mapping[str, Loc] = {
    "email_address": ("email_addresses", 0),
    "additional_email_addresses": ("email_addresses",),
    "phone_number": ("phone_numbers", 0),
    "additional_phone_numbers": ("phone_numbers",),
    "location": ("locations", 0),
    "social_links": ("urls",),
    "stage": (STAGE,),
    "files": ("attachments",),
    "answers": (ADDITIONAL, ANSWERS),
    "remote_fields": (ADDITIONAL,),
    **{
        name: (ADDITIONAL, name)
        for name in ("message", "gender", "birthday", "available_from", "salary_expectation", "gdpr_consent")
    },
}
"""Where fields of a draft stand in a flat body, if not under their own names at its top."""


@dataclass(slots=True)
class Flat:
    """A body as the models read it. ``written`` are the places of its fields where they differ from their names."""

    values: dict[str, Any]
    inside: Loc = ()
    written: dict[str, Loc] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def place(self, loc: Sequence[str | int]) -> list[str | int]:
        """Where the caller wrote what stands at a place of the flat body."""
        first, *rest = loc or ("",)
        start = self.written.get(str(first), (*self.inside, first) if loc else self.inside)
        return ["body", *start, *rest]


@dataclass(slots=True)
class Parsed:
    """A draft, and where its fields were written. ``contents`` are the base64 texts of files, by their place in it."""

    flat: Flat
    draft: ApplicationDraft
    contents: dict[int, str]
    places: dict[str, Loc]

    def place(self, path: str | None) -> list[str | int]:
        """Where the caller wrote a field of the draft."""
        name = path or ""
        while name:
            if name in self.places:
                return self.flat.place(self.places[name])
            name = name.rpartition(".")[0]
        return self.flat.place(())


def read_flat(body: Any) -> Flat:
    """A body that is flat. Raises :class:`InvalidRequest` for what is no object, or is nested beyond measure."""
    if not isinstance(body, dict):
        message = "Input should be a valid dictionary or object to extract fields from"
        raise InvalidRequest([Fault(type="model_attributes_type", loc=["body"], msg=message, input=_shown(body))])
    try:
        _refuse_zero_bytes(body)
        return Flat(_without_null(body))
    except RecursionError:
        raise InvalidRequest([value_fault(["body"], "it is nested too deeply", None)]) from None


def flat_body(body: Any, job_id: Callable[[str], UUID]) -> Flat:
    """A body of either shape, laid flat. ``job_id`` makes our id of the tool's id of a job.

    Raises :class:`InvalidRequest`.
    """
    flat = read_flat(body)
    if "data" in flat.values:
        envelope = validated(CreateCandidate, flat)
        flat = Flat(dict(envelope.data), inside=("data",))
        if "job" not in flat.values:
            flat.written["job"] = ("data", "job_id")
        if envelope.remote_user_id is not None:
            flat.values["remote_user_id"], flat.written["remote_user_id"] = envelope.remote_user_id, ("remote_user_id",)
        _name_job(flat, envelope.job_requisition_id, job_id)
        _leave_out_known_files(flat)
    for other, name in _SAME.items():
        if other in flat.values and name not in flat.values:
            flat.values[name], flat.written[name] = flat.values.pop(other), (*flat.inside, other)
    additional = flat.values.setdefault(ADDITIONAL, {})
    if isinstance(additional, dict):
        additional.setdefault(ANSWERS, {})
    return flat


def _name_job(flat: Flat, requisition: str | None, job_id: Callable[[str], UUID]) -> None:
    if requisition is None:
        return
    named = str(job_id(requisition))
    given = [name for name in ("job", "job_id") if name in flat.values]
    if not given:
        flat.values["job"], flat.written["job"] = named, ("job_requisition_id",)
    elif flat.values[given[0]] != named:
        message = f"this is another job than {given[0]} names"
        raise InvalidRequest([value_fault(["body", "job_requisition_id"], message, reading.cut(requisition))])


def _leave_out_known_files(flat: Flat) -> None:
    """The enveloped shape may name attachments that exist. They belong to whom they belong to, and are not copied."""
    files = flat.values.get("attachments")
    if isinstance(files, list) and files and all(isinstance(one, str) for one in files):
        del flat.values["attachments"]
        flat.warnings.append("attachments: files that exist already are not copied; send their content or address.")


def validated(model: type[B], flat: Flat) -> B:
    """The values as a model reads them. Raises :class:`InvalidRequest` with every fault."""
    try:
        return model.model_validate(flat.values)
    except ValidationError as error:
        raise InvalidRequest(
            [
                Fault(
                    type=one["type"],
                    loc=flat.place(one["loc"]),
                    msg=one["msg"],
                    input=None if one["type"] == "missing" else _shown(one["input"]),
                    **({"ctx": one["ctx"]} if "ctx" in one else {}),
                )
                for one in error.errors(include_url=False)
            ]
        ) from None


def parse(flat: Flat, base: type[Applying], action: WriteAction, job: KnownJob | None) -> Parsed:
    """The draft of a body for a job. Raises :class:`InvalidRequest`, also where the job is not known."""
    body = validated(narrowed(base, action, job), flat)
    if job is None:
        raise InvalidRequest([value_fault(flat.place(["job"]), "there is no job with this id", str(body.job))])
    parsed = Parsed(flat, _draft(body), {}, dict(_PLAIN))
    for index, file in enumerate(body.attachments or ()):
        _add_file(parsed, file, ("attachments", index))
    _add_stage(parsed, body, job)
    _add_answers(parsed, job, takes(action, "answers"))
    _warn(flat)
    for name in type(parsed.draft).__struct_fields__:
        parsed.places.setdefault(name, (name,))
    if "applied_at" in flat.values:
        parsed.places["applied_on"] = ("applied_at",)
    additional = flat.values[ADDITIONAL]
    for name, wire in (("source", "recruiting_channel_id"), ("applied_on", "application_date")):
        if wire in additional:
            parsed.places[name] = (ADDITIONAL, wire)
    for name in parsed.draft.remote_fields:
        parsed.places[f"remote_fields.{name}"] = (ADDITIONAL, name)
    return parsed


def _draft(body: Applying) -> ApplicationDraft:
    """What has nothing to do with the job's own stages and questions."""
    more = body.additional_attributes or AdditionalAttributes.model_validate({})
    salary, consent = more.salary_expectation, more.gdpr_consent
    draft = ApplicationDraft(
        job=Ref(id=body.job),
        message=more.message or None,
        gender=Gender(more.gender) if more.gender is not None else None,
        birthday=more.birthday,
        available_from=more.available_from,
        salary_expectation=SalaryExpectation(amount=salary.amount, period=salary.period)
        if salary is not None
        else None,
        gdpr_consent=GdprConsent(given=consent.given, expires_at=consent.expires_at) if consent is not None else None,
        applied_on=more.application_date or (body.applied_at.date() if body.applied_at is not None else None),
        source=SourceDraft(id=more.recruiting_channel_id or None, name=body.source or None)
        if more.recruiting_channel_id or body.source
        else None,
        credited_to=Ref(id=body.credited_to) if body.credited_to is not None else None,
        remote_fields=dict(more.model_extra or {}),
    )
    if isinstance(body, CreateAtsApplication):
        draft.candidate = Ref(id=body.candidate)
    elif isinstance(body, AtsCandidateWrite):
        _add_person(draft, body)
    return draft


def _add_person(draft: ApplicationDraft, body: AtsCandidateWrite) -> None:
    draft.first_name, draft.last_name = body.first_name or "", body.last_name or ""
    addresses, numbers = body.email_addresses or [], [one for one in body.phone_numbers or () if one]
    draft.email_address = addresses[0] if addresses else ""
    draft.additional_email_addresses = [EmailAddress(email_address=one) for one in addresses[1:]]
    draft.phone_number = numbers[0] if numbers else None
    draft.additional_phone_numbers = [PhoneNumber(phone_number=one) for one in numbers[1:]]
    draft.company, draft.title = body.company or None, body.title or None
    places = [one for one in body.locations or () if one]
    draft.location = Location(raw=places[0]) if places else None
    draft.social_links = [one.value for one in body.urls or ()]
    draft.tags = [one for one in body.tags or () if one]


def _add_file(parsed: Parsed, file: AtsAttachmentWrite, loc: Loc) -> int:
    """Put a file into the draft; returns its place there."""
    index = len(parsed.draft.files)
    parsed.draft.files.append(file_draft(file, loc))
    parsed.places[f"files.{index}"] = parsed.places[_path(loc)] = loc
    if file.file_content is not None:
        parsed.contents[index] = file.file_content
    return index


def file_draft(file: AtsAttachmentWrite, loc: Loc) -> FileDraft:
    return FileDraft(
        name=file.file_name,
        type=_TYPES.get((file.attachment_type or "").upper(), AttachmentType.OTHER),
        content_type=file.content_type,
        url=file.file_url,
        path=_path(loc),
    )


def _add_stage(parsed: Parsed, body: Applying, job: KnownJob) -> None:
    if body.job_interview_stage_id is None:
        return
    wanted = str(body.job_interview_stage_id)
    stage = next((one for one in job.stages if str(one.id) == wanted), None)
    if stage is None:
        raise InvalidRequest([value_fault(parsed.flat.place([STAGE]), "this is no stage of the job", wanted)])
    parsed.draft.stage = Ref(remote_id=stage.stage_remote_id)


def _add_answers(parsed: Parsed, job: KnownJob, is_taken: bool) -> None:
    """The answers as they were sent; their types were checked."""
    given: dict[str, Any] = parsed.flat.values[ADDITIONAL][ANSWERS]
    if given and not is_taken:
        parsed.flat.warnings.append(f"{ANSWERS}: the tool takes no answers, so they were not written.")
        return
    for id, value in given.items():
        loc: Loc = (ADDITIONAL, ANSWERS, id)
        answer = Answer(question=Ref(id=job.questions[UUID(id)].question), path=_path(loc))
        if isinstance(value, dict):
            answer.file = _add_file(parsed, AtsAttachmentWrite.model_validate(value), loc)
        else:
            answer.value = value
        parsed.places[f"answers.{len(parsed.draft.answers)}"] = parsed.places[answer.path] = loc
        parsed.draft.answers.append(answer)


def _warn(flat: Flat) -> None:
    for name in UNWRITTEN:
        if flat.values.get(name):
            flat.warnings.append(f"{name}: no tool has a place for this, so it was not written.")
    if len(flat.values.get("locations", ())) > 1:
        flat.warnings.append("locations: only the first one was written.")


def _path(loc: Loc) -> str:
    return ".".join(str(one) for one in loc)


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_null(one) for name, one in value.items() if one is not None}
    return [_without_null(one) for one in value] if isinstance(value, list) else value


def _refuse_zero_bytes(value: Any, *loc: str | int) -> None:
    """No database and few tools take them."""
    if isinstance(value, dict):
        for name, one in value.items():
            _refuse_zero_bytes(name, *loc)
            _refuse_zero_bytes(one, *loc, name)
    elif isinstance(value, list):
        for index, one in enumerate(value):
            _refuse_zero_bytes(one, *loc, index)
    elif isinstance(value, str) and "\x00" in value:
        raise InvalidRequest([value_fault(["body", *loc], "it contains a zero byte", None)])


def _shown(sent: Any) -> Any:
    """What is repeated of what was sent: single values, shortened; whole objects may hold a whole person."""
    if isinstance(sent, str):
        return reading.cut(sent)
    return None if isinstance(sent, dict | list) else sent
