"""What creates are answered with. The contract leaves it open; see Bindbee NOTES, section 12."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from atsumi.dialects.bindbee.wire import Id
from atsumi.dialects.writing import PlannedRequest


class WriteResult(msgspec.Struct, kw_only=True):
    """What was created. ``id`` is that of the record which the path is about.

    ``data`` is the record as its list shows it, with ``modified_at``. While ``is_provisional``, the tool has accepted
    the write and does not show it yet: ``data`` is ``null``, and the ids stand in for those of the records and lead to
    them later. ``action`` is the id of the receipt, which can be read below ``/atsumi/v1/actions``.
    """

    id: Id | None
    status: Literal["SUCCESS"] = "SUCCESS"
    candidate: Id | None
    application: Id | None
    is_provisional: bool
    action: Id
    warnings: list[str]
    data: dict[str, Any] | None


class WriteReceipt(msgspec.Struct, kw_only=True):
    """A write that is carried out later, as ``Prefer: respond-async`` asks for. ``Location`` leads to its state."""

    action: Id
    status: Literal["PENDING", "RUNNING", "UNKNOWN", "SUCCEEDED", "FAILED"]
    warnings: list[str]
    expected_wait_seconds: float | None


class WritePlan(msgspec.Struct, kw_only=True):
    """What ``dry_run=true`` is answered with: nothing was sent, and nothing was noted."""

    status: Literal["DRY_RUN"] = "DRY_RUN"
    requests: list[PlannedRequest]
    warnings: list[str]
    expected_wait_seconds: float


class Meta(msgspec.Struct, kw_only=True):
    """The envelope of ``create/meta``. ``data`` is a JSON Schema of the flat body."""

    success: bool
    data: dict[str, Any] | None
    error: dict[str, Any] | None
