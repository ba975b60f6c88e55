"""The sync contract in its plainest form: everything in dictionaries, one integration, no transactions.

It is meant as an oracle: what the real engine has stored after the same reads must equal what this has. It does
exactly what :mod:`atsumi.connector.contract` says and nothing to be fast.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from atsumi.connector.context import Context
from atsumi.connector.contract import (
    Connector,
    Group,
    Issue,
    LookupStream,
    MappingContext,
    Page,
    RawKey,
    RawPrefix,
    RawRecord,
    Stream,
    StreamRequest,
)
from atsumi.errors import ToolError
from atsumi.model.names import Model
from atsumi.model.record import Record

_SETTLES_WITHIN = 3


class RawStore:
    """Raw records by stream and remote id; what a snapshot no longer holds is kept as gone."""

    def __init__(self) -> None:
        self.streams: dict[str, dict[str, bytes]] = {}
        self.gone: dict[str, dict[str, bytes]] = {}
        self.changes: list[RawKey] = []

    def save(self, page: Page) -> None:
        """Store a page as the contract says."""
        for record in page.records:
            self._put(record)
        for stream in page.snapshot_of:
            held = {record.remote_id for record in page.records if record.stream == stream}
            for missing in sorted(set(self.streams.get(stream, {})) - held):
                self.remove(stream, missing)

    def _put(self, record: RawRecord) -> None:
        unless = record.unless
        if unless is not None and unless.remote_id in self.streams.get(unless.stream, {}):
            return
        stored = self.streams.setdefault(record.stream, {})
        if stored.get(record.remote_id) != record.data:
            stored[record.remote_id] = record.data
            self.changes.append(RawKey(record.stream, record.remote_id))
        self.gone.get(record.stream, {}).pop(record.remote_id, None)

    def remove(self, stream: str, remote_id: str) -> None:
        """Mark a record as gone."""
        self.gone.setdefault(stream, {})[remote_id] = self.streams[stream].pop(remote_id)
        self.changes.append(RawKey(stream, remote_id))

    def ids(self, stream: str) -> set[str]:
        return set(self.streams.get(stream, {}))


class AskedView:
    """A view that shows only what the rule asked for, so that a rule which forgets a source is found out."""

    def __init__(self, store: RawStore, asked: Iterable[RawKey | RawPrefix] = ()) -> None:
        self._store = store
        self._asked = frozenset(asked)

    def get(self, stream: str, remote_id: str) -> bytes | None:
        if RawKey(stream, remote_id) not in self._asked:
            return None
        return self._store.streams.get(stream, {}).get(remote_id)

    def is_gone(self, stream: str, remote_id: str) -> bool:
        return RawKey(stream, remote_id) in self._asked and remote_id in self._store.gone.get(stream, {})

    def last(self, stream: str, remote_id: str) -> bytes | None:
        if RawKey(stream, remote_id) not in self._asked:
            return None
        return self._store.gone.get(stream, {}).get(remote_id)

    def under(self, stream: str, prefix: str) -> Mapping[str, bytes]:
        if RawPrefix(stream, prefix) not in self._asked:
            return {}
        found = self._store.streams.get(stream, {})
        return {key: found[key] for key in sorted(found) if key.startswith(prefix)}


class Reading:
    """All reads of one integration so far.

    ``lookup_limit`` makes a sample of streams that cost a request per record: the first so many ids of each read.
    """

    def __init__(self, connector: Connector, *, lookup_limit: int | None = None) -> None:
        self.connector = connector
        self._lookup_limit = lookup_limit
        self.store = RawStore()
        self.issues: list[Issue] = []
        self.failures: dict[str, ToolError] = {}
        self.unproven: set[str] = set()
        self.versions: dict[str, dict[str, str | None]] = {}
        """Under which version each id of a lookup stream was last fetched."""

    async def read(
        self, context: Context, *, since: datetime | None = None, only: Sequence[str] | None = None
    ) -> RawStore:
        """Read all streams (or only some) in order; a stream that fails is noted in ``failures`` and skipped."""
        self.failures.clear()
        self.unproven.clear()
        start = len(self.store.changes)
        for stream in self.connector.streams:
            if only is not None and stream.name not in only:
                continue
            try:
                if isinstance(stream, Stream):
                    await self._list(stream, context, since)
                else:
                    await self._look_up(stream, context, since, self.store.changes[start:])
            except ToolError as error:
                self.failures[stream.name] = error
        return self.store

    async def _list(self, stream: Stream, context: Context, since: datetime | None) -> None:
        async for page in stream.pages(context, StreamRequest(since=since)):
            self._save(stream.name, page)

    async def _look_up(
        self, stream: LookupStream, context: Context, since: datetime | None, changed: Sequence[RawKey]
    ) -> None:
        keys: Iterable[RawKey] = changed
        if since is None:
            keys = [RawKey(name, key) for name in stream.drivers for key in sorted(self.store.ids(name))]
        wanted: dict[str, str | None] = {}
        for key in keys:
            data = self.store.streams.get(key.stream, {}).get(key.remote_id)
            if key.stream in stream.drivers and data is not None:
                raw = RawRecord(key.stream, key.remote_id, data)
                wanted |= dict.fromkeys(stream.wanted(raw, context), stream.version(raw, context))
        held = self.versions.setdefault(stream.name, {})
        stored = self.store.ids(stream.name)
        ids = [id for id, version in wanted.items() if since is None or self._is_stale(id, version, held, stored)]
        ids = ids if not stream.is_background else ids[: self._lookup_limit]
        for at in range(0, len(ids), stream.batch_size):
            batch = ids[at : at + stream.batch_size]
            self._save(stream.name, await stream.fetch(context, batch))
            held.update({id: wanted[id] for id in batch})

    @staticmethod
    def _is_stale(id: str, version: str | None, held: Mapping[str, str | None], stored: set[str]) -> bool:
        return id not in stored if version is None else held.get(id) != version

    def _save(self, stream: str, page: Page) -> None:
        self.store.save(page)
        self.issues.extend(page.issues)
        if page.ends_unproven:
            self.unproven.add(stream)

    def groups(self, config: Mapping[str, str]) -> list[Group]:
        """All groups that the stored raw records, and those that went, feed."""
        context = MappingContext(config)
        found: set[Group] = set()
        for stream, records in self.store.streams.items():
            for key, data in records.items():
                found |= set(self.connector.mapping.affected(RawRecord(stream, key, data), context))
        for stream, keys in self.store.gone.items():
            for key in keys:
                found |= set(self.connector.mapping.affected(RawRecord(stream, key, b"null"), context))
        return sorted(found)

    def sources(self, group: Group, config: Mapping[str, str]) -> frozenset[RawKey | RawPrefix]:
        """The settled sources of a group. Raises AssertionError when they do not settle in time."""
        rule, context = self.connector.mapping.rules[group.model], MappingContext(config)
        asked: frozenset[RawKey | RawPrefix] = frozenset()
        for _ in range(_SETTLES_WITHIN):
            found = asked | frozenset(rule.sources(group.key, AskedView(self.store, asked), context))
            if found == asked:
                return asked
            asked = found
        raise AssertionError(f"the sources of {group.model} do not settle within {_SETTLES_WITHIN} calls")

    def records(self, config: Mapping[str, str]) -> dict[tuple[Model, str], Record]:
        """Every canonical record by model and remote id, derived fields included; adds mapping issues."""
        built: dict[tuple[Model, str], Record] = {}
        for group in self.groups(config):
            rule = self.connector.mapping.rules[group.model]
            view = AskedView(self.store, self.sources(group, config))
            result = rule.build(group.key, view, MappingContext(config))
            self.issues.extend(issue for issue in result.issues if issue not in self.issues)
            for record in result.records:
                if record.model not in rule.members:
                    raise AssertionError(f"the rule for {group.model} yields a {record.model}")
                if built.setdefault((record.model, record.remote_id), record) is not record:
                    raise AssertionError(f"two {record.model} records with the same remote id")
        for derivation in self.connector.mapping.derivations:
            children: dict[str, list[Record]] = {}
            for (model, _), record in built.items():
                if model == derivation.children_model:
                    children.setdefault(getattr(record, derivation.reference) or "", []).append(record)
            for (model, key), record in list(built.items()):
                if model == derivation.model:
                    built[model, key] = derivation.apply(record, children.get(key, []))
        return built
