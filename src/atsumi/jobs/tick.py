"""The ticker: once a second it asks what is due and enqueues it.

It is what makes the engine replaceable and its losses harmless: a job that was lost is enqueued again because its
row is still due, and one that is queued or running already is left out by its dedupe key. Any number of processes
may tick at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from atsumi.jobs.port import Engine, Job
from atsumi.store.database import UNREACHABLE

_log = logging.getLogger(__name__)

Due = Callable[[], Awaitable[Sequence[Job]]]
"""Returns the jobs that are due now, most urgent first, each with a dedupe key."""


class Ticker:
    """Enqueues what ``sources`` say is due. A source's name only serves the log.

    Sources should keep the queue short: return at most some jobs per tenant, so that priorities keep their
    meaning and one tenant's backlog does not delay another.
    """

    def __init__(self, engine: Engine, sources: Mapping[str, Due], *, interval_seconds: float = 1.0) -> None:
        self._engine = engine
        self._sources = dict(sources)
        self._interval_seconds = interval_seconds

    async def tick(self) -> int:
        """Ask every source once and return how many jobs are new. One source's failure does not stop the others.

        Raises ``ValueError`` for a job without a dedupe key: it would be enqueued again at every tick.
        """
        added = 0
        for name, due in self._sources.items():
            try:
                jobs = await due()
            except Exception:
                # Whatever is wrong with one source, the others' work must still be found.
                _log.exception("what is due in %s could not be read", name)
                continue
            if any(job.dedupe_key is None for job in jobs):
                raise ValueError(f"{name}: a job of a tick needs a dedupe key")
            try:
                added += await self._engine.enqueue(jobs)
            except UNREACHABLE as error:
                # Two tickers with the same keys in another order may deadlock; the next tick does what this did not.
                _log.warning("what is due in %s could not be enqueued: %s", name, type(error).__name__)
        return added

    async def run(self, stop: asyncio.Event) -> None:
        """Tick until ``stop`` is set."""
        while not stop.is_set():
            await self.tick()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._interval_seconds)
