"""Evidence before deletion: what full listings have shown, who is suspected, what the operator has to decide.

Functions that write take a connection inside the caller's transaction, as in :mod:`atsumi.store.records`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple
from uuid import UUID

import asyncpg

from atsumi.errors import NotFound
from atsumi.store.records import Connection, Owner, Tick

EvidenceKind = Literal["probe", "second_sweep", "snapshot", "operator", "mode", "scope"]


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator has set for one integration about keeping and removing records."""

    unsafe_fraction: float
    blank_after_days: int
    sync_mode: str
    sync_from_on: date | None
    sync_days: int | None


class Suspect(NamedTuple):
    """A stored record that a complete listing did not show; ``suspected_by`` is an earlier run that missed it, too."""

    remote_id: str
    suspected_by: UUID | None


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """Why one raw record counts as gone."""

    stream: str
    remote_id: str
    kind: str
    suspected_by: UUID | None
    confirmed_by: UUID | None
    detail: str
    confirmed_at: datetime


_EVIDENCE = "stream, remote_id, kind, suspected_by, confirmed_by, detail, confirmed_at"


async def policy_of(connection: Connection | asyncpg.Pool, integration: int) -> Policy:
    """The integration's settings. Raises :class:`NotFound`."""
    row = await connection.fetchrow(
        """
        SELECT unsafe_fraction, blank_after_days, sync_mode, sync_from_on, sync_days FROM integration WHERE number = $1
        """,
        integration,
    )
    if row is None:
        raise NotFound(f"There is no integration with the number {integration}.")
    # The column has single precision: 0.3 must not come out a little larger than what was set.
    return Policy(**{**row, "unsafe_fraction": round(row["unsafe_fraction"], 6)})


async def set_policy(
    pool: asyncpg.Pool,
    integration: int,
    *,
    unsafe_fraction: float | None = None,
    blank_after_days: int | None = None,
    history_days: int | None = None,
) -> tuple[float, int, int]:
    """Set what is given and return all three: share of records a run may remove unasked, days to blanking, history.

    Raises :class:`NotFound`. The caller has checked the ranges.
    """
    row = await pool.fetchrow(
        """
        UPDATE integration SET unsafe_fraction = coalesce($2, unsafe_fraction),
            blank_after_days = coalesce($3, blank_after_days), history_days = coalesce($4, history_days)
        WHERE number = $1 RETURNING unsafe_fraction, blank_after_days, history_days
        """,
        integration,
        unsafe_fraction,
        blank_after_days,
        history_days,
    )
    if row is None:
        raise NotFound(f"There is no integration with the number {integration}.")
    return round(row["unsafe_fraction"], 6), row["blank_after_days"], row["history_days"]


async def visit(connection: Connection, integration: int) -> Owner:
    """Become the integration's only writer until the transaction ends, without taking its sync away from anyone.

    For writers that are not a sync. Raises :class:`NotFound`.
    """
    token = await connection.fetchval("SELECT token FROM clock WHERE integration = $1 FOR UPDATE", integration)
    if token is None:
        raise NotFound(f"There is no integration with the number {integration}.")
    return Owner(integration, token)


async def note_seen(connection: Connection, run_id: UUID, stream: str, remote_ids: Sequence[str]) -> None:
    """Keep which records of a full listing its newest page has shown; after the page was counted, with it."""
    await connection.execute(
        """
        INSERT INTO seen_page (run_id, stream, page, remote_ids)
        SELECT $1, $2, pages, $3::text[] FROM sync_run_stream WHERE run_id = $1 AND stream = $2
        ON CONFLICT (run_id, stream, page) DO UPDATE SET remote_ids = seen_page.remote_ids || excluded.remote_ids
        """,
        run_id,
        stream,
        remote_ids,
    )


async def note_unproven(connection: Connection, run_id: UUID, stream: str) -> None:
    """Remember that this run's listing may not have shown everything."""
    await connection.execute(
        "UPDATE sync_run_stream SET is_unproven = true WHERE run_id = $1 AND stream = $2", run_id, stream
    )


