"""Whatever is lost between us and the tool, and wherever: one application, and one truth for everybody."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from action_kit import open_job
from atsumi.actions.requests import ActionState, Receipt
from atsumi.errors import (
    JobClosed,
    OutcomeUnknown,
    RateLimited,
    RemoteUnavailable,
    UnexpectedResponse,
)
from atsumi.model.draft import Ref
from atsumi.model.ids import record_id, to_base58
from atsumi.model.names import Model
from bindbee_reader import bindbee_of
from writing_kit import CREATE, DONE, LIST, UNSAID, UPLOAD, Loss, Writer, person, with_files

PDF = b"%PDF-1.7 nobody's life"
NOT_DONE = [loss for loss in UNSAID if loss not in DONE]


async def assert_on_both_surfaces(writer: Writer, receipt: Receipt, request: Any) -> None:
    """The record is there under the ids of the receipt, also while these are stand-ins."""
    account = writer.account
    [application] = writer.created(request)
    ids = {
        Model.APPLICATION: (receipt.application, str(application.id)),
        Model.CANDIDATE: (receipt.candidate, str(application.candidate_id)),
    }
    bindbee = await bindbee_of(account)
    for model, (id, remote_id) in ids.items():
        assert id is not None
        [row] = await account.rows(f"{model.value}s", ids=to_base58(id))
        assert row["remote_id"] == remote_id
        read = await bindbee.read(f"{model.value}s/{id}")
        assert read["remote_id"] == remote_id


@pytest.mark.parametrize("loss", DONE)
async def test_an_answer_that_is_lost_is_made_up_for(writer: Writer, loss: Loss) -> None:
    request = person(writer.account, key="k")
    writer.network.lose(CREATE, loss)
    receipt = await writer.done(request)
    assert receipt.state is ActionState.SUCCEEDED
    assert not receipt.is_provisional
    assert writer.sent() == [201]
    await assert_on_both_surfaces(writer, receipt, request)
    assert await writer.done(request) == receipt
    await writer.assert_clean()


@pytest.mark.parametrize("loss", NOT_DONE)
async def test_a_request_that_got_lost_is_sent_again_once_the_tool_would_show_it(writer: Writer, loss: Loss) -> None:
    request = person(writer.account, key="k")
    writer.network.lose(CREATE, loss)
    assert isinstance(await writer.told(request), OutcomeUnknown)
    [row] = await writer.rows()
    assert row.state == ActionState.UNKNOWN
    writer.visible_after_seconds = 60
    await writer.engine()
    assert not writer.created(request)
    writer.visible_after_seconds = 0
    await writer.settle()
    receipt = await writer.done(request)
    assert len(writer.created(request)) == 1
    await assert_on_both_surfaces(writer, receipt, request)
    await writer.assert_clean()


async def test_a_request_that_never_left_is_told_so_and_goes_on_when_asked_again(writer: Writer) -> None:
    request = person(writer.account, key="k")
    writer.network.lose(CREATE, Loss.REFUSED)
    assert isinstance(await writer.told(request), RemoteUnavailable)
    [row] = await writer.rows()
    assert (row.state, row.next_at) == (ActionState.PENDING, None)
    assert await writer.engine() == 0
    receipt = await writer.done(request)
    assert receipt.id == row.id
    assert writer.sent() == [201]
    await writer.assert_clean()


@pytest.mark.parametrize("loss", UNSAID)
async def test_nobody_is_told_anything_definite_while_the_tool_cannot_be_asked(writer: Writer, loss: Loss) -> None:
    request = person(writer.account, key="k")
    await writer.done(person(writer.account, "Grace"))  # so that a token is there
    writer.network.lose(CREATE, loss)

    async def cut(asked: Any) -> None:
        if asked.url.path == CREATE:
            writer.network.cut.add(LIST)

    writer.network.before = cut
    assert isinstance(await writer.told(request), OutcomeUnknown)
    assert isinstance(await writer.told(request), OutcomeUnknown)
    await writer.engine()
    assert isinstance(await writer.told(request), OutcomeUnknown)
    assert len(writer.sent()) == 1 + (loss in DONE)
    writer.network.before = None
    writer.network.heal()
    await writer.settle()
    await assert_on_both_surfaces(writer, await writer.done(request), request)
    assert len(writer.created(request)) == 1
    await writer.assert_clean()


@pytest.mark.parametrize("loss", DONE)
async def test_what_shows_late_after_a_lost_answer_is_found(writer: Writer, loss: Loss) -> None:
    """However often it is sent again meanwhile."""
    request = with_files(person(writer.account, key="k"), {"cv.pdf": PDF})
    writer.account.simulator.switch(v2_visible_after_seconds=600)
    writer.network.lose(CREATE, loss)
    for _ in range(4):
        assert isinstance(await writer.told(request), OutcomeUnknown)
        await writer.engine()
    assert writer.sent().count(201) == 1
    writer.account.simulator.clock.advance(600)
    await writer.settle()
    receipt = await writer.done(request)
    assert not receipt.is_provisional
    [application] = writer.created(request)
    [document] = writer.account.simulator.company.own_documents(application)
    assert document.content == PDF
    await assert_on_both_surfaces(writer, receipt, request)
    await writer.assert_clean()


async def test_what_the_tool_shows_late_has_ids_at_once_that_lead_to_it(writer: Writer) -> None:
    request = person(writer.account, key="k")
    writer.account.simulator.switch(v2_visible_after_seconds=600)
    receipt = await writer.done(request)
    assert receipt.is_provisional
    assert receipt.warnings
    assert receipt.application is not None
    for _ in range(3):
        assert await writer.done(request) == await writer.receipt(receipt.id)
        await writer.engine()
    assert not await writer.account.rows("applications", ids=to_base58(receipt.application))
    writer.account.simulator.clock.advance(600)
    await writer.settle()
    await assert_on_both_surfaces(writer, receipt, request)
    later = await writer.done(request)
    assert not later.is_provisional
    await assert_on_both_surfaces(writer, later, request)
    assert writer.sent() == [201]
    await writer.assert_clean()


async def test_stand_ins_stay_stand_ins_when_looking_is_interrupted(writer: Writer) -> None:
    request = person(writer.account, key="k")
    writer.account.simulator.switch(v2_visible_after_seconds=600)
    receipt = await writer.done(request)

    async def stop(asked: Any) -> None:
        raise asyncio.CancelledError

    writer.network.before = stop
    with pytest.raises(asyncio.CancelledError):
        await writer.engine()
    writer.network.before = None
    kept = await writer.receipt(receipt.id)
    assert replace(kept, next_at=None, attempts=0) == replace(receipt, next_at=None, attempts=0)
    writer.account.simulator.clock.advance(600)
    await writer.settle()
    await assert_on_both_surfaces(writer, receipt, request)
    await writer.assert_clean()


async def test_a_record_that_a_sync_finds_first_has_its_stand_ins_too(writer: Writer) -> None:
    request = person(writer.account, key="k")
    writer.account.simulator.switch(v2_visible_after_seconds=600)
    receipt = await writer.done(request)
    writer.account.simulator.clock.advance(600)
    assert (await writer.account.sync("full")).state == "SUCCEEDED"
    await writer.settle()
    await assert_on_both_surfaces(writer, receipt, request)
    await writer.assert_clean()


@pytest.mark.parametrize("loss", UNSAID)
async def test_no_refusal_is_told_while_an_earlier_request_may_have_been_accepted(writer: Writer, loss: Loss) -> None:
    """The tool's answer to the second one says nothing about the first."""
    account, request = writer.account, person(writer.account, key="k")
    account.simulator.switch(v2_visible_after_seconds=600)
    writer.network.lose(CREATE, loss)
    told = [await writer.told(request)]
    account.simulator.unpublish_job(int(open_job(account)))
    await writer.engine()
    told.append(await writer.told(request))
    account.simulator.inject("429", path=CREATE, method="POST", retry_after="1")
    await writer.engine()
    told.append(await writer.told(request))
    account.simulator.clock.advance(600)
    if loss in DONE:
        await writer.settle()
        assert (await writer.done(request)).state is ActionState.SUCCEEDED
    assert [type(one) for one in told] == [OutcomeUnknown] * 3
    assert len(writer.created(request)) == (loss in DONE)


