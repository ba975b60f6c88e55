"""Many callers who want the same: each of them hears what the others hear."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from action_kit import open_job
from atsumi.actions.requests import ActionState, Deferred, Receipt, Written
from atsumi.errors import (
    AlreadyExists,
    AuthenticationFailed,
    InProgress,
    JobClosed,
    RemoteRejected,
    RemoteUnavailable,
    ToolError,
)
from writing_kit import CREATE, LIST, UPLOAD, Loss, Writer, person, with_files

PDF = b"%PDF-1.7 nobody's life"


@pytest.mark.parametrize("refusal", [AlreadyExists, JobClosed, AuthenticationFailed, RemoteRejected])
async def test_a_definite_refusal_is_told_to_everybody(writer: Writer, refusal: type[ToolError]) -> None:
    account, request = writer.account, person(writer.account, key="k")
    if refusal is AlreadyExists:
        await writer.done(person(account, key="before"))
    elif refusal is JobClosed:
        account.simulator.unpublish_job(int(open_job(account)))
    elif refusal is AuthenticationFailed:
        account.simulator.inject("status", path=CREATE, method="POST", status=401, count=None)
    else:
        request = person(account, key="k", remote_fields={"phase": {"type": "system", "id": "nowhere"}})
    told = await asyncio.gather(*(writer.told(request) for _ in range(5)))
    assert {type(one) for one in told} == {refusal}
    assert len({str(one) for one in told}) == 1
    await writer.engine()
    again = await writer.told(request)
    assert type(again) is refusal
    assert str(again) == str(told[0])
    assert len(writer.created(request)) == (refusal is AlreadyExists)


async def test_all_who_ask_again_after_a_failure_in_passing_hear_of_its_outcome(writer: Writer) -> None:
    request = person(writer.account, key="k")
    writer.network.lose(CREATE, Loss.REFUSED)
    assert isinstance(await writer.told(request), RemoteUnavailable)
    told = await asyncio.gather(*(writer.told(replace(request, wait_seconds=30)) for _ in range(10)))
    assert {type(one) for one in told} == {Receipt}, told
    assert writer.sent() == [201]


async def test_a_receipt_is_a_promise_also_for_what_waits_for_its_caller(writer: Writer) -> None:
    request = person(writer.account, key="k")
    writer.network.lose(CREATE, Loss.REFUSED)
    assert isinstance(await writer.told(request), RemoteUnavailable)
    promised = await writer.write(replace(request, is_deferred=True))
    assert isinstance(promised, Deferred)
    await writer.settle()
    assert (await writer.receipt(promised.receipt.id)).state is ActionState.SUCCEEDED
    assert writer.sent() == [201]
    await writer.assert_clean()


async def test_a_receipt_is_a_promise_also_for_what_is_under_way(writer: Writer) -> None:
    request = person(writer.account, key="k")
    writer.network.lose(CREATE, Loss.REFUSED)
    promises: list[Written | Deferred] = []

    async def ask_for_a_receipt(asked: Any) -> None:
        if asked.url.path == CREATE and not promises:
            promises.append(await writer.write(replace(request, is_deferred=True)))

    writer.network.before = ask_for_a_receipt
    assert isinstance(await writer.told(request), InProgress)
    [promised] = promises
    assert isinstance(promised, Deferred)
    await writer.settle()
    assert (await writer.receipt(promised.receipt.id)).state is ActionState.SUCCEEDED
    assert writer.sent() == [201]


async def test_a_deferred_write_survives_everything_that_passes(writer: Writer) -> None:
    request = with_files(replace(person(writer.account, key="k"), is_deferred=True), {"cv.pdf": PDF})
    writer.network.lose(LIST + "/applications", Loss.REFUSED, Loss.FAILED, Loss.NONSENSE)
    writer.network.lose(UPLOAD, *Loss)
    writer.network.lose(CREATE, *Loss)
    promised = await writer.write(request)
    assert isinstance(promised, Deferred)
    for _ in range(40):
        await writer.account.pool.execute("DELETE FROM rate_window")
        if not await writer.engine():
            break
    assert (await writer.receipt(promised.receipt.id)).state is ActionState.SUCCEEDED
    [application] = writer.created(request)
    assert [one.content for one in writer.account.simulator.company.own_documents(application)] == [PDF]
    await writer.assert_clean()


async def test_ten_keys_for_one_person_and_job_are_one_application(writer: Writer) -> None:
    requests = [person(writer.account, key=f"k{n}") for n in range(10)]
    told = await asyncio.gather(*(writer.told(replace(one, wait_seconds=60)) for one in requests))
    kinds = sorted(type(one).__name__ for one in told)
    assert kinds == ["AlreadyExists"] * 9 + ["Receipt"], told
    assert len(writer.created(requests[0])) == 1
    again = [await writer.told(one) for one in requests]
    assert [type(one) for one in again] == [type(one) for one in told]
    assert [str(one) for one in again] == [str(one) for one in told]
    await writer.assert_clean()
