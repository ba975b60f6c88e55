"""A public or internal advert of a job."""

from __future__ import annotations

from typing import ClassVar

from atsumi.model.enums import PostingStatus, Visibility
from atsumi.model.names import Model
from atsumi.model.record import Record


class JobPosting(Record):
    """One advert of one job, in one language."""

    model: ClassVar[Model] = Model.JOB_POSTING
    references: ClassVar[dict[str, Model]] = {"job_remote_id": Model.JOB}

    job_remote_id: str
    title: str | None = None
    description_html: str | None = None
    language: str | None = None
    """ISO 639-1."""
    status: PostingStatus | None = None
    visibility: Visibility | None = None
    url: str | None = None
