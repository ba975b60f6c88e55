"""What an operation of the dialect is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from atsumi.dialects.http import Answer
from atsumi.dialects.kombo.call import Call
from atsumi.dialects.kombo.errors import Family
from atsumi.dialects.kombo.lists import ListSpec


@dataclass(frozen=True, slots=True)
class Operation:
    """One path with one method. ``path`` may hold ``{names}``; ``handler`` answers with the body of a 200."""

    method: str
    path: str
    id: str
    summary: str
    family: Family
    handler: Callable[[Call], Awaitable[bytes | Answer]]
    body: type | None = None
    """What the request's body holds, if it has one."""
    data: type | None = None
    """What ``data`` of the answer holds; ``None`` for lists, whose documents stand in ``list``."""
    list: ListSpec | None = None
    is_addressed: bool = False
    """Whether the header names the integration that it is about."""
    largest_page: int | None = None
    """How much a page of an answer without filters may hold, if it has pages."""
    has_warnings: bool = False
    """Whether warnings stand beside ``data``: so it is for everything that asks the tool."""
    is_write: bool = False
    """Whether it is an action: done exactly once, in its turn if wanted, or only planned."""
