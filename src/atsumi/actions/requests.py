"""A caller's wish to write, and what came of it: the words between dialects and whoever carries actions out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from atsumi.connector.writing import ToolRequest
from atsumi.model.actions import Action
from atsumi.model.draft import Draft

Content = Callable[[], AsyncIterator[bytes]]
"""Gives the content of a file that came with a request, in pieces; may be called once."""

MAX_FILES = 20
"""That one action brings along: each may take a minute to be fetched, and a place among those under way meanwhile."""
MAX_IN_FLIGHT = 30
"""Actions that one integration may have under way (Kombo NOTES, section "Limits")."""


class ActionState(StrEnum):
    """How far an action is."""

    PENDING = "PENDING"
    """Nobody is at it: it waits for its turn, or for its caller to ask again."""
    RUNNING = "RUNNING"
    UNKNOWN = "UNKNOWN"
    """The tool was asked and did not answer: whether it has it is being found out."""
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class UnknownQuestion(StrEnum):
    """What an answer to a question that the job does not ask comes to."""

    WARNS = "WARNS"
    REFUSES = "REFUSES"


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """One write that a caller wants.

    ``draft`` is as the surface has read it: references are not resolved. ``contents`` are the contents of those of its
    files that came along, by their place in ``draft.files``. ``key`` is the caller's idempotency key.
    """

    action: Action
    draft: Draft
    contents: Mapping[int, Content] = field(default_factory=dict)
    key: str | None = None
    is_deferred: bool = False
    """Whether the caller wants a receipt at once instead of the outcome."""
    wait_seconds: float | None = None
    """How long the caller would wait, if it says so."""
    unknown_question: UnknownQuestion = UnknownQuestion.WARNS
    addressed: str | None = None
    """The reference of the draft that the request's path names: a record that is not there is then ``NotFound``."""
    option_id: Callable[[UUID, str, str], str] | None = None
    """How the surface spells an option, of integration, question and option (remote ids), if not by its remote id."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """An action, as its caller may see it.

    ``application`` and ``candidate`` are our ids of what was made; while ``is_provisional``, the tool does not show it
    yet, and they are stand-ins that go on leading to it. ``error`` tells why it failed or is not done yet.
    ``expected_wait_seconds``: how long the tool's budget makes it wait, as far as that is known.
    """

    id: UUID
    action: Action
    state: ActionState
    surface: str
    created_at: datetime
    ended_at: datetime | None = None
    next_at: datetime | None = None
    attempts: int = 0
    application: UUID | None = None
    candidate: UUID | None = None
    is_provisional: bool = False
    warnings: Sequence[str] = ()
    error: str | None = None
    error_kind: str | None = None
    expected_wait_seconds: float | None = None
    in_flight: int = 0
    """How many actions the integration has under way, this one included."""


class Answered(NamedTuple):
    """The first answer to the caller, kept to be given again."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Written:
    """An action that has ended well. ``draft`` is what was written; ``answered`` the answer, if it was given before."""

    receipt: Receipt
    draft: Draft | None = None
    answered: Answered | None = None


@dataclass(frozen=True, slots=True)
class Deferred:
    """An action that is carried out later, or is being carried out."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Planned:
    """What would be sent to the tool, secrets masked, in order. Nothing was sent and nothing was noted."""

    requests: Sequence[ToolRequest]
    warnings: Sequence[str]
    expected_wait_seconds: float
