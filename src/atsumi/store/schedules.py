"""When each integration is synced next: due times in rows, moved in the transaction that acts on them.

The rules:

- An interval counts from the *start* of one run to the start of the next, because that is what freshness is measured
  by; after a run that took long there is still a pause of a tenth of the interval. Each time is moved by up to 10 %,
  by a digest of integration and start, so that integrations which began together do not stay together. The first
  interval after connecting is between half and all of it.
- A full run counts as an incremental one too: where both are due, only the full run is requested. Until a full run has
  brought data, every run is a full one.
- An integration has at most one open run of the schedule, so after a downtime of any length it gets exactly one; those
  that are later than a minute are spread over five minutes.
- Every run that ends moves the schedule, whoever asked for it.
- While the tool refuses the credentials, runs go on at most every 15 minutes (each costs the tool one request), and
  after three days the integration becomes ``INVALID`` and its runs pause until it is connected again.

Functions that decide by the time take ``now``; ``None`` is the database's clock, the one that all processes share.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Protocol
from uuid import uuid4

import asyncpg

from atsumi.store.records import Connection

JITTER_FRACTION = 0.1
MINIMUM_PAUSE_FRACTION = 0.1
"""What is left of an interval after a run that took longer than it."""
FAILED_FULL_FRACTION = 0.1
"""A full run that failed is tried again after this share of its interval."""
AUTHENTICATION_PATIENCE = timedelta(days=3)
"""How long refused credentials are tried before the integration counts as invalid (Kombo NOTES section 11)."""
REFUSED_INTERVAL = timedelta(minutes=15)
LATE = timedelta(minutes=1)
"""Later than this nobody has been ticking."""
CATCH_UP = timedelta(minutes=5)
MINIMUM_INTERVAL = timedelta(minutes=1)

ON_DEMAND, INCREMENTAL, FULL, BACKGROUND = 30, 20, 10, 0
"""What a run's urgency starts from; it gains a point a minute, so ten minutes of waiting lift it by one class."""


def priority_of(kind: str, requested_by: str) -> int:
    """Where a run's urgency starts: on demand, then increments, then full and first runs, then the rest."""
    if requested_by in ("api", "operator"):
        return ON_DEMAND
    return {"incremental": INCREMENTAL, "full": FULL}.get(kind, BACKGROUND)


def share(integration: int, kind: str, at: datetime) -> float:
    """A number in [0, 1) that looks random and is the same every time for the same arguments."""
    digest = blake2b(f"{integration}/{kind}/{at.timestamp():.6f}".encode(), digest_size=6).digest()
    return int.from_bytes(digest) / 2**48


def after_run(integration: int, kind: str, interval: timedelta, started_at: datetime, ended_at: datetime) -> datetime:
    """When the next run is due after one that started and ended then."""
    jitter = JITTER_FRACTION * (2 * share(integration, kind, started_at) - 1)
    return max(started_at + interval * (1 + jitter), ended_at + interval * MINIMUM_PAUSE_FRACTION)


def after_connecting(integration: int, kind: str, interval: timedelta, started_at: datetime) -> datetime:
    """When the second run is due: integrations connected together are spread over half an interval."""
    return started_at + interval * (0.5 + 0.5 * share(integration, kind, started_at))


@dataclass(frozen=True, slots=True)
class _Schedule:
    number: int
    tool: str
    full_interval_seconds: int
    incremental_interval_seconds: int
    next_full_at: datetime | None
    next_incremental_at: datetime | None
    first_synced_at: datetime | None
    authentication_failing_since: datetime | None
    now: datetime

    @property
    def full_interval(self) -> timedelta:
        return timedelta(seconds=self.full_interval_seconds)

    @property
    def incremental_interval(self) -> timedelta:
        floor = REFUSED_INTERVAL if self.authentication_failing_since is not None else timedelta(0)
        return max(timedelta(seconds=self.incremental_interval_seconds), floor)


_SCHEDULE = """
    i.number, i.tool, i.full_interval_seconds, i.incremental_interval_seconds, i.next_full_at, i.next_incremental_at,
    i.first_synced_at, i.authentication_failing_since, coalesce($1::timestamptz, now()) AS now
"""
_IS_DUE = """
    i.state = 'ACTIVE' AND i.deleted_at IS NULL AND (
        i.next_full_at <= coalesce($1::timestamptz, now())
        OR i.next_incremental_at <= coalesce($1::timestamptz, now()) OR i.next_full_at IS NULL)
"""


