"""From canonical values to wire values: ids, instants, vocabularies and the small shared documents. All pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

from atsumi.dialects.kombo import wire
from atsumi.model import parts
from atsumi.model.ids import field_id, record_id, to_base58
from atsumi.model.names import Model
from atsumi.model.record import Record
from atsumi.sync.projection import Stored

_SEPARATOR = "\x1f"
"""Unit separator: keeps a question's and an option's remote id apart inside one digest."""


@lru_cache(maxsize=16384)
def _spell(integration: UUID, model: Model, remote_id: str) -> str:
    return to_base58(record_id(integration, model, remote_id))


def own_id(stored: Stored[Record]) -> str:
    """The record's own id."""
    return to_base58(stored.id)


def reference(stored: Stored[Record], model: Model, remote_id: str | None) -> Any:
    """The id of a record that this one names, whether or not that record is stored; ``None`` if it names none."""
    return None if remote_id is None else _spell(stored.integration, model, remote_id)


def option_id(integration: UUID, question_remote_id: str, option_remote_id: str) -> str:
    """The id of one option of a select question: computed, so that answers and preconditions need no look-up."""
    return _spell(integration, Model.SCREENING_QUESTION, f"{question_remote_id}{_SEPARATOR}{option_remote_id}")


def instant(value: datetime | None) -> Any:
    """UTC with milliseconds and ``Z``, cut, never rounded up: a reader that polls by it must not skip anything."""
    if value is None:
        return None
    return value.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def closed(value: StrEnum | str | None, allowed: frozenset[str]) -> Any:
    """The word if the wire knows it, else ``None``: an unknown word would cost a client the whole page."""
    return str(value) if value is not None and str(value) in allowed else None


def open_word(value: StrEnum | None, raw: str | None = None) -> str | None:
    """The unified word, else the tool's own."""
    return str(value) if value is not None else raw


def custom_fields(record: Record) -> dict[str, Any]:
    """The mapped fields, ``None`` where a path leads nowhere.

    Always an object: an array or a missing key breaks the published clients.
    """
    return {**(record.mapped_fields or {}), **dict.fromkeys(record.unresolved_fields)}


def integration_fields(stored: Stored[Record]) -> list[wire.IntegrationField]:
    """The tool's fields whose passthrough is on."""
    model = stored.record.model
    return [
        wire.IntegrationField(
            id=to_base58(field_id(stored.integration, model, field.key)),
            key=field.key,
            type=field_type(field.is_custom),
            value=field.value,
            label=None,
        )
        for field in stored.record.passed_fields
    ]


def field_type(is_custom: bool) -> Literal["DEFAULT", "CUSTOM"]:
    """What the contract calls a field that the customer has defined in the tool, and any other one."""
    return "CUSTOM" if is_custom else "DEFAULT"


def location(place: parts.Location | None) -> wire.Location | None:
    if place is None:
        return None
    return wire.Location(
        city=place.city,
        country=place.country,
        raw=place.raw,
        state=place.state,
        street_1=place.street_1,
        street_2=place.street_2,
        zip_code=place.zip_code,
    )


def email(address: str | None) -> str | None:
    """The address with its domain in lower case; ``None`` for what cannot be an address.

    The contract promises that unusable addresses are left out; ``remote_data`` still holds them.
    """
    if address is None:
        return None
    local, at, domain = address.strip().rpartition("@")
    if not (at and local and domain) or any(character.isspace() for character in local + domain):
        return None
    return f"{local}@{domain.lower()}"


def email_addresses(entries: Iterable[parts.EmailAddress]) -> list[wire.EmailAddress]:
    found = ((email(entry.email_address), entry.type) for entry in entries)
    return [wire.EmailAddress(email_address=address, type=kind) for address, kind in found if address is not None]


def phone_numbers(entries: Iterable[parts.PhoneNumber]) -> list[wire.PhoneNumber]:
    return [wire.PhoneNumber(phone_number=entry.phone_number, type=entry.type) for entry in entries]


def social_media(entries: Iterable[parts.SocialMedia]) -> list[wire.SocialMedia]:
    return [wire.SocialMedia(link=entry.link, type=entry.type, username=entry.username) for entry in entries]


def parsed_instant(text: str) -> datetime | None:
    """An ISO 8601 date or instant; without a zone it is read as UTC, a bare date as its midnight."""
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return None
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        return None
