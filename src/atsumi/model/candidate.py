"""A person who applies."""

from __future__ import annotations

from typing import ClassVar

from atsumi.model.names import Model
from atsumi.model.parts import EmailAddress, Location, PhoneNumber, SocialMedia
from atsumi.model.record import Record, term


class Candidate(Record):
    """One person. What they applied for stands in their applications."""

    model: ClassVar[Model] = Model.CANDIDATE
    references: ClassVar[dict[str, Model]] = {"tag_remote_ids": Model.TAG}

    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    title: str | None = None
    email_addresses: list[EmailAddress] = []
    phone_numbers: list[PhoneNumber] = []
    social_media: list[SocialMedia] = []
    location: Location | None = None
    source: str | None = None
    is_confidential: bool | None = None
    tag_remote_ids: list[str] = []

    def lookups(self) -> list[str]:
        texts = [("first_name", self.first_name), ("last_name", self.last_name), ("company", self.company)]
        found = [term(field, value) for field, value in texts if value]
        return found + [term("email", entry.email_address) for entry in self.email_addresses]
