"""A write through the ledger: done once, told the same to everybody, and stored before its caller hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import pytest

from atsumi.actions.requests import ActionState, Deferred, Receipt, WriteRequest, Written
from atsumi.errors import AlreadyExists, Conflict, InvalidInput, JobClosed, NotFound, TooManyActions
from atsumi.model.actions import Action
from atsumi.model.draft import ApplicationDraft, FileDraft, Ref, SourceDraft
from atsumi.model.enums import AttachmentType
from atsumi.model.ids import record_id
from atsumi.model.names import Model
from atsumi.server import acting
from atsumi.server.acting import desk_for
from harness import Account, Product, small_company

PDF = b"%PDF-1.7 nobody's life"


@pytest.fixture
async def account(product: Product) -> Account:
    simulator = small_company(applications=5)
    simulator.create_job("Engine builder")
    return await product.synced(simulator)


def open_job(account: Account) -> int:
    """A job that takes applications and asks nothing."""
    return next(job.id for job in account.simulator.company.jobs if job.name == "Engine builder")


def draft_of(account: Account, name: str = "Ada", **changes: Any) -> ApplicationDraft:
    job = record_id(account.integration.public_id, Model.JOB, str(open_job(account)))
    given: dict[str, Any] = {
        "job": Ref(id=job),
        "first_name": name,
        "last_name": "Lovelace",
        "email_address": f"{name.lower()}@applicants.example",
    }
    return ApplicationDraft(**given | changes)


def request_of(account: Account, name: str = "Ada", *, key: str | None = None, **changes: Any) -> WriteRequest:
    return WriteRequest(Action.CREATE_APPLICATION, draft_of(account, name, **changes), key=key)


async def write(account: Account, request: WriteRequest) -> Written | Deferred:
    desk = await desk_for(account.runtime, account.number, "kombo")
    return await desk.write(request)


async def written(account: Account, request: WriteRequest) -> Receipt:
    found = await write(account, request)
    assert isinstance(found, Written)
    return found.receipt


def created(account: Account, name: str = "Ada") -> list[Any]:
    """The applications of that person at the tool."""
    return account.simulator.company.applications_by_email(f"{name.lower()}@applicants.example")


async def test_what_was_created_is_stored_before_its_caller_hears_of_it(account: Account) -> None:
    receipt = await written(account, request_of(account))
    [application] = created(account)
    assert receipt.state is ActionState.SUCCEEDED
    assert receipt.application == record_id(account.integration.public_id, Model.APPLICATION, str(application.id))
    assert receipt.candidate == record_id(account.integration.public_id, Model.CANDIDATE, str(application.candidate_id))
    [row] = await account.rows("applications", remote_ids=str(application.id))
    assert row["candidate"]["email_addresses"][0]["email_address"] == "ada@applicants.example"
    assert await account.fetch("SELECT 1 FROM created_application WHERE integration = $1")


async def test_a_sync_finds_nothing_to_change_in_what_was_written(account: Account) -> None:
    await written(account, request_of(account))
    before, documents = await account.canonical(), await account.fragments()
    assert (await account.sync("full")).state == "SUCCEEDED"
    assert await account.canonical() == before
    assert await account.fragments() == documents


async def test_an_equal_request_is_the_same_action(account: Account) -> None:
    first = await written(account, request_of(account))
    assert await written(account, request_of(account)) == first
    assert len(created(account)) == 1


async def test_parallel_requests_with_one_key_are_one_action(account: Account) -> None:
    found = await asyncio.gather(*(written(account, request_of(account, key="k")) for _ in range(50)))
    assert {receipt.id for receipt in found} == {found[0].id}
    assert len(created(account)) == 1


async def test_a_key_is_for_one_request(account: Account) -> None:
    await written(account, request_of(account, key="k"))
    with pytest.raises(Conflict, match="idempotency key"):
        await write(account, request_of(account, "Grace", key="k"))
    assert not created(account, "Grace")


async def test_a_refusal_of_the_tool_is_told_again_for_its_key(account: Account) -> None:
    account.simulator.unpublish_job(open_job(account))
    closed = request_of(account, key="k")
    for _ in range(2):
        with pytest.raises(JobClosed):
            await write(account, closed)
    [entry] = [one for one in account.simulator.log.entries if one.path == "/v1/recruiting/applications"]
    assert entry.status == 400


async def test_somebody_who_has_applied_cannot_apply_again(account: Account) -> None:
    await written(account, request_of(account, key="first"))
    with pytest.raises(AlreadyExists):
        await write(account, request_of(account, key="second"))


async def test_files_go_with_it(account: Account) -> None:
    async def content() -> AsyncIterator[bytes]:
        yield PDF

    file = FileDraft(name="cv.pdf", type=AttachmentType.CV, sha256=sha256(PDF).hexdigest(), size_bytes=len(PDF))
    request = WriteRequest(Action.CREATE_APPLICATION, draft_of(account, files=[file]), {0: content})
    await written(account, request)
    [application] = created(account)
    [document] = account.simulator.company.own_documents(application)
    assert (document.name, document.category, document.content) == ("cv.pdf", "cv", PDF)
    assert not await account.fetch(
        "SELECT 1 FROM action_file f JOIN action a ON a.id = f.action WHERE a.integration = $1"
    )


async def test_a_record_that_is_not_there_is_named(account: Account) -> None:
    nowhere = Ref(id=record_id(account.integration.public_id, Model.JOB, "none"))
    with pytest.raises(InvalidInput) as refused:
        await write(account, request_of(account, job=nowhere))
    assert refused.value.path == "job"
    request = WriteRequest(Action.CREATE_APPLICATION, draft_of(account, job=nowhere), addressed="job")
    with pytest.raises(NotFound):
        await write(account, request)


async def test_an_unknown_source_is_a_warning(account: Account) -> None:
    receipt = await written(account, request_of(account, source=SourceDraft(name="nowhere in particular")))
    assert any("nowhere in particular" in warning for warning in receipt.warnings)
    assert len(created(account)) == 1


async def test_what_is_sent_is_told_without_sending(account: Account) -> None:
    desk = await desk_for(account.runtime, account.number, "kombo")
    planned = await desk.plan(request_of(account))
    [request] = planned.requests
    assert request.body["email"] == "ada@applicants.example"
    assert account.simulator.company.recruiting_key not in str(planned)
    assert not created(account)
    assert not await account.fetch("SELECT 1 FROM action WHERE integration = $1")


async def test_a_deferred_action_is_carried_out_in_its_turn(account: Account) -> None:
    request = WriteRequest(Action.CREATE_APPLICATION, draft_of(account), is_deferred=True)
    found = await write(account, request)
    assert isinstance(found, Deferred)
    assert found.receipt.state is ActionState.PENDING
    assert not created(account)
    await acting._carry_on(account.runtime, found.receipt.id, account.number)
    assert len(created(account)) == 1
    assert await written(account, request_of(account)) == (await written(account, request_of(account)))


async def test_as_many_as_may_be_are_under_way_and_no_more(account: Account) -> None:
    await account.pool.executemany(
        "INSERT INTO action (id, integration, kind, surface, request_digest, state, heartbeat_at) "
        "VALUES (gen_random_uuid(), $1, 'create_application', 'kombo', ''::bytea, 'RUNNING', now())",
        [(account.number,)] * 30,
    )
    with pytest.raises(TooManyActions):
        await write(account, request_of(account))
    assert not created(account)
