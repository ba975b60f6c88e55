"""What comes of a write, in the contract's words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import jsonschema
import pytest

from atsumi import errors
from atsumi.actions.requests import (
    ActionState,
    Answered,
    Deferred,
    Written,
)
from atsumi.dialects.kombo.openapi import openapi_document
from atsumi.dialects.kombo.tests.kit import INTEGRATION, client
from atsumi.dialects.kombo.tests.writes_kit import (
    BODIES,
    FILE,
    JOB,
    MADE,
    PERSON,
    TOOL,
    Ledger,
    listed,
    receipt,
    sent,
    with_person,
)
from atsumi.errors import Problem
from atsumi.model.actions import Action
from atsumi.model.draft import ApplicationDraft, Ref
from atsumi.model.ids import to_base58

REFUSED = errors.RemoteRejected(
    TOOL,
    "it refuses it",
    problems=[
        Problem("email_address", "errors.invalid-email-format", "no address"),
        Problem("files.1", "errors.file-too-big"),
        Problem("answers.0", "errors.x", "in its words"),
        Problem("job", "errors.y"),
        Problem(None, "errors.z", "somewhere"),
    ],
)


@pytest.mark.parametrize(
    ("outcome", "status", "code", "said"),
    [
        (
            REFUSED,
            400,
            "REMOTE.INPUT_INVALID",
            [
                "personio: create application: 400, it refuses it",
                "candidate.email_address: errors.invalid-email-format (no address)",
                "screening_question_answers.0.answer: errors.file-too-big",
                "screening_question_answers.0: errors.x (in its words)",
                "job_id: errors.y",
                "errors.z (somewhere)",
            ],
        ),
        (errors.AlreadyExists(TOOL, "no", remote_message="its words"), 409, "ATS.APPLICATION_ALREADY_EXISTS", ["its"]),
        (errors.JobClosed(TOOL, "no"), 400, "ATS.JOB_CLOSED", []),
        (errors.InvalidInput("No such stage.", path="stage"), 400, "PLATFORM.INPUT_INVALID", ["stage_id: No such"]),
        (errors.FetchFailed("Gone.", path="files.0"), 400, "PLATFORM.INPUT_INVALID", ["attachments.0: Gone."]),
        (errors.NotFound("no"), 404, None, []),
        (errors.Conflict("Another body."), 409, None, ["Another body."]),
        (errors.InProgress("Later.", seconds=7), 409, None, ["Later."]),
        (errors.TooManyActions("no", limit=30), 429, "PLATFORM.CONCURRENCY_LIMIT_EXCEEDED", []),
        (errors.NotReady("Interrupted."), 503, "REMOTE.SERVICE_UNAVAILABLE", ["Interrupted."]),
        (errors.OutcomeUnknown(TOOL, "no"), 503, "REMOTE.SERVICE_UNAVAILABLE", []),
        (errors.RemoteUnavailable(TOOL, "no"), 503, "REMOTE.SERVICE_UNAVAILABLE", []),
        (errors.PermissionMissing(TOOL, "no"), 403, "INTEGRATION.PERMISSION_MISSING", []),
        (errors.UnexpectedResponse(TOOL, "no"), 502, "REMOTE.UNKNOWN_HTTP_ERROR", []),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
async def test_an_error_is_told_in_the_contracts_words(
    outcome: Exception, status: int, code: str | None, said: Sequence[str]
) -> None:
    services = Ledger(outcome)
    answers = [{"question_id": "q", "answer": {"name": "b.pdf", "data_url": "https://a.example/b.pdf"}}]
    answer = await sent(services, with_person() | {"attachments": [FILE], "screening_question_answers": answers})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    for one in said:
        assert one in error["message"]
    assert (answer.headers["concurrency-limit"], answer.headers["concurrency-remaining"]) == ("30", "28")
    assert answer.headers.get("retry-after") == {errors.InProgress: "7", errors.TooManyActions: "1"}.get(type(outcome))


async def test_a_bug_is_no_answer_of_an_action() -> None:
    answer = await sent(Ledger(RuntimeError("secret detail")), with_person())
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "PLATFORM.UNKNOWN_ERROR")
    assert "secret detail" not in answer.text


async def test_an_answer_that_was_given_before_is_given_again() -> None:
    again = Written(receipt(), answered=Answered(200, b'{"status":"success"}'))
    answer = await sent(Ledger(again), with_person())
    assert (answer.content, answer.headers["idempotent-replayed"]) == (b'{"status":"success"}', "true")


async def test_of_two_answers_the_first_one_counts() -> None:
    services = Ledger()
    services.kept = Answered(200, b'{"the":"first"}')
    answer = await sent(services, with_person())
    assert (answer.content, answer.headers["idempotent-replayed"]) == (b'{"the":"first"}', "true")


def schema_of_answer(path: str) -> dict[str, Any]:
    document = json.loads(openapi_document())
    content = document["paths"][path]["post"]["responses"]["200"]["content"]["application/json"]
    return {**content["schema"], "components": document["components"]}


@pytest.mark.parametrize("is_provisional", [False, True])
@pytest.mark.parametrize("action", sorted(MADE))
async def test_what_was_made_is_shown_as_the_list_shows_it(action: Action, is_provisional: bool) -> None:
    services = Ledger()
    services.change_integration(remote_data_enabled=True)
    application, candidate = listed(services)
    draft = ApplicationDraft(job=Ref(id=INTEGRATION, remote_id="1"), **PERSON)
    ended = receipt(action, application=application, candidate=candidate, is_provisional=is_provisional)
    services.outcome = Written(ended, draft)
    method, path, given = BODIES[action]
    answer = await sent(services, given, url=f"/v1/ats/{path}", method=method)
    assert answer.status_code == 200, answer.text
    shown = answer.json()["data"]
    declared = "/ats/candidates" if action is Action.CREATE_CANDIDATE else "/ats/jobs/{job_id}/applications"
    jsonschema.Draft202012Validator(schema_of_answer(declared)).validate(answer.json())
    assert shown["id"] == to_base58(candidate if action is Action.CREATE_CANDIDATE else application)
    async with client(services) as http:
        [person] = (await http.get("/v1/ats/candidates")).json()["data"]["results"]
        [applied] = (await http.get("/v1/ats/applications")).json()["data"]["results"]
    if is_provisional:
        assert shown["remote_id"] in (None, shown["id"])
    elif action is Action.CREATE_CANDIDATE:
        assert shown == person
    else:
        del person["applications"]
        assert shown == applied | {"candidate": person}


async def test_a_receipt_is_answered_with_its_place() -> None:
    services = Ledger(Deferred(receipt(state=ActionState.PENDING, expected_wait_seconds=2.2)))
    answer = await sent(services, with_person(), Prefer="respond-async")
    assert (answer.status_code, answer.headers["preference-applied"]) == (202, "respond-async")
    assert (answer.headers["retry-after"], services.wanted[0].is_deferred) == ("3", True)
    assert answer.headers["location"] == f"/atsumi/v1/actions/{answer.json()['data']['action_id']}"
    assert services.kept is None


async def test_a_dry_run_is_not_written() -> None:
    services = Ledger()
    answer = await sent(services, with_person(), url=f"{JOB}?dry_run=True")
    shown = answer.json()
    assert (shown["data"]["dry_run"], shown["data"]["expected_wait_seconds"]) == (True, 1.5)
    assert shown["data"]["requests"][0]["body"] == {"email": "ada@example.com"}
    assert shown["warnings"] == [{"message": "A warning."}]
    assert not services.wanted
    assert len(services.planned) == 1
