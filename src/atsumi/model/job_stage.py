"""The place of a stage in one job's process."""

from __future__ import annotations

from typing import ClassVar

from atsumi.model.names import Model
from atsumi.model.record import Record


class JobStage(Record):
    """Joins a job to a stage. ``remote_id`` is ``"<job>:<stage>"``."""

    model: ClassVar[Model] = Model.JOB_STAGE
    references: ClassVar[dict[str, Model]] = {"job_remote_id": Model.JOB, "stage_remote_id": Model.STAGE}

    job_remote_id: str
    stage_remote_id: str
    index: int | None = None
    """Position from 0; ``None`` where the tool gives no order."""
