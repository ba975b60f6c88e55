"""Records and documents computed anew from what is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from atsumi.connector.contract import Built, Connector, Group, GroupRule, MappingContext, RawView, RecordMapping
from atsumi.errors import Conflict
from atsumi.model.catalog import CODES
from atsumi.model.names import Model
from atsumi.server.remapping import execute_run, remap_now
from atsumi.store import history, runs
from atsumi.store.runs import Claim, Run
from atsumi.sync import remap as engine
from atsumi.sync.projection import Projection, Stored, WireModel
from bindbee_reader import bindbee_of
from harness import Account, Product

KOMBO = "documents of kombo"


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several pages and transactions even of a small company."""
    monkeypatch.setattr(engine, "_RAW", 7)
    monkeypatch.setattr(engine, "_GROUPS", 3)
    monkeypatch.setattr(engine, "_DOCUMENTS", 5)


@pytest.fixture
async def account(product: Product) -> Account:
    account = await product.synced(applications=20, jobs=4)
    # From here on every request to the tool would fail.
    product.origins.is_cut.add(account.origin.partition("://")[2])
    return account


@dataclass
class Changed:
    """An account's product with another mapping, another dialect, or both."""

    account: Account
    connector: Connector = field(init=False)
    projections: Sequence[Projection] = field(init=False)

    def __post_init__(self) -> None:
        self.connector = self.account.runtime.connector("personio")
        self.projections = self.account.runtime.projections

    @property
    def mapping(self) -> RecordMapping:
        return self.connector.mapping

    def remap_rule(self, model: Model, **changes: Any) -> None:
        rules = {**self.mapping.rules, model: replace(self.mapping.rules[model], **changes)}
        self.connector = replace(self.connector, mapping=replace(self.mapping, rules=rules))

    def place_raw(self, affected: Any) -> None:
        self.connector = replace(self.connector, mapping=replace(self.mapping, affected=affected))

    async def run(self, claim: Claim | None = None, **options: Any) -> Run:
        claim = claim or await self.account.claim("remap")
        runtime = replace(self.account.runtime, connectors={"personio": self.connector}, projections=self.projections)
        await execute_run(runtime, claim, await self.account.fresh(), **options)
        run = await runs.find_run(self.account.pool, claim.run.id)
        assert run is not None
        return run

    async def last_seq(self) -> int:
        return await self.account.pool.fetchval("SELECT seq FROM clock WHERE integration = $1", self.account.number)

    async def changes_after(self, seq: int) -> list[tuple[Model, int]]:
        rows = await self.account.fetch(
            "SELECT model, kind FROM change WHERE integration = $1 AND seq > $2 ORDER BY seq", seq
        )
        return [(_MODELS[row["model"]], row["kind"]) for row in rows]


_MODELS = {code: model for model, code in CODES.items()}


@pytest.fixture
def changed(account: Account) -> Changed:
    return Changed(account)


def renaming(rule: GroupRule, suffix: str) -> Any:
    """A rule's ``build`` that adds something to the names of departments."""

    def build(key: str, view: RawView, context: MappingContext) -> Built:
        built = rule.build(key, view, context)
        return Built([replaced(one, name=f"{one.name}{suffix}") for one in built.records], built.issues)

    return build


def replaced(record: Any, **values: Any) -> Any:
    copy = type(record)(**{name: getattr(record, name) for name in record.__struct_fields__} | values)
    return copy


async def test_an_unchanged_mapping_emits_nothing_and_rewrites_no_row(changed: Changed) -> None:
    before = await changed.account.row_versions()
    run = await changed.run()
    assert (run.state, run.message) == ("SUCCEEDED", None)
    assert await changed.account.row_versions() == before
    assert (
        await changed.account.fetch(
            "SELECT 1 FROM seen_page s JOIN sync_run r ON r.id = s.run_id WHERE r.integration = $1"
        )
        == []
    )
    progress = {one.stream: one for one in await runs.progress(changed.account.pool, run.id)}
    assert {one.state for one in progress.values()} == {"COMPLETE"}
    assert sum(one.records_seen for one in progress.values()) > 100
    assert {one.records_changed for one in progress.values()} == {0}


async def test_a_changed_mapping_emits_what_it_changes_and_nothing_else(changed: Changed) -> None:
    account, seq = changed.account, await changed.last_seq()
    departments = await account.fetch(
        "SELECT count(*) FROM record WHERE integration = $1 AND model = $2", CODES[Model.DEPARTMENT]
    )
    changed.remap_rule(Model.DEPARTMENT, build=renaming(changed.mapping.rules[Model.DEPARTMENT], " GmbH"))

    assert (await changed.run()).state == "SUCCEEDED"

    assert await changed.changes_after(seq) == [(Model.DEPARTMENT, 2)] * departments[0][0]
    assert departments[0][0] > 0
    assert await account.fragments() == await account.rendered_anew()
    shown = await (await bindbee_of(account)).rows("departments")
    assert shown
    assert all(row["name"].endswith(" GmbH") for row in shown)
    department = (
        await account.fetch(
            "SELECT id FROM record WHERE integration = $1 AND model = $2 LIMIT 1", CODES[Model.DEPARTMENT]
        )
    )[0]["id"]
    past = await history.version_at(account.pool, account.number, CODES[Model.DEPARTMENT], department, seq)
    assert b"GmbH" not in past.data


