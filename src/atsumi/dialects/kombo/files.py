"""The files of one application or candidate, as the tool has them now (Kombo OpenAPI document, May 2026)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from atsumi.dialects.kombo import values
from atsumi.dialects.kombo.call import Call
from atsumi.dialects.kombo.errors import WireError
from atsumi.dialects.kombo.wire import Id, Instant, words
from atsumi.dialects.kombo.wire.words import AttachmentTypeWord
from atsumi.dialects.reading import shown
from atsumi.dialects.services import FoundAttachment, Integration
from atsumi.errors import NotFound
from atsumi.model.ids import from_base58, record_id, to_base58
from atsumi.model.names import Model

_TYPES = words.words(words.AttachmentTypeWord)


class ApplicationFile(msgspec.Struct, kw_only=True):
    """One file. ``data_url`` needs no key and ends after some days; ``content_type`` may be guessed from the name."""

    type: AttachmentTypeWord | None
    id: Id
    remote_id: str
    data_url: str
    file_name: str | None
    content_type: str | None
    remote_created_at: Instant | None
    remote_updated_at: Instant | None


class CandidateFile(ApplicationFile, kw_only=True):
    """One file of a candidate, whichever application it came with."""

    application_id: Id | None
    candidate_id: Id


class ApplicationFiles(msgspec.Struct, kw_only=True):
    results: list[ApplicationFile]


class CandidateFiles(msgspec.Struct, kw_only=True):
    results: list[CandidateFile]


async def of_application(call: Call) -> bytes:
    """Raises :class:`~atsumi.errors.NotFound` and what :meth:`Call.integration` raises."""
    integration = await _integration(call)
    found = await call.services.attachments_of(
        integration, Model.APPLICATION, _id("application", call.parameters["application_id"])
    )
    files = [ApplicationFile(**_shown(call, integration, one)) for one in found.items]
    return _answer(ApplicationFiles(results=files), found.warning)


async def _integration(call: Call) -> Integration:
    """The integration, if attachments are in its scope: else the tool is not even asked."""
    integration = await call.integration()
    if not integration.scope.has_model(Model.ATTACHMENT):
        raise WireError("INTEGRATION.MODEL_DISABLED", "Attachments are out of this integration's scope.")
    return integration


async def of_candidate(call: Call) -> bytes:
    """Raises :class:`~atsumi.errors.NotFound` and what :meth:`Call.integration` raises."""
    integration = await _integration(call)
    id = _id("candidate", call.parameters["candidate_id"])
    found = await call.services.attachments_of(integration, Model.CANDIDATE, id)
    files = []
    for one in found.items:
        application = one.record.application_remote_id
        files.append(
            CandidateFile(
                **_shown(call, integration, one),
                application_id=application
                and to_base58(record_id(integration.public_id, Model.APPLICATION, application)),
                candidate_id=to_base58(id),
            )
        )
    return _answer(CandidateFiles(results=files), found.warning)


def _id(what: str, spelled: str) -> UUID:
    found = from_base58(spelled)
    if found is None:
        raise NotFound(f"There is no {what} with the id {shown(spelled)}.")
    return found


def _shown(call: Call, integration: Integration, found: FoundAttachment) -> dict[str, Any]:
    record = found.record
    return {
        "type": values.closed(record.type, _TYPES),
        "id": to_base58(found.id),
        "remote_id": record.remote_id,
        "data_url": call.base_url() + call.services.file_path(integration, found.id),
        "file_name": record.file_name,
        "content_type": found.content_type,
        "remote_created_at": values.instant(record.remote_created_at),
        "remote_updated_at": values.instant(record.remote_updated_at),
    }


def _answer(data: msgspec.Struct, warning: str | None) -> bytes:
    warnings = [] if warning is None else [{"message": warning}]
    return msgspec.json.encode({"status": "success", "data": data, "warnings": warnings})