async def note_gap(connection: Connection, run_id: UUID, stream: str) -> None:
    """Remember that this run's listing may have passed over records."""
    await connection.execute(
        "UPDATE sync_run_stream SET has_gap = true WHERE run_id = $1 AND stream = $2", run_id, stream
    )


async def is_unproven(connection: Connection, run_id: UUID, stream: str) -> bool:
    """Whether any page of this run's listing left open whether everything was shown."""
    return bool(
        await connection.fetchval(
            "SELECT is_unproven FROM sync_run_stream WHERE run_id = $1 AND stream = $2", run_id, stream
        )
    )


async def seen_pages(connection: Connection | asyncpg.Pool, run_id: UUID, stream: str) -> list[tuple[int, int]]:
    """(page, how many records it showed), in order."""
    rows = await connection.fetch(
        "SELECT page, cardinality(remote_ids) AS shown FROM seen_page WHERE run_id = $1 AND stream = $2 ORDER BY page",
        run_id,
        stream,
    )
    return [(row["page"], row["shown"]) for row in rows]


async def forget_seen(connection: Connection, run_id: UUID, stream: str) -> None:
    """Drop what was kept for the comparison, except where the operator still has to look at it."""
    await connection.execute(
        """
        DELETE FROM seen_page WHERE run_id = $1 AND stream = $2 AND NOT EXISTS (
            SELECT 1 FROM unsafe_change u WHERE u.run_id = $1 AND u.stream = $2 AND u.state = 'PENDING')
        """,
        run_id,
        stream,
    )


async def unseen(
    connection: Connection, integration: int, run_id: UUID, stream: str, written_before: datetime
) -> list[Suspect]:
    """Present records of the stream that were last written before the run and that it has not shown, oldest first."""
    rows = await connection.fetch(
        """
        SELECT r.remote_id, s.run_id AS suspected_by FROM raw_record r
        LEFT JOIN suspicion s ON s.integration = r.integration AND s.stream = r.stream AND s.remote_id = r.remote_id
            AND s.run_id <> $3 AND s.suspected_at > r.changed_at
        WHERE r.integration = $1 AND r.stream = $2 AND r.gone_at IS NULL AND r.changed_at < $4
          AND NOT EXISTS (SELECT 1 FROM (
                SELECT unnest(remote_ids) AS remote_id FROM seen_page WHERE run_id = $3 AND stream = $2
              ) AS shown WHERE shown.remote_id = r.remote_id)
        ORDER BY s.suspected_at NULLS LAST, r.remote_id
        """,
        integration,
        stream,
        run_id,
        written_before,
    )
    return [Suspect(row["remote_id"], row["suspected_by"]) for row in rows]


async def known(connection: Connection, integration: int, stream: str, remote_ids: Sequence[str]) -> set[str]:
    """Which of these were ever stored, gone or not."""
    rows = await connection.fetch(
        "SELECT remote_id FROM raw_record WHERE integration = $1 AND stream = $2 AND remote_id = ANY($3)",
        integration,
        stream,
        remote_ids,
    )
    return {row["remote_id"] for row in rows}


async def present_count(connection: Connection, integration: int, stream: str) -> int:
    """How many records of the stream are stored and not gone."""
    return (
        await connection.fetchval(
            "SELECT count(*) FROM raw_record WHERE integration = $1 AND stream = $2 AND gone_at IS NULL",
            integration,
            stream,
        )
        or 0
    )


async def suspect(
    connection: Connection, integration: int, run_id: UUID, stream: str, remote_ids: Sequence[str]
) -> None:
    """Remember who was not shown. A suspicion that is there already keeps its run and instant."""
    await connection.execute(
        """
        INSERT INTO suspicion (integration, stream, remote_id, run_id)
        SELECT $1, $2, unnest($3::text[]), $4 ON CONFLICT DO NOTHING
        """,
        integration,
        stream,
        remote_ids,
        run_id,
    )


async def clear_suspicions(
    connection: Connection, integration: int, stream: str, *, except_for: Sequence[str] = ()
) -> None:
    """Drop the stream's suspicions: a complete listing has shown all but these."""
    await connection.execute(
        "DELETE FROM suspicion WHERE integration = $1 AND stream = $2 AND NOT remote_id = ANY($3)",
        integration,
        stream,
        except_for,
    )


