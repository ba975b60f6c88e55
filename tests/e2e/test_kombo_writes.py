"""What Kombo's published client writes is at the tool, and back on both surfaces."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from kombo.errors import KomboAtsError

from action_kit import company_with_open_job, open_job
from answering_kit import PDF, answers_to
from atsumi.model.ids import read_id, record_id, to_base58
from atsumi.model.names import Model
from atsumi.server import acting
from atsumi.store import sources
from bindbee_reader import bindbee_of
from harness import Account, Product

EMAIL = "adalgisa@applicants.example"


@pytest.fixture
async def account(product: Product) -> Account:
    return await product.synced(company_with_open_job(applications=20))


def person(**changes: Any) -> dict[str, Any]:
    return {
        "first_name": "Adalgisa",
        "last_name": "Lovelock",
        "email_address": EMAIL,
        "phone_number": "+39 041 555",
        "location": {"city": "Murano", "country": "IT"},
        "gender": "OTHER",
        "availability_date": "2027-01-15",
        "salary_expectations": {"period": "MONTH", "amount": 5000},
    } | changes


def job_id(account: Account) -> str:
    return to_base58(record_id(account.integration.public_id, Model.JOB, open_job(account)))


def at_the_tool(account: Account) -> Any:
    [application] = account.simulator.company.applications_by_email(EMAIL)
    return application


# The contract calls naming a source deprecated; it is an input all the same.
@pytest.mark.filterwarnings(r"ignore:warning. \*\* DEPRECATED:DeprecationWarning")
async def test_an_application_with_every_input(account: Account) -> None:
    channel = next(one.channel for one in account.simulator.company.applications if one.channel is not None)
    answer = await account.ask(
        lambda client: client.ats.create_application(
            job_id=job_id(account),
            candidate=person(),
            stage_id="remote:system:offer",
            attachments=[
                {
                    "name": "cv.pdf",
                    "type": "CV",
                    "content_type": "application/pdf",
                    "data": base64.b64encode(PDF).decode(),
                }
            ],
            source={"name": channel.name},
            remote_fields={"personio": {"application": {"message": "From the lagoon"}}},
        )
    )
    application = at_the_tool(account)
    assert answer.data.remote_id == str(application.id)
    assert answer.data.candidate.email_addresses[0].email_address == EMAIL
    assert answer.data.current_stage.name == "Offer"
    assert not answer.warnings
    assert application.channel == channel
    assert application.written.message == "From the lagoon"
    values = application.written.attributes
    assert values["phone"] == "+39 041 555"
    assert values["gender"] == "diverse"
    assert values["available_from"] == "2027-01-15"
    assert values["salary_expectations"] == "60000"
    assert "Murano" in values["location"]
    [document] = account.simulator.company.own_documents(application)
    assert (document.name, document.category, document.content) == ("cv.pdf", "cv", PDF)
    # Back on both surfaces.
    [row] = await account.rows("applications", ids=answer.data.id)
    assert row["id"] == answer.data.id
    [candidate] = await account.rows("candidates", email=EMAIL)
    assert candidate["phone_numbers"][0]["phone_number"] == "+39 041 555"
    [file] = await account.rows("attachments", application_ids=answer.data.id)
    assert (file["file_name"], file["type"]) == ("cv.pdf", "CV")
    bindbee = await bindbee_of(account)
    [person_there] = await bindbee.rows("candidates", email_addresses=EMAIL)
    assert (person_there["remote_id"], person_there["last_name"]) == (candidate["remote_id"], "Lovelock")
    [shown] = await bindbee.rows("applications", candidate=person_there["id"])
    assert (shown["remote_id"], shown["source"]) == (answer.data.remote_id, channel.name)
    assert [one["file_name"] for one in await bindbee.rows("attachments")] == ["cv.pdf"]


async def test_screening_questions_are_answered_in_their_own_types(product: Product) -> None:
    account = await product.synced(jobs=8, published_share=1)
    [job, *_] = [one for one in await account.rows("jobs") if len(one["screening_questions"]) > 3]
    answers = answers_to(job)
    unknown = {"question_id": job["id"], "answer": "to nothing"}
    answer = await account.ask(
        lambda client: client.ats.create_application(
            job_id=job["id"], candidate=person(), screening_question_answers=[*answers, unknown]
        )
    )
    assert any("does not ask" in one.message for one in answer.warnings)
    values = at_the_tool(account).written.attributes
    for question, sent in zip(job["screening_questions"], answers, strict=True):
        match question["format"]["type"]:
            case "MULTI_SELECT" | "FILE":
                assert question["remote_id"] not in values
            case "SINGLE_SELECT":
                assert values[question["remote_id"]] == question["format"]["options"][0]["remote_id"]
            case _:
                assert values[question["remote_id"]].lower() == str(sent["answer"]).lower()


@pytest.mark.parametrize("wrong", [{"answer": ["x"]}, {"answer": None}, None])
async def test_a_wrong_or_missing_answer_names_its_place(product: Product, wrong: dict[str, Any] | None) -> None:
    account = await product.synced(jobs=8, published_share=1)
    jobs = await account.rows("jobs")
    job, question = next(
        (job, question)
        for job in jobs
        for question in job["screening_questions"]
        if question["required"] and question["format"]["type"] in ("TEXT", "BOOLEAN", "SINGLE_SELECT")
    )
    sent: dict[str, Any] = {"candidate": person()}
    if wrong is not None:
        sent["screening_question_answers"] = [{"question_id": question["id"], **wrong}]
    answer = await account.product.api.post(
        f"/v1/ats/jobs/{job['id']}/applications", json=sent, headers=account.headers
    )
    assert answer.status_code == 400
    path = "screening_question_answers" + (".0" if wrong is not None else "")
    assert answer.json()["error"]["message"].startswith(f"{path}: ")


async def test_a_candidate_with_an_application(account: Account) -> None:
    answer = await account.ask(
        lambda client: client.ats.create_candidate(
            candidate=person(), application={"job_id": f"remote:{open_job(account)}"}
        )
    )
    application = at_the_tool(account)
    assert answer.data.remote_id == str(application.candidate_id)
    assert (answer.data.first_name, answer.data.last_name) == ("Adalgisa", "Lovelock")
    [own] = answer.data.applications
    assert own.remote_id == str(application.id)


async def test_the_same_request_again_gives_the_same_answer(account: Account) -> None:
    sent = {"candidate": person()}
    headers = account.headers | {"Idempotency-Key": "one"}
    path = f"/v1/ats/jobs/{job_id(account)}/applications"
    first = await account.product.api.post(path, json=sent, headers=headers)
    again = await account.product.api.post(path, json=sent, headers=headers)
    assert first.status_code == again.status_code == 200
    assert again.content == first.content
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert first.headers["concurrency-limit"] == "30"
    assert first.headers["concurrency-remaining"] == "30"
    other = await account.product.api.post(path, json={"candidate": person(first_name="B")}, headers=headers)
    assert other.status_code == 409
    assert other.json()["error"]["code"] is None
    at_the_tool(account)


async def test_a_second_application_is_refused_by_name(account: Account) -> None:
    def apply(client: Any, **changes: Any) -> Any:
        return client.ats.create_application(job_id=job_id(account), candidate=person(**changes))

    await account.ask(apply)
    with pytest.raises(KomboAtsError) as refused:
        await account.ask(lambda client: apply(client, last_name="Lovelace"))
    assert refused.value.data.error.code == "ATS.APPLICATION_ALREADY_EXISTS"
    assert refused.value.status_code == 409


async def test_a_closed_job_is_refused_by_name(account: Account) -> None:
    account.simulator.unpublish_job(open_job(account))
    with pytest.raises(KomboAtsError) as refused:
        await account.ask(lambda client: client.ats.create_application(job_id=job_id(account), candidate=person()))
    assert refused.value.data.error.code == "ATS.JOB_CLOSED"


async def test_actions_that_the_tool_lacks_say_so(account: Account) -> None:
    id = to_base58(account.integration.public_id)
    asked = [
        lambda client: client.ats.move_application_to_stage(application_id=id, stage_id=id),
        lambda client: client.ats.reject_application(application_id=id, rejection_reason_id=id),
        lambda client: client.ats.add_application_note(application_id=id, content="x", content_type="PLAIN_TEXT"),
        lambda client: client.ats.add_application_result_link(application_id=id, label="x", url="https://a.example"),
        lambda client: client.ats.add_candidate_result_link(candidate_id=id, label="x", url="https://a.example"),
        lambda client: client.ats.add_candidate_tag(candidate_id=id, tag={"name": "x"}),
        lambda client: client.ats.remove_candidate_tag(candidate_id=id, tag={"name": "x"}),
        lambda client: client.ats.add_application_attachment(
            application_id=id, attachment={"name": "a.pdf", "type": "CV", "data_url": "https://a.example/a.pdf"}
        ),
        lambda client: client.ats.add_candidate_attachment(
            candidate_id=id, attachment={"name": "a.pdf", "type": "CV", "data_url": "https://a.example/a.pdf"}
        ),
    ]
    for one in asked:
        with pytest.raises(KomboAtsError) as refused:
            await account.ask(one)
        assert refused.value.data.error.code == "INTEGRATION.ACTION_NOT_AVAILABLE"


async def test_what_can_be_written_is_told(account: Account) -> None:
    details = await account.ask(
        lambda client: client.general.get_integration_details(integration_id=account.integration.id)
    )
    actions = {one.id: one for one in details.data.write_actions}
    able = {id for id, one in actions.items() if one.is_available}
    assert able == {"ats_create_application", "ats_create_candidate"}
    fields = {one.id: one.is_available for one in actions["ats_create_application"].fields}
    assert fields["candidate.salary_expectations.period"]
    assert fields["source.unified_key"]
    assert not fields["candidate.company"]


async def test_a_receipt_leads_to_the_outcome(account: Account) -> None:
    headers = account.headers | {"Prefer": "respond-async"}
    path = f"/v1/ats/jobs/{job_id(account)}/applications"
    answer = await account.product.api.post(path, json={"candidate": person()}, headers=headers)
    assert answer.status_code == 202
    assert answer.headers["preference-applied"] == "respond-async"
    receipt = answer.json()["data"]
    assert receipt["status_url"].endswith(answer.headers["location"])
    state = await account.product.api.get(answer.headers["location"], headers=account.headers)
    assert state.json()["state"] == "PENDING"
    assert not account.simulator.company.applications_by_email(EMAIL)
    await acting._carry_on(account.runtime, read_id(receipt["action_id"]), account.number)
    state = await account.product.api.get(answer.headers["location"], headers=account.headers)
    assert state.json()["state"] == "SUCCEEDED"
    at_the_tool(account)
    whole = await account.product.api.post(path, json={"candidate": person()}, headers=account.headers)
    assert whole.json()["data"]["remote_id"] == str(at_the_tool(account).id)


async def test_a_dry_run_tells_and_does_nothing(account: Account) -> None:
    path = f"/v1/ats/jobs/{job_id(account)}/applications?dry_run=true"
    answer = await account.product.api.post(path, json={"candidate": person()}, headers=account.headers)
    assert answer.status_code == 200
    [request] = answer.json()["data"]["requests"]
    assert request["body"]["email"] == EMAIL
    assert account.simulator.company.recruiting_key not in answer.text
    assert not account.simulator.company.applications_by_email(EMAIL)


async def test_the_default_source_goes_with_it(account: Account) -> None:
    channel = next(one.channel for one in account.simulator.company.applications if one.channel is not None)
    await sources.set_default_source(account.pool, account.number, str(channel.id))
    await account.ask(lambda client: client.ats.create_application(job_id=job_id(account), candidate=person()))
    assert at_the_tool(account).channel == channel


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"candidate": person(email_address="nowhere")}, "candidate.email_address"),
        ({"candidate": person(first_name="")}, "candidate.first_name"),
        ({"candidate": person(location={"country": "it"})}, "candidate.location.country"),
        ({"candidate": person(gender="DIVERSE")}, "candidate.gender"),
        ({"candidate": person(availability_date="soon")}, "candidate.availability_date"),
        ({"candidate": person(availability_date="2027-02-30")}, "candidate.availability_date"),
        ({"candidate": None}, "candidate"),
        ({"attachments": [{"name": "a.pdf", "type": "CV"}]}, "attachments.0"),
        ({"attachments": [{"name": "a.pdf", "type": "CV", "data": "AAAA"}]}, "attachments.0.content_type"),
        (
            {"attachments": [{"name": "a.pdf", "type": "CV", "data": "A A", "content_type": "application/pdf"}]},
            "attachments.0.data",
        ),
        (
            {"attachments": [{"name": "a.exe", "type": "CV", "data": "AAAA", "content_type": "a/b"}]},
            "attachments.0",
        ),
        ({"attachments": [{"name": "a.pdf", "type": "CV", "data_url": "http://10.0.0.1/a.pdf"}]}, "attachments.0"),
        ({"stage_id": "none"}, "stage_id"),
        ({"sourced_by": {"user_id": "none"}}, "sourced_by.user_id"),
        ({"remote_fields": {"personio": {"application": 1}}}, "remote_fields.personio"),
    ],
)
async def test_bad_input_names_its_place(account: Account, changes: dict[str, Any], path: str) -> None:
    sent = {"candidate": person()} | changes
    answer = await account.product.api.post(
        f"/v1/ats/jobs/{job_id(account)}/applications", json=sent, headers=account.headers
    )
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert error["code"] == "PLATFORM.INPUT_INVALID"
    assert error["message"].startswith(f"{path}: "), error["message"]
    assert "regex" not in error["message"]
    assert not account.simulator.company.applications_by_email(EMAIL)
