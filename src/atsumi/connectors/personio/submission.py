"""From a draft to the body that creates an application, and from the tool's names of its fields back to the draft's.

Pure. Personio NOTES section 9.1 for the fields, section 22a for answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from atsumi.connector.reading import as_list, as_object, as_text
from atsumi.connectors.personio.refusals import place_in
from atsumi.model.draft import Answer, ApplicationDraft, Gender, SalaryExpectation
from atsumi.model.enums import AttachmentType, QuestionType, SalaryPeriod
from atsumi.model.parts import Location

GENDERS: Mapping[Gender, str] = {Gender.MALE: "male", Gender.FEMALE: "female", Gender.OTHER: "diverse"}
_CATEGORIES = {
    AttachmentType.CV: "cv",
    AttachmentType.COVER_LETTER: "cover-letter",
    AttachmentType.OTHER: "other",
}
_PATHS = {
    "first_name": "first_name",
    "last_name": "last_name",
    "email": "email_address",
    "job_position_id": "job",
    "recruiting_channel_id": "source",
    "message": "message",
    "application_date": "applied_on",
    "phase": "stage",
    "tags": "tags",
    "files": "files",
    "phone": "phone_number",
    "gender": "gender",
    "location": "location",
    "birthday": "birthday",
    "available_from": "available_from",
    "salary_expectations": "salary_expectation",
}
"""The draft's fields by those of the body and by the built-in attributes."""
_NUMBER = re.compile(r"[0-9]{1,18}")
_QUESTION = re.compile(r"custom_attribute_\w+")


class Submission(NamedTuple):
    """The body of the request, and what could not be put into it, in sentences for the caller."""

    body: dict[str, Any]
    warnings: Sequence[str]


def submission(draft: ApplicationDraft, uuids: Sequence[str]) -> Submission:
    """What creates the application; ``uuids`` are those of the draft's files, in their order.

    ``remote_fields`` come last and replace what the draft says, except for ``attributes``: those are put together by
    id, so that one more attribute does not take the others away.
    """
    warnings: list[str] = []
    body: dict[str, Any] = {
        "first_name": draft.first_name,
        "last_name": draft.last_name,
        "email": draft.email_address,
        "job_position_id": _number(draft.job.remote),
    }
    optional = {
        "recruiting_channel_id": _number(draft.source.id) if draft.source is not None and draft.source.id else None,
        "message": draft.message,
        "application_date": draft.applied_on.isoformat() if draft.applied_on is not None else None,
        "phase": _phase(draft.stage.remote) if draft.stage is not None else None,
        "tags": list(draft.tags),
        "files": _files(draft, uuids),
    }
    body |= {name: value for name, value in optional.items() if value}
    attributes = _joined(
        _built_in(draft) | _answers(draft.answers, warnings), draft.remote_fields.get("attributes", [])
    )
    body |= draft.remote_fields
    body |= {"attributes": attributes} if attributes else {}
    return Submission(body, warnings)


def path_of(draft: ApplicationDraft, body: Mapping[str, Any], field: str) -> str | None:
    """The path in the draft of a field as the tool names it in an error; ``None`` where the draft has no such field.

    An attribute is named by its id or by its place among the ``attributes`` of the body.
    """
    placed = place_in(field)
    if placed is not None and placed[0] == "attributes":
        sent = as_list(body.get("attributes"))
        field = as_text(as_object(sent[placed[1]]).get("id")) or "" if placed[1] < len(sent) else field
    elif placed is not None and placed[0] in ("files", "tags"):
        return f"{placed[0]}.{placed[1]}"
    name = re.split(r"[.\[]", field.removeprefix("attributes."))[0]
    if _QUESTION.fullmatch(name):
        answered = [index for index, answer in enumerate(draft.answers) if answer.question.remote_id == name]
        return f"answers.{answered[0]}" if answered else "answers"
    if name in draft.remote_fields:
        return f"remote_fields.{name}"
    return _PATHS.get(name)


def _number(text: str) -> int | str:
    """An id as the number that the tool wants (section 9.1); what is none is left for the tool to refuse."""
    return int(text) if _NUMBER.fullmatch(text) else text


def _phase(stage: str) -> dict[str, Any]:
    kind, _, key = stage.partition(":")
    return {"type": "system", "id": key} if kind == "system" else {"type": "custom", "id": _number(stage)}


def _files(draft: ApplicationDraft, uuids: Sequence[str]) -> list[dict[str, str]]:
    """The first CV is the CV; a tool that shows one would show any of two."""
    found: list[dict[str, str]] = []
    for file, uuid in zip(draft.files, uuids, strict=True):
        category = _CATEGORIES[file.type]
        if category == "cv" and any(one["category"] == "cv" for one in found):
            category = "other"
        found.append({"uuid": uuid, "original_filename": file.name, "category": category})
    return found


def _built_in(draft: ApplicationDraft) -> dict[str, str]:
    values = {
        "phone": draft.phone_number,
        "gender": GENDERS[draft.gender] if draft.gender is not None else None,
        "location": _place(draft.location) if draft.location is not None else None,
        "birthday": draft.birthday.isoformat() if draft.birthday is not None else None,
        "available_from": draft.available_from.isoformat() if draft.available_from is not None else None,
        "salary_expectations": _yearly(draft.salary_expectation) if draft.salary_expectation is not None else None,
    }
    return {name: value for name, value in values.items() if value}


def _place(location: Location) -> str:
    """One text, as the tool has no parts of a place (section 9.1): its own if there is one, else what is known."""
    if location.raw:
        return location.raw
    town = " ".join(part for part in (location.zip_code, location.city) if part)
    parts = (location.street_1, location.street_2, town, location.state, location.country)
    return ", ".join(part for part in parts if part)


def _yearly(expectation: SalaryExpectation) -> str:
    """The amount per year as text; another period than month or year is told beside it."""
    if expectation.period in (SalaryPeriod.YEAR, SalaryPeriod.MONTH):
        return _plain(round(expectation.per(SalaryPeriod.YEAR), 2))
    return f"{_plain(expectation.amount)} per {expectation.period.value.lower().replace('_', ' ')}"


def _plain(number: float) -> str:
    """Decimals without exponent, ``60000`` rather than ``60000.0``."""
    text = format(Decimal(str(number)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _answers(answers: Sequence[Answer], warnings: list[str]) -> dict[str, str]:
    """The answers as custom attributes, whose values are single texts (section 9.1)."""
    found: dict[str, str] = {}
    for index, answer in enumerate(answers):
        path = answer.path or f"answers.{index}"
        if answer.type is QuestionType.FILE:
            warnings.append(f"{path}: Personio takes no file as an answer; the file is written with the application.")
        else:
            found[answer.question.remote] = _text(answer.value)
    return found


def _text(value: object) -> str:
    if isinstance(value, bool):
        # UNVERIFIED: no source says how a checkbox is written; other values are texts in lower case.
        return "true" if value else "false"
    return _plain(value) if isinstance(value, float) else str(value)


def _joined(own: Mapping[str, str], given: object) -> object:
    """Attributes by id, those given replacing our own; what is no list of them is left for the tool to judge."""
    if not isinstance(given, list):
        return given
    replaced = {as_text(as_object(one).get("id")) for one in given}
    kept = [{"id": id, "value": value} for id, value in own.items() if id not in replaced]
    return [*kept, *given]
