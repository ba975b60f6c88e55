"""Where applicants come from: the default source of an integration, and the sources that its applications show."""

from __future__ import annotations

from typing import NamedTuple

import asyncpg

from atsumi.errors import NotFound
from atsumi.model.catalog import CODES
from atsumi.model.names import Model
from atsumi.store.records import Connection


class SourceUse(NamedTuple):
    """A source by the tool's id and its newest name, with the number of applications that show it."""

    id: str
    name: str
    applications: int


async def default_source(connection: Connection | asyncpg.Pool, integration: int) -> str | None:
    """The remote id of the source that created applications carry unless their caller names another one."""
    found: str | None = await connection.fetchval(
        "SELECT default_source FROM integration WHERE number = $1", integration
    )
    return found


async def set_default_source(connection: Connection | asyncpg.Pool, integration: int, source: str | None) -> None:
    """Set that source, or remove it. Raises :class:`NotFound`."""
    found = await connection.fetchval(
        "UPDATE integration SET default_source = $2 WHERE number = $1 RETURNING 1", integration, source
    )
    if found is None:
        raise NotFound(f"There is no integration with the number {integration}.")


async def known_sources(connection: Connection | asyncpg.Pool, integration: int) -> list[SourceUse]:
    """The sources of the stored applications that are there, the most used first.

    A source that was renamed has its newest name, one without a name its id. Reads every application.
    """
    rows = await connection.fetch(
        """
        SELECT id, coalesce((array_agg(name ORDER BY seq DESC))[1], id) AS name,
            sum(applications)::bigint AS applications
        FROM (
            SELECT shown.id, shown.name, max(seq) AS seq, count(*) AS applications
            FROM record
            CROSS JOIN LATERAL (SELECT convert_from(data, 'UTF8')::json AS content OFFSET 0) AS read
            CROSS JOIN LATERAL (
                SELECT content ->> 'source_remote_id' AS id, content ->> 'source' AS name OFFSET 0
            ) AS shown
            WHERE integration = $1 AND model = $2 AND deleted_at IS NULL AND shown.id IS NOT NULL
            GROUP BY shown.id, shown.name
        ) AS used
        GROUP BY id ORDER BY applications DESC, id
        """,
        integration,
        CODES[Model.APPLICATION],
    )
    return [SourceUse(**row) for row in rows]
