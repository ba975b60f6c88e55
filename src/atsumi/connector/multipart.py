"""One file as a ``multipart/form-data`` body (RFC 7578), written piece by piece."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from typing import NamedTuple

_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)
_QUOTED = {ord('"'): "%22", ord("\r"): "%0D", ord("\n"): "%0A"}
"""How a name's odd characters are written (WHATWG HTML, "multipart/form-data encoding algorithm", read 2026-11)."""
_UNSAFE = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f\\/]")


class Multipart(NamedTuple):
    """A body of known length with the headers that belong to it; ``content`` can be read once."""

    headers: Mapping[str, str]
    content: AsyncIterator[bytes]


def one_file(
    field: str, name: str, media_type: str | None, size_bytes: int, content: AsyncIterable[bytes]
) -> Multipart:
    """A form whose only part is the file ``content`` of exactly ``size_bytes``, under ``field``.

    Servers disagree about backslashes and take slashes for folders, so both become underscores in the name, as do
    control characters. A media type that is none is replaced by that of any file. Reading the content raises
    ``ValueError`` when it is not of that size: the length was announced.
    """
    boundary = secrets.token_hex(16)
    kind = media_type if media_type is not None and _MEDIA_TYPE.fullmatch(media_type) else "application/octet-stream"
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{_quoted(name)}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    ).encode("utf-8", "replace")
    tail = f"\r\n--{boundary}--\r\n".encode()
    headers = {
        "Content-Type": f"multipart/form-data; boundary={boundary}",
        "Content-Length": str(len(head) + size_bytes + len(tail)),
    }
    return Multipart(headers, _pieces(head, content, size_bytes, tail))


def _quoted(name: str) -> str:
    return _UNSAFE.sub("_", name).translate(_QUOTED)


async def _pieces(head: bytes, content: AsyncIterable[bytes], size_bytes: int, tail: bytes) -> AsyncIterator[bytes]:
    yield head
    left = size_bytes
    async for piece in content:
        left -= len(piece)
        if left < 0:
            break
        yield piece
    if left:
        raise ValueError("the file is not of the size that was announced")
    yield tail
