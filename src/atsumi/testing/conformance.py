"""Checks that every connector passes. A connector's ``test_conformance.py`` names them all with one import.

Write a class that follows :class:`Harness`, a fixture ``harness`` that yields one, and run::

    @pytest.mark.parametrize("rule", RULES, ids=rule_name)
    async def test_conforms(rule: Rule, harness: Harness) -> None:
        await rule(harness)

A check that needs something the harness cannot do skips itself.
"""

# ruff: noqa: S101 (asserting is what this file is for)

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Protocol

import msgspec
import pytest

from atsumi.connector.context import Context
from atsumi.connector.contract import Connector, LookupStream, MappingContext, Page, RawRecord, Stream, StreamRequest
from atsumi.connector.disclosure import RawContent
from atsumi.errors import AuthenticationFailed, PermissionMissing
from atsumi.model.catalog import STRUCTS
from atsumi.model.names import Model
from atsumi.model.record import CONFIGURED
from atsumi.model.scope import Field, Scope, Setting, indispensable, scope_of
from atsumi.testing.reading import Reading


class Harness(Protocol):
    """One simulated account of the tool, freshly made for each check, with enough records for several pages."""

    @property
    def connector(self) -> Connector: ...

    def context(self) -> Context:
        """A way to the simulated tool with credentials that may read everything."""
        ...

    def break_credentials(self) -> None:
        """Make the tool refuse the credentials from now on. Raise NotImplementedError if it cannot be simulated."""
        ...

    def end_tokens(self) -> None:
        """Make the tool refuse the tokens it gave so far. Raise NotImplementedError if there are none."""
        ...

    def take_right(self, scope: str) -> None:
        """Take away a right of the manifest. Raise NotImplementedError if it cannot be simulated."""
        ...

    def edit(self) -> tuple[str, str]:
        """Change one record at the tool; return the raw stream and remote id that must show it."""
        ...


_SAMPLE = 30
"""Ids that a check looks up of a background stream."""

Rule = Callable[[Harness], Awaitable[None]]


async def manifest_names_are_sound(harness: Harness) -> None:
    manifest = harness.connector.manifest
    assert re.fullmatch(r"[a-z][a-z0-9-]*", manifest.slug)
    names = [field.name for field in manifest.fields]
    assert len(names) == len(set(names))
    for field in manifest.fields:
        if field.pattern is not None:
            pattern = re.compile(field.pattern)
            assert field.default is None or pattern.fullmatch(field.default), f"{field.name}: the default does not fit"
        if field.audience == "customer":
            assert field.help.get("en"), f"{field.name} has no help text"


async def manifest_scopes_name_streams(harness: Harness) -> None:
    streams = {stream.name for stream in harness.connector.streams}
    for scope in harness.connector.manifest.scopes:
        assert scope.where.get("en"), f"{scope.name} does not say where to grant it"
        assert not scope.is_required or set(scope.streams) & streams
    assert harness.connector.required_streams <= streams


async def streams_are_unique(harness: Harness) -> None:
    names = [stream.name for stream in harness.connector.streams]
    assert len(names) == len(set(names))


async def drivers_come_before_lookups(harness: Harness) -> None:
    streams = harness.connector.streams
    before: set[str] = set()
    for stream in streams:
        if isinstance(stream, LookupStream):
            missing = set(stream.drivers) - before - {"*"}
            assert not missing, f"{stream.name} is driven by {sorted(missing)}, read later or never"
            assert stream.batch_size > 0
        before.add(stream.name)


async def coverage_names_real_fields(harness: Harness) -> None:
    mapping = harness.connector.mapping
    members = {model for rule in mapping.rules.values() for model in rule.members}
    assert set(mapping.coverage) <= members
    for model, fields in mapping.coverage.items():
        unknown = set(fields) - set(STRUCTS[model].__struct_fields__)
        assert not unknown, f"{model}: {sorted(unknown)} are no fields"


async def what_is_not_covered_has_a_reason(harness: Harness) -> None:
    mapping = harness.connector.mapping
    offered = {(model, name) for model, fields in mapping.coverage.items() for name in fields}
    assert set(mapping.absences.models) == set(STRUCTS) - set(mapping.coverage)
    assert not offered & set(mapping.absences.fields), "what is covered is not absent"
    for model in mapping.coverage:
        for name in set(STRUCTS[model].__struct_fields__) - CONFIGURED:
            if (model, name) not in offered:
                assert mapping.absences.of_field(model, name), f"{model}.{name} is missing without a reason"
    inferred = {(model, name) for model, name in offered if mapping.coverage[model][name] == "inferred"}
    assert set(mapping.absences.inferred) == inferred, "what is inferred tells from what, and nothing else does"


async def each_model_belongs_to_one_rule(harness: Harness) -> None:
    seen: set[Model] = set()
    for model, rule in harness.connector.mapping.rules.items():
        assert model == rule.model
        assert not seen & rule.members
        seen |= rule.members


