"""Reading the change log in commit order, and waiting for it to grow.

Within an integration the numbers of the log are handed out without gaps and become visible in order (see
:mod:`atsumi.store.records`). So whatever a reader is shown is the beginning of the log, and following it by the last
number read can skip nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from atsumi.errors import NoLongerKept
from atsumi.store.database import UNREACHABLE

SCAN = 10_000
"""Lines of the log that one read looks at, at most: a filter that few lines pass must not make a read slow."""

POLL_SECONDS = 0.2
"""How long after a commit waiting readers hear of it, at most, give or take one query."""


class ChangeLine(NamedTuple):
    """One line of the change log; ``kind`` is a number of :class:`~atsumi.store.records.ChangeKind`."""

    seq: int
    model: int
    id: UUID
    kind: int
    changed_at: datetime


class ChangePage(NamedTuple):
    """``position`` is the number up to which everything has been looked at; ``has_more`` tells of lines beyond it."""

    changes: Sequence[ChangeLine]
    position: int
    has_more: bool


async def read_changes(
    pool: asyncpg.Pool, integration: int, after: int | None, limit: int, models: Sequence[int] | None = None
) -> ChangePage:
    """The lines after a number, in order, at most ``limit``; ``None`` begins with the oldest line kept.

    With ``models`` other models' lines are left out, and the position moves past them.
    Raises :class:`NoLongerKept` when lines after the number have been removed, or when the number was never handed
    out (the database was restored from a backup taken before it was).
    """
    rows = await pool.fetch(
        """
        WITH bounds AS MATERIALIZED (
            SELECT latest, oldest, coalesce($2, oldest - 1) AS after FROM (
                SELECT c.seq AS latest,
                    coalesce((SELECT min(l.seq) FROM change l WHERE l.integration = $1), c.seq + 1) AS oldest
                FROM clock c WHERE c.integration = $1
            ) AS found
        )
        SELECT b.latest, b.oldest, b.after, l.seq, l.model, l.id, l.kind, l.changed_at
        FROM bounds b LEFT JOIN LATERAL (
            SELECT seq, model, id, kind, changed_at FROM change
            WHERE integration = $1 AND seq > b.after AND seq <= least(b.latest, b.after + $5)
              AND ($3::smallint[] IS NULL OR model = ANY($3))
            ORDER BY seq LIMIT $4
        ) AS l ON true
        """,
        integration,
        after,
        list(models) if models is not None else None,
        limit + 1,
        SCAN,
    )
    if not rows:
        return ChangePage((), 0, False)
    latest, start = rows[0]["latest"], rows[0]["after"]
    if start + 1 < rows[0]["oldest"] or start > latest:
        raise NoLongerKept(
            "The changes after this cursor are no longer kept. Take a new cursor with `start=latest`, read the "
            "records you need anew, and go on from that cursor."
        )
    lines = [ChangeLine(*row[3:]) for row in map(tuple, rows) if row[3] is not None]
    if len(lines) > limit:
        return ChangePage(lines[:limit], lines[limit - 1].seq, True)
    position = min(latest, start + SCAN)
    return ChangePage(lines, position, position < latest)


async def latest_sequence(pool: asyncpg.Pool, integration: int) -> int:
    """The number of the integration's last committed change; 0 before the first."""
    return await pool.fetchval("SELECT seq FROM clock WHERE integration = $1", integration) or 0


class ChangeWatch:
    """Lets any number of readers wait for changes with one small query per interval for all of them.

    The query asks the table itself, so there is no message that could be lost; and unlike ``NOTIFY`` it costs the
    writers nothing, whose commits a notification would make wait for each other across all integrations.
    While nobody waits, nothing is asked.
    """

    def __init__(self, pool: asyncpg.Pool, *, interval_seconds: float = POLL_SECONDS) -> None:
        self._pool = pool
        self._interval_seconds = interval_seconds
        self._waiting: dict[asyncio.Future[None], tuple[int, int]] = {}
        self._polling: asyncio.Task[None] | None = None

    async def wait(self, integration: int, after: int, seconds: float) -> bool:
        """Return ``True`` once a change beyond number ``after`` is committed, ``False`` when the time is up.

        Holds no database connection meanwhile.
        """
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[woken] = (integration, after)
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll(), name="change-watch")
        try:
            async with asyncio.timeout(seconds):
                await woken
        except TimeoutError:
            return False
        finally:
            del self._waiting[woken]
        return True

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self._interval_seconds)
            if not self._waiting:
                return
            # A database that does not answer now may do so at the next turn; those who wait have their own limit.
            with contextlib.suppress(*UNREACHABLE):
                await self._wake()

    async def _wake(self) -> None:
        asked = list({integration for integration, _ in self._waiting.values()})
        rows = await self._pool.fetch("SELECT integration, seq FROM clock WHERE integration = ANY($1)", asked)
        latest = {row["integration"]: row["seq"] for row in rows}
        for woken, (integration, after) in self._waiting.items():
            if latest.get(integration, 0) > after and not woken.done():
                woken.set_result(None)
