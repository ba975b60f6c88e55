"""The sources that applications show, held in this process: finding them reads every application."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence

import asyncpg

from atsumi.store import sources
from atsumi.store.sources import SourceUse

_SECONDS = 300.0
"""Sources are set up by people, now and then; what a reader misses for that long is at worst a warning too many."""


class KnownSources:
    """The sources of every integration that was asked for. Safe to use concurrently: they are read once for all."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._read: dict[int, tuple[float, Sequence[SourceUse]]] = {}
        self._locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def of(self, integration: int, *, seconds: float = _SECONDS) -> Sequence[SourceUse]:
        """An integration's sources, the most used first, as they were at most ``seconds`` ago.

        Whoever misses one may ask for a newer answer.
        """
        clock = asyncio.get_running_loop().time
        async with self._locks[integration]:
            read_at, found = self._read.get(integration, (None, ()))
            if read_at is None or clock() - read_at >= seconds:
                read_at, found = clock(), await sources.known_sources(self._pool, integration)
                self._read[integration] = read_at, found
        return found