async def check_knows_the_account_again(harness: Harness) -> None:
    first = await harness.connector.check(harness.context())
    second = await harness.connector.check(harness.context())
    assert first.id
    assert first.id == second.id


async def check_refuses_wrong_credentials(harness: Harness) -> None:
    _can(harness.break_credentials)
    with pytest.raises(AuthenticationFailed) as caught:
        await harness.connector.check(harness.context())
    assert str(caught.value).startswith(f"{harness.connector.manifest.slug}: ")


async def errors_hide_secrets(harness: Harness) -> None:
    context = harness.context()
    _can(harness.break_credentials)
    with pytest.raises(AuthenticationFailed) as caught:
        await harness.connector.check(context)
    text = f"{caught.value} {caught.value.call} {caught.value.remote_message}"
    for secret in context.credentials.values():
        assert secret not in text


async def missing_rights_are_named(harness: Harness) -> None:
    for scope in harness.connector.manifest.scopes:
        streams = {stream.name for stream in harness.connector.streams} & set(scope.streams)
        if not streams:
            continue
        _can(partial(harness.take_right, scope.name))
        reading = Reading(harness.connector, lookup_limit=_SAMPLE)
        await reading.read(harness.context())
        failed = [reading.failures[name] for name in sorted(streams) if name in reading.failures]
        assert failed, f"nothing fails without {scope.name}"
        assert all(isinstance(error, PermissionMissing) for error in failed)
        assert any(getattr(error, "scope", None) == scope.name for error in failed)


async def a_token_that_ends_is_renewed(harness: Harness) -> None:
    context = harness.context()
    await harness.connector.check(context)
    _can(harness.end_tokens)
    await harness.connector.check(context)


async def a_full_read_closes_every_listing(harness: Harness) -> None:
    reading = await _read(harness)
    assert not reading.failures
    assert not reading.unproven


async def raw_records_are_json_under_text_keys(harness: Harness) -> None:
    for page in await _pages(harness):
        for record in page.records:
            assert record.remote_id
            assert record.stream
            msgspec.json.decode(record.data)


async def a_page_holds_each_address_once(harness: Harness) -> None:
    for page in await _pages(harness):
        keys = [(record.stream, record.remote_id) for record in page.records]
        assert len(keys) == len(set(keys))


async def a_second_read_changes_nothing(harness: Harness) -> None:
    reading = await _read(harness)
    changes = len(reading.store.changes)
    await reading.read(harness.context())
    assert reading.store.changes[changes:] == []


async def an_edit_is_read_incrementally(harness: Harness) -> None:
    reading = await _read(harness)
    context = harness.context()
    since = context.now()
    stream, key = _can(harness.edit)
    changes = len(reading.store.changes)
    await reading.read(harness.context(), since=since)
    assert (stream, key) in reading.store.changes[changes:]


async def incremental_equals_full(harness: Harness) -> None:
    reading = await _read(harness)
    since = harness.context().now()
    _can(harness.edit)
    await reading.read(harness.context(), since=since)
    fresh = await _read(harness)
    config = harness.context().config
    assert reading.records(config) == fresh.records(config)


async def a_stopped_read_goes_on(harness: Harness) -> None:
    whole = await _read(harness)
    positions = 0
    for stream in harness.connector.streams:
        if not isinstance(stream, Stream):
            continue
        seen: set[tuple[str, str]] = set()
        position: str | None = None
        async for page in stream.pages(harness.context(), StreamRequest()):
            seen |= {(record.stream, record.remote_id) for record in page.records}
            position = page.position
            break
        if position is None:
            continue
        positions += 1
        async for page in stream.pages(harness.context(), StreamRequest(position=position)):
            seen |= {(record.stream, record.remote_id) for record in page.records}
        assert {key for name, key in seen if name == stream.name} == whole.store.ids(stream.name)
    if not positions:
        pytest.skip("no listing has a position on its first page")


async def a_lost_position_starts_over(harness: Harness) -> None:
    whole = await _read(harness)
    for stream in harness.connector.streams:
        if isinstance(stream, Stream):
            seen: set[str] = set()
            async for page in stream.pages(harness.context(), StreamRequest(position="no such position")):
                seen |= {record.remote_id for record in page.records if record.stream == stream.name}
            assert seen == whole.store.ids(stream.name)


async def every_record_maps(harness: Harness) -> None:
    reading = await _read(harness)
    records = reading.records(harness.context().config)
    models = {model for model, _ in records}
    assert set(harness.connector.mapping.rules) <= models, "some rule yields nothing for the simulated account"


async def mapping_is_deterministic(harness: Harness) -> None:
    reading = await _read(harness)
    config = harness.context().config
    encode = msgspec.json.Encoder(order="sorted").encode
    first = {key: encode(record) for key, record in reading.records(config).items()}
    assert first == {key: encode(record) for key, record in reading.records(config).items()}


