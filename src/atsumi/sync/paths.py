"""JMESPath expressions over raw documents, from callers who are not trusted.

An expression is compiled once (:func:`compile_path`) and evaluated for many documents (:func:`evaluate`). Work is
counted in steps, not in time: the same expression over the same document succeeds or fails on every machine. What
counts is the *logical* size of what an expression makes, since ``[@,@]|[@,@]|…`` makes 2^n elements from n lists.

Language: https://jmespath.org/specification.html (read 2026-11-22), as the library ``jmespath`` implements it.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from jmespath.parser import Parser
from jmespath.visitor import Options, TreeInterpreter

from atsumi.errors import InvalidInput, MappingError

MAX_LENGTH = 1024
"""Characters of an expression."""
MAX_NESTING = 64
"""Levels of an expression's syntax tree."""
MAX_DEPTH = 100
"""Levels of arrays and objects in what an expression makes."""
BUDGET = 50_000
"""Steps of one evaluation. A path of five names takes eleven."""

_CHARACTERS_PER_STEP = 32
_SAFE_INTEGERS = range(-(2**63), 2**64)
_TAKES_EXPRESSION = {"map", "sort_by", "min_by", "max_by"}
_MAKERS = {
    "filter_projection",
    "flatten",
    "function_expression",
    "multi_select_dict",
    "multi_select_list",
    "projection",
    "slice",
    "value_projection",
}
"""Kinds of nodes whose values are made, not found in the document."""
_SHAPERS = _MAKERS - {"function_expression"}
"""Kinds of nodes that come to null only where they are given nothing, or a value of a type they do not take."""


class PathError(MappingError):
    """An expression cannot be evaluated over a document; the message names the reason, never a value."""


@dataclass(frozen=True, slots=True)
class Path:
    """A compiled expression; equal if the texts are."""

    text: str
    tree: Any = field(compare=False, repr=False)


class Resolved(NamedTuple):
    """What an expression came to. ``is_missing``: nothing, as what it goes through is not there, or of another type."""

    value: Any
    is_missing: bool


@lru_cache(maxsize=1024)
def compile_path(text: str) -> Path:
    """Read an expression of at most :data:`MAX_LENGTH` characters. The most recent ones are kept compiled.

    Raises :class:`~atsumi.errors.InvalidInput` if it is longer, no JMESPath, nested deeper than
    :data:`MAX_NESTING`, holds what cannot be stored as text or JSON, calls an unknown function, or uses ``&`` other
    than as an argument of a function that takes an expression.
    """
    if len(text) > MAX_LENGTH:
        raise InvalidInput(f"the path has {len(text)} characters; at most {MAX_LENGTH} are allowed")
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidInput("the path holds a character that cannot be stored")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", PendingDeprecationWarning)
            tree = Parser().parse(text).parsed
    except (JMESPathError, PendingDeprecationWarning, RecursionError, ValueError) as error:
        raise InvalidInput(f"the path is not a JMESPath expression: {_first_line(error)}") from None
    for node, level in _nodes(tree):
        if level > MAX_NESTING:
            raise InvalidInput(f"the path is nested deeper than {MAX_NESTING} levels")
        _check(node)
    return Path(text, tree)


def evaluate(path: Path, document: Any) -> Any:
    """Return what the expression finds in decoded JSON, itself JSON; ``None`` where it finds nothing.

    The value may share parts with the document: treat both as read-only. Raises :class:`PathError` if the evaluation
    takes more than :data:`BUDGET` steps, makes something deeper than :data:`MAX_DEPTH` or no JSON (such as an infinite
    number), or hands a function a value it does not take.
    """
    return resolve(path, document).value


def resolve(path: Path, document: Any) -> Resolved:
    """As :func:`evaluate`, but tells a null that the document holds from a path that leads nowhere."""
    meter = _Meter()
    interpreter = _Interpreter(meter)
    try:
        value = interpreter.visit(path.tree, document)
        meter.made(value)
    except JMESPathError:
        raise PathError("a function of the path was given a value of a type it does not take") from None
    except (ArithmeticError, TypeError, ValueError):
        raise PathError("the path compares or computes with values that do not allow it") from None
    except RecursionError:
        raise PathError("the document is nested too deeply for the path") from None
    return Resolved(value, value is None and interpreter.has_missed)


