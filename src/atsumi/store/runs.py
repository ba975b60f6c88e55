"""Sync runs: requested, claimed under a fencing token, recorded page by page, ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import asyncpg

from atsumi.errors import StaleToken
from atsumi.store import schedules
from atsumi.store.records import Connection, Owner

LEASE = timedelta(seconds=30)
"""A running sync whose heartbeat is older than this may be taken over."""

MAXIMUM_ATTEMPTS = 8
"""A run that was claimed this often without ending is given up: something in it kills its worker."""


GAPS_REPEATED = 3
"""How many reads that may have passed over records begin at the same instant. A tool whose every listing looks so costs
ranges this many intervals longer, and no more: neither does the range grow, nor is everything read for ever."""

READ_TO_ITS_END = "\x04"
"""Position of a stream whose last page is stored and that has not ended yet."""


@dataclass(frozen=True, slots=True)
class Run:
    """One sync run as stored.

    ``kind`` is ``full``, ``incremental``, ``background`` or ``remap``; ``requested_by`` is ``connect``, ``schedule``,
    ``api``, ``operator`` or ``background``. ``only_documents``: a remap that renders and computes nothing else.
    """

    id: UUID
    integration: int
    kind: str
    state: str
    attempts: int
    next_at: datetime
    requested_at: datetime
    started_at: datetime | None
    heartbeat_at: datetime | None
    ended_at: datetime | None
    message: str | None
    requested_by: str
    only_documents: bool = False


@dataclass(frozen=True, slots=True)
class StreamProgress:
    """How far one stream of a run has come."""

    stream: str
    state: str
    since: datetime | None
    position: str | None
    pages: int
    records_seen: int
    records_changed: int
    issues: int
    message: str | None
    has_gap: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to execute a run until someone else claims it."""

    run: Run
    owner: Owner


_RUN = """
    id, integration, kind, state, attempts, next_at, requested_at, started_at, heartbeat_at, ended_at, message,
    requested_by, only_documents
"""
_STREAM = "stream, state, since, position, pages, records_seen, records_changed, issues, message, has_gap"


async def request_run(
    connection: Connection | asyncpg.Pool,
    integration: int,
    kind: str,
    *,
    requested_by: str = "operator",
    only_documents: bool = False,
    now: datetime | None = None,
) -> tuple[Run, bool]:
    """Ask for a run; returns it and whether one of the same kind was waiting already.

    A run that waits already becomes as urgent as this request, and does no less than either asks for. ``now=None`` is
    the database's clock.
    """
    row = await connection.fetchrow(
        f"""
        INSERT INTO sync_run (id, integration, kind, requested_by, priority, requested_at, next_at, only_documents)
        VALUES ($1, $2, $3, $4, $5, coalesce($6::timestamptz, now()), coalesce($6::timestamptz, now()), $7)
        ON CONFLICT (integration, kind) WHERE state = 'QUEUED' DO UPDATE SET
            priority = greatest(sync_run.priority, excluded.priority),
            only_documents = sync_run.only_documents AND excluded.only_documents,
            next_at = least(sync_run.next_at, excluded.next_at)
        RETURNING {_RUN}, xmax <> 0 AS was_waiting
        """,
        uuid4(),
        integration,
        kind,
        requested_by,
        schedules.priority_of(kind, requested_by),
        now,
        only_documents,
    )
    if row is None:
        raise LookupError("a statement that always returns a row returned none")
    values = dict(row)
    was_waiting: bool = values.pop("was_waiting")
    return Run(**values), was_waiting


