"""Every operation of the dialect, as one table: the router and the OpenAPI document both read it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from atsumi.dialects.bindbee import (
    bodies,
    connectors,
    custom_field_requests,
    custom_field_wire,
    custom_fields,
    lookup,
    meta,
    passthrough,
    write_wire,
    writes,
)
from atsumi.dialects.bindbee.answers import get_handler, list_handler
from atsumi.dialects.bindbee.call import Call
from atsumi.dialects.bindbee.lists import BY_NAME, LISTS, ListSpec
from atsumi.dialects.bindbee.parameters import Parameter
from atsumi.dialects.bindbee.parse import get_parameters, list_parameters
from atsumi.dialects.http import Answer

Handler = Callable[[Call], Awaitable[bytes | Answer]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One path with one method. ``path`` may hold ``{names}``; ``handler`` answers with the body of a success.

    ``answer`` is what that body holds, ``item`` what the ``items`` of a page hold; at most one of them is set.
    ``status`` is that of a success, or of the refusal where there is none. ``bodies`` are the shapes of which the
    request's body has one; ``is_write`` tells that the tool is asked to change something.
    ``needs_token`` tells that the connector token must be sent, ``passes_on`` that the answer is the tool's own, of
    whatever status and type.
    """

    method: str
    path: str
    id: str
    summary: str
    tag: str
    handler: Handler
    parameters: tuple[Parameter, ...] = ()
    body: type | None = None
    bodies: tuple[type[BaseModel], ...] = ()
    answer: Any = None
    item: type | None = None
    status: int = 200
    needs_token: bool = True
    passes_on: bool = False
    is_write: bool = False


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


def _custom_field(method: str, path: str, id: str, summary: str, handler: Handler, **options: Any) -> Operation:
    return _general(method, f"/v1/custom-fields{path}", id, summary, "Custom Fields", handler, **options)


_CUSTOM_FIELDS = (
    _custom_field(
        "GET",
        "",
        "list_custom_fields",
        "List custom fields",
        custom_fields.list_fields,
        parameters=custom_field_requests.LIST_PARAMETERS,
        item=custom_field_wire.CustomField,
    ),
    _custom_field(
        "POST",
        "",
        "create_custom_field",
        "Define a custom field",
        custom_fields.create_field,
        body=custom_field_wire.NewCustomField,
        answer=custom_field_wire.CreatedId,
        status=201,
    ),
    _custom_field(
        "GET",
        "/mapping",
        "list_custom_field_mappings",
        "List the mappings of one scope",
        custom_fields.list_mappings,
        parameters=custom_field_requests.SCOPE_PARAMETERS,
        answer=list[custom_field_wire.CustomFieldMapping],
    ),
    _custom_field(
        "POST",
        "/mapping",
        "create_custom_field_mapping",
        "Map a custom field",
        custom_fields.create_mapping,
        body=custom_field_wire.NewCustomFieldMapping,
        answer=custom_field_wire.CreatedId,
        status=201,
    ),
    _custom_field(
        "PATCH",
        "/mapping/{custom_field_mapping_id}",
        "update_custom_field_mapping",
        "Change a mapping's expression",
        custom_fields.change_mapping,
        body=custom_field_wire.CustomFieldMappingChange,
        answer=custom_field_wire.CustomFieldMapping,
    ),
    _custom_field(
        "DELETE",
        "/mapping/{custom_field_mapping_id}",
        "delete_custom_field_mapping",
        "Delete a mapping",
        custom_fields.delete_mapping,
        status=204,
    ),
    _custom_field(
        "GET",
        "/raw-data",
        "get_raw_data",
        "A record as the tool sends it",
        custom_fields.raw_data,
        parameters=custom_field_requests.RAW_PARAMETERS,
        answer=dict[str, Any] | None,
    ),
    _custom_field(
        "POST",
        "/preview",
        "preview_custom_field",
        "Evaluate an expression without saving it",
        custom_fields.preview,
        body=custom_field_wire.CustomFieldPreviewRequest,
        answer=custom_field_wire.CustomFieldPreview,
    ),
    _custom_field(
        "GET",
        "/configuration",
        "get_custom_fields_configuration",
        "The mappings that count for a connector",
        custom_fields.configuration,
        parameters=custom_field_requests.CONFIGURATION_PARAMETERS,
        answer=custom_field_wire.CustomFieldConfiguration,
    ),
    _custom_field(
        "GET",
        "/{custom_field_id}",
        "get_custom_field",
        "Read one custom field with its mappings",
        custom_fields.get_field,
        answer=custom_field_wire.CustomFieldDetail,
    ),
    _custom_field(
        "PATCH",
        "/{custom_field_id}",
        "update_custom_field",
        "Change a custom field",
        custom_fields.change_field,
        body=custom_field_wire.CustomFieldChange,
        answer=custom_field_wire.CustomFieldDetail,
    ),
    _custom_field(
        "DELETE",
        "/{custom_field_id}",
        "delete_custom_field",
        "Delete a custom field with its mappings",
        custom_fields.delete_field,
        status=204,
    ),
)


def _write(path: str, id: str, summary: str, spec: ListSpec, handler: Handler, *shapes: type[BaseModel]) -> Operation:
    return Operation(
        "POST",
        f"{spec.path}{path}",
        id,
        summary,
        spec.tag,
        handler,
        parameters=writes.WRITE_PARAMETERS,
        bodies=shapes,
        answer=write_wire.WriteResult,
        is_write=True,
    )


def _refusal(spec: ListSpec) -> Operation:
    id, summary = f"create_{spec.name.replace('-', '_')}", f"Not possible: create one of the {spec.title.lower()}"
    return Operation("POST", spec.path, id, summary, spec.tag, writes.refusal_of(spec), status=403)


_CANDIDATES = BY_NAME["candidates"]
_APPLICATIONS = BY_NAME["applications"]
_WRITES = (
    Operation(
        "GET",
        f"{_CANDIDATES.path}/create/meta",
        "get_create_candidate_request_body",
        "The schema of the body that creates a candidate",
        _CANDIDATES.tag,
        meta.create_meta,
        parameters=meta.META_PARAMETERS,
        answer=write_wire.Meta,
    ),
    _write(
        "",
        "create_candidate",
        "Create a candidate with an application",
        _CANDIDATES,
        writes.create_candidate,
        bodies.CreateCandidate,
        bodies.AtsCandidateWrite,
    ),
    _write(
        "/{candidate_id}/attachments",
        "create_candidate_attachment",
        "Add a file to a candidate",
        _CANDIDATES,
        writes.add_attachment,
        bodies.AtsAttachmentWrite,
    ),
    _write(
        "",
        "create_application",
        "Create an application of a known candidate",
        _APPLICATIONS,
        writes.create_application,
        bodies.CreateAtsApplication,
    ),
    *(_refusal(spec) for spec in LISTS if spec not in (_CANDIDATES, _APPLICATIONS)),
)
"""The contract has a POST for each list. Those that nothing can write are refused by name."""

OPERATIONS: tuple[Operation, ...] = (
    *_WRITES,
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
    Operation(
        "POST",
        "/v1/passthrough",
        "make_passthrough_request",
        "Send a request of your own to the source",
        "Passthrough",
        passthrough.pass_through,
        body=passthrough.PassThroughRequest,
        passes_on=True,
    ),
    *_CUSTOM_FIELDS,
)
