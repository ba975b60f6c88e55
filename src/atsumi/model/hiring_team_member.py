"""A user's part in one job's hiring team."""

from __future__ import annotations

from typing import ClassVar

from atsumi.model.names import Model
from atsumi.model.record import Record


class HiringTeamMember(Record):
    """Joins a job, a user and a role. ``remote_id`` is ``"<job>:<user>:<role>"``."""

    model: ClassVar[Model] = Model.HIRING_TEAM_MEMBER
    references: ClassVar[dict[str, Model]] = {
        "job_remote_id": Model.JOB,
        "user_remote_id": Model.USER,
        "role_remote_id": Model.ROLE,
    }

    job_remote_id: str
    user_remote_id: str
    role_remote_id: str | None = None
