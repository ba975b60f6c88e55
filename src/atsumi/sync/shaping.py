"""The shape of an integration: what its customer has chosen to leave out, and where fields come from.

A shape is compiled once per version and never changes. A run uses the one it began with; the remap that follows every
change evens out the rest. Order: unified fields from other sources, then what ``steps`` add, then the scope.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import asyncpg
import msgspec

from atsumi.connector.contract import (
    Connector,
    Derivation,
    Issue,
    Page,
    RawRecord,
    versions,
)
from atsumi.connector.disclosure import Disclosure
from atsumi.model.catalog import STRUCTS
from atsumi.model.names import Model
from atsumi.model.record import CONFIGURED, Record
from atsumi.model.scope import EVERYTHING, Field, Scope, Setting, scope_of
from atsumi.store import custom_fields
from atsumi.store import shaping as store
from atsumi.store.records import Connection
from atsumi.sync.custom_fields import custom_field_steps
from atsumi.sync.field_mappings import CompiledRule, compile_rules, replaced_fields
from atsumi.sync.groups import BuiltGroups, load_sources
from atsumi.sync.raw_documents import document_in_view, parts_of

if TYPE_CHECKING:
    from atsumi.sync.target import Target

Report = Callable[[Issue], None]
Step = Callable[[Record, Mapping[str, object], Report], Record]
"""Changes a record by its raw document. Never raises: what does not fit is reported and leaves the record as it is."""


@dataclass(frozen=True)
class Shape:
    """What is left out, and what is put where. ``replaced`` are fields whose source is not the connector's."""

    version: int = 0
    scope: Scope = EVERYTHING
    disclosure: Disclosure = field(default_factory=Disclosure)
    steps: Mapping[Model, Sequence[Step]] = field(default_factory=dict)
    replaced: frozenset[Field] = frozenset()

    @cached_property
    def dropped(self) -> frozenset[str]:
        """Raw streams that are not kept."""
        unread = (stream for stream in self.disclosure.requested_for if not self.requests(stream))
        contents = self.disclosure.contents.items()
        dropped = {stream for stream, content in contents if content.record.is_out(self.scope)}
        return frozenset(dropped | {versions(stream) for stream in unread})

    @cached_property
    def _cuts(self) -> Mapping[str, Sequence[str]]:
        contents = self.disclosure.contents.items()
        return {stream: cuts for stream, content in contents if (cuts := content.cuts(self.scope))}

    @cached_property
    def _emptied(self) -> Mapping[Model, Mapping[str, Any]]:
        """What stands in fields that are out of scope."""
        found: dict[Model, dict[str, Any]] = {}
        for model, name in self.scope.fields:
            names = (name, *CONFIGURED) if name == "custom_fields" else (name,)
            found.setdefault(model, {}).update((one, _EMPTY[model][one]) for one in names)
        return found

    @cached_property
    def _emptied_past(self) -> Mapping[Model, Mapping[str, Any]]:
        """The same for content that was computed from raw records which are there no more.

        Custom fields may repeat any other field of theirs.
        """
        custom = ("custom_fields", *CONFIGURED)
        return {
            model: {**empty, **{one: _EMPTY[model][one] for one in custom}} for model, empty in self._emptied.items()
        }

    @property
    def is_plain(self) -> bool:
        """Whether every record is as the connector maps it."""
        return not self.steps and not self.scope.is_restricted

    def requests(self, stream: str) -> bool:
        """Whether the stream has to be read at all."""
        return self.disclosure.is_requested(stream, self.scope)

    def keeps(self, stream: str) -> bool:
        """Whether raw records of the stream are kept."""
        return stream not in self.dropped

    def cut(self, stream: str, data: bytes) -> bytes:
        """What may be kept of a raw record. The same content gives the same bytes."""
        cuts = self._cuts.get(stream)
        return self.disclosure.contents[stream].without(data, cuts) if cuts is not None else data

    def kept(self, stream: str, data: bytes) -> bytes | None:
        """What of a raw record that was stored before is in scope; ``None`` for nothing."""
        return self.cut(stream, data) if self.keeps(stream) else None

    def narrow(self, page: Page) -> Page:
        """The page without what is out of scope. A document says nothing about streams that are not kept."""
        if not self.scope.is_restricted:
            return page
        records = [raw._replace(data=self.cut(raw.stream, raw.data)) for raw in page.records if self.keeps(raw.stream)]
        return replace(page, records=records, snapshot_of=[one for one in page.snapshot_of if self.keeps(one)])

    def narrowed(self, raws: Iterable[RawRecord]) -> Sequence[RawRecord]:
        """The same for records alone."""
        return self.narrow(Page(list(raws))).records

    def derivations(self, given: Sequence[Derivation]) -> Sequence[Derivation]:
        """Those whose fields are in scope and have no other source."""
        return [
            one
            for one in given
            if self.scope.has_model(one.model)
            and all(self.scope.has((one.model, name)) and (one.model, name) not in self.replaced for name in one.fields)
        ]

    def apply(self, record: Record, document: Mapping[str, object], report: Report) -> Record | None:
        """The record in this shape; ``None`` if its model is out of scope. Total: what does not fit is reported."""
        if not self.scope.has_model(record.model):
            return None
        for step in self.steps.get(record.model, ()):
            record = step(record, document, report)
        return self.emptied(record)

    def emptied(self, record: Record, *, is_past: bool = False) -> Record:
        """The record without the content of fields that are out of scope; the same object where nothing has to go.

        ``is_past``: it is not computed from what is stored now (a past version, a deleted record).
        """
        empty = (self._emptied_past if is_past else self._emptied).get(record.model)
        if empty is None or all(getattr(record, name) == value for name, value in empty.items()):
            return record
        return msgspec.structs.replace(record, **{name: _copied(value) for name, value in empty.items()})

    def needs_emptying(self, model: Model) -> bool:
        """Whether records of the model may hold, or be, what is out of scope."""
        return model in self._emptied or not self.scope.has_model(model)


