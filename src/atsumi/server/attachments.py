"""The attachments of one application or candidate, as the tool has them now."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from atsumi.connector.contract import LookupStream
from atsumi.dialects.services import FoundAttachment, FoundAttachments, Integration
from atsumi.errors import NotFound, ToolError
from atsumi.model.attachment import Attachment
from atsumi.model.catalog import CODES
from atsumi.model.names import Model
from atsumi.server.files import content_type
from atsumi.server.logging import get_logger
from atsumi.server.runtime import Runtime
from atsumi.store import files, records, tenants
from atsumi.store.aliases import resolve_aliases
from atsumi.sync import codec
from atsumi.sync.answers import store_answer

_log = get_logger("atsumi.attachments")


async def attachments_of(runtime: Runtime, integration: Integration, owner: Model, id: UUID) -> FoundAttachments:
    """See :meth:`atsumi.dialects.services.Services.attachments_of`."""
    applications = await _applications(runtime, integration, owner, id)
    warning = None
    try:
        await _refresh(runtime, integration.number, list(applications.values()))
    except ToolError as error:
        _log.warning("attachments.not_refreshed", integration=str(integration.public_id), reason=str(error))
        warning = f"{integration.tool} could not be asked for files now; these are the ones known from before."
    async with runtime.pool.acquire() as connection:
        [own] = await resolve_aliases(connection, integration.number, CODES[owner], [id])
        rows = await records.records_pointing_at(
            connection, integration.number, CODES[Model.ATTACHMENT], [own, *applications]
        )
    types = await files.content_types(runtime.pool, integration.number, [row.id for row in rows])
    found = []
    for row in sorted(rows, key=lambda row: row.remote_id):
        record = codec.decode(row)
        if isinstance(record, Attachment):
            found.append(FoundAttachment(row.id, record, content_type(types.get(row.id), record.file_name or "")))
    return FoundAttachments(found, warning)


async def _applications(runtime: Runtime, integration: Integration, owner: Model, id: UUID) -> dict[UUID, str]:
    """The application itself, or all of the candidate: remote ids by id."""
    async with runtime.pool.acquire() as connection:
        [id] = await resolve_aliases(connection, integration.number, CODES[owner], [id])
        row = (await records.records_by_id(connection, integration.number, CODES[owner], [id])).get(id)
        if row is None or row.deleted_at is not None:
            raise NotFound(f"There is no such {owner.value} in this integration.")
        if owner is Model.APPLICATION:
            return {id: row.remote_id}
        code = CODES[Model.APPLICATION]
        rows = await records.records_pointing_at(connection, integration.number, code, [id])
        return {row.id: row.remote_id for row in rows}


async def _refresh(runtime: Runtime, number: int, applications: Sequence[str]) -> None:
    """Ask the tool which files these applications have, and store that. Raises any :class:`ToolError`."""
    integration = await tenants.integration_by_number(runtime.pool, number)
    if integration is None:
        raise NotFound("This integration is gone.")
    connector = runtime.connector(integration.tool)
    named = (one for one in connector.streams if one.name == connector.files_stream)
    stream = next((one for one in named if isinstance(one, LookupStream)), None)
    if stream is None or integration.state != "ACTIVE":
        return
    context, target = await runtime.context(integration), await runtime.target(integration)
    for start in range(0, len(applications), stream.batch_size):
        page = await stream.fetch(context, applications[start : start + stream.batch_size])
        await store_answer(runtime.pool, number, target, page)
