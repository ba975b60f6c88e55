"""How a connector writes: an action is a function over a journal, which makes its steps happen exactly once.

The core owns what happens once and what happens again; a connector says what to send, and how to find out whether the
tool has it. It may be run again from the start at any time, in another process: steps that are in the journal are not
repeated.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from atsumi.connector.context import Context
from atsumi.connector.contract import Page
from atsumi.errors import (
    AuthenticationFailed,
    PermissionMissing,
    RateLimited,
    RemoteRejected,
    RemoteUnavailable,
    ToolError,
)
from atsumi.model.draft import FileDraft
from atsumi.model.enums import QuestionType, SalaryPeriod
from atsumi.model.names import Model

Notice = Callable[[], Awaitable[None]]


class Journal(Protocol):
    """What has been done of one action. Everything in it is encrypted and outlives the process."""

    async def once(self, step: str, do: Callable[[], Awaitable[str]]) -> str:
        """The result of a step that is harmless when it is done twice: from the journal, else ``do`` is called."""
        ...

    async def effect(
        self, step: str, send: Callable[[Notice], Awaitable[str]], find: Callable[[], Awaitable[str | None]]
    ) -> str:
        """The result of the step that changes something in the tool.

        ``send`` gets a function to await immediately before its bytes leave (``about_to_send`` of
        :meth:`~atsumi.connector.http.Http.request`). If it was left with an unknown outcome, now or by another process
        before, ``find`` is asked whether the tool has it: its answer is the result, and ``None`` means not yet.

        Raises whatever ``send`` raises where the tool has certainly done nothing (:func:`is_refusal`), and
        :class:`~atsumi.errors.OutcomeUnknown` where nobody can say; the action is then run again later.
        """
        ...

    async def forget(self, step: str) -> None:
        """Do a step of :meth:`once` again when it is next asked for: its result has turned out to be of no use."""
        ...

    def warn(self, message: str) -> None:
        """Tell the caller of something that did not keep the action from being done. Once, however often it is run."""
        ...

    def open_file(self, index: int) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The content of one of the draft's files, in pieces; may be opened again."""
        ...


def is_refusal(error: ToolError) -> bool:
    """Whether a tool that was asked for a change has certainly not made it: it said no, or was never reached."""
    if isinstance(error, RemoteUnavailable):
        return error.is_unsent
    return isinstance(error, RemoteRejected | PermissionMissing | AuthenticationFailed | RateLimited)


class ToolRequest(NamedTuple):
    """One request as the tool would get it, for people to read. ``body`` is JSON; secrets are masked by the core."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: Any = None
    file: str | None = None
    """The name of the file that is sent as multipart."""
    bucket: str | None = None


@dataclass(frozen=True, slots=True)
class FileRules:
    """What the tool takes. ``extensions`` are lower-case, without dot; sizes in bytes."""

    extensions: frozenset[str]
    max_bytes: int


class Made(NamedTuple):
    """What an action has made, as the tool shows it: remote ids by model, and the records to store."""

    ids: Mapping[Model, str]
    page: Page


@dataclass(frozen=True, slots=True)
class WriteAction:
    """One action as a tool does it. All functions get the resolved draft of the action (:data:`DRAFTS`).

    ``inputs`` are the draft's fields that the tool has a place for, each with its mark of confidence (a field within
    one: ``location.city``); what else is set is not sent, and the caller is told so. ``required`` are those without
    which the tool refuses.
    """

    inputs: Mapping[str, str]
    required: frozenset[str]
    perform: Callable[[Context, Any, Journal], Awaitable[None]]
    """Do it. Returns when the tool has accepted it; raises any :class:`~atsumi.errors.ToolError`."""
    find: Callable[[Context, Any, Journal], Awaitable[Made | None]]
    """What :attr:`perform` has made; ``None`` when the tool does not show it yet. Raises any ToolError."""
    plan: Callable[[Context, Any], Sequence[ToolRequest]]
    """The requests that :attr:`perform` would send, in order. Pure: asks nobody."""
    files: FileRules | None = None
    salary_period: SalaryPeriod = SalaryPeriod.YEAR
    source_form: str | None = None
    """Regular expression that a source's id matches as a whole, if sources have ids of a form."""
    unanswerable: frozenset[QuestionType] = frozenset()
    """Kinds of screening questions whose answers the tool does not take: nobody has to give them."""
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The values that a field takes, where they are few and known beforehand."""


def file_fault(file: FileDraft, size: int, rules: FileRules | None) -> str | None:
    """Why a tool would not take a file, in a sentence; ``None`` if it would."""
    if rules is None:
        return "this tool takes no files"
    extension = file.name.rpartition(".")[2].lower() if "." in file.name else ""
    if extension not in rules.extensions:
        shown = f".{extension[:20]}" if extension else "no extension"
        return f"the tool takes no files with {shown}; it takes {', '.join(sorted(rules.extensions))}"
    if size > rules.max_bytes:
        return f"the file is larger than {rules.max_bytes} bytes, the most that the tool takes"
    if size == 0:
        return "the file is empty"
    return None
