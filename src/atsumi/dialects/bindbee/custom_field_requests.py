"""Reading requests about custom fields, and telling what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeVar

import msgspec

from atsumi.dialects import reading
from atsumi.dialects.bindbee.call import CATEGORY, Call
from atsumi.dialects.bindbee.custom_field_wire import Source
from atsumi.dialects.bindbee.errors import Fault, InvalidRequest, value_fault
from atsumi.dialects.bindbee.lists import LISTS
from atsumi.dialects.bindbee.lookup import CATEGORIES
from atsumi.dialects.bindbee.parameters import Parameter, Unreadable, paging, text
from atsumi.dialects.custom_fields import Where
from atsumi.dialects.http import LONGEST_BODY
from atsumi.dialects.services import Caller, Integration
from atsumi.errors import InvalidInput
from atsumi.model.catalog import CODES
from atsumi.model.names import Model
from atsumi.sync.paths import MAX_LENGTH, Path, compile_path

B = TypeVar("B", bound=msgspec.Struct)
Place = Literal["query", "body"]
"""The part of a request that something is wrong with."""

MODELS_BY_SLUG: Mapping[str, Model] = {spec.slug: spec.model for spec in LISTS if spec.model is not None}
SLUGS: Mapping[int, str] = {CODES[model]: slug for slug, model in MODELS_BY_SLUG.items()}
ORIGINS: Mapping[Source, Literal["API", "OPERATOR"]] = {"API": "API", "DASHBOARD": "OPERATOR"}

_SLUG = re.compile(r"[a-z][a-z0-9_-]{0,63}", re.ASCII)
_SLUG_PATTERN = "^[a-z][a-z0-9_-]*$"


def _one_of(*words: str) -> Mapping[str, Any]:
    """How a parameter takes one of these words."""
    quoted = [f"'{word}'" for word in words]
    expected = f"{', '.join(quoted[:-1])} or {quoted[-1]}"

    def read(sent: str) -> str:
        if sent not in words:
            raise Unreadable("enum", f"Input should be {expected}", expected=expected)
        return sent

    return {"schema": {"type": "string", "enum": list(words)}, "read": read}


def _slug(sent: str) -> str:
    if _SLUG.fullmatch(sent) is None:
        message = f"String should match pattern '{_SLUG_PATTERN}'"
        raise Unreadable("string_pattern_mismatch", message, pattern=_SLUG_PATTERN)
    return sent


def _required(*parameters: Parameter) -> tuple[Parameter, ...]:
    return tuple(replace(parameter, is_required=True) for parameter in parameters)


_CATEGORY = Parameter("category", "The category.", **_one_of(*CATEGORIES), example=CATEGORY)
_MODEL = Parameter(
    "model",
    "The model, as look-ups spell it.",
    {"type": "string", "maxLength": 64, "pattern": _SLUG_PATTERN},
    _slug,
    example="candidate",
)
_TOOL = text("integration_slug", "What all connectors of this integration share.", example="personio")
_TOKEN = text("connector_token", "What this connector has.")

LIST_PARAMETERS = (_CATEGORY, _MODEL, Parameter("source", "Who has defined it.", **_one_of(*ORIGINS)), *paging())
SCOPE_PARAMETERS = (_TOOL, _TOKEN)
RAW_PARAMETERS = (*_required(_CATEGORY, _MODEL), _TOKEN, _TOOL)
CONFIGURATION_PARAMETERS = _required(_TOKEN, _CATEGORY, _MODEL)


def model_named(place: Place, category: str, slug: str) -> Model:
    """The model of a slug. Raises :class:`InvalidRequest` for one that there is none of."""
    if category not in CATEGORIES:
        expected = "'HRIS', 'ATS' or 'LMS'"
        fault = Fault(
            type="enum", loc=[place, "category"], msg=f"Input should be {expected}", input=reading.cut(category)
        )
        raise InvalidRequest([fault])
    model = MODELS_BY_SLUG.get(slug)
    if category != CATEGORY or model is None:
        known = ", ".join(MODELS_BY_SLUG)
        message = f"{category} has no model {reading.shown(slug)} here. {CATEGORY} has: {known}"
        raise refusal(place, "model", message, slug)
    return model


def path_of(sent: str) -> Path:
    """A compiled expression. Raises :class:`InvalidRequest`."""
    if len(sent) > MAX_LENGTH:
        message = f"String should have at most {MAX_LENGTH} characters"
        fault = Fault(type="string_too_long", loc=["body", "json_path"], msg=message, input=reading.cut(sent))
        fault.ctx = {"max_length": MAX_LENGTH}
        raise InvalidRequest([fault])
    try:
        return compile_path(sent)
    except InvalidInput as error:
        raise refusal("body", "json_path", _printable(str(error)), sent) from error


async def scope_named(call: Call, caller: Caller, place: Place, tool: str | None, token: str | None) -> Where:
    """The scope that exactly one of the two names. Raises :class:`InvalidRequest`."""
    if (tool is None) == (token is None):
        message = "exactly one of integration_slug and connector_token is needed"
        raise InvalidRequest([value_fault([place], message, None)])
    if tool is None:
        return Where(integration=await connector_named(call, caller, place, token or ""))
    if tool not in call.services.connectors:
        known = ", ".join(sorted(call.services.connectors))
        raise refusal(place, "integration_slug", f"there is no such integration. Known: {known}", tool)
    return Where(tool=tool)


async def connector_named(call: Call, caller: Caller, place: Place, token: str) -> Integration:
    """The connector with a token. Raises :class:`InvalidRequest`, also for another environment's, never showing it."""
    found = await call.services.integration_by_token(caller, token)
    if found is None:
        message = "there is no connector with this token in the environment of your API key"
        raise InvalidRequest([value_fault([place, "connector_token"], message, None)])
    return found


