"""Our own OpenAPI document, made of the tables that serve the requests and the structs that render the answers."""

from __future__ import annotations

from typing import Any

from atsumi.dialects import openapi
from atsumi.dialects.bindbee.dialect import DIALECT
from atsumi.dialects.bindbee.errors import BadInput, Refusal
from atsumi.dialects.bindbee.lists import BY_NAME, LISTS, ListSpec
from atsumi.dialects.bindbee.operations import OPERATIONS, Operation
from atsumi.dialects.bindbee.parameters import Parameter
from atsumi.dialects.bindbee.parse import FILE_URL
from atsumi.model.names import Model

Json = dict[str, Any]

_OBJECT = openapi.or_null({"type": "object", "additionalProperties": True})
_EMPTY = 204
_INSTANT: Json = {"type": "string", "format": "date-time"}
_APPENDED: Json = {
    "modified_at": _INSTANT | {"description": "When what is shown was last changed by us."},
    "custom_fields": _OBJECT | {"description": "Filled with `include_custom_fields=true`."},
    "raw_data": _OBJECT | {"description": "What the tool sent. Filled with `include_raw_data=true`."},
}
_FILE_URL = openapi.or_null({"type": "string", "format": "uri"}) | {"description": "Where the file can be read."}
_REFUSALS = {
    "401": "The API key is missing or not known, or the connector token is not one of its environment.",
    "403": "The connector token is of another category, or the connector is switched off.",
    "404": "There is no such record.",
    "429": "More requests in a minute than a connector may have.",
}
"""What may be answered besides a success, with a text."""


def openapi_document() -> bytes:
    """The document as JSON."""
    types = [type_ for op in OPERATIONS for type_ in (op.body, op.answer, op.item) if type_ is not None]
    schemas = openapi.components([*types, Refusal, BadInput])
    for spec in LISTS:
        schemas[spec.document.__name__] = _completed(spec, schemas[spec.document.__name__])
    paths: Json = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    security = {"api_key": {"type": "http", "scheme": DIALECT.auth_scheme.lower()}}
    return openapi.document(DIALECT.title, DIALECT.version, DIALECT.base_path, paths, schemas, security)


def _completed(spec: ListSpec, schema: Json) -> Json:
    """A document's schema with the keys that are not stored with it, and with records in place of ids."""
    properties = {**schema["properties"], **_APPENDED}
    if spec.model is Model.ATTACHMENT:
        properties[FILE_URL] = _FILE_URL
    for name, target in spec.relations.items():
        inline = openapi.reference(BY_NAME[target].document.__name__)
        shown = properties[name]
        if shown.get("type") == "array":
            properties[name] = {**shown, "items": {"anyOf": [shown["items"], inline]}}
        else:
            properties[name] = {"anyOf": [*shown["anyOf"], inline]}
    return {**schema, "properties": properties, "required": list(properties)}


def _operation(operation: Operation) -> Json:
    token = openapi.header(DIALECT.integration_header, "The connector: which customer's records are meant.")
    body: Json = {}
    if operation.body is not None:
        schema = openapi.reference(operation.body.__name__)
        body = {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
    return {
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": [
            *([token] if operation.needs_token else []),
            *(_path(name) for name in openapi.path_names(operation.path)),
            *(_query(parameter) for parameter in operation.parameters),
        ],
        **body,
        "responses": {
            str(operation.status): openapi.content("Success.", _success(operation))
            if operation.status != _EMPTY
            else {"description": "Done. There is no body."},
            **{code: openapi.content(said, openapi.reference("Refusal")) for code, said in _REFUSALS.items()},
            "422": openapi.content("The request is not understood.", openapi.reference("BadInput")),
        },
    }


def _success(operation: Operation) -> Json:
    if operation.item is None:
        return openapi.schema_of(operation.answer) if operation.answer is not None else {}
    return openapi.object_of(
        {
            "cursor": openapi.or_null({"type": "string"}) | {"description": "`null` on the last page."},
            "page_size": {"type": "integer", "description": "How many items this page holds."},
            "items": {"type": "array", "items": openapi.reference(operation.item.__name__)},
        }
    )


def _path(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}


def _query(parameter: Parameter) -> Json:
    return openapi.query(parameter.name, parameter.schema, parameter.description, is_repeated=True)
