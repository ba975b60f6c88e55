"""The OpenAPI document of our own API, made of the table that serves it."""

from __future__ import annotations

from typing import Any

import msgspec

from atsumi.dialects.atsumi.errors import CODES, CONTENT_TYPE
from atsumi.dialects.atsumi.operations import INTEGRATION_HEADER, OPERATIONS, Operation
from atsumi.dialects.atsumi.parameters import MODEL_BY_NAME, Parameter
from atsumi.dialects.atsumi.wire import Problem
from atsumi.dialects.http import pattern
from atsumi.model.catalog import STRUCTS

BASE_PATH = "/atsumi/v1"

Json = dict[str, Any]


def openapi_document() -> bytes:
    """The document as JSON."""
    answers: list[type] = [operation.answer for operation in OPERATIONS]
    _, schemas = msgspec.json.schema_components(
        [*answers, Problem, *STRUCTS.values()], ref_template="#/components/schemas/{name}"
    )
    schemas["RecordState"]["properties"]["record"] = {
        "anyOf": [{"$ref": f"#/components/schemas/{struct.__name__}"} for struct in STRUCTS.values()]
    }
    statuses = ", ".join(f"`{code}` {status}" for code, (status, _) in CODES.items())
    schemas["Problem"]["properties"]["code"]["description"] = f"With its HTTP status: {statuses}."
    paths: Json = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": "Atsumi: changes, history and sync runs", "version": "1.0.0"},
            "servers": [{"url": BASE_PATH}],
            "security": [{"api_key": []}],
            "paths": paths,
            "components": {
                "securitySchemes": {"api_key": {"type": "http", "scheme": "bearer"}},
                "schemas": schemas,
            },
        }
    )


def _operation(operation: Operation) -> Json:
    header: Json = {
        "name": INTEGRATION_HEADER,
        "in": "header",
        "required": True,
        "schema": {"type": "string"},
        "description": "The integration, as `{tool}:{id}`.",
    }
    return {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": operation.description,
        "parameters": [
            *((header,) if operation.is_about_integration and not operation.names_integration else ()),
            *(_path(name) for name in pattern(operation.path).groupindex),
            *(_query(one) for one in operation.parameters),
        ],
        "responses": {
            "200": _content("Success.", "application/json", operation.answer.__name__),
            "default": _content("Error.", CONTENT_TYPE, Problem.__name__),
        },
    }


def _content(description: str, content_type: str, schema: str) -> Json:
    reference = {"$ref": f"#/components/schemas/{schema}"}
    return {"description": description, "content": {content_type: {"schema": reference}}}


def _path(name: str) -> Json:
    schema: Json = {"type": "string"}
    if name == "model":
        schema["enum"] = list(MODEL_BY_NAME)
    described = {
        "id": "The record's id, in either spelling.",
        "run_id": "The run's id, in either spelling.",
        "integration_id": "The integration, as `{tool}:{id}`.",
        "tool": "The tool's slug, such as `personio`.",
    }
    description = described.get(name, "The record's model.")
    return {"name": name, "in": "path", "required": True, "schema": schema, "description": description}


def _query(parameter: Parameter) -> Json:
    array = {"style": "form", "explode": False} if parameter.schema.get("type") == "array" else {}
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.is_required,
        "schema": parameter.schema,
        "description": parameter.description,
    } | array
