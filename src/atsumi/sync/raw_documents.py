"""The raw document of a canonical record: what the tool says about it, as one JSON object.

It is what JMESPath expressions of custom fields and field mappings are evaluated on, what fields are discovered in, and
what API surfaces show as raw data. The connector names the raw records behind a canonical one, each with a label
(:class:`atsumi.connector.contract.RecordMapping`, ``remote_data``); only those that are stored and not gone count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from atsumi.connector.contract import MappingContext, RawKey, RawPart, RawView, RecordMapping
from atsumi.connector.reading import as_id, as_object, decode
from atsumi.model.record import Record
from atsumi.store import records
from atsumi.store.records import Connection

_elements = msgspec.json.Decoder(list[msgspec.Raw])


def raw_document(parts: Iterable[tuple[str, object]]) -> dict[str, object]:
    """Join decoded raw records, given with their labels in the connector's order, to one object.

    The first is the main one: its own keys stay where they are. Every further one stands under its label, unless the
    main one has that key already; so does a main one that is no JSON object. No parts give an empty document.
    """
    document: dict[str, object] = {}
    for number, (label, value) in enumerate(parts):
        if number == 0 and isinstance(value, dict):
            document = dict(value)
        else:
            document.setdefault(label, value)
    return document


def parts_of(mapping: RecordMapping, record: Record, context: MappingContext) -> Sequence[RawPart]:
    """The raw records behind a canonical one, the main one first."""
    named = mapping.remote_data.get(record.model)
    return named(record, context) if named is not None else ()


def content_of(part: RawPart, data: bytes) -> bytes | None:
    """What a part takes of its raw record as stored; ``None`` if that has no such element."""
    if part.element is None:
        return data
    try:
        elements = _elements.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    # A tool that lists an id twice means the last one, as mappings do.
    for element in reversed(elements):
        if as_id(as_object(decode(bytes(element))).get("id")) == part.element:
            return bytes(element)
    return None


def document_in_view(parts: Sequence[RawPart], view: RawView) -> dict[str, object]:
    """The raw document made of these parts, whose raw records must have been looked up in the view."""
    found = _contents(parts, lambda key: view.get(*key))
    return raw_document((label, decode(data)) for label, data in found)


async def load_parts(
    connection: Connection,
    integration: int,
    mapping: RecordMapping,
    context: MappingContext,
    wanted: Sequence[Record],
    kept: Callable[[str, bytes], bytes | None],
) -> list[list[tuple[str, bytes]]]:
    """The raw data behind each of these records with its labels, as far as it is stored and not gone. One statement.

    ``kept`` gives what is in scope of a stream's raw record (:meth:`atsumi.sync.shaping.Shape.kept`).
    """
    named = [parts_of(mapping, record, context) for record in wanted]
    stored = await records.raw_by_key(connection, integration, {part.key for parts in named for part in parts})
    present = {key: kept(key[0], data) for key, (data, is_gone) in stored.items() if not is_gone}
    return [_contents(parts, present.get) for parts in named]


async def load_raw_documents(
    connection: Connection,
    integration: int,
    mapping: RecordMapping,
    context: MappingContext,
    wanted: Sequence[Record],
    kept: Callable[[str, bytes], bytes | None],
) -> list[dict[str, object]]:
    """The raw document of each of these records, empty where nothing is stored. As :func:`load_parts`."""
    found = await load_parts(connection, integration, mapping, context, wanted, kept)
    return [raw_document((label, decode(data)) for label, data in parts) for parts in found]


def _contents(parts: Sequence[RawPart], get: Callable[[RawKey], bytes | None]) -> list[tuple[str, bytes]]:
    found = []
    for part in parts:
        data = get(part.key)
        content = content_of(part, data) if data is not None else None
        if content is not None:
            found.append((part.label, content))
    return found
