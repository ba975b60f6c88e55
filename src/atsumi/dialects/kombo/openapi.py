"""Our own OpenAPI document, made of the tables that serve the requests and the structs that render the answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atsumi.dialects import openapi
from atsumi.dialects.freshness import AS_OF, HELD_BACK, NEXT_SYNC_AT, SYNC_STATE
from atsumi.dialects.kombo import wire
from atsumi.dialects.kombo.dialect import DIALECT
from atsumi.dialects.kombo.errors import CODES, ErrorDocument, Family, codes_of
from atsumi.dialects.kombo.general import CATEGORIES
from atsumi.dialects.kombo.lists import LISTS, Filter, Kind, ListSpec
from atsumi.dialects.kombo.operation import Operation
from atsumi.dialects.kombo.operations import OPERATIONS
from atsumi.dialects.kombo.writes import ActionReceipt
from atsumi.dialects.openapi import object_of
from atsumi.store.freshness import SYNC_STATES

Json = dict[str, Any]

_INSTANT: Json = {
    "type": "string",
    "description": "A date or an instant; without a zone it is read as UTC.",
    "examples": ["2024-01-31", "2024-01-31T09:30:00.000Z"],
}
_SOME_INSTANT = "2026-11-02T09:30:00.000Z"
_IN_PATHS = {
    "api": "One of the tool's APIs. The answer to an unknown one lists them.",
    "application_id": "Our id of the application.",
    "candidate_id": "Our id of the candidate.",
    "category": "The kind of tools; only `ats` has any here.",
    "custom_field_id": "The custom field's id.",
    "integration_field_id": "The field's id.",
    "integration_id": "The integration, as `{tool}:{id}`.",
    "job_id": "Our id of the job, or the tool's as `remote:{id}`.",
    "tool": "The integration's tool, such as `personio`.",
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


_TAGS = {
    "ats": "Files",
    "check-api-key": "Access",
    "integrations": "Integrations",
    "tools": "Tools",
    "force-sync": "Syncing",
    "passthrough": "Passthrough",
}
"""The groups of operations that are no lists, by the first part of their paths."""
_LISTS_TAG, _WRITES_TAG = "Lists", "Writing"
_MORE_STATUSES: Mapping[Family, Mapping[int, str]] = {
    Family.ATS: {404: "There is no such record."},
    Family.GENERAL: {404: "There is nothing with this id.", 409: "It is not possible as things stand."},
}
"""What is answered besides without a code."""

_READS_OF_FILES = ("GetAtsApplicationsApplicationIdAttachments", "GetAtsCandidatesCandidateIdAttachments")
_CONCURRENCY: Json = {
    "Concurrency-Limit": {
        "schema": {"type": "integer"},
        "description": "How many actions an integration may have under way at the same time.",
    },
    "Concurrency-Remaining": {"schema": {"type": "integer"}, "description": "How many more it may begin now."},
}
_REPLAYED: Json = {
    "Idempotent-Replayed": {
        "schema": {"const": "true"},
        "description": "This answer was given before, to the same request.",
    },
}
_DEFERRED: Json = {
    "202": openapi.content(
        "With `Prefer: respond-async`: the action is carried out in its turn. `Location` leads to its state.",
        object_of(
            {
                "status": {"const": "success"},
                "data": openapi.reference(ActionReceipt.__name__),
                "warnings": {"type": "array", "items": object_of({"message": {"type": "string"}})},
            }
        ),
        headers=_CONCURRENCY,
    )
}
_WRITE_PARAMETERS = (
    openapi.header(
        "Idempotency-Key",
        "Of your choice, new for each write: the same key with the same request, within 7 days, gives the first "
        "answer again instead of writing twice. `X-Idempotency-Key` means the same. Without one, equal requests "
        "within 10 minutes are one.",
        is_required=False,
    ),
    openapi.header(
        "Prefer",
        "`respond-async` for a receipt at once, `wait=30` for at most 30 seconds of waiting.",
        is_required=False,
    ),
    openapi.query(
        "dry_run",
        {"type": "boolean", "default": False},
        "Answer with the requests that the tool would get, secrets masked, and send nothing. A parameter of ours.",
    ),
)


def openapi_document() -> bytes:
    """The document as JSON."""
    bodies = [body for op in OPERATIONS for body in (op.body, op.data) if body is not None]
    schemas = openapi.components([*(spec.document for spec in LISTS), *bodies, ActionReceipt, ErrorDocument])
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
    security = {"api_key": {"type": "http", "scheme": DIALECT.auth_scheme.lower()}}
    tags = (_LISTS_TAG, _WRITES_TAG, *_TAGS.values())
    return openapi.document(DIALECT.title, DIALECT.version, DIALECT.base_path, paths, schemas, security, tags)


def _operation(operation: Operation) -> Json:
    body = openapi.request_body(_reference(operation.body)) if operation.body is not None else {}
    headers = _FRESHNESS if operation.list is not None else _CONCURRENCY | _REPLAYED if operation.is_write else None
    return {
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [_tag(operation)],
        "parameters": _parameters(operation),
        **body,
        "responses": {
            "200": openapi.content("Success.", _success(operation), example=_example(operation), headers=headers),
            **(_DEFERRED if operation.is_write else {}),
            **_errors(operation.family),
        },
    }


def _tag(operation: Operation) -> str:
    if operation.list is not None:
        return _LISTS_TAG
    part = operation.path.split("/")[1]
    return _WRITES_TAG if part == "ats" and operation.id not in _READS_OF_FILES else _TAGS[part]


def _errors(family: Family) -> Json:
    """By status, with the codes that it may have."""
    said: dict[int, list[str]] = {status: [text] for status, text in _MORE_STATUSES[family].items()}
    for code in codes_of(family):
        said.setdefault(CODES[code].status, []).append(f"`{code}`: {CODES[code].title}.")
    schema = openapi.reference(_error_name(family))
    return {str(status): openapi.content(" ".join(said[status]), schema) for status in sorted(said)}


def _example(operation: Operation) -> Any:
    """A page with the golden file of the list's documents."""
    if operation.list is None:
        return None
    document = openapi.golden(__package__, operation.list.name)
    return {"status": "success", "data": {"next": None, "as_of": _SOME_INSTANT, "results": [document]}}


