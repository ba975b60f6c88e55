"""Random days at a company, random syncs, decisions, faults and crashes: the lists always show what is true.

Hypothesis plays a recruiter, a scheduler, an operator and a saboteur. The oracle is :mod:`company_oracle`, which reads
the simulator's truth for all thirteen lists. The suite plays a few short games, the same every time; ``make soak``
plays long ones with a new seed each time, which it prints: ``make soak SEED=<number>`` repeats a game.

That it notices was tried with faults put into the product, each of which lost the suite's short games:

- deletions that are never applied (``sync.deletion.apply_gone`` returns at once);
- a change lost by a crash between two commits (``sync.run._read`` noting a stream as read before its pages are stored);
- all of a large loss dropped (``sync.decisions.confirm`` removing nothing), or applied without asking
  (``sync.snapshots.is_unsafe`` always false);
- documents not rendered again when a related record changes (``sync.render.render_changes`` rendering only what
  changed itself).
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import hypothesis
import pytest
from hypothesis import HealthCheck
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from atsumi.connectors.personio import client as personio_client
from atsumi.model.catalog import CODES
from atsumi.model.ids import record_id
from atsumi.model.names import Model
from atsumi.server.remapping import execute_run
from atsumi.store import modes, runs, unsafe
from atsumi.sync import decisions
from atsumi.sync.blanking import blank_due
from atsumi.sync.modes import switch
from atsumi.sync.page import PageResult
from atsumi.sync.run import execute
from company_oracle import FILLED, LEARNED, NOTHING, expected, narrowed, shown
from harness import Account, Product, small_company, until

GAMES = int(os.environ.get("ATSUMI_SOAK_GAMES", "0"))
SEED = os.environ.get("ATSUMI_SOAK_SEED")
DELETABLE = {"applications": Model.APPLICATION, "candidates": Model.CANDIDATE, "jobs": Model.JOB}
PEOPLE = ("applications", "candidates")
IN_BACKGROUND = {"applications": {"rejected_at"}}
"""What is read in the background, besides attachments."""
AT_ONCE = {
    "applications": {
        *("outcome", "job", "job_name", "candidate", "candidate_name", "stage"),
        *("created_at", "updated_at"),
    },
    "candidates": {
        *("first_name", "last_name", "emails", "phones", "location"),
        *("created_at", "updated_at"),
    },
    "jobs": {"name", "is_published", "department", "team", "title", "created_at", "updated_at"},
    "roles": {"scope"},
}
"""What an increment shows. The rest changes where the tool tells nobody: renamed stages, categories and people."""
MOST_GONE = 3
"""Deletions between two full runs; more than three in ten wait for the operator."""
FEWEST = 7
STEP_SECONDS = 90.0

FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "429", "retry_after": "1"},
    {"kind": "status", "status": 503, "count": 2},
    {"kind": "status", "status": 500, "count": 12},
    {"kind": "cut"},
    {"kind": "html"},
    {"kind": "error_body"},
    {"kind": "duplicate_records", "records": 2},
    {"kind": "reorder_records", "count": 2},
    {"kind": "swap_pages"},
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
    "/v2/persons",
    "/career",
)
EDITS = (
    "move",
    "decide",
    "rename_candidate",
    "apply",
    "apply_again",
    "anonymise",
    "anonymise_candidate",
    "edit_job",
    "staff_job",
    "create_job",
    "publish_or_unpublish",
    "rename_stage",
    "add_stage",
    "rename_category",
    "rename_person",
    "add_file",
    "delete_file",
    "delete_application",
    "delete_candidate",
    "delete_job",
)
RUNS = (
    *("incremental",) * 3,
    *("full",) * 2,
    *("background",) * 2,
    *("incremental crash", "full crash"),
    *("incremental kill", "full kill", "background kill") * 2,
    *("incremental fault", "full fault"),
    *("large_loss", "narrow", "blank", "undo", "remap"),
)
DOOMED = "doomed"
"""The name under which a run's connections are known that will be cut."""
INDEX = st.integers(0, 10_000)


