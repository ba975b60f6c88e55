"""Which dialects' documents are complete for an integration.

A row says that every record of the integration has its document in that dialect, and that every sync since has kept
it so. It is written by the run that has rendered the last of them, and removed by the first that does not render them.
"""

from __future__ import annotations

from collections.abc import Collection

import asyncpg

from atsumi.store import schedules
from atsumi.store.records import Connection


async def note_complete(connection: Connection, integration: int, dialects: Collection[int]) -> None:
    """Say that these dialects' documents are complete, in the transaction that makes it true."""
    await connection.execute(
        """
        INSERT INTO integration_dialect (integration, dialect) SELECT $1, unnest($2::smallint[])
        ON CONFLICT DO NOTHING
        """,
        integration,
        list(dialects),
    )


async def forget_others(
    connection: Connection | asyncpg.Pool, dialects: Collection[int], integration: int | None = None
) -> None:
    """Say that only these dialects' documents are kept from now on, for one integration or for all."""
    await connection.execute(
        """
        DELETE FROM integration_dialect
        WHERE dialect <> ALL($1::smallint[]) AND ($2::bigint IS NULL OR integration = $2)
        """,
        list(dialects),
        integration,
    )


async def request_missing(pool: asyncpg.Pool, dialects: Collection[int], limit: int) -> int:
    """Request a run that renders documents for integrations that lack some of a dialect; returns how many.

    At most ``limit``. One whose last such run has ended within the hour without completing them is left alone so long.
    """
    done: str = await pool.execute(
        """
        INSERT INTO sync_run (id, integration, kind, requested_by, priority, only_documents)
        SELECT gen_random_uuid(), i.number, 'remap', 'schedule', $3, true FROM integration i
        WHERE i.deleted_at IS NULL
          AND EXISTS (SELECT 1 FROM unnest($1::smallint[]) AS wanted (dialect) WHERE NOT EXISTS (
                  SELECT 1 FROM integration_dialect d WHERE d.integration = i.number AND d.dialect = wanted.dialect))
          AND NOT EXISTS (SELECT 1 FROM sync_run r WHERE r.integration = i.number AND r.kind = 'remap'
                          AND (r.state IN ('QUEUED', 'RUNNING') OR r.ended_at > now() - interval '1 hour'))
        ORDER BY i.number LIMIT $2
        ON CONFLICT DO NOTHING
        """,
        list(dialects),
        limit,
        schedules.priority_of("remap", "schedule"),
    )
    return int(done.rpartition(" ")[2])