class EndedRun(Protocol):
    """What the schedule has to know of a run."""

    @property
    def kind(self) -> str: ...
    @property
    def started_at(self) -> datetime | None: ...


async def request_due(pool: asyncpg.Pool, *, now: datetime | None = None, limit: int = 500) -> int:
    """Request a run for every integration that is due and has none open; returns how many.

    Request and next due time are one transaction, so a process may die anywhere. Any number of processes may call it
    at once. At most ``limit`` integrations are looked at, taken in turn from the environments, longest due first.
    """
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(
            f"""
            WITH due AS MATERIALIZED (
                SELECT i.number FROM integration i
                WHERE {_IS_DUE}
                  AND NOT EXISTS (SELECT 1 FROM sync_run r WHERE r.integration = i.number AND r.state = 'RUNNING'
                                  AND r.kind IN ('full', 'incremental'))
                  AND NOT EXISTS (SELECT 1 FROM sync_run r WHERE r.integration = i.number AND r.state = 'QUEUED'
                                  AND r.kind IN ('full', 'incremental'))
                ORDER BY row_number() OVER (PARTITION BY i.environment_id
                                            ORDER BY least(i.next_full_at, i.next_incremental_at))
                LIMIT $2
            )
            SELECT {_SCHEDULE} FROM integration i WHERE i.number IN (SELECT number FROM due) AND {_IS_DUE}
            FOR NO KEY UPDATE SKIP LOCKED
            """,
            now,
            limit,
        )
        schedules = [_Schedule(**row) for row in rows]
        requests = [request for request in map(_request, schedules) if request is not None]
        if requests:
            await connection.executemany(
                """
                INSERT INTO sync_run (id, integration, kind, requested_by, priority, requested_at, next_at)
                VALUES ($1, $2, $3, 'schedule', $4, $5, $6) ON CONFLICT DO NOTHING
                """,
                requests,
            )
        if schedules:
            await connection.executemany(
                "UPDATE integration SET next_full_at = $2, next_incremental_at = $3 WHERE number = $1",
                [_requested(schedule) for schedule in schedules],
            )
    return len(requests)


def _request(one: _Schedule) -> tuple[object, ...] | None:
    """The run to request, as a row: nothing for an integration that has no schedule yet."""
    if one.next_full_at is None or one.next_incremental_at is None:
        return None
    kind = _kind(one)
    due_at, interval = (
        (one.next_full_at, one.full_interval) if kind == "full" else (one.next_incremental_at, one.incremental_interval)
    )
    due_at = min(due_at, one.now)
    at = one.now
    if one.now - due_at > LATE:
        at += min(interval, CATCH_UP) * share(one.number, kind, due_at)
    return uuid4(), one.number, kind, priority_of(kind, "schedule"), one.now, at


def _kind(one: _Schedule) -> str:
    is_full_due = one.next_full_at is not None and one.next_full_at <= one.now
    return "full" if is_full_due or one.first_synced_at is None else "incremental"


def _requested(one: _Schedule) -> tuple[int, datetime, datetime]:
    """The due times once the run is requested; its end moves them again."""
    if one.next_full_at is None or one.next_incremental_at is None:
        return (
            one.number,
            one.next_full_at or after_connecting(one.number, "full", one.full_interval, one.now),
            one.next_incremental_at or after_connecting(one.number, "incremental", one.incremental_interval, one.now),
        )
    next_full = one.next_full_at
    if _kind(one) == "full":
        next_full = after_run(one.number, "full", one.full_interval, one.now, one.now)
    return one.number, next_full, after_run(one.number, "incremental", one.incremental_interval, one.now, one.now)


