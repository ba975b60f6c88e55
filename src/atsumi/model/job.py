"""An opening."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from atsumi.model.enums import EmploymentType, JobStatus, RemoteWorkStatus, SalaryPeriod, Visibility
from atsumi.model.names import Model
from atsumi.model.parts import Location
from atsumi.model.record import Record, folded, term


class Job(Record):
    """One opening of the customer. Texts are those of the first configured language."""

    model: ClassVar[Model] = Model.JOB
    references: ClassVar[dict[str, Model]] = {
        "department_remote_id": Model.DEPARTMENT,
        "office_remote_ids": Model.OFFICE,
    }

    name: str | None = None
    job_code: str | None = None
    description: str | None = None
    """HTML, made safe to show."""
    status: JobStatus | None = None
    visibility: Visibility | None = None
    employment_type: EmploymentType | None = None
    employment_type_raw: str | None = None
    """The tool's own words for ``employment_type``, kept where they map and where they do not."""
    remote_work_status: RemoteWorkStatus | None = None
    category: str | None = None
    department: str | None = None
    department_remote_id: str | None = None
    office_remote_ids: list[str] = []
    post_url: str | None = None
    experience_level: str | None = None
    location: Location | None = None
    other_locations: list[Location] = []
    is_confidential: bool | None = None
    weekly_hours: float | None = None
    salary_amount: float | None = None
    salary_amount_from: float | None = None
    salary_amount_to: float | None = None
    salary_currency: str | None = None
    """ISO 4217."""
    salary_period: SalaryPeriod | None = None
    salary_period_raw: str | None = None
    opened_at: datetime | None = None
    closed_at: datetime | None = None

    def lookups(self) -> list[str]:
        found = [("job_code", self.job_code), ("post_url", self.post_url)]
        return [term(field, value) for field, value in found if value]

    def facets(self) -> dict[str, str]:
        found = {
            "name": folded(self.name) if self.name is not None else None,
            "status": self.status,
            "visibility": self.visibility,
            "employment_type": self.employment_type,
        }
        return {field: str(getattr(value, "value", value)) for field, value in found.items() if value is not None}
