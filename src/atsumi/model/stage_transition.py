"""A recorded move of an application."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from atsumi.model.names import Model
from atsumi.model.record import Record


class StageTransition(Record):
    """An application entered a stage at ``entered_at``."""

    model: ClassVar[Model] = Model.STAGE_TRANSITION
    references: ClassVar[dict[str, Model]] = {
        "application_remote_id": Model.APPLICATION,
        "stage_remote_id": Model.STAGE,
    }

    application_remote_id: str
    stage_remote_id: str | None = None
    entered_at: datetime | None = None
