"""Our errors as problem documents."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from atsumi import errors
from atsumi.dialects.atsumi.wire import Code, Problem
from atsumi.dialects.http import ErrorAnswer, Headers, NoRoute

CODES: Mapping[Code, tuple[int, str]] = {
    "invalid_input": (400, "Invalid input"),
    "authentication_required": (401, "API key missing or not valid"),
    "integration_not_found": (404, "Integration not found"),
    "not_found": (404, "Not found"),
    "method_not_allowed": (405, "Method not allowed"),
    "not_ready": (409, "Integration cannot answer now"),
    "no_longer_kept": (410, "No longer kept"),
    "timed_out": (504, "Request took too long"),
    "internal_error": (500, "Internal error"),
}
"""Status and title of every code."""

CONTENT_TYPE = "application/problem+json"
_HEADERS: Headers = ((b"content-type", CONTENT_TYPE.encode()),)

_BY_TYPE: tuple[tuple[type[Exception], Code], ...] = (
    (errors.InvalidInput, "invalid_input"),
    (errors.AuthenticationRequired, "authentication_required"),
    (errors.NotFound, "not_found"),
    (errors.NoLongerKept, "no_longer_kept"),
    (errors.NotReady, "not_ready"),
    (TimeoutError, "timed_out"),
)


class IntegrationNotFound(Exception):
    """The request names no integration of its key's environment."""


def error_answer(error: Exception, path: str, request_id: str) -> ErrorAnswer:
    """The answer to a request that ended in ``error``.

    What nobody raised on purpose becomes a 500 whose text holds ``request_id`` and nothing of the error itself.
    """
    if isinstance(error, NoRoute):
        if error.allow:
            return _answer("method_not_allowed", str(error), headers=((b"allow", ", ".join(error.allow).encode()),))
        return _answer("not_found", str(error))
    if isinstance(error, IntegrationNotFound):
        return _answer("integration_not_found", str(error))
    for kind, code in _BY_TYPE:
        if isinstance(error, kind):
            parameter = error.path if isinstance(error, errors.CallerError) else None
            headers = ((b"www-authenticate", b"Bearer"),) if code == "authentication_required" else ()
            return _answer(code, str(error) or CODES[code][1], parameter, headers)
    detail = f"Something went wrong on our side. Its cause is in the server's log under request {request_id}."
    return _answer("internal_error", detail, headers=((b"x-request-id", request_id.encode()),), is_fault=True)


def _answer(
    code: Code, detail: str, parameter: str | None = None, headers: Headers = (), *, is_fault: bool = False
) -> ErrorAnswer:
    status, title = CODES[code]
    problem = Problem(
        type=f"urn:atsumi:problem:{code}", title=title, status=status, code=code, detail=detail, parameter=parameter
    )
    return ErrorAnswer(status, msgspec.json.encode(problem), (*_HEADERS, *headers), is_fault)
