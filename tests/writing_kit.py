"""Writes over a network that loses things at chosen places, carried out here and now without real pauses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

import httpx2
import msgspec
import pytest

from action_kit import applying
from atsumi.actions import outcome as outcomes
from atsumi.actions.execute import ActionWork, execute
from atsumi.actions.requests import ActionState, Content, Deferred, Receipt, WriteRequest, Written
from atsumi.actions.service import Desk, _intent, receipt
from atsumi.connector.http import make_client
from atsumi.connectors.personio.simulator.state import Company
from atsumi.errors import InProgress, StaleToken
from atsumi.model.draft import FileDraft
from atsumi.model.enums import AttachmentType
from atsumi.server import acting
from atsumi.server.acting import desk_for
from atsumi.store import actions as ledger
from harness import Account

CREATE, UPLOAD, LIST = "/v1/recruiting/applications", "/v1/recruiting/applications/documents", "/v2/recruiting"
PATIENCE_SECONDS = 0.2
"""How long callers of these tests wait for what the engine has to find out first."""


class Loss(StrEnum):
    """What happens to a request instead of being answered."""

    REFUSED = "REFUSED"
    """There is no connection: it never left."""
    ON_THE_WAY = "ON_THE_WAY"
    """The connection breaks before the tool has it, and nobody can tell."""
    ANSWER_CLOSED = "ANSWER_CLOSED"
    """The tool has done it, and the connection breaks before its answer."""
    ANSWER_LATE = "ANSWER_LATE"
    """The tool has done it, and says nothing until time is over."""
    ANSWER_502 = "ANSWER_502"
    """The tool has done it, and a gateway in between reports a failure."""
    FAILED = "FAILED"
    """The tool fails before it has done anything."""
    BUDGET = "BUDGET"
    """The tool says that its budget is used up."""
    NONSENSE = "NONSENSE"
    """Something answers with a page for people."""


DONE = (Loss.ANSWER_CLOSED, Loss.ANSWER_LATE, Loss.ANSWER_502)
"""The tool has done it all the same."""
UNSAID = (*DONE, Loss.ON_THE_WAY, Loss.FAILED, Loss.NONSENSE)
"""Nobody can say from this whether the tool has done it."""


@dataclass
class Network(httpx2.AsyncBaseTransport):
    """The way to the tool. ``losses`` are what happens to the next requests by path, the first one first."""

    below: httpx2.AsyncBaseTransport
    losses: dict[str, list[Loss | None]] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)
    """Paths, or beginnings of paths, whose requests are refused until they are taken out of here."""
    is_lenient: Company | None = None
    """A company that takes any number of applications of a person for a job: then only we keep it to one."""
    before: Callable[[httpx2.Request], Awaitable[None]] | None = None
    """Called with every request before it is sent."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        if self.before is not None:
            await self.before(request)
        if any(path.startswith(one) for one in self.cut):
            raise httpx2.ConnectError("refused", request=request)
        planned = self.losses.get(path, [])
        loss = planned.pop(0) if planned else None
        if loss in DONE:
            await (await self._pass(request)).aread()
        match loss:
            case Loss.REFUSED:
                raise httpx2.ConnectError("refused", request=request)
            case Loss.ON_THE_WAY:
                raise httpx2.WriteError("broken", request=request)
            case Loss.ANSWER_CLOSED:
                raise httpx2.RemoteProtocolError("closed", request=request)
            case Loss.ANSWER_LATE:
                raise httpx2.ReadTimeout("late", request=request)
            case Loss.ANSWER_502:
                return httpx2.Response(502, text="<h1>Bad Gateway</h1>", request=request)
            case Loss.FAILED:
                return httpx2.Response(503, json={"error": "away"}, request=request)
            case Loss.BUDGET:
                return httpx2.Response(429, json={"error": "slower"}, request=request)
            case Loss.NONSENSE:
                return httpx2.Response(200, html="<title>Sign in</title>", request=request)
        return await self._pass(request)

    async def _pass(self, request: httpx2.Request) -> httpx2.Response:
        if self.is_lenient is None or request.url.path != CREATE:
            return await self.below.handle_async_request(request)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.is_lenient, "applications_by_email", lambda email: [])
            return await self.below.handle_async_request(request)

    def lose(self, path: str, *losses: Loss | None) -> None:
        """Plan what happens to the next requests to a path; ``None`` lets one pass."""
        self.losses.setdefault(path, []).extend(losses)

    def heal(self) -> None:
        """From now on everything arrives."""
        self.losses.clear()
        self.cut.clear()


