"""Our own OpenAPI document, made of the tables that serve the requests and the structs that render the answers."""

from __future__ import annotations

from typing import Any

import msgspec

from atsumi.dialects.freshness import AS_OF, HELD_BACK, NEXT_SYNC_AT, SYNC_STATE
from atsumi.dialects.http import pattern
from atsumi.dialects.kombo import wire
from atsumi.dialects.kombo.dialect import DIALECT
from atsumi.dialects.kombo.errors import CODES, ErrorDocument, Family, codes_of
from atsumi.dialects.kombo.general import CATEGORIES
from atsumi.dialects.kombo.lists import LISTS, Filter, Kind, ListSpec
from atsumi.dialects.kombo.operations import OPERATIONS, Operation
from atsumi.store.freshness import SYNC_STATES

Json = dict[str, Any]

_INSTANT: Json = {
    "type": "string",
    "description": "A date or an instant; without a zone it is read as UTC.",
    "examples": ["2024-01-31", "2024-01-31T09:30:00.000Z"],
}
_OPEN_WORDS = {
    "employment_type": wire.words.EMPLOYMENT_TYPES,
    "status": wire.words.JOB_STATUSES,
    "visibility": wire.words.VISIBILITIES,
}


_AS_OF = (
    "The records are at least as new as this: the start of the last complete read of everything the list is made of."
)
_FRESHNESS: Json = {
    AS_OF: {"schema": {"type": "string", "format": "date-time"}, "description": f"{_AS_OF} As `as_of` in the answer."},
    NEXT_SYNC_AT: {
        "schema": {"type": "string", "format": "date-time"},
        "description": "When the next sync is due. Missing while syncs are paused.",
    },
    SYNC_STATE: {
        "schema": {"type": "string", "enum": list(SYNC_STATES)},
        "description": "`PENDING` before the first sync, `SYNCING` during one, `WAITING` while one waits for the tool "
        "(it is down, or its budget is used up), else how the last one ended.",
    },
    HELD_BACK: {
        "schema": {"type": "integer", "minimum": 1},
        "description": "How many of the records behind the list the tool no longer shows. They are so many at once "
        "that they stay until the operator has decided whether they are gone, and `as_of` stays at the read before. "
        "No such header: none.",
    },
}


def openapi_document() -> bytes:
    """The document as JSON."""
    bodies = [body for op in OPERATIONS for body in (op.body, op.data) if body is not None]
    documents = [*(spec.document for spec in LISTS), *bodies, ErrorDocument]
    _, schemas = msgspec.json.schema_components(documents, ref_template="#/components/schemas/{name}")
    for spec in LISTS:
        schemas[spec.document.__name__]["properties"]["remote_data"] = {
            "anyOf": [{"type": "object"}, {"type": "null"}],
            "description": "The tool's own records, where the integration shows them.",
        }
    for field, known in _OPEN_WORDS.items():
        schemas["Job"]["properties"][field]["description"] = f"{', '.join(known)}, or the tool's own word."
    for family in Family:
        schemas[_error_name(family)] = _error_schema(schemas["ErrorDocument"], family)
    del schemas["ErrorDocument"], schemas["ErrorDetail"]
    paths: Json = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": DIALECT.title, "version": DIALECT.version},
            "servers": [{"url": DIALECT.base_path}],
            "security": [{"api_key": []}],
            "paths": paths,
            "components": {
                "securitySchemes": {"api_key": {"type": "http", "scheme": DIALECT.auth_scheme.lower()}},
                "schemas": schemas,
            },
        }
    )


def _operation(operation: Operation) -> Json:
    body: Json = {}
    if operation.body is not None:
        content = {"application/json": {"schema": _reference(operation.body)}}
        body = {"requestBody": {"required": True, "content": content}}
    headers = {"headers": _FRESHNESS} if operation.list is not None else {}
    return {
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": _parameters(operation),
        **body,
        "responses": {
            "200": _content("Success.", _success(operation)) | headers,
            "default": _content("Error.", {"$ref": f"#/components/schemas/{_error_name(operation.family)}"}),
        },
    }