async def move_after(
    connection: Connection, integration: int, run: EndedRun, state: str, *, now: datetime | None = None
) -> None:
    """Move the schedule after a run that ended in ``state``, and note whether the credentials are refused.

    Belongs into the transaction that ends the run, after the clock row was locked.
    """
    row = await connection.fetchrow(
        f"SELECT {_SCHEDULE} FROM integration i WHERE i.number = $2 FOR NO KEY UPDATE", now, integration
    )
    if row is None or run.kind == "remap":
        return
    await _note_credentials(connection, row, state)
    if run.kind not in ("full", "incremental"):
        return
    one = _Schedule(**row)
    if state == "AUTHENTICATION_FAILED" and one.authentication_failing_since is None:
        one = _Schedule(**{**dict(row), "authentication_failing_since": one.now})
    started_at = min(run.started_at or one.now, one.now)
    if one.next_full_at is None or one.next_incremental_at is None:
        next_full = after_connecting(integration, "full", one.full_interval, started_at)
        next_incremental = after_connecting(integration, "incremental", one.incremental_interval, started_at)
    else:
        next_full = one.next_full_at
        if run.kind == "full":
            next_full = after_run(integration, "full", one.full_interval, started_at, one.now)
        next_incremental = after_run(integration, "incremental", one.incremental_interval, started_at, one.now)
    if run.kind == "full" and state in ("FAILED", "AUTHENTICATION_FAILED"):
        retry = max(one.full_interval * FAILED_FULL_FRACTION, MINIMUM_INTERVAL)
        next_full = min(next_full, after_run(integration, "full", retry, one.now, one.now))
    if one.first_synced_at is None and state not in ("SUCCEEDED", "PARTIALLY_FAILED"):
        next_full = min(next_full, next_incremental)
    next_incremental = max(next_incremental, one.now)
    if state == "AUTHENTICATION_FAILED":
        next_full = max(next_full, next_incremental)
    await connection.execute(
        "UPDATE integration SET next_full_at = $2, next_incremental_at = $3 WHERE number = $1",
        integration,
        max(next_full, one.now) if run.kind == "full" else next_full,
        next_incremental,
    )


async def _note_credentials(connection: Connection, row: asyncpg.Record, state: str) -> None:
    if state == "AUTHENTICATION_FAILED":
        since = row["authentication_failing_since"] or row["now"]
        is_over = row["now"] - since >= AUTHENTICATION_PATIENCE
        await connection.execute(
            """
            UPDATE integration SET authentication_failing_since = $2,
                state = CASE WHEN $3 AND state = 'ACTIVE' THEN 'INVALID' ELSE state END,
                state_reason = CASE WHEN $3 AND state = 'ACTIVE' THEN $4 ELSE state_reason END
            WHERE number = $1
            """,
            row["number"],
            since,
            is_over,
            f"{row['tool']} has refused the credentials since {since:%Y-%m-%d %H:%M} UTC. Syncs pause until the "
            "customer connects again with new credentials; stored data stays readable.",
        )
    elif state in ("SUCCEEDED", "PARTIALLY_FAILED") and row["authentication_failing_since"] is not None:
        await connection.execute(
            "UPDATE integration SET authentication_failing_since = NULL WHERE number = $1", row["number"]
        )


async def set_intervals(
    pool: asyncpg.Pool,
    integration: int,
    *,
    full: timedelta | None = None,
    incremental: timedelta | None = None,
    now: datetime | None = None,
) -> None:
    """Change one or both intervals, at least a minute each; a shorter one takes effect at once.

    Raises ``ValueError`` for an interval below the minimum.
    """
    if any(one is not None and one < MINIMUM_INTERVAL for one in (full, incremental)):
        raise ValueError("an interval is at least one minute")
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            f"SELECT {_SCHEDULE} FROM integration i WHERE i.number = $2 FOR NO KEY UPDATE", now, integration
        )
        if row is None:
            return
        nexts = {
            kind: min(row[f"next_{kind}_at"], after_run(integration, kind, interval, row["now"], row["now"]))
            for kind, interval in (("full", full), ("incremental", incremental))
            if interval is not None and row[f"next_{kind}_at"] is not None
        }
        await connection.execute(
            """
            UPDATE integration SET full_interval_seconds = coalesce($2, full_interval_seconds),
                incremental_interval_seconds = coalesce($3, incremental_interval_seconds),
                next_full_at = coalesce($4, next_full_at), next_incremental_at = coalesce($5, next_incremental_at)
            WHERE number = $1
            """,
            integration,
            int(full.total_seconds()) if full else None,
            int(incremental.total_seconds()) if incremental else None,
            nexts.get("full"),
            nexts.get("incremental"),
        )


async def resume(connection: Connection, integration: int, *, now: datetime | None = None) -> None:
    """Make an integration that was paused due at once: with a full run where that is overdue."""
    await connection.execute(
        """
        UPDATE integration SET next_full_at = greatest(next_full_at, coalesce($2::timestamptz, now())),
            next_incremental_at = coalesce($2::timestamptz, now())
        WHERE number = $1 AND next_full_at IS NOT NULL
        """,
        integration,
        now,
    )
