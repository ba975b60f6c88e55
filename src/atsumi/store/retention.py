"""Removing what has been kept long enough: past versions, the change log and the log of commits.

Every statement is bounded, so a long backlog costs many short transactions and never a long one. Any number of
processes may do this at once, or be killed in it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import asyncpg

STEP = 5_000
"""Rows that one statement looks at."""

_BEFORE_ALL = (0, UUID(int=0), 0)


class Removed(NamedTuple):
    """How many rows went."""

    versions: int
    changes: int
    batches: int


async def remove_old(pool: asyncpg.Pool, *, now: datetime, change_log_days: int) -> Removed:
    """Remove what is too old at ``now``, of all integrations.

    A version goes when the one that replaced it is older than the integration's ``history_days`` (0: at once), so
    the state at any moment within those days stays known. Lines of the change log go after ``change_log_days``.
    """
    total = Removed(0, 0, 0)
    for row in await pool.fetch("SELECT number, history_days FROM integration ORDER BY number"):
        number, history_days = row["number"], row["history_days"]
        versions = await _remove_versions(pool, number, now - timedelta(days=history_days))
        changes = await _remove_changes(pool, number, now - timedelta(days=change_log_days))
        # Commits tell the age of versions and of lines, so they are kept as long as either.
        batches = await _remove_batches(pool, number, now - timedelta(days=max(history_days, change_log_days)))
        total = Removed(total.versions + versions, total.changes + changes, total.batches + batches)
    return total


async def _last_before(pool: asyncpg.Pool, integration: int, instant: datetime) -> tuple[int, int]:
    """The last batch committed up to an instant, and its last number; zeros if there is none."""
    row = await pool.fetchrow(
        """
        SELECT batch, last_seq FROM commit_batch WHERE integration = $1 AND stamped_at <= $2
        ORDER BY batch DESC LIMIT 1
        """,
        integration,
        instant,
    )
    return (row["batch"], row["last_seq"]) if row is not None else (0, 0)


async def _remove_versions(pool: asyncpg.Pool, integration: int, until: datetime) -> int:
    _, last = await _last_before(pool, integration, until)
    after, removed = _BEFORE_ALL, 0
    while last:
        row = await pool.fetchrow(
            """
            WITH page AS MATERIALIZED (
                SELECT model, id, seq FROM record_version
                WHERE integration = $1 AND (model, id, seq) > ($2::smallint, $3::uuid, $4::bigint)
                ORDER BY model, id, seq LIMIT $5
            ), judged AS (
                SELECT p.model, p.id, p.seq, coalesce(
                    lead(p.seq) OVER (PARTITION BY p.model, p.id ORDER BY p.seq),
                    (SELECT min(n.seq) FROM record_version n
                     WHERE n.integration = $1 AND n.model = p.model AND n.id = p.id AND n.seq > p.seq),
                    (SELECT r.seq FROM record r WHERE r.integration = $1 AND r.model = p.model AND r.id = p.id),
                    0
                ) AS replaced_by
                FROM page p
            ), gone AS (
                DELETE FROM record_version v USING judged j
                WHERE v.integration = $1 AND v.model = j.model AND v.id = j.id AND v.seq = j.seq
                  AND j.replaced_by <= $6
                RETURNING 1
            )
            SELECT (SELECT count(*) FROM gone) AS gone, (SELECT count(*) FROM page) AS looked_at, p.model, p.id, p.seq
            FROM page p ORDER BY p.model DESC, p.id DESC, p.seq DESC LIMIT 1
            """,
            integration,
            *after,
            STEP,
            last,
        )
        if row is None:
            break
        removed += row["gone"]
        after = (row["model"], row["id"], row["seq"])
        if row["looked_at"] < STEP:
            break
    return removed


async def _remove_changes(pool: asyncpg.Pool, integration: int, until: datetime) -> int:
    _, last = await _last_before(pool, integration, until)
    removed = 0
    while last:
        oldest = await pool.fetchval("SELECT min(seq) FROM change WHERE integration = $1", integration)
        if oldest is None or oldest > last:
            break
        upper = min(oldest + STEP - 1, last)
        await pool.execute("DELETE FROM change WHERE integration = $1 AND seq <= $2", integration, upper)
        removed += upper - oldest + 1
    return removed


async def _remove_batches(pool: asyncpg.Pool, integration: int, until: datetime) -> int:
    # The last one before the instant stays: it is the boundary that tells what is older.
    boundary, _ = await _last_before(pool, integration, until)
    removed = 0
    while boundary:
        status = await pool.execute(
            """
            DELETE FROM commit_batch WHERE integration = $1 AND batch IN (
                SELECT batch FROM commit_batch WHERE integration = $1 AND batch < $2 ORDER BY batch LIMIT $3)
            """,
            integration,
            boundary,
            STEP,
        )
        count = int(status.rpartition(" ")[2])
        removed += count
        if count < STEP:
            break
    return removed