async def only_covered_fields_are_filled(harness: Harness) -> None:
    reading = await _read(harness)
    mapping = harness.connector.mapping
    for (model, _), record in reading.records(harness.context().config).items():
        offered = set(mapping.coverage.get(model, {}))
        filled = {name for name in record.__struct_fields__ if _is_filled(record, name)}
        assert filled <= offered, f"{model}: {sorted(filled - offered)} are filled but not offered"


async def everything_covered_is_disclosed(harness: Harness) -> None:
    disclosure, mapping = harness.connector.disclosure, harness.connector.mapping
    assert disclosure is not None
    streams = {stream.name for stream in harness.connector.streams}
    assert set(disclosure.requested_for) == streams, "each stream says for which fields it is read"
    assert set((await _read(harness)).store.streams) <= set(disclosure.contents)
    told: set[Field] = set()
    for content in disclosure.contents.values():
        told |= content.record.serves.union(*(path.serves for path in content.paths.values()))
    covered = {(model, name) for model, fields in mapping.coverage.items() for name in fields}
    assert covered <= told, f"no raw path serves {sorted(covered - told)}"


async def leaving_a_field_out_takes_nothing_else_away(harness: Harness) -> None:
    reading, disclosure = await _read(harness), harness.connector.disclosure
    assert disclosure is not None
    config = harness.context().config
    whole, stored = _plain(reading, config), reading.store.streams
    for model, fields in harness.connector.mapping.coverage.items():
        for name in sorted(set(fields) - indispensable(model)):
            scope = scope_of({f"{model}.{name}": Setting.DISABLED}, ())
            if not any(one.record.is_out(scope) or one.cuts(scope) for one in disclosure.contents.values()):
                continue
            reading.store.streams = {
                stream: {key: _cut(disclosure.contents[stream], data, scope) for key, data in records.items()}
                for stream, records in stored.items()
                if not disclosure.contents[stream].record.is_out(scope)
            }
            left = _plain(reading, config)
            for key, record in whole.items():
                lost = {one for one in record if record[one] != left[key][one]}
                # Custom fields may repeat what stands elsewhere.
                allowed = {"custom_fields", name} if key[0] is model else {"custom_fields"}
                assert lost <= allowed, f"without {model}.{name}, {key[0]} loses {sorted(lost - allowed)}"


async def references_lead_somewhere(harness: Harness) -> None:
    reading = await _read(harness)
    records = reading.records(harness.context().config)
    for (model, key), record in records.items():
        for name, target in record.references.items():
            found = getattr(record, name)
            for value in found if isinstance(found, list) else [found]:
                assert value is None or (target, value) in records, f"{model} {key}: {name} dangles"


async def remote_data_names_stored_records(harness: Harness) -> None:
    reading = await _read(harness)
    context = harness.context()
    mapping = harness.connector.mapping
    for (model, key), record in reading.records(context.config).items():
        named = mapping.remote_data.get(model)
        parts = named(record, MappingContext(context.config)) if named is not None else ()
        labels = [part.label for part in parts]
        assert len(labels) == len(set(labels))
        if parts and (model in mapping.rules or parts[0].element is not None) and not key.startswith("system:"):
            assert any(part.key.remote_id in reading.store.ids(part.key.stream) for part in parts), f"{model} {key}"


async def odd_raw_records_do_not_break_the_mapping(harness: Harness) -> None:
    reading = await _read(harness)
    config = harness.context().config
    for junk in (b"null", b"[]", b"{}", b'"text"', b"7", b'{"id": {"deep": [1]}}', b"\xff not json"):
        for stream, records in list(reading.store.streams.items()):
            for key in sorted(records)[:2]:
                reading.store.save(Page([RawRecord(stream, key, junk)]))
        reading.records(config)


def _can(do: Callable[[], object]) -> tuple[str, str]:
    try:
        done = do()
    except NotImplementedError:
        pytest.skip("the harness cannot do this")
    return done if isinstance(done, tuple) else ("", "")


def _is_filled(record: object, name: str) -> bool:
    return getattr(record, name) not in (None, [], False)


async def _read(harness: Harness) -> Reading:
    reading = Reading(harness.connector, lookup_limit=_SAMPLE)
    await reading.read(harness.context())
    return reading


def _plain(reading: Reading, config: Mapping[str, str]) -> dict[tuple[Model, str], dict[str, object]]:
    return {key: msgspec.structs.asdict(record) for key, record in reading.records(config).items()}


def _cut(content: RawContent, data: bytes, scope: Scope) -> bytes:
    cuts = content.cuts(scope)
    return content.without(data, cuts) if cuts else data


async def _pages(harness: Harness) -> list[Page]:
    found: list[Page] = []
    for stream in harness.connector.streams:
        if isinstance(stream, Stream):
            found.extend([page async for page in stream.pages(harness.context(), StreamRequest())])
    return found


def rule_name(rule: Rule) -> str:
    """The rule as a test id."""
    return getattr(rule, "__name__", "rule")


RULES: tuple[Rule, ...] = tuple(
    function
    for name, function in sorted(globals().items())
    if inspect.iscoroutinefunction(function) and not name.startswith("_")
)
"""All checks, by name."""
