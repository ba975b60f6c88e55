"""Custom fields of environments, and where each takes its value from.

A mapping counts for all integrations of a tool or for a single one, which wins. Whatever changes the values of an
integration's records raises its ``shape_version`` in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4

import asyncpg

from atsumi.errors import Conflict, NotFound
from atsumi.store import shaping
from atsumi.store.records import Connection

Reader = Connection | asyncpg.Pool


@dataclass(frozen=True, slots=True)
class CustomField:
    """A field that API callers have defined for a model. ``origin``: ``API`` or ``OPERATOR``."""

    id: UUID
    environment_id: UUID
    model: int
    name: str
    label: str | None
    description: str | None
    origin: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class CustomFieldMapping:
    """Where a field takes its value from, for all integrations of ``tool`` or for one ``integration``.

    Exactly one of ``path`` and ``integration_field_id`` is set. ``source_path`` is the path in either case, unless the
    integration's field has vanished.
    """

    id: UUID
    custom_field_id: UUID
    tool: str | None
    integration: int | None
    path: str | None
    integration_field_id: UUID | None
    source_path: str | None
    created_at: datetime
    updated_at: datetime


class MappedRow(NamedTuple):
    """A custom field as it counts for one integration. ``path`` is ``None`` where its source has vanished."""

    model: int
    name: str
    path: str | None


class PassedRow(NamedTuple):
    """A raw field that is handed on with the records of one integration."""

    model: int
    path: str
    is_custom: bool


_FIELD = "id, environment_id, model, name, label, description, origin, created_at, updated_at"
_MAPPING = """
    SELECT m.id, m.custom_field_id, m.tool, m.integration, m.path, m.integration_field_id,
        coalesce(m.path, known.path) AS source_path, m.created_at, m.updated_at
    FROM custom_field_mapping m JOIN custom_field f ON f.id = m.custom_field_id
    LEFT JOIN integration_field known
        ON known.integration = m.integration AND known.id = m.integration_field_id
"""


async def define(
    connection: Connection,
    environment_id: UUID,
    model: int,
    name: str,
    *,
    label: str | None,
    description: str | None,
    origin: str,
) -> CustomField:
    """Add a field without a source. Raises :class:`Conflict` if the model has one of that name."""
    try:
        row = await connection.fetchrow(
            f"""
            INSERT INTO custom_field (id, environment_id, model, name, label, description, origin)
            VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING {_FIELD}
            """,
            uuid4(),
            environment_id,
            model,
            name,
            label,
            description,
            origin,
        )
    except asyncpg.UniqueViolationError:
        raise _taken(name) from None
    return _field(row)


async def find(reader: Reader, environment_id: UUID, id: UUID) -> CustomField:
    """One field. Raises :class:`NotFound`, also for another environment's."""
    row = await reader.fetchrow(
        f"SELECT {_FIELD} FROM custom_field WHERE environment_id = $1 AND id = $2", environment_id, id
    )
    if row is None:
        raise NotFound("There is no custom field with this id in the environment of your API key.")
    return _field(row)


async def list_fields(
    reader: Reader,
    environment_id: UUID,
    *,
    models: Sequence[int],
    origin: str | None = None,
    after: tuple[int, str] = (0, ""),
    limit: int,
) -> list[CustomField]:
    """Fields of some models behind a place, by model and name."""
    rows = await reader.fetch(
        f"""
        SELECT {_FIELD} FROM custom_field
        WHERE environment_id = $1 AND model = ANY($2) AND ($3::text IS NULL OR origin = $3)
          AND (model, name COLLATE "C") > ($4, $5)
        ORDER BY model, name COLLATE "C" LIMIT $6
        """,
        environment_id,
        models,
        origin,
        *after,
        limit,
    )
    return [_field(row) for row in rows]


async def change(connection: Connection, field: CustomField) -> CustomField:
    """Give a field what this one holds. Raises :class:`Conflict` if its model has another one of that name."""
    try:
        row = await connection.fetchrow(
            f"""
            UPDATE custom_field SET model = $2, name = $3, label = $4, description = $5, updated_at = now()
            WHERE id = $1 RETURNING {_FIELD}
            """,
            field.id,
            field.model,
            field.name,
            field.label,
            field.description,
        )
    except asyncpg.UniqueViolationError:
        raise _taken(field.name) from None
    await _reshape(connection, field.id)
    return _field(row)


async def delete(connection: Connection, id: UUID) -> None:
    """Delete a field with its mappings."""
    await _reshape(connection, id)
    await connection.execute("DELETE FROM custom_field WHERE id = $1", id)


async def put_mapping(
    connection: Connection,
    field: CustomField,
    *,
    tool: str | None = None,
    integration: int | None = None,
    path: str | None = None,
    integration_field_id: UUID | None = None,
    replaces: bool,
) -> CustomFieldMapping:
    """Map a field in a scope. Raises :class:`Conflict` if it is mapped there and the new one does not replace that."""
    target = "(custom_field_id, tool)" if tool is not None else "(custom_field_id, integration)"
    instead = "NOTHING"
    if replaces:
        instead = """UPDATE SET path = excluded.path, integration_field_id = excluded.integration_field_id,
            updated_at = now()"""
    id = await connection.fetchval(
        f"""
        INSERT INTO custom_field_mapping (id, custom_field_id, tool, integration, path, integration_field_id)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT {target} DO {instead} RETURNING id
        """,
        uuid4(),
        field.id,
        tool,
        integration,
        path,
        integration_field_id,
    )
    if id is None:
        raise Conflict(f"The custom field {field.name} is mapped in this scope already. Change that mapping instead.")
    await _reshape(connection, field.id)
    return await find_mapping(connection, field.environment_id, id)


