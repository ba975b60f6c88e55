"""Reading values out of query strings, for every API surface alike."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone

from atsumi.errors import InvalidInput

_INSTANT = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})"
    r"(?:[T ](?P<time>\d{2}:\d{2}(?::\d{2})?)(?:\.(?P<fraction>\d{1,9}))?)?"
    r"(?P<zone>[Zz]|[+\- ]\d{2}:?\d{2})?"
)
"""A blank before an offset is a plus sign that nobody escaped."""


def instant(name: str, text: str) -> datetime:
    """A date (its midnight) or an instant, to the microsecond; without a zone it is UTC. Raises ``InvalidInput``."""
    found = _INSTANT.fullmatch(text)
    try:
        if found is None or (found["time"] is None and found["zone"] not in (None, "Z", "z")):
            raise ValueError(text)
        moment = datetime.combine(date.fromisoformat(found["date"]), time.min, _zone(found["zone"]))
        if found["time"] is not None:
            clock = time.fromisoformat(found["time"])
            moment = moment.replace(hour=clock.hour, minute=clock.minute, second=clock.second)
        if found["fraction"] is not None:
            moment = moment.replace(microsecond=int(found["fraction"].ljust(6, "0")[:6]))
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(
            f"`{name}` must be a date (2024-01-31) or an instant (2024-01-31T09:30:00.000Z), not {shown(text)}.",
            path=name,
        ) from error


def _zone(text: str | None) -> timezone:
    if text is None or text in "Zz":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    if hours > 23 or minutes > 59:
        raise ValueError(text)
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)


def shown(text: str) -> str:
    """A caller's text as messages quote it."""
    return f"`{cut(text)}`"


def cut(text: str) -> str:
    """A caller's text, shortened if it is long."""
    return text if len(text) <= 60 else f"{text[:60]}…"
