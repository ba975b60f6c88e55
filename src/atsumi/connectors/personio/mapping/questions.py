"""Screening questions out of public application forms (Personio NOTES section 22a, 1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from atsumi.connector.contract import Built, MappingContext, RawKey, RawPrefix, RawView
from atsumi.connector.reading import Reader, as_list, as_object, as_text, decode
from atsumi.connectors.personio import raw
from atsumi.model.enums import QuestionType
from atsumi.model.job_screening_question import JobScreeningQuestion
from atsumi.model.screening_question import QuestionFormat, QuestionOption, ScreeningQuestion

_FORMATS: dict[str, tuple[QuestionType, str | None]] = {
    "text": (QuestionType.TEXT, "SINGLE_LINE"),
    "email": (QuestionType.TEXT, "EMAIL"),
    "url": (QuestionType.TEXT, "URL"),
    "tel": (QuestionType.TEXT, "SINGLE_LINE"),
    "textarea": (QuestionType.TEXT, "MULTI_LINE"),
    "select": (QuestionType.SINGLE_SELECT, "DROPDOWN"),
    "radio": (QuestionType.SINGLE_SELECT, "RADIO"),
    "file": (QuestionType.FILE, None),
    "number": (QuestionType.NUMBER, "FIELD"),
    "date": (QuestionType.DATE, None),
}
"""By kind of control. text, textarea, select, checkbox and file were seen (1), the others follow from HTML (I)."""


def question_sources(key: str, view: RawView, context: MappingContext) -> Iterable[RawKey | RawPrefix]:
    return (RawKey(raw.QUESTIONS, key),)


def build_question(key: str, view: RawView, context: MappingContext) -> Built:
    """A question as forms show it, whichever jobs ask it; one that no job asks any more stays."""
    found = view.get(raw.QUESTIONS, key)
    if found is None:
        return Built(())
    control = as_object(decode(found))
    reader = Reader(raw.QUESTIONS, key)
    question = ScreeningQuestion(
        remote_id=key,
        title=as_text(control.get("label")),
        description=as_text(control.get("description")),
        format=_format(control, reader),
    )
    return Built((question,), reader.issues)


def _format(control: Mapping[str, object], reader: Reader) -> QuestionFormat:
    """How the question is answered. An option's id is the value that its control would send (I)."""
    kind = (as_text(control.get("kind")) or "").lower()
    options = [
        QuestionOption(name=as_text(option.get("label")) or value, remote_id=value)
        for item in as_list(control.get("options"))
        if (value := as_text((option := as_object(item)).get("value")))
    ]
    is_multiple = control.get("is_multiple") is True
    if kind == "checkbox" and not is_multiple:
        return QuestionFormat(type=QuestionType.BOOLEAN)
    if is_multiple and kind in ("select", "checkbox"):
        return QuestionFormat(type=QuestionType.MULTI_SELECT, options=options)
    if kind not in _FORMATS:
        reader.unknown(kind, "kind")
        return QuestionFormat(type=QuestionType.UNKNOWN, raw_question=dict(control))
    type_, display_type = _FORMATS[kind]
    return QuestionFormat(type=type_, display_type=display_type, options=options)


def job_questions(job_id: str, form: Mapping[str, object]) -> list[JobScreeningQuestion]:
    """The questions of a job's form in their order; built-in fields are none. Preconditions are not visible (n/a)."""
    controls = {
        name: control
        for item in as_list(form.get("controls"))
        if (name := as_text((control := as_object(item)).get("name"))) and name.startswith(raw.QUESTION_PREFIX)
    }
    return [
        JobScreeningQuestion(
            remote_id=f"{job_id}:{name}",
            job_remote_id=job_id,
            question_remote_id=name,
            index=index,
            is_required=control.get("is_required") is True,
        )
        for index, (name, control) in enumerate(controls.items())
    ]
