"""The OpenAPI document of our own API, made of the table that serves it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from atsumi.dialects import openapi
from atsumi.dialects.atsumi.errors import CODES, CONTENT_TYPE
from atsumi.dialects.atsumi.operations import INTEGRATION, INTEGRATION_HEADER, OPERATIONS, Operation
from atsumi.dialects.atsumi.parameters import MODEL_BY_NAME, Parameter
from atsumi.dialects.atsumi.wire import Code, Problem
from atsumi.model.catalog import STRUCTS

BASE_PATH = "/atsumi/v1"
TITLE = "Atsumi's own API: tools, changes, history, sync runs and actions"

Json = dict[str, Any]

_SHOWN = 3
"""How many items of a list an example shows."""


def openapi_document() -> bytes:
    """The document as JSON."""
    answers: list[type] = [operation.answer for operation in OPERATIONS]
    schemas = openapi.components([*answers, Problem, *STRUCTS.values()])
    schemas["RecordState"]["properties"]["record"] = {
        "anyOf": [openapi.reference(struct.__name__) for struct in STRUCTS.values()]
    }
    statuses = ", ".join(f"`{code}` {status}" for code, (status, _) in CODES.items())
    schemas["Problem"]["properties"]["code"]["description"] = f"With its HTTP status: {statuses}."
    paths: Json = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    security = {"api_key": {"type": "http", "scheme": "bearer"}}
    tags = dict.fromkeys(operation.tag for operation in OPERATIONS)
    return openapi.document(TITLE, "1.0.0", BASE_PATH, paths, schemas, security, tags)


def _operation(operation: Operation) -> Json:
    header = openapi.header(INTEGRATION_HEADER, "The integration, as `{tool}:{id}`.")
    example = _excerpt(openapi.golden(__package__, operation.id))
    return {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": operation.description,
        "tags": [operation.tag],
        "parameters": [
            *((header,) if operation.is_about_integration and not operation.names_integration else ()),
            *(_path(name) for name in openapi.path_names(operation.path)),
            *(_query(one) for one in operation.parameters),
        ],
        "responses": {
            "200": openapi.content("Success.", openapi.reference(operation.answer.__name__), example=example),
            **_errors(operation),
        },
    }


def _excerpt(answer: Any) -> Any:
    """An answer with the first items of its lists, as many as a reader needs to see what they hold."""
    if isinstance(answer, list):
        return [_excerpt(item) for item in answer[:_SHOWN]]
    return {key: _excerpt(value) for key, value in answer.items()} if isinstance(answer, dict) else answer


def _errors(operation: Operation) -> Json:
    found: dict[int, list[str]] = {}
    for code in _codes(operation):
        status, title = CODES[code]
        found.setdefault(status, []).append(f"`{code}`: {title}.")
    schema = openapi.reference(Problem.__name__)
    return {
        str(status): openapi.content(" ".join(said), schema, CONTENT_TYPE) for status, said in sorted(found.items())
    }


def _codes(operation: Operation) -> Iterator[Code]:
    yield from ("invalid_input", "authentication_required", "timed_out", "internal_error")
    if operation.is_about_integration:
        yield "integration_not_found"
        if operation.reads_records:
            yield from ("not_ready", "no_longer_kept")
    if set(openapi.path_names(operation.path)) - {INTEGRATION}:
        yield "not_found"


def _path(name: str) -> Json:
    schema: Json = {"type": "string"}
    if name == "model":
        schema |= {"enum": list(MODEL_BY_NAME), "examples": ["application"]}
    if name == "tool":
        schema["examples"] = ["personio"]
    described = {
        "id": "The record's id, in either spelling.",
        "run_id": "The run's id, in either spelling.",
        "action_id": "The action's id, in either spelling.",
        "integration_id": "The integration, as `{tool}:{id}`.",
        "tool": "The tool's slug.",
    }
    description = described.get(name, "The record's model.")
    return {"name": name, "in": "path", "required": True, "schema": schema, "description": description}


def _query(parameter: Parameter) -> Json:
    return openapi.query(parameter.name, parameter.schema, parameter.description, is_required=parameter.is_required)
