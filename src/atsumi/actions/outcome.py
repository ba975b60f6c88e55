"""What came of an action, as the ledger keeps it: the caller is told the same again as long as it is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from atsumi import errors
from atsumi.errors import AtsumiError, CallerError, Problem, RemoteCall, ToolError

KINDS: dict[str, type[AtsumiError]] = {
    kind.__name__: kind
    for kind in (
        errors.InvalidInput,
        errors.NotFound,
        errors.Conflict,
        errors.UnsupportedByTool,
        errors.AlreadyExists,
        errors.JobClosed,
        errors.RemoteRejected,
        errors.PermissionMissing,
        errors.AuthenticationFailed,
        errors.RateLimited,
        errors.RemoteUnavailable,
        errors.OutcomeUnknown,
        errors.FileNotReady,
        errors.UnexpectedResponse,
    )
}


class KeptError(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An error, to be raised again. ``text`` is the whole message, ``kind`` its class or the nearest known one."""

    kind: str
    text: str
    path: str | None = None
    remote_message: str | None = None
    problems: list[Problem] = []
    tool: str = ""
    operation: str = ""
    method: str = ""
    url: str = ""
    status: int | None = None
    retry_at: datetime | None = None
    scope: str | None = None


class Outcome(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Warnings for the caller, and the error it ended with or met last. ``is_provisional``: see ``Receipt``."""

    warnings: list[str] = []
    error: KeptError | None = None
    is_provisional: bool = False


_decoder = msgspec.json.Decoder(Outcome)


def encode(outcome: Outcome) -> bytes:
    return msgspec.json.encode(outcome)


def decode(data: bytes | None) -> Outcome:
    """An action of which nothing was noted yet has an empty outcome."""
    return _decoder.decode(data) if data is not None else Outcome()


def kept(error: AtsumiError) -> KeptError:
    """An error as it is kept."""
    found = KeptError(kind=kind_of(error), text=str(error))
    if isinstance(error, CallerError):
        found.path = error.path
    if isinstance(error, ToolError):
        call = error.call
        found.tool, found.operation, found.method = call.tool, call.operation, call.method
        found.url, found.status, found.remote_message = call.url, call.status, error.remote_message
    if isinstance(error, errors.RemoteRejected):
        found.problems = list(error.problems)
    if isinstance(error, errors.RateLimited):
        found.retry_at = error.retry_at
    if isinstance(error, errors.PermissionMissing):
        found.scope = error.scope
    return found


def kind_of(error: AtsumiError) -> str:
    """The name of an error's class, or of the nearest known one."""
    return next((one.__name__ for one in type(error).__mro__ if one.__name__ in KINDS), "UnexpectedResponse")


def revived(kept: KeptError) -> AtsumiError:
    """The error again, with the same message and the same facts."""
    kind = KINDS[kept.kind]
    if issubclass(kind, CallerError):
        return kind(kept.text, path=kept.path)
    call = RemoteCall(kept.tool, kept.operation, kept.method, kept.url, kept.status)
    more: dict[str, Any] = {}
    if kept.retry_at is not None:
        more["retry_at"] = kept.retry_at
    if issubclass(kind, errors.RemoteRejected):
        more["problems"] = kept.problems
    if issubclass(kind, errors.PermissionMissing):
        more["scope"] = kept.scope
    if not issubclass(kind, errors.UnexpectedResponse):
        more["remote_message"] = kept.remote_message
    # The message already begins with tool, operation and status, which the class would put there again.
    error = kind(call, "", **more)
    error.args = (kept.text,)
    return error
