"""What a tool's raw records tell, so that nothing out of scope is requested or kept.

A path names a key of a record's JSON: ``email``, ``candidate.email``, ``stages[].name`` in every element of a list,
``[].size`` where the record itself is a list. ``*`` stands for the keys beside it that no path names. What no path
names at all is kept as long as the record is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from atsumi.connector.reading import decode, encode_stably
from atsumi.model.names import Model
from atsumi.model.scope import Field, Scope

_REST = "*"


class Told(NamedTuple):
    """What a part of a raw record tells.

    ``serves``: canonical fields that are computed from it; it is kept until all of them are out of scope.
    ``reveals``: fields whose values can be read in it although they are computed from something else; a part that
    serves nothing goes as soon as one of them is out of scope. Without either it is always kept.
    """

    serves: frozenset[Field] = frozenset()
    reveals: frozenset[Field] = frozenset()

    def is_out(self, scope: Scope) -> bool:
        """Whether this scope leaves the part out."""
        if self.serves:
            return not any(scope.has(one) for one in self.serves)
        return not all(scope.has(one) for one in self.reveals)


def without_paths(data: bytes, paths: Collection[str]) -> bytes:
    """A record's JSON without these paths and, under ``*``, without the keys that ``paths`` leaves unnamed.

    The paths to keep stand in ``paths`` with a leading ``!``, so that ``*`` knows them. What is no JSON becomes null.
    """
    tree: _Tree = {}
    for path in sorted(paths):
        is_kept, steps = path.startswith("!"), path.removeprefix("!").replace("[]", ".[]").strip(".").split(".")
        node = tree
        for step in steps:
            node = node.setdefault(step, {})
        if not is_kept:
            node[""] = {}
    return encode_stably(_cut(decode(data), tree))


_Tree = dict[str, "_Tree"]
"""Steps of paths; the empty step marks the end of a path to remove."""


def _cut(value: object, tree: _Tree) -> object:
    if isinstance(value, list):
        inner = tree.get("[]", {})
        return [] if "" in inner else [_cut(item, inner) for item in value]
    if not isinstance(value, dict):
        return value
    removes_rest = "" in tree.get(_REST, {})
    return {
        key: _cut(item, tree.get(key, {}))
        for key, item in value.items()
        if (key in tree or not removes_rest) and "" not in tree.get(key, {})
    }


@dataclass(frozen=True, slots=True)
class RawContent:
    """What the records of one raw stream tell: as a whole, and by path.

    ``without`` removes paths from the stored bytes; JSON objects and lists need nothing else.
    """

    record: Told
    paths: Mapping[str, Told] = field(default_factory=dict)
    without: Callable[[bytes, Collection[str]], bytes] = without_paths

    def cuts(self, scope: Scope) -> tuple[str, ...]:
        """What ``without`` is given for this scope; nothing where nothing has to go."""
        out = [path for path, told in self.paths.items() if told.is_out(scope)]
        return (*out, *(f"!{path}" for path in self.paths if path not in out)) if out else ()


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A connector's streams. ``requested_for``: the fields for whose sake a listing or lookup is read at all.

    A stream that is not named is always requested, and its records are kept as they are.
    """

    requested_for: Mapping[str, frozenset[Field]] = field(default_factory=dict)
    contents: Mapping[str, RawContent] = field(default_factory=dict)

    def is_requested(self, stream: str, scope: Scope) -> bool:
        """Whether anything that the stream is read for is in scope."""
        wanted = self.requested_for.get(stream)
        return wanted is None or any(scope.has(one) for one in wanted)


def serves(model: Model, *names: str) -> Told:
    """A part that fields of one model are computed from."""
    return Told(serves=frozenset((model, name) for name in names))


def reveals(fields: Iterable[Field]) -> Told:
    """A part in which values of these fields can be read."""
    return Told(reveals=frozenset(fields))
