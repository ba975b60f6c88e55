"""Links to files: whoever holds one may fetch the file until it expires, without a key.

A link is an integration, one of its attachments and an end, sealed with a secret of the deployment. Nothing of it can
be changed, and no other deployment's link opens here.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from atsumi.dialects.sealing import seal, unseal
from atsumi.errors import InvalidInput, NoLongerKept

PATH = "/files"
LINK_KEY = "file links"
"""The name under which the secret that seals links is derived."""
_PURPOSE = b"atsumi.file"
_PLACE = struct.Struct(">H16s16sQx")
"""Version, integration, attachment, seconds since 1970: with the seal 57 bytes, exactly 76 characters."""
_VERSION = 1
_STEP = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class FileLink:
    """What a link leads to: both ids are public ones."""

    integration: UUID
    attachment: UUID


def expiry(now: datetime, lifetime: timedelta) -> datetime:
    """When a link given out now ends: after ``lifetime``, up to the next full hour.

    So within an hour a file has the same link, and a reader who compares two answers sees no change where none is.
    """
    seconds = int(_STEP.total_seconds())
    end = (now + lifetime).timestamp()
    return datetime.fromtimestamp(-(-end // seconds) * seconds, UTC)


def write_link(key: bytes, link: FileLink, expires_at: datetime) -> str:
    """The path of a link, to be put behind the address of this product."""
    place = _PLACE.pack(_VERSION, link.integration.bytes, link.attachment.bytes, int(expires_at.timestamp()))
    return f"{PATH}/{seal(key, _PURPOSE, (), place)}"


def read_link(key: bytes, text: str, now: datetime) -> FileLink:
    """What the last part of a link's path leads to.

    Raises :class:`InvalidInput` for what was not given out here, :class:`NoLongerKept` for what has expired.
    """
    place = unseal(key, _PURPOSE, (), _PLACE.size, text)
    if place is None:
        raise InvalidInput("This link was not given out here. Read the attachment again to get a new one.")
    _, integration, attachment, end = _PLACE.unpack(place)
    if now.timestamp() >= end:
        raise NoLongerKept("This link has expired. Read the attachment again to get a new one.")
    return FileLink(UUID(bytes=integration), UUID(bytes=attachment))
