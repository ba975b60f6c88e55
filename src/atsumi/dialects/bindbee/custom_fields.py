"""Custom fields, their mappings, and what they would come to (Bindbee OpenAPI document 0.1.0; NOTES, section 13).

A field belongs to the environment of the key. A connector's own mapping wins over that of its tool, which the contract
calls organization scope. What contradicts the present state is bad input here: the contract has no 409.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from atsumi.dialects.bindbee import values
from atsumi.dialects.bindbee.call import CATEGORY, Call
from atsumi.dialects.bindbee.custom_field_requests import (
    CONFIGURATION_PARAMETERS,
    LIST_PARAMETERS,
    MODELS_BY_SLUG,
    ORIGINS,
    RAW_PARAMETERS,
    SCOPE_PARAMETERS,
    SLUGS,
    body_of,
    connector_named,
    model_named,
    path_of,
    refusal,
    refusal_of,
    scope_named,
)
from atsumi.dialects.bindbee.custom_field_wire import (
    CreatedId,
    CustomField,
    CustomFieldChange,
    CustomFieldConfiguration,
    CustomFieldDetail,
    CustomFieldMapping,
    CustomFieldMappingChange,
    CustomFieldMappingCounts,
    CustomFieldPreview,
    CustomFieldPreviewRequest,
    EffectiveCustomField,
    NewCustomField,
    NewCustomFieldMapping,
    RawDataSource,
    ValueType,
)
from atsumi.dialects.bindbee.parameters import read_query
from atsumi.dialects.bindbee.projection import INVALID_PATH
from atsumi.dialects.custom_fields import DocumentSource
from atsumi.dialects.http import Answer
from atsumi.dialects.places import FOREIGN, read_place, write_place
from atsumi.dialects.services import Caller
from atsumi.errors import Conflict, InvalidInput, NotFound
from atsumi.store import custom_fields as store
from atsumi.store.reading import Position
from atsumi.sync.paths import Path, PathError, resolve

_PURPOSE, _LIST = b"atsumi.bindbee", "custom-fields"
_SOURCES: Mapping[DocumentSource, RawDataSource] = {
    DocumentSource.RECORD: "connector_sync",
    DocumentSource.SAMPLE: "integration_sample",
}


async def list_fields(call: Call) -> bytes:
    """One page of the environment's fields, by model and name."""
    caller = await call.caller()
    asked = read_query(LIST_PARAMETERS, call.scope["query_string"])
    filters = msgspec.json.encode([asked["category"], asked["model"], asked["source"]])
    key, scope = call.services.cursor_key, caller.environment_id
    after = None
    if asked["cursor"] is not None:
        place = read_place(key, _PURPOSE, scope, _LIST, filters, asked["cursor"])
        if place is None:
            raise refusal("query", "cursor", f"this cursor {FOREIGN}", asked["cursor"])
        after = place.id
    models = [model for slug, model in MODELS_BY_SLUG.items() if asked["model"] in (None, slug)]
    if asked["category"] not in (None, CATEGORY):
        models = []
    size = asked["page_size"]
    try:
        found = await call.services.custom_fields.fields(
            scope, models=models, origin=ORIGINS.get(asked["source"]), after=after, limit=size + 1
        )
    except NotFound as error:
        raise refusal("query", "cursor", "what this cursor continues behind is gone", asked["cursor"]) from error
    page = found[:size]
    following = None
    if len(found) > size:
        following = write_place(key, _PURPOSE, scope, _LIST, filters, Position(seq=0, id=page[-1].id))
    items = [_field(one) for one in page]
    return msgspec.json.encode({"cursor": following, "page_size": len(items), "items": items})


async def create_field(call: Call) -> Answer:
    """Define a field. It has no value until it is mapped."""
    caller = await call.caller()
    sent = await body_of(call, NewCustomField)
    model = model_named("body", sent.category, sent.model)
    try:
        field = await call.services.custom_fields.define(
            caller.environment_id, model, sent.name, description=sent.description
        )
    except Conflict as error:
        raise refusal("body", "name", str(error), sent.name) from error
    except InvalidInput as error:
        raise refusal_of(error, sent) from error
    return _created(field.id)


async def get_field(call: Call) -> bytes:
    """One field with its mappings."""
    caller = await call.caller()
    return await _detail(call, caller, await _find(call, caller))


