"""What the product asks of a durable engine.

The rule that makes any engine good enough: **domain rows are the truth, the engine is the lease.** A row says what
is due, how often it was tried and when to try again; a job only says "look at this row now". So a job may be lost
(the next tick enqueues it again) and may run twice (the row's fencing token refuses the second writer), and no job
ever sleeps until a retry.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import asyncpg
import asyncpg.pool

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy
"""A connection of our own, straight or from the pool."""


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to do soon.

    ``name`` chooses the handler. ``payload`` is a small JSON document that names rows and carries no data of
    theirs. Of jobs with the same ``dedupe_key`` at most one is queued or running; None never collides. A higher
    ``priority`` is taken first, then the job that was enqueued earlier.
    """

    name: str
    payload: bytes = b"{}"
    dedupe_key: str | None = None
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Handler:
    """What a worker does for jobs of one name.

    ``run`` gets the payload. It must be harmless to repeat, must not block the event loop, and must put retry
    times into its row: a job that ends, by return or by exception, is gone. When its job is cancelled or its
    worker stops or loses its lease, ``run`` is cancelled (``asyncio.CancelledError``). ``limit`` caps how many run
    at once over all workers, 0 means no cap; every worker must state the same.
    """

    run: Callable[[bytes], Awaitable[None]]
    limit: int = 0


@dataclass(frozen=True, slots=True)
class QueueStats:
    """The backlog of one job name. ``oldest_queued_seconds`` is None when nothing is queued."""

    name: str
    queued: int
    running: int
    oldest_queued_seconds: float | None


class Engine(Protocol):
    """A durable queue with leases, in the product's own database."""

    async def install(self) -> None:
        """Create or upgrade the engine's tables; safe from any number of processes at once."""
        ...

    async def enqueue(self, jobs: Sequence[Job]) -> int:
        """Add jobs in one statement, all or nothing, and return how many are new.

        Jobs whose ``dedupe_key`` is queued or running already are left out, without an error.
        """
        ...

    async def enqueue_within(self, connection: Connection, jobs: Sequence[Job]) -> int:
        """Add jobs in the caller's transaction: they exist if and when it commits. Otherwise as ``enqueue``."""
        ...

    async def cancel(self, dedupe_keys: Sequence[str]) -> int:
        """Remove queued jobs and cancel running ones, and return how many were found.

        Returns before a running handler has ended; whether it may still write is the fencing token's business.
        """
        ...

    async def run_worker(self, handlers: Mapping[str, Handler], stop: asyncio.Event) -> None:
        """Take and run jobs until ``stop`` is set and the running ones have ended or used up their grace.

        Survives the loss of its connections and of the database, and starts again by itself.
        """
        ...

    async def stats(self) -> list[QueueStats]:
        """Return the backlog per job name, ordered by name; names without jobs are missing."""
        ...
