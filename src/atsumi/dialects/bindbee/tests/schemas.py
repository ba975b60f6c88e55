"""Bodies that fit a schema of ``create/meta``, and bodies that break it in one place. Knows the words used there."""

from __future__ import annotations

import copy
import string
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from typing import Any, NamedTuple

from hypothesis import strategies as st

Json = dict[str, Any]
Loc = tuple[str | int, ...]

_LETTERS = st.text(string.ascii_letters + string.digits + " äß€.,", max_size=20)
_KNOWN = (
    "$schema type properties required additionalProperties items enum pattern format minLength maxLength minimum "
    "maximum minItems maxItems oneOf allOf contentEncoding description isRequired enumInformation allowed_values"
)
_WORDS = frozenset(_KNOWN.split())
_MOMENTS = st.datetimes(timezones=st.just(UTC))
_FILE = "JVBERi0xLjQ="


def bodies(schema: Json) -> st.SearchStrategy[Json]:
    """Bodies that fit. Where the schema tells jobs apart, each of them is taken."""
    cases = schema.get("allOf", ())
    if not cases:
        return _values(schema)
    return st.sampled_from(cases).flatmap(lambda case: _values(merged(schema, case)))


def merged(schema: Json, case: Json) -> Json:
    """The schema for the job of one case."""
    found = copy.deepcopy({name: value for name, value in schema.items() if name != "allOf"})
    found["properties"]["job"]["enum"] = [case["if"]["properties"]["job"]["const"]]
    _overlay(found, case["then"])
    return found


def _overlay(schema: Json, more: Json) -> None:
    for name, one in more.get("properties", {}).items():
        if "type" in one:
            schema["properties"][name] = one
        else:
            _overlay(schema["properties"][name], one)
    schema["required"] = sorted({*schema.get("required", ()), *more.get("required", ())})


def _values(schema: Json) -> st.SearchStrategy[Any]:
    unknown = schema.keys() - _WORDS
    assert not unknown, f"the generator does not know {unknown}"
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    return _BY_TYPE[schema["type"]](schema)


def _objects(schema: Json) -> st.SearchStrategy[Json]:
    possible = {name: one for name, one in schema.get("properties", {}).items() if one.get("enum") != []}
    properties = {name: _values(one) for name, one in possible.items()}
    required = set(schema.get("required", ()))

    def shape(alternative: set[str]) -> st.SearchStrategy[Json]:
        others = {name for one in schema.get("oneOf", ()) for name in one["required"]} - alternative
        fixed = {name: properties[name] for name in sorted(required | alternative)}
        optional = {name: one for name, one in properties.items() if name not in required | alternative | others}
        return st.fixed_dictionaries(fixed, optional=optional)

    alternatives = [set(one["required"]) for one in schema.get("oneOf", ())]
    found = st.one_of([shape(one) for one in alternatives or [set()]])
    if schema.get("additionalProperties") is True:
        more = st.dictionaries(st.sampled_from(["x_one", "x_two"]), st.one_of(_LETTERS, st.integers(0, 9)), max_size=1)
        return st.tuples(found, more).map(lambda pair: pair[0] | pair[1])
    return found


def _texts(schema: Json) -> st.SearchStrategy[str]:
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if schema.get("contentEncoding") == "base64":
        return st.just(_FILE)
    match schema.get("format"):
        case "uuid":
            return st.uuids().map(str)
        case "date":
            return st.dates().map(str)
        case "date-time":
            return _MOMENTS.map(lambda moment: moment.isoformat())
        case "uri":
            return st.just("https://files.example/cv.pdf")
        case "email":
            return st.just("ada@example.com")
    if "pattern" in schema:
        found = st.from_regex(schema["pattern"], alphabet=string.ascii_letters + string.digits + ".")
    else:
        found = st.text(string.ascii_letters, min_size=least, max_size=most if most is not None else 20)
    # Python's ``$`` matches before a line feed at the end, too, which no other language's does.
    return found.filter(lambda text: least <= len(text) <= (most or len(text)) and not text.endswith("\n"))


def _numbers(schema: Json) -> st.SearchStrategy[float]:
    least, most = schema.get("minimum", -1e6), schema.get("maximum", 1e6)
    return st.one_of(st.floats(least, most), st.just(least))


_BY_TYPE: Mapping[str, Callable[[Json], st.SearchStrategy[Any]]] = {
    "object": _objects,
    "string": _texts,
    "number": _numbers,
    "boolean": lambda schema: st.booleans(),
    "array": lambda schema: st.lists(_values(schema["items"]), min_size=schema.get("minItems", 0), max_size=3),
}


class Broken(NamedTuple):
    """A body that breaks the schema, where, and in what way."""

    body: Json
    loc: Loc
    how: str


def breaks(schema: Json, body: Json) -> Iterator[Broken]:
    """All the ways that are known to break a body that fits ``schema`` (of one job) in one place."""
    yield from _breaks(schema, body, (), body)


def _breaks(schema: Json, value: Any, loc: Loc, whole: Json) -> Iterator[Broken]:
    if loc:
        for how, wrong in _wrongs(schema):
            yield Broken(_with(whole, loc, wrong), loc, how)
    if schema["type"] == "array":
        if value and "maxItems" in schema:
            yield Broken(_with(whole, loc, value[:1] * (schema["maxItems"] + 1)), loc, "too many")
        for index, one in enumerate(value):
            yield from _breaks(schema["items"], one, (*loc, index), whole)
    if schema["type"] != "object":
        return
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        left = {key: one for key, one in value.items() if key != name}
        if properties[name]["type"] != "object":
            yield Broken(_with(whole, loc, left), (*loc, name), f"{name} is missing")
    if schema.get("additionalProperties") is False:
        yield Broken(_with(whole, loc, value | {"frist_name": "A"}), (*loc, "frist_name"), "a name that is not known")
    if "oneOf" in schema:
        names = {name for one in schema["oneOf"] for name in one["required"]}
        neither = {key: one for key, one in value.items() if key not in names}
        yield Broken(_with(whole, loc, neither), loc, "none of the alternatives")
        both = neither | {"file_url": "https://files.example/cv.pdf", "file_content": _FILE}
        yield Broken(_with(whole, loc, both), loc, "both alternatives")
    for name, one in value.items():
        if name in properties:
            yield from _breaks(properties[name], one, (*loc, name), whole)


def _wrongs(schema: Json) -> Iterator[tuple[str, Any]]:
    kind = schema["type"]
    yield "another type", {"string": 7, "number": "7", "boolean": "true", "array": "a", "object": [1]}[kind]
    if "enum" in schema:
        yield "no word of the list", "00000000-0000-8000-8000-00000000dead"
        return
    if kind == "string":
        if schema.get("format") in ("uuid", "date", "date-time", "uri", "email") or "pattern" in schema:
            yield "another form", " "
        if schema.get("minLength", 0) > 0:
            yield "too short", ""
        if "maxLength" in schema and schema["maxLength"] < 10_000:
            yield "too long", "a" * (schema["maxLength"] + 1)
    if kind == "number":
        for word, step in (("minimum", -1), ("maximum", 1)):
            if word in schema:
                yield f"beyond the {word}", schema[word] + step
    if kind == "array" and schema.get("minItems", 0) > 0:
        yield "too few", []


def _with(whole: Json, loc: Loc, value: Any) -> Json:
    """The body with another value at a place."""
    if not loc:
        return dict(value)
    found = copy.deepcopy(whole)
    inner: Any = found
    for step in loc[:-1]:
        inner = inner[step]
    inner[loc[-1]] = value
    return found
