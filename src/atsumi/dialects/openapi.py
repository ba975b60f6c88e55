"""Small parts of which OpenAPI documents are made, for every API surface alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from inspect import cleandoc
from typing import Any

import msgspec

from atsumi.dialects.http import pattern

Json = dict[str, Any]

_REFERENCE = "#/components/schemas/{name}"
_ROLE = re.compile(r":\w+:`~?(?:[\w.]*\.)?(\w+)`")
"""How a docstring refers to code; Markdown has no word for it."""


def document(
    title: str,
    version: str,
    base_path: str,
    paths: Json,
    schemas: Json,
    security: Mapping[str, Json],
    tags: Iterable[str] = (),
) -> bytes:
    """The whole document as JSON. All of ``security`` is needed, unless an operation says otherwise.

    ``tags`` are the operations' groups in the order of reading.
    """
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": title, "version": version},
            "servers": [{"url": base_path}],
            "security": [{name: [] for name in security}],
            "tags": [{"name": tag} for tag in tags],
            "paths": paths,
            "components": {"securitySchemes": security, "schemas": schemas},
        }
    )


def components(types: Iterable[type]) -> Json:
    """The schemas of the types and of what they are made of, by name; their docstrings are the descriptions."""
    schemas: Json = msgspec.json.schema_components(types, ref_template=_REFERENCE)[1]
    for schema in schemas.values():
        if "description" in schema:
            schema["description"] = _ROLE.sub(r"`\1`", cleandoc(schema["description"]))
    return schemas


def schema_of(type_: Any) -> Json:
    """The schema of one type, with references to :func:`components`."""
    schema: Json = msgspec.json.schema_components([type_], ref_template=_REFERENCE)[0][0]
    return schema


def reference(name: str) -> Json:
    """A schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def content(
    description: str, schema: Json, content_type: str = "application/json", *, example: Any = None, headers: Any = None
) -> Json:
    """A response. ``headers`` are by name, ``example`` is a whole body."""
    shown = {"schema": schema} | ({"example": example} if example is not None else {})
    said = {"description": description, "content": {content_type: shown}}
    return said | ({"headers": headers} if headers else {})


def request_body(schema: Json) -> Json:
    """The part of an operation that says which body it takes."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def golden(package: str, name: str) -> Any:
    """What the golden file of that name in a dialect's package holds; ``None`` where there is none."""
    file = files(package).joinpath(f"golden/{name}.json")
    return msgspec.json.decode(file.read_bytes()) if file.is_file() else None


def object_of(properties: Json) -> Json:
    """An object that has all of these properties."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def or_null(schema: Json) -> Json:
    """The schema, or ``null``."""
    return {"anyOf": [schema, {"type": "null"}]}


def query(name: str, schema: Json, description: str, *, is_required: bool = False, is_repeated: bool = False) -> Json:
    """A query parameter; an array's values are separated by commas unless the parameter is repeated."""
    is_array = schema.get("type") == "array" and not is_repeated
    array: Json = {"style": "form", "explode": False} if is_array else {}
    return {"name": name, "in": "query", "required": is_required, "schema": schema, "description": description} | array


def header(name: str, description: str, *, is_required: bool = True) -> Json:
    """A header that is sent with a request."""
    schema = {"type": "string"}
    return {"name": name, "in": "header", "required": is_required, "schema": schema, "description": description}


def path_names(path: str) -> tuple[str, ...]:
    """The named parts of a path."""
    return tuple(pattern(path).groupindex)
