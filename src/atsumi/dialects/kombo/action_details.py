"""Which files an action takes: ``GET /ats/actions/{action}`` (Kombo OpenAPI document, May 2026)."""

from __future__ import annotations

import mimetypes
from collections.abc import Awaitable, Callable

import msgspec
from msgspec import UNSET, UnsetType

from atsumi.connector.writing import FileRules
from atsumi.dialects.kombo.call import Call
from atsumi.model.actions import Action

WITH_FILES = {
    "ats_create_candidate": Action.CREATE_CANDIDATE,
    "ats_create_application": Action.CREATE_APPLICATION,
    "ats_add_application_attachment": Action.ADD_APPLICATION_ATTACHMENT,
    "ats_add_candidate_attachment": Action.ADD_CANDIDATE_ATTACHMENT,
}


class FileRestriction(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is known of files of one type; nothing but ``is_supported`` where they are not."""

    is_supported: bool
    min_amount: int | UnsetType | None = UNSET
    max_amount: int | UnsetType | None = UNSET
    max_file_size_bytes: int | UnsetType | None = UNSET
    accepted_mime_types: list[str] | UnsetType | None = UNSET


class FilesByType(msgspec.Struct, kw_only=True):
    CV: FileRestriction
    COVER_LETTER: FileRestriction
    OTHER: FileRestriction


class AttachmentRestrictions(msgspec.Struct, kw_only=True):
    total_size_bytes: int | None
    types: FilesByType


class ActionDetails(msgspec.Struct, kw_only=True):
    """Which files an action takes."""

    attachment_restrictions: AttachmentRestrictions | None


def details_of(name: str) -> Callable[[Call], Awaitable[bytes]]:
    """Serves which files an action takes; none, where the tool has no such action."""

    async def details(call: Call) -> bytes:
        integration = await call.integration()
        ability = call.services.write_action(integration.tool, WITH_FILES[name])
        files = _restriction(ability.files if ability is not None else None)
        restrictions = AttachmentRestrictions(
            total_size_bytes=None, types=FilesByType(CV=files, COVER_LETTER=files, OTHER=files)
        )
        details = ActionDetails(attachment_restrictions=restrictions)
        return b'{"status":"success","data":' + msgspec.json.encode(details) + b"}"

    return details


def _restriction(rules: FileRules | None) -> FileRestriction:
    if rules is None:
        return FileRestriction(is_supported=False)
    kinds = {kind for one in rules.extensions if (kind := mimetypes.guess_type(f"file.{one}")[0]) is not None}
    return FileRestriction(
        is_supported=True,
        min_amount=0,
        max_amount=None,
        max_file_size_bytes=rules.max_bytes,
        accepted_mime_types=sorted(kinds),
    )
