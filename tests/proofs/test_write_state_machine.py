"""Random wishes to write, losses, deaths and engines: never a second application for one wish, and never two truths.

The tool of half the games takes any number of applications of a person for a job, so that nothing but the ledger keeps
a wish to one. ``ATSUMI_SOAK_GAMES`` plays that many longer games with a new seed, which is printed.

That it notices was tried with faults put into the product, each of which lost the suite's short games:

- nothing is noted before a request is sent (``journal.effect`` giving ``send`` a notice that does nothing);
- a refusal is believed although an earlier request may have been accepted (``execute._settle`` without the doubt);
- of equal requests each begins an action (``ledger.find_same`` finding nothing);
- an action that failed in passing is not resumed (``service._follow`` never claiming).
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, NamedTuple
from uuid import UUID

import hypothesis
import pytest
from hypothesis import HealthCheck
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from action_kit import company_with_open_job, open_job
from atsumi.actions.requests import ActionState, Receipt, WriteRequest
from atsumi.errors import (
    Conflict,
    InProgress,
    NotReady,
    OutcomeUnknown,
    RateLimited,
    RemoteRejected,
    RemoteUnavailable,
    UnexpectedResponse,
)
from atsumi.model.catalog import CODES
from atsumi.model.ids import record_id
from atsumi.model.names import Model
from atsumi.store import actions as ledger
from atsumi.store import aliases
from harness import Product
from writing_kit import CREATE, LIST, UPLOAD, Loss, Writer, person, with_files, without_budgets

GAMES = int(os.environ.get("ATSUMI_SOAK_GAMES", "0"))
SEED = os.environ.get("ATSUMI_SOAK_SEED")
PEOPLE = ("Ada", "Grace")
KEYS = (None, "one", "two")
MESSAGES = (None, "Hello!")
PASSING = (InProgress, NotReady, OutcomeUnknown, RateLimited, RemoteUnavailable, UnexpectedResponse)
"""What says nothing about the end."""
PATHS = (CREATE, CREATE, UPLOAD, LIST + "/applications")
STEP_SECONDS = 60.0
PATIENCE_SECONDS = 0.5
"""How long callers wait who do not wait for the end."""
_games = count()


class Killed(Exception):
    """The process has ended here."""


class Wish(NamedTuple):
    """What tells wishes apart."""

    person: str
    key: str | None
    message: str | None

    @property
    def digest(self) -> tuple[str | None, ...]:
        """What is one wish for the ledger: a key, or without one the content."""
        return (self.key,) if self.key is not None else tuple(self)


@dataclass
class Known:
    """What is known of a wish by what was said of it."""

    wish: Wish
    refused: str | None = None
    application: UUID | None = None
    said: list[str] = field(default_factory=list)


class Wishes(RuleBasedStateMachine):
    """Callers, a saboteur, processes that die, and an engine."""

    writer: Writer
    loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        super().__init__()
        self.number = next(_games)
        self.known: dict[tuple[str | None, ...], Known] = {}
        """The wishes that count now, by their digests."""
        self.past: list[Known] = []
        """Those without a key whose time is over."""
        self.is_strict = True

    def wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Rules run in a thread of their own; the product lives on the test session's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(STEP_SECONDS)

    @property
    def simulator(self) -> Any:
        return self.writer.account.simulator

    @initialize(is_strict=st.booleans())
    def begin(self, is_strict: bool) -> None:
        self.is_strict = is_strict
        self.writer.network.heal()
        self.writer.network.is_lenient = None if is_strict else self.simulator.company

    @rule(
        wish=st.builds(Wish, st.sampled_from(PEOPLE), st.sampled_from(KEYS), st.sampled_from(MESSAGES)),
        what=st.sampled_from(
            ("ask", "ask", "ask", "ask together", "ask deferred", "ask and die", "ask and die", "engine", "engine",
             "engine and die", "hour", "late", "unpublish", "heal", "time")
        ),
        losses=st.lists(st.tuples(st.sampled_from(PATHS), st.sampled_from(Loss)), max_size=2),
        after=st.integers(0, 12),
    )  # fmt: skip
    def moment(self, wish: Wish, what: str, losses: list[tuple[str, Loss]], after: int) -> None:
        """Some losses, and something that happens. One rule: of several, Hypothesis leaves some out of each game."""
        for path, loss in losses:
            self.writer.network.lose(path, loss)
        self.wait(self._moment(wish, what, after))
        self.wait(self._check())

    async def _moment(self, wish: Wish, what: str, after: int) -> None:
        writer = self.writer
        await without_budgets(writer.account)
        match what.split():
            case ["ask", *how]:
                await self._ask(wish, how, after)
            case ["engine"]:
                await writer.engine()
            case ["engine", "and", "die"]:
                await writer.lapse()
                with writer.dying(), pytest.MonkeyPatch.context() as patch:
                    patch.setattr(writer.network, "before", self._killer(after))
                    with suppress(Killed):
                        await writer.engine()
            case ["hour"]:
                await writer.lapse()
            case ["late"] if self.is_strict:
                self.simulator.switch(v2_visible_after_seconds=3600)
            case ["unpublish"]:
                self.simulator.unpublish_job(int(open_job(writer.account)))
            case ["heal"]:
                self._heal()
            case ["time"]:
                await self._let_time_pass()

    def _heal(self) -> None:
        self.writer.network.heal()
        self.simulator.edit_job(open_job(self.writer.account), is_published=True)
        self.simulator.clock.advance(3600)
        self.simulator.switch(v2_visible_after_seconds=0)

    def _request(self, wish: Wish) -> WriteRequest:
        name = f"{wish.person}{self.number}"
        key = f"{wish.key} of game {self.number}" if wish.key is not None else None
        request = person(self.writer.account, name, key=key, message=wish.message)
        return with_files(request, {"cv.pdf": b"%PDF-1.7 " + name.encode()})

    def _killer(self, after: int) -> Any:
        """Ends the process at the so-manyth request to the tool."""
        requests = count()

        async def kill(asked: object) -> None:
            if next(requests) >= after % 6:
                raise Killed

        return kill

    async def _ask(self, wish: Wish, how: list[str], after: int) -> None:
        writer = self.writer
        request = replace(self._request(wish), wait_seconds=PATIENCE_SECONDS, is_deferred="deferred" in how)
        if "die" in how:
            with writer.dying(), pytest.MonkeyPatch.context() as patch:
                patch.setattr(writer.network, "before", self._killer(after))
                told = [await self._told(request)]
        else:
            asks = 4 if "together" in how else 1
            told = await asyncio.gather(*(self._told(request) for _ in range(asks)))
        for one in told:
            self._hear(wish, one)

    async def _told(self, request: WriteRequest) -> Receipt | Exception:
        """What a caller hears, who may be told that nothing is known yet."""
        try:
            return (await self.writer.write(request)).receipt
        except Exception as error:
            return error

    def _hear(self, wish: Wish, told: Receipt | Exception) -> None:
        known = self.known.get(wish.digest)
        if known is not None and known.wish != wish:
            assert type(told) is Conflict, told
            return
        if known is None:
            known = self.known[wish.digest] = Known(wish)
        known.said.append(f"{type(told).__name__} {getattr(told, 'state', '')}")
        if isinstance(told, Receipt) and told.state is ActionState.SUCCEEDED:
            assert known.refused is None, known
            assert told.application is not None
            known.application = known.application or told.application
        elif isinstance(told, Receipt):
            assert known.application is None or wish.key is None, known
        elif isinstance(told, RemoteRejected):
            assert known.application is None, known
            if wish.key is not None:
                assert known.refused in (None, str(told)), known
                known.refused = str(told)
        else:
            assert isinstance(told, (*PASSING, Killed)), repr(told)
            assert known.application is None or not isinstance(told, (*PASSING,)), known
            assert known.refused is None, known

    async def _let_time_pass(self) -> None:
        """Equal requests without a key are other wishes from now on, if the first has ended."""
        rows = await self.writer.account.pool.fetch(
            "UPDATE action SET created_at = created_at - $2::interval * 2 "
            "WHERE integration = $1 AND key_digest IS NULL AND ended_at IS NOT NULL RETURNING id",
            self.writer.account.number,
            ledger.SAME_REQUEST,
        )
        if not rows:
            return
        for digest, known in list(self.known.items()):
            if known.wish.key is None and known.application is not None:
                self.past.append(self.known.pop(digest))
            elif known.wish.key is None:
                # Whether it has ended is not known here; at worst it is one wish more than there was.
                self.past.append(Known(known.wish))

    # What is always true.

    async def _check(self) -> None:
        rows = await self.writer.rows()
        running = [one for one in rows if one.state == ActionState.RUNNING]
        assert await ledger.in_flight(self.writer.account.pool, self.writer.account.number) <= len(running)
        wishes = Counter(one.wish.person for one in [*self.known.values(), *self.past])
        for name in PEOPLE:
            made = len(self.writer.created(self._request(Wish(name, None, None))))
            assert made <= (min(1, wishes[name]) if self.is_strict else wishes[name]), (name, made, self.known)

    def teardown(self) -> None:
        if self.known:
            self.wait(self._end())

    async def _end(self) -> None:
        """Once nothing is lost any more, everything comes to an end, and everybody hears of it."""
        writer, account = self.writer, self.writer.account
        self._heal()
        await writer.lapse()
        await ledger.abandon_incomplete(account.pool)
        await without_budgets(account)
        await writer.settle(40)
        for known in self.known.values():
            told = await self._told(replace(self._request(known.wish), wait_seconds=30))
            assert isinstance(told, Receipt | RemoteRejected), (told, known)
            self._hear(known.wish, told)
        await writer.settle(40)
        await self._check()
        for known in [*self.known.values(), *self.past]:
            if known.application is not None:
                await self._check_made(known)
        assert not await ledger.in_flight(account.pool, account.number)
        await writer.assert_clean()

    async def _check_made(self, known: Known) -> None:
        """Who was told of an application finds it, with its file."""
        account = self.writer.account
        assert known.application is not None
        [id] = await aliases.resolve_aliases(
            account.pool, account.number, CODES[Model.APPLICATION], [known.application]
        )
        made = {
            record_id(account.integration.public_id, Model.APPLICATION, str(one.id)): one
            for one in self.writer.created(self._request(known.wish))
        }
        assert id in made, known
        content = [one.content for one in account.simulator.company.own_documents(made[id])]
        assert content == [f"%PDF-1.7 {known.wish.person}{self.number}".encode()]
        assert await account.fetch("SELECT 1 FROM record WHERE integration = $1 AND id = $2", id)


SHORT = hypothesis.settings(
    max_examples=25,
    stateful_step_count=12,
    deadline=None,
    database=None,
    print_blob=True,
    phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
    suppress_health_check=list(HealthCheck),
)
SHORT_SEED = 11


@pytest.mark.chaos
async def test_a_wish_comes_true_once_whatever_happens(product: Product) -> None:
    class Game(Wishes):
        pass

    account = await product.synced(company_with_open_job(applications=5))
    Game.writer, Game.loop = await Writer.of(account), asyncio.get_running_loop()
    settings, seed = SHORT, SHORT_SEED
    if GAMES:
        settings = hypothesis.settings(SHORT, max_examples=GAMES, stateful_step_count=40)
        seed = int(SEED) if SEED else random.randrange(2**32)  # noqa: S311 -- a game, not a secret
        print(f"\n{GAMES} games with seed {seed}", flush=True)
    hypothesis.seed(seed)(Game)
    await asyncio.to_thread(run_state_machine_as_test, Game, settings=settings)
