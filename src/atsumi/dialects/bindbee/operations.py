"""Every operation of the dialect, as one table: the router and the OpenAPI document both read it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from atsumi.dialects.bindbee import connectors, lookup
from atsumi.dialects.bindbee.answers import get_handler, list_handler
from atsumi.dialects.bindbee.call import Call
from atsumi.dialects.bindbee.lists import LISTS, ListSpec
from atsumi.dialects.bindbee.parameters import Parameter
from atsumi.dialects.bindbee.parse import get_parameters, list_parameters
from atsumi.dialects.http import Answer

Handler = Callable[[Call], Awaitable[bytes | Answer]]


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
    handler: Handler
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


def _general(method: str, path: str, id: str, summary: str, tag: str, handler: Handler, **options: Any) -> Operation:
    return Operation(method, path, id, summary, tag, handler, needs_token=False, **options)


OPERATIONS: tuple[Operation, ...] = (
    *(operation for spec in LISTS for operation in _of_list(spec)),
    _general(
        "GET",
        "/ats/v1/connectors",
        "get_ats_connectors",
        "List connectors",
        "Connector",
        connectors.list_connectors,
        parameters=connectors.CONNECTOR_PARAMETERS,
        item=connectors.Connector,
    ),
    _general(
        "DELETE",
        "/ats/v1/connectors/{connector_id}/delete",
        "delete_ats_connector",
        "Delete a connector with its data",
        "Connector",
        connectors.delete_connector,
        answer=connectors.Message,
    ),
    _general(
        "GET",
        "/ats/v1/integrations",
        "get_org_integrations",
        "List integrations of the category",
        "Integration",
        connectors.list_integrations,
        parameters=connectors.INTEGRATION_PARAMETERS,
        item=connectors.Integration,
    ),
    _general(
        "POST",
        "/v1/org-check",
        "org_health_check",
        "Check the API key",
        "Health Check",
        connectors.check_organization,
        answer=connectors.Message,
    ),
    _general(
        "GET",
        "/v1/lookup/integrations",
        "list_integrations",
        "Integrations that can be connected",
        "Lookup",
        lookup.list_integrations,
        parameters=lookup.LOOKUP_PARAMETERS,
        answer=lookup.KnownIntegrations,
    ),
    _general(
        "GET",
        "/v1/lookup/models",
        "list_models",
        "Models, and how they are spelled",
        "Lookup",
        lookup.list_models,
        parameters=lookup.LOOKUP_PARAMETERS,
        answer=lookup.KnownModels,
    ),
    Operation(
        "POST",
        "/embedded/v1/connectors/resync",
        "force_resync_connector",
        "Queue a sync now",
        "Connector",
        connectors.resync,
        answer=str,
    ),
)
