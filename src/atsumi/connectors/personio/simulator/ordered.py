"""A list that is always ordered by `updated_at`, cheap to page and cheap to change."""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import Generic, Protocol, TypeVar


class Timed(Protocol):
    """What `Ordered` needs of a record."""

    id: int
    updated_at: int


R = TypeVar("R", bound=Timed)


class Ordered(Generic[R]):
    """Records by id and by instant of last change.

    No two records share an `updated_at`, so a position in the list is one number and a page can start behind it
    whatever has changed meanwhile: a record that is touched moves to the newest end, all others keep their place.
    Safe to read from one thread while another one changes it.
    """

    def __init__(self, records: Iterable[R] = ()) -> None:
        """Take the records in any order; equal instants are told apart by moving the later id a millisecond on."""
        ordered = sorted(records, key=lambda record: (record.updated_at, record.id))
        last = 0
        for record in ordered:
            if record.updated_at <= last:
                record.updated_at = last + 1
            last = record.updated_at
        self._records = ordered
        self._times = [record.updated_at for record in ordered]
        self._by_id = {record.id: record for record in ordered}
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[R]:
        """Yield the records by id, a snapshot of the moment."""
        with self._lock:
            return iter(sorted(self._by_id.values(), key=lambda record: record.id))

    def __contains__(self, record_id: object) -> bool:
        return record_id in self._by_id

    def get(self, record_id: int) -> R | None:
        """Return the record, or None."""
        return self._by_id.get(record_id)

    @property
    def newest_at(self) -> int:
        """Return the newest `updated_at`, 0 for an empty list."""
        return self._times[-1] if self._times else 0

    def add(self, record: R) -> None:
        """Insert a record; its `updated_at` is moved on until it is unique."""
        with self._lock:
            index = bisect_left(self._times, record.updated_at)
            while index < len(self._times) and self._times[index] == record.updated_at:
                record.updated_at += 1
                index += 1
            self._times.insert(index, record.updated_at)
            self._records.insert(index, record)
            self._by_id[record.id] = record

    def touch(self, record: R, at: int) -> None:
        """Give the record the instant `at` and move it there."""
        with self._lock:
            self.remove(record)
            record.updated_at = at
            self.add(record)

    def remove(self, record: R) -> None:
        """Take the record out."""
        with self._lock:
            index = bisect_left(self._times, record.updated_at)
            del self._times[index]
            del self._records[index]
            del self._by_id[record.id]

    def page(
        self, limit: int, *, before: int | None = None, newer_than: int | None = None, older_than: int | None = None
    ) -> tuple[list[R], bool]:
        """Return up to `limit` records, newest first, and whether more follow.

        All three bounds are exclusive; `before` is the place where the previous page ended.
        """
        with self._lock:
            low = 0 if newer_than is None else bisect_right(self._times, newer_than)
            bounds = [bound for bound in (before, older_than) if bound is not None]
            high = bisect_left(self._times, min(bounds)) if bounds else len(self._times)
            start = max(low, high - limit)
            return self._records[start:high][::-1], start > low
