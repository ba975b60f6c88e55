"""Taking a caller's wish to write: the same request is the same action, however often and wherever it arrives.

A request is told apart by its idempotency key, else by its content (:func:`atsumi.store.actions.find_same`). Whoever
brings it first carries it out, in this process, beside its caller; everybody else waits for what comes of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, NoReturn
from uuid import UUID

import asyncpg
import msgspec

from atsumi.actions import outcome as outcomes
from atsumi.actions.execute import ActionWork, execute
from atsumi.actions.files import FileDesk
from atsumi.actions.outcome import Outcome
from atsumi.actions.requests import (
    MAX_IN_FLIGHT,
    ActionState,
    Answered,
    Deferred,
    Planned,
    Receipt,
    WriteRequest,
    Written,
)
from atsumi.actions.resolve import Place, resolve
from atsumi.connector.context import Context
from atsumi.connector.contract import Connector
from atsumi.connector.guarded import GuardedClient
from atsumi.connector.writing import ToolRequest, WriteAction
from atsumi.errors import InProgress, NotReady, RateLimited, RemoteCall, StaleToken, TooManyActions, UnsupportedByTool
from atsumi.model.actions import Action
from atsumi.model.draft import DRAFTS, Draft
from atsumi.model.ids import to_base58
from atsumi.redaction import redact_headers, redact_text
from atsumi.store import action_contents as contents
from atsumi.store import actions as ledger
from atsumi.store.actions import ActionClaim, ActionRow, Intent
from atsumi.store.vault import Vault

_SOONEST_SECONDS = 0.05
_LATEST_SECONDS = 0.5
_SPARE_SECONDS = 5.0
"""How long before its caller gives up an action is left to itself."""
_digested = msgspec.json.Encoder(order="deterministic")


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the writes of one integration come in, by one surface. ``wait_seconds``: how long a caller is kept."""

    pool: asyncpg.Pool
    vault: Vault
    guarded: GuardedClient
    connector: Connector
    place: Place
    surface: str
    wait_seconds: float
    work: Callable[[ActionClaim, ActionRow], Awaitable[ActionWork]]
    """What carrying out a claimed action of the integration needs."""
    context: Callable[[], Awaitable[Context]]
    keep_running: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
    """Starts a task that goes on when its caller is gone."""

    async def write(self, request: WriteRequest) -> Written | Deferred:
        """See :meth:`atsumi.dialects.write_services.WriteServices.write`."""
        action = self._action(request.action)
        patience = request.wait_seconds if request.wait_seconds is not None else self.wait_seconds
        deadline = _now() + min(self.wait_seconds, patience)
        intent = _intent(request, self.surface)
        found = await ledger.find_same(self.pool, self.place.number, intent)
        if found is not None:
            return await self._follow(found, request, deadline)
        draft, warnings = await resolve(self.pool, self.place, request, action)
        await self._check_budget(action, draft, request, deadline)
        admitted = await ledger.admit(
            self.pool,
            self.place.number,
            intent,
            is_deferred=request.is_deferred,
            max_running=MAX_IN_FLIGHT,
        )
        if admitted is None:
            raise _too_many()
        row, is_new = admitted
        if not is_new:
            return await self._follow(row, request, deadline)
        claim = ActionClaim(row.id, row.integration, row.token)
        await self._fill(claim, request, action, draft, warnings)
        if request.is_deferred:
            outcome = outcomes.encode(Outcome(warnings=list(warnings)))
            await ledger.release(self.pool, self.vault, claim, "PENDING", outcome, pause=timedelta(0))
            return Deferred(await self._receipt(row.id, await self._expected_wait(action, draft)))
        return await self._carry_out(claim, row, deadline)

    async def plan(self, request: WriteRequest) -> Planned:
        """See :meth:`atsumi.dialects.write_services.WriteServices.plan`."""
        action = self._action(request.action)
        draft, warnings = await resolve(self.pool, self.place, request, action)
        planned = [_masked(one) for one in action.plan(await self.context(), draft)]
        return Planned(planned, warnings, await self._expected_wait(action, draft))

    def _action(self, kind: Action) -> WriteAction:
        action = self.connector.actions.get(kind)
        if action is None:
            words = kind.value.replace("_", " ")
            raise UnsupportedByTool(f"{self.connector.manifest.label} offers no way to {words}.")
        return action

    async def _fill(
        self, claim: ActionClaim, request: WriteRequest, action: WriteAction, draft: Draft, warnings: Sequence[str]
    ) -> None:
        """Put the input into the ledger; from then on the action does not depend on its caller."""
        desk = FileDesk(self.pool, self.vault, claim, self.guarded)
        try:
            for index, content in request.contents.items():
                kept = await desk.keep(index, draft.files[index], content(), action.files)
                draft.files[index] = msgspec.structs.replace(
                    draft.files[index], size_bytes=kept.size_bytes, sha256=kept.sha256
                )
            outcome = outcomes.encode(Outcome(warnings=list(warnings)))
            await contents.set_draft(self.pool, self.vault, claim, msgspec.json.encode(draft), outcome)
        except StaleToken:
            # Its content took so long to arrive that its process was taken for dead.
            raise _taken_back() from None
        except BaseException:
            await asyncio.shield(ledger.abandon(self.pool, claim))
            raise

    async def _carry_out(self, claim: ActionClaim, row: ActionRow, deadline: float) -> Written | Deferred:
        """Do it, and wait for the end. It goes on when the caller does not."""
        task = self.keep_running(execute(await self.work(claim, row)))
        await asyncio.wait({task}, timeout=max(0.0, deadline - _now()))
        if task.done():
            # A bug is the caller's to see, as everywhere else.
            task.result()
        ended = await ledger.find(self.pool, self.place.number, row.id)
        if ended is None:
            raise _taken_back()
        if ended.state == ActionState.PENDING and ended.next_at is None:
            self._raise_kept(ended)
        return await self._await_end(ended, deadline)

    async def _follow(self, row: ActionRow, request: WriteRequest, deadline: float) -> Written | Deferred:
        """What comes of an action that an equal request has begun."""
        if request.is_deferred and row.ended_at is None:
            await ledger.defer(self.pool, row.id)
            return Deferred(await self._receipt(row.id))
        if row.state == ActionState.PENDING and row.next_at is None:
            # It stopped in passing, and its caller asks again: it goes on at the step that failed.
            claim = await ledger.claim(self.pool, row.id, max_running=MAX_IN_FLIGHT)
            if claim is not None:
                return await self._carry_out(claim, row, deadline)
            if await ledger.in_flight(self.pool, self.place.number) >= MAX_IN_FLIGHT:
                raise _too_many()
            # Somebody else was faster, whose outcome is this one's.
            return await self._await_end(await ledger.find(self.pool, self.place.number, row.id), deadline)
        return await self._await_end(row, deadline)

    async def _await_end(self, row: ActionRow | None, deadline: float) -> Written | Deferred:
        pause = _SOONEST_SECONDS
        while row is not None and row.ended_at is None:
            if row.state == ActionState.PENDING and row.next_at is None:
                self._raise_kept(row)
            if _now() + pause > deadline:
                raise self._not_in_time(row)
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LATEST_SECONDS)
            row = await ledger.find(self.pool, self.place.number, row.id)
        if row is None:
            raise _taken_back()
        if row.state == ActionState.FAILED:
            self._raise_kept(row)
        receipt = await self._receipt(row.id)
        kept = await contents.kept_answer(self.pool, self.vault, row.integration, row.id)
        answered = msgspec.msgpack.decode(kept, type=Answered) if kept is not None else None
        draft = None
        if receipt.is_provisional:
            data = await contents.peek_draft(self.pool, self.vault, row.integration, row.id)
            draft = msgspec.json.decode(data, type=DRAFTS[receipt.action]) if data is not None else None
        return Written(receipt, draft, answered)

    def _raise_kept(self, row: ActionRow) -> NoReturn:
        outcome = outcomes.decode(ledger.opened(self.vault, row))
        if outcome.error is None:
            raise NotReady("This request was interrupted before anything was sent. Send it again.")
        raise outcomes.revived(outcome.error)

    def _not_in_time(self, row: ActionRow) -> Exception:
        """What to say to a caller who waited long enough. The action goes on."""
        if row.state == ActionState.UNKNOWN:
            outcome = outcomes.decode(ledger.opened(self.vault, row))
            if outcome.error is not None:
                return outcomes.revived(outcome.error)
        return InProgress(
            "This request is still being carried out. Send it again, unchanged, for its outcome; "
            f"/atsumi/v1/actions/{to_base58(row.id)} tells how far it is.",
            seconds=5,
        )

    async def _expected_wait(self, action: WriteAction, draft: Draft) -> float:
        """How long the tool's budgets would keep the action waiting now, in seconds."""
        context = await self.context()
        buckets = {one.bucket for one in action.plan(context, draft) if one.bucket is not None}
        waits = [
            await context.limiter.expected_wait(bucket, self.connector.manifest.limit(bucket)) for bucket in buckets
        ]
        return max(waits, default=0.0)

    async def _check_budget(self, action: WriteAction, draft: Draft, request: WriteRequest, deadline: float) -> None:
        """Refuse before anything is noted what would wait longer than its caller does."""
        wait = await self._expected_wait(action, draft)
        if request.is_deferred or wait <= max(0.0, deadline - _now() - _SPARE_SECONDS):
            return
        tool = self.connector.manifest.slug
        raise RateLimited(
            RemoteCall(tool, request.action.value.replace("_", " "), "-", "-"),
            f"the tool's request budget is used up for about {wait:.0f} s by requests before this one. Nothing was "
            "written; send it again then, or with `Prefer: respond-async` to have it done in its turn",
            retry_at=datetime.now(UTC) + timedelta(seconds=wait),
        )

    async def _receipt(self, id: UUID, expected_wait: float | None = None) -> Receipt:
        row = await ledger.find(self.pool, self.place.number, id)
        if row is None:
            raise _taken_back()
        return receipt(row, self.vault, expected_wait)


