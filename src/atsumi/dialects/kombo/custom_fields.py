"""Custom fields and integration fields (Kombo OpenAPI document, May 2026; Kombo NOTES, section 14)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec

from atsumi.dialects.custom_fields import EffectiveField, Where
from atsumi.dialects.kombo.call import Call
from atsumi.dialects.kombo.coverage import model_id
from atsumi.dialects.kombo.cursor import read_cursor, write_cursor
from atsumi.dialects.kombo.dialect import DIALECT
from atsumi.dialects.kombo.fields import FIELDS, Always
from atsumi.dialects.kombo.lists import LISTS
from atsumi.dialects.kombo.values import field_type
from atsumi.dialects.kombo.wire import Id
from atsumi.dialects.reading import shown
from atsumi.dialects.services import Integration
from atsumi.errors import InvalidInput, NotFound
from atsumi.model.catalog import MODELS
from atsumi.model.ids import field_id, from_base58, to_base58
from atsumi.model.names import Model
from atsumi.store.integration_fields import FieldRow
from atsumi.store.reading import Position

FieldType = Literal["DEFAULT", "CUSTOM"]
T = TypeVar("T")
B = TypeVar("B", bound=msgspec.Struct)

CUSTOM_FIELDS_PAGE, INTEGRATION_FIELDS_PAGE = 250, 2000
"""The largest pages of the two lists."""

_MODELS: Mapping[Model, str] = {
    spec.model: model_id(spec.name) for spec in LISTS if FIELDS[spec.name].get("custom_fields") is Always.CHOSEN
}
"""The models whose documents show custom fields, as the contract calls them."""


class SourceField(msgspec.Struct, kw_only=True):
    """The field of the tool that a custom field takes its value from."""

    id: Id
    key: str
    type: FieldType
    label: str | None = None


class CustomFieldEntry(msgspec.Struct, kw_only=True):
    """A custom field of the environment, with its source in one integration."""

    id: Id
    key: str
    integration_field: SourceField | None
    model: str
    label: str | None
    description: str | None


class CustomFieldPage(msgspec.Struct, kw_only=True):
    results: list[CustomFieldEntry]
    next: str | None
    next_cursor: str | None


class IntegrationFieldEntry(msgspec.Struct, kw_only=True):
    """A field that the tool has. ``key`` is its path in the record as the tool sends it."""

    id: Id
    key: str
    model: str
    type: FieldType
    is_passthrough_enabled: bool
    label: str | None = None
    is_writable: Literal[False] = False


class IntegrationFieldPage(msgspec.Struct, kw_only=True):
    results: list[IntegrationFieldEntry]
    next: str | None
    next_cursor: str | None


class FieldChoice(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``null`` removes the source."""

    integration_field_id: str | None


