"""Our errors on the wire: status, code, title, message.

Statuses follow the vendor's notes and SDK tests where those fix them, else the usual meaning of HTTP (Kombo NOTES,
section "Errors"). The published clients know 24 codes on ATS operations and only the eight ``PLATFORM`` ones on all
others; a code that they do not know costs them the typed error, so it is ``null`` instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import msgspec

from atsumi import errors
from atsumi.dialects.http import ErrorAnswer, Headers, NoRoute, retry_after


class Family(Enum):
    """Which codes an operation's clients know."""

    ATS = "ats"
    GENERAL = "general"


class Code(msgspec.Struct, frozen=True):
    """One entry of the closed list: what is always the same about it."""

    status: int
    title: str


CODES: Mapping[str, Code] = {
    "PLATFORM.RATE_LIMIT_EXCEEDED": Code(429, "Too many requests"),
    "PLATFORM.CONCURRENCY_LIMIT_EXCEEDED": Code(429, "Too many actions at once"),
    "PLATFORM.INTEGRATION_NOT_FOUND": Code(404, "Integration not found"),
    "PLATFORM.INPUT_INVALID": Code(400, "Invalid input"),
    "PLATFORM.UNKNOWN_ERROR": Code(500, "Internal error"),
    "PLATFORM.IP_NOT_WHITELISTED": Code(403, "Address not allowed"),
    "PLATFORM.AUTHENTICATION_INVALID": Code(401, "API key not valid"),
    "PLATFORM.TASK_TIMED_OUT": Code(504, "Request took too long"),
    "INTEGRATION.PERMISSION_MISSING": Code(403, "Credentials lack a permission"),
    "INTEGRATION.AUTHENTICATION_INVALID": Code(401, "Credentials refused by the tool"),
    "INTEGRATION.QA_FAILED": Code(409, "Integration failed its checks"),
    "INTEGRATION.SETUP_SYNC_PENDING": Code(409, "First sync not finished"),
    "INTEGRATION.SETUP_INCOMPLETE": Code(409, "Set-up not finished"),
    "INTEGRATION.INACTIVE": Code(409, "Integration is switched off"),
    "INTEGRATION.MODEL_NOT_AVAILABLE": Code(400, "Model not available for this tool"),
    "INTEGRATION.MODEL_DISABLED": Code(403, "Model is switched off"),
    "INTEGRATION.ACTION_NOT_AVAILABLE": Code(400, "Action not available for this tool"),
    "INTEGRATION.ACTION_DISABLED": Code(403, "Action is switched off"),
    "REMOTE.SERVICE_UNAVAILABLE": Code(503, "Tool cannot be reached"),
    "REMOTE.RATE_LIMIT_EXCEEDED": Code(429, "Tool allows no more requests now"),
    "REMOTE.INPUT_INVALID": Code(400, "Tool refused the data"),
    "REMOTE.UNKNOWN_HTTP_ERROR": Code(502, "Tool answered unexpectedly"),
    "ATS.JOB_CLOSED": Code(400, "Job is closed"),
    "ATS.APPLICATION_ALREADY_EXISTS": Code(409, "Application exists already"),
}
"""All codes of the contract (Kombo OpenAPI document, May 2026, error schemas)."""


def codes_of(family: Family) -> tuple[str, ...]:
    """The codes that the clients of an operation know."""
    return tuple(code for code in CODES if family is Family.ATS or code.startswith("PLATFORM."))


class WireError(Exception):
    """An error that this dialect itself raises, already in the wire's words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ErrorDetail(msgspec.Struct, kw_only=True):
    """All four keys are always there; clients rely only on ``message``."""

    code: str | None
    title: str | None
    message: str
    log_url: str | None = None


class ErrorDocument(msgspec.Struct, kw_only=True):
    """The envelope of every error."""

    error: ErrorDetail
    status: str = "error"


_BY_TYPE: tuple[tuple[type[Exception], str], ...] = (
    (errors.InvalidInput, "PLATFORM.INPUT_INVALID"),
    (errors.AuthenticationRequired, "PLATFORM.AUTHENTICATION_INVALID"),
    (errors.NotReady, "INTEGRATION.SETUP_SYNC_PENDING"),
    (errors.UnsupportedByTool, "INTEGRATION.ACTION_NOT_AVAILABLE"),
    (errors.AuthenticationFailed, "INTEGRATION.AUTHENTICATION_INVALID"),
    (errors.PermissionMissing, "INTEGRATION.PERMISSION_MISSING"),
    (errors.RateLimited, "REMOTE.RATE_LIMIT_EXCEEDED"),
    (errors.RemoteUnavailable, "REMOTE.SERVICE_UNAVAILABLE"),
    (errors.OutcomeUnknown, "REMOTE.SERVICE_UNAVAILABLE"),
    (errors.TooManyActions, "PLATFORM.CONCURRENCY_LIMIT_EXCEEDED"),
    (errors.AlreadyExists, "ATS.APPLICATION_ALREADY_EXISTS"),
    (errors.JobClosed, "ATS.JOB_CLOSED"),
    (errors.RemoteRejected, "REMOTE.INPUT_INVALID"),
    (errors.ToolError, "REMOTE.UNKNOWN_HTTP_ERROR"),
    (TimeoutError, "PLATFORM.TASK_TIMED_OUT"),
)
_WITHOUT_CODE: tuple[tuple[type[Exception], int], ...] = (
    (errors.NotFound, 404),
    (errors.NoLongerKept, 410),
    (errors.Conflict, 409),
)


def error_answer(error: Exception, family: Family, request_id: str) -> ErrorAnswer:
    """The answer to a request that ended in ``error``.

    What nobody raised on purpose becomes a 500 whose message holds ``request_id`` and nothing of the error itself.
    """
    if isinstance(error, NoRoute):
        status = 405 if error.allow else 404
        headers = ((b"allow", ", ".join(error.allow).encode()),) if error.allow else ()
        return ErrorAnswer(status, _body(None, str(error)), headers)
    if isinstance(error, WireError):
        return _coded(error.code, str(error), family)
    for kind, code in _BY_TYPE:
        if isinstance(error, kind):
            message = str(error) or CODES[code].title
            return _coded(code, message, family, retry_after(error))
    for kind, status in _WITHOUT_CODE:
        if isinstance(error, kind):
            return ErrorAnswer(status, _body(None, str(error)), retry_after(error))
    message = f"Something went wrong on our side. Its cause is in the server's log under request {request_id}."
    headers = ((b"x-request-id", request_id.encode()),)
    code = "PLATFORM.UNKNOWN_ERROR"
    return ErrorAnswer(CODES[code].status, _body(code, message), headers, is_fault=True)


def _coded(code: str, message: str, family: Family, headers: Headers = ()) -> ErrorAnswer:
    known = CODES[code]
    if code == "PLATFORM.AUTHENTICATION_INVALID":
        headers = (*headers, (b"www-authenticate", b"Bearer"))
    return ErrorAnswer(known.status, _body(code if code in codes_of(family) else None, message), headers)


def _body(code: str | None, message: str) -> bytes:
    title = CODES[code].title if code is not None else None
    return msgspec.json.encode(ErrorDocument(error=ErrorDetail(code=code, title=title, message=message)))
