"""What a write brings along besides its draft, for every API surface alike: a key, how long its caller waits, files.

Headers: ``Idempotency-Key`` or ``X-Idempotency-Key``, and ``Prefer`` (RFC 7240) with ``respond-async`` and ``wait``.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from math import ceil

from starlette.types import Scope

from atsumi.actions.requests import Content, Receipt
from atsumi.dialects.http import Headers, header
from atsumi.errors import InvalidInput
from atsumi.model.ids import to_base58

LONGEST_BODY = 96 * 1024 * 1024
"""Of a write, in bytes: three of the largest files that a tool takes, spelled in base64, and the rest."""
REPLAYED: Headers = ((b"idempotent-replayed", b"true"),)
"""Sent with an answer that was given before."""

_KEY_HEADERS = (b"idempotency-key", b"x-idempotency-key")
_KEY = re.compile(r"[\x20-\x7e]{1,255}")
_WAIT = re.compile(r"wait=(\d{1,6})")
_PIECE = 256 * 1024
"""Characters of base64 that are decoded at a time; a multiple of four."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How a caller wants a write done; see :class:`~atsumi.actions.requests.WriteRequest`."""

    key: str | None
    is_deferred: bool
    wait_seconds: float | None


def wish(scope: Scope) -> Wish:
    """What the headers of a request say. Raises :class:`InvalidInput` with the header's name as path."""
    preferences = [
        one.strip().lower() for one in (header(scope, b"prefer") or b"").decode("latin-1").replace(";", ",").split(",")
    ]
    waits = [float(found[1]) for one in preferences if (found := _WAIT.fullmatch(one))]
    return Wish(_key(scope), "respond-async" in preferences, waits[0] if waits else None)


def _key(scope: Scope) -> str | None:
    for name in _KEY_HEADERS:
        sent = header(scope, name)
        if sent is None:
            continue
        text = sent.decode("latin-1").strip()
        if _KEY.fullmatch(text) is None:
            spelled = "Idempotency-Key" if name == _KEY_HEADERS[0] else "X-Idempotency-Key"
            raise InvalidInput(f"`{spelled}` must be 1 to 255 printable ASCII characters.", path=spelled)
        return text
    return None


def receipt_headers(receipt: Receipt) -> Headers:
    """What is sent with the receipt of a deferred write."""
    waits = receipt.expected_wait_seconds
    more: Headers = ((b"retry-after", str(max(1, ceil(waits))).encode()),) if waits is not None else ()
    location = f"/atsumi/v1/actions/{to_base58(receipt.id)}".encode()
    return ((b"preference-applied", b"respond-async"), (b"location", location), *more)


@dataclass(frozen=True, slots=True)
class EncodedFile:
    """The content of a file that came along as base64; decoded in pieces, and never kept decoded."""

    sha256: str
    size_bytes: int
    _text: str = field(repr=False)

    @classmethod
    def read(cls, text: str) -> EncodedFile:
        """Raises :class:`ValueError` for anything that is not base64. White space does not count."""
        if not text.isascii():
            raise ValueError("it is not base64")
        text = text if not any(blank in text for blank in " \t\r\n") else "".join(text.split())
        if "=" in text[:-2]:
            raise ValueError("it is not base64")
        digest, size = sha256(), 0
        for piece in _decoded(text):
            digest.update(piece)
            size += len(piece)
        return cls(digest.hexdigest(), size, text)

    @property
    def content(self) -> Content:
        """Gives the content in pieces, as often as it is called."""

        async def pieces() -> AsyncIterator[bytes]:
            for piece in _decoded(self._text):
                yield piece

        return pieces


def _decoded(text: str) -> Iterator[bytes]:
    try:
        for start in range(0, len(text), _PIECE):
            yield binascii.a2b_base64(text[start : start + _PIECE], strict_mode=True)
    except binascii.Error as error:
        raise ValueError("it is not base64") from error
