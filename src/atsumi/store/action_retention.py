"""What is kept of actions, and how long: while one is open everything, then ever less of it.

================================  ====================================================================
as soon as it has ended           its input, steps and files are gone: the transaction that ends it removes them
:data:`SAME_REQUEST` later        what came of it in words, and the answer: nobody can ask for them again
:data:`KEY_LIFETIME` after it     the same of one with a key or a receipt; its key may be used for another request
began
:data:`LISTED` after it began     the row
================================  ====================================================================

Every statement is bounded and may be repeated. Any number of processes may do this at once, or be killed in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import asyncpg

from atsumi.store.actions import KEY_LIFETIME, SAME_REQUEST
from atsumi.store.records import Connection

LISTED = timedelta(days=30)
"""How long an action is shown."""
STEP = 1_000
"""Actions that one statement changes."""


class Removed(NamedTuple):
    """How many actions lost what was said of them, and how many are gone."""

    answers: int
    actions: int


async def remove_old(pool: asyncpg.Pool, *, now: datetime) -> Removed:
    """Remove what is too old at ``now``, of all integrations."""
    total = Removed(0, 0)
    for row in await pool.fetch("SELECT number FROM integration ORDER BY number"):
        number = row["number"]
        done = (
            await _repeat(pool, _FORGET_ANSWERS, number, now - SAME_REQUEST, now - KEY_LIFETIME),
            await _repeat(pool, _REMOVE, number, now - LISTED),
        )
        total = Removed(*(before + more for before, more in zip(total, done, strict=True)))
    return total


async def forget_answers(connection: Connection, integration: int, ids: Sequence[UUID]) -> None:
    """Remove what was said of the actions that made these applications or candidates.

    For people whose content may not be kept any longer; belongs into the transaction that removes it. What is open is
    left alone.
    """
    await connection.execute(
        """
        UPDATE action SET sealed_answer = NULL, sealed_outcome = NULL
        WHERE integration = $1 AND (application_id = ANY($2) OR candidate_id = ANY($2))
          AND ended_at IS NOT NULL AND sealed_draft IS NULL
          AND (sealed_answer IS NOT NULL OR sealed_outcome IS NOT NULL)
        """,
        integration,
        list(ids),
    )


async def give_up_waiting(pool: asyncpg.Pool, older_than: timedelta) -> int:
    """Remove what waits for a caller who has not asked again; returns how many. Nothing came of them."""
    rows = await pool.fetch(
        "DELETE FROM action WHERE state = 'PENDING' AND next_at IS NULL AND ended_at IS NULL "
        "AND heartbeat_at < now() - $1::interval RETURNING 1",
        older_than,
    )
    return len(rows)


_FORGET_ANSWERS = """
UPDATE action SET sealed_answer = NULL, sealed_outcome = NULL, key_digest = NULL
WHERE id IN (
    SELECT id FROM action
    WHERE integration = $1 AND sealed_draft IS NULL
      AND (sealed_answer IS NOT NULL OR sealed_outcome IS NOT NULL OR key_digest IS NOT NULL)
      AND ended_at <= $2 AND ((key_digest IS NULL AND NOT is_deferred) OR created_at <= $3)
    LIMIT $4 FOR UPDATE SKIP LOCKED)
"""

_REMOVE = """
DELETE FROM action WHERE id IN (
    SELECT id FROM action WHERE integration = $1 AND created_at <= $2 AND ended_at IS NOT NULL AND sealed_draft IS NULL
    LIMIT $3 FOR UPDATE SKIP LOCKED)
"""


async def _repeat(pool: asyncpg.Pool, statement: str, *values: object) -> int:
    """Run a statement until it finds less than it may change; returns how many rows it has changed."""
    done = 0
    while True:
        status: str = await pool.execute(statement, *values, STEP)
        count = int(status.rpartition(" ")[2])
        done += count
        if count < STEP:
            return done
