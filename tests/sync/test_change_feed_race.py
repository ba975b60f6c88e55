"""Proof: whatever commits at the same time, nobody who follows the change log or a list misses anything.

Eight writers, several of them on the same integration, wait a random moment before each commit. Four readers follow
at the same time: two by cursor, one by ``updated_after`` with the start of its last fetch, one by ``updated_after``
with the greatest ``changed_at`` that it has seen.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from atsumi.model.catalog import CODES
from atsumi.model.names import Model
from atsumi.store import database, records, tenants
from atsumi.store.feed import read_changes
from atsumi.store.fragments import FragmentRow, insert_fragments, update_fragments
from atsumi.store.reading import ListQuery, Position, list_page
from atsumi.store.records import ChangeKind, ChangeRow, Owner, RecordRow
from atsumi.store.vault import Vault
from harness import Product

MODEL = Model.TAG
DIALECT = 1
LINES = 200_000
PER_COMMIT = 200
POOL = 14
WRITERS = {0: 4, 1: 2, 2: 1, 3: 1}
"""How many of the eight writers contend for the clock of each integration."""


@pytest.fixture
async def pool(product_database: str, product: Product) -> AsyncIterator[asyncpg.Pool]:
    pool = await database.connect(product_database, size=POOL)
    yield pool
    await database.close(pool)


@dataclass
class Log:
    """What the writers of one integration have done so far, and whether more will come."""

    integration: int
    ids: list[UUID] = field(default_factory=list)
    is_done: bool = False


async def new_integration(product: Product) -> int:
    environment, _ = await product.environment()
    row = await tenants.create_integration(
        product.runtime.pool,
        Vault([b"k" * 32]),
        environment_id=environment.id,
        tool="personio",
        organization_name="Race",
        credentials={},
        config={},
    )
    return row.number


async def write(pool: asyncpg.Pool, log: Log, commits: int, dice: random.Random) -> None:
    """Commit batches of new and changed records, each after a random pause in which others want to commit too."""
    owner = Owner(log.integration, 0)
    code = CODES[MODEL]
    for _ in range(commits):
        async with pool.acquire() as connection, connection.transaction():
            tick = await records.take_clock(connection, owner)
            again = dice.sample(log.ids, min(len(log.ids), PER_COMMIT // 4))
            fresh = [uuid4() for _ in range(PER_COMMIT - len(again))]
            order = again + fresh
            dice.shuffle(order)
            seqs = {id: tick.seq + place for place, id in enumerate(order, 1)}
            body = tick.at.isoformat().encode()
            await records.insert_records(
                connection,
                owner,
                [RecordRow(code, i, None, str(i), b"", b"{}", seqs[i], tick.at, None, None, (), None) for i in fresh],
            )
            documents = {id: FragmentRow(code, id, seqs[id], tick.at, False, body) for id in order}
            await insert_fragments(connection, owner, DIALECT, [documents[id] for id in fresh])
            await update_fragments(connection, owner, DIALECT, [documents[id] for id in again])
            is_new = set(fresh)
            await records.append_changes(
                connection,
                owner,
                tick,
                [
                    ChangeRow(seqs[id], code, id, int(ChangeKind.CREATED if id in is_new else ChangeKind.UPDATED))
                    for id in order
                ],
            )
            await asyncio.sleep(dice.choice((0, 0, 0.001, 0.004, 0.015)))
        log.ids += fresh
        if dice.random() < 0.7:  # A worker that was killed after its commit notes nothing.
            await records.note_visible(pool, log.integration)


async def follow_cursor(pool: asyncpg.Pool, log: Log, dice: random.Random) -> int:
    """Follow the log; every number must come exactly once, in order. Returns how many came."""
    position = 0
    while True:
        is_last = log.is_done
        page = await read_changes(pool, log.integration, position, dice.choice((1, 50, 1000)))
        assert [line.seq for line in page.changes] == list(range(position + 1, position + 1 + len(page.changes)))
        position = page.position
        if is_last and not page.has_more:
            return position
        await asyncio.sleep(dice.choice((0, 0, 0.005)))


async def walk(
    pool: asyncpg.Pool, log: Log, updated_after: datetime | None, seen: dict[UUID, int], dice: random.Random
) -> datetime | None:
    """Read a list to its end as a consumer does; returns the greatest ``changed_at`` that it held."""
    after: Position | None = None
    greatest = None
    while True:
        query = ListQuery(MODEL, dice.choice((50, 250)), after=after, updated_after=updated_after)
        fragments, after = await list_page(pool, log.integration, DIALECT, query)
        for one in fragments:
            assert one.touched_seq >= seen.get(one.id, 0), "a list went back in time"
            seen[one.id] = one.touched_seq
            changed_at = datetime.fromisoformat(one.body.decode())
            greatest = max(greatest or changed_at, changed_at)
        if after is None:
            return greatest


async def follow_list(pool: asyncpg.Pool, log: Log, recipe: str, dice: random.Random) -> dict[UUID, int]:
    """Poll a list by ``updated_after``; returns the last number seen of each record."""
    seen: dict[UUID, int] = {}
    updated_after: datetime | None = None
    while True:
        is_last = log.is_done
        started = datetime.now(UTC)
        greatest = await walk(pool, log, updated_after, seen, dice)
        updated_after = started if recipe == "fetch start" else greatest or updated_after
        if is_last:
            return seen
        await asyncio.sleep(dice.choice((0.001, 0.02)))


async def test_no_reader_misses_a_change_and_none_sees_one_out_of_order(product: Product, pool: asyncpg.Pool) -> None:
    dice = random.Random(8)  # noqa: S311 -- chooses pauses
    logs = [Log(await new_integration(product)) for _ in WRITERS]
    commits = LINES // PER_COMMIT // sum(WRITERS.values())

    async def write_all(place: int) -> None:
        await asyncio.gather(
            *(write(pool, logs[place], commits, random.Random(dice.random())) for _ in range(WRITERS[place]))  # noqa: S311 -- as above
        )
        logs[place].is_done = True

    *_, first, second, by_start, by_greatest = await asyncio.gather(
        *(write_all(place) for place in WRITERS),
        follow_cursor(pool, logs[0], dice),
        follow_cursor(pool, logs[1], dice),
        follow_list(pool, logs[0], "fetch start", dice),
        follow_list(pool, logs[0], "greatest changed_at", dice),
    )

    totals = {
        row["integration"]: row["lines"]
        for row in await pool.fetch(
            "SELECT integration, count(*) AS lines FROM change WHERE integration = ANY($1) GROUP BY 1",
            [log.integration for log in logs],
        )
    }
    assert sum(totals.values()) >= LINES
    assert (first, second) == (totals[logs[0].integration], totals[logs[1].integration])
    for log in logs:  # The integrations that nobody followed while they were written.
        assert await follow_cursor(pool, log, dice) == totals[log.integration]
    rows = await pool.fetch(
        "SELECT id, touched_seq FROM fragment WHERE integration = $1 AND dialect = $2", logs[0].integration, DIALECT
    )
    final = {row["id"]: row["touched_seq"] for row in rows}
    assert by_start == final
    assert by_greatest == final


async def test_a_clock_that_was_set_back_hides_no_change(product: Product, pool: asyncpg.Pool) -> None:
    """Batches after it carry instants ahead of the time of day, and a reader continues from one of those."""
    log = Log(await new_integration(product))
    dice = random.Random(1)  # noqa: S311 -- as above
    await pool.execute(
        "UPDATE clock SET stamped_at = $2 WHERE integration = $1",
        log.integration,
        datetime.now(UTC) + timedelta(minutes=5),
    )
    seen: dict[UUID, int] = {}
    await write(pool, log, 1, dice)
    greatest = await walk(pool, log, None, seen, dice)
    await write(pool, log, 1, dice)
    await records.note_visible(pool, log.integration)
    await walk(pool, log, greatest, seen, dice)
    assert set(seen) == set(log.ids)


async def test_a_reader_who_is_up_to_date_is_shown_nothing_again(product: Product, pool: asyncpg.Pool) -> None:
    log = Log(await new_integration(product))
    dice = random.Random(2)  # noqa: S311 -- as above
    for _ in range(5):
        await write(pool, log, 3, dice)
    await records.note_visible(pool, log.integration)
    seen: dict[UUID, int] = {}
    await walk(pool, log, datetime.now(UTC), seen, dice)
    assert not seen