def _success(operation: Operation) -> Json:
    if operation.list is not None:
        data = object_of(
            {
                "next": openapi.or_null({"type": "string"}),
                "as_of": openapi.or_null({"type": "string", "format": "date-time"})
                | {"description": f"{_AS_OF} `null` before there was one. A field of ours."},
                "results": _array(_reference(operation.list.document)),
            }
        )
    else:
        data = _reference(operation.data) if operation.data is not None else {"type": "object"}
    more: Json = {"warnings": _array(object_of({"message": {"type": "string"}}))} if operation.has_warnings else {}
    return object_of({"status": {"const": "success"}, "data": data} | more)


def _reference(document: type) -> Json:
    return openapi.reference(document.__name__)


def _parameters(operation: Operation) -> list[Json]:
    found = [_path(name) for name in openapi.path_names(operation.path)]
    if operation.is_addressed:
        found.append(openapi.header(DIALECT.integration_header, "The integration, as `{tool}:{id}`."))
    if operation.is_write:
        found += _WRITE_PARAMETERS
    if operation.largest_page is not None:
        found += _paging(operation.largest_page)
    return found + (_list_parameters(operation.list) if operation.list is not None else [])


def _path(name: str) -> Json:
    schema: Json = {"type": "string"}
    if name == "category":
        schema |= {"enum": list(CATEGORIES), "examples": ["ats"]}
    return {"name": name, "in": "path", "required": True, "schema": schema, "description": _IN_PATHS[name]}


def _paging(largest: int) -> list[Json]:
    paging = DIALECT.paging
    size = {"type": "integer", "minimum": 1, "maximum": largest, "default": paging.default_size}
    return [
        openapi.query(paging.cursor_parameter, {"type": "string"}, "`next` of the page before, with the same filters."),
        openapi.query(paging.size_parameter, size, "How many records a page holds at most."),
    ]


def _list_parameters(spec: ListSpec) -> list[Json]:
    flag = {"type": "boolean", "default": False}
    return [
        *_paging(DIALECT.paging.maximum_size),
        openapi.query("updated_after", _INSTANT, "Records that changed after this, or whose related data did."),
        openapi.query("include_deleted", flag, "Also records that are gone from the tool."),
        openapi.query("ignore_unsupported_filters", flag, "Skip filters on fields that the tool cannot fill."),
        openapi.query("ids", _array({"type": "string"}), "Our ids."),
        openapi.query("remote_ids", _array({"type": "string"}), "The tool's ids."),
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
    return openapi.query(filter_.name, text, filter_.description) | (
        {"deprecated": True} if filter_.is_deprecated else {}
    )


def _array(items: Json) -> Json:
    return {"type": "array", "items": items}


def _error_name(family: Family) -> str:
    return {Family.ATS: "AtsError", Family.GENERAL: "GeneralError"}[family]


def _error_schema(envelope: Json, family: Family) -> Json:
    text = openapi.or_null({"type": "string"})
    statuses = ", ".join(f"{code} {CODES[code].status}" for code in codes_of(family))
    detail = object_of(
        {
            "code": {"enum": [*codes_of(family), None], "description": f"With its HTTP status: {statuses}."},
            "title": text,
            "message": {"type": "string"},
            "log_url": text,
        }
    )
    return object_of({"status": {"const": "error"}, "error": detail}) | {"description": envelope["description"]}
