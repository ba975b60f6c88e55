"""Canonical structs to and from what the store holds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

import msgspec

from atsumi.model.catalog import CODES, MODELS, STRUCTS
from atsumi.model.ids import record_id
from atsumi.model.names import Model
from atsumi.model.record import Record
from atsumi.store.records import RecordRow
from atsumi.sync.projection import Stored

_encoder = msgspec.json.Encoder(order="deterministic")
_decoders = {model: msgspec.json.Decoder(struct) for model, struct in STRUCTS.items()}


class Encoded(NamedTuple):
    """A canonical record ready to be compared and stored."""

    model: Model
    id: UUID
    group_id: UUID | None
    record: Record
    data: bytes
    hash: bytes


def content_hash(data: bytes) -> bytes:
    """16 bytes that change when the content does."""
    return blake2b(data, digest_size=16).digest()


def encode(integration: UUID, record: Record, group_id: UUID | None) -> Encoded:
    """Spell a record as the store keeps it. Equal records give equal bytes."""
    data = _encoder.encode(record)
    own = record_id(integration, record.model, record.remote_id)
    return Encoded(record.model, own, None if group_id == own else group_id, record, data, content_hash(data))


def decode(row: RecordRow) -> Record:
    """The struct of a stored row."""
    return _decoders[MODELS[row.model]].decode(row.data)


def read(model: Model, data: bytes) -> Record:
    """The struct of a record's stored bytes."""
    return _decoders[model].decode(data)


def bare(record: Record) -> Record:
    """The record with nothing but its remote id and the references without which it cannot be."""
    struct = STRUCTS[record.model]
    required = [field.name for field in msgspec.structs.fields(struct) if field.required]
    return struct(**{name: getattr(record, name) for name in required})


def targets(integration: UUID, record: Record, field: str) -> list[UUID]:
    """The record ids that a reference points at: none, one, or those of a list in its order."""
    named = getattr(record, field)
    if named is None:
        return []
    model = record.references[field]
    return [record_id(integration, model, one) for one in ([named] if isinstance(named, str) else named)]


def search_key(integration: UUID, model: Model, term: str) -> UUID:
    """The digest under which a lookup term stands in ``record.keys``."""
    digest = blake2b(term.encode(), digest_size=16, key=integration.bytes + b"term:" + model.value.encode())
    return UUID(bytes=digest.digest())


def row_of(integration: UUID, encoded: Encoded, seq: int, at: datetime, deleted_at: datetime | None) -> RecordRow:
    """The row to write for a record that changed."""
    record = encoded.record
    keys = {id for field in record.references for id in targets(integration, record, field)}
    keys.update(search_key(integration, encoded.model, term) for term in record.lookups())
    facets = record.facets()
    return RecordRow(
        model=CODES[encoded.model],
        id=encoded.id,
        group_id=encoded.group_id,
        remote_id=record.remote_id,
        hash=encoded.hash,
        data=encoded.data,
        seq=seq,
        changed_at=at,
        deleted_at=deleted_at,
        remote_created_at=record.remote_created_at,
        keys=sorted(keys),
        facets=msgspec.json.encode(facets).decode() if facets else None,
    )


def stored(integration: UUID, row: RecordRow) -> Stored[Record]:
    """A row as a projection sees it, without related records."""
    return Stored(
        id=row.id,
        integration=integration,
        record=decode(row),
        changed_at=row.changed_at,
        deleted_at=row.deleted_at,
    )


def by_model(encoded: Iterable[Encoded]) -> dict[Model, list[Encoded]]:
    """Group records by model, keeping their order."""
    found: dict[Model, list[Encoded]] = {}
    for one in encoded:
        found.setdefault(one.model, []).append(one)
    return found
