"""Every action comes to an end, also where nothing can be expected any more of the tool, its connector or us."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from atsumi.actions import execute
from atsumi.actions.requests import ActionState, WriteRequest
from atsumi.errors import OutcomeUnknown
from writing_kit import CREATE, LIST, Loss, Writer, person

AGES = timedelta(days=8)


async def provisional(writer: Writer) -> WriteRequest:
    """One that the tool has accepted, and never shows."""
    request = person(writer.account, key="k")
    writer.account.simulator.switch(v2_visible_after_seconds=10**9)
    assert (await writer.done(request)).is_provisional
    return request


async def grow_old(writer: Writer) -> None:
    await writer.account.pool.execute(
        "UPDATE action SET created_at = created_at - $2::interval WHERE integration = $1", writer.account.number, AGES
    )


@pytest.fixture
def bug(monkeypatch: pytest.MonkeyPatch) -> None:
    """Storing what was made fails in a way that nobody has thought of."""

    async def store_answer(*_: Any, **__: Any) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(execute, "store_answer", store_answer)


def lose_the_actions(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version is installed whose connector cannot write."""
    runtime = writer.account.runtime
    connector = replace(runtime.connector("personio"), actions={})
    monkeypatch.setattr(runtime, "connectors", {"personio": connector})


async def test_what_a_connector_cannot_do_any_more_fails(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    await writer.write(person(writer.account, is_deferred=True))
    lose_the_actions(writer, monkeypatch)
    await writer.settle()
    [row] = await writer.rows()
    assert (row.state, row.error_kind) == (ActionState.FAILED, "UnsupportedByTool")
    await writer.assert_clean()


async def test_what_a_connector_cannot_look_for_any_more_stays_unknown_and_is_looked_for_by_the_next(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = person(writer.account, key="k")
    writer.network.lose(CREATE, Loss.ANSWER_CLOSED)
    writer.account.simulator.switch(v2_visible_after_seconds=600)
    assert isinstance(await writer.told(request), OutcomeUnknown)
    with monkeypatch.context() as patched:
        lose_the_actions(writer, patched)
        await writer.engine()
        [row] = await writer.rows()
        assert row.state == ActionState.UNKNOWN
        assert row.next_at is not None
    writer.account.simulator.clock.advance(600)
    await writer.settle()
    assert (await writer.done(request)).state is ActionState.SUCCEEDED
    assert writer.sent() == [201]


@pytest.mark.parametrize("is_cut", [True, False], ids=["cannot be asked", "shows nothing"])
async def test_a_record_is_not_looked_for_for_ever(writer: Writer, is_cut: bool) -> None:
    request = await provisional(writer)
    if is_cut:
        writer.network.cut.add(LIST)
    await writer.engine()
    assert not [row for row in await writer.rows() if row.next_at is None]
    await grow_old(writer)
    await writer.settle()
    [row] = await writer.rows()
    assert row.state == ActionState.SUCCEEDED
    await writer.assert_clean()
    assert len(writer.created(request)) == 1


@pytest.mark.usefixtures("bug")
async def test_what_a_bug_keeps_from_being_stored_was_written_all_the_same(writer: Writer) -> None:
    with pytest.raises(ZeroDivisionError):
        await writer.done(person(writer.account, key="k"))
    [row] = await writer.rows()
    assert row.next_at is not None
    await grow_old(writer)
    with pytest.raises(ZeroDivisionError):
        await writer.engine()
    [row] = await writer.rows()
    assert (row.state, row.next_at) == (ActionState.SUCCEEDED, None)
    await writer.assert_clean()
