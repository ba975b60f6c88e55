"""A label on candidates."""

from __future__ import annotations

from typing import ClassVar

from atsumi.model.names import Model
from atsumi.model.record import Record


class Tag(Record):
    """One tag."""

    model: ClassVar[Model] = Model.TAG

    name: str | None = None
