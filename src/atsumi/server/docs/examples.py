"""Examples made from schemas, where a document holds none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

_FORMATS = {
    "date-time": "2026-11-02T09:30:00.000Z",
    "uuid": "1c9ab72e-7b3f-8e14-9d52-6f0c1a2b3c4d",
    "uri": "https://example.com/",
}


def example_of(schema: Json, schemas: Mapping[str, Json], *, within: frozenset[str] = frozenset()) -> Any:
    """A value that the schema allows, always the same one.

    A schema inside itself ends in an empty list or ``null``, which the schema must allow there.
    """
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return None if name in within else example_of(schemas[name], schemas, within=within | {name})
    for given in ("const", "default", "example"):
        if given in schema:
            return schema[given]
    for several in ("examples", "enum"):
        if schema.get(several):
            return schema[several][0]
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            found = [example_of(one, schemas, within=within) for one in schema[choice]]
            return next((one for one in found if one is not None), None)
    return _plain(schema, schemas, within)


def _plain(schema: Json, schemas: Mapping[str, Json], within: frozenset[str]) -> Any:
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {name: example_of(one, schemas, within=within) for name, one in properties.items()}
        case "array":
            item = example_of(schema.get("items", {}), schemas, within=within)
            return [] if item is None else [item]
        case "string":
            return _FORMATS.get(schema.get("format", ""), "x" * schema.get("minLength", 0) or "text")
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case _:
            return None
