"""What is out of scope is nowhere: not requested, not stored, and removed where it was stored before."""

from __future__ import annotations

import re

import pytest

from atsumi.connectors.personio import connector
from atsumi.connectors.personio.disclosure import disclosure
from atsumi.connectors.personio.simulator import Simulator
from atsumi.errors import InvalidInput
from atsumi.model.catalog import CODES
from atsumi.model.names import Model
from atsumi.model.scope import Setting, checked_settings, scope_of
from atsumi.server import scopes
from atsumi.store import deletion
from atsumi.sync import remap as engine
from atsumi.sync.run import execute
from canaries import canaries_in
from harness import Account, Product, small_company
from scope_kit import Canaries, disable, remap, set_scope


async def left(account: Account, canaries: Canaries) -> set[str]:
    return await canaries_in(account.pool, canaries.values)


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture
def company(canaries: Canaries) -> Simulator:
    simulator = small_company(applications=8, jobs=3)
    canaries.plant(simulator)
    return simulator


async def test_a_disabled_field_leaves_every_table_and_takes_nothing_else_with_it(
    product: Product, canaries: Canaries, company: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_RAW", 7)
    monkeypatch.setattr(engine, "_DOCUMENTS", 5)
    account = await product.synced(company)
    # A past, in which every value stands as well.
    canaries.plant(account.simulator)
    account.simulator.edit_job(account.simulator.state("jobs")["jobs"][0]["id"], occupation="Zzother")
    await account.background()
    await account.sync("incremental")
    assert await left(account, canaries) == canaries.values

    out: list[str] = []
    kept = canaries.values
    steps = list(canaries.by_fields.items())
    for some in (steps[:1], steps[1:8], steps[8:14], steps[14:]):
        out += [name for names, _ in some for name in names]
        kept -= {canary for _, canary in some}
        await disable(account, *out)
        assert (await remap(account)).state == "SUCCEEDED"
        assert await left(account, canaries) == kept, out
    assert await account.fragments() == await account.rendered_anew()


async def test_what_was_out_of_scope_from_the_start_is_never_stored_and_comes_back_under_the_same_ids(
    product: Product, canaries: Canaries, company: Simulator
) -> None:
    account = await product.connect(company)
    await disable(account, *canaries.fields)
    assert (await account.sync("full")).state == "SUCCEEDED"
    await account.background()
    assert await left(account, canaries) == set()
    before = await account.row_versions()

    await account.sync("full")
    assert await account.row_versions() == before, "an unchanged page stays unchanged"
    effect = await disable(account)
    assert effect.widened == [account.integration.id]
    ids = await account.fetch("SELECT model, id FROM record WHERE integration = $1 ORDER BY model, id")

    assert (await account.sync("full")).state == "SUCCEEDED"
    await account.background()
    assert await left(account, canaries) == canaries.values
    # Postings that differ in nothing that is kept were one.
    assert set(ids) <= set(await account.fetch("SELECT model, id FROM record WHERE integration = $1"))


async def test_a_disabled_model_is_removed_with_its_content_and_comes_back_under_the_same_ids(
    product: Product, canaries: Canaries, company: Simulator
) -> None:
    account = await product.synced(company)
    await account.background()
    people = await account.fetch("SELECT remote_id, id FROM record WHERE integration = $1 AND model = 12 ORDER BY id")
    # A person who is deleted already is no exception.
    account.simulator.delete_candidate(account.simulator.state("candidates")["candidates"][-1]["id"])
    await account.sync("full")
    simulator, policy = account.simulator, await deletion.policy_of(account.pool, account.number)
    assert policy.unsafe_fraction < 1, "a loss of everything would wait for the operator"

    await disable(account, "candidate", "application", "user")
    run = await remap(account)
    assert (run.state, run.message) == ("SUCCEEDED", None)
    rows = await account.fetch("SELECT model, data, deleted_at, blanked_at FROM record WHERE integration = $1")
    gone = {CODES[model] for model in (Model.CANDIDATE, Model.APPLICATION, Model.USER, Model.STAGE_TRANSITION)}
    assert all((row["model"] in gone) <= (row["deleted_at"] is not None) for row in rows)
    assert all((row["model"] in gone) <= (row["blanked_at"] is not None) for row in rows)
    assert {"scope"} == {one.kind for one in await deletion.evidence(account.pool, account.number, limit=500)} - {
        "probe"
    }
    told = {canary for names, canary in canaries.by_fields.items() if names[0].partition(".")[0] != "job"}
    assert await left(account, canaries) & told == set()

    simulator.log.clear()
    assert (await account.sync("full")).state == "SUCCEEDED"
    await account.background()
    asked = {re.sub(r"\d+", "{id}", entry.path) for entry in simulator.log.entries}
    assert not [path for path in asked if re.search("candidates|applications|persons|documents", path)]
    assert await left(account, canaries) & told == set()

    await disable(account)
    assert (await account.sync("full")).state == "SUCCEEDED"
    await account.background()
    assert await left(account, canaries) == canaries.values
    again = await account.fetch("SELECT remote_id, id FROM record WHERE integration = $1 AND model = 12 ORDER BY id")
    assert again == people


async def test_an_optional_field_is_kept_until_the_customer_declines_it(
    product: Product, canaries: Canaries, company: Simulator
) -> None:
    account = await product.synced(company)
    mail = canaries.by_fields["candidate.email_addresses",]
    await set_scope(account, {"candidate.email_addresses": "OPTIONAL"})
    await remap(account)
    assert await canaries_in(account.pool, [mail])
    row = await account.fresh()
    with pytest.raises(InvalidInput) as caught:
        await scopes.choose(account.runtime, row, None, ["candidate.location"])
    assert caught.value.path == "candidate.location"
    effect = await scopes.choose(account.runtime, row, None, ["candidate.email_addresses"])
    assert effect.narrowed == [row.id]
    await remap(account)
    assert not await canaries_in(account.pool, [mail])


async def test_whoever_reads_with_the_old_scope_is_fenced_off(
    product: Product, canaries: Canaries, company: Simulator
) -> None:
    account = await product.synced(company)
    claim = await account.claim("full")
    work = await account.work(claim)
    await disable(account, "candidate.email_addresses")
    assert await execute(work) == "LOST"


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("candidate.email_adresses", "DISABLED", "did you mean candidate.email_addresses"),
        ("candidat", "DISABLED", "did you mean candidate"),
        ("create_aplication", "OPTIONAL", "did you mean create_application"),
        ("candidate.email_addresses", "OFF", "ENABLED, DISABLED, OPTIONAL"),
        ("candidate.remote_id", "DISABLED", "Switch off the model"),
        ("job_posting.job_remote_id", "OPTIONAL", "Switch off the model"),
        ("application.is_anonymized", "DISABLED", "Switch off the model"),
    ],
)
def test_settings_that_cannot_be_are_refused(name: str, value: str, hint: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(hint)) as caught:
        checked_settings({name: value})
    assert caught.value.path == name


