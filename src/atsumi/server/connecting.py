"""Connecting an integration: values checked against the manifest, then with the tool, then stored."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from uuid import UUID

from atsumi.connector.context import Token
from atsumi.connector.contract import Account
from atsumi.connector.manifest import Manifest
from atsumi.errors import InvalidInput, PermissionMissing
from atsumi.server.runtime import Runtime
from atsumi.server.sources import check_source
from atsumi.store import tenants
from atsumi.store.tenants import IntegrationRow


class _OwnTokens:
    """Tokens that live as long as one check, for credentials that are not stored yet."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}

    async def get(
        self, refresh: Callable[[], Awaitable[Token]], *, rejected: str | None = None, name: str = "token"
    ) -> str:
        held = self._tokens.get(name)
        if held is None or held.value == rejected:
            held = self._tokens[name] = await refresh()
        return held.value


def split_values(manifest: Manifest, values: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """(secrets, public settings) of a filled-in form, defaults included.

    Raises :class:`InvalidInput` naming every field that is unknown, missing or malformed; never a secret's value.
    """
    fields = {field.name: field for field in manifest.fields}
    problems = [f"{name}: {manifest.label} has no such field" for name in sorted(values.keys() - fields.keys())]
    secrets: dict[str, str] = {}
    config: dict[str, str] = {}
    for name, field in fields.items():
        value = values.get(name, field.default or "").strip()
        if not value:
            if field.is_required:
                problems.append(f"{name}: {field.label['en']} is missing")
            continue
        if field.pattern is not None and re.fullmatch(field.pattern, value) is None:
            shown = "this value" if field.is_secret else repr(value)
            problems.append(f"{name}: {field.label['en']} cannot be {shown}; it must match {field.pattern}")
            continue
        (secrets if field.is_secret else config)[name] = value
    if problems:
        raise InvalidInput("; ".join(problems), path=problems[0].partition(":")[0])
    return secrets, config


async def check_credentials(
    runtime: Runtime, tool: str, secrets: Mapping[str, str], config: Mapping[str, str]
) -> Account:
    """Ask the tool whether the credentials work. Raises a :class:`~atsumi.errors.ToolError` that says what is wrong."""
    context = runtime.context_with(tool, f"check/{tool}", 0, secrets, config)
    context.tokens = _OwnTokens()
    return await runtime.connector(tool).check(context)


async def connect(
    runtime: Runtime,
    *,
    environment_id: UUID,
    tool: str,
    organization_name: str,
    values: Mapping[str, str],
    email: str | None = None,
    origin_id: str | None = None,
    source: str | None = None,
    tell: Callable[[PermissionMissing], None] | None = None,
) -> IntegrationRow:
    """Connect one customer's account and request its first sync; nothing is stored unless the tool agrees.

    ``source`` is the tool's id of the source that created applications carry unless their caller names another one.
    ``tell`` hears of each right that the credentials lack but can do without: those streams will be skipped.
    Raises :class:`InvalidInput` for a wrong form or source, a ``ToolError`` for refused credentials, and
    :class:`~atsumi.errors.Conflict` when the environment has this account already.
    """
    connector = runtime.connector(tool)
    secrets, config = split_values(connector.manifest, values)
    if source is not None:
        check_source(connector, source)
    account = await check_credentials(runtime, tool, secrets, config)
    if tell is not None:
        for lack in account.lacks:
            tell(lack)
    return await tenants.create_integration(
        runtime.pool,
        runtime.vault,
        environment_id=environment_id,
        tool=tool,
        organization_name=organization_name,
        credentials=secrets,
        config=config,
        account_id=account.id,
        email=email,
        origin_id=origin_id,
        full_interval=timedelta(seconds=runtime.settings.sync_full_interval_seconds),
        incremental_interval=timedelta(seconds=runtime.settings.sync_incremental_interval_seconds),
        complete_dialects=[one.code for one in runtime.projections],
        default_source=source,
    )


async def reconnect(runtime: Runtime, integration: IntegrationRow, values: Mapping[str, str]) -> None:
    """Give an integration new secrets; they must belong to the same account.

    Raises as :func:`connect`, and :class:`InvalidInput` when the tool says that it is another account.
    """
    manifest = runtime.connector(integration.tool).manifest
    secrets, config = split_values(manifest, {**integration.config, **values})
    account = await check_credentials(runtime, integration.tool, secrets, config)
    if integration.account_id is not None and account.id != integration.account_id:
        raise InvalidInput(
            f"{integration.id} belongs to {manifest.label} account {integration.account_id}, but these credentials "
            f"are of account {account.id}. Connect that one as a new integration."
        )
    await tenants.replace_credentials(runtime.pool, runtime.vault, integration, secrets, config)
    runtime.tokens.pop(integration.number, None)