class Days(RuleBasedStateMachine):
    """One company and one integration of it."""

    product: Product
    loop: asyncio.AbstractEventLoop
    games = 0
    """Begun so far."""

    def __init__(self) -> None:
        super().__init__()
        self.account: Account
        self.gone: dict[str, set[str]] = {name: set() for name in DELETABLE}
        """Deleted since the last full run that went well."""
        self.closed: set[str] = set()
        """Jobs taken out of the feed, or deleted, since then: a small feed that shrinks is not believed at once."""
        self.created: set[str] = set()
        """Applications that count as created through our API."""
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

    @property
    def target(self) -> Any:
        """For rules only: on the loop itself waiting would never end."""
        return self.wait(self.account.runtime.target(self.account.integration))

    def pick(self, kind: str, number: int) -> dict[str, Any]:
        found = self.simulator.state(kind)[kind]
        return found[number % len(found)]

    @initialize(seed=st.integers(1, 5))
    def connect(self, seed: int) -> None:
        type(self).games += 1
        if GAMES:
            print(f"game {type(self).games}", flush=True)
        company = small_company(seed=seed, applications=14, jobs=5, published_share=0.6)
        self.account = self.wait(self.product.connect(company))
        self._sync("full")

    @rule(
        edits=st.lists(st.tuples(st.sampled_from(EDITS), INDEX, INDEX), max_size=4),
        run=st.sampled_from(RUNS),
        after=st.integers(1, 60),
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
                self._crash(kind, 1 + after // 4)
            case [kind, "kill"]:
                self._kill(kind, after)
            case [kind, "fault"]:
                self._disturb(kind, fault, path)
            case ["incremental" | "full" as kind]:
                self._sync(kind)
            case [decision]:
                getattr(self, f"_{decision}")(after)

    # The recruiter.

    def _move(self, number: int, other: int) -> None:
        self.simulator.move_application(self.pick("applications", number)["id"], self.pick("stages", other)["id"])

    def _decide(self, number: int, other: int) -> None:
        stages = ("rejected", "withdrawn", "offer", "accepted")
        self.simulator.move_application(self.pick("applications", number)["id"], stages[other % len(stages)])

    def _rename_candidate(self, number: int, other: int) -> None:
        self.simulator.edit_candidate(
            self.pick("candidates", number)["id"], last_name=f"Name {other % 5}", phone=f"+49 30 {other % 7}"
        )

    def _apply(self, number: int, other: int) -> None:
        candidate = self.simulator.create_candidate("Neu", f"Nummer {other}", f"neu{other}@example.org")
        self.simulator.create_application(candidate, self.pick("jobs", number)["id"])

    def _apply_again(self, number: int, other: int) -> None:
        channel = self.pick("channels", other)["id"]
        self.simulator.create_application(
            self.pick("candidates", number)["id"], self.pick("jobs", other)["id"], channel_id=channel
        )

    def _anonymise(self, number: int, other: int) -> None:
        self.simulator.anonymise_application(self.pick("applications", number)["id"])

    def _anonymise_candidate(self, number: int, other: int) -> None:
        if other % 3 == 0:
            self.simulator.anonymise_candidate(self.pick("candidates", number)["id"])

    def _edit_job(self, number: int, other: int) -> None:
        department = ("Küche", "Service", None)[other % 3]
        self.simulator.edit_job(self.pick("jobs", number)["id"], name=f"Stelle {other % 7}", department=department)

    def _staff_job(self, number: int, other: int) -> None:
        person = self.pick("persons", other)["id"]
        team = [{"person_id": person, "role": f"Rolle {other % 3}"}, {"person_id": person, "role": "Recruiter"}]
        self.simulator.edit_job(self.pick("jobs", number)["id"], hiring_team=team[: 1 + other % 2])

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

    def _add_stage(self, number: int, other: int) -> None:
        category = self.pick("categories", number)
        self.simulator.edit_category(category["id"], stages=[f"Neue Phase {other % 5}", *category["stages"]])

    def _rename_category(self, number: int, other: int) -> None:
        self.simulator.edit_category(self.pick("categories", number)["id"], name=f"Kategorie {other % 5}")

    def _rename_person(self, number: int, other: int) -> None:
        self.simulator.edit_person(self.pick("persons", number)["id"], last_name=f"Name {other % 5}")

    def _add_file(self, number: int, other: int) -> None:
        """Whether a file changes its application is open, so the application moves, too."""
        application = self.pick("applications", number)
        if not application["is_anonymized"]:
            self.simulator.add_document(application["id"], f"Zeugnis {other % 9}.pdf")
            self._move(number, other)

    def _delete_file(self, number: int, other: int) -> None:
        if self.simulator.state("documents")["documents"]:
            document = self.pick("documents", number)
            self.simulator.delete_document(document["id"])
            self.simulator.move_application(document["application_id"], self.pick("stages", other)["id"])

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
            self.gone = {name: set() for name in DELETABLE}
            self.is_damaged = False
        self.is_level = True

    def _background(self) -> None:
        self.wait(self._finish_open_run())
        assert self.wait(self.account.background()) == "SUCCEEDED"
        self.wait(self._check_invariants())
        if self.is_level and not self.is_damaged:
            self.wait(self._check_background())

    # The operator.

    def _large_loss(self, number: int) -> None:
        """More goes than is believed: nothing is removed before somebody has confirmed it."""
        while len(self.simulator.state("applications")["applications"]) < 12:
            self._apply(number, len(self.simulator.state("candidates")["candidates"]))
        self._sync("full")
        lost = {one["id"] for one in self.simulator.state("applications")["applications"][::2]}
        for one in lost:
            self.simulator.delete_application(one)
        for is_confirmed in (number % 2 == 0, True):
            assert self.wait(self.account.sync("full")).state == "PARTIALLY_FAILED"
            [change] = self.wait(unsafe.unsafe_changes(self.account.pool, self.account.number))
            assert (change.stream, set(change.missing)) == ("applications", lost)
            assert lost <= self.wait(self.account.remote_ids("applications"))
            if is_confirmed:
                assert self.wait(decisions.confirm(self.account.pool, self.target, change)) == len(lost)
                break
            self.wait(decisions.discard(self.account.pool, change))
        assert not lost & self.wait(self.account.remote_ids("applications"))
        self._sync("full")

    def _narrow(self, number: int) -> None:
        """Keep only some applications for a while, and then all again."""
        self._sync("full")
        applications = self.simulator.state("applications")["applications"]
        some = applications[number % len(applications)]
        if number % 2:
            self.created.add(some["id"])
            kept, mode = self.created, {"mode": "created_only"}
            self.wait(self._note_created(some["id"]))
        else:
            age = datetime.now(UTC) - datetime.fromisoformat(some["updated_at"])
            days = age.days + 1
            since = datetime.now(UTC) - timedelta(days=days)
            kept = {one["id"] for one in applications if datetime.fromisoformat(one["updated_at"]) >= since}
            mode = {"mode": "rolling_days", "days": days}
        self.wait(switch(self.account.pool, self.account.number, self.target, **mode))
        self.wait(self._check_narrowed(kept))
        for kind in ("full", "incremental"):
            self.simulator.edit_candidate(self.pick("candidates", number)["id"], location="Bremen")
            run = self.wait(self.account.sync(kind))
            assert run.state == "SUCCEEDED", run.message
            self.wait(self._check_narrowed(kept))
        self.wait(switch(self.account.pool, self.account.number, self.target, "all"))
        self._sync("full")

    async def _note_created(self, application: str) -> None:
        async with self.account.pool.acquire() as connection:
            await modes.note_created_application(connection, self.account.number, application)

    async def _check_narrowed(self, kept: set[str]) -> None:
        wanted = narrowed(self.simulator, kept)
        assert {name: await self.account.remote_ids(name) for name in PEOPLE} == wanted
        assert await self.account.fragments() == await self.account.rendered_anew()

    def _blank(self, number: int) -> None:
        """The retention of all that is deleted is over."""
        self.wait(self._finish_open_run())
        self.wait(self._blank_all())
        self.wait(self._check_invariants())

    async def _blank_all(self) -> None:
        before = await self._lists_without_embedded_names()
        later = datetime.now(UTC) + timedelta(days=15)
        target = await self.account.runtime.target(self.account.integration)
        while await blank_due(self.account.pool, self.account.number, target, later):
            pass
        assert await self._lists_without_embedded_names() == before
        for name, fields in (("applications", ("outcome", "candidate")), ("candidates", ("last_name", "location"))):
            for one in await self.account.rows(name, include_deleted="true"):
                if one["remote_deleted_at"] is not None:
                    assert {field: one[field] for field in fields} == dict.fromkeys(fields), name

    async def _lists_without_embedded_names(self) -> dict[str, dict[str, dict[str, Any]]]:
        """The name of a deleted job or candidate stays in an application until it is blanked."""
        found = await self._lists()
        for one in found["applications"].values():
            del one["job_name"], one["candidate_name"]
        return found

    def _undo(self, number: int) -> None:
        """A deletion is taken back; the tool still does not know the record, which the next full run finds out."""
        self.wait(self._finish_open_run())
        name = PEOPLE[number % 2]
        deleted = self.wait(self._deleted(DELETABLE[name]))
        if not deleted or not self._may_delete():
            return
        one = deleted[number % len(deleted)]
        id = record_id(self.account.integration.public_id, DELETABLE[name], one)
        self.wait(decisions.undo(self.account.pool, self.account.number, self.target, DELETABLE[name], id))
        self.gone[name].add(one)
        self.is_level = False
        assert one in self.wait(self.account.remote_ids(name))
        self.wait(self._check_invariants())

    async def _deleted(self, model: Model) -> list[str]:
        rows = await self.account.fetch(
            """
            SELECT remote_id FROM record
            WHERE integration = $1 AND model = $2 AND deleted_at IS NOT NULL AND blanked_at IS NULL ORDER BY remote_id
            """,
            CODES[model],
        )
        return [row["remote_id"] for row in rows]

    def _remap(self, number: int) -> None:
        """Computed anew from what is stored, everything is as it was."""
        self.wait(self._finish_open_run())
        self.wait(self._remap_all())

    async def _remap_all(self) -> None:
        before = await self.account.row_versions()
        claim = await self.account.claim("remap")
        assert await execute_run(self.account.runtime, claim, await self.account.fresh()) == "SUCCEEDED"
        assert await self.account.row_versions() == before

    # The saboteur.

    def _crash(self, kind: str, after: int) -> None:
        """Stop a run after some pages; the next sync has to go on with it."""
        self.wait(self._finish_open_run())
        self.wait(self._cut_off(kind, after))
        self._after_an_end(kind, is_finished_at_once=after % 2 == 0)

    def _kill(self, kind: str, after: int) -> None:
        """End a run after some statement, mostly in the middle of a transaction, with nothing put in order."""
        self.wait(self._finish_open_run())
        for name in ("move", "apply", "rename_candidate", "edit_job", "rename_stage", "add_stage"):
            # So that each listing has something to lose.
            getattr(self, f"_{name}")(after, after + 1)
        self.wait(self._break_off(kind, after * {"full": 4, "incremental": 3}.get(kind, 1)))
        self._after_an_end(kind, is_finished_at_once=after % 3 > 0)

    def _after_an_end(self, kind: str, *, is_finished_at_once: bool) -> None:
        """What another worker makes of it without a day between is as true as an unbroken run; later ones read again
        what has changed lately, and would hide what this one has lost."""
        self.wait(self._check_invariants())
        self.is_level = False
        if is_finished_at_once and kind != "background":
            self.wait(self._finish_open_run())
            self.wait(self._check(is_full=kind == "full"))

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

    async def _break_off(self, kind: str, after: int) -> None:
        """Cut the run's connections at a statement: the server sees what it sees of a process that was killed."""
        left = after

        def count(statement: object) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                pool.terminate()

        async def watch(connection: asyncpg.Connection) -> None:
            connection.add_query_logger(count)

        claim = await self.account.claim(kind)
        async with asyncpg.create_pool(
            self.account.runtime.database_url,
            min_size=1,
            max_size=3,
            init=watch,
            server_settings={"application_name": DOOMED, "jit": "off"},
        ) as pool:
            try:
                await execute(await self.account.work(claim, pool=pool))
            except Exception:
                # The driver has many words for a connection that is gone.
                if left > 0:
                    raise
        # What had arrived before the connections were cut may still be carried out.
        await until(self._is_forgotten, "the server has noticed that its client is gone")

    async def _is_forgotten(self) -> bool:
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1"
        return not await self.account.pool.fetch(ended, DOOMED)

    async def _finish_open_run(self) -> None:
        """A run that was cut off or put off goes on first, as the worker would have it once its lease is over."""
        for _ in range(12):
            found = [
                one for one in await runs.latest_runs(self.account.pool, self.account.number) if one.state == "RUNNING"
            ]
            if not found:
                return
            await self.account.pool.execute(
                "UPDATE sync_run SET heartbeat_at = '-infinity', next_at = now() WHERE id = $1", found[0].id
            )
            claim = await runs.claim_run(self.account.pool, found[0].id)
            assert claim is not None
            await execute(await self.account.work(claim))
        raise AssertionError("a run does not end")

    # The truth.

    async def _lists(self) -> dict[str, dict[str, dict[str, Any]]]:
        documents = {name: await self.account.rows(name) for name in FILLED}
        ids = {one["id"]: one["remote_id"] for name in PEOPLE for one in documents[name]}
        return shown(documents, ids)

    async def _check(self, *, is_full: bool) -> None:
        await self._check_invariants()
        if self.is_damaged and not is_full:
            return
        truth, found = expected(self.simulator), await self._lists()
        for name in FILLED:
            if name == "attachments":
                continue
            present, wanted = found[name], truth[name]
            assert wanted.keys() <= present.keys(), (name, wanted.keys() - present.keys())
            if name not in LEARNED:
                allowed = self.closed if is_full and name == "jobs" else set() if is_full else self.gone[name]
                assert present.keys() - wanted.keys() <= allowed, (name, present.keys() - wanted.keys())
            for remote_id, fields in wanted.items():
                skipped = self._not_yet(name, remote_id, fields, truth, is_full=is_full)
                for field, value in fields.items():
                    if field not in skipped:
                        assert present[remote_id][field] == value, (name, remote_id, field, present[remote_id], fields)
        for name in NOTHING:
            assert await self.account.rows(name) == []

    def _not_yet(
        self, name: str, remote_id: str, fields: dict[str, Any], truth: dict[str, Any], *, is_full: bool
    ) -> set[str]:
        """The fields that this record need not show truly yet."""
        skipped = set() if is_full else fields.keys() - AT_ONCE.get(name, set())
        skipped |= IN_BACKGROUND.get(name, set())
        if name == "applications":
            # What was deleted is no longer embedded, once that is known.
            for field, other in (("job", "jobs"), ("candidate", "candidates")):
                if fields[field] not in truth[other]:
                    skipped |= {field, f"{field}_name"}
        if not is_full and name in PEOPLE:
            # Which applications a candidate has is told by the candidate's own record, which a new one does not bump.
            anonymised = {
                one["candidate_id"]
                for one in self.simulator.state("applications")["applications"]
                if one["is_anonymized"]
            }
            if name == "candidates":
                skipped |= set(fields) if remote_id in anonymised else set()
            else:
                skipped |= {"candidate_name"} if fields["candidate"] in anonymised else set()
        if name == "jobs" and remote_id in self.closed:
            skipped |= {"is_published", "title", "questions"}
        return skipped

    async def _check_background(self) -> None:
        truth, found = expected(self.simulator), await self._lists()
        rejected = {id: fields["rejected_at"] for id, fields in truth["applications"].items()}
        assert {id: found["applications"][id]["rejected_at"] for id in rejected} == rejected
        for id, fields in truth["attachments"].items():
            assert found["attachments"].get(id) == fields, id
        unknown = found["attachments"].keys() - truth["attachments"].keys()
        assert {found["attachments"][id]["application"] for id in unknown} <= self.gone["applications"]

    async def _check_invariants(self) -> None:
        """True at any time, whatever was cut off or made up."""
        log = await self.account.fetch("SELECT seq FROM change WHERE integration = $1 ORDER BY seq")
        assert [row["seq"] for row in log] == list(range(1, len(log) + 1))
        assert await self.account.fragments() == await self.account.rendered_anew()
        state = self.simulator.state()
        team = [{"id": member["person_id"]} for one in state["jobs"] for member in one["hiring_team"]]
        for name, model, existing in (
            *((name, model, state[name]) for name, model in DELETABLE.items()),
            ("attachments", Model.ATTACHMENT, state["documents"]),
            ("users", Model.USER, team),
        ):
            lost = await self.account.fetch(
                """
                SELECT remote_id FROM record
                WHERE integration = $1 AND model = $2 AND deleted_at IS NOT NULL AND remote_id = ANY($3)
                """,
                CODES[model],
                [one["id"] for one in existing],
            )
            assert lost == [], f"{name} were deleted that exist"


async def play(product: Product, settings: hypothesis.settings, seed: int) -> None:
    """Play games in a thread, so that Hypothesis need not know of the loop."""

    class Game(Days):
        pass

    Game.product, Game.loop = product, asyncio.get_running_loop()
    hypothesis.seed(seed)(Game)
    await asyncio.to_thread(run_state_machine_as_test, Game, settings=settings)


SHORT = hypothesis.settings(
    max_examples=3,
    stateful_step_count=20,
    deadline=None,
    database=None,
    print_blob=True,
    # A game takes a second or more: making a failing one shorter would take longer than reading it.
    phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
    suppress_health_check=list(HealthCheck),
)
SHORT_SEED = 7
LONG = hypothesis.settings(SHORT, max_examples=max(GAMES, 1), stateful_step_count=60)


@pytest.mark.chaos
async def test_the_lists_are_true_whatever_happens(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(personio_client, "PAGE_SIZE", 5)
    # Hypothesis also draws numbers that stand in the product's source: any line of code would change the games.
    monkeypatch.setattr(providers, "_get_local_constants", Constants)
    if not GAMES:
        print(f"the games of seed {SHORT_SEED}; running this test again repeats them")
        await play(product, SHORT, SHORT_SEED)
        return
    seed = int(SEED) if SEED else random.randrange(2**32)  # noqa: S311 -- a game, not a secret
    print(f"\n{GAMES} games with seed {seed}; again with: make soak GAMES={GAMES} SEED={seed}", flush=True)
    await play(product, LONG, seed)
