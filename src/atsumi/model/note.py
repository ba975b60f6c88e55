"""A remark about a candidate."""

from __future__ import annotations

from typing import ClassVar

from atsumi.model.names import Model
from atsumi.model.record import Record


class Note(Record):
    """One note."""

    model: ClassVar[Model] = Model.NOTE
    references: ClassVar[dict[str, Model]] = {
        "candidate_remote_id": Model.CANDIDATE,
        "application_remote_id": Model.APPLICATION,
        "author_remote_id": Model.USER,
    }

    candidate_remote_id: str | None = None
    application_remote_id: str | None = None
    author_remote_id: str | None = None
    title: str | None = None
    content_html: str | None = None
    is_private: bool | None = None
