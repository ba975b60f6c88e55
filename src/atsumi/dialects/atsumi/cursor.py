"""Cursors of the change feed: a number of the change log, sealed for one integration.

The filter is not part of it: the number is a place in the whole log, so a reader may follow other models from there.
"""

from __future__ import annotations

import struct
from uuid import UUID

from atsumi.dialects.sealing import seal, unseal
from atsumi.errors import InvalidInput

_PLACE = struct.Struct(">Bxq")
"""Version and sequence number: with the seal 24 bytes, exactly 32 characters."""
_VERSION = 1
_PURPOSE = b"atsumi.changes"


def write_cursor(key: bytes, integration: UUID, sequence: int) -> str:
    """The cursor that goes on after a number."""
    return seal(key, _PURPOSE, (integration.bytes,), _PLACE.pack(_VERSION, sequence))


def read_cursor(key: bytes, integration: UUID, text: str) -> int:
    """The number. Raises :class:`InvalidInput` for everything that was not given out for this integration."""
    place = unseal(key, _PURPOSE, (integration.bytes,), _PLACE.size, text)
    if place is None:
        raise InvalidInput(
            "This cursor was not given out for this integration. Go on with the `cursor` of the answer before, or "
            "begin without one.",
            path="cursor",
        )
    sequence: int = _PLACE.unpack(place)[1]
    return sequence
