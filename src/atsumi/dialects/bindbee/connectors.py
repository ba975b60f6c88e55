"""Connectors (our integrations) and what they can be made for (our tools).

A connector stands for one customer's connection, so nothing here is about a tool's records.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

import msgspec

from atsumi.dialects import reading
from atsumi.dialects.assets import asset_urls
from atsumi.dialects.bindbee import values
from atsumi.dialects.bindbee.call import CATEGORY, Call
from atsumi.dialects.bindbee.errors import Forbidden, InvalidRequest, value_fault
from atsumi.dialects.bindbee.parameters import Parameter, boolean, paging, read_query, text
from atsumi.dialects.bindbee.wire import Id, Instant
from atsumi.dialects.places import FOREIGN
from atsumi.dialects.sealing import seal, unseal
from atsumi.dialects.services import Caller, Connected, IntegrationState

_PURPOSE = b"atsumi.connector"
_PLACE = struct.Struct(">16s")
"""An id: with the seal 30 bytes, exactly 40 characters."""
_TOOLS = UUID("6f1c2c0e-6b55-5d8e-9d0a-5b0e6a1b7c11")
"""Namespace of tools' ids, which are computed from their slugs; chosen once, at random."""
_TEST_ENVIRONMENT = "development"

_SYNC_STATUS: Mapping[str, str] = {
    "SYNCING": "Syncing",
    "WAITING": "Syncing",
    "SUCCEEDED": "Done",
    "PARTIALLY_FAILED": "Done",
    "FAILED": "Failed",
    "AUTHENTICATION_FAILED": "Failed",
    "CANCELLED": "Failed",
    "TIMED_OUT": "Failed",
}
"""By the state of the last run (Bindbee NOTES, section 8). What a run shows that was incomplete is not published; its
records were brought, so it counts as done."""


class Connector(msgspec.Struct, kw_only=True):
    """One customer's connection. ``connector_token`` is secret: whoever has it and the key reads the records.

    ``is_active`` is ``false`` while it is switched off; ``relink_needed_at`` is since when the tool has refused the
    credentials, once they count as invalid; ``is_test_connector`` tells connectors of the environment ``development``.
    """

    id: Id
    is_active: bool
    status: str
    integration_slug: str
    end_user: str
    origin_id: str | None
    sync_status: str | None
    last_sync_start_time: Instant | None
    next_sync_start_time: Instant | None
    connector_token: str
    category: str
    relink_needed_at: Instant | None
    is_test_connector: bool
    completed_at: Instant | None
    created_at: Instant


class Integration(msgspec.Struct, kw_only=True):
    """A tool that can be connected."""

    id: Id
    integration_id: Id
    is_enabled: bool
    integration_slug: str
    integration_type: str
    category: str
    display_name: str
    icon_url: str
    description: str | None


class Message(msgspec.Struct, kw_only=True):
    message: str


CONNECTOR_PARAMETERS: tuple[Parameter, ...] = (
    text("connector_token", "The connector with exactly this token."),
    boolean("is_active", "Connectors that are switched off, or all others.", None),
    text("origin_id", "Connectors with your own id of the customer."),
    *paging(),
)
INTEGRATION_PARAMETERS: tuple[Parameter, ...] = paging()


async def list_connectors(call: Call) -> bytes:
    """The connectors of the key's environment, by id."""
    caller = await call.caller()
    asked = read_query(CONNECTOR_PARAMETERS, call.scope["query_string"])
    filters = msgspec.json.encode([asked["connector_token"], asked["is_active"], asked["origin_id"]])
    found, following = await call.services.connected(
        caller,
        after=_after(call, caller, b"connectors", filters, asked["cursor"]),
        size=asked["page_size"],
        token=asked["connector_token"],
        origin_id=asked["origin_id"],
        is_active=asked["is_active"],
    )
    return _page(call, caller, b"connectors", filters, [_connector(caller, one) for one in found], following)


async def delete_connector(call: Call) -> bytes:
    """End all access to a connector at once. Raises :class:`~atsumi.errors.NotFound`."""
    caller = await call.caller()
    await call.services.delete_integration(caller, call.id("connector_id"))
    return msgspec.json.encode(Message(message="Connector deleted successfully."))


