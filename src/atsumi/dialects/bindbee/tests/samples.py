"""The small account of the first dialect's tests, with what only this dialect shows."""

from __future__ import annotations

import msgspec

from atsumi.dialects.kombo.tests import samples
from atsumi.dialects.kombo.tests.samples import OWN, PLACE
from atsumi.model.department import Department
from atsumi.model.enums import RoleScope, RoleType
from atsumi.model.hiring_team_member import HiringTeamMember
from atsumi.model.office import Office
from atsumi.model.record import Record
from atsumi.model.role import Role
from atsumi.model.user import User

DEPARTMENT = Department(remote_id="d1", name="Product", remote_url="https://acme.app.example.com/d1", **OWN)
OFFICE = Office(remote_id="o1", name="Berlin", location=PLACE, remote_url="https://acme.app.example.com/o1", **OWN)
MANAGER = User(remote_id="502", first_name="Mona", last_name="Manager")
MANAGER_ROLE = Role(remote_id="manager", label="Manager", scope=RoleScope.JOB, type=RoleType.HIRING_MANAGER)
MANAGER_PART = HiringTeamMember(
    remote_id="32:502:manager", job_remote_id="32", user_remote_id="502", role_remote_id="manager"
)
INTERVIEW = msgspec.structs.replace(samples.INTERVIEW, is_canceled=True)

LISTED: dict[str, Record] = {
    "candidates": samples.CANDIDATE,
    "applications": samples.APPLICATION,
    "jobs": samples.JOB,
    "job-interview-stages": samples.JOB_STAGE,
    "scheduled-interviews": INTERVIEW,
    "offers": samples.OFFER,
    "attachments": samples.ATTACHMENT,
    "departments": DEPARTMENT,
    "offices": OFFICE,
    "remote-users": samples.USER,
    "reject-reasons": samples.REASON,
    "tags": samples.TAG,
    "activities": samples.NOTE,
    "scorecards": samples.SCORECARD,
    "screening-questions": samples.QUESTION_USE,
}
"""The record that each list shows."""

RECORDS: list[Record] = [
    *(INTERVIEW if record is samples.INTERVIEW else record for record in samples.RECORDS),
    DEPARTMENT,
    OFFICE,
    MANAGER,
    MANAGER_ROLE,
    MANAGER_PART,
]
"""The whole account."""