PLAIN = Shape()


async def load_shape(pool: asyncpg.Pool, integration: int, connector: Connector, known: Shape | None = None) -> Shape:
    """The integration's shape; ``known`` itself while that is its present version.

    Raises :class:`~atsumi.errors.NotFound` when the integration does not exist.
    """
    if known is not None and known.version == await store.shape_version(pool, integration):
        return known
    row = await store.shape_of(pool, integration)
    rules = compile_rules(row.mappings)
    # Read after the version, so that what changes in between is only ever newer than it says.
    custom = custom_field_steps(
        await custom_fields.mapped_of(pool, integration), await custom_fields.passed_of(pool, integration)
    )
    return Shape(
        version=row.version,
        scope=scope_for(connector, row.scope.settings, row.scope.opted_out),
        disclosure=connector.disclosure or Disclosure(),
        steps=_steps(rules, custom),
        replaced=replaced_fields(rules),
    )


def _steps(rules: Sequence[CompiledRule], custom: Mapping[Model, Step]) -> Mapping[Model, Sequence[Step]]:
    steps: dict[Model, list[Step]] = {}
    for rule in rules:
        steps.setdefault(rule.model, []).append(rule.apply)
    for model, step in custom.items():
        steps.setdefault(model, []).append(step)
    return steps


def scope_for(connector: Connector | None, settings: Mapping[str, Setting], opted_out: Collection[str]) -> Scope:
    """What settings leave out of a tool's records: members of a group go with its root."""
    if not settings or connector is None:
        return scope_of(settings, opted_out) if settings else EVERYTHING
    roots = {member: rule.model for rule in connector.mapping.rules.values() for member in rule.members}
    return scope_of(settings, opted_out, roots)


async def shape_groups(connection: Connection, integration: int, target: Target, built: BuiltGroups) -> None:
    """Give the records of built groups their shape, in place. Raw records that are needed and not at hand are read."""
    shape, mapping = target.shape, target.connector.mapping
    if shape.is_plain:
        return
    sources = {
        (record.model, record.remote_id): parts_of(mapping, record, target.context)
        for one in built.groups.values()
        for record in one.records
        if record.model in shape.steps
    }
    await load_sources(connection, integration, built.view, (part.key for parts in sources.values() for part in parts))
    for group, one in built.groups.items():
        records = []
        for record in one.records:
            document = document_in_view(sources.get((record.model, record.remote_id), ()), built.view)
            shaped = shape.apply(record, document, built.issues.append)
            if shaped is not None:
                records.append(shaped)
        built.groups[group] = replace(one, records=records)


def _empty_values() -> dict[Model, dict[str, Any]]:
    found: dict[Model, dict[str, Any]] = {}
    for model, struct in STRUCTS.items():
        found[model] = {
            one.name: one.default_factory() if one.default is msgspec.NODEFAULT else one.default
            for one in msgspec.structs.fields(struct)
            if not one.required
        }
    return found


def _copied(value: Any) -> Any:
    return list(value) if isinstance(value, list) else value


_EMPTY = _empty_values()
