"""Every operation of the dialect, as one table: the router and the OpenAPI document both read it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from atsumi.dialects.bindbee.answers import get_handler, list_handler
from atsumi.dialects.bindbee.call import Call
from atsumi.dialects.bindbee.lists import LISTS, ListSpec
from atsumi.dialects.bindbee.parameters import Parameter
from atsumi.dialects.bindbee.parse import get_parameters, list_parameters
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


def _of_list(spec: ListSpec) -> tuple[Operation, Operation]:
    name = spec.name.replace("-", "_")
    return (
        Operation(
            "GET",
            spec.path,
            f"list_{name}",
            f"List {spec.title.lower()}",
            spec.tag,
            list_handler(spec),
            list_parameters(spec),
            item=spec.document,
        ),
        Operation(
            "GET",
            f"{spec.path}/{{id}}",
            f"get_{name}_by_id",
            f"Read one of the {spec.title.lower()}",
            spec.tag,
            get_handler(spec),
            get_parameters(spec),
            answer=spec.document,
        ),
    )


OPERATIONS: tuple[Operation, ...] = tuple(operation for spec in LISTS for operation in _of_list(spec))
