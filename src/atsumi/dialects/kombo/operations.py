"""Every operation of the dialect, as one table: the router and the OpenAPI document both read it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from atsumi.dialects.freshness import freshness_headers
from atsumi.dialects.http import Answer
from atsumi.dialects.kombo import custom_fields, files, force_sync, general, passthrough
from atsumi.dialects.kombo.call import Call
from atsumi.dialects.kombo.cursor import write_cursor
from atsumi.dialects.kombo.documents import completed
from atsumi.dialects.kombo.errors import Family, WireError
from atsumi.dialects.kombo.lists import LISTS, ListSpec
from atsumi.dialects.kombo.operation import Operation
from atsumi.dialects.kombo.parse import list_query, parse
from atsumi.dialects.kombo.values import instant
from atsumi.dialects.kombo.write_operations import WRITES
from atsumi.store.reading import ListPage


def _list_handler(spec: ListSpec) -> Callable[[Call], Awaitable[Answer]]:
    async def read_list(call: Call) -> Answer:
        """One page: parse, three awaits, a join of bytes."""
        integration = await call.integration()
        if not integration.scope.has_model(spec.model):
            raise WireError("INTEGRATION.MODEL_DISABLED", f"{spec.title} are out of this integration's scope.")
        request = parse(spec, call.scope["query_string"])
        digest_text = request.digest_text()
        query = list_query(spec, request, digest_text, integration, call.services)
        # Taken before the page is read, so that the records are never older than said.
        as_of = call.services.as_of(integration, spec.model)
        page = await call.services.list_page(integration, query) if query is not None else ListPage((), None)
        following = b"null"
        if page.next is not None:
            key = call.services.cursor_key
            following = f'"{write_cursor(key, integration.public_id, spec.name, digest_text, page.next)}"'.encode()
        documents, end = await completed(call, integration, spec.model, page)
        # The frame goes around the first and last document, so that the page's bytes are copied once.
        frame = b'{"status":"success","data":{"next":' + following + b',"as_of":' + _json(as_of) + b',"results":['
        if documents:
            documents[0] = frame + documents[0]
            documents[-1] += end + b"]}}"
        else:
            documents = [frame + b"]}}"]
        headers = freshness_headers(call.services, integration, spec.model, as_of)
        return Answer((end + b",").join(documents), headers=headers)

    return read_list


def _json(moment: datetime | None) -> bytes:
    return f'"{instant(moment)}"'.encode() if moment is not None else b"null"


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "GET",
        "/check-api-key",
        "GetCheckApiKey",
        "Check the API key",
        Family.GENERAL,
        general.check_api_key,
        data=general.KeyCheck,
    ),
    Operation(
        "GET",
        "/integrations/{integration_id}",
        "GetIntegrationsIntegrationId",
        "Read one integration",
        Family.GENERAL,
        general.integration_details,
        data=general.IntegrationDetails,
    ),
    Operation(
        "GET",
        "/integrations/{integration_id}/custom-fields",
        "GetIntegrationsIntegrationIdCustomFields",
        "List custom fields with their sources",
        Family.GENERAL,
        custom_fields.list_custom_fields,
        data=custom_fields.CustomFieldPage,
        largest_page=custom_fields.CUSTOM_FIELDS_PAGE,
    ),
    Operation(
        "PUT",
        "/integrations/{integration_id}/custom-fields/{custom_field_id}",
        "PutIntegrationsIntegrationIdCustomFieldsCustomFieldId",
        "Set or remove the source of a custom field",
        Family.GENERAL,
        custom_fields.map_custom_field,
        body=custom_fields.FieldChoice,
        data=custom_fields.CustomFieldEntry,
    ),
    Operation(
        "GET",
        "/integrations/{integration_id}/integration-fields",
        "GetIntegrationsIntegrationIdIntegrationFields",
        "List the fields that the tool has",
        Family.GENERAL,
        custom_fields.list_integration_fields,
        data=custom_fields.IntegrationFieldPage,
        largest_page=custom_fields.INTEGRATION_FIELDS_PAGE,
    ),
    Operation(
        "PATCH",
        "/integrations/{integration_id}/integration-fields/{integration_field_id}",
        "PatchIntegrationsIntegrationIdIntegrationFieldsIntegrationFieldId",
        "Show a field of the tool with the records, or no longer",
        Family.GENERAL,
        custom_fields.set_passthrough,
        body=custom_fields.PassthroughChoice,
        data=custom_fields.IntegrationFieldEntry,
    ),
    Operation(
        "GET",
        "/tools/{category}",
        "GetToolsCategory",
        "List tools",
        Family.GENERAL,
        general.list_tools,
        data=general.ToolList,
    ),
    Operation(
        "POST",
        "/force-sync",
        "PostForceSync",
        "Request a sync",
        Family.GENERAL,
        force_sync.force_sync,
        body=force_sync.SyncRequest,
        data=force_sync.RequestedSync,
        is_addressed=True,
    ),
    Operation(
        "POST",
        "/passthrough/{tool}/{api}",
        "PostPassthroughToolApi",
        "Send a request of your own to the tool",
        Family.GENERAL,
        passthrough.pass_through,
        body=passthrough.PassthroughBody,
        data=passthrough.PassthroughResult,
        is_addressed=True,
        has_warnings=True,
    ),
    Operation(
        "GET",
        "/ats/applications/{application_id}/attachments",
        "GetAtsApplicationsApplicationIdAttachments",
        "Files of an application, as the tool has them now",
        Family.ATS,
        files.of_application,
        data=files.ApplicationFiles,
        is_addressed=True,
        has_warnings=True,
    ),
    Operation(
        "GET",
        "/ats/candidates/{candidate_id}/attachments",
        "GetAtsCandidatesCandidateIdAttachments",
        "Files of a candidate, as the tool has them now",
        Family.ATS,
        files.of_candidate,
        data=files.CandidateFiles,
        is_addressed=True,
        has_warnings=True,
    ),
    *WRITES,
    *(
        Operation(
            "GET", spec.path, spec.operation, spec.title, Family.ATS, _list_handler(spec), list=spec, is_addressed=True
        )
        for spec in LISTS
    ),
)
