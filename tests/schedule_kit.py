"""Schedules over days on a virtual clock: integrations without a tool, and a worker that only claims and ends runs."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

import asyncpg

from atsumi.server.runtime import Runtime
from atsumi.store import queue, records, runs, schedules, tenants
from atsumi.store.queue import DueRun
from atsumi.store.runs import Claim
from atsumi.store.tenants import IntegrationRow

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass
class Played:
    """One run as it was executed."""

    integration: int
    kind: str
    started_at: datetime
    ended_at: datetime
    state: str


@dataclass
class Timeline:
    """Ticks a database forward; every due run is executed at once and takes ``duration``."""

    runtime: Runtime
    now: datetime
    duration: timedelta = timedelta(seconds=2)
    state: Callable[[int, datetime], str] = lambda number, now: "SUCCEEDED"
    played: list[Played] = field(default_factory=list)

    @property
    def pool(self) -> asyncpg.Pool:
        return self.runtime.pool

    async def connect(self, count: int = 1, *, environment: str | None = None, **intervals: timedelta) -> list[int]:
        """Integrations that were connected just now."""
        owner = await tenants.ensure_environment(self.pool, environment or secrets.token_hex(6))
        found: list[IntegrationRow] = [
            await tenants.create_integration(
                self.pool,
                self.runtime.vault,
                environment_id=owner.id,
                tool="personio",
                organization_name="Example GmbH",
                credentials={},
                config={},
                **intervals,
            )
            for _ in range(count)
        ]
        numbers = [one.number for one in found]
        await self.pool.execute(
            "UPDATE sync_run SET requested_at = $2, next_at = $2 WHERE integration = ANY($1)", numbers, self.now
        )
        return numbers

    async def due(self, **limits: int) -> list[DueRun]:
        return await queue.due_runs(self.pool, 10_000, now=self.now, **limits)

    async def claim(self, run: DueRun) -> Claim:
        claim = await runs.claim_run(self.pool, run.id, now=self.now)
        assert claim is not None
        return claim

    async def end(self, claim: Claim, state: str = "SUCCEEDED") -> None:
        async with self.pool.acquire() as connection, connection.transaction():
            await records.check_owner(connection, claim.owner)
            await runs.end_run(connection, claim, state, None, now=self.now)

    async def play(self, until: timedelta, step: timedelta = MINUTE) -> list[Played]:
        """Tick and execute for a while; returns what ran meanwhile."""
        before = len(self.played)
        end = self.now + until
        while self.now < end:
            await schedules.request_due(self.pool, now=self.now)
            for run in await self.due():
                claim = await self.claim(run)
                state = self.state(run.integration, self.now)
                moment, self.now = self.now, self.now + self.duration
                await self.end(claim, state)
                self.played.append(Played(run.integration, run.kind, moment, self.now, state))
                self.now = moment
            self.now = min(max(self.now + step, await self._next()), max(end, self.now + step))
        return self.played[before:]

    async def _next(self) -> datetime:
        """The first instant at which there is anything to do."""
        found: datetime | None = await self.pool.fetchval(
            """
            SELECT least(min(next_full_at), min(next_incremental_at),
                         (SELECT min(next_at) FROM sync_run WHERE state = 'QUEUED' AND next_at > $1))
            FROM integration WHERE deleted_at IS NULL AND state = 'ACTIVE'
            """,
            self.now,
        )
        return found or self.now

    async def row(self, number: int) -> IntegrationRow:
        row = await tenants.integration_by_number(self.pool, number)
        assert row is not None
        return row

    async def open_runs(self, number: int) -> list[str]:
        rows = await self.pool.fetch(
            "SELECT kind FROM sync_run WHERE integration = $1 AND state IN ('QUEUED', 'RUNNING')", number
        )
        return [row["kind"] for row in rows]


def gaps(played: list[Played], kind: str | None = None) -> Iterator[timedelta]:
    """Times between the starts of successive runs."""
    starts = [one.started_at for one in played if kind is None or one.kind == kind]
    return (later - earlier for earlier, later in pairwise(starts))
