"""A scheduled conversation."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from atsumi.model.names import Model
from atsumi.model.parts import Location
from atsumi.model.record import Record


class Interview(Record):
    """One interview of one application."""

    model: ClassVar[Model] = Model.INTERVIEW
    references: ClassVar[dict[str, Model]] = {
        "application_remote_id": Model.APPLICATION,
        "stage_remote_id": Model.STAGE,
        "user_remote_ids": Model.USER,
    }

    application_remote_id: str | None = None
    stage_remote_id: str | None = None
    title: str | None = None
    starting_at: datetime | None = None
    ending_at: datetime | None = None
    location: Location | None = None
    video_conferencing_url: str | None = None
    is_canceled: bool | None = None
    user_remote_ids: list[str] = []