async def change_field(call: Call) -> bytes:
    """Change what is given of a field."""
    caller = await call.caller()
    field = await _find(call, caller)
    sent = await body_of(call, CustomFieldChange)
    changes: dict[str, Any] = {}
    if isinstance(sent.name, str):
        changes["name"] = sent.name
    if sent.description is not msgspec.UNSET:
        changes["description"] = sent.description
    if isinstance(sent.category, str) or isinstance(sent.model, str):
        category = sent.category if isinstance(sent.category, str) else CATEGORY
        slug = sent.model if isinstance(sent.model, str) else SLUGS[field.model]
        changes["model"] = model_named("body", category, slug)
    try:
        changed = await call.services.custom_fields.change(caller.environment_id, field.id, changes)
    except Conflict as error:
        raise refusal("body", "model" if "model" in changes else "name", str(error), field.name) from error
    except InvalidInput as error:
        raise refusal_of(error, sent) from error
    return await _detail(call, caller, changed)


async def delete_field(call: Call) -> Answer:
    """Delete a field with its mappings."""
    caller = await call.caller()
    field = await _find(call, caller)
    await call.services.custom_fields.delete(caller.environment_id, field.id)
    return Answer(b"", 204)


async def list_mappings(call: Call) -> bytes:
    """The mappings of a tool or of a connector, the oldest first."""
    caller = await call.caller()
    asked = read_query(SCOPE_PARAMETERS, call.scope["query_string"])
    where = await scope_named(call, caller, "query", asked["integration_slug"], asked["connector_token"])
    found = await call.services.custom_fields.mappings(caller.environment_id, where=where)
    return msgspec.json.encode(await _mappings(call, found))


async def create_mapping(call: Call) -> Answer:
    """Map a field that is not mapped in the scope yet."""
    caller = await call.caller()
    sent = await body_of(call, NewCustomFieldMapping)
    path = path_of(sent.json_path)
    where = await scope_named(call, caller, "body", sent.integration_slug, sent.connector_token)
    try:
        mapping = await call.services.custom_fields.map(
            caller.environment_id, sent.custom_field_id, where, path=path.text, replaces=False
        )
    except (Conflict, InvalidInput, NotFound) as error:
        raise refusal("body", "custom_field_id", str(error), str(sent.custom_field_id)) from error
    return _created(mapping.id)


async def change_mapping(call: Call) -> bytes:
    """Give a mapping another expression."""
    caller = await call.caller()
    id = call.id("custom_field_mapping_id")
    path = path_of((await body_of(call, CustomFieldMappingChange)).json_path)
    changed = await call.services.custom_fields.change_mapping(caller.environment_id, id, path.text)
    [shown] = await _mappings(call, [changed])
    return msgspec.json.encode(shown)


async def delete_mapping(call: Call) -> Answer:
    """Delete a mapping."""
    caller = await call.caller()
    await call.services.custom_fields.unmap(caller.environment_id, call.id("custom_field_mapping_id"))
    return Answer(b"", 204)


async def raw_data(call: Call) -> bytes:
    """The newest record of a connector as the tool sends it, else an example with nobody's data; ``null`` for none."""
    caller = await call.caller()
    asked = read_query(RAW_PARAMETERS, call.scope["query_string"])
    model = model_named("query", asked["category"], asked["model"])
    where = await scope_named(call, caller, "query", asked["integration_slug"], asked["connector_token"])
    if where.tool is not None:
        return msgspec.json.encode(call.services.custom_fields.sample(where.tool, model))
    integration = await connector_named(call, caller, "query", asked["connector_token"])
    document, _ = await call.services.custom_fields.raw_document(integration, model)
    return msgspec.json.encode(document)


async def preview(call: Call) -> bytes:
    """What an expression comes to, without saving it."""
    caller = await call.caller()
    sent = await body_of(call, CustomFieldPreviewRequest)
    model = model_named("body", sent.category, sent.model)
    path = path_of(sent.json_path)
    integration = await connector_named(call, caller, "body", sent.connector_token)
    document: Mapping[str, Any] | None = sent.raw_data
    source: RawDataSource = "inline"
    if document is None:
        if not call.services.custom_fields.has_raw_documents(integration.tool, model):
            message = f"{integration.tool} has no raw data for this model, so no field of it can be mapped"
            raise refusal("body", "model", message, sent.model)
        document, found = await call.services.custom_fields.raw_document(integration, model)
        source = _SOURCES[found]
    value = _value(path, document)
    shown = CustomFieldPreview(
        connector_token=sent.connector_token,
        json_path=path.text,
        resolved_value=value,
        resolved_value_type=_type(value),
        raw_data_source=source,
    )
    return msgspec.json.encode(shown)


