"""Our errors on the wire: ``{"detail": text}``, and for bad input ``{"detail": [{loc, msg, type, input, ctx}]}``.

The published service is built with FastAPI, so the words for bad input are those of pydantic, which clients may read
(Bindbee NOTES, section 6). Where pydantic has no word for what is wrong, the type is ``value_error``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from atsumi import errors
from atsumi.dialects.http import ErrorAnswer, Headers, NoRoute, retry_after


class Fault(msgspec.Struct, kw_only=True):
    """One thing wrong with a request. ``input`` is what was sent; ``ctx`` holds the limit that was broken."""

    type: str
    loc: list[str | int]
    msg: str
    input: Any = msgspec.UNSET
    ctx: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class Refusal(msgspec.Struct, kw_only=True):
    """The body of every error but bad input."""

    detail: str


class BadInput(msgspec.Struct, kw_only=True):
    """The body of a 422."""

    detail: list[Fault]


class InvalidRequest(Exception):
    """A request with faults, all of them."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(fault.msg for fault in faults))
        self.faults = list(faults)


class TooManyRequests(Exception):
    """The budget of the present minute is used up; ``seconds`` are left of it."""

    def __init__(self, seconds: int) -> None:
        super().__init__("Rate limit exceeded")
        self.seconds = seconds


class Forbidden(Exception):
    """The key is good, but what it asks for is switched off or of another category."""


def value_fault(loc: Sequence[str | int], message: str, sent: Any) -> Fault:
    """A fault that pydantic has no word for, as it tells what a validator of the application raised."""
    return Fault(type="value_error", loc=[*loc], msg=f"Value error, {message}", input=sent, ctx={"error": {}})


_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (Forbidden, 403),
    (errors.NotFound, 404),
    (errors.NoLongerKept, 404),
    (errors.Conflict, 409),
    (errors.NotReady, 409),
    (errors.UnsupportedByTool, 501),
    (errors.TooManyActions, 429),
    (errors.RateLimited, 429),
    (errors.RemoteUnavailable, 503),
    (errors.OutcomeUnknown, 503),
    (errors.AuthenticationFailed, 403),
    (errors.PermissionMissing, 403),
    (errors.AlreadyExists, 409),
    (errors.ToolError, 502),
    (TimeoutError, 504),
)
_WORDS: Mapping[int, str] = {404: "Not Found", 405: "Method Not Allowed"}
"""What the published service says of paths that it does not serve."""


def error_answer(error: Exception, path: str, request_id: str) -> ErrorAnswer:
    """The answer to a request that ended in ``error``.

    What nobody raised on purpose becomes a 500 whose text holds ``request_id`` and nothing of the error itself.
    """
    if isinstance(error, NoRoute):
        status = 405 if error.allow else 404
        headers = ((b"allow", ", ".join(error.allow).encode()),) if error.allow else ()
        return _refused(status, _WORDS[status], headers)
    if isinstance(error, InvalidRequest):
        return ErrorAnswer(422, msgspec.json.encode(BadInput(detail=error.faults)))
    if isinstance(error, errors.InvalidInput):
        loc = ["body", error.path] if error.path is not None else ["body"]
        return ErrorAnswer(422, msgspec.json.encode(BadInput(detail=[value_fault(loc, str(error), None)])))
    if isinstance(error, errors.AuthenticationRequired):
        return _refused(401, str(error), ((b"www-authenticate", b"Bearer"),))
    if isinstance(error, TooManyRequests):
        return _refused(429, str(error), ((b"retry-after", str(error.seconds).encode()),))
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return _refused(status, str(error) or kind.__name__, retry_after(error))
    message = f"Something went wrong on our side. Its cause is in the server's log under request {request_id}."
    answer = _refused(500, message, ((b"x-request-id", request_id.encode()),))
    return ErrorAnswer(answer.status, answer.body, answer.headers, is_fault=True)


def _refused(status: int, message: str, headers: Headers = ()) -> ErrorAnswer:
    return ErrorAnswer(status, msgspec.json.encode(Refusal(detail=message)), headers)
