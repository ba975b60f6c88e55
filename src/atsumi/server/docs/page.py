"""From an OpenAPI document of ours to what a page shows. Each operation has one tag, its group."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import msgspec
from markdown_it import MarkdownIt
from markupsafe import Markup

from atsumi.server.docs.examples import example_of

Json = dict[str, Any]

BASE = "http://atsumi.invalid"
"""Stands for the product's own address until a page is sent."""

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).disable("image")
_TOKEN = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?=:)|(?P<text>"(?:[^"\\]|\\.)*")|(?P<word>\b(?:true|false|null)\b|-?\b\d[\d.eE+-]*\b)'
)


@dataclass(frozen=True, slots=True)
class Type:
    """What a value may be: words, and the schemas that they name by position."""

    parts: tuple[tuple[str, str | None], ...]
    """Text, and the anchor that it leads to."""


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    type: Type
    description: Markup
    is_required: bool
    place: str = ""
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Response:
    status: str
    phrase: str
    description: Markup
    type: Type | None
    headers: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    description: Markup
    is_deprecated: bool
    needs_key: bool
    parameters: tuple[Field, ...]
    body: Type | None
    responses: tuple[Response, ...]
    curl: str
    example: Markup | None
    example_status: str


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    anchor: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Schema:
    name: str
    anchor: str
    description: Markup
    fields: tuple[Field, ...]
    type: Type | None
    """What it is where it is no object."""


@dataclass(frozen=True, slots=True)
class Page:
    title: str
    version: str
    base_path: str
    introduction: Markup
    groups: tuple[Group, ...]
    schemas: tuple[Schema, ...]


