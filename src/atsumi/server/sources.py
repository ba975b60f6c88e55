"""Where applicants come from: the sources that applications show, and the one that created applications get."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Sequence

import asyncpg

from atsumi.connector.contract import Connector
from atsumi.errors import InvalidInput, UnsupportedByTool
from atsumi.model.actions import Action
from atsumi.store import sources
from atsumi.store.sources import SourceUse

_SECONDS = 60.0
"""Sources are set up by people, now and then, and finding them reads every application of the integration."""


class KnownSources:
    """The sources of every integration that was asked for, held in this process.

    Safe to use concurrently: they are read once for all who ask.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._read: dict[int, tuple[float, Sequence[SourceUse]]] = {}
        self._locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def of(self, integration: int, *, seconds: float = _SECONDS) -> Sequence[SourceUse]:
        """An integration's sources, the most used first, as they were at most ``seconds`` ago."""
        clock = asyncio.get_running_loop().time
        async with self._locks[integration]:
            read_at, found = self._read.get(integration, (None, ()))
            if read_at is None or clock() - read_at >= seconds:
                read_at, found = clock(), await sources.known_sources(self._pool, integration)
                self._read[integration] = read_at, found
        return found


def check_source(connector: Connector, source: str) -> None:
    """Whether a source's id may be one; whether the tool has it, only the tool knows.

    Raises :class:`UnsupportedByTool` where created applications carry no source, and :class:`InvalidInput`.
    """
    manifest, action = connector.manifest, connector.actions.get(Action.CREATE_APPLICATION)
    if action is None or "source" not in action.inputs:
        raise UnsupportedByTool(f"{manifest.label} takes no source with an application.")
    if action.source_form is not None and re.fullmatch(action.source_form, source) is None:
        raise InvalidInput(
            f"{source} cannot be the id of a source: {manifest.label}'s match {action.source_form}.", path="source"
        )