async def find_mapping(reader: Reader, environment_id: UUID, id: UUID) -> CustomFieldMapping:
    """One mapping. Raises :class:`NotFound`, also for another environment's."""
    row = await reader.fetchrow(f"{_MAPPING} WHERE f.environment_id = $1 AND m.id = $2", environment_id, id)
    if row is None:
        raise NotFound("There is no mapping with this id in the environment of your API key.")
    return CustomFieldMapping(**row)


async def mappings(
    reader: Reader,
    environment_id: UUID,
    *,
    custom_field_id: UUID | None = None,
    tool: str | None = None,
    integration: int | None = None,
) -> list[CustomFieldMapping]:
    """The environment's mappings of a field, of a tool or of an integration, the oldest first."""
    rows = await reader.fetch(
        f"""
        {_MAPPING} WHERE f.environment_id = $1 AND ($2::uuid IS NULL OR m.custom_field_id = $2)
          AND ($3::text IS NULL OR m.tool = $3) AND ($4::bigint IS NULL OR m.integration = $4)
        ORDER BY m.created_at, m.id
        """,
        environment_id,
        custom_field_id,
        tool,
        integration,
    )
    return [CustomFieldMapping(**row) for row in rows]


async def change_mapping(connection: Connection, mapping: CustomFieldMapping, path: str) -> None:
    """Give a mapping another path."""
    await connection.execute(
        """
        UPDATE custom_field_mapping SET path = $2, integration_field_id = NULL, updated_at = now() WHERE id = $1
        """,
        mapping.id,
        path,
    )
    await _reshape(connection, mapping.custom_field_id)


async def delete_mapping(connection: Connection, mapping: CustomFieldMapping) -> None:
    """Delete a mapping."""
    await _reshape(connection, mapping.custom_field_id)
    await connection.execute("DELETE FROM custom_field_mapping WHERE id = $1", mapping.id)


async def effective_mappings(
    reader: Reader, integration: int, custom_field_ids: Sequence[UUID]
) -> Mapping[UUID, CustomFieldMapping]:
    """For each of these fields the mapping that counts for an integration, if there is one."""
    rows = await reader.fetch(
        f"""
        SELECT DISTINCT ON (mapping.custom_field_id) mapping.* FROM ({_MAPPING}) AS mapping
        JOIN integration i ON i.number = $1 AND (mapping.integration = i.number OR mapping.tool = i.tool)
        WHERE mapping.custom_field_id = ANY($2)
        ORDER BY mapping.custom_field_id, mapping.integration NULLS LAST
        """,
        integration,
        custom_field_ids,
    )
    return {row["custom_field_id"]: CustomFieldMapping(**row) for row in rows}


async def mapped_of(reader: Reader, integration: int) -> list[MappedRow]:
    """The custom fields that count for an integration, by model and name."""
    rows = await reader.fetch(
        f"""
        SELECT f.model, f.name, mapping.source_path FROM integration i
        JOIN custom_field f USING (environment_id)
        JOIN LATERAL (
            SELECT * FROM ({_MAPPING}) AS m
            WHERE m.custom_field_id = f.id AND (m.integration = i.number OR m.tool = i.tool)
            ORDER BY m.integration NULLS LAST LIMIT 1
        ) AS mapping ON true
        WHERE i.number = $1 ORDER BY f.model, f.name COLLATE "C"
        """,
        integration,
    )
    return [MappedRow(*row) for row in rows]


async def passed_of(reader: Reader, integration: int) -> list[PassedRow]:
    """The raw fields that an integration's records are handed on with, by model and path."""
    rows = await reader.fetch(
        """
        SELECT model, path, is_custom FROM integration_field
        WHERE integration = $1 AND is_passthrough ORDER BY model, path
        """,
        integration,
    )
    return [PassedRow(*row) for row in rows]


async def _reshape(connection: Connection, custom_field_id: UUID) -> None:
    """Note that the integrations that a field is mapped for have another shape."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT i.number FROM custom_field f JOIN custom_field_mapping m ON m.custom_field_id = f.id
        JOIN integration i ON i.environment_id = f.environment_id AND (m.integration = i.number OR m.tool = i.tool)
        WHERE f.id = $1 ORDER BY i.number
        """,
        custom_field_id,
    )
    await shaping.bump(connection, [row["number"] for row in rows])


def _field(row: asyncpg.Record | None) -> CustomField:
    if row is None:
        raise NotFound("The custom field was deleted meanwhile.")
    return CustomField(**row)


def _taken(name: str) -> Conflict:
    return Conflict(f"There is a custom field {name} of this model already.")
