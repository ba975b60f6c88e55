"""Writing through the Bindbee surface: what is sent is at the tool, and back on both surfaces."""

from __future__ import annotations

import asyncio
import base64
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from atsumi.dialects.bindbee.lists import LISTS
from atsumi.dialects.bindbee.tests.schemas import bodies, breaks
from atsumi.model.names import Model
from bindbee_reader import Bindbee, bindbee_of
from harness import Product, small_company

PDF = b"%PDF-1.7 nobody's life"
ENCODED = base64.b64encode(PDF).decode()
ADA = {"first_name": "Ada", "last_name": "Lovelace", "email_addresses": ["ada@applicants.example"]}


@pytest.fixture
async def bindbee(product: Product) -> Bindbee:
    """A company with one job that asks nothing, and one that asks everything, of which it must have an answer."""
    simulator = small_company(applications=5)
    simulator.create_job("Engine builder", category_id=next(iter(simulator.company.categories)).id)
    everything = [{"attribute_id": id, "is_required": True} for id in simulator.company.attributes]
    simulator.create_job("Curious", questions=everything)
    return await bindbee_of(await product.synced(simulator))


async def post(bindbee: Bindbee, path: str, body: Any, **headers: str) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await bindbee.account.product.api.post(f"/api/ats/v1/{path}", json=body, headers=bindbee.headers | named)


