"""Actions in our own API: what callers wanted written, how far it is, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from atsumi import errors
from atsumi.actions.requests import ActionState, Receipt
from atsumi.dialects.atsumi import action_wire as wire
from atsumi.dialects.atsumi.call import Call
from atsumi.errors import InvalidInput, NotFound
from atsumi.model.ids import to_base58

ERRORS: Mapping[str, tuple[wire.ActionErrorCode, wire.WhoActs]] = {
    errors.InvalidInput.__name__: ("invalid_input", "caller"),
    errors.NotFound.__name__: ("not_found", "caller"),
    errors.Conflict.__name__: ("conflict", "caller"),
    errors.UnsupportedByTool.__name__: ("unsupported_by_tool", "caller"),
    errors.AlreadyExists.__name__: ("already_exists", "caller"),
    errors.JobClosed.__name__: ("job_closed", "caller"),
    errors.RemoteRejected.__name__: ("remote_rejected", "caller"),
    errors.AuthenticationFailed.__name__: ("authentication_failed", "customer"),
    errors.PermissionMissing.__name__: ("permission_missing", "customer"),
    errors.RateLimited.__name__: ("rate_limited", "nobody"),
    errors.RemoteUnavailable.__name__: ("remote_unavailable", "nobody"),
    errors.FileNotReady.__name__: ("file_not_ready", "nobody"),
    errors.OutcomeUnknown.__name__: ("outcome_unknown", "nobody"),
    errors.UnexpectedResponse.__name__: ("unexpected_response", "maintainers"),
}
"""What each class of error is called, and who acts next (:mod:`atsumi.errors`)."""


async def list_actions(call: Call) -> wire.ActionList:
    """The newest actions of the integration. Raises :class:`InvalidInput` for a ``before`` that is none of them."""
    query = call.query
    state = ActionState(query["state"]) if query["state"] is not None else None
    try:
        found, has_more = await call.services.actions(
            call.integration, query["limit"], state=state, before=query["before"]
        )
    except NotFound as error:
        raise InvalidInput("This integration has no such action, or no longer.", path="before") from error
    return wire.ActionList(items=[_action(one) for one in found], has_more=has_more)


async def get_action(call: Call) -> wire.ActionReceipt:
    """One action of the integration. Raises :class:`NotFound`."""
    found = await call.services.action(call.integration, call.id("action_id", "action"))
    if found is None:
        raise NotFound("This integration has no such action, or no longer.", path="action_id")
    return _action(found)


def _action(receipt: Receipt) -> wire.ActionReceipt:
    application, candidate = receipt.application, receipt.candidate
    return wire.ActionReceipt(
        id=to_base58(receipt.id),
        uuid=str(receipt.id),
        action=receipt.action,
        surface=receipt.surface,
        state=receipt.state,
        created_at=receipt.created_at,
        ended_at=receipt.ended_at,
        attempts=receipt.attempts,
        next=what_next(receipt),
        next_at=receipt.next_at,
        expected_wait_seconds=_expected_wait(receipt),
        application_id=to_base58(application) if application is not None else None,
        application_uuid=str(application) if application is not None else None,
        candidate_id=to_base58(candidate) if candidate is not None else None,
        candidate_uuid=str(candidate) if candidate is not None else None,
        is_provisional=receipt.is_provisional,
        warnings=list(receipt.warnings),
        error=_error(receipt),
    )


def _expected_wait(receipt: Receipt) -> float | None:
    if receipt.expected_wait_seconds is None and receipt.state is ActionState.PENDING and receipt.next_at is not None:
        # One that the tool's budget did not admit waits until it does.
        return round(max(0.0, (receipt.next_at - datetime.now(UTC)).total_seconds()), 1)
    return receipt.expected_wait_seconds


def _error(receipt: Receipt) -> wire.ActionError | None:
    if receipt.error_kind is None:
        return None
    code, who_acts = ERRORS[receipt.error_kind]
    return wire.ActionError(code=code, message=receipt.error, who_acts=who_acts)


def what_next(receipt: Receipt) -> str | None:
    """What happens next with an action, in words; ``None``: nothing does."""
    match receipt.state:
        case ActionState.PENDING if receipt.next_at is None:
            return "The same request, sent again, goes on where this one stopped. Nothing was changed in the tool yet."
        case ActionState.PENDING:
            return "It is carried out at `next_at`."
        case ActionState.RUNNING:
            return "It is being carried out."
        case ActionState.UNKNOWN:
            return (
                "At `next_at` the tool is asked whether it has it, and gets it again only if it does not. Do not send "
                "it under another key."
            )
        case ActionState.SUCCEEDED if receipt.is_provisional:
            return "The tool has accepted it; its record is looked for, and the ids lead to it as soon as it is there."
    return None