def page_of(document: Json, text: str) -> Page:
    """The page of a surface; ``text`` is its introduction in Markdown."""
    schemas = document["components"]["schemas"]
    base_path = document["servers"][0]["url"]
    grouped: dict[str, list[Operation]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            (tag,) = operation["tags"]
            grouped[tag].append(_operation(document, base_path, method.upper(), path, operation))
    return Page(
        title=document["info"]["title"],
        version=document["info"]["version"],
        base_path=base_path,
        introduction=_text(text),
        groups=tuple(Group(name, _slug("group", name), tuple(found)) for name, found in grouped.items()),
        schemas=tuple(_schema(name, schemas[name]) for name in sorted(schemas)),
    )


def _operation(document: Json, base_path: str, method: str, path: str, operation: Json) -> Operation:
    schemas = document["components"]["schemas"]
    body = operation.get("requestBody")
    body_schema = _content(body)[0] if body else None
    status, example = _example(operation["responses"], schemas)
    needs_key = bool(operation.get("security", document.get("security")))
    return Operation(
        id=operation["operationId"],
        method=method,
        path=base_path + path,
        summary=operation["summary"],
        description=_text(operation.get("description", "")),
        is_deprecated=operation.get("deprecated", False),
        needs_key=needs_key,
        parameters=tuple(_parameter(one) for one in operation.get("parameters", ())),
        body=_type(body_schema) if body_schema is not None else None,
        responses=tuple(_response(status, one) for status, one in operation["responses"].items()),
        curl=_curl(method, base_path + path, operation, schemas, needs_key=needs_key),
        example=highlighted(example) if example is not None else None,
        example_status=status,
    )


def _parameter(parameter: Json) -> Field:
    schema = parameter["schema"]
    facts = [f"default {_json(schema['default'])}"] if "default" in schema else []
    for word, key in (("at least", "minimum"), ("at most", "maximum")):
        if key in schema:
            facts.append(f"{word} {schema[key]}")
    if parameter.get("deprecated"):
        facts.append("deprecated")
    return Field(
        name=parameter["name"],
        type=_type(schema),
        description=_text(parameter.get("description") or schema.get("description", "")),
        is_required=parameter.get("required", False),
        place=parameter["in"],
        facts=tuple(facts),
    )


def _response(status: str, response: Json) -> Response:
    schema, _ = _content(response)
    return Response(
        status=status,
        phrase=HTTPStatus(int(status)).phrase if status.isdigit() else "",
        description=_text(response.get("description", "")),
        type=_type(schema) if schema is not None else None,
        headers=tuple(
            Field(name, _type(one.get("schema", {})), _text(one.get("description", "")), is_required=False)
            for name, one in response.get("headers", {}).items()
        ),
    )


def _schema(name: str, schema: Json) -> Schema:
    required = set(schema.get("required", ()))
    properties = schema.get("properties")
    return Schema(
        name=name,
        anchor=_slug("schema", name),
        description=_text(schema.get("description", "")),
        fields=tuple(
            Field(field, _type(one), _text(one.get("description", "")), is_required=field in required)
            for field, one in (properties or {}).items()
        ),
        type=_type(schema) if properties is None else None,
    )


def _content(holder: Json | None) -> tuple[Json | None, Json]:
    """The schema of a body, and all that is said of it."""
    for media in (holder or {}).get("content", {}).values():
        return media.get("schema", {}), media
    return None, {}


def _example(responses: Mapping[str, Json], schemas: Mapping[str, Json]) -> tuple[str, Any]:
    status = next(iter(responses))
    schema, media = _content(responses[status])
    if "example" in media:
        return status, media["example"]
    return status, example_of(schema, schemas) if schema else None


def _type(schema: Json) -> Type:
    return Type(tuple(_parts(schema)))


def _parts(schema: Json) -> Sequence[tuple[str, str | None]]:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return [(name, _slug("schema", name))]
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            found: list[tuple[str, str | None]] = []
            for one in schema[choice]:
                parts = _parts(one)
                if not set(parts) <= set(found):
                    found += [(" or ", None), *parts] if found else parts
            return found
    if "enum" in schema:
        return [(" | ".join(_json(word) for word in schema["enum"]), None)]
    if "const" in schema:
        return [(_json(schema["const"]), None)]
    match schema.get("type"):
        case None:
            return [("any value", None)]
        case "array":
            return [("list of ", None), *_parts(schema.get("items", {}))]
        case "object" if "properties" in schema:
            return [("object with ", None), (", ".join(schema["properties"]), None)]
        case str() as plain:
            return [(f"{plain}, {schema['format']}" if "format" in schema else plain, None)]
        case several:
            return [(" or ".join(several), None)]


def _curl(method: str, path: str, operation: Json, schemas: Mapping[str, Json], *, needs_key: bool) -> str:
    """A command that works once its shell variables are set."""
    query = []
    options = ['-H "Authorization: Bearer $API_KEY"'] if needs_key else []
    for one in operation.get("parameters", ()):
        name, variable = one["name"], "$" + re.sub(r"\W", "_", one["name"].lower().removeprefix("x-")).upper()
        if one["in"] == "path":
            path = path.replace(f"{{{name}}}", _sample(one) or variable)
        elif one["in"] == "header":
            options.append(f'-H "{name}: {variable}"')
        elif one.get("required") or "example" in one:
            query.append(f"{name}={_sample(one) or variable}")
    body = operation.get("requestBody")
    if body:
        schema, media = _content(body)
        sent = media["example"] if "example" in media else example_of(schema or {}, schemas)
        options += ['-H "Content-Type: application/json"', f"-d {shlex.quote(_json(sent))}"]
    command = "curl" if method == "GET" else f"curl -X {method}"
    address = f'"{BASE}{path}{"?" + "&".join(query) if query else ""}"'
    return f"{command} " + " \\\n  ".join([*options, address])


def _sample(parameter: Json) -> str | None:
    schema = parameter["schema"]
    given = parameter.get("example") or next(iter(schema.get("examples") or schema.get("enum") or ()), None)
    return quote(str(given)) if given is not None else None


def highlighted(value: Any) -> Markup:
    """JSON over several lines, with its parts marked."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    found, at = Markup(), 0
    for match in _TOKEN.finditer(text):
        found += text[at : match.start()]
        found += Markup('<span class="{}">{}</span>').format(match.lastgroup, match.group())
        at = match.end()
    return found + text[at:]


def _text(source: str) -> Markup:
    """Markdown as HTML that holds nothing but text: no HTML of the source, no pictures."""
    return Markup(_MARKDOWN.render(source))  # noqa: S704 -- the renderer escapes all HTML


def _slug(kind: str, name: str) -> str:
    return f"{kind}-{re.sub(r'[^A-Za-z0-9]+', '-', name).strip('-')}"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
