"""Random days at a company, random syncs, faults and crashes: the lists always show what is true.

Hypothesis plays a recruiter, a scheduler and a saboteur. The oracle is :mod:`company_oracle`, which reads the
simulator's truth. The suite plays a few short games, the same every time; ``make soak`` plays long ones with a new seed
each time, which it prints: ``make soak SEED=<number>`` repeats a game.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Coroutine
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from atsumi.connectors.personio import client as personio_client
from atsumi.model.catalog import CODES
from atsumi.model.names import Model
from atsumi.store import runs
from atsumi.sync.page import PageResult
from atsumi.sync.run import execute
from company_oracle import expected, shown
from harness import Account, Product, small_company

GAMES = int(os.environ.get("ATSUMI_SOAK_GAMES", "0"))
SEED = os.environ.get("ATSUMI_SOAK_SEED")
LISTS = {"applications": Model.APPLICATION, "candidates": Model.CANDIDATE, "jobs": Model.JOB}
AT_ONCE = {
    "applications": {"outcome", "job", "candidate", "stage"},
    "candidates": {"first_name", "last_name", "emails"},
    "jobs": {"name", "is_published", "department"},
}
"""What an increment shows. The rest changes where the tool tells nobody: renamed stages, categories and people."""
MOST_GONE = 3
"""Deletions between two full runs; more than three in ten wait for the operator, which has tests of its own."""
FEWEST = 7
STEP_SECONDS = 60.0

FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "429", "retry_after": "1"},
    {"kind": "status", "status": 503, "count": 2},
    {"kind": "status", "status": 500, "count": 12},
    {"kind": "cut"},
    {"kind": "html"},
    {"kind": "error_body"},
    {"kind": "duplicate_records", "records": 2},
    {"kind": "repeat_page", "after": 1},
    {"kind": "self_next"},
    {"kind": "empty_page"},
    {"kind": "drop_records", "records": 2},
    {"kind": "malformed_record"},
    {"kind": "malformed_record", "malformation": "missing_fields"},
    {"kind": "malformed_record", "malformation": "odd_timestamp"},
)
PATHS = (
    "/v2/recruiting/applications",
    "/v2/recruiting/candidates",
    "/v2/recruiting/jobs",
    "/v2/recruiting/categories",
    "/career",
)
EDITS = (
    "move",
    "decide",
    "rename_candidate",
    "apply",
    "apply_again",
    "anonymise",
    "edit_job",
    "create_job",
    "publish_or_unpublish",
    "rename_stage",
    "rename_category",
    "rename_person",
    "delete_application",
    "delete_candidate",
    "delete_job",
)
RUNS = (
    "incremental",
    "incremental",
    "full",
    "full",
    "background",
    "incremental crash",
    "full crash",
    "incremental fault",
    "full fault",
)
INDEX = st.integers(0, 10_000)


class Days(RuleBasedStateMachine):
    """One company and one integration of it."""

    product: Product
    loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        super().__init__()
        self.account: Account
        self.gone: dict[str, set[str]] = {name: set() for name in LISTS}
        """Deleted since the last full run that went well."""
        self.closed: set[str] = set()
        """Jobs taken out of the feed, or deleted, since then: a small feed that shrinks is not believed at once."""
        self.is_level = False
        """Whether nothing has happened since the last good run."""
        self.is_damaged = False
        """Whether the tool has lied since the last good full run."""

    def wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Rules run in a thread of their own; the product lives on the test session's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(STEP_SECONDS)

    @property
    def simulator(self) -> Any:
        return self.account.simulator

    def pick(self, kind: str, number: int) -> dict[str, Any]:
        found = self.simulator.state(kind)[kind]
        return found[number % len(found)]

    @initialize(seed=st.integers(1, 5))
    def connect(self, seed: int) -> None:
        company = small_company(seed=seed, applications=14, jobs=5, published_share=0.6)
        self.account = self.wait(self.product.connect(company))
        self._sync("full")

    @rule(
        edits=st.lists(st.tuples(st.sampled_from(EDITS), INDEX, INDEX), max_size=4),
        run=st.sampled_from(RUNS),
        after=st.integers(1, 14),
        fault=st.sampled_from(FAULTS),
        path=st.sampled_from(PATHS),
    )
    def day(self, edits: list[tuple[str, int, int]], run: str, after: int, fault: dict[str, Any], path: str) -> None:
        """Some edits, then a run of some kind. One rule: of several, Hypothesis leaves some out of each game."""
        for name, number, other in edits:
            getattr(self, f"_{name}")(number, other)
            self.is_level = False
        match run.split():
            case ["background"]:
                self._background()
            case [kind, "crash"]:
                self._crash(kind, after)
            case [kind, "fault"]:
                self._disturb(kind, fault, path)
            case [kind]:
                self._sync(kind)

    # The recruiter.

    def _move(self, number: int, other: int) -> None:
        self.simulator.move_application(self.pick("applications", number)["id"], self.pick("stages", other)["id"])

    def _decide(self, number: int, other: int) -> None:
        stages = ("rejected", "withdrawn", "offer", "accepted")
        self.simulator.move_application(self.pick("applications", number)["id"], stages[other % len(stages)])

    def _rename_candidate(self, number: int, other: int) -> None:
        self.simulator.edit_candidate(self.pick("candidates", number)["id"], last_name=f"Name {other % 5}")

    def _apply(self, number: int, other: int) -> None:
        candidate = self.simulator.create_candidate("Neu", f"Nummer {other}", f"neu{other}@example.org")
        self.simulator.create_application(candidate, self.pick("jobs", number)["id"])

    def _apply_again(self, number: int, other: int) -> None:
        self.simulator.create_application(self.pick("candidates", number)["id"], self.pick("jobs", other)["id"])

    def _anonymise(self, number: int, other: int) -> None:
        self.simulator.anonymise_application(self.pick("applications", number)["id"])

    def _edit_job(self, number: int, other: int) -> None:
        department = ("Küche", "Service", None)[other % 3]
        self.simulator.edit_job(self.pick("jobs", number)["id"], name=f"Stelle {other % 7}", department=department)

    def _create_job(self, number: int, other: int) -> None:
        category = self.pick("categories", number)["id"]
        self.simulator.create_job(f"Neue Stelle {other}", is_published=other % 2 == 0, category_id=category)

    def _publish_or_unpublish(self, number: int, other: int) -> None:
        job = self.pick("jobs", number)
        if job["is_published"]:
            self.closed.add(job["id"])
        self.simulator.edit_job(job["id"], is_published=not job["is_published"])

    def _rename_stage(self, number: int, other: int) -> None:
        own = [one for one in self.simulator.state("stages")["stages"] if not one["is_builtin"]]
        self.simulator.rename_stage(own[number % len(own)]["id"], f"Phase {other % 5}")

    def _rename_category(self, number: int, other: int) -> None:
        self.simulator.edit_category(self.pick("categories", number)["id"], name=f"Kategorie {other % 5}")

    def _rename_person(self, number: int, other: int) -> None:
        self.simulator.edit_person(self.pick("persons", number)["id"], last_name=f"Name {other % 5}")

    def _delete_application(self, number: int, other: int) -> None:
        if not self._may_delete():
            return
        application = self.pick("applications", number)["id"]
        self.simulator.delete_application(application)
        self.gone["applications"].add(application)

    def _delete_candidate(self, number: int, other: int) -> None:
        candidate = self.pick("candidates", number)
        if not self._may_delete(1 + len(candidate["applications"])):
            return
        self.simulator.delete_candidate(candidate["id"])
        self.gone["candidates"].add(candidate["id"])
        self.gone["applications"].update(candidate["applications"])

    def _delete_job(self, number: int, other: int) -> None:
        if not self._may_delete() or len(self.simulator.state("jobs")["jobs"]) < 4:
            return
        job = self.pick("jobs", number)["id"]
        self.simulator.delete_job(job)
        self.closed.add(job)
        self.gone["jobs"].add(job)

    def _may_delete(self, count: int = 1) -> bool:
        state = self.simulator.state()
        is_small = min(len(state["applications"]), len(state["candidates"])) < FEWEST
        return not is_small and sum(map(len, self.gone.values())) + count <= MOST_GONE

    # The scheduler.

    def _sync(self, kind: str) -> None:
        self.wait(self._finish_open_run())
        run = self.wait(self.account.sync(kind))
        assert run.state == "SUCCEEDED", run.message
        self.wait(self._check(is_full=kind == "full"))
        if kind == "full":
            # What is believed at the second look only must have been believed by then.
            if self.closed:
                assert self.wait(self.account.sync("full")).state == "SUCCEEDED"
                self.closed.clear()
                self.wait(self._check(is_full=True))
            self.gone = {name: set() for name in LISTS}
            self.is_damaged = False
        self.is_level = True

    def _background(self) -> None:
        self.wait(self._finish_open_run())
        assert self.wait(self.account.background()) == "SUCCEEDED"
        self.wait(self._check_invariants())
        if self.is_level and not self.is_damaged:
            self.wait(self._check_rejections())

    # The saboteur.

    def _crash(self, kind: str, after: int) -> None:
        """Cut a run off after some pages; the next sync has to go on with it."""
        self.wait(self._finish_open_run())
        self.wait(self._cut_off(kind, after))
        self.wait(self._check_invariants())
        self.is_level = False

    def _disturb(self, kind: str, fault: dict[str, Any], path: str) -> None:
        """Let the tool fail or lie during a run. Nothing that exists may be lost by it."""
        self.wait(self._finish_open_run())
        self.simulator.inject(path=path, **fault)
        run = self.wait(self.account.sync(kind))
        if run.ended_at is None:
            self.wait(self._finish_open_run())
        self.simulator.clear_faults()
        self.is_level, self.is_damaged = False, True
        self.wait(self._check_invariants())

    async def _cut_off(self, kind: str, after: int) -> None:
        left = after

        def observe(stream: str, result: PageResult) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise asyncio.CancelledError

        work = await self.account.work(await self.account.claim(kind), observe=observe)
        # A task of its own, so that the cancellation is the run's and nobody else's.
        await asyncio.wait([asyncio.create_task(execute(work))])

    async def _finish_open_run(self) -> None:
        """A run that was cut off or put off goes on first, as the worker would have it."""
        for _ in range(12):
            found = [
                one for one in await runs.latest_runs(self.account.pool, self.account.number) if one.state == "RUNNING"
            ]
            if not found:
                return
            await self.account.resume(found[0].id)
        raise AssertionError("a run does not end")

    # The truth.

    async def _check(self, *, is_full: bool) -> None:
        await self._check_invariants()
        if self.is_damaged and not is_full:
            return
        truth = expected(self.simulator)
        found = shown({name: await self.account.rows(name) for name in LISTS})
        for name in LISTS:
            present, wanted = found[name], truth[name]
            assert wanted.keys() <= present.keys(), (name, wanted.keys() - present.keys())
            allowed = self.closed if is_full and name == "jobs" else set() if is_full else self.gone[name]
            assert present.keys() - wanted.keys() <= allowed, (name, present.keys() - wanted.keys())
            for remote_id, fields in wanted.items():
                skipped = self._not_yet(name, remote_id, fields, truth, is_full=is_full)
                for field, value in fields.items():
                    if field not in skipped:
                        assert present[remote_id][field] == value, (name, remote_id, field, present[remote_id], fields)

    def _not_yet(
        self, name: str, remote_id: str, fields: dict[str, Any], truth: dict[str, Any], *, is_full: bool
    ) -> set[str]:
        """The fields that this record need not show truly yet."""
        skipped = set() if is_full else fields.keys() - AT_ONCE[name]
        skipped |= {"rejected_at"}
        if name == "applications":
            # What was deleted is no longer embedded, once that is known.
            skipped |= {
                field
                for field, other in (("job", "jobs"), ("candidate", "candidates"))
                if fields[field] not in truth[other]
            }
        if name == "candidates" and not is_full:
            # Which applications a candidate has is told by the candidate's own record, which a new one does not bump.
            anonymised = {
                one["candidate_id"]
                for one in self.simulator.state("applications")["applications"]
                if one["is_anonymized"]
            }
            skipped |= set(fields) if remote_id in anonymised else set()
        if name == "jobs" and remote_id in self.closed:
            skipped |= {"is_published"}
        return skipped

    async def _check_rejections(self) -> None:
        wanted = {id: fields["rejected_at"] for id, fields in expected(self.simulator)["applications"].items()}
        found = {one["remote_id"]: one["rejected_at"] for one in await self.account.rows("applications")}
        assert {id: found[id] for id in wanted} == wanted

    async def _check_invariants(self) -> None:
        """True at any time, whatever was cut off or made up."""
        log = await self.account.fetch("SELECT seq FROM change WHERE integration = $1 ORDER BY seq")
        assert [row["seq"] for row in log] == list(range(1, len(log) + 1))
        assert await self.account.fragments() == await self.account.rendered_anew()
        state = self.simulator.state()
        for name, model in LISTS.items():
            lost = await self.account.fetch(
                """
                SELECT remote_id FROM record
                WHERE integration = $1 AND model = $2 AND deleted_at IS NOT NULL AND remote_id = ANY($3)
                """,
                CODES[model],
                [one["id"] for one in state[name]],
            )
            assert lost == [], f"{name} were deleted that exist"


async def play(product: Product, settings: hypothesis.settings, seed: int | None) -> None:
    """Play games in a thread, so that Hypothesis need not know of the loop."""

    class Game(Days):
        pass

    Game.product, Game.loop = product, asyncio.get_running_loop()
    if seed is not None:
        hypothesis.seed(seed)(Game)
    await asyncio.to_thread(run_state_machine_as_test, Game, settings=settings)


SHORT = hypothesis.settings(
    max_examples=5,
    stateful_step_count=14,
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    # A game takes a second or more: making a failing one shorter would take longer than reading it.
    phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
    suppress_health_check=list(HealthCheck),
)
LONG = hypothesis.settings(
    SHORT, max_examples=max(GAMES, 1), stateful_step_count=60, derandomize=False, verbosity=hypothesis.Verbosity.normal
)


@pytest.mark.chaos
async def test_the_lists_are_true_whatever_happens(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(personio_client, "PAGE_SIZE", 5)
    if not GAMES:
        await play(product, SHORT, None)
        return
    seed = int(SEED) if SEED else random.randrange(2**32)  # noqa: S311 -- a game, not a secret
    print(f"\n{GAMES} games with seed {seed}; again with: make soak GAMES={GAMES} SEED={seed}", flush=True)
    await play(product, LONG, seed)
