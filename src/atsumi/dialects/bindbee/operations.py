"""Every operation of the dialect, as one table: the router and the OpenAPI document both read it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from atsumi.dialects.bindbee.call import Call
from atsumi.dialects.bindbee.parameters import Parameter
from atsumi.dialects.http import Answer


@dataclass(frozen=True, slots=True)
class Operation:
    """One path with one method. ``path`` may hold ``{names}``; ``handler`` answers with the body of a success.

    ``answer`` is what that body holds, ``item`` what the ``items`` of a page hold; at most one of them is set.
    ``needs_token`` tells that the connector token must be sent.
    """

    method: str
    path: str
    id: str
    summary: str
    tag: str
    handler: Callable[[Call], Awaitable[bytes | Answer]]
    parameters: tuple[Parameter, ...] = ()
    body: type | None = None
    answer: type | None = None
    item: type | None = None
    status: int = 200
    needs_token: bool = True


OPERATIONS: tuple[Operation, ...] = ()