async def written(bindbee: Bindbee, path: str, body: Any, **headers: str) -> Any:
    answer = await post(bindbee, path, body, **headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def faults(bindbee: Bindbee, path: str, body: Any) -> dict[tuple[str | int, ...], str]:
    """What is wrong with a body, by place."""
    answer = await post(bindbee, path, body)
    assert answer.status_code == 422, answer.text
    return {tuple(fault["loc"]): fault["msg"] for fault in answer.json()["detail"]}


async def schema_for(bindbee: Bindbee, name: str) -> Any:
    found = await bindbee.read("candidates/create/meta", job=job_named(bindbee, name))
    assert (found["success"], found["error"]) == (True, None)
    return found["data"]


def job_named(bindbee: Bindbee, name: str) -> str:
    jobs = bindbee.account.simulator.company.jobs
    return bindbee.id(Model.JOB, next(str(job.id) for job in jobs if job.name == name))


def at_the_tool(bindbee: Bindbee, email: str = "ada@applicants.example") -> list[Any]:
    return bindbee.account.simulator.company.applications_by_email(email)


async def test_both_shapes_write_every_input(bindbee: Bindbee) -> None:
    stages = (await schema_for(bindbee, "Engine builder"))["properties"]["job_interview_stage_id"]["enumInformation"]
    stage = stages[1]
    person = {
        **ADA,
        "phone_numbers": ["+49 30 123"],
        "locations": ["12 Example Street, Berlin"],
        "tags": ["FORTRAN"],
        "job_interview_stage_id": stage["value"],
        "applied_at": "2024-05-20T10:00:00Z",
        "attachments": [
            {"file_name": "life.pdf", "file_content": ENCODED, "attachment_type": "RESUME"},
            {"file_name": "letter.pdf", "file_content": ENCODED, "attachment_type": "COVER_LETTER"},
        ],
        "additional_attributes": {
            "recruiting_channel_id": None,
            "message": "Hello!",
            "gender": "FEMALE",
            "birthday": "1990-12-10",
            "available_from": "2027-01-01",
            "salary_expectation": {"amount": 5000, "period": "MONTH"},
        },
    }
    job = job_named(bindbee, "Engine builder")
    flat = await written(bindbee, "candidates", person | {"job": job})
    enveloped = person | {"job_id": job, "email_addresses": ["grace@applicants.example"]}
    second = await written(bindbee, "candidates", {"data": enveloped, "remote_user_id": None})
    for result, email in ((flat, "ada@applicants.example"), (second, "grace@applicants.example")):
        [sent] = at_the_tool(bindbee, email)
        assert (sent.written.message, sent.written.tags) == ("Hello!", ["FORTRAN"])
        assert sent.written.attributes == {
            "phone": "+49 30 123",
            "gender": "female",
            "location": "12 Example Street, Berlin",
            "birthday": "1990-12-10",
            "available_from": "2027-01-01",
            "salary_expectations": "60000",
        }
        documents = bindbee.account.simulator.company.own_documents(sent)
        assert [(one.name, one.category, one.content) for one in documents] == [
            ("life.pdf", "cv", PDF),
            ("letter.pdf", "cover-letter", PDF),
        ]
        assert result["data"] == await bindbee.read(f"candidates/{result['id']}")
        assert result["data"]["email_addresses"] == [email]
        application = await bindbee.read(f"applications/{result['application']}", expand="current_stage")
        assert (application["job"], application["candidate"]) == (job, result["candidate"])
        assert application["applied_at"].startswith("2024-05-20")
        assert application["current_stage"]["name"] == stage["description"]
        [row] = await bindbee.account.rows("applications", remote_ids=str(sent.id))
        assert row["candidate"]["email_addresses"][0]["email_address"] == email
        assert result["warnings"] == []


async def test_sources_are_named_or_numbered(bindbee: Bindbee) -> None:
    properties = (await schema_for(bindbee, "Engine builder"))["properties"]
    name = properties["source"]["allowed_values"][0]
    known = properties["additional_attributes"]["properties"]["recruiting_channel_id"]["enumInformation"]
    id = next(one["value"] for one in known if one["description"] == name)
    for email, said in (
        ("a@applicants.example", {"source": name}),
        ("b@applicants.example", {"additional_attributes": {"recruiting_channel_id": id}}),
    ):
        body = ADA | {"email_addresses": [email], "job": job_named(bindbee, "Engine builder")} | said
        result = await written(bindbee, "candidates", body)
        assert (await bindbee.read(f"applications/{result['application']}"))["source"] == name
    unknown = ADA | {"job": job_named(bindbee, "Engine builder"), "source": "A friend of a friend"}
    result = await written(bindbee, "candidates", unknown)
    assert "A friend of a friend" in result["warnings"][0]


async def test_a_known_candidate_applies_for_another_job(bindbee: Bindbee) -> None:
    bindbee.account.simulator.create_job("Second")
    assert (await bindbee.account.sync()).state == "SUCCEEDED"
    first = await written(bindbee, "candidates", ADA | {"job": job_named(bindbee, "Engine builder")})
    body = {"candidate": first["candidate"], "job": job_named(bindbee, "Second"), "applied_at": "2024-05-20"}
    second = await written(bindbee, "applications", body)
    assert second["id"] == second["application"] != first["application"]
    assert second["data"] == await bindbee.read(f"applications/{second['id']}")
    assert {one.written.message for one in at_the_tool(bindbee)} == {None}
    assert len(at_the_tool(bindbee)) == 2
    somebody = body | {"candidate": str(uuid4())}
    assert list(await faults(bindbee, "applications", somebody)) == [("body", "candidate")]


async def test_answers_are_those_that_the_job_asks_for(bindbee: Bindbee) -> None:
    schema = await schema_for(bindbee, "Curious")
    asked = schema["properties"]["additional_attributes"]["properties"]["screening_question_answers"]
    listed = {row["id"] for row in await bindbee.rows("screening-questions", job=job_named(bindbee, "Curious"))}
    assert asked["properties"].keys() <= listed
    body = ADA | {"job": job_named(bindbee, "Curious")}
    place = ("body", "additional_attributes", "screening_question_answers")
    missing = await faults(bindbee, "candidates", body)
    assert missing == {(*place, id): "Field required" for id in asked["required"]}
    stranger = str(uuid4())
    answers = {id: "x" for id, one in asked["properties"].items() if one["type"] == "string" and "enum" not in one}
    body["additional_attributes"] = {"screening_question_answers": {**answers, stranger: "x"}}
    assert (await faults(bindbee, "candidates", body))[*place, stranger] == "Extra inputs are not permitted"


async def test_what_the_meta_says_is_what_the_create_accepts(bindbee: Bindbee) -> None:
    """The whole way, over the ledger and the connector, without sending."""
    found = await bindbee.read("candidates/create/meta")
    assert len(found["data"]["allOf"]) >= 2
    schema = await schema_for(bindbee, "Curious")
    loop = asyncio.get_running_loop()

    def ask(body: Any) -> httpx2.Response:
        return asyncio.run_coroutine_threadsafe(post(bindbee, "candidates?dry_run=true", body), loop).result()

    @settings(
        max_examples=12,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(body=bodies(schema), data=st.data())
    def check(body: Any, data: st.DataObject) -> None:
        answer = ask(body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["requests"][-1]["method"] == "POST"
        for wrong in data.draw(st.lists(st.sampled_from([*breaks(schema, body)]), min_size=2, max_size=4)):
            answer = ask(wrong.body)
            assert answer.status_code == 422, f"{wrong.how} at {wrong.loc}: {answer.text}"
            places = [tuple(fault["loc"][1:]) for fault in answer.json()["detail"]]
            # What a file is called and holds is told of the file.
            assert wrong.loc in places or wrong.loc[:-1] in places, f"{wrong.how} at {wrong.loc}: {places}"

    await asyncio.to_thread(check)
    assert not at_the_tool(bindbee)


async def test_a_key_is_answered_as_the_first_time(bindbee: Bindbee) -> None:
    body = ADA | {"job": job_named(bindbee, "Engine builder")}
    first = await post(bindbee, "candidates", body, x_idempotency_key="k1")
    again = await post(bindbee, "candidates", body, x_idempotency_key="k1")
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.content == again.content
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    other = await post(bindbee, "candidates", body | {"first_name": "Eda"}, x_idempotency_key="k1")
    assert (other.status_code, other.json()["detail"]) == (
        409,
        "Idempotency key already exists with a different payload.",
    )
    assert len(at_the_tool(bindbee)) == 1


async def test_what_the_tool_refuses_is_told_in_its_words(bindbee: Bindbee) -> None:
    job = job_named(bindbee, "Engine builder")
    await written(bindbee, "candidates", ADA | {"job": job}, x_idempotency_key="k1")
    twice = await post(bindbee, "candidates", ADA | {"job": job}, x_idempotency_key="k2")
    assert twice.status_code == 409
    future = ADA | {"job": job, "email_addresses": ["b@applicants.example"], "applied_at": "2100-01-01"}
    found = await faults(bindbee, "candidates", future)
    assert "errors.date-validation.date-in-the-future" in found["body", "applied_at"]
    numbers = [one.id for one in bindbee.account.simulator.company.jobs if one.name == "Engine builder"]
    bindbee.account.simulator.unpublish_job(numbers[0])
    closed = await faults(bindbee, "candidates", {"data": ADA | {"job_id": job, "last_name": "Other"}})
    assert "errors.job-position.not-published" in closed["body", "data", "job_id"]


async def test_a_write_may_be_deferred(bindbee: Bindbee) -> None:
    body = ADA | {"job": job_named(bindbee, "Engine builder")}
    answer = await post(bindbee, "candidates", body, prefer="respond-async")
    assert (answer.status_code, answer.json()["status"]) == (202, "PENDING")
    assert answer.headers["preference-applied"] == "respond-async"
    assert answer.headers["location"].startswith("/atsumi/v1/actions/")


async def test_fields_without_a_place_are_told_and_lost(bindbee: Bindbee) -> None:
    extras = {"company": "Analytical Engines", "is_private": True, "custom_fields": {"size": "XXL"}, "avatar": None}
    read_only = {"remote_created_at": "2021-07-01T00:00:00Z", "applications": []}
    body = ADA | {"job": job_named(bindbee, "Engine builder"), "locations": ["Bonn", "Ulm"]} | extras | read_only
    result = await written(bindbee, "candidates", body)
    told = " ".join(result["warnings"])
    assert all(word in told for word in ("company", "is_private", "custom_fields", "locations"))
    assert len(result["warnings"]) == 4


@pytest.mark.parametrize(
    "spec", [one for one in LISTS if one.name not in ("candidates", "applications")], ids=lambda one: one.name
)
async def test_models_that_cannot_be_written_are_refused_by_name(company_bindbee: Bindbee, spec: Any) -> None:
    answer = await post(company_bindbee, spec.name, {})
    assert answer.status_code == 403
    assert f"Writes are disabled for the model {spec.tag}" in answer.json()["detail"]


async def test_files_cannot_be_added_later(company_bindbee: Bindbee) -> None:
    file = {"file_name": "life.pdf", "file_content": ENCODED}
    answer = await post(company_bindbee, f"candidates/{uuid4()}/attachments", file)
    assert answer.status_code == 403
    assert "add candidate attachment" in answer.json()["detail"]


async def test_the_meta_of_a_job_that_there_is_not_is_refused(company_bindbee: Bindbee) -> None:
    answer = await company_bindbee.get("candidates/create/meta", job=str(uuid4()))
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["query", "job"])


@pytest.fixture(scope="session")
async def company_bindbee(company: Any) -> Bindbee:
    """A connector that no test changes."""
    return await bindbee_of(company)
