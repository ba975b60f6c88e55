"""An offer made to a candidate."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from atsumi.model.enums import OfferStatus
from atsumi.model.names import Model
from atsumi.model.record import Record


class Offer(Record):
    """One offer on one application."""

    model: ClassVar[Model] = Model.OFFER
    references: ClassVar[dict[str, Model]] = {"application_remote_id": Model.APPLICATION}

    application_remote_id: str | None = None
    status: OfferStatus | None = None
    employment_start_at: datetime | None = None
    sent_at: datetime | None = None
    closed_at: datetime | None = None
