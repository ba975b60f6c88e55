"""JMESPath from strangers finds what it should, and never takes long. Work is counted, not timed."""

from __future__ import annotations

import json
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from atsumi.errors import InvalidInput
from atsumi.sync.paths import BUDGET, MAX_LENGTH, PathError, compile_path, evaluate, resolve

PERSON = {
    "name": "Ada",
    "age": 36,
    "custom attributes": [{"id": "a", "value": "x"}, {"id": "b", "value": None}, {"id": "c", "value": 3}],
    "links": {"self": "https://example.com/1", "next": None},
    "tags": ["z", "y", "x"],
}
LARGE = {
    "numbers": list(range(2_000)),
    "words": [f"word {number}" for number in range(2_000)],
    "rows": [{"id": str(number), "cells": list(range(10))} for number in range(400)],
    "text": "long " * 20_000,
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", "Ada"),
        ("\"custom attributes\"[?id=='a'].value | [0]", "x"),
        ('"custom attributes"[].value', ["x", 3]),
        ("missing.deeper[0]", None),
        ("links.next", None),
        ("nickname || name", "Ada"),
        ("{who: name, first: tags[0]}", {"who": "Ada", "first": "z"}),
        ("sort(tags) | join(', ', @)", "x, y, z"),
        ("map(&type(@), values(links))", ["string", "null"]),
        ("age > `18`", True),
        ("to_number(name)", None),
        ("@", PERSON),
    ],
)
def test_a_path_finds_its_value(path: str, value: Any) -> None:
    assert evaluate(compile_path(path), PERSON) == value


@pytest.mark.parametrize(
    ("path", "is_missing"),
    [
        ("links.next", False),
        ("links.previous", True),
        ("name.first", True),
        ("tags[7]", True),
        ("missing[*].id", True),
        ("tags[?@=='q'] | [0]", True),
        ("tags", False),
        ("missing || name", False),
        ("name[*].x", True),
        ("name.*", True),
        ("name[]", True),
        ("name[?x]", True),
        ("name[0]", True),
        ("name[:1]", True),
        ("links.next.first", True),
        ("links.next.{first: first}", True),
        ("links.next.[first]", True),
        ("links.next | @", False),
        ("tags[*].id", False),
        ('"custom attributes"[1].value', False),
        ("[links.next] | [0]", False),
        ("[links.next] | [-1]", False),
        ("[links.next] | [-2]", True),
        ("{first: missing, second: links.next}.second", False),
        ("missing || links.next", False),
        ("links.next || missing", False),
        ("missing || name.first", True),
        ("missing || links.next || tags[7]", False),
        ("not_null(missing, links.next)", False),
        ("not_null(missing, tags[7])", True),
        ("missing && name", True),
        ("links.next && missing", False),
        ("name && missing", True),
        ("to_number(name)", False),
        ("to_number(missing)", True),
    ],
)
def test_a_null_of_the_document_is_not_a_path_that_leads_nowhere(path: str, is_missing: bool) -> None:
    assert resolve(compile_path(path), PERSON).is_missing is is_missing


@pytest.mark.parametrize(
    "path",
    [
        "",
        " ",
        "a.",
        "a..b",
        "$.name",
        "[?",
        "`{`",
        "`bare`",
        "`NaN`",
        '"\\ud800"',
        "\ud800",
        "'\0'",
        "system('x')",
        "&name",
        "not_null(&name)",
        "[&name]",
        "(" * 500,
        "[" * 1000,
        "!" * 1000 + "a",
        "||".join("a" * 300),
        "a" * (MAX_LENGTH + 1),
    ],
    ids=lambda path: repr(path[:20]),
)
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput, match="the path") as refused:
        compile_path(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "path",
    [
        "name < age",
        "sort(keys(@)) && sum(tags)",
        "tags[::0]",
        "to_number('inf')",
        "ceil(to_number('inf'))",
        "to_number('" + "9" * 400 + "')",
        "sum([`1`, name])",
        "length(age)",
        "`" + "[" * 500 + "]" * 500 + "`",
        "length()",
    ],
    ids=lambda path: path[:20],
)
def test_what_cannot_be_computed_names_no_value(path: str) -> None:
    with pytest.raises(PathError) as failed:
        evaluate(compile_path(path), PERSON)
    assert "Ada" not in str(failed.value)