async def list_integrations(call: Call) -> bytes:
    """The tools of the category, by id."""
    caller = await call.caller()
    asked = read_query(INTEGRATION_PARAMETERS, call.scope["query_string"])
    after = _after(call, caller, b"integrations", b"", asked["cursor"])
    tools = sorted(
        (uuid5(_TOOLS, f"{CATEGORY}/{slug}"), slug)
        for slug, connector in call.services.connectors.items()
        if connector.manifest.category == CATEGORY
    )
    left = [one for one in tools if after is None or one[0] > after]
    page = left[: asked["page_size"]]
    items = [
        Integration(
            id=str(uuid5(caller.environment_id, f"{CATEGORY}/{slug}")),
            integration_id=str(id),
            is_enabled=True,
            integration_slug=slug,
            integration_type="API",
            category=CATEGORY,
            display_name=call.services.connectors[slug].manifest.label,
            icon_url=asset_urls(call.base_url(), slug).icon_url,
            description=None,
        )
        for id, slug in page
    ]
    return _page(call, caller, b"integrations", b"", items, page[-1][0] if len(left) > len(page) else None)


async def check_organization(call: Call) -> bytes:
    """Whether the key is good. The contract leaves the body open."""
    await call.caller()
    return msgspec.json.encode(Message(message="The API key is valid."))


async def resync(call: Call) -> bytes:
    """Request a sync, unless one waits or is under way. Raises :class:`Forbidden` for a connector that does not sync.

    That nothing is queued beside a run is our choice; the contract says nothing of it (Bindbee NOTES, section 8).
    """
    integration = await call.integration(of_category=None)
    if integration.state is IntegrationState.INVALID:
        raise Forbidden("The tool refuses this connector's credentials. The customer must link it again first.")
    runs = [one for one in await call.services.runs(integration, 20) if one.kind in ("full", "incremental")]
    if any(one.state == "RUNNING" for one in runs):
        return msgspec.json.encode("A sync is under way already.")
    is_full_waiting = any(one.state == "QUEUED" and one.kind == "full" for one in runs)
    await call.services.request_sync(integration, "full" if is_full_waiting else "incremental")
    return msgspec.json.encode("Sync queued.")


def _connector(caller: Caller, one: Connected) -> Connector:
    found, fresh = one.integration, one.integration.freshness
    is_invalid = found.state is IntegrationState.INVALID
    return Connector(
        id=str(found.public_id),
        is_active=found.state is not IntegrationState.INACTIVE,
        status="RELINK_NEEDED" if is_invalid else "COMPLETE",
        integration_slug=found.tool,
        end_user=found.end_user_organization_name,
        origin_id=found.end_user_origin_id,
        sync_status=_SYNC_STATUS.get(fresh.sync_state) if fresh is not None else None,
        last_sync_start_time=values.instant(fresh.sync_started_at) if fresh is not None else None,
        next_sync_start_time=values.instant(fresh.next_sync_at) if fresh is not None else None,
        connector_token=one.token,
        category=CATEGORY,
        relink_needed_at=values.instant(found.authentication_failing_since) if is_invalid else None,
        is_test_connector=caller.environment_name.casefold() == _TEST_ENVIRONMENT,
        completed_at=values.instant(found.created_at),
        created_at=str(values.instant(found.created_at)),
    )


def _after(call: Call, caller: Caller, name: bytes, filters: bytes, cursor: str | None) -> UUID | None:
    """The id that a cursor continues after. Raises :class:`InvalidRequest`."""
    if cursor is None:
        return None
    bound_to = (caller.environment_id.bytes, name, filters)
    place = unseal(call.services.cursor_key, _PURPOSE, bound_to, _PLACE.size, cursor)
    if place is None:
        raise InvalidRequest([value_fault(["query", "cursor"], f"this cursor {FOREIGN}", reading.cut(cursor))])
    return UUID(bytes=place)


def _page(call: Call, caller: Caller, name: bytes, filters: bytes, items: list[Any], following: UUID | None) -> bytes:
    cursor = None
    if following is not None:
        bound_to = (caller.environment_id.bytes, name, filters)
        cursor = seal(call.services.cursor_key, _PURPOSE, bound_to, following.bytes)
    return msgspec.json.encode({"cursor": cursor, "page_size": len(items), "items": items})
