"""Paging cursors: a place in a list, sealed.

A cursor is the position plus a keyed digest over (integration, list, filters, position). One that was cut, edited,
made for another integration or list, or used with other filters does not verify and is refused, so a reader can
never be led to another place than the one it had reached. ``page_size`` is not part of the seal and may change.
"""

from __future__ import annotations

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from hashlib import blake2b
from hmac import compare_digest
from uuid import UUID

from atsumi.errors import InvalidInput
from atsumi.store.reading import Position

_PLACE = struct.Struct(">Bq16s")
_VERSION = 1
_SEAL_SIZE = 14
"""Version, sequence number, id and seal are 39 bytes: exactly 52 characters, each of which matters."""
_PURPOSE = b"atsumi.kombo"


def write_cursor(key: bytes, integration: UUID, list_name: str, filters: bytes, position: Position) -> str:
    """The cursor that continues after ``position``. ``filters`` is any text that differs when the filters do."""
    place = _PLACE.pack(_VERSION, position.seq, position.id.bytes)
    return urlsafe_b64encode(place + _seal(key, integration, list_name, filters, place)).decode()


def read_cursor(key: bytes, integration: UUID, list_name: str, filters: bytes, text: str) -> Position:
    """The position of a cursor. Raises :class:`InvalidInput` for everything that this reader was not given."""
    try:
        content = urlsafe_b64decode(text.encode("ascii"))
    except (Error, ValueError):
        content = b""
    place, seal = content[: _PLACE.size], content[_PLACE.size :]
    is_whole = len(place) == _PLACE.size and len(seal) == _SEAL_SIZE and _is_plain(text)
    if not is_whole or not compare_digest(seal, _seal(key, integration, list_name, filters, place)):
        raise InvalidInput(
            "This cursor was not given out for this list, integration and set of filters. Repeat the parameters of "
            "the first page together with the `next` value of the page before, or start again without a cursor.",
            path="cursor",
        )
    _, seq, raw_id = _PLACE.unpack(place)
    return Position(seq=seq, id=UUID(bytes=raw_id))


def _is_plain(text: str) -> bool:
    """The decoder skips characters it does not know; a cursor has none of them."""
    return all(character.isalnum() or character in "-_" for character in text)


def _seal(key: bytes, integration: UUID, list_name: str, filters: bytes, place: bytes) -> bytes:
    sealed = blake2b(
        key=key if len(key) <= blake2b.MAX_KEY_SIZE else blake2b(key).digest(), digest_size=_SEAL_SIZE, person=_PURPOSE
    )
    name = list_name.encode()
    for part in (integration.bytes, name, filters, place):
        sealed.update(len(part).to_bytes(4))
        sealed.update(part)
    return sealed.digest()