class _Meter:
    """Counts the steps of one evaluation, and measures values."""

    def __init__(self) -> None:
        self.steps = 0
        self._measured: dict[int, tuple[Any, int, int]] = {}

    def take(self, steps: int) -> None:
        self.steps += steps
        if self.steps > BUDGET:
            raise PathError(f"the path takes more than {BUDGET} steps over a record")

    def made(self, value: Any) -> None:
        """Count a value with everything in it, as often as it is in it."""
        size, depth = self.measure(value)
        if depth > MAX_DEPTH:
            raise PathError(f"the path makes something nested deeper than {MAX_DEPTH} levels")
        self.take(size)

    def measure(self, value: Any) -> tuple[int, int]:
        """Size in steps and depth in levels. Takes time in proportion to what has not been measured before."""
        if isinstance(value, str):
            return 1 + len(value) // _CHARACTERS_PER_STEP, 0
        if isinstance(value, (list, dict)):
            # The value is kept with its measures, so that no other one gets its id.
            known = self._measured.get(id(value))
            if known is None:
                known = (value, *self._measure_container(value))
                self._measured[id(value)] = known
            return known[1:]
        if isinstance(value, float) and not math.isfinite(value):
            raise PathError("the path makes a number that JSON cannot hold")
        if isinstance(value, int) and value not in _SAFE_INTEGERS:
            raise PathError("the path makes a number that is too large")
        return 1, 0

    def _measure_container(self, value: Sequence[Any] | dict[str, Any]) -> tuple[int, int]:
        size, depth = 1, 0
        parts: Iterable[Any] = value
        if isinstance(value, dict):
            size += sum(1 + len(key) // _CHARACTERS_PER_STEP for key in value)
            parts = value.values()
        for part in parts:
            part_size, part_depth = self.measure(part)
            size += part_size
            depth = max(depth, part_depth)
        return size, depth + 1


class _CountedFunctions(Functions):
    """The built-in functions. None of them does more than its arguments are large."""

    def __init__(self, meter: _Meter) -> None:
        self._meter = meter

    def call_function(self, function_name: str, resolved_args: Iterable[Any]) -> Any:
        arguments = list(resolved_args)
        for argument in arguments:
            self._meter.made(argument)
        if function_name == "join" and isinstance(arguments[-1], list):
            self._meter.take(self._meter.measure(arguments[0])[0] * len(arguments[-1]))
        return super().call_function(function_name, arguments)


class _Interpreter(TreeInterpreter):
    """The library's interpreter, step by step."""

    def __init__(self, meter: _Meter) -> None:
        super().__init__(Options(custom_functions=_CountedFunctions(meter)))
        self._meter = meter
        self.has_missed = False
        """Whether what was looked for is not there, or is not of the type that the path goes on from."""

    def visit_field(self, node: Any, value: Any) -> Any:
        if isinstance(value, dict) and node["value"] in value:
            return value[node["value"]]
        self.has_missed = True
        return None

    def visit_index(self, node: Any, value: Any) -> Any:
        index = node["value"]
        if isinstance(value, list) and -len(value) <= index < len(value):
            return value[index]
        self.has_missed = True
        return None

    def visit_or_expression(self, node: Any, value: Any) -> Any:
        return self._first(node["children"], value, _is_true)

    def visit_function_expression(self, node: Any, value: Any) -> Any:
        if node["value"] == "not_null" and node["children"]:
            return self._first(node["children"], value, lambda found: found is not None)
        return super().visit_function_expression(node, value)

    def _first(self, choices: Iterable[Any], value: Any, is_wanted: Callable[[Any], bool]) -> Any:
        """The first wanted value, else the last. They lead nowhere only if each of them does."""
        before, all_missed, found = self.has_missed, True, None
        for choice in choices:
            self.has_missed = False
            found = self.visit(choice, value)
            all_missed = all_missed and self.has_missed
            if is_wanted(found):
                break
        self.has_missed = before or all_missed
        return found

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        self._meter.take(1)
        before = self.has_missed
        value = super().visit(node, *args, **kwargs)
        if value is not None:
            self.has_missed = before
        elif node["type"] in _SHAPERS:
            self.has_missed = True
        if node["type"] in _MAKERS:
            self._meter.made(value)
        return value

    def visit_comparator(self, node: Any, value: Any) -> Any:
        if node["value"] not in ("eq", "ne"):
            return super().visit_comparator(node, value)
        left, right = (self.visit(child, value) for child in node["children"])
        self._meter.take(min(self._meter.measure(left)[0], self._meter.measure(right)[0]))
        return self.COMPARATOR_FUNC[node["value"]](left, right)


def _is_true(value: Any) -> bool:
    """As the language has it: 0 is true."""
    return value is not None and value is not False and value not in ("", [], {})


def _nodes(tree: Any) -> Iterator[tuple[Any, int]]:
    """Every node of a syntax tree with its level, parents first, below a root without a meaning."""
    waiting = [({"type": "identity", "children": [tree]}, 0)]
    while waiting:
        node, level = waiting.pop()
        yield node, level
        waiting += ((child, level + 1) for child in _children(node))


def _check(node: Any) -> None:
    kind, value = node["type"], node.get("value")
    if kind == "function_expression" and value not in Functions.FUNCTION_TABLE:
        raise InvalidInput(f"the path calls {value}(), which JMESPath does not have")
    if any(child["type"] == "expref" for child in _children(node)) and value not in _TAKES_EXPRESSION:
        raise InvalidInput("the path has & in a place where no function takes an expression")
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (RecursionError, ValueError):
        raise InvalidInput("the path holds a literal or a name that JSON cannot hold") from None


def _children(node: Any) -> Iterable[Any]:
    return () if node["type"] == "slice" else node["children"]


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0].removesuffix(", for expression:") if lines else "nested too deeply"
