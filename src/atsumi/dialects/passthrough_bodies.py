"""What a caller wants sent to a tool, as JSON bodies of any surface spell it."""

from __future__ import annotations

import base64
import binascii

import msgspec

from atsumi.connector.passthrough import MAX_REQUEST_BYTES
from atsumi.errors import InvalidInput

LONGEST_BODY = MAX_REQUEST_BYTES * 3 // 2
"""What such a body may hold, with its files in base64 and everything around them."""
NOTHING = msgspec.Raw(b"null")


def content_of(data: msgspec.Raw) -> tuple[bytes | None, bool]:
    """The bytes to send, and whether they are JSON: a string stands for itself, anything else for its JSON.

    That is sent as the caller spelled it, so that numbers keep all of their digits. ``None`` for ``null`` and for
    nothing.
    """
    sent = bytes(data).strip()
    if sent in (b"", bytes(NOTHING)):
        return None, False
    if sent.startswith(b'"'):
        return msgspec.json.decode(sent, type=str).encode(), False
    return sent, True


def from_base64(text: str, path: str) -> bytes:
    """A file's content. Raises :class:`InvalidInput` that names ``path``."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("The file's content is not base64.", path=path) from error
