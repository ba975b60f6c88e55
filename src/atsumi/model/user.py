"""A person who works with the tool."""

from __future__ import annotations

from typing import ClassVar

from atsumi.model.enums import UserStatus
from atsumi.model.names import Model
from atsumi.model.record import Record, term


class User(Record):
    """One recruiter, manager or other colleague. Names are ``None`` where the credential may not read people."""

    model: ClassVar[Model] = Model.USER

    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    status: UserStatus | None = None

    def lookups(self) -> list[str]:
        return [term("email", self.email)] if self.email else []