def receipt(row: ActionRow, vault: Vault, expected_wait: float | None = None) -> Receipt:
    """An action as its caller may see it."""
    outcome = outcomes.decode(ledger.opened(vault, row))
    return Receipt(
        id=row.id,
        action=Action(row.kind),
        state=ActionState(row.state),
        surface=row.surface,
        created_at=row.created_at,
        ended_at=row.ended_at,
        next_at=row.next_at,
        attempts=row.attempts,
        application=row.application_id,
        candidate=row.candidate_id,
        is_provisional=outcome.is_provisional,
        warnings=outcome.warnings,
        error=outcome.error.text if outcome.error is not None else None,
        error_kind=row.error_kind,
        expected_wait_seconds=expected_wait,
    )


def _intent(request: WriteRequest, surface: str) -> Intent:
    """What tells the request apart. Where in the caller's body things stood does not count."""
    draft = msgspec.to_builtins(request.draft)
    for listed in ("files", "answers"):
        for one in draft.get(listed, ()):
            one.pop("path", None)
    content = _digested.encode([surface, request.action, draft])
    key = sha256(request.key.encode()).digest() if request.key is not None else None
    return Intent(request.action.value, surface, key, sha256(content).digest())


def _masked(request: ToolRequest) -> ToolRequest:
    """The request without secrets, as it may be shown."""
    return request._replace(url=redact_text(request.url), headers=redact_headers(request.headers))


def _taken_back() -> InProgress:
    return InProgress("This request was taken back. Send it again.", seconds=1)


def _too_many() -> TooManyActions:
    return TooManyActions(
        f"As many actions of this integration are open as may be: {MAX_IN_FLIGHT} under way, or {ledger.MAX_OPEN} with "
        "those that wait. Send the request again when one has ended.",
        limit=MAX_IN_FLIGHT,
    )


def _now() -> float:
    return asyncio.get_running_loop().time()