class PassthroughChoice(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``null`` changes nothing."""

    enable_passthrough: bool | None


async def list_custom_fields(call: Call) -> bytes:
    """One page of the environment's custom fields with their sources."""
    integration = await _integration(call)
    size, after = _paging(call, integration, "custom-fields", CUSTOM_FIELDS_PAGE)
    services = call.services.custom_fields
    try:
        found = await services.fields(integration.environment_id, models=tuple(_MODELS), after=after, limit=size + 1)
    except NotFound as error:
        raise _stale() from error
    fields, following = _page(call, integration, "custom-fields", found, size, lambda field: field.id)
    entries = [await _entry(call, integration, one) for one in await services.effective(integration, fields)]
    return _success(CustomFieldPage(results=entries, next=following, next_cursor=following))


async def map_custom_field(call: Call) -> bytes:
    """Set or remove the source of a custom field in one integration.

    Raises :class:`NotFound`, and :class:`InvalidInput` for a field that the integration's model does not have.
    """
    integration = await _integration(call)
    services = call.services.custom_fields
    field = await services.field(integration.environment_id, _id(call.parameters["custom_field_id"]))
    choice = await _body(call, FieldChoice)
    where = Where(integration=integration)
    if choice.integration_field_id is None:
        for mapping in await services.mappings(integration.environment_id, field=field.id):
            if mapping.integration == integration.number:
                await services.unmap(integration.environment_id, mapping.id)
    else:
        source = from_base58(choice.integration_field_id)
        if source is None:
            raise InvalidInput("There is no integration field with this id.", path="integration_field_id")
        await services.map(integration.environment_id, field.id, where, integration_field=source)
    [effective] = await services.effective(integration, [field])
    return _success(await _entry(call, integration, effective))


async def list_integration_fields(call: Call) -> bytes:
    """One page of the fields that the tool has, as far as records with them have been read."""
    integration = await _integration(call)
    size, after = _paging(call, integration, "integration-fields", INTEGRATION_FIELDS_PAGE)
    try:
        found = await call.services.custom_fields.tool_fields(
            integration, models=tuple(_MODELS), after=after, limit=size + 1
        )
    except NotFound as error:
        raise _stale() from error
    fields, following = _page(call, integration, "integration-fields", found, size, lambda field: field.id)
    entries = [_integration_field(field) for field in fields]
    return _success(IntegrationFieldPage(results=entries, next=following, next_cursor=following))


async def set_passthrough(call: Call) -> bytes:
    """Choose whether a field of the tool is shown in ``integration_fields``. Raises :class:`NotFound`."""
    integration = await _integration(call)
    services = call.services.custom_fields
    field = await services.tool_field(integration, _id(call.parameters["integration_field_id"]))
    choice = await _body(call, PassthroughChoice)
    if choice.enable_passthrough is not None:
        field = await services.set_passthrough(integration, field.id, choice.enable_passthrough)
    return _success(_integration_field(field))


async def _integration(call: Call) -> Integration:
    return await call.find(await call.caller(), call.parameters["integration_id"])


async def _entry(call: Call, integration: Integration, effective: EffectiveField) -> CustomFieldEntry:
    field, mapping = effective.field, effective.mapping
    source = None
    if mapping is not None and mapping.source_path is not None:
        id = field_id(integration.public_id, MODELS[field.model], mapping.source_path)
        try:
            is_custom = (await call.services.custom_fields.tool_field(integration, id)).is_custom
        except NotFound:
            # An expression of the caller's own, not a field that was met.
            is_custom = True
        source = SourceField(id=to_base58(id), key=mapping.source_path, type=field_type(is_custom))
    return CustomFieldEntry(
        id=to_base58(field.id),
        key=field.name,
        integration_field=source,
        model=_MODELS[MODELS[field.model]],
        label=field.label,
        description=field.description,
    )


def _integration_field(field: FieldRow) -> IntegrationFieldEntry:
    return IntegrationFieldEntry(
        id=to_base58(field.id),
        key=field.path,
        model=_MODELS[MODELS[field.model]],
        type=field_type(field.is_custom),
        is_passthrough_enabled=field.is_passthrough,
    )


def _paging(call: Call, integration: Integration, name: str, largest: int) -> tuple[int, UUID | None]:
    """Page size and the id to continue behind. Raises :class:`InvalidInput`."""
    paging = DIALECT.paging
    try:
        pairs = parse_qsl(call.scope["query_string"].decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise InvalidInput("The query string is not valid percent-encoded UTF-8.") from error
    sent = dict(pairs)
    for parameter in sent:
        if parameter not in (paging.size_parameter, paging.cursor_parameter):
            raise InvalidInput(f"`/{name}` has no parameter {shown(parameter)}.", path=parameter[:60])
    if len(sent) < len(pairs):
        raise InvalidInput("A parameter takes one value but was given more than once.")
    size = sent.get(paging.size_parameter, str(paging.default_size))
    if not (size.isascii() and size.isdigit() and len(size) < 10 and 1 <= int(size) <= largest):
        raise InvalidInput(
            f"`page_size` must be a whole number from 1 to {largest}, not {shown(size)}.", path=paging.size_parameter
        )
    cursor = sent.get(paging.cursor_parameter)
    if cursor is None:
        return int(size), None
    return int(size), read_cursor(call.services.cursor_key, integration.public_id, name, b"", cursor).id


def _page(
    call: Call, integration: Integration, name: str, found: Sequence[T], size: int, id_of: Callable[[T], UUID]
) -> tuple[Sequence[T], str | None]:
    """The page, of which one more was read, and the cursor of the next one."""
    if len(found) <= size:
        return found, None
    position = Position(seq=0, id=id_of(found[size - 1]))
    return found[:size], write_cursor(call.services.cursor_key, integration.public_id, name, b"", position)


def _stale() -> InvalidInput:
    return InvalidInput("What this cursor continues behind is gone. Start again without a cursor.", path="cursor")


def _id(spelled: str) -> UUID:
    found = from_base58(spelled)
    if found is None:
        raise NotFound("There is nothing with this id.")
    return found


async def _body(call: Call, kind: type[B]) -> B:
    try:
        return msgspec.json.decode(await call.body(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"The body does not hold what is expected: {error}.") from error


def _success(data: Any) -> bytes:
    return b'{"status":"success","data":' + msgspec.json.encode(data) + b"}"
