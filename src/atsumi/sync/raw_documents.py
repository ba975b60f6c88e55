"""The raw document of a canonical record: what the tool says about it, as one JSON object.

It is what JMESPath expressions of custom fields and field mappings are evaluated on, what fields are discovered in, and
what API surfaces show as raw data. The connector names the raw records behind a canonical one, each with a label
(:class:`atsumi.connector.contract.RecordMapping`, ``remote_data``); only those that are stored and not gone count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from atsumi.connector.contract import MappingContext, RawKey, RawView, RecordMapping
from atsumi.connector.reading import decode
from atsumi.model.names import Model
from atsumi.store import records
from atsumi.store.records import Connection


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


def document_in_view(sources: Sequence[tuple[str, RawKey]], view: RawView) -> dict[str, object]:
    """The raw document made of these sources; all of them must have been looked up in the view."""
    found = [(label, view.get(key.stream, key.remote_id)) for label, key in sources]
    return raw_document((label, decode(data)) for label, data in found if data is not None)


async def load_raw_documents(
    connection: Connection,
    integration: int,
    mapping: RecordMapping,
    context: MappingContext,
    wanted: Sequence[tuple[Model, str]],
    kept: Callable[[str, bytes], bytes | None],
) -> Mapping[tuple[Model, str], dict[str, object]]:
    """The raw documents of records given by model and remote id, empty where nothing is stored. One statement.

    ``kept`` gives what is in scope of a stream's raw record (:meth:`atsumi.sync.shaping.Shape.kept`).
    """
    sources = {one: mapping.remote_data(*one, context) for one in wanted}
    keys = {key for named in sources.values() for _, key in named}
    stored = await records.raw_by_key(connection, integration, keys)
    present = {
        key: data
        for key, (found, is_gone) in stored.items()
        if not is_gone and (data := kept(key[0], found)) is not None
    }
    return {
        one: raw_document((label, decode(present[key])) for label, key in named if key in present)
        for one, named in sources.items()
    }
