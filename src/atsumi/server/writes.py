"""Writing for API surfaces: :class:`atsumi.dialects.write_services.WriteServices` over the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from atsumi.actions.requests import ActionState, Answered, Deferred, Planned, Receipt, WriteRequest, Written
from atsumi.connector.writing import WriteAction
from atsumi.dialects.services import Integration
from atsumi.dialects.write_services import JobQuestion, KnownSource
from atsumi.model.actions import Action
from atsumi.server.runtime import Runtime


class ActionServices:
    """:class:`atsumi.dialects.write_services.ActionServices` over the store."""

    _runtime: Runtime

    async def action(self, integration: Integration, id: UUID) -> Receipt | None:
        raise NotImplementedError

    async def actions(
        self, integration: Integration, limit: int, *, state: ActionState | None = None, before: UUID | None = None
    ) -> tuple[Sequence[Receipt], bool]:
        raise NotImplementedError


class WriteServices(ActionServices):
    """:class:`atsumi.dialects.write_services.WriteServices` for one surface."""

    _surface: str

    async def write(self, integration: Integration, request: WriteRequest) -> Written | Deferred:
        raise NotImplementedError

    async def plan(self, integration: Integration, request: WriteRequest) -> Planned:
        raise NotImplementedError

    async def keep_answer(self, integration: Integration, action: UUID, answered: Answered) -> Answered:
        raise NotImplementedError

    async def in_flight(self, integration: Integration) -> int:
        raise NotImplementedError

    async def known_sources(self, integration: Integration) -> Sequence[KnownSource]:
        raise NotImplementedError

    async def job_questions(self, integration: Integration, job: UUID | None = None) -> Sequence[JobQuestion]:
        raise NotImplementedError

    def write_action(self, tool: str, action: Action) -> WriteAction | None:
        return self._runtime.connector(tool).actions.get(action)
