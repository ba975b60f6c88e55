"""A label on candidates."""

from __future__ import annotations

from typing import ClassVar

from atsumi.model.names import Model
from atsumi.model.record import Record, term


class Tag(Record):
    """One tag."""

    model: ClassVar[Model] = Model.TAG

    name: str | None = None

    def lookups(self) -> list[str]:
        return [term("name", self.name)] if self.name else []
