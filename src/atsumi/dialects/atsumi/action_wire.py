"""The documents that tell of actions, as typed structs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from atsumi.actions.requests import ActionState
from atsumi.dialects.atsumi.wire import Id
from atsumi.model.actions import Action

ActionErrorCode = Literal[
    "invalid_input",
    "not_found",
    "conflict",
    "unsupported_by_tool",
    "already_exists",
    "job_closed",
    "remote_rejected",
    "authentication_failed",
    "permission_missing",
    "rate_limited",
    "remote_unavailable",
    "file_not_ready",
    "outcome_unknown",
    "unexpected_response",
]
WhoActs = Literal["caller", "customer", "nobody", "maintainers"]


class ActionError(msgspec.Struct, kw_only=True):
    """Why an action failed, or what keeps it from being done.

    ``code`` is for programs, ``message`` for people; it holds the tool's own words, if it gave any, and is ``null``
    when it is no longer kept. ``who_acts`` tells who can do something about it: the ``caller`` with another request,
    the ``customer`` or an admin of theirs in the tool, the ``maintainers`` of this software, or ``nobody``, because it
    passes.
    """

    code: ActionErrorCode
    message: str | None
    who_acts: WhoActs


class ActionReceipt(msgspec.Struct, kw_only=True):
    """One write to the tool that an API caller wanted. What is written is not shown.

    ``state``: ``PENDING`` waits for its turn, or for its caller to send the request again; ``RUNNING`` is being carried
    out; ``UNKNOWN`` was sent, but the tool did not answer, so it is found out whether the tool has it before it is sent
    again; ``SUCCEEDED`` and ``FAILED`` are final. ``next`` says in words what happens next, ``next_at`` when;
    both are ``null`` when nothing does. ``expected_wait_seconds`` is how long a ``PENDING`` one will wait, mostly for
    the tool's rate limit; ``null`` where that is not known.

    ``application_id`` and ``candidate_id`` (``…_uuid`` in the other spelling) are what was made. While
    ``is_provisional``, the tool has accepted it but does not show it yet: these ids stay valid and lead to the record
    as soon as it is there.
    """

    id: Id
    uuid: str
    action: Action
    surface: str
    state: ActionState
    created_at: datetime
    ended_at: datetime | None
    attempts: Annotated[int, msgspec.Meta(ge=0)]
    next: str | None
    next_at: datetime | None
    expected_wait_seconds: Annotated[float, msgspec.Meta(ge=0)] | None
    application_id: Id | None
    application_uuid: str | None
    candidate_id: Id | None
    candidate_uuid: str | None
    is_provisional: bool
    warnings: list[str]
    error: ActionError | None


class ActionList(msgspec.Struct, kw_only=True):
    """Actions, newest first. Older ones are read with ``before`` the last one's id."""

    items: list[ActionReceipt]
    has_more: bool
