"""Which fields a tool's raw documents have: found while syncing, without keeping any value.

A field is known by its path, which is a JMESPath expression over the raw document
(:mod:`atsumi.sync.raw_documents`): ``candidate.email``, ``attributes[].id`` in the elements of a list,
``"custom attributes"`` where a name has to be quoted. Of the models that groups are not built around, only
those whose records are elements of a raw record are looked at: the others share a raw document with one of them.

Counts say how many records had a field *when they first came*, or when their records were last computed anew (a
remap counts from zero, and is exact). A field that turns up later in a record that is known counts from one. The
share of a field is its count by that of all records of the model, which stands under the empty path.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from uuid import UUID

from atsumi.connector.contract import RawKey
from atsumi.model.catalog import CODES
from atsumi.model.ids import field_id
from atsumi.model.names import Model
from atsumi.store import integration_fields as store
from atsumi.store.integration_fields import Sighting
from atsumi.store.records import ChangeKind, Connection, Owner
from atsumi.sync.changes import Change
from atsumi.sync.groups import BuiltGroups, load_sources
from atsumi.sync.paths import MAX_LENGTH
from atsumi.sync.raw_documents import document_in_view, parts_of
from atsumi.sync.target import Target

MAX_LEVELS = 8
"""How deep a field may lie."""
MAX_FIELDS = 1_000
"""Fields of one model that are catalogued; objects with ids as names would bring new ones for ever."""

_TYPES = {str: "string", bool: "boolean", int: "number", float: "number", list: "array", dict: "object"}
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class _Node:
    """A name met in the documents of a model, with what lies below it."""

    __slots__ = ("below", "count", "elements", "is_custom", "last", "types")

    def __init__(self) -> None:
        self.below: dict[str, _Node] = {}
        self.elements: _Node | None = None
        self.types: set[str] = set()
        self.count = 0
        self.last = 0
        self.is_custom = False


class Sightings:
    """The fields of some raw documents, each counted once per document."""

    def __init__(self) -> None:
        self._roots: dict[Model, _Node] = {}
        self._room: dict[Model, int] = {}
        self._documents = 0

    def see(
        self,
        model: Model,
        document: Mapping[str, object],
        *,
        is_new: bool,
        new_parts: Collection[str] = (),
        custom: Collection[str] = (),
    ) -> None:
        """Note the fields of one document.

        They count if the record ``is_new``, and those of ``new_parts`` (names at the top) in any case. ``custom``
        are the names under which the record shows what its model has no place for.
        """
        self._documents += 1
        self._room.setdefault(model, MAX_FIELDS)
        root = self._roots.setdefault(model, _Node())
        root.count += is_new
        for name, value in document.items():
            self._name(model, root, name, value, 1, is_new or name in new_parts, custom)

    def _name(
        self, model: Model, parent: _Node, name: str, value: object, level: int, counts: bool, custom: Collection[str]
    ) -> None:
        node = parent.below.get(name)
        if node is None:
            if self._room[model] == 0:
                return
            self._room[model] -= 1
            node = parent.below[name] = _Node()
            node.is_custom = name in custom
        if node.last != self._documents:
            node.last = self._documents
            node.count += counts
        node.types.add(_TYPES.get(type(value), "null"))
        self._inside(model, node, value, level, counts, custom)

    def _inside(
        self, model: Model, node: _Node, value: object, level: int, counts: bool, custom: Collection[str]
    ) -> None:
        if level == MAX_LEVELS:
            return
        if isinstance(value, dict):
            for name, inner in value.items():
                self._name(model, node, name, inner, level + 1, counts, custom)
        elif isinstance(value, list):
            elements = node.elements = node.elements or _Node()
            for item in value:
                self._inside(model, elements, item, level + isinstance(item, list), counts, custom)

    def fields(self, integration: UUID) -> Iterator[Sighting]:
        """What was seen, parents before what is in them."""
        for model, root in self._roots.items():
            yield Sighting(CODES[model], "", field_id(integration, model, ""), ("object",), root.count, False)
            for path, node in _below(root, ""):
                types = tuple(sorted(node.types))
                yield Sighting(
                    CODES[model], path, field_id(integration, model, path), types, node.count, node.is_custom
                )


def _below(node: _Node, path: str) -> Iterator[tuple[str, _Node]]:
    for name, child in node.below.items():
        own = f"{path}.{spelled(name)}" if path else spelled(name)
        if len(own) <= MAX_LENGTH and _is_storable(name):
            yield own, child
            yield from _below(child, own)
    if node.elements is not None:
        yield from _below(node.elements, f"{path}[]")


def spelled(name: str) -> str:
    """A name of a JSON object as JMESPath spells it."""
    return name if _PLAIN.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _is_storable(name: str) -> bool:
    return "\0" not in name and not any("\ud800" <= character <= "\udfff" for character in name)


class Discovery:
    """Looks at records as they are computed, and writes once what it has seen.

    ``arrived`` are the raw records that are new or different, each with whether it is new; ``None`` for a remap,
    which counts every record together with the raw record that is the main one of its document: those in ``read``.
    """

    def __init__(
        self, target: Target, arrived: Mapping[RawKey, bool] | None = None, read: Collection[RawKey] = ()
    ) -> None:
        self._target = target
        self._arrived = arrived
        self._read = read
        self._sightings = Sightings()

    async def look(self, connection: Connection, owner: Owner, built: BuiltGroups, changes: Sequence[Change]) -> None:
        """Look at the records that changed groups are built around. ``changes`` are those that they have led to."""
        mapping, context = self._target.connector.mapping, self._target.context
        named = [
            (record, parts)
            for group, one in built.groups.items()
            for record in one.records
            if (parts := parts_of(mapping, record, context))
            and (record.model is group.model or parts[0].element is not None)
        ]
        await load_sources(
            connection, owner.integration, built.view, (part.key for _, parts in named for part in parts)
        )
        created = {(one.row.model, one.row.remote_id) for one in changes if one.kind is ChangeKind.CREATED}
        for record, parts in named:
            present = [part for part in parts if built.view.get(*part.key) is not None]
            if not present:
                continue
            if self._arrived is None:
                is_new, new_parts = True, set[str]()
                is_wanted = present[0].key in self._read
            else:
                is_new = (CODES[record.model], record.remote_id) in created
                new_parts = {part.label for part in present[1:] if self._arrived.get(part.key)}
                is_wanted = any(part.key in self._arrived for part in present)
            if is_wanted:
                document = document_in_view(present, built.view)
                custom = record.custom_fields or ()
                self._sightings.see(record.model, document, is_new=is_new, new_parts=new_parts, custom=custom)

    async def write(self, connection: Connection, owner: Owner) -> None:
        """Put what was seen into the catalogue. Fields beyond :data:`MAX_FIELDS` of a model are left out."""
        fields = list(self._sightings.fields(self._target.integration))
        await store.note_sightings(connection, owner, fields, most=MAX_FIELDS)
