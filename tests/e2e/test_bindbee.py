"""The Bindbee surface over a synced company: lists, filters, related records, raw data, custom fields, cursors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from atsumi.connectors.personio import connector
from atsumi.dialects.bindbee.lists import LISTS, ListSpec
from bindbee_reader import NAMES, Bindbee, bindbee_of
from harness import Account, Product, small_company

EMPTY = {"scheduled-interviews", "offers", "reject-reasons", "tags", "activities", "scorecards", "eeocs"}
"""What Personio's documented API gives nothing for."""
LATER = {"attachments"}
"""What is read in the background only."""


@pytest.fixture(scope="session")
async def bindbee(company: Account) -> Bindbee:
    return await bindbee_of(company)


@pytest.mark.parametrize("name", NAMES)
async def test_a_list_comes_whole_whatever_the_size_of_its_pages(bindbee: Bindbee, name: str) -> None:
    whole = await bindbee.rows(name)
    assert await bindbee.rows(name, page_size=7) == whole
    assert len({row["id"] for row in whole}) == len(whole)
    assert (name in EMPTY | LATER) is not bool(whole)
    for row in whole[:2]:
        assert await bindbee.read(f"{name}/{row['id']}") == row


async def test_every_stage_that_an_application_shows_is_a_record(bindbee: Bindbee) -> None:
    stages = {row["id"]: row for row in await bindbee.rows("job-interview-stages")}
    applications = await bindbee.rows("applications")
    shown = [(row["job"], row["current_stage"]) for row in applications if row["current_stage"] is not None]
    assert len(shown) == len(applications)
    assert all(stages[stage]["job"] == job for job, stage in shown)
    assert {row["name"] for row in stages.values()} >= {"Rejected", "Withdrawn"} & {
        stages[stage]["name"] for _, stage in shown
    }
    orders = [row["stage_order"] for row in stages.values()]
    assert {0, 1} <= set(orders)


async def test_related_records_are_those_of_their_own_lists(bindbee: Bindbee) -> None:
    by_id = {row["id"]: row for rows in (await bindbee.documents()).values() for row in rows.values()}
    for spec in LISTS:
        if not spec.relations:
            continue
        plain = await bindbee.rows(spec.name)
        expanded = await bindbee.rows(spec.name, expand=",".join(spec.relations))
        for before, after in zip(plain, expanded, strict=True):
            for name in spec.relations:
                ids, found = before[name], after[name]
                wanted = [by_id[id] for id in ids] if isinstance(ids, list) else ids and by_id[ids]
                assert found == wanted, f"{name} of {spec.name}"


async def test_a_single_record_shows_only_the_keys_that_were_named(bindbee: Bindbee) -> None:
    application = (await bindbee.rows("applications"))[0]
    found = await bindbee.read(f"applications/{application['id']}", expand="job[name,code],candidate")
    job = await bindbee.read(f"jobs/{application['job']}")
    assert found["job"] == {"name": job["name"], "code": job["code"]}
    assert found["candidate"] == await bindbee.read(f"candidates/{application['candidate']}")


async def test_raw_data_and_custom_fields_are_shown_when_asked_for(bindbee: Bindbee) -> None:
    plain, asked = await bindbee.rows("jobs"), await bindbee.rows("jobs", include_raw_data="true")
    assert {(row["raw_data"], row["custom_fields"]) for row in plain} == {(None, None)}
    held = {job["id"]: job for job in bindbee.account.simulator.state("jobs")["jobs"]}
    for row in asked:
        assert row["raw_data"]["id"] == row["remote_id"]
        assert row["raw_data"]["name"] == held[row["remote_id"]]["name"]
    fields = await bindbee.rows("candidates", include_custom_fields="true")
    assert any(row["custom_fields"] for row in fields)
    assert all(type(row["custom_fields"]) is dict for row in fields)


FILTERS = [
    ("applications", "candidate", "candidate", None),
    ("applications", "job", "job", None),
    ("applications", "current_stage", "current_stage", None),
    ("applications", "source", "source", None),
    ("applications", "credited_to", "credited_to", None),
    ("applications", "reject_reason", "reject_reason", None),
    ("candidates", "first_name", "first_name", str.upper),
    ("candidates", "last_name", "last_name", str.lower),
    ("candidates", "email_addresses", "email_addresses", str.upper),
    ("candidates", "company", "company", None),
    ("jobs", "status", "status", None),
    ("jobs", "offices", "offices", None),
    ("jobs", "code", "code", None),
    ("job-interview-stages", "job", "job", None),
    ("remote-users", "email", "email", str.swapcase),
    ("screening-questions", "job", "job", None),
]


@pytest.mark.parametrize(("name", "filter_", "key", "spelled"), FILTERS, ids=lambda value: str(value))
async def test_a_filter_finds_exactly_what_shows_its_value(
    bindbee: Bindbee, name: str, filter_: str, key: str, spelled: Any
) -> None:
    rows = await bindbee.rows(name)
    values = {one for row in rows for one in (row[key] if isinstance(row[key], list) else [row[key]]) if one}
    for value in sorted(values)[:4]:
        sent = spelled(value) if spelled else value
        same = {other for other in values if other.casefold() == value.casefold()} if spelled else {value}
        found = await bindbee.remote_ids(name, **{filter_: sent})
        assert found == {
            row["remote_id"] for row in rows if same & set(row[key] if isinstance(row[key], list) else [row[key]])
        }
        assert found
    assert await bindbee.rows(name, **{filter_: "nobody-has-this"}) == []