async def claim_run(pool: asyncpg.Pool, run_id: UUID, *, now: datetime | None = None) -> Claim | None:
    """Become the run's owner; ``None`` when it has ended, waits for later, is paused, or another owner is alive.

    Runs of an integration that is not ``ACTIVE`` are paused, except remaps, which do not need the tool; nothing of a
    deleted one is. ``now=None`` is the database's clock; leases always count by that one.

    Claiming raises the integration's fencing token, so whatever an earlier owner still tries to write is refused.
    A run that used up its attempts is ended as ``FAILED`` instead.
    """
    async with pool.acquire() as connection, connection.transaction():
        number = await connection.fetchval("SELECT integration FROM sync_run WHERE id = $1", run_id)
        if number is None:
            return None
        # The clock row is locked first, as everywhere: claims and page commits of an integration never interleave.
        await connection.execute("SELECT 1 FROM clock WHERE integration = $1 FOR UPDATE", number)
        # A background run whose worker died stands in nobody's way: where it stood is kept apart from it.
        await connection.execute(
            """
            UPDATE sync_run SET state = 'CANCELLED', ended_at = now(),
                message = 'The worker died; the next background run goes on where this one stopped.'
            WHERE integration = $1 AND id <> $2 AND kind = 'background' AND state = 'RUNNING'
              AND heartbeat_at <= now() - $3::interval
            """,
            number,
            run_id,
            LEASE,
        )
        row = await connection.fetchrow(
            f"""
            SELECT {_RUN} FROM sync_run r
            WHERE id = $1 AND state IN ('QUEUED', 'RUNNING') AND next_at <= coalesce($3::timestamptz, now())
              AND EXISTS (SELECT 1 FROM integration i WHERE i.number = r.integration AND i.deleted_at IS NULL
                          AND (i.state = 'ACTIVE' OR r.kind = 'remap'))
              AND NOT EXISTS (SELECT 1 FROM sync_run o WHERE o.integration = r.integration
                              AND o.state = 'RUNNING' AND (o.id <> r.id OR o.heartbeat_at > now() - $2::interval))
            FOR UPDATE
            """,
            run_id,
            LEASE,
            now,
        )
        if row is None:
            return None
        if row["attempts"] >= MAXIMUM_ATTEMPTS:
            await connection.execute(
                """
                UPDATE sync_run SET state = 'FAILED', ended_at = coalesce($2::timestamptz, now()), message =
                    'Given up: the worker died or lost contact every time. The operator should look at the log.'
                WHERE id = $1
                """,
                run_id,
                now,
            )
            await schedules.move_after(connection, number, Run(**row), "FAILED", now=now)
            return None
        claimed = await connection.fetchrow(
            f"""
            UPDATE sync_run SET state = 'RUNNING', attempts = attempts + 1, heartbeat_at = now(),
                started_at = coalesce(started_at, $2::timestamptz, now()), message = NULL
            WHERE id = $1 RETURNING {_RUN}
            """,
            run_id,
            now,
        )
        token = await connection.fetchval(
            "UPDATE clock SET token = token + 1 WHERE integration = $1 RETURNING token", number
        )
    if claimed is None:
        return None
    return Claim(Run(**claimed), Owner(number, token))


async def heartbeat(pool: asyncpg.Pool, claim: Claim) -> None:
    """Tell that the owner lives. Raises :class:`StaleToken` when it is no longer the owner."""
    done = await pool.fetchval(
        """
        UPDATE sync_run r SET heartbeat_at = now() FROM clock c
        WHERE r.id = $1 AND r.state = 'RUNNING' AND c.integration = r.integration AND c.token = $2 RETURNING 1
        """,
        claim.run.id,
        claim.owner.token,
    )
    if done is None:
        raise StaleToken(f"run {claim.run.id}: another worker owns it now")


async def plan_streams(pool: asyncpg.Pool, claim: Claim, streams: Sequence[str]) -> list[StreamProgress]:
    """The run's streams in order, created at its first attempt with where each has to begin.

    ``since`` is the start of the stream's last complete read, and empty in a full run.
    """
    await pool.executemany(
        """
        INSERT INTO sync_run_stream (run_id, stream, ordinal, since)
        VALUES ($1, $2, $3, CASE WHEN $5 THEN NULL ELSE
            (SELECT complete_from FROM stream_watermark WHERE integration = $4 AND stream = $2) END)
        ON CONFLICT DO NOTHING
        """,
        [
            (claim.run.id, stream, ordinal, claim.owner.integration, claim.run.kind == "full")
            for ordinal, stream in enumerate(streams)
        ],
    )
    return await progress(pool, claim.run.id)


async def progress(pool: asyncpg.Pool, run_id: UUID) -> list[StreamProgress]:
    """All streams of a run, in reading order."""
    rows = await pool.fetch(f"SELECT {_STREAM} FROM sync_run_stream WHERE run_id = $1 ORDER BY ordinal", run_id)
    return [StreamProgress(**row) for row in rows]


