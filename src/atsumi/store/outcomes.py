"""How each listing of an integration was last left, whichever run read it, and how far a run under way has come."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import asyncpg

from atsumi.store.runs import Run, StreamProgress

SETTLED = ("COMPLETE", "SKIPPED", "FAILED")
"""States of a stream with which a run is done with it."""


class Outcome(NamedTuple):
    """How the last run that was done with a stream left it. ``message`` says what was wrong, and who acts next."""

    state: str
    message: str | None


async def latest_outcomes(pool: asyncpg.Pool, integration: int, streams: Collection[str]) -> dict[str, Outcome]:
    """By stream; one that no run was ever done with is left out."""
    rows = await pool.fetch(
        """
        SELECT wanted.stream, last.state, last.message FROM unnest($2::text[]) AS wanted (stream)
        CROSS JOIN LATERAL (
            SELECT s.state, s.message FROM sync_run r JOIN sync_run_stream s ON s.run_id = r.id
            WHERE r.integration = $1 AND s.stream = wanted.stream AND s.state = ANY($3)
            ORDER BY r.requested_at DESC LIMIT 1) AS last
        """,
        integration,
        list(streams),
        list(SETTLED),
    )
    return {row["stream"]: Outcome(row["state"], row["message"]) for row in rows}


async def percentage(pool: asyncpg.Pool, run: Run, streams: Sequence[StreamProgress]) -> int | None:
    """How much of a full run under way is done, from 0 to 99, by what the last successful one has read.

    ``None`` where that is not known: a tool's listings do not say how long they are.
    """
    if run.kind != "full" or run.state != "RUNNING":
        return None
    rows = await pool.fetch(
        """
        SELECT stream, records_seen FROM sync_run_stream WHERE run_id = (
            SELECT id FROM sync_run WHERE integration = $1 AND kind = 'full' AND state = 'SUCCEEDED'
            ORDER BY requested_at DESC LIMIT 1)
        """,
        run.integration,
    )
    return share_done(streams, {row["stream"]: row["records_seen"] for row in rows})


def share_done(streams: Sequence[StreamProgress], expected: Mapping[str, int]) -> int | None:
    """The share of the expected records of all streams that were seen, in percent and never 100."""
    total = sum(expected.get(one.stream, 0) for one in streams)
    if total == 0:
        return None
    done = sum(
        wanted if one.state in SETTLED else min(one.records_seen, wanted)
        for one in streams
        if (wanted := expected.get(one.stream, 0))
    )
    return min(100 * done // total, 99)
