"""The simulator's own clock, so that tests never wait."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Tell the simulated time, in UTC.

    Without `start` it follows the machine's clock plus whatever was added by `advance`. With `start`, or after
    `set`, it stands still and moves only when told to.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._offset_seconds = 0.0
        self._fixed: datetime | None = None
        if start is not None:
            self.set(start)

    @property
    def is_fixed(self) -> bool:
        """Whether the clock stands still between calls of `advance`."""
        return self._fixed is not None

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC."""
        if self._fixed is not None:
            return self._fixed
        return datetime.fromtimestamp(time.time() + self._offset_seconds, UTC)

    def milliseconds(self) -> int:
        """Return the current instant as whole milliseconds since 1970-01-01T00:00Z."""
        if self._fixed is not None:
            return to_milliseconds(self._fixed)
        return int((time.time() + self._offset_seconds) * 1000)

    def advance(self, seconds: float) -> datetime:
        """Move forward (or back, if negative) by `seconds` and return the new instant."""
        if self._fixed is not None:
            self._fixed += timedelta(seconds=seconds)
        else:
            self._offset_seconds += seconds
        return self.now()

    def set(self, instant: datetime) -> datetime:
        """Stop at `instant`; a naive one is read as UTC."""
        self._fixed = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
        return self._fixed

    def follow(self) -> datetime:
        """Let the clock run along with the machine's clock again, without an offset."""
        self._fixed = None
        self._offset_seconds = 0.0
        return self.now()


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_milliseconds(instant: datetime) -> int:
    """Return an aware instant as whole milliseconds since 1970; what is below a millisecond is cut off."""
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def from_milliseconds(milliseconds: int) -> datetime:
    """Return the aware UTC instant of a number of milliseconds since 1970."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def utc_text(milliseconds: int) -> str:
    """Return an instant as ISO 8601 in UTC with milliseconds and `Z`."""
    return from_milliseconds(milliseconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")