async def record_page(
    connection: Connection,
    run_id: UUID,
    stream: str,
    *,
    position: str | None,
    seen: int,
    changed: int,
    issues: Mapping[tuple[str, str, str, str], tuple[int, str]],
) -> None:
    """Save a page's position and counts, inside the page's transaction.

    In the background the position outlives the run. ``issues``: occurrences and a sample remote id by (stream, kind,
    field, detail).
    """
    total = sum(occurrences for occurrences, _ in issues.values())
    await connection.execute(
        """
        WITH page AS (
            UPDATE sync_run_stream SET state = 'READING', position = $3, pages = pages + 1,
                records_seen = records_seen + $4, records_changed = records_changed + $5, issues = issues + $6
            WHERE run_id = $1 AND stream = $2 RETURNING run_id, stream, position
        )
        UPDATE stream_watermark w SET position = page.position FROM page JOIN sync_run r ON r.id = page.run_id
        WHERE r.kind = 'background' AND w.integration = r.integration AND w.stream = page.stream
        """,
        run_id,
        stream,
        position,
        seen,
        changed,
        total,
    )
    if issues:
        await connection.executemany(
            """
            INSERT INTO sync_issue (run_id, stream, kind, field, detail, occurrences, sample_remote_id)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (run_id, stream, kind, field, detail)
                DO UPDATE SET occurrences = sync_issue.occurrences + excluded.occurrences
            """,
            [(run_id, *key, occurrences, sample) for key, (occurrences, sample) in issues.items()],
        )


async def end_stream(
    connection: Connection, claim: Claim, stream: str, *, state: str, message: str | None = None
) -> None:
    """Note a stream's outcome: ``COMPLETE``, ``FAILED`` or ``SKIPPED``."""
    await connection.execute(
        "UPDATE sync_run_stream SET state = $3, message = $4, position = NULL WHERE run_id = $1 AND stream = $2",
        claim.run.id,
        stream,
        state,
        message,
    )


async def set_watermark(
    connection: Connection, run_id: UUID, integration: int, stream: str, started_at: datetime, batch: int
) -> None:
    """Remember from when on the stream has to be read next time, and which raw records a lookup has followed.

    That is the start of this read. One that may have passed over records leaves it where it was, until as many reads
    in a row as ``GAPS_REPEATED`` have begun there; then it moves to the start of the first of them, and so on.
    """
    await connection.execute(
        """
        INSERT INTO stream_watermark AS w (integration, stream, batch, complete_from, unproven_from)
        SELECT $2, $3, $5, CASE WHEN NOT has_gap THEN $4::timestamptz END,
            CASE WHEN has_gap THEN ARRAY[$4::timestamptz] ELSE '{}' END
        FROM sync_run_stream WHERE run_id = $1 AND stream = $3
        ON CONFLICT (integration, stream) DO UPDATE SET
            batch = excluded.batch,
            complete_from = CASE
                WHEN excluded.complete_from IS NOT NULL THEN excluded.complete_from
                WHEN cardinality(w.unproven_from) >= $6 THEN greatest(w.complete_from, w.unproven_from[1])
                ELSE w.complete_from
            END,
            unproven_from = CASE
                WHEN excluded.complete_from IS NOT NULL THEN '{}'
                WHEN cardinality(w.unproven_from) >= $6 THEN w.unproven_from[2:] || excluded.unproven_from
                ELSE w.unproven_from || excluded.unproven_from
            END
        """,
        run_id,
        integration,
        stream,
        started_at,
        batch,
        GAPS_REPEATED,
    )


async def note_settled(connection: Connection, integration: int, stream: str, started_at: datetime) -> None:
    """Remember that the run which started then had nothing to read of the stream.

    Kept apart from the watermark: the next read of the stream begins where the last one did.
    """
    await connection.execute(
        """
        INSERT INTO stream_watermark (integration, stream, batch, settled_from) VALUES ($1, $2, 0, $3)
        ON CONFLICT (integration, stream) DO UPDATE SET settled_from = excluded.settled_from
        """,
        integration,
        stream,
        started_at,
    )


async def watermark_batch(pool: asyncpg.Pool, integration: int, stream: str) -> int:
    """The last batch that a lookup stream has followed; 0 before its first complete read."""
    return (
        await pool.fetchval(
            "SELECT batch FROM stream_watermark WHERE integration = $1 AND stream = $2", integration, stream
        )
        or 0
    )