def test_what_a_record_cannot_be_without_takes_it_along() -> None:
    scope = scope_of({"job": Setting.DISABLED}, ())
    assert scope.models >= {Model.JOB, Model.JOB_POSTING, Model.JOB_STAGE, Model.HIRING_TEAM_MEMBER}
    assert Model.APPLICATION not in scope.models
    assert connector.disclosure is disclosure


async def test_surfaces_tell_what_is_out_of_scope(product: Product, canaries: Canaries, company: Simulator) -> None:
    account = await product.synced(company)
    await set_scope(account, {"user": "DISABLED", "candidate.source": "DISABLED", "candidate.location": "OPTIONAL"})
    answer = await account.get("/ats/users")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "INTEGRATION.MODEL_DISABLED")
    details = (await account.get(f"/integrations/{account.integration.id}")).json()["data"]
    assert details["scope_config"]["name"] == "test"
    models = {one["id"]: one for one in details["read_models"]}
    assert (models["ats_users"]["is_available"], models["ats_users"]["scope_config_setting"]) == (False, "DISABLED")
    fields = {one["id"]: one for one in models["ats_candidates"]["fields"]}
    shown = {
        name: (fields[name]["is_available"], fields[name]["scope_config_setting"]) for name in ("source", "location")
    }
    assert shown == {"source": (False, "DISABLED"), "location": (True, "OPTIONAL")}
    # What stands there until the next pass has removed it is not shown as raw data either.
    await disable(account, "candidate.location")
    await account.pool.execute("UPDATE integration SET remote_data_enabled = true WHERE number = $1", account.number)
    rows = [*await account.rows("applications"), *await account.rows("candidates")]
    assert any(row["remote_data"] for row in rows)
    assert not any(canaries.by_fields["candidate.location",] in str(row["remote_data"]) for row in rows)