async def test_a_record_that_its_group_yields_no_more_is_removed(changed: Changed) -> None:
    seq = await changed.last_seq()
    rule = changed.mapping.rules[Model.DEPARTMENT]
    changed.remap_rule(Model.DEPARTMENT, build=lambda key, view, context: Built([]))
    await changed.run()
    kinds = await changed.changes_after(seq)
    assert set(kinds) == {(Model.DEPARTMENT, 3)}
    assert await changed.account.fragments() == await changed.account.rendered_anew()

    seq = await changed.last_seq()
    changed.remap_rule(Model.DEPARTMENT, build=rule.build)
    await changed.run()
    assert await changed.changes_after(seq) == [(Model.DEPARTMENT, 4)] * len(kinds)


async def test_a_record_to_which_no_raw_record_leads_any_more_is_removed(changed: Changed) -> None:
    seq = await changed.last_seq()
    affected = changed.mapping.affected

    def without_departments(raw: Any, context: MappingContext) -> list[Group]:
        return [group for group in affected(raw, context) if group.model is not Model.DEPARTMENT]

    changed.place_raw(without_departments)
    assert (await changed.run()).state == "SUCCEEDED"
    assert set(await changed.changes_after(seq)) == {(Model.DEPARTMENT, 3)}
    assert await changed.account.fragments() == await changed.account.rendered_anew()


async def test_mass_removal_waits_for_the_operator(changed: Changed) -> None:
    seq = await changed.last_seq()
    affected = changed.mapping.affected

    def almost_nothing(raw: Any, context: MappingContext) -> list[Group]:
        return [group for group in affected(raw, context) if group.model is Model.DEPARTMENT]

    changed.place_raw(almost_nothing)
    run = await changed.run()
    assert run.state == "PARTIALLY_FAILED"
    assert run.message is not None
    assert "--accept-losses" in run.message
    assert await changed.changes_after(seq) == []

    assert (await changed.run(accepts_losses=True)).state == "SUCCEEDED"
    kinds = await changed.changes_after(seq)
    removed = {model for model, kind in kinds if kind == 3}
    assert {Model.CANDIDATE, Model.APPLICATION} <= removed
    assert Model.DEPARTMENT not in removed


async def test_a_mapping_that_fails_on_raw_records_removes_nothing(changed: Changed) -> None:
    seq = await changed.last_seq()
    affected = changed.mapping.affected

    def failing(raw: Any, context: MappingContext) -> Any:
        found = list(affected(raw, context))
        if any(group.model is Model.DEPARTMENT for group in found):
            raise ValueError(raw)
        return found

    changed.place_raw(failing)
    run = await changed.run()
    assert run.state == "PARTIALLY_FAILED"
    assert await changed.changes_after(seq) == []


