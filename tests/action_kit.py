"""Writes for tests: a person who applies for an open job."""

from __future__ import annotations

import secrets
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from atsumi.actions import outcome as outcomes
from atsumi.actions.outcome import Outcome
from atsumi.actions.requests import Deferred, Receipt, WriteRequest, Written
from atsumi.connectors.personio.simulator import Simulator
from atsumi.errors import AtsumiError
from atsumi.model.actions import Action
from atsumi.model.draft import ApplicationDraft, Ref
from atsumi.server.acting import desk_for
from atsumi.store import actions as ledger
from atsumi.store.action_contents import set_draft
from atsumi.store.actions import ActionClaim, Intent
from harness import Account, small_company

_JOB = "Glassblower"
FIRST_NAME, LAST_NAME, EMAIL = "Adalgisa", "Lovelock", "adalgisa@applicants.example"


def company_with_open_job(**options: Any) -> Simulator:
    """A small company with a job that takes applications and asks nothing."""
    simulator = small_company(**options)
    simulator.create_job(_JOB)
    return simulator


def open_job(account: Account) -> str:
    """The tool's id of that job."""
    return next(str(job.id) for job in account.simulator.company.jobs if job.name == _JOB)


def applying(account: Account, *, key: str | None = None, is_deferred: bool = False, **changes: Any) -> WriteRequest:
    """The request of a person who applies; ``changes`` are other fields of the draft."""
    job = changes.pop("job", None) or Ref(remote_id=open_job(account))
    given = {"first_name": FIRST_NAME, "last_name": LAST_NAME, "email_address": EMAIL} | changes
    draft = ApplicationDraft(job=job, **given)
    return WriteRequest(Action.CREATE_APPLICATION, draft, key=key, is_deferred=is_deferred)


async def write(account: Account, request: WriteRequest) -> Receipt:
    """Have it written, as a surface would."""
    found = await (await desk_for(account.runtime, account.number, "kombo")).write(request)
    assert isinstance(found, Written | Deferred)
    return found.receipt


async def begun(account: Account, *, key: str | None = None, is_deferred: bool = False) -> ActionClaim:
    """An action in the ledger that somebody carries out, for tests of what becomes of it there."""
    digest = sha256(key.encode()).digest() if key is not None else None
    intent = Intent(Action.CREATE_APPLICATION, "kombo", digest, secrets.token_bytes(32))
    admitted = await ledger.admit(account.pool, account.number, intent, is_deferred=is_deferred, max_running=30)
    assert admitted is not None
    row, is_new = admitted
    assert is_new
    claim = ActionClaim(row.id, row.integration, row.token)
    draft = msgspec.json.encode(applying(account, job=Ref(remote_id="1")).draft)
    await set_draft(account.pool, account.runtime.vault, claim, draft, outcomes.encode(Outcome()))
    return claim


async def given_back(account: Account, claim: ActionClaim, state: str, error: AtsumiError, pause: timedelta) -> None:
    """Let it wait, as an attempt does that ended in an error."""
    outcome, kind = outcomes.encode(Outcome(error=outcomes.kept(error))), outcomes.kind_of(error)
    await ledger.release(account.pool, account.runtime.vault, claim, state, outcome, pause=pause, error_kind=kind)


async def ended(
    account: Account,
    claim: ActionClaim,
    error: AtsumiError | None = None,
    *,
    application: UUID | None = None,
    candidate: UUID | None = None,
    look_after: timedelta | None = None,
) -> None:
    """End it: well, unless there is an error."""
    outcome = Outcome(
        warnings=['There is no source "Referral": the application was created without one.'],
        error=outcomes.kept(error) if error is not None else None,
        is_provisional=look_after is not None,
    )
    async with account.pool.acquire() as connection, connection.transaction():
        await ledger.end(
            connection,
            account.runtime.vault,
            claim,
            "FAILED" if error is not None else "SUCCEEDED",
            outcomes.encode(outcome),
            application=application,
            candidate=candidate,
            look_after=look_after,
            error_kind=outcomes.kind_of(error) if error is not None else None,
        )
