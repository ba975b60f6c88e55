"""Bodies of creates become drafts, and what becomes of a write becomes an answer in this dialect's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from atsumi import errors
from atsumi.actions.requests import ActionState, Answered, Planned, Receipt, WriteRequest, Written
from atsumi.connector.writing import WriteAction
from atsumi.dialects.bindbee.asked import KnownJob, KnownStage
from atsumi.dialects.bindbee.bodies import AtsCandidateWrite
from atsumi.dialects.bindbee.drafts import Parsed, flat_body, parse
from atsumi.dialects.bindbee.errors import InvalidRequest
from atsumi.dialects.bindbee.tests import kit
from atsumi.dialects.bindbee.tests.kit import client, fragment
from atsumi.dialects.bindbee.tests.test_meta import DRAFTED, action
from atsumi.dialects.services import Integration
from atsumi.dialects.write_services import JobQuestion, KnownSource
from atsumi.errors import Problem, RemoteCall
from atsumi.model.actions import Action
from atsumi.model.draft import ApplicationDraft, Gender
from atsumi.model.enums import JobStatus, SalaryPeriod
from atsumi.model.job import Job
from atsumi.model.scope import EVERYTHING

JOB = UUID("00000000-0000-8000-8000-0000000000b1")
STAGE = UUID("00000000-0000-8000-8000-0000000000b2")
KNOWN = KnownJob(JOB, "77", "Engine builder", [KnownStage(STAGE, "Screening", "system:screening")])
META = "/api/ats/v1/candidates/create/meta"
PERSON = {"first_name": "Ada", "last_name": "Lovelace", "email_addresses": ["ada@example.com"]}
CALL = RemoteCall("personio", "create application", "POST", "https://tool.test", 400)


def nested(depth: int) -> Any:
    found: Any = 1
    for _ in range(depth):
        found = [found]
    return found


def parsed(body: Any) -> Parsed:
    flat = flat_body(body, lambda remote_id: JOB if remote_id == "77" else UUID(int=0))
    return parse(flat, AtsCandidateWrite, action(*DRAFTED), KNOWN)


def test_every_field_finds_its_place() -> None:
    found = parsed(
        PERSON
        | {
            "job": str(JOB),
            "email_addresses": ["ada@example.com", "lovelace@example.com"],
            "phone_numbers": ["1", "2"],
            "company": "Engines & Sons",
            "title": "Countess",
            "locations": ["London"],
            "urls": [{"value": "https://example.com/ada", "url_type": "BLOG"}],
            "tags": ["FORTRAN"],
            "job_interview_stage_id": str(STAGE).upper(),
            "source": "LinkedIn",
            "applied_at": "2024-05-20T23:30:00-05:00",
            "credited_to": str(JOB),
            "additional_attributes": {
                "message": "Hello",
                "gender": "FEMALE",
                "birthday": "1815-12-10",
                "available_from": "2027-01-01",
                "salary_expectation": {"amount": 5, "period": "MONTH"},
                "gdpr_consent": {"given": True, "expires_at": "2027-01-01T00:00:00Z"},
                "external_posting_id": "x",
            },
        }
    ).draft
    assert (found.first_name, found.last_name, found.email_address) == ("Ada", "Lovelace", "ada@example.com")
    assert [one.email_address for one in found.additional_email_addresses] == ["lovelace@example.com"]
    assert (found.phone_number, [one.phone_number for one in found.additional_phone_numbers]) == ("1", ["2"])
    assert (found.company, found.title, found.message) == ("Engines & Sons", "Countess", "Hello")
    assert (found.location and found.location.raw, found.social_links) == ("London", ["https://example.com/ada"])
    assert (found.tags, found.job.id, found.stage and found.stage.remote_id) == (["FORTRAN"], JOB, "system:screening")
    assert (found.source and found.source.name, found.credited_to and found.credited_to.id) == ("LinkedIn", JOB)
    assert (found.applied_on, found.gender, found.birthday) == (date(2024, 5, 21), Gender.FEMALE, date(1815, 12, 10))
    assert found.available_from == date(2027, 1, 1)
    assert found.salary_expectation is not None
    assert (found.salary_expectation.amount, found.salary_expectation.period) == (5, SalaryPeriod.MONTH)
    assert found.gdpr_consent is not None
    assert (found.gdpr_consent.given, found.gdpr_consent.expires_at) == (True, datetime(2027, 1, 1, tzinfo=UTC))
    assert found.remote_fields == {"external_posting_id": "x"}


@pytest.mark.parametrize(
    "body",
    [
        {"data": PERSON | {"job_id": str(JOB)}},
        {"data": PERSON | {"job": str(JOB)}, "remote_user_id": None},
        {"data": PERSON, "job_requisition_id": "77"},
        {"data": PERSON | {"job_id": str(JOB)}, "job_requisition_id": "77"},
        PERSON | {"job_id": str(JOB)},
        PERSON | {"job": str(JOB), "company": None, "additional_attributes": {"message": None}},
    ],
)
def test_both_shapes_are_the_same_wish(body: Any) -> None:
    assert parsed(body).draft == parsed(PERSON | {"job": str(JOB)}).draft


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ([], ["body"]),
        ({"data": []}, ["body", "data"]),
        ({"data": PERSON}, ["body", "data", "job_id"]),
        ({"data": PERSON | {"job_id": "x"}}, ["body", "data", "job_id"]),
        ({"data": PERSON | {"job": 1}}, ["body", "data", "job"]),
        ({"data": PERSON | {"job_id": str(JOB)}, "nonsense": 1}, ["body", "nonsense"]),
        ({"data": PERSON | {"job_id": str(JOB)}, "job_requisition_id": "78"}, ["body", "job_requisition_id"]),
        (PERSON, ["body", "job"]),
        (PERSON | {"job": str(JOB), "job_interview_stage_id": str(JOB)}, ["body", "job_interview_stage_id"]),
        (PERSON | {"job": str(JOB), "current_stage": str(JOB)}, ["body", "current_stage"]),
        (PERSON | {"job": str(JOB), "first_name": None}, ["body", "first_name"]),
        (PERSON | {"job": str(JOB), "first_name": "A\x00"}, ["body", "first_name"]),
        (PERSON | {"job": str(JOB), "additional_attributes": []}, ["body", "additional_attributes"]),
        (PERSON | {"job": str(JOB), "custom_fields": {"a": nested(2_000)}}, ["body"]),
        (PERSON | {"job": str(JOB), "attachments": [{"file_name": "a.pdf"}]}, ["body", "attachments", 0]),
    ],
)
def test_faults_are_told_where_the_caller_wrote_them(body: Any, loc: Sequence[str | int]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parsed(body)
    assert loc in [fault.loc for fault in refused.value.faults]
    assert all(not isinstance(fault.input, dict | list) for fault in refused.value.faults if fault.input)


def test_files_that_exist_are_not_copied() -> None:
    found = parsed({"data": PERSON | {"job_id": str(JOB), "attachments": [str(STAGE)]}})
    assert found.draft.files == []
    assert "attachments" in found.flat.warnings[0]


@pytest.mark.parametrize(
    ("path", "loc"),
    [
        ("email_address", ["body", "data", "email_addresses", 0]),
        ("location.city", ["body", "data", "locations", 0]),
        ("source", ["body", "data", "additional_attributes", "recruiting_channel_id"]),
        ("job", ["body", "data", "job_id"]),
        ("files.0", ["body", "data", "attachments", 0]),
        ("attachments.0", ["body", "data", "attachments", 0]),
        ("files", ["body", "data", "attachments"]),
        ("remote_fields.phase", ["body", "data", "additional_attributes", "phase"]),
        (None, ["body", "data"]),
    ],
)
def test_paths_of_the_draft_lead_back_to_the_body(path: str | None, loc: Sequence[str | int]) -> None:
    more = {"additional_attributes": {"recruiting_channel_id": "5", "phase": {}}}
    file = {"file_name": "a.pdf", "file_url": "https://files.example/a.pdf"}
    found = parsed({"data": PERSON | more | {"job_id": str(JOB), "attachments": [file]}})
    assert found.place(path) == loc


class Writing(kit.FakeServices):
    """A product that answers each write with what it is given."""

    def __init__(self, outcome: Exception | Written) -> None:
        job = Job(remote_id="77", name="Engine builder", status=JobStatus.OPEN)
        super().__init__(jobs=[fragment("jobs", job)])
        self.outcome = outcome
        self.job = next(iter(self.stored[job.model])).id
        self.actions = dict.fromkeys((Action.CREATE_CANDIDATE, Action.CREATE_APPLICATION), action(*DRAFTED))

    def write_action(self, tool: str, kind: Action) -> WriteAction | None:
        return self.actions.get(kind)

    async def job_questions(self, integration: Integration, job: UUID | None = None) -> Sequence[JobQuestion]:
        return ()

    async def known_sources(self, integration: Integration) -> Sequence[KnownSource]:
        return ()

    async def write(self, integration: Integration, request: WriteRequest) -> Written:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    async def plan(self, integration: Integration, request: WriteRequest) -> Planned:
        raise NotImplementedError

    async def keep_answer(self, integration: Integration, action: UUID, answered: Answered) -> Answered:
        return answered


async def answer_to(outcome: Exception | Written, **headers: str) -> Any:
    services = Writing(outcome)
    async with client(services, **headers) as http:
        return await http.post("/api/ats/v1/candidates", json={"data": PERSON | {"job_id": str(services.job)}})


PROBLEMS = [
    Problem("email_address", "errors.attribute-validation.invalid-email-format", "no address"),
    Problem(None, "other"),
]


@pytest.mark.parametrize(
    ("outcome", "status", "said"),
    [
        (errors.AlreadyExists(CALL, "applied already"), 409, "applied already"),
        (errors.AuthenticationFailed(CALL, "the key is refused"), 403, "the key is refused"),
        (errors.PermissionMissing(CALL, "no recruiting"), 403, "no recruiting"),
        (errors.OutcomeUnknown(CALL, "not known yet"), 503, "not known yet"),
        (errors.RemoteUnavailable(CALL, "away"), 503, "away"),
        (errors.RateLimited(CALL, "later", retry_at=datetime(2100, 1, 1, tzinfo=UTC)), 429, "later"),
        (errors.TooManyActions("30 are under way", limit=30), 429, "30 are under way"),
        (errors.UnexpectedResponse(CALL, "what is this"), 502, "what is this"),
        (errors.UnsupportedByTool("Personio offers no way"), 403, "Writes are disabled for the model"),
        (errors.Conflict("used"), 409, "Idempotency key already exists with a different payload."),
        (errors.InProgress("wait", seconds=5), 409, "Request with this idempotency key is already in progress."),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_what_becomes_of_a_write_has_its_status(outcome: Exception, status: int, said: str) -> None:
    answer = await answer_to(outcome, X_Idempotency_Key="k")
    assert answer.status_code == status
    assert said in answer.json()["detail"]
    waits = isinstance(outcome, errors.InProgress | errors.RateLimited | errors.TooManyActions)
    assert ("retry-after" in answer.headers) is waits


@pytest.mark.parametrize(
    ("outcome", "places"),
    [
        (
            errors.RemoteRejected(CALL, "no", problems=PROBLEMS),
            [["body", "data", "email_addresses", 0], ["body", "data"]],
        ),
        (errors.RemoteRejected(CALL, "no", remote_message="its words"), [["body", "data"]]),
        (errors.JobClosed(CALL, "closed", remote_message="its words"), [["body", "data", "job_id"]]),
        (errors.InvalidInput("Not so.", path="files.3"), [["body", "data", "attachments"]]),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_a_refusal_names_the_callers_fields(outcome: Exception, places: list[list[str | int]]) -> None:
    answer = await answer_to(outcome)
    assert answer.status_code == 422
    assert [fault["loc"] for fault in answer.json()["detail"]] == places
    if isinstance(outcome, errors.RemoteRejected):
        words = [one.reason for one in outcome.problems] or [outcome.remote_message]
        assert all(word in fault["msg"] for word, fault in zip(words, answer.json()["detail"], strict=True))


async def test_while_the_tool_does_not_show_it_the_ids_stand_in() -> None:
    receipt = Receipt(
        id=STAGE,
        action=Action.CREATE_CANDIDATE,
        state=ActionState.SUCCEEDED,
        surface="bindbee",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        application=JOB,
        candidate=STAGE,
        is_provisional=True,
        warnings=["It is not shown yet."],
    )
    found = (
        await answer_to(Written(receipt, ApplicationDraft(job=parsed(PERSON | {"job": str(JOB)}).draft.job)))
    ).json()
    assert (found["id"], found["application"], found["data"]) == (str(STAGE), str(JOB), None)
    assert (found["is_provisional"], found["warnings"]) == (True, ["It is not shown yet."])


async def test_a_key_that_cannot_be_one_is_told_of_its_header() -> None:
    answer = await answer_to(errors.Conflict("never asked"), X_Idempotency_Key="k" * 300)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["header", "X-Idempotency-Key"]


async def test_what_is_out_of_scope_is_neither_written_nor_described() -> None:
    services = Writing(errors.Conflict("never asked"))
    services.change_integration(scope=replace(EVERYTHING, actions=frozenset({Action.CREATE_CANDIDATE})))
    async with client(services) as http:
        answers = [await http.post("/api/ats/v1/candidates", json={}), await http.get(META)]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert all("scope" in answer.json()["detail"] for answer in answers)


async def test_a_tool_that_creates_no_candidates_has_no_meta() -> None:
    services = Writing(errors.Conflict("never asked"))
    services.actions = {}
    async with client(services) as http:
        described, written = await http.get(META), await http.post("/api/ats/v1/candidates", json={})
    assert (described.status_code, described.json()["detail"]) == (
        501,
        "Meta API is not implemented for Candidate in personio.",
    )
    assert written.status_code == 403
