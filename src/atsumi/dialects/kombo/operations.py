"""Every operation of the dialect, as one table: the router and the OpenAPI document both read it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from atsumi.dialects.kombo import general
from atsumi.dialects.kombo.call import Call
from atsumi.dialects.kombo.cursor import write_cursor
from atsumi.dialects.kombo.errors import Family
from atsumi.dialects.kombo.lists import LISTS, ListSpec
from atsumi.dialects.kombo.parse import list_query, parse

_EMPTY = b'{"status":"success","data":{"next":null,"results":[]}}'


@dataclass(frozen=True, slots=True)
class Operation:
    """One path with one method. ``path`` may hold ``{names}``; ``handler`` returns the body of a 200."""

    method: str
    path: str
    id: str
    summary: str
    family: Family
    handler: Callable[[Call], Awaitable[bytes]]
    data: type | None = None
    """What ``data`` of the answer holds; ``None`` for lists, whose documents stand in ``list``."""
    list: ListSpec | None = None


def _list_handler(spec: ListSpec) -> Callable[[Call], Awaitable[bytes]]:
    async def read_list(call: Call) -> bytes:
        """One page: parse, three awaits, a join of bytes."""
        integration = await call.integration()
        request = parse(spec, call.scope["query_string"])
        digest_text = request.digest_text()
        query = list_query(spec, request, digest_text, integration, call.services)
        if query is None:
            return _EMPTY
        page = await call.services.list_page(integration, query)
        following = b"null"
        if page.next is not None:
            key = call.services.cursor_key
            following = f'"{write_cursor(key, integration.public_id, spec.name, digest_text, page.next)}"'.encode()
        documents = list(page.documents) or [b""]
        # The frame goes around the first and last document, so that the page's bytes are copied once.
        documents[0] = b'{"status":"success","data":{"next":' + following + b',"results":[' + documents[0]
        documents[-1] += b"]}}"
        return b",".join(documents)

    return read_list


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "GET",
        "/check-api-key",
        "GetCheckApiKey",
        "Check the API key",
        Family.GENERAL,
        general.check_api_key,
        general.KeyCheck,
    ),
    Operation(
        "GET",
        "/integrations/{integration_id}",
        "GetIntegrationsIntegrationId",
        "Read one integration",
        Family.GENERAL,
        general.integration_details,
        general.IntegrationDetails,
    ),
    Operation(
        "GET",
        "/tools/{category}",
        "GetToolsCategory",
        "List tools",
        Family.GENERAL,
        general.list_tools,
        general.ToolList,
    ),
    *(
        Operation("GET", spec.path, spec.operation, spec.title, Family.ATS, _list_handler(spec), list=spec)
        for spec in LISTS
    ),
)
