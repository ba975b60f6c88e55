"""The ledger of writes: what callers want written, how far it is, what came of it.

A row is worked on by whoever claimed it last: every step and the end are written under its fencing token, so a process
that was away too long can note nothing more. What may hold a person's data is sealed, bound to integration and action.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

import asyncpg

from atsumi.errors import Conflict, StaleToken
from atsumi.store.records import Connection
from atsumi.store.vault import Vault

LEASE = timedelta(seconds=30)
"""Whoever carries an action out and was not heard of for so long may be replaced."""
KEY_LIFETIME = timedelta(days=7)
SAME_REQUEST = timedelta(minutes=10)
"""Equal requests without a key are taken as one for so long after the first."""
DEFERRED_AGAIN = timedelta(seconds=2)
"""When an action is tried again that was deferred while it was carried out for its caller, and failed in passing."""
MAX_OPEN = 1_000
"""Actions of one integration that may wait at the same time, deferred ones included."""

_ALIVE = f"state = 'RUNNING' AND heartbeat_at > now() - interval '{LEASE.total_seconds():g} seconds'"
"""Somebody carries it out. A process that has died does not, though its actions are not taken up yet."""

_LOCKED = "pg_advisory_xact_lock(hashtextextended('action/' || integration, 0))"
"""Whoever has this lock decides alone who gets the integration's room."""

