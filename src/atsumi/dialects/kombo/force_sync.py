"""Asking for a sync: ``POST /force-sync`` (Kombo OpenAPI document, May 2026; Kombo NOTES, section "Sync")."""

from __future__ import annotations

from typing import Literal

import msgspec

from atsumi.dialects.kombo.call import Call
from atsumi.dialects.kombo.errors import WireError
from atsumi.dialects.kombo.wire import Id
from atsumi.dialects.services import IntegrationState
from atsumi.errors import InvalidInput
from atsumi.model.ids import to_base58

SyncType = Literal["FULL", "DELTA"]
_KINDS: dict[SyncType, Literal["full", "incremental"]] = {"FULL": "full", "DELTA": "incremental"}
_TYPES: dict[str, SyncType] = {kind: type_ for type_, kind in _KINDS.items()}


class SyncRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``FULL`` reads everything, ``DELTA`` what changed since the last sync."""

    type: SyncType = "FULL"


class RequestedSync(msgspec.Struct, kw_only=True):
    """The sync that answers the wish.

    ``already_queued`` tells that it was waiting or running before. ``type`` differs from the requested one when there
    was no complete sync yet, since there is nothing that a delta could start from.
    """

    already_queued: bool
    sync_id: Id
    type: SyncType


async def force_sync(call: Call) -> bytes:
    """Request a sync. Raises :class:`WireError`, :class:`InvalidInput` and :class:`~atsumi.errors.Conflict`."""
    integration = await call.addressed()
    try:
        wish = msgspec.json.decode(await call.body(), type=SyncRequest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f'The body must be {{"type": "FULL"}} or {{"type": "DELTA"}}: {error}.') from error
    if integration.state is IntegrationState.INACTIVE:
        raise WireError("INTEGRATION.INACTIVE", "This integration is switched off. Switch it on to sync it.")
    requested = await call.services.request_sync(integration, _KINDS[wish.type])
    answer = RequestedSync(
        already_queued=requested.is_already_queued, sync_id=to_base58(requested.id), type=_TYPES[requested.kind]
    )
    return b'{"status":"success","data":' + msgspec.json.encode(answer) + b"}"
