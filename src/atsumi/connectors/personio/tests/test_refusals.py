"""Every refusal of v1 becomes one error of ours, with the caller's field and the tool's own words."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsumi.connector.http import Response
from atsumi.connectors.personio.refusals import refused
from atsumi.errors import (
    AlreadyExists,
    AuthenticationFailed,
    JobClosed,
    PermissionMissing,
    Problem,
    RemoteCall,
    RemoteRejected,
    ToolError,
)
from atsumi.redaction import register_secret

CALL = RemoteCall("personio", "create application", "POST", "https://api.personio.de/v1/recruiting/applications", 400)
VALIDATION = "errors.attribute-validation."


def answer(status: int, body: Any) -> Response:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, {}, data, CALL.url, CALL)


def judged(status: int, body: Any) -> ToolError | None:
    return refused(answer(status, body), {"email": "email_address", "custom_attribute_5": "answers.0"}.get)


def by_field(field: str, *reasons: str, context: Any = None) -> dict[str, Any]:
    return {"errors": [{"field": field, "errors": [{"reason": one, "context": context or {}} for one in reasons]}]}


@pytest.mark.parametrize(
    ("reason", "status", "kind"),
    [
        *(
            (VALIDATION + name, 400, RemoteRejected)
            for name in (
                "unknown",
                "required-attribute",
                "invalid-date-format",
                "invalid-email-format",
                "invalid-type",
                "unknown-attribute-option",
            )
        ),
        ("errors.date-validation.date-in-the-future", 400, RemoteRejected),
        ("errors.phase-validation.invalid-system-phase", 400, RemoteRejected),
        ("errors.file-validation.file-not-exists", 400, RemoteRejected),
        ("errors.file-validation.unknown-file-category", 400, RemoteRejected),
        ("errors.invalid-file-type", 422, RemoteRejected),
        ("errors.file-too-big", 413, RemoteRejected),
        ("errors.applicant-already-exists", 400, AlreadyExists),
        ("errors.posting-validation.posting-not-found", 400, RemoteRejected),
        ("errors.posting-validation.channel-not-found", 400, RemoteRejected),
        ("errors.job-position.not-published", 400, JobClosed),
        ("feature.recruiting.disabled", 403, PermissionMissing),
        ("feature.public-api.disabled", 403, PermissionMissing),
        ("errors.of-the-future", 400, RemoteRejected),
    ],
)
def test_each_reason_has_its_error(reason: str, status: int, kind: type[ToolError]) -> None:
    error = judged(status, by_field("email", reason))
    assert type(error) is kind
    assert str(error).startswith("personio: create application: 400, ")
    assert error.remote_message is not None
    assert reason in error.remote_message
    if isinstance(error, RemoteRejected):
        [problem] = error.problems
        assert (problem.path, problem.reason) == ("email_address", reason)
        assert problem.message or reason == "errors.of-the-future"
    else:
        assert isinstance(error, PermissionMissing)
        assert error.scope == reason


def test_all_that_is_wrong_is_told_with_the_tools_words() -> None:
    body = by_field("email", VALIDATION + "invalid-email-format", context={"value": "ada@"})
    body["errors"] += by_field("custom_attribute_5", VALIDATION + "unknown", VALIDATION + "invalid-type")["errors"]
    body["errors"] += by_field("shoe_size", VALIDATION + "unknown")["errors"]
    error = judged(400, body)
    assert isinstance(error, RemoteRejected)
    assert error.problems == (
        Problem(
            "email_address", VALIDATION + "invalid-email-format", 'the value is no e-mail address: {"value":"ada@"}'
        ),
        Problem("answers.0", VALIDATION + "unknown", "Personio does not know this attribute"),
        Problem("answers.0", VALIDATION + "invalid-type", "this kind of attribute cannot be written"),
        Problem(None, VALIDATION + "unknown", "shoe_size: Personio does not know this attribute"),
    )
    assert VALIDATION + "invalid-email-format" in str(error)
    assert "ada@" not in str(error), "the message goes to logs"


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (
            400,
            {
                "errors": [
                    {"id": "1", "status": "400", "title": "Bad Request", "detail": "Invalid request body supplied"}
                ]
            },
            Problem(None, "Bad Request", "Invalid request body supplied"),
        ),
        (
            422,
            {"errors": [{"id": "1", "status": "422", "title": "Unprocessable Entity"}]},
            Problem(None, "Unprocessable Entity", "Unprocessable Entity"),
        ),
        (
            400,
            {"error": {"reason": VALIDATION + "required-attribute"}},
            Problem(None, VALIDATION + "required-attribute", "a value is required"),
        ),
        (
            200,
            {"success": False, "error": {"code": 0, "message": "Something went wrong."}},
            Problem(None, "0", "Something went wrong."),
        ),
        (200, {"success": False}, Problem(None, "refused")),
        (
            200,
            {"success": False, "error": "Job position not published"},
            Problem(None, "refused", "Job position not published"),
        ),
        (
            201,
            by_field("email", VALIDATION + "invalid-type"),
            Problem("email_address", VALIDATION + "invalid-type", "this kind of attribute cannot be written"),
        ),
    ],
)
def test_the_other_shapes_are_refusals_too(status: int, body: Any, problem: Problem) -> None:
    error = judged(status, body)
    assert type(error) is RemoteRejected
    assert error.problems == (problem,)


@pytest.mark.parametrize(("status", "kind"), [(401, AuthenticationFailed), (403, PermissionMissing)])
@pytest.mark.parametrize("body", [b"", b"<html>", {"errors": [{"title": "Unauthorized", "detail": "No."}]}])
def test_a_wrong_key_is_told_by_the_status_alone(status: int, kind: type[ToolError], body: Any) -> None:
    assert type(judged(status, body)) is kind


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b'{"success": true}', {"uuid": "u", "size": 1}, {"errors": []}])
def test_a_success_is_none(body: Any) -> None:
    assert judged(200, body) is None
    assert judged(201, body) is None


def test_a_secret_in_the_tools_words_is_replaced() -> None:
    register_secret("a-very-secret-key")
    error = judged(400, by_field("email", "errors.x", context={"key": "a-very-secret-key"}))
    assert isinstance(error, RemoteRejected)
    assert "a-very-secret-key" not in f"{error} {error.problems} {error.remote_message}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["errors", "error", "field", "reason", "context", "success", "title"]), inner)
    ),
    max_leaves=12,
)


@given(st.integers(400, 499).filter(lambda status: status != 429), JSON)
def test_a_4xx_is_a_refusal_whatever_it_says(status: int, body: Any) -> None:
    error = refused(answer(status, msgspec.json.encode(body)), lambda field: None)
    assert isinstance(error, (RemoteRejected, PermissionMissing, AuthenticationFailed))
