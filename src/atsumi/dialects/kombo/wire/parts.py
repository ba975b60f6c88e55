"""Types and small documents that several lists share."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

Instant = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
"""UTC with milliseconds and ``Z``; the TypeScript client accepts nothing shorter."""
Id = Annotated[str, msgspec.Meta(pattern="^[1-9A-HJ-NP-Za-km-z]+$")]
"""24 characters of the base58 alphabet."""
CustomFields = dict[str, Any]


class Document(msgspec.Struct, kw_only=True):
    """Base of all wire structs."""


class Location(Document):
    city: str | None
    country: str | None
    raw: str | None
    state: str | None
    street_1: str | None
    street_2: str | None
    zip_code: str | None


class EmailAddress(Document):
    email_address: str
    type: str | None


class PhoneNumber(Document):
    phone_number: str
    type: str | None


class SocialMedia(Document):
    link: str | None
    type: str | None
    username: str | None


class IntegrationField(Document):
    id: str
    key: str
    type: Literal["DEFAULT", "CUSTOM"]
    value: Any
    label: str | None


class EmbeddedTag(Document):
    id: Id
    remote_id: str | None
    name: str | None


class EmbeddedUser(Document):
    id: Id
    remote_id: str | None
    first_name: str | None
    last_name: str | None
    email: str | None


class EmbeddedJob(Document):
    id: Id
    remote_id: str
    name: str | None


class EmbeddedCandidate(Document):
    """A candidate inside an offer or interview."""

    id: Id
    remote_id: str
    first_name: str | None
    last_name: str | None
    email_addresses: list[EmailAddress]
