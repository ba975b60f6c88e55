"""How long what is kept of actions stays: everything of an open one, and ever less of one that has ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from action_kit import applying, begun, company_with_open_job, ended, given_back, write
from atsumi.actions.requests import WriteRequest
from atsumi.errors import AlreadyExists, OutcomeUnknown, RemoteCall
from atsumi.model.ids import record_id
from atsumi.model.names import Model
from atsumi.store import action_retention
from atsumi.store.action_contents import keep_answer, note_step, write_file_part
from atsumi.store.action_retention import LISTED
from atsumi.store.actions import KEY_LIFETIME, SAME_REQUEST, ActionClaim
from atsumi.sync.blanking import blank_due
from harness import Account, Product

CALL = RemoteCall("personio", "create application", "POST", "https://api.personio.test/v1/recruiting/applications")
MOMENT = timedelta(seconds=30)
ANSWER = b"what the caller was told"


@pytest.fixture
async def account(product: Product) -> Account:
    return await product.connect()


async def aged(account: Account, claim: ActionClaim, age: timedelta) -> None:
    """Move everything that happened to an action into the past."""
    await account.pool.execute(
        """
        UPDATE action SET created_at = created_at - $2::interval, ended_at = ended_at - $2::interval,
            heartbeat_at = heartbeat_at - $2::interval, next_at = next_at - $2::interval WHERE id = $1
        """,
        claim.id,
        age,
    )


async def kept(account: Account, claim: ActionClaim) -> asyncpg.Record | None:
    """What is left of an action after what is too old was removed."""
    await action_retention.remove_old(account.pool, now=datetime.now(UTC))
    return await account.pool.fetchrow("SELECT * FROM action WHERE id = $1", claim.id)


async def parts_of(account: Account, claim: ActionClaim) -> list[int]:
    """How many steps and parts of files an action has."""
    return [
        await account.pool.fetchval("SELECT count(*) FROM action_step WHERE action = $1", claim.id),
        await account.pool.fetchval("SELECT count(*) FROM action_file WHERE action = $1", claim.id),
    ]


async def answered(account: Account, *, error: AlreadyExists | None = None, **options: Any) -> ActionClaim:
    """An action that has ended, and whose caller was answered."""
    claim = await begun(account, **options)
    await ended(account, claim, error, application=uuid4(), candidate=uuid4())
    await keep_answer(account.pool, account.runtime.vault, account.number, claim.id, ANSWER)
    return claim


@pytest.mark.parametrize(
    ("options", "lifetime"),
    [({}, SAME_REQUEST), ({"key": "k"}, KEY_LIFETIME), ({"is_deferred": True}, KEY_LIFETIME)],
    ids=["without a key", "with a key", "with a receipt"],
)
async def test_what_was_said_of_an_action_goes_when_nobody_can_ask_for_it_again(
    account: Account, options: dict[str, Any], lifetime: timedelta
) -> None:
    claim = await answered(account, error=AlreadyExists(CALL, "the tool has such an application"), **options)
    await aged(account, claim, lifetime - MOMENT)
    before = await kept(account, claim)
    assert before is not None
    assert before["sealed_outcome"] is not None
    assert before["sealed_answer"] is not None
    assert (before["key_digest"] is not None) == ("key" in options)
    await aged(account, claim, 2 * MOMENT)
    after = await kept(account, claim)
    assert after is not None
    assert (after["sealed_outcome"], after["sealed_answer"], after["key_digest"]) == (None, None, None)
    assert (after["state"], after["error_kind"]) == ("FAILED", "AlreadyExists")


async def test_a_key_may_be_used_for_another_request_when_its_action_is_too_old(account: Account) -> None:
    claim = await answered(account, key="k")
    await aged(account, claim, KEY_LIFETIME + MOMENT)
    assert await kept(account, claim) is not None
    other = await begun(account, key="k")
    assert other.id != claim.id
    assert await kept(account, claim) is not None


async def test_an_action_is_listed_for_days_and_then_gone(account: Account) -> None:
    claim = await answered(account, key="k")
    await aged(account, claim, LISTED - MOMENT)
    assert await kept(account, claim) is not None
    await aged(account, claim, 2 * MOMENT)
    assert await kept(account, claim) is None


@pytest.mark.parametrize("state", ["RUNNING", "UNKNOWN", "PENDING", "looked for"])
async def test_nothing_of_an_open_action_is_removed(account: Account, state: str) -> None:
    claim, vault = await begun(account, key="k"), account.runtime.vault
    await note_step(account.pool, vault, claim, "send", b"sent", is_done=False)
    await write_file_part(account.pool, vault, claim, 0, 0, b"content")
    if state == "looked for":
        await ended(account, claim, application=uuid4(), candidate=uuid4(), look_after=timedelta(minutes=1))
    elif state != "RUNNING":
        await given_back(account, claim, state, OutcomeUnknown(CALL, "no answer"), timedelta(minutes=1))
    await aged(account, claim, 2 * LISTED)
    before = dict(await account.pool.fetchrow("SELECT * FROM action WHERE id = $1", claim.id))
    parts = await parts_of(account, claim)
    after = await kept(account, claim)
    assert after is not None
    assert dict(after) == before
    assert await parts_of(account, claim) == parts


async def test_a_backlog_of_any_size_goes(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(action_retention, "STEP", 2)
    claims = [await answered(account) for _ in range(5)]
    for claim in claims:
        await aged(account, claim, SAME_REQUEST + MOMENT)
    removed = await action_retention.remove_old(account.pool, now=datetime.now(UTC))
    assert removed.answers >= 5
    [left] = await account.fetch(
        "SELECT count(*) AS actions, count(sealed_answer) AS answers FROM action WHERE integration = $1"
    )
    assert tuple(left) == (5, 0)


async def applied(product: Product, **options: Any) -> tuple[Account, WriteRequest, str]:
    """An account with an application made through it, and the tool's id of that."""
    account = await product.synced(company_with_open_job(applications=3))
    request = applying(account, key="k", **options)
    receipt = await write(account, request)
    await keep_answer(account.pool, account.runtime.vault, account.number, receipt.id, ANSWER)
    [row] = await account.fetch("SELECT remote_id FROM record WHERE integration = $1 AND id = $2", receipt.application)
    return account, request, row["remote_id"]


async def said(account: Account) -> bool:
    """Whether anything that was said of an action is still there."""
    [row] = await account.fetch(
        "SELECT count(sealed_answer) + count(sealed_outcome) AS said FROM action WHERE integration = $1"
    )
    return bool(row["said"])


async def test_erasing_a_person_at_the_tool_removes_what_was_said_on_creating_them(product: Product) -> None:
    account, request, remote_id = await applied(product)
    assert await said(account)
    account.simulator.anonymise_application(remote_id)
    await account.sync("full")
    assert not await said(account)
    again = await write(account, request)
    assert again.application == record_id(account.integration.public_id, Model.APPLICATION, remote_id)


async def test_blanking_what_was_deleted_removes_what_was_said_on_creating_it(product: Product) -> None:
    account, _, remote_id = await applied(product)
    account.simulator.delete_application(remote_id)
    await account.sync("full")
    assert await said(account)
    later = datetime.now(UTC) + timedelta(days=365)
    while await blank_due(account.pool, account.number, await account.runtime.target(await account.fresh()), later):
        pass
    assert not await said(account)
