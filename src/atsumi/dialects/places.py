"""Paging cursors of lists: a place in a list, sealed together with the list and the filters it was reached with.

One that was cut, edited, made for another integration or list, or used with other filters does not verify, so a reader
can never be led to another place than the one it had reached. The size of pages is not part of the seal.
"""

from __future__ import annotations

import struct
from uuid import UUID

from atsumi.dialects.sealing import seal, unseal
from atsumi.store.reading import Position

_PLACE = struct.Struct(">Bq16s")
"""Version, sequence number, id: with the seal 39 bytes, exactly 52 characters."""
_VERSION = 1

FOREIGN = "was not given out for this list, integration and set of filters"
"""What is wrong with a cursor that does not verify."""


def write_place(
    key: bytes, purpose: bytes, integration: UUID, list_name: str, filters: bytes, position: Position
) -> str:
    """The cursor that continues after ``position``. ``filters`` is any text that differs when the filters do."""
    place = _PLACE.pack(_VERSION, position.seq, position.id.bytes)
    return seal(key, purpose, (integration.bytes, list_name.encode(), filters), place)


def read_place(
    key: bytes, purpose: bytes, integration: UUID, list_name: str, filters: bytes, text: str
) -> Position | None:
    """The position of a cursor; ``None`` for everything that this reader was not given."""
    place = unseal(key, purpose, (integration.bytes, list_name.encode(), filters), _PLACE.size, text)
    if place is None:
        return None
    _, seq, raw_id = _PLACE.unpack(place)
    return Position(seq=seq, id=UUID(bytes=raw_id))