async def drop_suspicions(connection: Connection, integration: int, stream: str, remote_ids: Sequence[str]) -> None:
    """Drop the suspicion of these records."""
    await connection.execute(
        "DELETE FROM suspicion WHERE integration = $1 AND stream = $2 AND remote_id = ANY($3)",
        integration,
        stream,
        remote_ids,
    )


async def earlier_suspicions(
    connection: Connection, integration: int, stream: str, remote_ids: Sequence[str], run_id: UUID
) -> dict[str, UUID]:
    """Which of these an earlier run has missed already: run by remote id."""
    rows = await connection.fetch(
        """
        SELECT s.remote_id, s.run_id FROM suspicion s
        WHERE s.integration = $1 AND s.stream = $2 AND s.remote_id = ANY($3) AND s.run_id <> $4
        """,
        integration,
        stream,
        remote_ids,
        run_id,
    )
    return {row["remote_id"]: row["run_id"] for row in rows}


async def suspicion_counts(pool: asyncpg.Pool, integration: int) -> list[tuple[str, int, datetime]]:
    """(stream, how many are suspected, since when at the longest)."""
    rows = await pool.fetch(
        """
        SELECT stream, count(*) AS suspects, min(suspected_at) AS since FROM suspicion
        WHERE integration = $1 GROUP BY stream ORDER BY stream
        """,
        integration,
    )
    return [(row["stream"], row["suspects"], row["since"]) for row in rows]


async def add_evidence(
    connection: Connection,
    owner: Owner,
    tick: Tick,
    stream: str,
    found: Mapping[str, UUID | None],
    *,
    kind: EvidenceKind,
    confirmed_by: UUID | None,
    detail: str,
) -> None:
    """Write why records are gone, with the run that suspected each (if any), and drop the suspicion."""
    await connection.executemany(
        """
        INSERT INTO deletion_evidence (integration, stream, remote_id, kind, suspected_by, confirmed_by, detail,
            confirmed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        [(owner.integration, stream, id, kind, run, confirmed_by, detail, tick.at) for id, run in found.items()],
    )
    await drop_suspicions(connection, owner.integration, stream, list(found))


async def evidence(
    pool: asyncpg.Pool, integration: int, keys: Iterable[tuple[str, str]] | None = None, *, limit: int = 50
) -> list[EvidenceRow]:
    """The newest evidence, of all records or of these (stream, remote id)."""
    wanted = None if keys is None else list(keys)
    rows = await pool.fetch(
        f"""
        SELECT {_EVIDENCE} FROM deletion_evidence
        WHERE integration = $1 AND ($2::text[] IS NULL OR (stream, remote_id) IN (
            SELECT * FROM unnest($2::text[], $3::text[])))
        ORDER BY confirmed_at DESC, stream, remote_id LIMIT $4
        """,
        integration,
        None if wanted is None else [stream for stream, _ in wanted],
        None if wanted is None else [remote_id for _, remote_id in wanted],
        limit,
    )
    return [EvidenceRow(**row) for row in rows]


async def still_present(
    connection: Connection, integration: int, stream: str, remote_ids: Sequence[str], written_before: datetime
) -> dict[str, bytes]:
    """Data by remote id of those that are stored, not gone, and were last written before an instant, in id order."""
    rows = await connection.fetch(
        """
        SELECT remote_id, data FROM raw_record
        WHERE integration = $1 AND stream = $2 AND remote_id = ANY($3) AND gone_at IS NULL AND changed_at < $4
        ORDER BY remote_id
        """,
        integration,
        stream,
        remote_ids,
        written_before,
    )
    return {row["remote_id"]: row["data"] for row in rows}


async def restore_raw(connection: Connection, owner: Owner, tick: Tick, stream: str, remote_ids: Sequence[str]) -> None:
    """Take back that records are gone, as long as their content is there."""
    await connection.execute(
        """
        UPDATE raw_record SET gone_at = NULL, batch = $4, changed_at = $5
        WHERE integration = $1 AND stream = $2 AND remote_id = ANY($3) AND gone_at IS NOT NULL AND hash <> ''
        """,
        owner.integration,
        stream,
        remote_ids,
        tick.batch,
        tick.at,
    )
