"""From changed raw records to the canonical records of the groups they feed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from atsumi.connector.contract import (
    Built,
    Group,
    GroupRule,
    Issue,
    MappingContext,
    RawKey,
    RawPrefix,
    RawRecord,
    RecordMapping,
)
from atsumi.model.catalog import CODES, MODELS
from atsumi.model.names import Model
from atsumi.store import links
from atsumi.store import records as store
from atsumi.store.records import Connection

_ROUNDS = 3
"""How often a rule may name further sources before it must have settled (see ``GroupRule.sources``)."""


class LoadedView:
    """Raw records read so far; fits :class:`atsumi.connector.contract.RawView`."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], tuple[bytes, bool] | None] = {}
        self.prefixes: dict[tuple[str, str], dict[str, bytes]] = {}

    def get(self, stream: str, remote_id: str) -> bytes | None:
        found = self.known.get((stream, remote_id))
        return found[0] if found is not None and not found[1] else None

    def is_gone(self, stream: str, remote_id: str) -> bool:
        found = self.known.get((stream, remote_id))
        return found is not None and found[1]

    def last(self, stream: str, remote_id: str) -> bytes | None:
        found = self.known.get((stream, remote_id))
        return found[0] if found is not None and found[1] else None

    def under(self, stream: str, prefix: str) -> Mapping[str, bytes]:
        return self.prefixes.get((stream, prefix), {})


@dataclass(slots=True)
class BuiltGroups:
    """What mapping the changed groups gave. ``links`` are the sources to remember of linked groups.

    ``view`` holds the raw records that were read, of erased persons only what may be kept of them.
    """

    groups: dict[Group, Built] = field(default_factory=dict)
    links: dict[tuple[int, str], set[tuple[str, str]]] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    view: LoadedView = field(default_factory=LoadedView)


async def affected_groups(
    connection: Connection,
    integration: int,
    mapping: RecordMapping,
    context: MappingContext,
    changed: Sequence[RawRecord],
) -> tuple[list[Group], list[Issue]]:
    """The groups fed by these raw records, each once, in a stable order; and the records nobody could place."""
    groups: dict[Group, None] = {}
    issues = []
    for raw in changed:
        try:
            groups.update(dict.fromkeys(mapping.affected(raw, context)))
        except Exception as error:
            issues.append(_mapping_issue(raw.stream, raw.remote_id, error))
    if any(rule.is_linked for rule in mapping.rules.values()):
        keys = [(raw.stream, raw.remote_id) for raw in changed]
        for model, key in sorted(await links.links_from(connection, integration, keys)):
            groups.setdefault(Group(MODELS[model], key))
    return list(groups), issues


async def build_groups(
    connection: Connection,
    integration: int,
    mapping: RecordMapping,
    context: MappingContext,
    groups: Iterable[Group],
    at_hand: Iterable[RawRecord] = (),
) -> BuiltGroups:
    """Map groups from their raw records.

    ``at_hand`` are raw records already in memory and stored. A rule that raises costs its own group only: the raw
    records stay, the group's stored records stay as they are, and an issue is counted.
    """
    result = BuiltGroups()
    view = result.view
    for raw in at_hand:
        view.known[raw.stream, raw.remote_id] = (raw.data, False)
    sources: dict[Group, set[RawKey | RawPrefix]] = {}
    pending = list(groups)
    for _ in range(_ROUNDS):
        unsettled = []
        for group in pending:
            try:
                named = set(mapping.rules[group.model].sources(group.key, view, context))
            except Exception as error:
                result.issues.append(_mapping_issue(group.model.value, group.key, error))
                sources.pop(group, None)
                continue
            if named != sources.get(group):
                sources[group] = named
                unsettled.append(group)
        await load_sources(connection, integration, view, (source for group in unsettled for source in sources[group]))
        pending = unsettled
    for group, named in sources.items():
        rule: GroupRule = mapping.rules[group.model]
        try:
            built = rule.build(group.key, view, context)
        except Exception as error:
            # A fault in one record must not cost the page: the raw record is kept, so a fixed mapping can redo it.
            result.issues.append(_mapping_issue(group.model.value, group.key, error))
            continue
        result.groups[group] = built
        result.issues.extend(built.issues)
        if rule.is_linked:
            keys = {(source.stream, source.remote_id) for source in named if isinstance(source, RawKey)}
            result.links[CODES[group.model], group.key] = keys
    for built in result.groups.values():
        for key, kept in built.erased.items():
            view.known[key] = (kept, view.is_gone(*key))
    return result


async def load_sources(
    connection: Connection, integration: int, view: LoadedView, sources: Iterable[RawKey | RawPrefix]
) -> None:
    """Read what these sources name into the view, once each."""
    wanted: set[tuple[str, str]] = set()
    prefixes: set[tuple[str, str]] = set()
    for source in sources:
        if isinstance(source, RawKey):
            if tuple(source) not in view.known:
                wanted.add((source.stream, source.remote_id))
        elif tuple(source) not in view.prefixes:
            prefixes.add((source.stream, source.prefix))
    view.prefixes.update(await store.raw_under(connection, integration, sorted(prefixes)))
    found = await store.raw_by_key(connection, integration, wanted)
    for key in wanted:
        view.known[key] = found.get(key)


def _mapping_issue(stream: str, remote_id: str, error: Exception) -> Issue:
    """Name the record and the kind of fault; the message could quote a person's data."""
    return Issue("mapping_error", stream, remote_id, detail=type(error).__name__)


def models_of(mapping: RecordMapping) -> frozenset[Model]:
    """All models that a mapping can yield."""
    return frozenset(member for rule in mapping.rules.values() for member in rule.members)