async def current_batch(pool: asyncpg.Pool, integration: int) -> int:
    """The number of the integration's last writing transaction."""
    return await pool.fetchval("SELECT batch FROM clock WHERE integration = $1", integration) or 0


async def end_run(
    connection: Connection, claim: Claim, state: str, message: str | None, *, now: datetime | None = None
) -> None:
    """Close the run and move the integration's schedule. The first full run that brought data opens the lists.

    Belongs into a transaction that has checked the owner.
    """
    await connection.execute(
        """
        UPDATE sync_run SET state = $2, message = $3, ended_at = coalesce($4::timestamptz, now()), heartbeat_at = now()
        WHERE id = $1
        """,
        claim.run.id,
        state,
        message,
        now,
    )
    if claim.run.kind == "full" and state in ("SUCCEEDED", "PARTIALLY_FAILED"):
        await connection.execute(
            "UPDATE integration SET first_synced_at = coalesce(first_synced_at, now()) WHERE number = $1",
            claim.owner.integration,
        )
    await schedules.move_after(connection, claim.owner.integration, claim.run, state, now=now)


async def postpone_run(
    connection: Connection, claim: Claim, *, until: datetime, message: str, is_counted: bool
) -> None:
    """Give the slot back; the run goes on where it stopped, at ``until`` or later.

    ``is_counted`` tells whether the attempt used up one of the run's lives (a failure did, a wait did not).
    """
    await connection.execute(
        """
        UPDATE sync_run SET next_at = $2, message = $3, heartbeat_at = '-infinity',
            attempts = attempts - CASE WHEN $4 THEN 0 ELSE 1 END
        WHERE id = $1
        """,
        claim.run.id,
        until,
        message,
        is_counted,
    )


async def take_from_owner(connection: Connection, integration: int) -> None:
    """Fence off whoever executes a run; it goes on from its last page under the next claim. Needs the clock row."""
    await connection.execute("UPDATE clock SET token = token + 1 WHERE integration = $1", integration)
    await connection.execute(
        "UPDATE sync_run SET heartbeat_at = '-infinity' WHERE integration = $1 AND state = 'RUNNING'", integration
    )


async def release_run(pool: asyncpg.Pool, claim: Claim) -> None:
    """Give the run back at a clean shutdown, so that the next worker need not wait for the lease to run out."""
    await pool.execute(
        """
        UPDATE sync_run r SET heartbeat_at = '-infinity', attempts = attempts - 1,
            state = CASE WHEN kind = 'background' THEN 'QUEUED' ELSE state END FROM clock c
        WHERE r.id = $1 AND r.state = 'RUNNING' AND c.integration = r.integration AND c.token = $2
        """,
        claim.run.id,
        claim.owner.token,
    )


async def stopped_run(pool: asyncpg.Pool, integration: int) -> UUID | None:
    """The integration's run that has begun but that nobody works on now: it waits for the tool, or its worker died.

    Its waiting ends with this call: someone wants it to go on.
    """
    found: UUID | None = await pool.fetchval(
        """
        UPDATE sync_run SET next_at = least(next_at, now())
        WHERE integration = $1 AND state = 'RUNNING' AND heartbeat_at <= now() - $2::interval RETURNING id
        """,
        integration,
        LEASE,
    )
    return found


async def find_run(pool: asyncpg.Pool, run_id: UUID) -> Run | None:
    """One run."""
    row = await pool.fetchrow(f"SELECT {_RUN} FROM sync_run WHERE id = $1", run_id)
    return Run(**row) if row else None


async def latest_runs(pool: asyncpg.Pool, integration: int, limit: int = 20) -> list[Run]:
    """An integration's runs, newest first."""
    rows = await pool.fetch(
        f"SELECT {_RUN} FROM sync_run WHERE integration = $1 ORDER BY requested_at DESC LIMIT $2", integration, limit
    )
    return [Run(**row) for row in rows]


async def issues_of(pool: asyncpg.Pool, run_id: UUID) -> list[tuple[str, str, str, str, int, str]]:
    """(stream, kind, field, detail, occurrences, sample remote id) of a run, most frequent first."""
    rows = await pool.fetch(
        """
        SELECT stream, kind, field, detail, occurrences, sample_remote_id FROM sync_issue
        WHERE run_id = $1 ORDER BY occurrences DESC, stream, kind, field, detail
        """,
        run_id,
    )
    return [tuple(row) for row in rows]
