"""What an operator should know of an integration's actions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import asyncpg


class Troubles(NamedTuple):
    """How many actions wait to learn whether the tool has them, and how many have failed, by class of error."""

    unknown: int
    unknown_since: datetime | None
    """When the oldest of them began."""
    failed: Mapping[str, int]


async def troubles(pool: asyncpg.Pool, integration: int, *, failed_after: datetime) -> Troubles:
    """The troubles of an integration's actions now; failures only of those that ended after an instant."""
    rows = await pool.fetch(
        """
        SELECT state, CASE WHEN state = 'FAILED' THEN error_kind END AS kind, count(*) AS actions,
            min(created_at) AS since
        FROM action WHERE integration = $1 AND (state = 'UNKNOWN' OR (state = 'FAILED' AND ended_at > $2))
        GROUP BY 1, 2 ORDER BY actions DESC, kind
        """,
        integration,
        failed_after,
    )
    unknown = next((row for row in rows if row["state"] == "UNKNOWN"), None)
    failed = {row["kind"]: row["actions"] for row in rows if row["state"] == "FAILED"}
    return Troubles(unknown["actions"], unknown["since"], failed) if unknown else Troubles(0, None, failed)
