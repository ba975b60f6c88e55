"""Reading values out of a tool's JSON without trusting it.

Every reader takes any value and returns the typed one or ``None``. What is missing is normal; what is there but
cannot be read is reported once as an :class:`~atsumi.connector.contract.Issue`, without the value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from atsumi.connector.contract import Issue

NaiveTimestamps = Literal["local", "utc"]
"""What a timestamp without an offset means: time in the zone named beside it (else the default one), or UTC."""

V = TypeVar("V")

_TIMESTAMP_KEYS = ("date-time", "date_time", "date")
_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)\s*(Z|z|UTC|[+-]\d\d:?\d\d|[+-]\d\d)?)?", re.ASCII
)
_LONGEST_WORD = 40
_LONGEST_ID = 500
_NO_ID = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffd\ud800-\udfff]")


class Reader:
    """Reads one record and collects what was odd about it. ``stream`` and ``remote_id`` go into the issues."""

    def __init__(self, stream: str, remote_id: str, *, naive: NaiveTimestamps = "utc", zone: str = "UTC") -> None:
        self.issues: list[Issue] = []
        self._stream = stream
        self._remote_id = remote_id
        self._naive = naive
        self._zone = zone

    def report(self, kind: str, field: str, detail: str = "") -> None:
        """Count an oddity. ``detail`` must not be a person's data."""
        issue = Issue(kind, self._stream, self._remote_id, field, detail)
        if issue not in self.issues:
            self.issues.append(issue)

    def text(self, value: object, field: str) -> str | None:
        """Text without surrounding blanks; numbers become text; empty becomes ``None``."""
        found = as_text(value)
        if found is None and value is not None and not isinstance(value, str):
            self.report("unexpected_type", field, type(value).__name__)
        return found

    def number(self, value: object, field: str) -> float | None:
        """A finite number, also from decimal text with a point."""
        if value is None or isinstance(value, bool) or (isinstance(value, str) and not value.strip()):
            return None
        try:
            found = float(value) if isinstance(value, int | float | str) else math.nan
        except (ValueError, OverflowError):
            found = math.nan
        if not math.isfinite(found):
            self.report("bad_number", field)
            return None
        return found

    def word(self, value: object, field: str, known: Mapping[str, V]) -> V | None:
        """The meaning of a vocabulary word, compared in lower case; an unknown one is counted by name."""
        text = as_text(value)
        if text is None:
            return None
        if text.lower() not in known:
            self.unknown(text, field)
            return None
        return known[text.lower()]

    def unknown(self, word: str, field: str) -> None:
        """Count a vocabulary word that no table knows; only what looks like a word is named."""
        plain = len(word) <= _LONGEST_WORD and word.replace("-", "").replace("_", "").isalnum() and word.isascii()
        self.report("unknown_value", field, word if plain else "")

    def instant(self, value: object, field: str) -> datetime | None:
        """An aware UTC instant out of a string or an object holding one under any of the usual keys.

        A date alone is its midnight in UTC.
        """
        text, zone = value, None
        if isinstance(value, dict):
            zone = value.get("timezone")
            text = next((value[key] for key in _TIMESTAMP_KEYS if value.get(key)), None)
        if text is None or text == "":
            return None
        found = self._parse(text, zone) if isinstance(text, str) else None
        if found is None:
            self.report("bad_timestamp", field)
        return found

    def _parse(self, text: str, zone: object) -> datetime | None:
        match = _INSTANT.fullmatch(text.strip())
        if match is None:
            return None
        day, clock, offset = match.groups()
        try:
            if clock is None:
                return datetime.fromisoformat(f"{day}T00:00:00+00:00")
            seconds, _, fraction = clock.replace(",", ".").partition(".")
            clock = f"{seconds}.{fraction[:6]:0<6}" if fraction else seconds
            if offset is None:
                naive = datetime.fromisoformat(f"{day}T{clock}")
                return naive.replace(tzinfo=self._zone_of(zone)).astimezone(UTC)
            offset = "+00:00" if offset in ("Z", "z", "UTC") else offset
            return datetime.fromisoformat(f"{day}T{clock}{offset}").astimezone(UTC)
        except (ValueError, OverflowError):
            return None

    def _zone_of(self, name: object) -> ZoneInfo:
        if self._naive == "utc":
            return ZoneInfo("UTC")
        for candidate in (name, self._zone):
            if isinstance(candidate, str) and candidate:
                try:
                    return ZoneInfo(candidate)
                except (KeyError, ValueError, OSError):  # the three ways in which zoneinfo says "no such zone"
                    self.report("unknown_value", "timezone")
        return ZoneInfo("UTC")


def as_text(value: object) -> str | None:
    """Text without surrounding blanks and NUL, from a string or a whole number; anything else and empty is ``None``."""
    if isinstance(value, str):
        return value.replace("\0", "").strip() or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def as_id(value: object) -> str | None:
    """A tool's id for a record; ``None`` for what cannot be one: nothing, control characters, replaced characters.

    An id that arrives broken might be anybody's, and a database refuses the longest.
    """
    text = as_text(value)
    return text if text and len(text) <= _LONGEST_ID and not _NO_ID.search(text) else None


def as_object(value: object) -> Mapping[str, object]:
    """The value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[object]:
    """The value if it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def decode(raw: bytes | None) -> object:
    """The JSON value of a stored record; ``None`` when there is none or it cannot be read."""
    if raw is None:
        return None
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def encode_stably(value: object) -> bytes:
    """JSON bytes that depend on the content only: keys are sorted, so the order a tool sends them in is no change."""
    return msgspec.json.encode(value, order="sorted")
