"""From a query string to what a list or a single record is asked for.

What is refused is told in :mod:`atsumi.dialects.bindbee.parameters`. What is not: an id that nobody has, well-formed
or not, and a word that no record shows match nothing, and a list of values without values matches nothing either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from atsumi.dialects import reading
from atsumi.dialects.bindbee.dialect import DIALECT
from atsumi.dialects.bindbee.errors import InvalidRequest, value_fault
from atsumi.dialects.bindbee.lists import BY_NAME, Filter, ListSpec
from atsumi.dialects.bindbee.parameters import Parameter, boolean, instant, paging, read_query, refused, text, texts
from atsumi.dialects.places import FOREIGN, read_place, write_place
from atsumi.dialects.services import Integration
from atsumi.model.ids import record_id
from atsumi.model.names import Model
from atsumi.store.reading import Condition, ListQuery, Operator, Position

APPENDED = ("modified_at", "custom_fields", "raw_data")
"""Keys of every document that are not stored with it."""

FILE_URL = "file_url"
"""A key of attachments that is not stored with them, because it expires."""

_PURPOSE = b"atsumi.bindbee"
_CURSOR = DIALECT.paging.cursor_parameter


@dataclass(frozen=True, slots=True)
class Expansion:
    """One relation to be shown as documents; ``fields`` are the keys that are wanted of them (``None``: all)."""

    relation: str
    target: ListSpec
    fields: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Shape:
    """What the documents of an answer hold."""

    raw_data: bool = False
    custom_fields: bool = False
    expansions: tuple[Expansion, ...] = ()


def keys_of(spec: ListSpec) -> tuple[str, ...]:
    """All keys of a list's documents."""
    file = (FILE_URL,) if spec.model is Model.ATTACHMENT else ()
    return (*spec.document.__struct_fields__, *file, *APPENDED)


def get_parameters(spec: ListSpec) -> tuple[Parameter, ...]:
    """The parameters of a single record, which are also those of its list that say what documents hold."""
    known = ", ".join(f"`{name}`" for name in spec.relations)
    described = f"Relations to show as records, separated by commas: {known}. `job[name,code]` shows some keys only."
    return (
        boolean("include_raw_data", "Show what the tool sent, in `raw_data`."),
        boolean("include_custom_fields", "Show the tool's own fields and mapped ones, in `custom_fields`."),
        Parameter(
            "expand",
            described if known else "This record has no relations to show.",
            {"type": "string"},
            lambda sent: _expansions(spec, sent),
            default=(),
        ),
    )


_NARROWING = (
    texts("ids", "Ids of records, separated by commas."),
    text("remote_id", "The tool's id."),
    instant("modified_after", "Records whose `modified_at` is this instant or later. Without a zone it is UTC."),
    instant("modified_before", "Records whose `modified_at` is earlier. A parameter of ours."),
)


def list_parameters(spec: ListSpec) -> tuple[Parameter, ...]:
    """All parameters of a list."""
    return (*paging(), *_NARROWING, *(filter_.parameter for filter_ in spec.filters), *get_parameters(spec))


def shape(values: Mapping[str, Any]) -> Shape:
    """What the documents of an answer hold, from parsed parameters."""
    return Shape(values["include_raw_data"], values["include_custom_fields"], values["expand"])


@dataclass(frozen=True, slots=True)
class ListRequest:
    """A list's parameters, understood and tied to an integration. ``query`` is ``None`` when nothing can match."""

    spec: ListSpec
    integration: Integration
    query: ListQuery | None
    shape: Shape
    _digest_text: bytes

    def cursor(self, key: bytes, position: Position) -> str:
        """The cursor that continues after a position."""
        public_id = self.integration.public_id
        return write_place(key, _PURPOSE, public_id, self.spec.name, self._digest_text, position)


def parse(spec: ListSpec, query_string: bytes, integration: Integration, key: bytes) -> ListRequest:
    """Read a list's query string. ``key`` is the secret of cursors. Raises :class:`InvalidRequest`."""
    values = read_query(list_parameters(spec), query_string)
    narrowing = [*_NARROWING, *(filter_.parameter for filter_ in spec.filters)]
    digest_text = msgspec.json.encode([values[parameter.name] for parameter in narrowing])
    after = None
    if values[_CURSOR] is not None:
        after = read_place(key, _PURPOSE, integration.public_id, spec.name, digest_text, values[_CURSOR])
        if after is None:
            message = f"this cursor {FOREIGN}"
            raise InvalidRequest([value_fault(["query", _CURSOR], message, reading.cut(values[_CURSOR]))])
    query = None
    if spec.model is not None:
        query = ListQuery(
            model=spec.model,
            page_size=values[DIALECT.paging.size_parameter],
            after=after,
            updated_from=values["modified_after"],
            updated_before=values["modified_before"],
            ids=_ids(spec.model, values, integration),
            conditions=tuple(_conditions(spec, values)),
            with_remote_ids=values["include_raw_data"],
            with_custom_fields=values["include_custom_fields"],
        )
    return ListRequest(spec, integration, query, shape(values), digest_text)


def _ids(model: Model, values: Mapping[str, Any], integration: Integration) -> list[UUID] | None:
    found = None if values["ids"] is None else _known(values["ids"])
    if values["remote_id"] is not None:
        named = record_id(integration.public_id, model, values["remote_id"])
        found = [named] if found is None or named in found else []
    return found


def _conditions(spec: ListSpec, values: Mapping[str, Any]) -> Iterable[Condition]:
    for filter_ in spec.filters:
        if values[filter_.name] is not None:
            yield _condition(filter_, values[filter_.name])


def _condition(filter_: Filter, value: Any) -> Condition:
    found = list(value) if filter_.parameter.is_list else [value]
    if filter_.operator is None:
        return Condition(Operator.REFERENCE, filter_.field, [])
    if filter_.has_ids:
        found = _known(found)
    return Condition(filter_.operator, filter_.field, found, child=filter_.child, via=filter_.via)


def _known(spelled: Iterable[str]) -> list[UUID]:
    found = []
    for one in spelled:
        try:
            found.append(UUID(one.strip()))
        except ValueError:
            continue
    return found


_EXPANSION = re.compile(r"(?P<name>[^\[\],]+)(?:\[(?P<fields>[^\[\]]+)\])?(?:,|\Z)")


def _expansions(spec: ListSpec, sent: str) -> tuple[Expansion, ...]:
    found: dict[str, Expansion] = {}
    end = 0
    while end < len(sent):
        match = _EXPANSION.match(sent, end)
        if match is None:
            raise refused("write relations as `name` or `name[key,key]`, separated by commas")
        end = match.end()
        name, fields = match["name"].strip(), match["fields"]
        if name in found:
            raise refused(f"{reading.shown(name)} is named twice")
        if name not in spec.relations:
            known = ", ".join(spec.relations) or "none"
            raise refused(f"{reading.shown(name)} is no relation of these records. Known: {known}")
        target = BY_NAME[spec.relations[name]]
        wanted = None if fields is None else tuple(dict.fromkeys(key.strip() for key in fields.split(",")))
        for key in wanted or ():
            if key not in keys_of(target):
                known = ", ".join(keys_of(target))
                raise refused(f"{reading.shown(key)} is no key of {name}. Known: {known}")
        found[name] = Expansion(name, target, wanted)
    return tuple(found.values())
