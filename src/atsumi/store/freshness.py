"""How fresh an integration's records are, and what of it waits for the operator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from atsumi.store.tenants import INTEGRATION_COLUMNS, IntegrationRow, integration_of

SYNC_STATES = (
    "PENDING",
    "SYNCING",
    "WAITING",
    "SUCCEEDED",
    "PARTIALLY_FAILED",
    "FAILED",
    "AUTHENTICATION_FAILED",
    "CANCELLED",
    "TIMED_OUT",
)
"""What :class:`Freshness` may say of an integration's syncs."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old an integration's records may be.

    ``read_from`` is the start of the last complete read by stream, or of the last run in which nothing of the stream
    was to be read: the records are at least as new as that. Where
    removals wait for the operator, it is that of the last one before them, since what they concern is shown as if it
    was still there. ``held_back`` says for these streams how many records that are.
    ``next_sync_at`` is when the next run is due, if runs are not paused. ``sync_state`` (one of ``SYNC_STATES``) is
    ``PENDING`` before the first run, ``SYNCING`` during one, ``WAITING`` while one waits for the tool, else how the
    last one ended, of which ``sync_started_at`` is the start. ``complete_dialects`` are the codes of those in which
    every record has its document.
    """

    read_from: Mapping[str, datetime]
    next_sync_at: datetime | None
    sync_state: str
    held_back: Mapping[str, int] = field(default_factory=dict)
    sync_started_at: datetime | None = None
    complete_dialects: frozenset[int] = frozenset()


WITH_FRESHNESS = f"""
    {INTEGRATION_COLUMNS},
    read.streams, read.moments AS read_from, held_streams, held_counts, held_moments,
    run.sync_state, run.started_at AS sync_started_at,
    ARRAY(SELECT d.dialect FROM integration_dialect d WHERE d.integration = number) AS complete_dialects
"""
FRESHNESS_JOINS = """
    CROSS JOIN LATERAL (
        SELECT array_agg(w.stream) AS streams, array_agg(greatest(w.complete_from, w.settled_from)) AS moments
        FROM stream_watermark w
        WHERE w.integration = number AND (w.complete_from IS NOT NULL OR w.settled_from IS NOT NULL)) AS read
    CROSS JOIN LATERAL (
        SELECT array_agg(u.listing) AS held_streams, array_agg(u.missing_count) AS held_counts,
            array_agg(u.as_of) AS held_moments
        FROM unsafe_change u WHERE u.integration = number AND u.state = 'PENDING') AS held
    LEFT JOIN LATERAL (
        SELECT r.started_at, CASE WHEN r.state <> 'RUNNING' THEN r.state WHEN r.next_at > now() THEN 'WAITING'
                             ELSE 'SYNCING' END AS sync_state
        FROM sync_run r WHERE r.integration = number AND r.state <> 'QUEUED' AND r.kind IN ('full', 'incremental')
        ORDER BY r.requested_at DESC LIMIT 1) AS run ON true
"""


async def find_with_freshness(
    pool: asyncpg.Pool, environment_id: UUID, public_id: UUID
) -> tuple[IntegrationRow, Freshness] | None:
    """The integration if that environment has it, and how fresh its records are: one statement, for every read."""
    row = await pool.fetchrow(
        f"""
        SELECT {WITH_FRESHNESS} FROM integration {FRESHNESS_JOINS}
        WHERE public_id = $1 AND environment_id = $2 AND deleted_at IS NULL
        """,
        public_id,
        environment_id,
    )
    return integration_and_freshness(row) if row is not None else None


async def find_by_token(
    pool: asyncpg.Pool, environment_id: UUID, digest: bytes
) -> tuple[IntegrationRow, Freshness] | None:
    """As :func:`find_with_freshness`, by the digest of the integration's connector token."""
    row = await pool.fetchrow(
        f"""
        SELECT {WITH_FRESHNESS} FROM integration {FRESHNESS_JOINS}
        WHERE number = (SELECT t.integration FROM connector_token t WHERE t.digest = $1)
          AND environment_id = $2 AND deleted_at IS NULL
        """,
        digest,
        environment_id,
    )
    return integration_and_freshness(row) if row is not None else None


def integration_and_freshness(row: asyncpg.Record | Mapping[str, Any]) -> tuple[IntegrationRow, Freshness]:
    """Both from a row with the columns ``WITH_FRESHNESS``, and no other."""
    values = dict(row)
    read_from = dict(zip(values.pop("streams") or (), values.pop("read_from") or (), strict=True))
    held_back: Counter[str] = Counter()
    held = (values.pop(name) or () for name in ("held_streams", "held_counts", "held_moments"))
    for stream, count, as_of in zip(*held, strict=True):
        held_back[stream] += count
        if as_of is None:
            read_from.pop(stream, None)
        elif stream in read_from:
            read_from[stream] = min(read_from[stream], as_of)
    sync_state = values.pop("sync_state") or "PENDING"
    sync_started_at = values.pop("sync_started_at")
    complete_dialects = frozenset(values.pop("complete_dialects"))
    integration = integration_of(values)
    due = [at for at in (integration.next_full_at, integration.next_incremental_at) if at is not None]
    next_sync_at = min(due) if due and integration.state == "ACTIVE" else None
    freshness = Freshness(read_from, next_sync_at, sync_state, held_back, sync_started_at, complete_dialects)
    return integration, freshness
