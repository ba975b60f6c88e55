"""Changing scopes, with everything that follows from it for the integrations they count for.

What goes out of scope is no longer stored from the moment of the change on: whoever is syncing with the old scope is
fenced off and begins anew. What is stored already is removed by the remap that ``serve`` requests. What comes into
scope is read by a full sync, because its raw content was never kept.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from atsumi.errors import InvalidInput, NotFound
from atsumi.model.scope import Field, Scope, Setting, check_name, checked_settings, fields_of
from atsumi.server.runtime import Runtime
from atsumi.store import deletion, runs, shaping, tenants
from atsumi.store.records import Connection
from atsumi.store.shaping import ScopeConfig
from atsumi.store.tenants import IntegrationRow
from atsumi.sync.shaping import scope_for


@dataclass(slots=True)
class Effect:
    """Ids of the integrations for which something went out of scope, and of those for which something came in."""

    narrowed: list[str] = field(default_factory=list)
    widened: list[str] = field(default_factory=list)


async def environment_named(runtime: Runtime, name: str) -> tenants.Environment:
    """The environment. Raises :class:`NotFound` naming those that exist."""
    found = await tenants.environments(runtime.pool)
    for one in found:
        if one.name == name:
            return one
    raise NotFound(f"There is no environment {name}. Existing: {', '.join(one.name for one in found) or 'none'}.")


async def config_named(runtime: Runtime, environment_id: UUID, name: str) -> ScopeConfig:
    """The environment's config of that name. Raises :class:`NotFound` naming those that exist."""
    found = await shaping.find_scope_config(runtime.pool, environment_id, name)
    if found is None:
        known = [one.name for one in await shaping.scope_configs(runtime.pool, environment_id)]
        raise NotFound(f"There is no scope {name}. Existing: {', '.join(known) or 'none'}.")
    return found


async def save(
    runtime: Runtime, environment_id: UUID, name: str, settings: Mapping[str, object], *, is_whole: bool = False
) -> Effect:
    """Create a config or change settings of it; ``is_whole``: what is not given is not set any more.

    Raises :class:`InvalidInput` as :func:`atsumi.model.scope.checked_settings`, and nothing is changed then.
    """
    checked = checked_settings(settings)
    async with _changing(runtime, environment_id) as (connection, effect):
        known = None if is_whole else await shaping.find_scope_config(connection, environment_id, name)
        merged = {**(known.settings if known is not None else {}), **checked}
        await shaping.put_scope_config(connection, environment_id, name, checked_settings(merged))
    return effect


async def make_default(runtime: Runtime, environment_id: UUID, config: ScopeConfig | None) -> Effect:
    """Make a config the one of all integrations that have not chosen one; ``None``: they read everything."""
    async with _changing(runtime, environment_id) as (connection, effect):
        await shaping.set_default_scope(connection, environment_id, config.id if config is not None else None)
    return effect


async def delete(runtime: Runtime, config: ScopeConfig) -> None:
    """Delete a config that counts for no integration. Raises :class:`~atsumi.errors.Conflict` for others."""
    async with runtime.pool.acquire() as connection, connection.transaction():
        await shaping.delete_scope_config(connection, config)


async def choose(
    runtime: Runtime, row: IntegrationRow, config: ScopeConfig | None, opted_out: Collection[str]
) -> Effect:
    """Set which config counts for an integration (``None``: the environment's default) and what its customer declines.

    Raises :class:`InvalidInput` for declining what does not exist or is not optional.
    """
    for name in opted_out:
        check_name(name)
    async with _changing(runtime, row.environment_id) as (connection, effect):
        await shaping.choose_scope(connection, row.number, config.id if config is not None else None, sorted(opted_out))
        chosen = (await shaping.shape_of(connection, row.number)).scope
        for name in opted_out:
            if chosen.settings.get(name) is not Setting.OPTIONAL:
                why = (
                    f"the scope {chosen.name} does not make it optional"
                    if chosen.name
                    else "no scope makes it optional"
                )
                raise InvalidInput(f"{name} cannot be declined: {why}.", path=name)
    return effect


async def own_config(runtime: Runtime, row: IntegrationRow) -> ScopeConfig | None:
    """The config that the integration itself has chosen, not the environment's default."""
    id = await shaping.own_scope(runtime.pool, row.number)
    configs = await shaping.scope_configs(runtime.pool, row.environment_id)
    return next((one for one in configs if one.id == id), None)


@asynccontextmanager
async def _changing(runtime: Runtime, environment_id: UUID) -> AsyncIterator[tuple[Connection, Effect]]:
    """One transaction around a change, with its consequences for every integration of the environment."""
    effect = Effect()
    full: list[int] = []
    async with runtime.pool.acquire() as connection, connection.transaction():
        rows = await tenants.integrations(runtime.pool, environment_id)
        before = {row.number: await _scope(runtime, connection, row) for row in rows}
        yield connection, effect
        for row in rows:
            old, new = before[row.number], await _scope(runtime, connection, row)
            if (old.settings, old.opted_out) == (new.settings, new.opted_out):
                continue
            await _reshape(runtime, connection, row, old, new)
            lost, gained = _only_in(old, new), _only_in(new, old)
            if lost:
                effect.narrowed.append(row.id)
            if gained:
                effect.widened.append(row.id)
                full.append(row.number)
    for number in full:
        await runs.request_run(runtime.pool, number, "full")


async def _scope(runtime: Runtime, connection: Connection, row: IntegrationRow) -> Scope:
    chosen = (await shaping.shape_of(connection, row.number)).scope
    return scope_for(runtime.connector(row.tool), chosen.settings, chosen.opted_out)


async def _reshape(runtime: Runtime, connection: Connection, row: IntegrationRow, old: Scope, new: Scope) -> None:
    await deletion.visit(connection, row.number)
    await runs.take_from_owner(connection, row.number)
    await shaping.bump(connection, [row.number])
    disclosure = runtime.connector(row.tool).disclosure
    if disclosure is not None:
        streams = disclosure.requested_for
        changed = [one for one in streams if disclosure.is_requested(one, old) != disclosure.is_requested(one, new)]
        await shaping.forget_progress(connection, row.number, changed)


def _only_in(one: Scope, other: Scope) -> Sequence[Field]:
    """Fields that the first scope has and the second has not."""
    models = (other.models | {model for model, _ in other.fields}) if other.is_restricted else ()
    return [
        (model, name)
        for model in models
        for name in fields_of(model)
        if one.has((model, name)) and not other.has((model, name))
    ]
