"""Query parameters: how their text is read, how what is wrong with it is told, and what the OpenAPI document says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from atsumi.dialects import reading
from atsumi.dialects.bindbee.dialect import DIALECT
from atsumi.dialects.bindbee.errors import Fault, InvalidRequest, value_fault
from atsumi.errors import InvalidInput

Json = dict[str, Any]

_PAGING = DIALECT.paging
_LONGEST = 60_000
"""Of one parameter's text; the server takes no longer request lines anyway."""


class Unreadable(Exception):
    """A text that is not what its parameter holds, in pydantic's words."""

    def __init__(self, type: str, message: str, **context: Any) -> None:
        super().__init__(message)
        self.type = type
        self.context = context


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter. ``read`` raises :class:`Unreadable`.

    The values of a list are separated by commas, and the parameter may be repeated; a list without values stays an
    empty one. ``read`` gets one of them at a time.
    """

    name: str
    description: str
    schema: Json
    read: Callable[[str], Any]
    default: Any = None
    is_list: bool = False
    is_required: bool = False
    example: str | None = None
    """Given where a request that lacks the parameter may not be understood."""


def text(name: str, description: str, *, example: str | None = None) -> Parameter:
    """Any text but an empty one."""
    return Parameter(name, description, {"type": "string"}, str, example=example)


def texts(name: str, description: str, *, is_repeated: bool = False) -> Parameter:
    """Texts separated by commas; ``is_repeated`` where the contract repeats the parameter instead."""
    schema: Json = {"type": "array", "items": {"type": "string"}} if is_repeated else {"type": "string"}
    return Parameter(name, description, schema, str, is_list=True)


def boolean(name: str, description: str, default: bool | None = False) -> Parameter:
    schema: Json = {"type": "boolean"} if default is None else {"type": "boolean", "default": default}
    return Parameter(name, description, schema, _boolean, default)


def instant(name: str, description: str) -> Parameter:
    """A date or an instant; without a zone it is UTC."""
    return Parameter(name, description, {"type": "string"}, lambda sent: _instant(name, sent))


def whole_number(name: str, description: str, minimum: int, maximum: int, default: int) -> Parameter:
    """A whole number within bounds, both included."""

    def read(sent: str) -> int:
        if not (sent.isascii() and sent.removeprefix("-").isdigit() and len(sent) < 10):
            raise Unreadable("int_parsing", "Input should be a valid integer, unable to parse string as an integer")
        found = int(sent)
        if found < minimum:
            raise Unreadable("greater_than_equal", f"Input should be greater than or equal to {minimum}", ge=minimum)
        if found > maximum:
            raise Unreadable("less_than_equal", f"Input should be less than or equal to {maximum}", le=maximum)
        return found

    schema = {"type": "integer", "minimum": minimum, "maximum": maximum, "default": default}
    return Parameter(name, description, schema, read, default)


def paging(default: int = _PAGING.default_size, maximum: int = _PAGING.maximum_size) -> tuple[Parameter, Parameter]:
    """The two parameters of every paged list."""
    return (
        whole_number(_PAGING.size_parameter, "How many records a page holds at most.", 1, maximum, default),
        text(_PAGING.cursor_parameter, "`cursor` of the page before, with the same other parameters."),
    )


def read_query(parameters: Sequence[Parameter], query_string: bytes) -> Mapping[str, Any]:
    """Every parameter's value, defaults included. Raises :class:`InvalidRequest` with all faults.

    Unknown parameters are refused, because a misspelt filter would silently return everything, and so are empty texts
    and values given twice where one is taken.
    """
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=1000)
    except ValueError as error:
        message = "the query string is not valid percent-encoded UTF-8, or far too long"
        raise InvalidRequest([value_fault(["query"], message, None)]) from error
    by_name = {parameter.name: parameter for parameter in parameters}
    found: dict[str, Any] = {}
    faults: list[Fault] = []
    given = {name for name, _ in pairs}
    for name, sent in pairs:
        try:
            _add(found, by_name, name, sent)
        except Unreadable as error:
            loc: list[str | int] = ["query", reading.cut(name)]
            context = {"ctx": error.context} if error.context else {}
            faults.append(Fault(type=error.type, loc=loc, msg=str(error), input=reading.cut(sent), **context))
    faults += [
        Fault(type="missing", loc=["query", parameter.name], msg="Field required", input=None)
        for parameter in parameters
        if parameter.is_required and parameter.name not in given
    ]
    if faults:
        raise InvalidRequest(faults)
    return {parameter.name: found.get(parameter.name, parameter.default) for parameter in parameters}


def _add(found: dict[str, Any], by_name: Mapping[str, Parameter], name: str, sent: str) -> None:
    parameter = by_name.get(name)
    if parameter is None:
        raise Unreadable("extra_forbidden", "Extra inputs are not permitted")
    if "\x00" in sent or len(sent) > _LONGEST:
        raise refused("it contains a zero byte or is far too long")
    if parameter.is_list:
        found[name] = [*found.get(name, ()), *(parameter.read(part) for part in sent.split(",") if part)]
    elif name in found:
        raise refused("it takes one value but was given more than once")
    elif not sent:
        raise Unreadable("string_too_short", "String should have at least 1 character", min_length=1)
    else:
        found[name] = parameter.read(sent)


def refused(message: str) -> Unreadable:
    """A text that pydantic has no word for."""
    return Unreadable("value_error", f"Value error, {message}", error={})


_BOOLEANS: Mapping[str, bool] = {
    **dict.fromkeys(("true", "1", "on", "yes", "t", "y"), True),
    **dict.fromkeys(("false", "0", "off", "no", "f", "n"), False),
}
"""What pydantic reads as a boolean (its documentation, "Booleans")."""


def _boolean(sent: str) -> bool:
    found = _BOOLEANS.get(sent.lower())
    if found is None:
        raise Unreadable("bool_parsing", "Input should be a valid boolean, unable to interpret input")
    return found


def _instant(name: str, sent: str) -> datetime:
    try:
        return reading.instant(name, sent)
    except InvalidInput as error:
        reason = str(error)
        message = f"Input should be a valid datetime or date, {reason}"
        raise Unreadable("datetime_from_date_parsing", message, error=reason) from error