async def configuration(call: Call) -> bytes:
    """Every field of a model with the mapping that counts for a connector."""
    caller = await call.caller()
    asked = read_query(CONFIGURATION_PARAMETERS, call.scope["query_string"])
    model = model_named("query", asked["category"], asked["model"])
    integration = await connector_named(call, caller, "query", asked["connector_token"])
    services = call.services.custom_fields
    entries: list[EffectiveCustomField] = []
    after = None
    while fields := await services.fields(caller.environment_id, models=[model], after=after, limit=500):
        after = fields[-1].id
        for one in await services.effective(integration, fields):
            mapping = one.mapping
            entries.append(
                EffectiveCustomField(
                    custom_field_id=str(one.field.id),
                    name=one.field.name,
                    description=one.field.description,
                    category=CATEGORY,
                    model=asked["model"],
                    json_path=mapping.source_path if mapping is not None else None,
                    source=None if mapping is None else "organization" if mapping.integration is None else "connector",
                    mapping_id=str(mapping.id) if mapping is not None else None,
                )
            )
    found = CustomFieldConfiguration(
        connector_token=asked["connector_token"],
        integration_slug=integration.tool,
        category=CATEGORY,
        model=asked["model"],
        fields=entries,
    )
    return msgspec.json.encode(found)


async def _find(call: Call, caller: Caller) -> store.CustomField:
    """The field that the path names, if this surface shows its model."""
    field = await call.services.custom_fields.field(caller.environment_id, call.id("custom_field_id"))
    if field.model not in SLUGS:
        raise NotFound("There is no custom field with this id in the environment of your API key.")
    return field


def _field(field: store.CustomField) -> CustomField:
    return CustomField(**_shown(field))


def _shown(field: store.CustomField) -> dict[str, Any]:
    return {
        "id": str(field.id),
        "name": field.name,
        "description": field.description,
        "category": CATEGORY,
        "model": SLUGS[field.model],
        "source": "API" if field.origin == "API" else "DASHBOARD",
        "created_at": values.instant(field.created_at),
        "updated_at": _changed(field.created_at, field.updated_at),
    }


async def _detail(call: Call, caller: Caller, field: store.CustomField) -> bytes:
    found = await _mappings(call, await call.services.custom_fields.mappings(caller.environment_id, field=field.id))
    organization = sum(mapping.connector_token is None for mapping in found)
    counts = CustomFieldMappingCounts(total=len(found), organization=organization, connector=len(found) - organization)
    return msgspec.json.encode(CustomFieldDetail(**_shown(field), mappings=found, mapping_counts=counts))


async def _mappings(call: Call, found: Sequence[store.CustomFieldMapping]) -> list[CustomFieldMapping]:
    tokens = await call.services.custom_fields.connector_tokens(found)
    return [
        CustomFieldMapping(
            id=str(one.id),
            custom_field_id=str(one.custom_field_id),
            integration_slug=one.tool,
            connector_token=tokens[one.integration] if one.integration is not None else None,
            # The field that it was mapped to, through another surface, is gone: nothing leads anywhere.
            json_path=one.source_path or "",
            created_at=str(values.instant(one.created_at)),
            updated_at=_changed(one.created_at, one.updated_at),
        )
        for one in found
    ]


def _changed(created_at: datetime, updated_at: datetime) -> str | None:
    return values.instant(updated_at) if updated_at > created_at else None


def _created(id: UUID) -> Answer:
    return Answer(msgspec.json.encode(CreatedId(id=str(id))), 201)


def _value(path: Path, document: Mapping[str, Any] | None) -> Any:
    """What a record's custom field would show."""
    try:
        found = resolve(path, document)
    except PathError:
        return INVALID_PATH
    return INVALID_PATH if found.is_missing else found.value


def _type(value: Any) -> ValueType:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    names: dict[type, ValueType] = {str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")