async def test_what_was_lost_and_is_refused_ever_after_comes_to_an_end(writer: Writer) -> None:
    account, request = writer.account, person(writer.account, key="k")
    writer.network.lose(CREATE, Loss.ON_THE_WAY)
    assert isinstance(await writer.told(request), OutcomeUnknown)
    account.simulator.unpublish_job(int(open_job(account)))
    await writer.engine()
    writer.certain_after = timedelta(0)
    await writer.settle()
    for _ in range(2):
        assert isinstance(await writer.told(request), JobClosed)
    await writer.assert_clean()


async def test_a_used_up_budget_is_told_and_waited_for(writer: Writer) -> None:
    request = person(writer.account, key="k")
    writer.network.lose(CREATE, Loss.BUDGET)
    assert isinstance(await writer.told(request), RateLimited)
    assert not writer.created(request)
    await writer.account.pool.execute("DELETE FROM rate_window")
    await writer.done(request)
    assert writer.sent() == [201]
    await writer.assert_clean()


async def test_a_used_up_budget_in_between_is_nothing_that_is_told_of_an_unknown_outcome(writer: Writer) -> None:
    request = person(writer.account, key="k")
    writer.network.lose(CREATE, Loss.ON_THE_WAY, Loss.BUDGET)
    assert isinstance(await writer.told(request), OutcomeUnknown)
    await writer.engine()
    assert isinstance(await writer.told(request), OutcomeUnknown)
    await writer.account.pool.execute("DELETE FROM rate_window")
    await writer.settle()
    await writer.done(request)
    assert writer.sent() == [201]
    await writer.assert_clean()