_COLUMNS = """
id, integration, kind, surface, state, is_deferred, token, attempts, created_at, next_at, ended_at, application_id,
candidate_id, request_digest, sealed_draft IS NOT NULL AS has_draft, sealed_outcome, error_kind
"""


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One action. ``sealed_outcome`` is opened with :func:`opened`; ``error_kind`` is kept longer than that."""

    id: UUID
    integration: int
    kind: str
    surface: str
    state: str
    is_deferred: bool
    token: int
    attempts: int
    created_at: datetime
    next_at: datetime | None
    ended_at: datetime | None
    application_id: UUID | None
    candidate_id: UUID | None
    request_digest: bytes
    has_draft: bool
    sealed_outcome: bytes | None
    error_kind: str | None


class ActionClaim(NamedTuple):
    """The right to carry an action out."""

    id: UUID
    integration: int
    token: int


class Intent(NamedTuple):
    """What tells requests apart. Digests only: neither key nor content is kept."""

    kind: str
    surface: str
    key_digest: bytes | None
    request_digest: bytes


def owner_of(integration: int, id: UUID) -> str:
    """What the sealed values of an action are bound to."""
    return f"integration/{integration}/action/{id}"


async def find_same(connection: Connection | asyncpg.Pool, integration: int, intent: Intent) -> ActionRow | None:
    """The action that an equal request has begun, if it still counts.

    Raises :class:`Conflict` when the key was used for another request.
    """
    if intent.key_digest is not None:
        row = await connection.fetchrow(
            f"SELECT {_COLUMNS} FROM action WHERE integration = $1 AND key_digest = $2 "
            "AND (ended_at IS NULL OR created_at > now() - $3::interval)",
            integration,
            intent.key_digest,
            KEY_LIFETIME,
        )
        if row is not None and row["request_digest"] != intent.request_digest:
            raise Conflict("This idempotency key was used for another request. Use a new key for a new request.")
    else:
        # What failed for good is tried anew: nothing came of it, and its caller may have mended the cause.
        row = await connection.fetchrow(
            f"""
            SELECT {_COLUMNS} FROM action
            WHERE integration = $1 AND request_digest = $2 AND key_digest IS NULL AND state <> 'FAILED'
              AND (ended_at IS NULL OR created_at > now() - $3::interval)
            ORDER BY created_at DESC LIMIT 1
            """,
            integration,
            intent.request_digest,
            SAME_REQUEST,
        )
    return ActionRow(**row) if row is not None else None


async def admit(
    pool: asyncpg.Pool, integration: int, intent: Intent, *, is_deferred: bool, max_running: int
) -> tuple[ActionRow, bool] | None:
    """The action of an equal request, or a new one that is claimed; and whether it is new.

    ``None`` when ``max_running`` are under way, or :data:`MAX_OPEN` open; those that wait for their callers give way
    to new ones. Raises as :func:`find_same`.
    """
    async with pool.acquire() as connection, connection.transaction():
        # One request at a time decides, so that of equal ones only the first begins.
        await connection.execute(f"SELECT {_LOCKED} FROM (VALUES ($1::bigint)) AS one (integration)", integration)
        found = await find_same(connection, integration, intent)
        if found is not None:
            return found, False
        [counts] = await connection.fetch(
            f"SELECT count(*) FILTER (WHERE {_ALIVE}) AS running, count(*) AS open FROM action "
            "WHERE integration = $1 AND ended_at IS NULL",
            integration,
        )
        if counts["running"] >= max_running and not is_deferred:
            return None
        if counts["open"] >= MAX_OPEN and not await _give_way(connection, integration):
            return None
        if intent.key_digest is not None:
            # One that is too old to count gives its key free.
            await connection.execute(
                "DELETE FROM action WHERE integration = $1 AND key_digest = $2", integration, intent.key_digest
            )
        [row] = await connection.fetch(
            f"""
            INSERT INTO action (id, integration, kind, surface, key_digest, request_digest, is_deferred, state, token,
                                attempts, heartbeat_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, 'RUNNING', 1, 1, now()) RETURNING {_COLUMNS}
            """,
            uuid4(),
            integration,
            *intent,
            is_deferred,
        )
    return ActionRow(**row), True


async def _give_way(connection: Connection, integration: int) -> bool:
    """Remove what waits longest for a caller who has not asked again; returns whether there was any.

    Nothing came of it: an outage of the tool leaves many of them, and must not keep new requests out afterwards.
    """
    removed: str = await connection.execute(
        """
        DELETE FROM action WHERE id = (
            SELECT id FROM action WHERE integration = $1 AND state = 'PENDING' AND next_at IS NULL AND ended_at IS NULL
            ORDER BY heartbeat_at LIMIT 1 FOR UPDATE SKIP LOCKED)
        """,
        integration,
    )
    return removed != "DELETE 0"


async def claim(
    pool: asyncpg.Pool, id: UUID, *, max_running: int | None = None, is_due: bool = False
) -> ActionClaim | None:
    """Become the one who carries an action out; ``None`` when somebody does, when it has ended, or has no room.

    One that has succeeded may be claimed as long as its record is looked for. ``is_due``: only at its time.
    """
    async with pool.acquire() as connection, connection.transaction():
        if max_running is not None:
            await connection.execute(f"SELECT {_LOCKED} FROM action WHERE id = $1", id)
        row = await connection.fetchrow(
            f"""
            UPDATE action AS a SET state = CASE WHEN state = 'SUCCEEDED' THEN state ELSE 'RUNNING' END,
                token = token + 1, heartbeat_at = now(), attempts = attempts + 1, next_at = NULL
            WHERE id = $1 AND sealed_draft IS NOT NULL
              AND (state IN ('PENDING', 'UNKNOWN') OR next_at IS NOT NULL OR heartbeat_at < now() - $2::interval)
              AND (NOT $4 OR next_at <= now() OR (next_at IS NULL AND state IN ('RUNNING', 'SUCCEEDED')))
              AND ($3::integer IS NULL OR $3 > (SELECT count(*) FROM action o WHERE o.integration = a.integration
                                                AND o.id <> a.id AND {_ALIVE}))
            RETURNING id, integration, token
            """,
            id,
            LEASE,
            max_running,
            is_due,
        )
    return ActionClaim(*row) if row is not None else None


async def heartbeat(pool: asyncpg.Pool, claim: ActionClaim) -> None:
    """Keep the claim. Raises :class:`StaleToken`."""
    fresh(
        await pool.fetchval(
            "UPDATE action SET heartbeat_at = now() WHERE id = $1 AND token = $2 RETURNING 1", claim.id, claim.token
        )
    )


async def release(
    pool: asyncpg.Pool,
    vault: Vault,
    claim: ActionClaim,
    state: str,
    outcome: bytes,
    *,
    pause: timedelta | None,
    error_kind: str | None = None,
) -> None:
    """Give an action back: as ``PENDING`` or ``UNKNOWN``, to be carried on after ``pause``.

    Without a pause nobody does until its caller asks again, unless it was deferred meanwhile. Of one that has ended,
    whose record is looked for, nothing else changes. Raises :class:`StaleToken`.
    """
    fresh(
        await pool.fetchval(
            """
            UPDATE action SET state = CASE WHEN ended_at IS NULL THEN $3 ELSE state END,
                next_at = now() + coalesce($4::interval, CASE WHEN is_deferred THEN $7::interval END),
                sealed_outcome = CASE WHEN ended_at IS NULL THEN $5 ELSE sealed_outcome END,
                error_kind = CASE WHEN ended_at IS NULL THEN $6 ELSE error_kind END
            WHERE id = $1 AND token = $2 RETURNING 1
            """,
            claim.id,
            claim.token,
            state,
            pause,
            vault.seal(outcome, owner=f"{owner_of(claim.integration, claim.id)}/outcome"),
            error_kind,
            DEFERRED_AGAIN,
        )
    )


async def defer(pool: asyncpg.Pool, id: UUID) -> None:
    """Have an open action carried on to its end without its caller, who was promised that."""
    await pool.execute(
        """
        UPDATE action SET is_deferred = true, next_at = CASE WHEN state = 'PENDING' THEN coalesce(next_at, now())
                                                             ELSE next_at END
        WHERE id = $1 AND ended_at IS NULL AND NOT is_deferred
        """,
        id,
    )


async def end(
    connection: Connection,
    vault: Vault,
    claim: ActionClaim,
    state: str,
    outcome: bytes,
    *,
    application: UUID | None = None,
    candidate: UUID | None = None,
    look_after: timedelta | None = None,
    error_kind: str | None = None,
) -> None:
    """End an action as ``SUCCEEDED`` or ``FAILED``. Its steps and files go, and so does its input.

    With ``look_after`` the input stays: the tool has accepted it and does not show what it made of it yet. Belongs in
    the transaction that stores the record. Raises :class:`StaleToken`.
    """
    fresh(
        await connection.fetchval(
            """
            UPDATE action SET state = $3, sealed_outcome = $4, application_id = $5, candidate_id = $6,
                ended_at = coalesce(ended_at, now()), next_at = now() + $7::interval, error_kind = $8,
                sealed_draft = CASE WHEN $7::interval IS NOT NULL THEN sealed_draft END
            WHERE id = $1 AND token = $2 RETURNING 1
            """,
            claim.id,
            claim.token,
            state,
            vault.seal(outcome, owner=f"{owner_of(claim.integration, claim.id)}/outcome"),
            application,
            candidate,
            look_after,
            error_kind,
        )
    )
    await connection.execute("DELETE FROM action_file WHERE action = $1", claim.id)
    if look_after is None:
        await connection.execute("DELETE FROM action_step WHERE action = $1", claim.id)


async def abandon(pool: asyncpg.Pool, claim: ActionClaim) -> None:
    """Remove a new action whose input never arrived whole."""
    await pool.execute(
        "DELETE FROM action WHERE id = $1 AND token = $2 AND sealed_draft IS NULL AND ended_at IS NULL",
        claim.id,
        claim.token,
    )


async def abandon_incomplete(pool: asyncpg.Pool) -> int:
    """Remove all whose input never arrived whole, because the process that took it in has died; returns how many."""
    rows = await pool.fetch(
        "DELETE FROM action WHERE state = 'RUNNING' AND sealed_draft IS NULL AND heartbeat_at < now() - $1::interval "
        "RETURNING 1",
        LEASE,
    )
    return len(rows)


async def find(pool: asyncpg.Pool, integration: int, id: UUID) -> ActionRow | None:
    """One action of the integration."""
    row = await pool.fetchrow(f"SELECT {_COLUMNS} FROM action WHERE integration = $1 AND id = $2", integration, id)
    return ActionRow(**row) if row is not None else None


async def listing(
    pool: asyncpg.Pool, integration: int, limit: int, *, state: str | None = None, before: ActionRow | None = None
) -> list[ActionRow]:
    """Actions, the newest first, older than ``before``."""
    rows = await pool.fetch(
        f"""
        SELECT {_COLUMNS} FROM action
        WHERE integration = $1 AND ($2::text IS NULL OR state = $2)
          AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4::uuid))
        ORDER BY created_at DESC, id DESC LIMIT $5
        """,
        integration,
        state,
        before.created_at if before is not None else None,
        before.id if before is not None else None,
        limit,
    )
    return [ActionRow(**row) for row in rows]


async def due(pool: asyncpg.Pool, limit: int, *, max_running: int | None = None) -> list[tuple[UUID, int]]:
    """(id, integration) of the actions that somebody should carry on now: integrations take turns, each by its time.

    Those whose process has died count; an integration waits that is not active, or has ``max_running`` under way.
    """
    rows = await pool.fetch(
        f"""
        SELECT id, integration FROM (
            SELECT a.id, a.integration, coalesce(a.next_at, a.heartbeat_at) AS at, row_number() OVER (
                PARTITION BY a.integration ORDER BY coalesce(a.next_at, a.heartbeat_at), a.id) AS turn
            FROM action a JOIN integration i ON i.number = a.integration
            WHERE (a.next_at <= now() OR (a.next_at IS NULL AND a.state IN ('RUNNING', 'SUCCEEDED')
                                          AND a.heartbeat_at < now() - $1::interval))
              AND a.sealed_draft IS NOT NULL AND i.deleted_at IS NULL AND i.state = 'ACTIVE'
              AND a.integration NOT IN (SELECT integration FROM action WHERE {_ALIVE}
                                        GROUP BY integration HAVING count(*) >= $3)) AS waiting
        ORDER BY turn, at, id LIMIT $2
        """,
        LEASE,
        limit,
        max_running,
    )
    return [(row["id"], row["integration"]) for row in rows]


async def hurry(pool: asyncpg.Pool, integration: int, id: UUID) -> bool:
    """Have an action carried on now that waits; returns whether there was one to hurry."""
    found = await pool.fetchval(
        """
        UPDATE action SET next_at = now()
        WHERE integration = $1 AND id = $2 AND sealed_draft IS NOT NULL
          AND (state IN ('PENDING', 'UNKNOWN') OR next_at IS NOT NULL) RETURNING 1
        """,
        integration,
        id,
    )
    return found is not None


async def in_flight(pool: asyncpg.Pool, integration: int) -> int:
    """How many actions are being carried out."""
    return int(await pool.fetchval(f"SELECT count(*) FROM action WHERE integration = $1 AND {_ALIVE}", integration))


def opened(vault: Vault, row: ActionRow) -> bytes | None:
    """What came of an action, as it was noted."""
    if row.sealed_outcome is None:
        return None
    return vault.open(row.sealed_outcome, owner=f"{owner_of(row.integration, row.id)}/outcome")


def fresh(found: object) -> None:
    """Raise :class:`StaleToken` unless a statement under a claim's token has found its row."""
    if found is None:
        raise StaleToken("another process carries this action out")
