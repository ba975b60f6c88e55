"""Paging cursors: a place in a list, sealed.

A cursor is the position plus a keyed digest over (integration, list, filters, position). One that was cut, edited,
made for another integration or list, or used with other filters does not verify and is refused, so a reader can
never be led to another place than the one it had reached. ``page_size`` is not part of the seal and may change.
"""

from __future__ import annotations

import struct
from uuid import UUID

from atsumi.dialects.sealing import seal, unseal
from atsumi.errors import InvalidInput
from atsumi.store.reading import Position

_PLACE = struct.Struct(">Bq16s")
"""Version, sequence number, id: with the seal 39 bytes, exactly 52 characters."""
_VERSION = 1
_PURPOSE = b"atsumi.kombo"


def write_cursor(key: bytes, integration: UUID, list_name: str, filters: bytes, position: Position) -> str:
    """The cursor that continues after ``position``. ``filters`` is any text that differs when the filters do."""
    place = _PLACE.pack(_VERSION, position.seq, position.id.bytes)
    return seal(key, _PURPOSE, (integration.bytes, list_name.encode(), filters), place)


def read_cursor(key: bytes, integration: UUID, list_name: str, filters: bytes, text: str) -> Position:
    """The position of a cursor. Raises :class:`InvalidInput` for everything that this reader was not given."""
    place = unseal(key, _PURPOSE, (integration.bytes, list_name.encode(), filters), _PLACE.size, text)
    if place is None:
        raise InvalidInput(
            "This cursor was not given out for this list, integration and set of filters. Repeat the parameters of "
            "the first page together with the `next` value of the page before, or start again without a cursor.",
            path="cursor",
        )
    _, seq, raw_id = _PLACE.unpack(place)
    return Position(seq=seq, id=UUID(bytes=raw_id))
