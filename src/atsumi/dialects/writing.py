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
from typing import Any, Final

import msgspec
from starlette.types import Scope

from atsumi.actions.requests import MAX_IN_FLIGHT, Content, Planned, Receipt
from atsumi.dialects.http import Headers
from atsumi.errors import InvalidInput
from atsumi.model.ids import to_base58

LONGEST_BODY: Final = 96 * 1024 * 1024
"""Of a write, in bytes: three of the largest files that a tool takes, spelled in base64, and the rest."""
MOST_VALUES: Final = 20_000
"""In the body of a write, files aside: decoded, a value takes many times the memory that it takes in JSON."""
REPLAYED: Headers = ((b"idempotent-replayed", b"true"),)
"""Sent with an answer that was given before."""
EMAIL: Final = r"^(?!\.)(?!.*\.\.)[^@\s\x00-\x1f]*[^@\s\x00-\x1f.]@([^@\s\x00-\x1f.]+\.)+[^@\s\x00-\x1f.]{2,}(?!\s)$"
"""What can be an e-mail address: wide, since the tool decides."""

_KEY_HEADERS = (b"idempotency-key", b"x-idempotency-key")
_KEY = re.compile(r"[\x20-\x7e]{1,255}")
_WAIT = re.compile(r"wait=(\d{1,6})")
_PIECE = 256 * 1024
"""Characters of base64 that are decoded at a time; a multiple of four."""
_ESCAPED = re.compile(rb"\\(?:/|u00([0-7][0-9A-Fa-f]))")
_LONGEST_ESCAPE = 6
_WHITE = (b" ", b"\t", b"\r", b"\n", b"\\n", b"\\r", b"\\t")


@dataclass(frozen=True, slots=True)
class Wish:
    """How a caller wants a write done; see :class:`~atsumi.actions.requests.WriteRequest`."""

    key: str | None
    is_deferred: bool
    wait_seconds: float | None


def wish(scope: Scope) -> Wish:
    """What the headers of a request say. Raises :class:`InvalidInput` with the header's name as path.

    A preference that is not known is no mistake (RFC 7240, section 2); of one that is given twice, the first counts.
    """
    sent = b",".join(value for name, value in scope["headers"] if name == b"prefer").decode("latin-1")
    preferences = [one.strip().lower() for one in sent.replace(";", ",").split(",")]
    waits = [float(found[1]) for one in preferences if (found := _WAIT.fullmatch(one))]
    return Wish(_key(scope), "respond-async" in preferences, waits[0] if waits else None)


def _key(scope: Scope) -> str | None:
    """The one key that is sent, however often and in whichever of the two headers."""
    keys = set()
    for name, value in scope["headers"]:
        if name not in _KEY_HEADERS:
            continue
        text = value.decode("latin-1").strip()
        if _KEY.fullmatch(text) is None:
            spelled = "Idempotency-Key" if name == _KEY_HEADERS[0] else "X-Idempotency-Key"
            raise InvalidInput(f"`{spelled}` must be 1 to 255 printable ASCII characters.", path=spelled)
        keys.add(text)
    if len(keys) > 1:
        raise InvalidInput("The request has two different idempotency keys. Send one.", path="Idempotency-Key")
    return keys.pop() if keys else None


def bounded(body: bytes) -> bytes:
    """The body of a write. Raises :class:`InvalidInput` for very many values, of which none is decoded.

    Whatever stands between values counts, also in a text; files in base64 have none of it.
    """
    if sum(map(body.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise InvalidInput(f"The body holds more than {MOST_VALUES} values.")
    return body


class PlannedRequest(msgspec.Struct, kw_only=True):
    """A request as the tool would get it, secrets masked. ``file`` is the name of what is sent as multipart."""

    method: str
    url: str
    headers: dict[str, str]
    body: Any
    file: str | None


def planned_requests(planned: Planned) -> list[PlannedRequest]:
    """What would be sent, as it is shown, in order."""
    return [
        PlannedRequest(method=one.method, url=one.url, headers=dict(one.headers), body=one.body, file=one.file)
        for one in planned.requests
    ]


def receipt_headers(receipt: Receipt) -> Headers:
    """What is sent with the receipt of a deferred write."""
    waits = receipt.expected_wait_seconds
    more: Headers = ((b"retry-after", str(max(1, ceil(waits))).encode()),) if waits is not None else ()
    location = f"/atsumi/v1/actions/{to_base58(receipt.id)}".encode()
    return ((b"preference-applied", b"respond-async"), (b"location", location), *more)


def concurrency_headers(in_flight: int) -> Headers:
    """How many actions an integration may have under way, and how many more it may begin now."""
    remaining = max(0, MAX_IN_FLIGHT - in_flight)
    return (
        (b"concurrency-limit", str(MAX_IN_FLIGHT).encode()),
        (b"concurrency-remaining", str(remaining).encode()),
    )


@dataclass(slots=True)
class EncodedFile:
    """The content of a file that came along as base64; decoded in pieces, and never kept decoded."""

    sha256: str
    size_bytes: int
    _text: str | msgspec.Raw = field(repr=False)

    @classmethod
    def read(cls, text: str | msgspec.Raw) -> EncodedFile:
        """Check a text, or the JSON string that it is in a body, and measure its content; the text is not copied.

        Raises :class:`ValueError` for anything but base64 (RFC 4648, section 4) without white space.
        """
        digest, size = sha256(), 0
        for piece in _decoded(text):
            digest.update(piece)
            size += len(piece)
        return cls(digest.hexdigest(), size, text)

    @property
    def content(self) -> Content:
        """Gives the content in pieces, once; then the text is let go."""

        async def pieces() -> AsyncIterator[bytes]:
            text, self._text = self._text, ""
            for piece in _decoded(text):
                yield piece

        return pieces


def _decoded(text: str | msgspec.Raw) -> Iterator[bytes]:
    held, is_over = b"", False
    for piece in _unescaped(text) if isinstance(text, msgspec.Raw) else _encoded(text):
        held += piece
        whole = len(held) - len(held) % 4
        if (is_over and held) or held.endswith(b"==="):
            raise _no_base64(held)
        if whole:
            try:
                yield binascii.a2b_base64(held[:whole], strict_mode=True)
            except binascii.Error as error:
                raise _no_base64(held) from error
            is_over = held[whole - 1 : whole] == b"="
            held = held[whole:]
    if held:
        raise _no_base64(held)


def _no_base64(met: bytes) -> ValueError:
    if any(one in met for one in _WHITE):
        return ValueError("it is not base64: it holds white space")
    return ValueError("it is not base64")


def _encoded(text: str) -> Iterator[bytes]:
    for start in range(0, len(text), _PIECE):
        yield text[start : start + _PIECE].encode("utf-8", "surrogatepass")


def _unescaped(text: msgspec.Raw) -> Iterator[bytes]:
    """What a JSON string holds. Several encoders escape slashes or plus signs."""
    inside = memoryview(text)[1:-1]
    held = b""
    for start in range(0, len(inside), _PIECE):
        piece = held + bytes(inside[start : start + _PIECE])
        # An escape may go on in the next piece.
        cut = piece.rfind(b"\\", 1 - _LONGEST_ESCAPE)
        held = piece[cut:] if cut >= 0 else b""
        yield _ESCAPED.sub(_character, piece[: len(piece) - len(held)])
    yield _ESCAPED.sub(_character, held)


def _character(escaped: re.Match[bytes]) -> bytes:
    return bytes.fromhex(escaped[1].decode()) if escaped[1] is not None else b"/"
