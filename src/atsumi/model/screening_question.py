"""A question put to applicants."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from atsumi.model.enums import QuestionType
from atsumi.model.names import Model
from atsumi.model.record import JsonValue, Record


class QuestionOption(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One choice of a select question. ``remote_id`` is what the tool expects as the answer."""

    name: str
    remote_id: str


class QuestionFormat(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How a question is answered. Fields that do not belong to ``type`` stay unset."""

    type: QuestionType
    display_type: str | None = None
    """TEXT: SINGLE_LINE, MULTI_LINE, EMAIL, URL. NUMBER: SLIDER, FIELD. SINGLE_SELECT: DROPDOWN, RADIO."""
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    options: list[QuestionOption] = []
    accepted_mime_types: list[str] = []
    max_file_size_bytes: int | None = None
    raw_question: JsonValue = None
    """UNKNOWN: the control as it was found."""


class ScreeningQuestion(Record):
    """One question, whichever jobs ask it."""

    model: ClassVar[Model] = Model.SCREENING_QUESTION

    title: str | None = None
    description: str | None = None
    category: str | None = None
    """EEO or DEMOGRAPHIC."""
    format: QuestionFormat | None = None
