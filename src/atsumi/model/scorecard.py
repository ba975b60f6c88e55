"""A filled-in evaluation form."""

from __future__ import annotations

from typing import ClassVar

from atsumi.model.names import Model
from atsumi.model.record import JsonValue, Record


class Scorecard(Record):
    """One evaluation of one application."""

    model: ClassVar[Model] = Model.SCORECARD
    references: ClassVar[dict[str, Model]] = {
        "candidate_remote_id": Model.CANDIDATE,
        "application_remote_id": Model.APPLICATION,
        "interview_remote_id": Model.INTERVIEW,
        "author_remote_id": Model.USER,
    }

    candidate_remote_id: str | None = None
    application_remote_id: str | None = None
    interview_remote_id: str | None = None
    author_remote_id: str | None = None
    responses: list[JsonValue] = []
