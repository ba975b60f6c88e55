"""Which ids of a lookup stream have to be fetched, and fetching them in batches."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import NamedTuple

import asyncpg
import msgspec

from atsumi.connector.context import Context
from atsumi.connector.contract import LookupStream, Page, RawRecord, versions
from atsumi.store import records
from atsumi.store.records import Connection
from atsumi.sync.codec import content_hash

_SCAN = 500
"""Raw records of driver streams read at a time."""

Key = tuple[str, str]
"""Where in the drivers' key order a read stands: (stream, remote id) of the last driver record that is done with."""
START: Key = ("", "")


class Scan(NamedTuple):
    """Which driver records to follow: those written after ``batch``, in key order, from behind ``after``.

    ``is_all`` wants every id they name, else those that are held and current are left out. ``is_all_unversioned``
    wants every id without a version.
    """

    batch: int
    after: Key = START
    is_all: bool = False
    is_all_unversioned: bool = False


class Wanted(NamedTuple):
    """An id to fetch, under which version, and up to where all drivers are done with once it is fetched."""

    id: str
    version: str | None
    done: Key


async def find_wanted(
    pool: asyncpg.Pool, context: Context, integration: int, stream: LookupStream, scan: Scan
) -> AsyncGenerator[list[Wanted]]:
    """The ids to fetch, each once, in the order of the drivers that name them; a list per piece of the scan."""
    asked: set[str] = set()
    at = scan.after
    while True:
        named: dict[str, Wanted] = {}
        async with pool.acquire() as connection:
            rows = await records.raw_changed(connection, integration, stream.drivers, scan.batch, at, _SCAN)
            for raw in (RawRecord(*row) for row in rows):
                ids = [id for id in dict.fromkeys(stream.wanted(raw, context)) if id not in asked]
                version = stream.version(raw, context) if ids else None
                asked.update(ids)
                named.update({id: Wanted(id, version, at) for id in ids})
                at = (raw.stream, raw.remote_id)
                if ids:
                    # Only the last of a driver's ids completes it.
                    named[ids[-1]] = Wanted(ids[-1], version, at)
            current = await _current(connection, integration, stream, scan, named)
        yield [one for id, one in named.items() if id not in current]
        if len(rows) < _SCAN:
            return


async def _current(
    connection: Connection, integration: int, stream: LookupStream, scan: Scan, named: Mapping[str, Wanted]
) -> set[str]:
    """The ids that need not be fetched: unversioned ones that are stored, others whose version is unchanged."""
    if scan.is_all or not named:
        return set()
    versioned = {id: content_hash(_encoded(one.version)) for id, one in named.items() if one.version is not None}
    held = await records.raw_hashes(connection, integration, versions(stream.name), list(versioned))
    found = {id for id, digest in versioned.items() if held.get(id) == digest}
    if not scan.is_all_unversioned:
        rest = [id for id in named if id not in versioned]
        found.update(await records.raw_hashes(connection, integration, stream.name, rest) if rest else ())
    return found


async def fetch_wanted(
    pool: asyncpg.Pool, context: Context, integration: int, stream: LookupStream, scan: Scan
) -> AsyncGenerator[tuple[Page, Key]]:
    """Fetch what :func:`find_wanted` finds, in batches: each page and where the read stands once it is stored."""
    waiting: list[Wanted] = []
    async with aclosing(find_wanted(pool, context, integration, stream, scan)) as pieces:
        async for piece in pieces:
            waiting += piece
            while len(waiting) >= stream.batch_size:
                batch, waiting = waiting[: stream.batch_size], waiting[stream.batch_size :]
                yield await fetch_batch(context, stream, batch)
    if waiting:
        yield await fetch_batch(context, stream, waiting)


async def fetch_batch(context: Context, stream: LookupStream, batch: Sequence[Wanted]) -> tuple[Page, Key]:
    """One call of ``fetch``, together with the versions that the ids were fetched under."""
    page = await stream.fetch(context, [one.id for one in batch])
    fetched = [
        RawRecord(versions(stream.name), one.id, _encoded(one.version)) for one in batch if one.version is not None
    ]
    return replace(page, records=[*page.records, *fetched]), batch[-1].done


def _encoded(version: str | None) -> bytes:
    return msgspec.json.encode(version)
