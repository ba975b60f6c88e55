"""From raw records to canonical ones."""

# ruff: noqa: S101 (asserting is what this file is for)

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from atsumi.connector.contract import MappingContext, Page, RawRecord
from atsumi.connector.disclosure import RawContent
from atsumi.model.names import Model
from atsumi.model.scope import Field, Scope, Setting, indispensable, scope_of
from atsumi.testing.conformance.harness import Harness, read
from atsumi.testing.reading import Reading


async def every_record_maps(harness: Harness) -> None:
    reading = await read(harness)
    records = reading.records(harness.context().config)
    models = {model for model, _ in records}
    assert set(harness.connector.mapping.rules) <= models, "some rule yields nothing for the simulated account"


async def mapping_is_deterministic(harness: Harness) -> None:
    reading = await read(harness)
    config = harness.context().config
    encode = msgspec.json.Encoder(order="sorted").encode
    first = {key: encode(record) for key, record in reading.records(config).items()}
    assert first == {key: encode(record) for key, record in reading.records(config).items()}


async def only_covered_fields_are_filled(harness: Harness) -> None:
    reading = await read(harness)
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
    assert set((await read(harness)).store.streams) <= set(disclosure.contents)
    told: set[Field] = set()
    for content in disclosure.contents.values():
        told |= content.record.serves.union(*(path.serves for path in content.paths.values()))
    covered = {(model, name) for model, fields in mapping.coverage.items() for name in fields}
    assert covered <= told, f"no raw path serves {sorted(covered - told)}"


async def leaving_a_field_out_takes_nothing_else_away(harness: Harness) -> None:
    reading, disclosure = await read(harness), harness.connector.disclosure
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
    reading = await read(harness)
    records = reading.records(harness.context().config)
    for (model, key), record in records.items():
        for name, target in record.references.items():
            found = getattr(record, name)
            for value in found if isinstance(found, list) else [found]:
                assert value is None or (target, value) in records, f"{model} {key}: {name} dangles"


async def remote_data_names_stored_records(harness: Harness) -> None:
    reading = await read(harness)
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
    reading = await read(harness)
    config = harness.context().config
    for junk in (b"null", b"[]", b"{}", b'"text"', b"7", b'{"id": {"deep": [1]}}', b"\xff not json"):
        for stream, records in list(reading.store.streams.items()):
            for key in sorted(records)[:2]:
                reading.store.save(Page([RawRecord(stream, key, junk)]))
        reading.records(config)


def _is_filled(record: object, name: str) -> bool:
    return getattr(record, name) not in (None, [], False)


def _plain(reading: Reading, config: Mapping[str, str]) -> dict[tuple[Model, str], dict[str, object]]:
    return {key: msgspec.structs.asdict(record) for key, record in reading.records(config).items()}


def _cut(content: RawContent, data: bytes, scope: Scope) -> bytes:
    cuts = content.cuts(scope)
    return content.without(data, cuts) if cuts else data