@dataclass
class Writer:
    """One account's writes. Whatever waits for something waits for an instant only."""

    account: Account
    network: Network
    visible_after_seconds: float = 0.0
    """How long after a lost answer finding nothing means that the tool may not have it."""
    certain_after: timedelta = timedelta(hours=1)

    @classmethod
    async def of(cls, account: Account) -> Writer:
        account.simulator.switch(v1_requests_per_window=0)
        await without_budgets(account)
        return cls(account, Network(account.product.origins))

    def hurried(self, work: ActionWork) -> ActionWork:
        """The work over this network, and with short pauses."""
        http = replace(work.context.http, client=make_client(self.network))
        return replace(
            work,
            context=replace(work.context, http=http),
            looks=(0.0, 0.0),
            visible_after_seconds=self.visible_after_seconds,
            certain_after=self.certain_after,
        )

    async def desk(self, surface: str = "kombo") -> Desk:
        desk = await desk_for(self.account.runtime, self.account.number, surface)

        async def work(claim: ledger.ActionClaim, row: ledger.ActionRow) -> ActionWork:
            return self.hurried(await desk.work(claim, row))

        return replace(desk, work=work)

    async def write(self, request: WriteRequest) -> Written | Deferred:
        desk = await self.desk()
        return await desk.write(request if request.wait_seconds else replace(request, wait_seconds=PATIENCE_SECONDS))

    async def told(self, request: WriteRequest) -> Receipt | Exception:
        """What a caller hears who waits for as long as the action is being carried out, and no longer."""
        while True:
            try:
                return (await self.write(request)).receipt
            except InProgress as error:
                row = await self._put_down(request)
                if row is None or (row.ended_at is None and row.state == ActionState.PENDING and row.next_at):
                    return error
                kept = outcomes.decode(ledger.opened(self.account.runtime.vault, row)).error
                if row.ended_at is None and kept is not None:
                    return outcomes.revived(kept)
            except Exception as error:
                return error

    async def _put_down(self, request: WriteRequest) -> ledger.ActionRow | None:
        """The request's action, once nobody carries it out."""
        while await ledger.in_flight(self.account.pool, self.account.number):
            await asyncio.sleep(0.02)
        return await ledger.find_same(self.account.pool, self.account.number, _intent(request, "kombo"))

    async def done(self, request: WriteRequest) -> Receipt:
        """What a caller hears who succeeds."""
        found = await self.write(replace(request, wait_seconds=60))
        assert isinstance(found, Written)
        return found.receipt

    async def engine(self, *, hurries: bool = True) -> int:
        """Carry on once what is open and due; returns how many there were. ``hurries``: what is due later, too."""
        if hurries:
            await self.account.pool.execute(
                "UPDATE action SET next_at = now() WHERE integration = $1 AND next_at IS NOT NULL", self.account.number
            )
        due = [id for id, number in await ledger.due(self.account.pool, 100) if number == self.account.number]
        for id in due:
            await self.carry_on(id)
        return len(due)

    async def carry_on(self, id: UUID) -> None:
        """Claim an action that is due, as the engine does, and carry it out."""
        account = self.account
        claim = await ledger.claim(account.pool, id, max_running=30, is_due=True)
        row = await ledger.find(account.pool, account.number, id)
        if claim is not None and row is not None:
            work = await acting._work(account.runtime, account.integration, claim, row, patience_seconds=5)
            await execute(self.hurried(work))

    @contextmanager
    def dying(self) -> Iterator[None]:
        """What is cut off in here was carried out by a process that has died: it gives nothing back."""

        async def nobody(*_: object, **__: object) -> None:
            raise StaleToken("nobody is there any more")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ledger, "release", nobody)
            yield

    async def settle(self, most: int = 20) -> None:
        """Let the engine work until nothing is left to do."""
        for _ in range(most):
            if not await self.engine():
                return
        raise AssertionError(f"still open after {most} rounds: {await self.rows()}")

    async def lapse(self) -> None:
        """Let the time of every process pass that has not been heard of: it counts as dead."""
        await self.account.pool.execute(
            "UPDATE action SET heartbeat_at = now() - $2::interval * 2 "
            "WHERE integration = $1 AND state IN ('RUNNING', 'SUCCEEDED')",
            self.account.number,
            ledger.LEASE,
        )

    # Looking.

    async def rows(self) -> list[ledger.ActionRow]:
        return await ledger.listing(self.account.pool, self.account.number, 1000)

    async def receipt(self, id: UUID) -> Receipt:
        row = await ledger.find(self.account.pool, self.account.number, id)
        assert row is not None
        return receipt(row, self.account.runtime.vault)

    def created(self, request: WriteRequest) -> list[Any]:
        """The person's applications at the tool."""
        return self.account.simulator.company.applications_by_email(request.draft.email_address)

    def sent(self, path: str = CREATE) -> list[int]:
        """The statuses of what the tool was asked to do, in order."""
        return [one.status for one in self.account.simulator.log.entries if one.method == "POST" and one.path == path]

    async def assert_clean(self) -> None:
        """Nothing is open, and of what has ended the input is gone."""
        for row in await self.rows():
            assert row.state in (ActionState.SUCCEEDED, ActionState.FAILED), row
            assert row.next_at is None, row
            assert not row.has_draft, row
        for table in ("action_step", "action_file"):
            left = await self.account.fetch(
                f"SELECT 1 FROM {table} t JOIN action a ON a.id = t.action WHERE a.integration = $1"  # noqa: S608 -- a table name of ours
            )
            assert not left, table


def person(account: Account, name: str = "Ada", **changes: Any) -> WriteRequest:
    """The request of a person of that name; ``changes`` as for :func:`action_kit.applying`."""
    request = applying(account, **changes)
    email = f"{name.lower()}@applicants.example"
    return replace(request, draft=msgspec.structs.replace(request.draft, first_name=name, email_address=email))


def with_files(request: WriteRequest, contents: Mapping[str, bytes]) -> WriteRequest:
    """The request with files that come along, by name."""
    files = [
        FileDraft(name=name, type=AttachmentType.CV, sha256=sha256(data).hexdigest(), size_bytes=len(data))
        for name, data in contents.items()
    ]
    draft = msgspec.structs.replace(request.draft, files=files)
    return replace(request, draft=draft, contents={n: _content(data) for n, data in enumerate(contents.values())})


def _content(data: bytes) -> Content:
    async def pieces() -> Any:
        yield data

    return pieces


async def without_budgets(account: Account) -> None:
    """Forget what earlier tests have used: all simulated companies of one seed share their budgets."""
    await account.pool.execute("DELETE FROM rate_window; DELETE FROM rate_bucket")