async def body_of(call: Call, kind: type[B], longest: int = LONGEST_BODY) -> B:
    """The request's body. Raises :class:`InvalidRequest`."""
    content = await call.body(longest)
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `$")
        named = re.search(r"field `(\w+)`", message)
        loc: Sequence[str] = [part for part in re.split(r"[.\[\]`]+", where) if part]
        if named is not None and "missing" in message:
            fault = Fault(type="missing", loc=["body", *loc, named[1]], msg="Field required", input=None)
            raise InvalidRequest([fault]) from error
        raise InvalidRequest([value_fault(["body", *loc], _printable(message), _sent_at(content, loc))]) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _no_json(error) from error


def json_of(content: bytes) -> Any:
    """Any JSON value. Raises :class:`InvalidRequest`."""
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _no_json(error) from error


def _no_json(error: Exception) -> InvalidRequest:
    fault = Fault(type="json_invalid", loc=["body"], msg="JSON decode error", input=None)
    fault.ctx = {"error": _printable(str(error))}
    return InvalidRequest([fault])


def refusal(place: Place, name: str, message: str, sent: str) -> InvalidRequest:
    """One value that is not accepted, and why."""
    return InvalidRequest([value_fault([place, name], message, _printable(reading.cut(sent)))])


def refusal_of(error: InvalidInput, body: msgspec.Struct) -> InvalidRequest:
    """The same for the value of a body that the product does not accept."""
    name = error.path or "name"
    return refusal("body", name, str(error), getattr(body, name))


def _sent_at(content: bytes, loc: Sequence[str]) -> Any:
    """The value at a place of a body, if it is a single one: objects and arrays may be of any size."""
    value = msgspec.json.decode(content)
    for step in loc:
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, str):
        return _printable(reading.cut(value))
    return None if isinstance(value, (dict, list)) else value


def _printable(text: str) -> str:
    """What can be sent as JSON of a text that a caller may have made."""
    return text.encode("utf-8", "replace").decode()