async def test_ids_are_separated_by_commas_and_filters_combine(bindbee: Bindbee) -> None:
    rows = await bindbee.rows("applications")
    first, second = rows[0], next(row for row in rows if row["job"] != rows[0]["job"])
    jobs = f"{first['job']},{second['job']}"
    assert await bindbee.remote_ids("applications", job=jobs) == {
        row["remote_id"] for row in rows if row["job"] in jobs
    }
    both = await bindbee.rows("applications", job=jobs, candidate=first["candidate"], ids=f"{first['id']},x")
    assert [row["id"] for row in both] == [first["id"]]
    assert [row["id"] for row in await bindbee.rows("applications", remote_id=second["remote_id"])] == [second["id"]]


async def test_mails_may_be_sent_as_repeated_parameters(bindbee: Bindbee) -> None:
    rows = [row for row in await bindbee.rows("candidates") if row["email_addresses"]][:3]
    mails = [row["email_addresses"][0] for row in rows]
    for sent in (mails, ",".join(mails)):
        assert await bindbee.remote_ids("candidates", email_addresses=sent) >= {row["remote_id"] for row in rows}


async def test_records_created_within_a_range(bindbee: Bindbee) -> None:
    rows = await bindbee.rows("jobs")
    instants = sorted(row["remote_created_at"] for row in rows)
    start, end = instants[2], instants[-2]
    found = await bindbee.remote_ids("jobs", created_after=start, created_before=end)
    assert found == {row["remote_id"] for row in rows if start <= row["remote_created_at"] < end}


@pytest.mark.parametrize("spec", LISTS, ids=lambda spec: spec.name)
async def test_a_list_narrows_by_creation_only_where_the_tool_gives_the_date(bindbee: Bindbee, spec: ListSpec) -> None:
    taken = any(filter_.name == "created_after" for filter_ in spec.filters)
    if taken:
        everything = await bindbee.remote_ids(spec.name)
        assert await bindbee.remote_ids(spec.name, created_after="1970-01-01") == everything
    else:
        assert "remote_created_at" not in connector.mapping.coverage.get(spec.model, {})


async def test_what_was_modified_is_found_from_its_own_instant_on(bindbee: Bindbee) -> None:
    rows = await bindbee.rows("candidates")
    newest = max(row["modified_at"] for row in rows)
    found = await bindbee.rows("candidates", modified_after=newest)
    assert {row["id"] for row in found} >= {row["id"] for row in rows if row["modified_at"] >= newest}
    assert await bindbee.rows("candidates", modified_after="2999-01-01") == []
    before = await bindbee.rows("candidates", modified_before=newest)
    assert {row["id"] for row in before} == {row["id"] for row in rows if row["modified_at"] < newest}


async def test_a_cursor_belongs_to_its_list_connector_and_filters(bindbee: Bindbee, product: Product) -> None:
    page = await bindbee.read("applications", page_size=5)
    other = await bindbee_of(await product.synced(small_company()))
    for reader, path, params in (
        (bindbee, "candidates", {}),
        (bindbee, "applications", {"source": "x"}),
        (bindbee, "applications", {"modified_after": "2020-01-01"}),
        (other, "applications", {}),
    ):
        answer = await reader.get(path, cursor=page["cursor"], **params)
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["query", "cursor"]
    following = await bindbee.read("applications", page_size=9, cursor=page["cursor"], expand="job")
    assert {row["id"] for row in following["items"]}.isdisjoint({row["id"] for row in page["items"]})


async def test_tenants_never_meet(bindbee: Bindbee, product: Product) -> None:
    other = await bindbee_of(await product.synced(small_company()))
    mixed = {**other.headers, "x-connector-token": bindbee.token}
    for name in NAMES:
        assert (await bindbee.get(name, headers=mixed)).status_code == 401
        for row in (await bindbee.rows(name))[:1]:
            assert (await other.get(f"{name}/{row['id']}")).status_code == 404
            assert await other.rows(name, ids=row["id"]) == []


async def test_a_reader_of_changes_has_what_a_full_read_gives(product: Product) -> None:
    account = await product.synced(small_company())
    bindbee = await bindbee_of(account)
    mirror = {name: {row["id"]: row for row in await bindbee.rows(name)} for name in NAMES}
    state = account.simulator.state()
    job, application = state["jobs"][0]["id"], state["applications"][0]["id"]
    candidate = state["applications"][1]["candidate_id"]
    edits = [
        lambda: account.simulator.edit_job(job, name="Anders genannt"),
        lambda: account.simulator.edit_candidate(candidate, first_name="Grete"),
        lambda: account.simulator.anonymise_application(application),
    ]
    for edit in edits:
        since = max(row["modified_at"] for rows in mirror.values() for row in rows.values())
        edit()
        assert (await account.sync()).state == "SUCCEEDED"
        for name in NAMES:
            mirror[name] |= {row["id"]: row for row in await bindbee.rows(name, modified_after=since)}
            whole = {row["id"]: row for row in await bindbee.rows(name)}
            assert {id: row for id, row in mirror[name].items() if id in whole} == whole
    assert json.dumps(mirror).count("Grete") >= 1
