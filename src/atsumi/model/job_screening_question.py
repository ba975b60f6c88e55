"""The use of a screening question by one job."""

from __future__ import annotations

from typing import ClassVar

from atsumi.model.names import Model
from atsumi.model.record import JsonValue, Record


class JobScreeningQuestion(Record):
    """Joins a job to a question. ``remote_id`` is ``"<job>:<question>"``."""

    model: ClassVar[Model] = Model.JOB_SCREENING_QUESTION
    references: ClassVar[dict[str, Model]] = {
        "job_remote_id": Model.JOB,
        "question_remote_id": Model.SCREENING_QUESTION,
    }

    job_remote_id: str
    question_remote_id: str
    index: int | None = None
    is_required: bool | None = None
    precondition_question_remote_id: str | None = None
    """The question whose answer decides whether this one is shown."""
    precondition_options: list[JsonValue] | None = None
    """Remote ids of the options (or booleans) that show this question."""
