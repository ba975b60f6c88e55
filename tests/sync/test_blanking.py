"""Personal data goes where it has to go, from every table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from atsumi.errors import Conflict
from atsumi.model.ids import record_id
from atsumi.model.names import Model
from atsumi.store import blanking
from atsumi.sync import decisions
from atsumi.sync.blanking import blank_due
from canaries import tables_with
from harness import Account, Product

CANARY = "Zzyzxcanary"


async def with_canary(account: Account, *, is_only_applicant: bool = True) -> tuple[str, list[str]]:
    """A person with a name, an address and a past under the canary; their id and that of their applications."""
    simulator = account.simulator
    candidate = next(
        one
        for one in simulator.state("candidates")["candidates"]
        if any(a["candidate_id"] == one["id"] for a in simulator.state("applications")["applications"])
    )["id"]
    simulator.edit_candidate(
        candidate, first_name=f"{CANARY}First", last_name=f"{CANARY}Last", email=f"{CANARY}@x.example", location=CANARY
    )
    applications = [a["id"] for a in simulator.state("applications")["applications"] if a["candidate_id"] == candidate]
    for one in applications:
        simulator.edit_application(one, application_date="2026-01-05")
    await account.sync("incremental")
    simulator.edit_candidate(candidate, phone=f"+49 {CANARY}")
    await account.sync("incremental")
    assert {"record", "raw_record", "fragment", "record_version"} <= {
        name.rpartition(".")[0].rpartition("_")[0] for name in await tables_with(account.pool, CANARY)
    }
    return str(candidate), [str(one) for one in applications]


async def blank(account: Account, *, days: float) -> None:
    now = datetime.now(UTC) + timedelta(days=days)
    while await blank_due(account.pool, account.number, await account.runtime.target(account.integration), now):
        pass


async def test_a_deleted_person_is_gone_from_every_table_after_the_set_days(product: Product) -> None:
    account = await product.synced()
    candidate, applications = await with_canary(account)
    email = f"{CANARY}@x.example"
    assert [one["remote_id"] for one in await account.rows("candidates", email=email)] == [candidate]
    account.simulator.delete_candidate(candidate)
    await account.sync("full")

    await blank(account, days=13.9)
    assert await tables_with(account.pool, CANARY) != []
    assert account.number not in await blanking.integrations_due(account.pool, datetime.now(UTC), 1000)
    in_time = datetime.now(UTC) + timedelta(days=14, seconds=1)
    assert account.number in await blanking.integrations_due(account.pool, in_time, 1000)
    await blank(account, days=14.1)

    assert await tables_with(account.pool, CANARY) == []
    assert account.number not in await blanking.integrations_due(account.pool, in_time, 1000)
    rows = {row["remote_id"]: row for row in await account.rows("candidates", include_deleted="true")}
    assert rows[candidate]["first_name"] is None
    assert rows[candidate]["remote_deleted_at"] is not None
    assert rows[candidate]["id"] == account.id(Model.CANDIDATE, candidate)
    gone = {row["remote_id"]: row for row in await account.rows("applications", include_deleted="true")}
    assert all(gone[one]["outcome"] is None and gone[one]["candidate"] is None for one in applications)
    assert await account.rows("candidates", email=email, include_deleted="true") == []
    assert await account.fragments() == await account.rendered_anew()
    id = record_id(account.integration.public_id, Model.CANDIDATE, candidate)
    with pytest.raises(Conflict, match="lost its content"):
        await decisions.undo(
            account.pool, account.number, await account.runtime.target(account.integration), Model.CANDIDATE, id
        )


async def test_a_blanked_record_that_reappears_is_revived_with_its_content(product: Product) -> None:
    account = await product.synced()
    before = await account.documents()
    one = account.simulator.state("applications")["applications"][0]["id"]
    application = account.simulator.company.applications.get(int(one))
    assert application is not None
    account.simulator.delete_application(one)
    await account.sync("full")
    await blank(account, days=15)
    assert await account.fetch("SELECT 1 FROM record WHERE integration = $1 AND blanked_at IS NOT NULL") != []

    account.simulator.company.applications.add(application)
    candidate = account.simulator.company.candidates.get(application.candidate_id)
    assert candidate is not None
    candidate.applications.append(application.id)
    await account.sync("full")

    after = await account.documents()
    shown = after["applications"][str(one)]
    expected = before["applications"][str(one)]
    assert {key: shown[key] for key in ("id", "outcome", "job_id", "candidate_id", "remote_deleted_at")} == {
        key: expected[key] for key in ("id", "outcome", "job_id", "candidate_id", "remote_deleted_at")
    }
    assert await account.fetch("SELECT 1 FROM record WHERE integration = $1 AND blanked_at IS NOT NULL") == []
    assert await account.fragments() == await account.rendered_anew()


@pytest.mark.parametrize("kind", ["incremental", "full"])
async def test_an_anonymised_person_is_gone_from_every_table_at_once(product: Product, kind: str) -> None:
    account = await product.synced()
    candidate, applications = await with_canary(account)
    for one in applications:
        account.simulator.anonymise_application(one)

    await account.sync(kind)

    assert await tables_with(account.pool, CANARY) == []
    rows = {row["remote_id"]: row for row in await account.rows("candidates")}
    assert rows[candidate]["first_name"] is None
    assert {one["remote_id"] for one in rows[candidate]["applications"]} == set(applications)


async def test_a_tool_that_erases_only_applications_takes_the_person_with_them(product: Product) -> None:
    """The candidate itself still shows everything in the tool: what is erased there must not stay here."""
    account = await product.synced()
    candidate, applications = await with_canary(account)
    company = account.simulator.company
    for one in applications:
        application = company.applications.get(int(one))
        assert application is not None
        application.is_anonymized = True
        company.applications.touch(application, company.stamp())

    await account.sync("incremental")

    assert await tables_with(account.pool, CANARY) == []
    for _ in range(2):
        before = await account.row_versions()
        await account.sync("full")
        assert await account.row_versions() == before
    assert await tables_with(account.pool, CANARY) == []
    rows = {row["remote_id"]: row for row in await account.rows("candidates")}
    assert rows[candidate]["first_name"] is None


async def test_a_deleted_person_whose_application_is_erased_loses_everything_at_once(product: Product) -> None:
    account = await product.synced()
    candidate, applications = await with_canary(account)
    account.simulator.delete_candidate(candidate, with_applications=False)
    await account.sync("full")
    for one in applications:
        account.simulator.anonymise_application(one)

    await account.sync("incremental")

    assert await tables_with(account.pool, CANARY) == []
    rows = {row["remote_id"]: row for row in await account.rows("candidates", include_deleted="true")}
    assert rows[candidate]["remote_deleted_at"] is not None


async def test_nobody_elses_data_is_touched(product: Product) -> None:
    account = await product.synced()
    before: dict[str, Any] = await account.documents()
    one = account.simulator.state("candidates")["candidates"][0]["id"]
    account.simulator.delete_candidate(one)
    await account.sync("full")
    deleted = await account.documents()
    await blank(account, days=15)
    after = await account.documents()
    for name in before:
        kept = {id: row for id, row in after[name].items() if row["remote_deleted_at"] is None}
        assert kept == {id: row for id, row in deleted[name].items() if row["remote_deleted_at"] is None}