@contextmanager
def bounded_work() -> Iterator[None]:
    """Calls, of Python and of C, and memory within a fixed multiple of the budget."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    tracemalloc.start()
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(None)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert calls < 30 * BUDGET
    assert peak < 1_000 * BUDGET


HOSTILE = {
    "doubled lists": " | ".join(["[@, @]"] * 60),
    "doubled objects": " | ".join(["{a: @, b: @}"] * 60),
    "doubled and flattened": " | ".join(["[numbers, numbers]", *["[@, @][]"] * 50]),
    "doubled text": " | ".join(["text", *["join('', [@, @])"] * 50]),
    "doubled, then text": " | ".join([*["[@, @]"] * 40, "to_string(@)"]),
    "text of text": " | ".join(["text", *["to_string([@, @])"] * 40]),
    "compared": f"({' | '.join(['[@, @]'] * 25)}) == ({' | '.join(['[@, @]'] * 25)})",
    "every number for every number": "map(&sort(@), map(&[@, @, @], numbers)) | [].[@, @] | []",
    "rows for every row": "rows[*].[$rows]".replace("$rows", "cells[*].[@, @, @, @, @, @, @, @, @, @, @, @, @, @, @]"),
    "sorted again and again": " | ".join(["numbers", *["sort_by(@, &@)"] * 40]),
    "sorted by sorted": "sort_by(rows, &to_string(sort_by(cells, &abs(sum([@, @, @])))))",
    "a long separator": "join(to_string(rows), words)",
    "merged": " | ".join(["{a: @}", *["merge(@, {b: @, c: @})"] * 30]),
    "reversed": " | ".join(["text", *["reverse(join(@, [@, @]))"] * 20]),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_path_ends_soon(name: str) -> None:
    path = compile_path(HOSTILE[name])

    with bounded_work(), pytest.raises(PathError, match=f"{BUDGET} steps|deeper"):
        evaluate(path, LARGE)


def test_a_deep_document_is_no_way_around() -> None:
    document: Any = "end"
    for _ in range(5_000):
        document = [document]

    with bounded_work(), pytest.raises(PathError, match="nested"):
        evaluate(compile_path("[@, @]"), document)


names = st.sampled_from(["name", "numbers", "words", "rows", "cells", "id", "text", "@", "*", "`1`", "'a'", '"a b"'])
steps = st.sampled_from(["[]", "[*]", "[0]", "[::-1]", "[?@]", "[-1:]", ".*"])


def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(inner, inner)
    functions = ["to_string", "sort", "length", "keys", "values", "reverse", "sum", "to_array", "max", "to_number"]
    return st.one_of(
        st.tuples(inner, steps).map("".join),
        st.tuples(two, st.sampled_from([".", " | ", " || ", " && ", " == ", " < "])).map(lambda p: p[1].join(p[0])),
        two.map(lambda pair: f"[{pair[0]}, {pair[1]}]"),
        two.map(lambda pair: f"{{a: {pair[0]}, b: {pair[1]}}}"),
        two.map(lambda pair: f"map(&{pair[0]}, to_array({pair[1]}))"),
        two.map(lambda pair: f"sort_by(to_array({pair[0]}), &{pair[1]})"),
        two.map(lambda pair: f"join({pair[0]}, {pair[1]})"),
        st.tuples(st.sampled_from(functions), inner).map(lambda pair: f"{pair[0]}({pair[1]})"),
        inner.map(lambda one: f"!({one})"),
        st.tuples(inner, st.integers(2, 40)).map(lambda pair: " | ".join([pair[0]] * pair[1])),
    )


@settings(deadline=None, max_examples=60)
@given(st.one_of(st.recursive(names, grow, max_leaves=12), st.text(max_size=40)))
@example("to_array(*)[*].[@, @]")
def test_whatever_is_asked_is_answered_or_refused_with_bounded_work(text: str) -> None:
    with bounded_work():
        try:
            value = evaluate(compile_path(text), LARGE)
        except (InvalidInput, PathError):
            return
        assert json.loads(json.dumps(value, allow_nan=False)) == value
