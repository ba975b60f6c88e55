"""A place of work of the customer."""

from __future__ import annotations

from typing import ClassVar

from atsumi.model.names import Model
from atsumi.model.parts import Location
from atsumi.model.record import Record


class Office(Record):
    """One office."""

    model: ClassVar[Model] = Model.OFFICE

    name: str | None = None
    location: Location | None = None
