"""The general operations that this dialect serves: the key's check, tools, and one integration's details."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import msgspec

from atsumi.dialects.assets import Assets, asset_urls
from atsumi.dialects.kombo import values
from atsumi.dialects.kombo.call import Call, integration_id
from atsumi.dialects.kombo.coverage import Coverage, ModelScope, read_scope, tool_coverage, write_scope
from atsumi.dialects.kombo.wire import Instant
from atsumi.dialects.services import Services
from atsumi.errors import InvalidInput
from atsumi.model.ids import to_base58
from atsumi.model.names import Model

CATEGORIES = ("hris", "ats", "assessment", "lms")
"""Kombo OpenAPI document, May 2026, ``/tools/{category}``. Only ``ats`` has tools here."""


class KeyCheck(msgspec.Struct, kw_only=True):
    """The environment that the key belongs to."""

    environment_id: str


class ListedTool(msgspec.Struct, kw_only=True):
    """One tool that can be connected."""

    id: str
    label: str
    assets: Assets
    coverage: Coverage
    internal_label: str | None = None
    paid_api_details_markdown: str | None = None
    fast_track_details_markdown: str | None = None
    partner_only_details_markdown: str | None = None
    connection_guide_url: str | None = None


class ToolList(msgspec.Struct, kw_only=True):
    tools: list[ListedTool]


class IntegrationTool(msgspec.Struct, kw_only=True):
    id: str
    label: str
    logo_url: str
    icon_url: str
    internal_label: str | None = None


class EndUser(msgspec.Struct, kw_only=True):
    organization_name: str
    creator_email: str | None
    origin_id: str | None


class ScopeConfig(msgspec.Struct, kw_only=True):
    id: str
    name: str | None


class IntegrationDetails(msgspec.Struct, kw_only=True):
    """One integration. Where nothing is set, the scope config is the environment's own, with everything enabled."""

    id: str
    tool: IntegrationTool
    category: Literal["HRIS", "ATS", "ASSESSMENT", "LMS"]
    status: Literal["ACTIVE", "INVALID", "INACTIVE"]
    setup_status: Literal["INCOMPLETE", "FINAL_SYNC_PENDING", "COMPLETED"]
    end_user: EndUser
    scope_config: ScopeConfig
    created_at: Instant
    read_models: list[ModelScope]
    write_actions: list[ModelScope]
    data_expired_at: Instant | None = None
    beta: bool = False


async def check_api_key(call: Call) -> bytes:
    """Whose key this is."""
    caller = await call.caller()
    return _success(KeyCheck(environment_id=to_base58(caller.environment_id)))


async def list_tools(call: Call) -> bytes:
    """The tools of one category, by slug. Raises :class:`InvalidInput` for a category that the contract lacks."""
    await call.caller()
    category = call.parameters["category"]
    if category not in CATEGORIES:
        raise InvalidInput(f"There is no such category. Allowed: {', '.join(CATEGORIES)}.", path="category")
    tools = [
        ListedTool(
            id=slug,
            label=connector.manifest.label,
            assets=asset_urls(call.base_url(), slug),
            coverage=tool_coverage(_fields(call.services, slug), partial(call.services.write_action, slug)),
        )
        for slug, connector in sorted(call.services.connectors.items())
        if connector.manifest.category.lower() == category
    ]
    return _success(ToolList(tools=tools))


async def integration_details(call: Call) -> bytes:
    """One integration in whatever state."""
    found = await call.find(await call.caller(), call.parameters["integration_id"])
    manifest = call.services.connectors[found.tool].manifest
    assets = asset_urls(call.base_url(), found.tool)
    return _success(
        IntegrationDetails(
            id=integration_id(found),
            tool=IntegrationTool(
                id=found.tool, label=manifest.label, logo_url=assets.logo_url, icon_url=assets.icon_url
            ),
            category=manifest.category,
            status=found.state.value,
            setup_status="FINAL_SYNC_PENDING" if found.first_synced_at is None else "COMPLETED",
            end_user=EndUser(
                organization_name=found.end_user_organization_name,
                creator_email=values.email(found.end_user_email),
                origin_id=found.end_user_origin_id,
            ),
            scope_config=ScopeConfig(
                id=to_base58(found.scope_id or found.environment_id), name=found.scope_name or "Default"
            ),
            created_at=values.instant(found.created_at),
            read_models=read_scope(_fields(call.services, found.tool), found.scope),
            write_actions=write_scope(found.scope, partial(call.services.write_action, found.tool)),
        )
    )


def _fields(services: Services, tool: str) -> Any:
    def of_model(model: Model) -> Any:
        return services.supported_fields(tool, model)

    return of_model


def _success(data: msgspec.Struct) -> bytes:
    return b'{"status":"success","data":' + msgspec.json.encode(data) + b"}"