async def test_a_record_that_was_written_meanwhile_is_not_taken_for_one_without_source(
    changed: Changed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as one that was created through the API, whose raw record lies on a page that is done."""
    account, seq = changed.account, await changed.last_seq()
    remove = engine._remove_unmapped

    async def after_a_write(work: Any, progress: Any) -> Any:
        await account.pool.execute(
            "UPDATE record SET seq = seq + 1000000, group_id = gen_random_uuid() WHERE integration = $1 AND model = $2",
            account.number,
            CODES[Model.DEPARTMENT],
        )
        return await remove(work, progress)

    monkeypatch.setattr(engine, "_remove_unmapped", after_a_write)
    assert (await changed.run()).state == "SUCCEEDED"
    assert await changed.changes_after(seq) == []


async def test_a_changed_dialect_rewrites_documents_and_moves_none(changed: Changed) -> None:
    account, seq = changed.account, await changed.last_seq()
    kombo = changed.projections[0]
    before = {key: place for key, place in (await places(account)).items() if key[0] == kombo.code}

    def louder(one: WireModel) -> WireModel:
        def render(stored: Stored[Any]) -> bytes:
            return one.render(stored) + b',"loud":true'

        return replace(one, render=render)

    changed.projections = [
        replace(kombo, wire_models=tuple(louder(one) for one in kombo.wire_models)),
        replace(kombo, name="other", code=99),
    ]
    request, _ = await runs.request_run(account.pool, account.number, "remap", only_documents=True)
    claim = await runs.claim_run(account.pool, request.id)
    run = await changed.run(claim)

    assert run.state == "SUCCEEDED"
    assert [one.stream for one in await runs.progress(account.pool, run.id)] == [KOMBO, "documents of other"]
    assert await changed.changes_after(seq) == []
    after = await places(account)
    assert {key: place for key, place in after.items() if key[0] == kombo.code} == before
    assert {key[1:] for key in after if key[0] == 99} == {key[1:] for key in before}
    bodies = await account.fetch("SELECT body FROM fragment WHERE integration = $1 AND dialect = $2", kombo.code)
    assert all(row["body"].endswith(b'"loud":true') for row in bodies)


@pytest.mark.parametrize("place", range(1, 40, 4))
async def test_a_remap_that_is_killed_goes_on_at_its_last_page(
    changed: Changed, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    account, seq = changed.account, await changed.last_seq()
    changed.remap_rule(Model.DEPARTMENT, build=renaming(changed.mapping.rules[Model.DEPARTMENT], " AG"))
    affected, count = changed.mapping.affected, {"pages": 0}
    changed.place_raw(lambda raw, context: [g for g in affected(raw, context) if g.model is not Model.OFFICE])
    record_page = runs.record_page

    async def dying(*args: Any, **values: Any) -> None:
        await record_page(*args, **values)
        count["pages"] += 1
        if count["pages"] == place:
            raise Killed

    claim = await account.claim("remap")
    with monkeypatch.context() as patch:
        patch.setattr(runs, "record_page", dying)
        with pytest.raises(Killed):
            await changed.run(claim)
    done = await runs.progress(account.pool, claim.run.id)
    await account.pool.execute("UPDATE sync_run SET heartbeat_at = '-infinity' WHERE id = $1", claim.run.id)
    again = await runs.claim_run(account.pool, claim.run.id)
    assert again is not None
    run = await changed.run(again)

    assert run.state == "SUCCEEDED"
    finished = await runs.progress(account.pool, run.id)
    for before, after in zip(done, finished, strict=True):
        assert after.records_seen >= before.records_seen
    kinds = await changed.changes_after(seq)
    departments = await account.fetch(
        "SELECT count(*) FROM record WHERE integration = $1 AND model = $2", CODES[Model.DEPARTMENT]
    )
    assert kinds.count((Model.DEPARTMENT, 2)) == departments[0][0]
    assert set(kinds) == {(Model.DEPARTMENT, 2), (Model.OFFICE, 3)}
    assert len(kinds) == len(
        await account.fetch("SELECT DISTINCT id FROM change WHERE integration = $1 AND seq > $2", seq)
    )
    assert await account.fragments() == await account.rendered_anew()


async def test_only_one_run_of_an_integration_is_executed_at_a_time(changed: Changed) -> None:
    account = changed.account
    claim = await account.claim("remap")
    sync, _ = await runs.request_run(account.pool, account.number, "incremental")
    assert await runs.claim_run(account.pool, sync.id) is None
    await asyncio.gather(changed.run(claim))
    assert await runs.claim_run(account.pool, sync.id) is not None


async def test_an_integration_that_waits_for_credentials_can_be_remapped(changed: Changed) -> None:
    account = changed.account
    await account.pool.execute("UPDATE integration SET state = 'INVALID' WHERE number = $1", account.number)
    assert (await changed.run()).state == "SUCCEEDED"


async def test_the_command_continues_a_remap_that_was_left(changed: Changed) -> None:
    account = changed.account
    claim = await account.claim("remap")
    await runs.release_run(account.pool, claim)
    integration = await account.fresh()
    console = Console(file=StringIO())
    run = await remap_now(account.runtime, integration, console, only_documents=True, accepts_losses=False)
    assert (run.id, run.state) == (claim.run.id, "SUCCEEDED")
    assert len(await runs.progress(account.pool, run.id)) > 1


async def test_the_command_does_not_wait_for_a_sync_that_needs_the_tool(changed: Changed) -> None:
    account = changed.account
    claim = await account.claim()
    await runs.release_run(account.pool, claim)
    await account.pool.execute("UPDATE sync_run SET message = 'The tool is down.' WHERE id = $1", claim.run.id)
    console = Console(file=StringIO())
    with pytest.raises(Conflict, match="begins by itself"):
        await remap_now(account.runtime, account.integration, console, only_documents=False, accepts_losses=False)


async def places(account: Account) -> dict[tuple[int, int, Any], int]:
    rows = await account.fetch("SELECT dialect, model, id, touched_seq FROM fragment WHERE integration = $1")
    return {(row["dialect"], row["model"], row["id"]): row["touched_seq"] for row in rows}


async def test_records_are_found_by_what_newer_rules_say_of_them(account: Account, changed: Changed) -> None:
    async def found() -> list[tuple[Any, ...]]:
        rows = await account.fetch("SELECT model, id, keys, facets FROM record WHERE integration = $1 ORDER BY id")
        return [(row["model"], row["id"], set(row["keys"]), row["facets"]) for row in rows]

    before, seq = await found(), await changed.last_seq()
    await account.pool.execute(
        "UPDATE record SET keys = '{}', facets = NULL WHERE integration = $1 AND model = ANY($2)",
        account.number,
        [CODES[model] for model in (Model.JOB, Model.CANDIDATE, Model.USER)],
    )
    assert await found() != before
    assert (await changed.run()).state == "SUCCEEDED"
    assert await found() == before
    assert await changed.changes_after(seq) == []
