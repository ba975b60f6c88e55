"""Record ids: one 128-bit digest, two spellings.

An id is computed from (integration, model, remote id), never looked up, so streams may arrive in any order and a
reference can be written before the record it points at exists. The digest is laid out as a version-8 UUID
(RFC 9562 section 5.8, the version for vendor-defined content), so that the UUID spelling is valid for strict clients.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from uuid import UUID

from atsumi.model.names import Model

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUE = {character: position for position, character in enumerate(_ALPHABET)}
_WIDTH = 24
_TWO = 58**2
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_VERSION_MASK = ~((0xF << 76) | (0x3 << 62)) & ((1 << 128) - 1)
_VERSION_BITS = (0x8 << 76) | (0x2 << 62)


@lru_cache(maxsize=1 << 15)
def record_id(integration: UUID, model: Model, remote_id: str) -> UUID:
    """The id of one record: the same for ever as long as the tool keeps the remote id.

    ``integration`` is the integration's public id, so that reconnecting under a new integration gives new ids.
    """
    return _digest(integration, model, remote_id)


@lru_cache(maxsize=1 << 12)
def field_id(integration: UUID, model: Model, path: str) -> UUID:
    """The id of one field of the tool, by its path in the raw documents of a model: the same for ever."""
    return _digest(integration, f"{model}.field", path)


def _digest(integration: UUID, kind: str, text: str) -> UUID:
    digest = blake2b(text.encode(), digest_size=16, key=integration.bytes + kind.encode()).digest()
    return UUID(int=int.from_bytes(digest) & _VERSION_MASK | _VERSION_BITS)


@lru_cache(maxsize=1 << 15)
def to_base58(value: UUID) -> str:
    """Spell an id as 24 characters of the Bitcoin base58 alphabet, padded with the alphabet's zero (``1``)."""
    number = value.int
    characters = ""
    while number:
        number, two = divmod(number, _TWO)
        characters = _PAIRS[two] + characters
    return characters.rjust(_WIDTH, "1")[-_WIDTH:]


def from_base58(text: str) -> UUID | None:
    """Read the spelling of :func:`to_base58`; ``None`` for anything that is not one."""
    if len(text) != _WIDTH:
        return None
    number = 0
    for character in text:
        value = _VALUE.get(character)
        if value is None:
            return None
        number = number * 58 + value
    return UUID(int=number) if number < 1 << 128 else None


def read_id(text: str) -> UUID | None:
    """Read an id in either spelling; ``None`` for anything that is none."""
    found = from_base58(text)
    if found is not None:
        return found
    try:
        return UUID(text)
    except ValueError:
        return None
