"""What customers and operators shape: scopes, and other sources for unified fields.

Whatever changes the shape of an integration raises its ``shape_version`` in the same transaction (:func:`bump`);
records are computed anew until ``shaped_version`` has caught up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID, uuid4

import asyncpg
import msgspec

from atsumi.errors import Conflict, NotFound
from atsumi.model.scope import Setting
from atsumi.store.records import Connection


@dataclass(frozen=True, slots=True)
class ScopeConfig:
    """Settings under a name, for whichever integrations of the environment choose it."""

    id: UUID
    environment_id: UUID
    name: str
    is_default: bool
    settings: Mapping[str, Setting]


class ChosenScope(msgspec.Struct, frozen=True):
    """The settings that count for one integration, with the id and name of the config (``None``: nothing is set)."""

    id: UUID | None = None
    name: str | None = None
    settings: dict[str, Setting] = {}
    opted_out: frozenset[str] = frozenset()


class MappingRow(NamedTuple):
    """Another source for one unified field, as JSON."""

    model: int
    field: str
    rule: bytes


@dataclass(frozen=True, slots=True)
class ShapeRow:
    """Everything that shapes one integration's records."""

    version: int
    scope: ChosenScope
    mappings: Sequence[MappingRow]


_CONFIG = "id, environment_id, name, is_default, settings"

CHOSEN_SCOPE = """
    (SELECT json_build_object('id', s.id, 'name', s.name, 'settings', s.settings, 'opted_out', integration.opted_out)
     FROM scope_config s WHERE s.id = coalesce(integration.scope_config_id, (
        SELECT d.id FROM scope_config d WHERE d.environment_id = integration.environment_id AND d.is_default)))
"""
"""A column of ``integration``: the config that counts for it, and null where nothing is set."""


def chosen_scope(text: str | None) -> ChosenScope:
    """From the column :data:`CHOSEN_SCOPE`."""
    return msgspec.json.decode(text, type=ChosenScope) if text is not None else ChosenScope()


async def shape_version(connection: Connection | asyncpg.Pool, integration: int) -> int:
    """Counts the changes of the integration's shape. Raises :class:`NotFound`."""
    found = await connection.fetchval("SELECT shape_version FROM integration WHERE number = $1", integration)
    if found is None:
        raise NotFound(f"There is no integration with the number {integration}.")
    return int(found)


async def shape_of(connection: Connection | asyncpg.Pool, integration: int) -> ShapeRow:
    """The integration's shape, read in one statement. Raises :class:`NotFound`."""
    row = await connection.fetchrow(
        f"""
        SELECT shape_version, {CHOSEN_SCOPE} AS scope,
            ARRAY(SELECT (m.model, m.field, m.rule::text) FROM field_mapping m
                  WHERE m.integration = integration.number ORDER BY m.model, m.field) AS mappings
        FROM integration WHERE number = $1
        """,
        integration,
    )
    if row is None:
        raise NotFound(f"There is no integration with the number {integration}.")
    mappings = [MappingRow(model, field, rule.encode()) for model, field, rule in row["mappings"]]
    return ShapeRow(row["shape_version"], chosen_scope(row["scope"]), mappings)


async def bump(connection: Connection, integrations: Sequence[int]) -> None:
    """Note that these integrations have another shape from now on. Belongs into the transaction that changes it."""
    await connection.execute(
        "UPDATE integration SET shape_version = shape_version + 1 WHERE number = ANY($1)", integrations
    )


async def begin_shaping(connection: Connection, run_id: UUID, version: int) -> None:
    """Remember for which version a remap was begun; it stays the same when the remap is resumed."""
    await connection.execute("UPDATE sync_run SET shape_version = $2 WHERE id = $1", run_id, version)


async def end_shaping(connection: Connection, run_id: UUID) -> None:
    """Note that the integration's records have the shape that the remap was begun for, if it was for one."""
    await connection.execute(
        """
        UPDATE integration i SET shaped_version = greatest(i.shaped_version, r.shape_version)
        FROM sync_run r WHERE r.id = $1 AND i.number = r.integration AND r.shape_version IS NOT NULL
        """,
        run_id,
    )


async def integrations_to_shape(pool: asyncpg.Pool, limit: int) -> list[int]:
    """Integrations whose records do not have their present shape and that no remap is requested for.

    One whose remap has just failed is left alone for a while.
    """
    rows = await pool.fetch(
        """
        SELECT i.number FROM integration i
        WHERE i.shape_version > i.shaped_version AND i.deleted_at IS NULL AND NOT EXISTS (
            SELECT 1 FROM sync_run r WHERE r.integration = i.number AND r.kind = 'remap'
            AND (r.state IN ('QUEUED', 'RUNNING')
                 OR r.state = 'FAILED' AND r.ended_at > now() - interval '15 minutes'))
        ORDER BY i.number LIMIT $1
        """,
        limit,
    )
    return [row["number"] for row in rows]


