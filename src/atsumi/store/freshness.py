"""How fresh an integration's records are, and what of it waits for the operator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from atsumi.store.tenants import INTEGRATION_COLUMNS, IntegrationRow

SYNC_STATES = (
    "PENDING",
    "SYNCING",
    "WAITING",
    "SUCCEEDED",
    "PARTIALLY_FAILED",
    "FAILED",
    "AUTHENTICATION_FAILED",
    "CANCELLED",
)
"""What :class:`Freshness` may say of an integration's syncs."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old an integration's records may be.

    ``read_from`` is the start of the last complete read by stream: the records are at least as new as that. Where
    removals wait for the operator, it is that of the last one before them, since what they concern is shown as if it
    was still there. ``held_back`` says for these streams how many records that are.
    ``next_sync_at`` is when the next run is due, if runs are not paused. ``sync_state`` (one of ``SYNC_STATES``) is
    ``PENDING`` before the first run, ``SYNCING`` during one, ``WAITING`` while one waits for the tool, else how the
    last one ended.
    """

    read_from: Mapping[str, datetime]
    next_sync_at: datetime | None
    sync_state: str
    held_back: Mapping[str, int] = field(default_factory=dict)


_FRESHNESS = """
    read.streams, read.moments AS read_from, held_streams, held_counts, held_moments,
    (SELECT CASE WHEN r.state <> 'RUNNING' THEN r.state WHEN r.next_at > now() THEN 'WAITING' ELSE 'SYNCING' END
     FROM sync_run r WHERE r.integration = number AND r.state <> 'QUEUED' AND r.kind IN ('full', 'incremental')
     ORDER BY r.requested_at DESC LIMIT 1) AS sync_state
"""
_READ = """
    CROSS JOIN LATERAL (
        SELECT array_agg(w.stream) AS streams, array_agg(w.complete_from) AS moments FROM stream_watermark w
        WHERE w.integration = number AND w.complete_from IS NOT NULL) AS read
    CROSS JOIN LATERAL (
        SELECT array_agg(u.listing) AS held_streams, array_agg(u.missing_count) AS held_counts,
            array_agg(u.as_of) AS held_moments
        FROM unsafe_change u WHERE u.integration = number AND u.state = 'PENDING') AS held
"""


async def find_with_freshness(
    pool: asyncpg.Pool, environment_id: UUID, public_id: UUID
) -> tuple[IntegrationRow, Freshness] | None:
    """The integration if that environment has it, and how fresh its records are: one statement, for every read."""
    row = await pool.fetchrow(
        f"""
        SELECT {INTEGRATION_COLUMNS}, {_FRESHNESS} FROM integration {_READ}
        WHERE public_id = $1 AND environment_id = $2 AND deleted_at IS NULL
        """,
        public_id,
        environment_id,
    )
    if row is None:
        return None
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
    values["config"] = msgspec.json.decode(values["config"])
    integration = IntegrationRow(**values)
    due = [at for at in (integration.next_full_at, integration.next_incremental_at) if at is not None]
    next_sync_at = min(due) if due and integration.state == "ACTIVE" else None
    return integration, Freshness(read_from, next_sync_at, sync_state, held_back)