@pytest.mark.parametrize("loss", Loss)
async def test_an_upload_that_gets_lost_costs_nothing(writer: Writer, loss: Loss) -> None:
    request = with_files(person(writer.account, key="k"), {"cv.pdf": PDF, "letter.pdf": PDF + b"2"})
    writer.network.lose(UPLOAD, None, loss)
    assert isinstance(await writer.told(request), RemoteUnavailable | UnexpectedResponse | RateLimited)
    assert not writer.sent()
    await writer.account.pool.execute("DELETE FROM rate_window")
    await writer.done(request)
    [application] = writer.created(request)
    documents = writer.account.simulator.company.own_documents(application)
    assert sorted(one.content for one in documents) == [PDF, PDF + b"2"]
    assert writer.sent() == [201]
    assert len(writer.sent(UPLOAD)) == 2 + (loss in DONE)
    await writer.assert_clean()


@pytest.mark.parametrize("loss", [Loss.REFUSED, *UNSAID])
async def test_uploads_that_the_tool_has_forgotten_are_done_again(writer: Writer, loss: Loss) -> None:
    request = with_files(person(writer.account, key="k"), {"cv.pdf": PDF})
    writer.network.lose(CREATE, loss)
    await writer.told(request)
    writer.account.simulator.company.uploads.clear()
    await writer.settle()
    await writer.done(request)
    [application] = writer.created(request)
    [document] = writer.account.simulator.company.own_documents(application)
    assert document.content == PDF
    assert writer.sent().count(201) == 1
    await writer.assert_clean()


async def test_a_token_that_is_refused_in_between_is_no_outcome(writer: Writer) -> None:
    account, request = writer.account, person(writer.account, key="k")
    writer.network.lose(CREATE, Loss.ANSWER_CLOSED)

    async def revoke(asked: Any) -> None:
        if asked.url.path == CREATE:
            account.simulator.revoke_tokens()

    writer.network.before = revoke
    receipt = await writer.done(request)
    assert writer.sent() == [201]
    await assert_on_both_surfaces(writer, receipt, request)


async def test_credentials_that_are_refused_while_it_is_found_out_keep_it_open(writer: Writer) -> None:
    account, request = writer.account, person(writer.account, key="k")
    writer.network.lose(CREATE, Loss.ANSWER_CLOSED)
    secret = account.simulator.credentials()["client_secret"]

    async def rotate(asked: Any) -> None:
        if asked.url.path == CREATE:
            account.simulator.rotate_secret()
            account.runtime.tokens.clear()
            await account.pool.execute("DELETE FROM access_token WHERE integration = $1", account.number)

    writer.network.before = rotate
    assert isinstance(await writer.told(request), OutcomeUnknown)
    await writer.engine()
    assert isinstance(await writer.told(request), OutcomeUnknown)
    writer.network.before = None
    own = account.simulator._own
    account.simulator.tokens.credentials[own.client_id] = msgspec.structs.replace(own, client_secret=secret)
    await writer.settle()
    await assert_on_both_surfaces(writer, await writer.done(request), request)
    assert writer.sent() == [201]


async def test_who_applied_before_somebody_else_is_not_taken_for_them(writer: Writer) -> None:
    """An application of the same address for another job is not the one that was lost."""
    account = writer.account
    other = account.simulator.create_job("Lens grinder")
    before = person(account, key="before")
    await writer.done(before)
    assert (await account.sync("full")).state == "SUCCEEDED"
    request = person(account, key="k", job=Ref(remote_id=str(other)))
    writer.network.lose(CREATE, Loss.ANSWER_CLOSED)
    receipt = await writer.done(request)
    [own] = [one for one in writer.created(request) if one.job_id == int(other)]
    assert receipt.application == record_id(account.integration.public_id, Model.APPLICATION, str(own.id))
