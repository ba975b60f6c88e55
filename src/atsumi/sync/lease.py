"""Working on a claimed run: known to be alive while it is worked on, given back when the work is cut short."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable

import asyncpg

from atsumi.connector.context import Log
from atsumi.errors import StaleToken
from atsumi.store import runs
from atsumi.store.database import UNREACHABLE
from atsumi.store.runs import Claim

HEARTBEAT_SECONDS = 5.0


async def under_claim(pool: asyncpg.Pool, claim: Claim, log: Log, work: Awaitable[str]) -> str:
    """Await ``work`` on a claimed run, with a heartbeat beside it, and return the state it ends in.

    ``LOST`` when the work meets a :class:`StaleToken`: another worker has taken over, or the run was cancelled. When
    the task is cancelled, the run is given back, so that the next worker need not wait for the lease to run out; a
    database that is away at that moment changes nothing, the lease then runs out. What else the work raises passes.
    """
    beat = asyncio.create_task(_heartbeat(pool, claim))
    try:
        return await work
    except StaleToken:
        log.warning("run.lost", run=str(claim.run.id), kind=claim.run.kind)
        return "LOST"
    except asyncio.CancelledError:
        with contextlib.suppress(*UNREACHABLE):
            await asyncio.shield(runs.release_run(pool, claim))
        raise
    finally:
        beat.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beat


async def _heartbeat(pool: asyncpg.Pool, claim: Claim) -> None:
    """Keep the lease while the tool or a transaction is slow. The fencing token, not this, keeps late writers out."""
    while True:
        await asyncio.sleep(HEARTBEAT_SECONDS)
        with contextlib.suppress(*UNREACHABLE, StaleToken):
            await runs.heartbeat(pool, claim)
