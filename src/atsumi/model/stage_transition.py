"""A recorded move of an application."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from atsumi.model.names import Model
from atsumi.model.record import Record


class StageTransition(Record):
    """An application entered a stage at ``entered_at`` and left it, for the next one, at ``left_at``.

    ``left_at`` is ``None`` for the stage it is in. Their difference is the time in stage, one visit at a time.
    """

    model: ClassVar[Model] = Model.STAGE_TRANSITION
    references: ClassVar[dict[str, Model]] = {
        "application_remote_id": Model.APPLICATION,
        "stage_remote_id": Model.STAGE,
    }

    application_remote_id: str
    stage_remote_id: str | None = None
    entered_at: datetime | None = None
    left_at: datetime | None = None
