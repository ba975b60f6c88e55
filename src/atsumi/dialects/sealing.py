"""Cursors that lead to the place they were made for, or nowhere: a place and a keyed digest over its circumstances."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Sequence
from hashlib import blake2b
from hmac import compare_digest

SEAL_SIZE = 14
"""Bytes of a seal: nobody guesses 112 bits."""


def seal(key: bytes, purpose: bytes, bound_to: Sequence[bytes], place: bytes) -> str:
    """The cursor for a place. ``purpose`` (at most 16 bytes) tells kinds of cursors apart.

    Place and seal together must be a multiple of three bytes, so that every character of the cursor matters.
    """
    return urlsafe_b64encode(place + _digest(key, purpose, bound_to, place)).decode()


def unseal(key: bytes, purpose: bytes, bound_to: Sequence[bytes], size: int, text: str) -> bytes | None:
    """The place, of ``size`` bytes, of a cursor made with the same key and circumstances; ``None`` for all others."""
    try:
        content = urlsafe_b64decode(text.encode("ascii"))
    except (Error, ValueError):
        return None
    place, found = content[:size], content[size:]
    is_whole = len(place) == size and len(found) == SEAL_SIZE and _is_plain(text)
    return place if is_whole and compare_digest(found, _digest(key, purpose, bound_to, place)) else None


def _is_plain(text: str) -> bool:
    """The decoder skips characters it does not know; a cursor has none of them."""
    return all(character.isalnum() or character in "-_" for character in text)


def _digest(key: bytes, purpose: bytes, bound_to: Sequence[bytes], place: bytes) -> bytes:
    short = key if len(key) <= blake2b.MAX_KEY_SIZE else blake2b(key).digest()
    sealed = blake2b(key=short, digest_size=SEAL_SIZE, person=purpose)
    for part in (*bound_to, place):
        sealed.update(len(part).to_bytes(4))
        sealed.update(part)
    return sealed.digest()