async def scope_configs(connection: Connection | asyncpg.Pool, environment_id: UUID) -> list[ScopeConfig]:
    """An environment's configs, by name."""
    rows = await connection.fetch(
        f"SELECT {_CONFIG} FROM scope_config WHERE environment_id = $1 ORDER BY name", environment_id
    )
    return [_config(row) for row in rows]


async def find_scope_config(
    connection: Connection | asyncpg.Pool, environment_id: UUID, name: str
) -> ScopeConfig | None:
    """One config by its name."""
    row = await connection.fetchrow(
        f"SELECT {_CONFIG} FROM scope_config WHERE environment_id = $1 AND name = $2", environment_id, name
    )
    return _config(row) if row else None


async def put_scope_config(
    connection: Connection, environment_id: UUID, name: str, settings: Mapping[str, Setting]
) -> UUID:
    """Create a config or replace its settings."""
    found: UUID = await connection.fetchval(
        """
        INSERT INTO scope_config (id, environment_id, name, settings) VALUES ($1, $2, $3, $4)
        ON CONFLICT (environment_id, name) DO UPDATE SET settings = excluded.settings, updated_at = now()
        RETURNING id
        """,
        uuid4(),
        environment_id,
        name,
        msgspec.json.encode(settings).decode(),
    )
    return found


async def set_default_scope(connection: Connection, environment_id: UUID, id: UUID | None) -> None:
    """Make a config the environment's default; ``None``: it has none, and everything is enabled."""
    await connection.execute(
        "UPDATE scope_config SET is_default = false WHERE environment_id = $1 AND is_default", environment_id
    )
    await connection.execute("UPDATE scope_config SET is_default = true WHERE id = $1", id)


async def delete_scope_config(connection: Connection, config: ScopeConfig) -> None:
    """Delete a config. Raises :class:`Conflict` while it is the default or an integration has chosen it."""
    if config.is_default:
        raise Conflict(f"{config.name} is the default of its environment; make another one the default first.")
    chosen = await connection.fetchval("SELECT count(*) FROM integration WHERE scope_config_id = $1", config.id)
    if chosen:
        raise Conflict(f"{config.name} is chosen by integrations ({chosen}); choose another one for them first.")
    await connection.execute("DELETE FROM scope_config WHERE id = $1", config.id)


async def own_scope(connection: Connection | asyncpg.Pool, integration: int) -> UUID | None:
    """The id of the config that the integration itself has chosen; ``None``: the environment's default counts."""
    found: UUID | None = await connection.fetchval(
        "SELECT scope_config_id FROM integration WHERE number = $1", integration
    )
    return found


async def choose_scope(
    connection: Connection, integration: int, config_id: UUID | None, opted_out: Sequence[str]
) -> None:
    """Set an integration's config (``None``: the environment's default) and what its customer declines."""
    await connection.execute(
        "UPDATE integration SET scope_config_id = $2, opted_out = $3 WHERE number = $1",
        integration,
        config_id,
        msgspec.json.encode(list(opted_out)).decode(),
    )


async def forget_progress(connection: Connection, integration: int, streams: Sequence[str]) -> None:
    """Forget what of these streams was read, as if it never was."""
    await connection.execute(
        "DELETE FROM stream_watermark WHERE integration = $1 AND stream = ANY($2)", integration, streams
    )


async def forget_words(connection: Connection, integration: int) -> None:
    """Drop the issues of ended runs that quote a word of the tool, which may be one of what is out of scope now."""
    await connection.execute(
        """
        DELETE FROM sync_issue i USING sync_run r
        WHERE i.run_id = r.id AND r.integration = $1 AND r.ended_at IS NOT NULL AND i.detail <> ''
        """,
        integration,
    )


async def field_mappings(connection: Connection | asyncpg.Pool, integration: int) -> list[MappingRow]:
    """The integration's field mappings, by model and field."""
    rows = await connection.fetch(
        "SELECT model, field, rule::text FROM field_mapping WHERE integration = $1 ORDER BY model, field", integration
    )
    return [MappingRow(row["model"], row["field"], row["rule"].encode()) for row in rows]


async def put_field_mapping(connection: Connection, integration: int, row: MappingRow) -> None:
    """Set another source for a field."""
    await connection.execute(
        """
        INSERT INTO field_mapping (integration, model, field, rule) VALUES ($1, $2, $3, $4)
        ON CONFLICT (integration, model, field) DO UPDATE SET rule = excluded.rule, updated_at = now()
        """,
        integration,
        row.model,
        row.field,
        row.rule.decode(),
    )


async def remove_field_mapping(connection: Connection, integration: int, model: int, field: str) -> bool:
    """Go back to the connector's own source; returns whether there was another one."""
    done: str = await connection.execute(
        "DELETE FROM field_mapping WHERE integration = $1 AND model = $2 AND field = $3", integration, model, field
    )
    return done.endswith("1")


def _config(row: asyncpg.Record) -> ScopeConfig:
    values = dict(row)
    return ScopeConfig(**{**values, "settings": msgspec.json.decode(values["settings"], type=dict[str, Setting])})
