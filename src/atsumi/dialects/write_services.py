"""What a dialect may ask of the product about writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol
from uuid import UUID

from atsumi.actions.requests import ActionState, Answered, Deferred, Planned, Receipt, WriteRequest, Written
from atsumi.connector.writing import WriteAction
from atsumi.model.actions import Action
from atsumi.model.screening_question import ScreeningQuestion

if TYPE_CHECKING:
    from atsumi.dialects.services import Integration


class KnownSource(NamedTuple):
    """A source that was seen on an application: the tool's id and name of it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class JobQuestion:
    """A screening question as one open job asks it."""

    job: UUID
    question: UUID
    record: ScreeningQuestion
    is_required: bool


class ActionServices(Protocol):
    """The ledger of writes, to look at."""

    async def action(self, integration: Integration, id: UUID) -> Receipt | None:
        """One action, if it is of that integration and is still kept."""
        ...

    async def actions(
        self, integration: Integration, limit: int, *, state: ActionState | None = None, before: UUID | None = None
    ) -> tuple[Sequence[Receipt], bool]:
        """Actions, the newest first, older than ``before``, and whether there are more. Raises ``NotFound``."""
        ...


class WriteServices(ActionServices, Protocol):
    """The product, as a surface sees it that writes."""

    async def write(self, integration: Integration, request: WriteRequest) -> Written | Deferred:
        """Have something written exactly once, and wait for it unless the request is deferred.

        What was made is stored, and on every surface, before this returns. Raises
        :class:`~atsumi.errors.UnsupportedByTool` for an action that the tool lacks, and whatever else is wrong with
        the request or comes from the tool (:class:`~atsumi.errors.CallerError`, :class:`~atsumi.errors.ToolError`).
        """
        ...

    async def plan(self, integration: Integration, request: WriteRequest) -> Planned:
        """What :meth:`write` would send to the tool. Raises as it does for what is wrong with the request."""
        ...

    async def keep_answer(self, integration: Integration, action: UUID, answered: Answered) -> Answered:
        """Keep the first answer to the caller of an action; returns the one that was first, which is to be given."""
        ...

    async def in_flight(self, integration: Integration) -> int:
        """How many actions are under way."""
        ...

    async def known_sources(self, integration: Integration) -> Sequence[KnownSource]:
        """The sources that applications were seen with, by name."""
        ...

    async def job_questions(self, integration: Integration, job: UUID | None = None) -> Sequence[JobQuestion]:
        """What one job, or each open job, asks applicants, in the jobs' order."""
        ...

    def write_action(self, tool: str, action: Action) -> WriteAction | None:
        """How the tool does an action, if it can."""
        ...
