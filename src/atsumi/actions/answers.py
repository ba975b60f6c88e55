"""Answers to screening questions, checked against what the job asks: question, type, options, required ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from atsumi.actions.requests import UnknownQuestion
from atsumi.errors import InvalidInput
from atsumi.model.draft import Answer
from atsumi.model.enums import QuestionType
from atsumi.model.ids import record_id
from atsumi.model.names import Model
from atsumi.model.screening_question import QuestionFormat, ScreeningQuestion

OptionId = Callable[[UUID, str, str], str]


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question as one job asks it."""

    record: ScreeningQuestion
    is_required: bool
    is_conditional: bool = False
    """Whether it is shown only after a certain answer to another one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """All that a job asks. ``option_id``: how the surface spells options, if not by their remote ids."""

    integration: UUID
    questions: Mapping[UUID, AskedQuestion]
    option_id: OptionId | None = None
    unanswerable: frozenset[QuestionType] = frozenset()
    """Kinds of questions that the tool takes no answers to."""

    def find(self, answer: Answer) -> AskedQuestion | None:
        """The question that an answer is to, by either id."""
        ref = answer.question
        id = ref.id or record_id(self.integration, Model.SCREENING_QUESTION, ref.remote)
        return self.questions.get(id)


def check(
    answers: Sequence[Answer], asked: Asked, unknown: UnknownQuestion, *, is_complete: bool = True
) -> tuple[list[Answer], list[str]]:
    """The answers as the tool needs them, and warnings. An answer to a question twice: the last one counts.

    Raises :class:`InvalidInput`, with the answer's path, for a value that the question does not take, for a required
    question without an answer if these are all (``is_complete``), and, if the surface wants it so, for a question that
    the job does not ask.
    """
    found: dict[str, Answer] = {}
    warnings: list[str] = []
    for index, answer in enumerate(answers):
        path = answer.path or f"answers.{index}"
        question = asked.find(answer)
        if question is None:
            if unknown is UnknownQuestion.REFUSES:
                raise InvalidInput("The job does not ask this question.", path=path)
            warnings.append(f"{path}: the job does not ask this question, so the answer was not written.")
            continue
        remote_id = question.record.remote_id
        if remote_id in found:
            warnings.append(f"{path}: the question was answered before; this later answer counts.")
        checked = _checked(answer, question.record, asked, path)
        if checked is None:
            warnings.append(f"{path}: this question takes no answer that can be written, so it was left out.")
            continue
        found[remote_id] = checked
    missing = [
        one.record.title or one.record.remote_id
        for one in asked.questions.values()
        if one.is_required
        and not one.is_conditional
        and one.record.remote_id not in found
        and _is_answerable(one.record.format, asked)
    ]
    if missing and is_complete:
        raise InvalidInput("The job requires answers to: " + "; ".join(missing), path="answers")
    return list(found.values()), warnings


_NO_ANSWER = frozenset({QuestionType.INFORMATION, QuestionType.UNKNOWN})


def _is_answerable(format: QuestionFormat | None, asked: Asked) -> bool:
    return format is not None and format.type not in _NO_ANSWER | asked.unanswerable


def _checked(answer: Answer, question: ScreeningQuestion, asked: Asked, path: str) -> Answer | None:
    format = question.format
    if format is None or not _is_answerable(format, asked):
        return None
    resolved = msgspec.structs.replace(
        answer,
        question=msgspec.structs.replace(answer.question, remote_id=question.remote_id),
        type=format.type,
        path=path,
    )
    if format.type is QuestionType.FILE:
        if answer.file is None:
            raise InvalidInput("This question takes a file.", path=path)
        return resolved
    if answer.file is not None:
        raise InvalidInput(f"This question takes {_WANTED[format.type]}, not a file.", path=path)

    def options(value: str) -> str:
        return _option(value, question, format, asked, path)

    resolved.value = _CHECKS[format.type](answer.value, format, options, path)
    return resolved


def _option(value: str, question: ScreeningQuestion, format: QuestionFormat, asked: Asked, path: str) -> str:
    for option in format.options:
        spelled = asked.option_id and asked.option_id(asked.integration, question.remote_id, option.remote_id)
        if value in (option.remote_id, spelled):
            return option.remote_id
    known = ", ".join(option.name for option in format.options[:20])
    raise InvalidInput(f"This is none of the question's options ({known}). Give the id of one.", path=path)


_Options = Callable[[str], str]


def _text(value: Any, format: QuestionFormat, options: _Options, path: str) -> str:
    if not isinstance(value, str):
        raise _wrong(QuestionType.TEXT, path)
    if format.max_length is not None and len(value) > format.max_length:
        raise InvalidInput(f"The answer is longer than {format.max_length} characters.", path=path)
    return value


def _number(value: Any, format: QuestionFormat, options: _Options, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _wrong(QuestionType.NUMBER, path)
    if format.minimum is not None and value < format.minimum:
        raise InvalidInput(f"The answer is less than {format.minimum:g}.", path=path)
    if format.maximum is not None and value > format.maximum:
        raise InvalidInput(f"The answer is more than {format.maximum:g}.", path=path)
    return value


def _boolean(value: Any, format: QuestionFormat, options: _Options, path: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(QuestionType.BOOLEAN, path)
    return value


def _date(value: Any, format: QuestionFormat, options: _Options, path: str) -> str:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            try:
                return datetime.fromisoformat(value).date().isoformat()
            except ValueError:
                pass
    raise _wrong(QuestionType.DATE, path)


def _single(value: Any, format: QuestionFormat, options: _Options, path: str) -> str:
    if not isinstance(value, str):
        raise _wrong(QuestionType.SINGLE_SELECT, path)
    return options(value)


def _multiple(value: Any, format: QuestionFormat, options: _Options, path: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _wrong(QuestionType.MULTI_SELECT, path)
    return list(dict.fromkeys(options(one) for one in value))


_WANTED = {
    QuestionType.TEXT: "a text",
    QuestionType.NUMBER: "a number",
    QuestionType.BOOLEAN: "true or false",
    QuestionType.DATE: "a date such as 2026-01-31",
    QuestionType.SINGLE_SELECT: "the id of an option",
    QuestionType.MULTI_SELECT: "a list of ids of options",
}
_CHECKS: dict[QuestionType, Callable[[Any, QuestionFormat, _Options, str], Any]] = {
    QuestionType.TEXT: _text,
    QuestionType.NUMBER: _number,
    QuestionType.BOOLEAN: _boolean,
    QuestionType.DATE: _date,
    QuestionType.SINGLE_SELECT: _single,
    QuestionType.MULTI_SELECT: _multiple,
}


def _wrong(type: QuestionType, path: str) -> InvalidInput:
    return InvalidInput(f"This question takes {_WANTED[type]}.", path=path)
