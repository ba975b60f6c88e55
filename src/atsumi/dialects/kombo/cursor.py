"""Paging cursors of this dialect."""

from __future__ import annotations

from uuid import UUID

from atsumi.dialects.places import FOREIGN, read_place, write_place
from atsumi.errors import InvalidInput
from atsumi.store.reading import Position

_PURPOSE = b"atsumi.kombo"


def write_cursor(key: bytes, integration: UUID, list_name: str, filters: bytes, position: Position) -> str:
    """The cursor that continues after ``position``. ``filters`` is any text that differs when the filters do."""
    return write_place(key, _PURPOSE, integration, list_name, filters, position)


def read_cursor(key: bytes, integration: UUID, list_name: str, filters: bytes, text: str) -> Position:
    """The position of a cursor. Raises :class:`InvalidInput` for everything that this reader was not given."""
    position = read_place(key, _PURPOSE, integration, list_name, filters, text)
    if position is None:
        raise InvalidInput(
            f"This cursor {FOREIGN}. Repeat the parameters of the first page together with the `next` value of the "
            "page before, or start again without a cursor.",
            path="cursor",
        )
    return position
