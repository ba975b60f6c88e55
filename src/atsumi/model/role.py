"""A role that users can have."""

from __future__ import annotations

from typing import ClassVar

from atsumi.model.enums import RoleScope, RoleType
from atsumi.model.names import Model
from atsumi.model.record import Record


class Role(Record):
    """One role, for the whole account (``SYSTEM``) or for single jobs (``JOB``)."""

    model: ClassVar[Model] = Model.ROLE

    label: str | None = None
    scope: RoleScope | None = None
    type: RoleType | None = None

    def facets(self) -> dict[str, str]:
        return {"scope": self.scope.value} if self.scope else {}
