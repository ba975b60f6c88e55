"""Every parameter of the lists selects the right records and nothing else."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from kombo import errors

from atsumi.model.names import Model
from atsumi.store import tenants
from harness import Account, Product, small_company


def held(account: Account, kind: str) -> list[dict[str, Any]]:
    return account.simulator.state(kind)[kind]


async def found(account: Account, name: str, **params: Any) -> set[str]:
    """Remote ids that the published client is given; no record comes twice."""
    rows = [row.remote_id for row in await account.read(name, **params)]
    assert len(rows) == len(set(rows))
    return set(rows)


def outcome(application: dict[str, Any]) -> str:
    words = {"accepted": "HIRED", "rejected": "DECLINED", "withdrawn": "DECLINED"}
    return words.get(application["stage"], "PENDING")


@pytest.mark.parametrize("wanted", [["PENDING"], ["HIRED"], ["DECLINED"], ["HIRED", "DECLINED"]])
async def test_applications_by_outcome(company: Account, wanted: list[str]) -> None:
    expected = {one["id"] for one in held(company, "applications") if outcome(one) in wanted}
    assert expected
    assert await found(company, "applications", outcomes=wanted) == expected
    if len(wanted) == 1:
        assert await company.remote_ids("applications", outcome=wanted[0]) == expected


async def test_applications_by_job(company: Account) -> None:
    [first, second, *_] = sorted({one["job_id"] for one in held(company, "applications")})
    expected = {one["id"] for one in held(company, "applications") if one["job_id"] in (first, second)}
    ids = [company.id(Model.JOB, job) for job in (first, second)]
    assert await found(company, "applications", job_ids=ids) == expected
    assert await found(company, "applications", job_remote_ids=[first, second]) == expected
    assert await found(company, "applications", job_remote_ids=["nobody"]) == set()


async def test_applications_by_stage(company: Account) -> None:
    stages = sorted({one["stage"] for one in held(company, "applications")})[:2]
    ids = [company.id(Model.STAGE, f"system:{stage}" if stage.isalpha() else stage) for stage in stages]
    expected = {one["id"] for one in held(company, "applications") if one["stage"] in stages}
    assert await found(company, "applications", current_stage_ids=ids) == expected


@pytest.mark.parametrize("name", ["applications", "jobs"])
async def test_records_created_from_an_instant_on(company: Account, name: str) -> None:
    instants = sorted(one["created_at"] for one in held(company, name))
    limit = instants[len(instants) // 2]
    expected = {one["id"] for one in held(company, name) if one["created_at"] >= limit}
    assert 0 < len(expected) < len(instants)
    # The client cuts milliseconds off, so the exact boundary is asked for without it.
    assert await company.remote_ids(name, remote_created_after=limit) == expected
    whole = datetime.fromisoformat(limit).replace(microsecond=0)
    assert await found(company, name, remote_created_after=whole) == {
        one["id"] for one in held(company, name) if datetime.fromisoformat(one["created_at"]) >= whole
    }


async def test_candidates_by_mail_whatever_the_case(company: Account) -> None:
    person = next(one for one in held(company, "candidates") if one["email"])
    expected = {one["id"] for one in held(company, "candidates") if one["email"] == person["email"]}
    assert await found(company, "candidates", email=person["email"].swapcase()) == expected
    assert await found(company, "candidates", email=person["email"][1:]) == set()


@pytest.mark.parametrize("field", ["first_name", "last_name"])
async def test_candidates_by_name_whatever_the_case(company: Account, field: str) -> None:
    names = [one[field] for one in held(company, "candidates") if one[field]]
    wanted = max(set(names), key=names.count)
    expected = {one["id"] for one in held(company, "candidates") if one[field] == wanted}
    assert await found(company, "candidates", **{field: wanted.upper()}) == expected
    assert await found(company, "candidates", **{field: wanted[:-1]}) == set()


async def test_candidates_by_both_names_are_those_that_have_both(company: Account) -> None:
    person = next(one for one in held(company, "candidates") if one["email"])
    expected = {
        one["id"]
        for one in held(company, "candidates")
        if (one["first_name"], one["last_name"]) == (person["first_name"], person["last_name"])
    }
    names = {"first_name": person["first_name"], "last_name": person["last_name"]}
    assert await found(company, "candidates", **names) == expected
    assert await found(company, "candidates", first_name=person["first_name"], last_name="Nobody") == set()


async def test_candidates_by_the_jobs_they_applied_to(company: Account) -> None:
    jobs = sorted({one["job_id"] for one in held(company, "applications")})[:2]
    expected = {one["candidate_id"] for one in held(company, "applications") if one["job_id"] in jobs}
    assert await found(company, "candidates", job_ids=[company.id(Model.JOB, job) for job in jobs]) == expected


@pytest.mark.parametrize("wanted", [["OPEN"], ["CLOSED"], ["OPEN", "CLOSED"], ["DRAFT"], ["ARCHIVED"]])
async def test_jobs_by_status(company: Account, wanted: list[str]) -> None:
    expected = {one["id"] for one in held(company, "jobs") if one["is_published"] and "OPEN" in wanted}
    assert await found(company, "jobs", statuses=wanted) == expected
    if len(wanted) == 1:
        assert await company.remote_ids("jobs", status=wanted[0]) == expected


@pytest.mark.parametrize("word", ["FULL_TIME", "PART_TIME", "CONTRACT", "SEASONAL", "INTERNSHIP"])
async def test_jobs_by_employment_type_are_those_that_show_it(company: Account, word: str) -> None:
    expected = {row["remote_id"] for row in await company.rows("jobs") if row["employment_type"] == word}
    assert await found(company, "jobs", employment_types=[word]) == expected


async def test_jobs_by_several_employment_types(company: Account) -> None:
    shown = {row["remote_id"]: row["employment_type"] for row in await company.rows("jobs")}
    words = [word for word in ("FULL_TIME", "PART_TIME", "CONTRACT", "INTERNSHIP") if word in shown.values()]
    assert len(words) > 1
    expected = {id for id, word in shown.items() if word in words}
    assert await found(company, "jobs", employment_types=words) == expected


async def test_jobs_by_visibility(company: Account) -> None:
    published = {one["id"] for one in held(company, "published")}
    assert await found(company, "jobs", visibilities=["PUBLIC"]) == published
    assert await found(company, "jobs", visibilities=["INTERNAL", "UNLISTED", "CONFIDENTIAL"]) == set()


async def test_jobs_by_part_of_the_name(company: Account) -> None:
    name = next(one["name"] for one in held(company, "jobs") if len(one["name"].split()) > 1)
    part = name.split()[0][1:].upper()
    expected = {one["id"] for one in held(company, "jobs") if part.lower() in one["name"].lower()}
    assert await found(company, "jobs", name_contains=part) == expected
    assert await found(company, "jobs", name_contains="%") == {
        one["id"] for one in held(company, "jobs") if "%" in one["name"]
    }


async def test_parts_of_names_are_found_whatever_the_case_in_any_script(product: Product) -> None:
    names = {
        "Gießer": "GIESS",
        "İstanbul Müdürü": "i\u0307stanbul",
        "Διευθυντής": "ΔΙΕΥΘΥΝΤΉΣ",
        "Vorstand ΣΊΣΥΦΟΣ": "ίσυφος",
    }
    account = await product.connect(small_company(applications=4, jobs=4))
    ids = [one["id"] for one in held(account, "jobs")]
    for id, name in zip(ids, names, strict=True):
        account.simulator.edit_job(id, name=name)
    await account.sync("full")
    for id, (name, part) in zip(ids, names.items(), strict=True):
        for asked in (part, name, name.upper(), name.lower()):
            assert await account.remote_ids("jobs", name_contains=asked) == {id}, asked


async def test_jobs_by_address_of_their_page(company: Account) -> None:
    job = held(company, "published")[0]["id"]
    [shown] = await company.rows("jobs", remote_ids=job)
    assert await found(company, "jobs", post_url=shown["post_url"]) == {job}
    assert await found(company, "jobs", post_url=shown["post_url"] + "x") == set()


async def test_users_by_several_mails_whatever_the_case(company: Account) -> None:
    users = await company.rows("users")
    wanted = users[:2]
    mails = [user["email"].upper() for user in wanted]
    assert await found(company, "users", emails=mails) == {user["remote_id"] for user in wanted}


async def test_roles_by_scope(company: Account) -> None:
    everything = await company.remote_ids("roles")
    assert everything
    assert await found(company, "roles", scopes=["JOB"]) == everything
    assert await found(company, "roles", scopes=["SYSTEM"]) == set()
    assert await found(company, "roles", scopes=["SYSTEM", "JOB"]) == everything


@pytest.mark.parametrize("name", ["applications", "candidates", "jobs", "application-stages", "users", "roles"])
async def test_records_by_id_and_remote_id(company: Account, name: str) -> None:
    rows = (await company.rows(name))[:3]
    wanted, remote = [row["id"] for row in rows], [row["remote_id"] for row in rows]
    assert await found(company, name, ids=wanted) == set(remote)
    assert await found(company, name, remote_ids=remote) == set(remote)
    assert await found(company, name, ids=wanted[:2], remote_ids=remote[1:]) == {remote[1]}
    assert await found(company, name, ids=["1" * 24]) == set()
    assert await found(company, name, remote_ids=["nobody"]) == set()
    assert await company.remote_ids(name, ids="") == set()
    assert await found(company, name, ids=wanted, page_size=1) == set(remote)


async def test_different_filters_combine(company: Account) -> None:
    job = held(company, "applications")[0]["job_id"]
    expected = {
        one["id"] for one in held(company, "applications") if one["job_id"] == job and outcome(one) == "PENDING"
    }
    assert await found(company, "applications", job_remote_ids=[job], outcomes=["PENDING"], page_size=2) == expected


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("jobs", {"job_codes": ["A-1"]}),
        ("interviews", {"job_ids": ["1" * 24]}),
        ("notes", {"candidate_ids": ["1" * 24]}),
        ("notes", {"application_ids": ["1" * 24]}),
        ("scorecards", {"candidate_ids": ["1" * 24]}),
        ("attachments", {"application_ids": ["1" * 24]}),
    ],
)
async def test_a_filter_that_the_tool_cannot_fill_empties_the_list_or_is_skipped(
    company: Account, name: str, params: dict[str, list[str]]
) -> None:
    assert await found(company, name, **params) == set()
    skipped = await found(company, name, **params, ignore_unsupported_filters=True)
    assert skipped == await found(company, name)


async def test_a_supported_filter_is_never_skipped(company: Account) -> None:
    assert await found(company, "jobs", name_contains="no such job", ignore_unsupported_filters=True) == set()


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("jobs", "page_size=0"),
        ("jobs", "page_size=251"),
        ("jobs", "page_size=x"),
        ("jobs", "include_deleted=maybe"),
        ("jobs", "updated_after=yesterday"),
        ("jobs", "statuses=OPEN,SHUT"),
        ("jobs", "cursor=abc"),
        ("jobs", "outcomes=HIRED"),
        ("applications", "remote_created_after=2024-13-01"),
    ],
)
async def test_a_wrong_parameter_is_refused_by_name(company: Account, name: str, query: str) -> None:
    answer = await company.product.api.get(f"/v1/ats/{name}?{query}", headers=company.headers)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "PLATFORM.INPUT_INVALID"
    assert query.partition("=")[0] in error["message"]


async def test_a_cursor_belongs_to_its_filters(company: Account) -> None:
    page = await company.page("applications", page_size=1, outcomes="PENDING")
    assert page["next"]
    for params in ({"outcomes": "HIRED"}, {}, {"outcomes": "PENDING", "include_deleted": "true"}):
        answer = await company.get("/ats/applications", page_size=1, cursor=page["next"], **params)
        assert answer.status_code == 400, params
    same = await company.get("/ats/applications", page_size=5, cursor=page["next"], outcomes="PENDING")
    assert same.status_code == 200


async def test_a_deleted_record_shows_only_where_it_is_asked_for(product: Product) -> None:
    simulator = small_company()
    job = str(simulator.create_job("Published only", is_published=True))
    account = await product.connect(simulator)
    # The API hides the job, so only the career page ever shows it.
    simulator.inject("drop_records", path="/v2/recruiting/jobs")
    assert (await account.sync("full")).state == "SUCCEEDED"
    assert job in await account.remote_ids("jobs")
    before = datetime.now(UTC)

    simulator.unpublish_job(job)
    simulator.inject("drop_records", path="/v2/recruiting/jobs")
    await account.sync()

    assert job not in await found(account, "jobs")
    assert job not in await found(account, "jobs", remote_ids=[job])
    assert await found(account, "jobs", remote_ids=[job], include_deleted=True) == {job}
    [shown] = await account.read("jobs", remote_ids=[job], include_deleted=True)
    assert shown.remote_deleted_at >= before.replace(microsecond=0)
    assert shown.changed_at == shown.remote_deleted_at
    assert await found(account, "jobs", updated_after=before) == set()
    assert await found(account, "jobs", updated_after=before, include_deleted=True) == {job}


async def test_raw_data_is_shown_once_it_is_switched_on(product: Product) -> None:
    account = await product.synced()
    [row] = await account.rows("candidates", page_size=1, remote_ids=held(account, "candidates")[0]["id"])
    assert row["remote_data"] is None
    await tenants.set_remote_data(account.pool, account.number, True)
    [row] = await account.rows("candidates", page_size=1, remote_ids=held(account, "candidates")[0]["id"])
    assert row["remote_data"]["/v2/recruiting/candidates"]["id"] == row["remote_id"]


class TestErrors:
    async def test_a_wrong_key_is_a_typed_error(self, company: Account) -> None:
        def call() -> None:
            with company.product.sdk("atsumi_wrong", company.integration.id) as client:
                client.ats.get_jobs()

        with pytest.raises(errors.KomboAtsError) as caught:
            await asyncio.to_thread(call)
        assert caught.value.status_code == 401
        assert caught.value.data.error.code == "PLATFORM.AUTHENTICATION_INVALID"

    @pytest.mark.parametrize("integration", [None, "personio:" + "1" * 24, "greenhouse:" + "2" * 24, "personio:x", "?"])
    async def test_a_missing_or_unknown_integration_is_a_typed_error(
        self, company: Account, integration: str | None
    ) -> None:
        def call() -> None:
            with company.product.sdk(company.key, integration) as client:
                client.ats.get_jobs()

        with pytest.raises(errors.KomboAtsError) as caught:
            await asyncio.to_thread(call)
        assert caught.value.status_code == 404
        assert caught.value.data.error.code == "PLATFORM.INTEGRATION_NOT_FOUND"

    async def test_an_unknown_category_or_integration_of_the_general_part_is_a_typed_error(
        self, company: Account
    ) -> None:
        with pytest.raises(errors.KomboGeneralError) as caught:
            await company.ask(
                lambda client: client.general.get_integration_details(integration_id="personio:" + "1" * 24)
            )
        assert caught.value.status_code == 404

    async def test_lists_are_closed_until_the_first_sync_has_ended(self, product: Product) -> None:
        account = await product.connect()
        with pytest.raises(errors.KomboAtsError) as caught:
            await account.ask(lambda client: client.ats.get_jobs())
        assert caught.value.status_code == 409
        assert caught.value.data.error.code == "INTEGRATION.SETUP_SYNC_PENDING"
