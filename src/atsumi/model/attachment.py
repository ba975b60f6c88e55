"""A file of a candidate or application."""

from __future__ import annotations

from typing import ClassVar

from atsumi.model.enums import AttachmentType
from atsumi.model.names import Model
from atsumi.model.record import Record


class Attachment(Record):
    """Metadata of one file; the content is stored elsewhere or fetched on demand."""

    model: ClassVar[Model] = Model.ATTACHMENT
    references: ClassVar[dict[str, Model]] = {
        "candidate_remote_id": Model.CANDIDATE,
        "application_remote_id": Model.APPLICATION,
    }

    candidate_remote_id: str | None = None
    application_remote_id: str | None = None
    type: AttachmentType | None = None
    file_name: str | None = None
    size_bytes: int | None = None
