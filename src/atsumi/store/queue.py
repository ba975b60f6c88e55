"""Which waiting runs someone should work on now, in which order, and calling runs off.

Order: tenants (environments) take turns, and within one the more urgent run comes first. A run's urgency starts at
its priority and grows by a point a minute. Runs that may take long (everything but increments) are counted and ranked
apart, since they need a worker's slot for long: a first sync never stands before another's increments.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from atsumi.store import schedules
from atsumi.store.records import Connection
from atsumi.store.runs import LEASE, Run, find_run, request_run


@dataclass(frozen=True, slots=True)
class DueRun:
    """A run that waits for a worker. ``urgency`` is comparable with the priorities of :mod:`schedules`."""

    id: UUID
    integration: int
    kind: str
    urgency: float

    @property
    def is_long(self) -> bool:
        """Whether it may hold a worker's slot for long."""
        return self.kind != "incremental"


async def due_runs(
    pool: asyncpg.Pool,
    limit: int,
    *,
    long_limit: int | None = None,
    tenant_limit: int | None = None,
    now: datetime | None = None,
) -> list[DueRun]:
    """Runs that someone should work on now, in order, at most one of each integration and ``limit`` altogether.

    Left alone are integrations that are being synced, those that are not active unless the run needs no tool, and
    background runs, which have workers of their own. A running run counts when its lease has run out.
    ``long_limit`` caps how many of them are long; ``tenant_limit`` how many of one environment are waiting or
    running, increments and long ones counted apart. ``now=None`` is the database's clock.
    """
    rows = await pool.fetch(
        """
        WITH open AS MATERIALIZED (
            SELECT r.id, r.integration, r.kind, r.state, r.next_at, r.requested_at, i.environment_id,
                   r.kind <> 'incremental' AS is_long,
                   r.state = 'RUNNING' AND r.heartbeat_at > now() - $1::interval AS is_alive,
                   r.next_at <= coalesce($2::timestamptz, now()) AND (i.state = 'ACTIVE' OR r.kind = 'remap') AS is_due,
                   r.priority + extract(epoch FROM coalesce($2::timestamptz, now()) - r.next_at)::float8 / 60 AS urgency
            FROM sync_run r JOIN integration i ON i.number = r.integration
            WHERE r.state IN ('QUEUED', 'RUNNING') AND i.deleted_at IS NULL
              AND (r.kind <> 'background' OR r.state = 'RUNNING' AND r.heartbeat_at > now() - $1::interval)
        ), running AS (
            SELECT environment_id, is_long, count(*) AS runs FROM open WHERE is_alive AND kind <> 'background'
            GROUP BY 1, 2
        ), waiting AS (
            SELECT DISTINCT ON (o.integration) o.* FROM open o
            WHERE o.is_due AND NOT o.is_alive
              AND NOT EXISTS (SELECT 1 FROM open other WHERE other.integration = o.integration
                              AND other.state = 'RUNNING' AND other.id <> o.id
                              -- A background run whose worker died stands in nobody's way.
                              AND (other.kind <> 'background' OR other.is_alive))
            ORDER BY o.integration, o.urgency DESC, o.requested_at
        ), placed AS (
            SELECT w.*,
                   row_number() OVER (
                       PARTITION BY w.environment_id ORDER BY w.urgency DESC, w.next_at, w.integration) AS turn,
                   coalesce(running.runs, 0) + row_number() OVER (
                       PARTITION BY w.environment_id, w.is_long ORDER BY w.urgency DESC, w.next_at, w.integration
                   ) AS place
            FROM waiting w LEFT JOIN running USING (environment_id, is_long)
        ), ranked AS (
            SELECT p.*, row_number() OVER (PARTITION BY p.is_long ORDER BY p.place, p.urgency DESC) AS rank
            FROM placed p WHERE $4::bigint IS NULL OR p.place <= $4
        )
        SELECT id, integration, kind, urgency FROM ranked WHERE NOT is_long OR $3::bigint IS NULL OR rank <= $3
        ORDER BY turn, urgency DESC LIMIT $5
        """,
        LEASE,
        now,
        long_limit,
        tenant_limit,
        limit,
    )
    return [DueRun(**row) for row in rows]


async def request_by_caller(
    pool: asyncpg.Pool, integration: int, kind: str, *, now: datetime | None = None
) -> tuple[Run, bool]:
    """The run of that kind that waits or is under way, else a new one; and whether there was one already."""
    running = await pool.fetchval(
        "SELECT id FROM sync_run WHERE integration = $1 AND kind = $2 AND state = 'RUNNING'", integration, kind
    )
    found = await find_run(pool, running) if running is not None else None
    if found is not None:
        return found, True
    return await request_run(pool, integration, kind, requested_by="api", now=now)


async def cancel_runs(pool: asyncpg.Pool, integration: int, message: str, *, now: datetime | None = None) -> list[UUID]:
    """End all open runs of an integration as ``CANCELLED`` and return them.

    The fencing token is raised in the same transaction: a worker that still reads can store nothing more, and what it
    stored page by page stays whole. The schedule moves as after any run.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM clock WHERE integration = $1 FOR UPDATE", integration)
        return await cancel_open(connection, integration, message, now)


async def disable(pool: asyncpg.Pool, integration: int, *, now: datetime | None = None) -> list[UUID]:
    """Switch an integration off and cancel its open runs, which are returned. Credentials and records stay."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM clock WHERE integration = $1 FOR UPDATE", integration)
        await connection.execute(
            "UPDATE integration SET state = 'INACTIVE', state_reason = $2 WHERE number = $1",
            integration,
            "Switched off by the operator.",
        )
        return await cancel_open(connection, integration, "The integration was switched off.", now)


async def enable(pool: asyncpg.Pool, integration: int, *, now: datetime | None = None) -> None:
    """Switch an integration on again, due at once. One that is ``INVALID`` stays so: it needs new credentials."""
    async with pool.acquire() as connection, connection.transaction():
        changed = await connection.fetchval(
            """
            UPDATE integration SET state = 'ACTIVE', state_reason = NULL
            WHERE number = $1 AND state = 'INACTIVE' RETURNING 1
            """,
            integration,
        )
        if changed:
            await schedules.resume(connection, integration, now=now)


async def cancel_open(connection: Connection, integration: int, message: str, now: datetime | None) -> list[UUID]:
    """:func:`cancel_runs` within a transaction that holds the clock row."""
    rows = await connection.fetch(
        """
        UPDATE sync_run SET state = 'CANCELLED', message = $2, cancel_requested_at = now(),
            ended_at = coalesce($3::timestamptz, now())
        WHERE integration = $1 AND state IN ('QUEUED', 'RUNNING') RETURNING id, kind, started_at
        """,
        integration,
        message,
        now,
    )
    if rows:
        await connection.execute("UPDATE clock SET token = token + 1 WHERE integration = $1", integration)
    for row in rows:
        ended = _Ended(row["kind"], row["started_at"])
        await schedules.move_after(connection, integration, ended, "CANCELLED", now=now)
    return [row["id"] for row in rows]


@dataclass(frozen=True, slots=True)
class _Ended:
    kind: str
    started_at: datetime | None
