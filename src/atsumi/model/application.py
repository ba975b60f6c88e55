"""One candidate's attempt at one job."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

import msgspec

from atsumi.model.enums import Outcome
from atsumi.model.names import Model
from atsumi.model.record import Record


class ScreeningAnswer(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An answer as the tool returns it; ``answer`` holds the value in the question type's own JSON type."""

    question_remote_id: str | None = None
    title: str | None = None
    type: str | None = None
    answer: Any = None


class Application(Record):
    """One application. ``is_anonymized`` tells that the tool has erased the person behind it."""

    model: ClassVar[Model] = Model.APPLICATION
    references: ClassVar[dict[str, Model]] = {
        "candidate_remote_id": Model.CANDIDATE,
        "job_remote_id": Model.JOB,
        "current_stage_remote_id": Model.STAGE,
        "rejection_reason_remote_id": Model.REJECTION_REASON,
        "credited_to_remote_id": Model.USER,
    }

    indispensable: ClassVar[frozenset[str]] = Record.indispensable | {
        "candidate_remote_id",
        "job_remote_id",
        "is_anonymized",
    }

    candidate_remote_id: str | None = None
    job_remote_id: str | None = None
    current_stage_remote_id: str | None = None
    outcome: Outcome | None = None
    applied_at: datetime | None = None
    rejected_at: datetime | None = None
    rejection_reason_name: str | None = None
    rejection_reason_remote_id: str | None = None
    source: str | None = None
    source_remote_id: str | None = None
    credited_to_remote_id: str | None = None
    is_anonymized: bool = False
    screening_answers: list[ScreeningAnswer] = []

    def facets(self) -> dict[str, str]:
        found = {"source": self.source, "outcome": self.outcome.value if self.outcome else None}
        return {field: value for field, value in found.items() if value is not None}