def _content(description: str, schema: Json) -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _success(operation: Operation) -> Json:
    if operation.list is not None:
        data = _object(
            {
                "next": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                "as_of": {
                    "anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}],
                    "description": f"{_AS_OF} `null` before there was one. A field of ours.",
                },
                "results": {"type": "array", "items": _reference(operation.list.document)},
            }
        )
    else:
        data = _reference(operation.data) if operation.data is not None else {"type": "object"}
    more: Json = {"warnings": _array(_object({"message": {"type": "string"}}))} if operation.has_warnings else {}
    return _object({"status": {"const": "success"}, "data": data} | more)


def _object(properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _reference(document: type) -> Json:
    return {"$ref": f"#/components/schemas/{document.__name__}"}


def _parameters(operation: Operation) -> list[Json]:
    found: list[Json] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "enum": list(CATEGORIES)} if name == "category" else {"type": "string"},
        }
        for name in pattern(operation.path).groupindex
    ]
    if operation.is_addressed:
        header: Json = {"name": DIALECT.integration_header, "in": "header", "required": True}
        found.append(header | {"schema": {"type": "string"}, "description": "The integration, as `{tool}:{id}`."})
    if operation.largest_page is not None:
        found += _paging(operation.largest_page)
    return found + (_list_parameters(operation.list) if operation.list is not None else [])


def _paging(largest: int) -> list[Json]:
    paging = DIALECT.paging
    size = {"type": "integer", "minimum": 1, "maximum": largest, "default": paging.default_size}
    return [
        _query(paging.cursor_parameter, {"type": "string"}, "`next` of the page before, with the same filters."),
        _query(paging.size_parameter, size, "How many records a page holds at most."),
    ]


def _list_parameters(spec: ListSpec) -> list[Json]:
    flag = {"type": "boolean", "default": False}
    return [
        *_paging(DIALECT.paging.maximum_size),
        _query("updated_after", _INSTANT, "Records that changed after this, or whose related data did."),
        _query("include_deleted", flag, "Also records that are gone from the tool."),
        _query("ignore_unsupported_filters", flag, "Skip filters on fields that the tool cannot fill."),
        _query("ids", _array({"type": "string"}), "Our ids."),
        _query("remote_ids", _array({"type": "string"}), "The tool's ids."),
        *(_filter(filter_) for filter_ in spec.filters),
    ]


def _filter(filter_: Filter) -> Json:
    text: Json = {"type": "string"}
    if filter_.words:
        text["enum"] = list(filter_.words)
    match filter_.kind:
        case Kind.INSTANT:
            text = _INSTANT
        case Kind.TEXTS | Kind.IDS | Kind.REMOTE_IDS | Kind.WORDS:
            text = _array(text)
        case _:
            pass
    return _query(filter_.name, text, filter_.description) | ({"deprecated": True} if filter_.is_deprecated else {})


def _array(items: Json) -> Json:
    return {"type": "array", "items": items}


def _query(name: str, schema: Json, description: str) -> Json:
    array = {"style": "form", "explode": False} if schema.get("type") == "array" else {}
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description} | array


def _error_name(family: Family) -> str:
    return {Family.ATS: "AtsError", Family.GENERAL: "GeneralError"}[family]


def _error_schema(envelope: Json, family: Family) -> Json:
    text = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    statuses = ", ".join(f"{code} {CODES[code].status}" for code in codes_of(family))
    detail = _object(
        {
            "code": {"enum": [*codes_of(family), None], "description": f"With its HTTP status: {statuses}."},
            "title": text,
            "message": {"type": "string"},
            "log_url": text,
        }
    )
    return _object({"status": {"const": "error"}, "error": detail}) | {"description": envelope["description"]}
