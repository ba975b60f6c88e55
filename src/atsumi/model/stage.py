"""A step an application can be in."""

from __future__ import annotations

from typing import ClassVar

from atsumi.model.enums import StageStatus
from atsumi.model.names import Model
from atsumi.model.record import Record


class Stage(Record):
    """One stage of the customer's account, whichever jobs use it."""

    model: ClassVar[Model] = Model.STAGE

    name: str | None = None
    status: StageStatus | None = None
