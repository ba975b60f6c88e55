"""Files of a tool, read while they arrive."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.message import Message
from email.utils import collapse_rfc2231_value

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file under way. ``name`` and ``content_type`` are what the answer says, if anything.

    ``chunks`` may be read once, while the context it came from is open, and raises what the request would.
    """

    name: str | None
    content_type: str | None
    chunks: AsyncIterator[bytes]


def file_name(disposition: str) -> str | None:
    """The name in a ``Content-Disposition`` header (RFC 6266: ``filename*`` wins), without folders; or ``None``."""
    message = Message()
    message["content-disposition"] = _UNPRINTABLE.sub("", disposition)
    try:
        found = message.get_param("filename", header="content-disposition")
        text = collapse_rfc2231_value(found) if found is not None else ""
    except (LookupError, ValueError):
        return None
    plain = _UNPRINTABLE.sub("", text).replace("\\", "/").rpartition("/")[2].strip()
    name = plain[-_LONGEST_NAME:]
    return None if name in ("", ".", "..") else name
