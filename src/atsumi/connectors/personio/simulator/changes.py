"""How values given by a test or over the control API become values of records, and what is said when they cannot."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec

from atsumi.connectors.personio.simulator.clock import to_milliseconds
from atsumi.connectors.personio.simulator.records import Member


class UnknownRecord(LookupError):
    """A control action or a Python call named a record that does not exist."""


class InvalidChange(ValueError):
    """A control action or a Python call asked for a change that makes no sense."""


Id = int | str
"""Ids may be given as numbers or as the text that the API shows."""


def set_fields(record: Any, changes: dict[str, Any], allowed: set[str], kind: type[msgspec.Struct]) -> None:
    """Set fields of a record. Raises InvalidChange, before anything is set, for a field that is not allowed."""
    for name in changes:
        if name not in allowed:
            raise InvalidChange(f"{kind.__name__} has no changeable field {name!r}")
    types = {item.name: item.type for item in msgspec.structs.fields(kind)}
    for name, value in changes.items():
        try:
            setattr(record, name, msgspec.convert(value, types[name]))
        except msgspec.ValidationError as error:
            raise InvalidChange(f"{name}: {error}") from error


def members_from(value: list[Any]) -> list[Member]:
    """Return hiring-team members, given as such or as objects with `person_id` and `role`."""
    return [
        item if isinstance(item, Member) else Member(number_from(item["person_id"]), str(item["role"]))
        for item in value
    ]


def number_from(value: Id) -> int:
    """Return an id as a number. Raises UnknownRecord for a text that is none."""
    try:
        return int(value)
    except ValueError as error:
        raise UnknownRecord(f"{value!r} is not an id") from error


def day_from(value: date | str | int) -> int:
    """Return a day, given as date, ISO 8601 text or ordinal, as its ordinal. Raises ValueError."""
    if isinstance(value, int):
        return value
    return (date.fromisoformat(value) if isinstance(value, str) else value).toordinal()


def instant_of(text: str) -> int:
    """Return an ISO 8601 text as milliseconds; a naive one is read as UTC. Raises ValueError."""
    instant = datetime.fromisoformat(text)
    return to_milliseconds(instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant)
