"""The parameters of the operations: what is read from a query string, and what the OpenAPI document says of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from atsumi.dialects.reading import cut, instant, shown
from atsumi.errors import InvalidInput
from atsumi.model.ids import read_id
from atsumi.model.names import Model

Json = dict[str, Any]

MODEL_BY_NAME: Mapping[str, Model] = {model.value: model for model in Model}
_DIGITS = 18
"""Numbers of more digits than this never occur, and might not fit where numbers are compared."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter. ``read`` gets name and text and raises :class:`InvalidInput`."""

    name: str
    description: str
    schema: Json
    read: Callable[[str, str], Any]
    default: Any = None
    is_required: bool = False


def whole_number(name: str, description: str, minimum: int, maximum: int, default: int) -> Parameter:
    """A whole number within bounds, both included."""

    def read(name: str, text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS and minimum <= int(text) <= maximum):
            raise InvalidInput(
                f"`{name}` must be a whole number from {minimum} to {maximum}, not {shown(text)}.", path=name
            )
        return int(text)

    schema = {"type": "integer", "minimum": minimum, "maximum": maximum, "default": default}
    return Parameter(name, description, schema, read, default)


def sequence(name: str, description: str) -> Parameter:
    """A number of the change log."""
    return Parameter(name, description, {"type": "integer", "minimum": 1}, _sequence)


def moment(name: str, description: str, *, is_required: bool = False) -> Parameter:
    """An instant, or a number of the change log: whatever consists of digits only is a number."""

    def read(name: str, text: str) -> datetime | int:
        return _sequence(name, text) if text.isascii() and text.isdigit() else instant(name, text)

    schema = {
        "anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}],
        "examples": [1042, "2024-01-31", "2024-01-31T09:30:00.000Z"],
    }
    return Parameter(name, description, schema, read, is_required=is_required)


def text(name: str, description: str) -> Parameter:
    """Any text."""
    return Parameter(name, description, {"type": "string"}, lambda _, text: text)


def our_id(name: str, description: str) -> Parameter:
    """An id of ours, in either spelling."""

    def read(name: str, text: str) -> UUID:
        found = read_id(text)
        if found is None:
            raise InvalidInput(f"`{name}` must be an id, not {shown(text)}.", path=name)
        return found

    return Parameter(name, description, {"type": "string"}, read)


def word(name: str, description: str, words: Sequence[str]) -> Parameter:
    """One of some words."""

    def read(name: str, text: str) -> str:
        if text not in words:
            raise InvalidInput(f"`{name}` must be {' or '.join(words)}, not {shown(text)}.", path=name)
        return text

    return Parameter(name, description, {"type": "string", "enum": list(words)}, read)


def models(name: str, description: str) -> Parameter:
    """Names of models, separated by commas."""

    def read(name: str, text: str) -> list[Model]:
        found = []
        for part in text.split(","):
            model = MODEL_BY_NAME.get(part)
            if model is None:
                allowed = ", ".join(MODEL_BY_NAME)
                raise InvalidInput(f"`{name}` does not know {shown(part)}. Allowed: {allowed}.", path=name)
            found.append(model)
        return found

    schema = {"type": "array", "items": {"type": "string", "enum": list(MODEL_BY_NAME)}}
    return Parameter(name, description, schema, read)


def _sequence(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS and int(text) >= 1):
        raise InvalidInput(f"`{name}` must be a sequence number, not {shown(text)}.", path=name)
    return int(text)


def read_query(parameters: Sequence[Parameter], query_string: bytes) -> Mapping[str, Any]:
    """Every parameter's value, defaults included. Unknown, repeated and empty ones raise :class:`InvalidInput`."""
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError as error:
        raise InvalidInput("The query string is not valid percent-encoded UTF-8, or far too long.") from error
    by_name = {parameter.name: parameter for parameter in parameters}
    given: dict[str, Any] = {}
    for name, value in pairs:
        parameter = by_name.get(name)
        if parameter is None:
            near = get_close_matches(name, list(by_name), n=1)
            hint = f"Did you mean `{near[0]}`?" if near else f"Known: {', '.join(by_name) or 'none'}."
            raise InvalidInput(f"There is no parameter {shown(name)} here. {hint}", path=cut(name))
        if name in given:
            raise InvalidInput(f"`{name}` takes one value but was given more than once.", path=name)
        if not value or "\x00" in value:
            raise InvalidInput(f"`{name}` is empty. Leave it out where you do not need it.", path=name)
        given[name] = parameter.read(name, value)
    for parameter in parameters:
        if parameter.is_required and parameter.name not in given:
            raise InvalidInput(f"`{parameter.name}` is missing.", path=parameter.name)
    return {parameter.name: given.get(parameter.name, parameter.default) for parameter in parameters}
