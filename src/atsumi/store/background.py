"""Background runs: who needs one, where their streams stand, and giving way to other runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from atsumi.store.records import Connection
from atsumi.store.runs import LEASE, Claim


@dataclass(frozen=True, slots=True)
class Place:
    """Where a background stream stands.

    ``batch``: all drivers written up to that batch were followed. ``position``: how far the pass under way has come,
    in the words of :mod:`atsumi.sync.background`. ``is_refresh_due``: everything is to be fetched again.
    ``is_paused``: the tool refused the stream lately.
    """

    batch: int
    position: str | None
    is_refresh_due: bool
    is_paused: bool


class BackgroundStream(NamedTuple):
    """What has to be known of a stream to see whether it may need a run."""

    name: str
    is_followed: bool
    is_refreshed: bool


async def request_due(pool: asyncpg.Pool, tool: str, streams: Sequence[BackgroundStream]) -> int:
    """Request a background run for every integration of the tool that may have something to do; returns how many.

    Those are integrations with a complete first sync and no open run, in which something was written since the
    background last followed it, or of which a stream is to be refreshed. Where the tool refuses the credentials, a sync
    has to succeed first: its tries are spaced out. Any number of processes may ask at once.
    """
    done: str = await pool.execute(
        """
        INSERT INTO sync_run (id, integration, kind, requested_by, priority)
        SELECT gen_random_uuid(), i.number, 'background', 'background', 0
        FROM integration i JOIN clock c ON c.integration = i.number
        WHERE i.tool = $1 AND i.state = 'ACTIVE' AND i.deleted_at IS NULL AND i.first_synced_at IS NOT NULL
          AND i.authentication_failing_since IS NULL
          AND NOT EXISTS (SELECT 1 FROM sync_run r WHERE r.integration = i.number AND r.state IN ('QUEUED', 'RUNNING'))
          AND EXISTS (SELECT 1 FROM unnest($2::text[], $3::boolean[], $4::boolean[])
                          AS s (stream, is_followed, is_refreshed)
                      LEFT JOIN stream_watermark w ON w.integration = i.number AND w.stream = s.stream
                      WHERE (w.paused_until IS NULL OR w.paused_until <= now())
                        AND (s.is_followed AND coalesce(w.batch, -1) < c.batch
                             OR s.is_refreshed AND coalesce(w.refresh_at, '-infinity') <= now()))
        ON CONFLICT DO NOTHING
        """,
        tool,
        [one.name for one in streams],
        [one.is_followed for one in streams],
        [one.is_refreshed for one in streams],
    )
    return int(done.rpartition(" ")[2])


async def due(pool: asyncpg.Pool, limit: int, *, leave_out: Collection[UUID] = ()) -> list[UUID]:
    """Background runs to work on now, the one that waits longest first.

    Integrations with another run under way or due are left out: the background comes last. So are those whose
    credentials the tool refuses.
    """
    rows = await pool.fetch(
        """
        SELECT r.id FROM sync_run r JOIN integration i ON i.number = r.integration
        WHERE r.kind = 'background' AND r.next_at <= now() AND i.state = 'ACTIVE' AND i.deleted_at IS NULL
          AND i.authentication_failing_since IS NULL
          AND (r.state = 'QUEUED' OR (r.state = 'RUNNING' AND r.heartbeat_at <= now() - $1::interval))
          AND r.id <> ALL($2::uuid[])
          AND NOT EXISTS (SELECT 1 FROM sync_run o WHERE o.integration = r.integration AND o.kind <> 'background'
                          AND (o.state = 'RUNNING' OR (o.state = 'QUEUED' AND o.next_at <= now())))
        ORDER BY r.next_at LIMIT $3
        """,
        LEASE,
        list(leave_out),
        limit,
    )
    return [row["id"] for row in rows]


async def must_give_way(pool: asyncpg.Pool, integration: int) -> bool:
    """Whether another run of the integration could start now if the background did not hold it."""
    found: bool = await pool.fetchval(
        """
        SELECT EXISTS (SELECT 1 FROM sync_run WHERE integration = $1 AND kind <> 'background' AND state = 'QUEUED'
                       AND next_at <= now())
        """,
        integration,
    )
    return found


async def yield_run(
    connection: Connection, claim: Claim, *, until: datetime | None, message: str | None, is_counted: bool
) -> None:
    """Put the run back among the waiting ones, so that other runs of the integration can start in between.

    It goes on where it stopped, at ``until`` or as soon as nothing else waits. ``is_counted`` tells
    whether that used up one of the run's lives.
    """
    await connection.execute(
        """
        UPDATE sync_run SET state = 'QUEUED', next_at = coalesce($2::timestamptz, now()), message = $3,
            heartbeat_at = NULL, attempts = attempts - CASE WHEN $4 THEN 0 ELSE 1 END
        WHERE id = $1 AND state = 'RUNNING'
        """,
        claim.run.id,
        until,
        message,
        is_counted,
    )


async def forget_empty_run(connection: Connection, claim: Claim) -> bool:
    """Delete the run if it found nothing to do; returns whether it did. The history would be full of them."""
    done: str = await connection.execute(
        """
        DELETE FROM sync_run r WHERE id = $1
          AND NOT EXISTS (SELECT 1 FROM sync_run_stream s WHERE s.run_id = r.id AND (s.pages > 0 OR s.state = 'FAILED'))
        """,
        claim.run.id,
    )
    return done.endswith("1")


async def place_of(pool: asyncpg.Pool, integration: int, stream: str) -> Place:
    """Where the stream stands; its row is made at the first call."""
    await pool.execute(
        "INSERT INTO stream_watermark (integration, stream, batch) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING",
        integration,
        stream,
    )
    row = await pool.fetchrow(
        """
        SELECT batch, position, coalesce(refresh_at <= now(), false) AS is_refresh_due,
               coalesce(paused_until > now(), false) AS is_paused
        FROM stream_watermark WHERE integration = $1 AND stream = $2
        """,
        integration,
        stream,
    )
    if row is None:
        raise LookupError(f"integration {integration} has no place in {stream}")
    return Place(**row)


async def end_pass(
    connection: Connection,
    integration: int,
    stream: str,
    *,
    batch: int,
    position: str | None,
    started_at: datetime | None,
) -> None:
    """Note that all drivers up to ``batch`` were followed, by a pass begun at ``started_at`` (a refresh: ``None``)."""
    await connection.execute(
        """
        UPDATE stream_watermark SET batch = greatest(batch, $3), position = $4,
            complete_from = greatest(complete_from, $5::timestamptz)
        WHERE integration = $1 AND stream = $2
        """,
        integration,
        stream,
        batch,
        position,
        started_at,
    )


async def set_refresh(connection: Connection, integration: int, stream: str, seconds: int, *, is_done: bool) -> None:
    """Say when everything is fetched again: ``seconds`` from now, unless that is known and not yet done."""
    await connection.execute(
        """
        UPDATE stream_watermark SET refresh_at = now() + make_interval(secs => $3)
        WHERE integration = $1 AND stream = $2 AND (refresh_at IS NULL OR $4)
        """,
        integration,
        stream,
        float(seconds),
        is_done,
    )


async def pause(connection: Connection, integration: int, stream: str, until: datetime) -> None:
    """Leave the stream alone until then."""
    await connection.execute(
        "UPDATE stream_watermark SET paused_until = $3 WHERE integration = $1 AND stream = $2",
        integration,
        stream,
        until,
    )
