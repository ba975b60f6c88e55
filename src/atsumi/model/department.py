"""A department of the customer."""

from __future__ import annotations

from typing import ClassVar

from atsumi.model.names import Model
from atsumi.model.record import Record


class Department(Record):
    """One department."""

    model: ClassVar[Model] = Model.DEPARTMENT

    name: str | None = None
