"""Who carries an action out: one at a time, thirty at most, and nobody who was taken for dead."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from action_kit import begun, company_with_open_job
from atsumi.actions.requests import MAX_IN_FLIGHT, Deferred, Receipt
from atsumi.errors import InProgress, RemoteUnavailable, StaleToken, TooManyActions
from atsumi.store import action_contents as contents
from atsumi.store import actions as ledger
from atsumi.store.actions import ActionClaim
from harness import Product
from writing_kit import CREATE, Loss, Writer, person, with_files

PARTS = [b"%PDF-1.7 one", b"two", b"three"]


async def overtaken(writer: Writer, claim: ActionClaim) -> ActionClaim:
    await writer.lapse()
    taken = await ledger.claim(writer.account.pool, claim.id)
    assert taken is not None
    return taken


async def test_nobody_writes_who_was_overtaken(writer: Writer) -> None:
    pool, vault = writer.account.pool, writer.account.runtime.vault
    old = await begun(writer.account)
    new = await overtaken(writer, old)
    for part, content in enumerate(PARTS):
        await contents.write_file_part(pool, vault, new, 0, part, content)
    await contents.note_step(pool, vault, new, "upload 0", b"there", is_done=True)
    attempts = [
        contents.write_file_part(pool, vault, old, 0, 0, b"other"),
        contents.cut_file(pool, old, 0, 1),
        contents.note_step(pool, vault, old, "upload 0", b"elsewhere", is_done=True),
        contents.drop_step(pool, old, "upload 0"),
        contents.set_draft(pool, vault, old, b"{}", b"{}"),
        contents.draft_of(pool, vault, old),
        ledger.heartbeat(pool, old),
        ledger.release(pool, vault, old, "PENDING", b"{}", pause=None),
        ledger.end(pool, vault, old, "FAILED", b"{}"),  # type: ignore[arg-type]  # one statement is a transaction
    ]
    for attempt in attempts:
        with pytest.raises(StaleToken):
            await attempt
    await ledger.abandon(pool, old)
    assert [part async for part in contents.read_file(pool, vault, new, 0)] == PARTS
    assert (await contents.steps(pool, vault, new))["upload 0"].result == b"there"
    await contents.draft_of(pool, vault, new)


async def test_of_many_who_claim_one_action_one_gets_it(writer: Writer) -> None:
    claim = await begun(writer.account)
    await writer.lapse()
    taken = await asyncio.gather(*(ledger.claim(writer.account.pool, claim.id, max_running=30) for _ in range(20)))
    assert sum(one is not None for one in taken) == 1


async def test_no_more_are_claimed_at_once_than_there_is_room(writer: Writer) -> None:
    pool = writer.account.pool
    ids = [(await writer.write(person(writer.account, f"P{n}", is_deferred=True))).receipt.id for n in range(24)]
    taken = await asyncio.gather(*(ledger.claim(pool, id, max_running=5, is_due=True) for id in ids))
    assert sum(one is not None for one in taken) == 5
    assert await ledger.in_flight(pool, writer.account.number) == 5


async def test_who_asks_again_for_what_waits_needs_room_too(writer: Writer) -> None:
    request = person(writer.account, key="k")
    writer.network.lose(CREATE, Loss.REFUSED)
    assert isinstance(await writer.told(request), RemoteUnavailable)
    claims = [await begun(writer.account) for _ in range(MAX_IN_FLIGHT)]
    assert isinstance(await writer.told(request), TooManyActions)
    await ledger.end(writer.account.pool, writer.account.runtime.vault, claims[0], "FAILED", b"{}")  # type: ignore[arg-type]  # as above
    assert (await writer.done(request)).application is not None


async def test_deferred_ones_wait_for_room(writer: Writer) -> None:
    claims = [await begun(writer.account) for _ in range(MAX_IN_FLIGHT)]
    promised = await writer.write(person(writer.account, is_deferred=True))
    assert isinstance(promised, Deferred)
    await writer.engine()
    assert not writer.sent()
    await ledger.end(writer.account.pool, writer.account.runtime.vault, claims[0], "FAILED", b"{}")  # type: ignore[arg-type]  # as above
    await writer.engine()
    assert writer.sent() == [201]


async def test_one_integration_without_room_does_not_keep_others_waiting(writer: Writer, product: Product) -> None:
    other = await Writer.of(await product.synced(company_with_open_job(applications=5)))
    for _ in range(MAX_IN_FLIGHT):
        await begun(writer.account)
    for n in range(3):
        await writer.write(person(writer.account, f"P{n}", is_deferred=True))
    await other.write(person(other.account, is_deferred=True))
    due = {number for _, number in await ledger.due(other.account.pool, 1000, max_running=MAX_IN_FLIGHT)}
    assert other.account.number in due
    assert writer.account.number not in due


async def test_a_request_whose_content_took_too_long_is_sent_again(writer: Writer) -> None:
    request = with_files(person(writer.account, key="k"), {"cv.pdf": PARTS[0]})

    async def slow() -> AsyncIterator[bytes]:
        await writer.lapse()
        await ledger.abandon_incomplete(writer.account.pool)
        yield PARTS[0]

    told = await writer.told(replace(request, contents={0: slow}))
    assert isinstance(told, InProgress)
    assert isinstance(await writer.told(replace(request, wait_seconds=30)), Receipt)
    assert writer.sent() == [201]


async def test_a_caller_who_leaves_while_its_content_arrives_leaves_nothing(writer: Writer) -> None:
    request = with_files(person(writer.account, key="k"), {"cv.pdf": PARTS[0]})
    arrived = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield PARTS[0]
        arrived.set()
        await asyncio.Event().wait()

    asking = asyncio.create_task(writer.told(replace(request, contents={0: endless})))
    await arrived.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert not await writer.rows()
    await writer.done(request)
    assert writer.sent() == [201]


async def test_a_caller_who_leaves_does_not_stop_what_is_under_way(writer: Writer) -> None:
    request = person(writer.account, key="k")
    sending, may_go_on = asyncio.Event(), asyncio.Event()

    async def hold(asked: object) -> None:
        sending.set()
        await may_go_on.wait()

    writer.network.before = hold
    asking = asyncio.create_task(writer.told(replace(request, wait_seconds=60)))
    await sending.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    may_go_on.set()
    await writer.done(request)
    assert writer.sent() == [201]
    await writer.assert_clean()


async def test_a_caller_who_does_not_want_to_wait_is_told_at_once(writer: Writer) -> None:
    request = person(writer.account, key="k")
    may_go_on = asyncio.Event()

    async def hold(asked: object) -> None:
        await may_go_on.wait()

    writer.network.before = hold
    with pytest.raises(InProgress):
        await asyncio.wait_for((await writer.desk()).write(replace(request, wait_seconds=0)), 20)
    may_go_on.set()
    await writer.done(request)
    assert writer.sent() == [201]


async def test_what_waits_for_callers_who_are_gone_gives_way_to_new_requests(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "MAX_OPEN", 3)
    writer.network.cut.add(CREATE)
    gone = [person(writer.account, f"P{n}", key=f"k{n}") for n in range(3)]
    for request in gone:
        assert isinstance(await writer.told(request), RemoteUnavailable)
    writer.network.heal()
    await writer.done(person(writer.account))
    assert [row.state for row in await writer.rows()] == ["SUCCEEDED", "PENDING", "PENDING"]
    # The one that gave way is done when its caller asks again all the same.
    await writer.done(gone[0])
    assert len(writer.created(gone[0])) == 1


async def test_what_was_promised_gives_way_to_nothing(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "MAX_OPEN", 3)
    for n in range(3):
        assert isinstance(await writer.write(person(writer.account, f"P{n}", is_deferred=True)), Deferred)
    assert isinstance(await writer.told(person(writer.account)), TooManyActions)
    await writer.settle()
    assert len(writer.sent()) == 3


async def test_integrations_take_turns(writer: Writer, product: Product) -> None:
    other = await Writer.of(await product.synced(company_with_open_job(applications=5)))
    for n in range(5):
        await writer.write(person(writer.account, f"P{n}", is_deferred=True))
    await other.write(person(other.account, is_deferred=True))
    due = [number for _, number in await ledger.due(writer.account.pool, 1000)]
    assert due.count(writer.account.number) == 5
    mine = [place for place, number in enumerate(due) if number == writer.account.number]
    assert due.index(other.account.number) < mine[1]
