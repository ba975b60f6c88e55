"""A reason for turning a candidate down."""

from __future__ import annotations

from typing import ClassVar

from atsumi.model.names import Model
from atsumi.model.record import Record


class RejectionReason(Record):
    """One entry of the customer's list of reasons."""

    model: ClassVar[Model] = Model.REJECTION_REASON

    name: str | None = None
