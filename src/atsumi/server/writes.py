"""Writing for API surfaces: :class:`atsumi.dialects.write_services.WriteServices` over the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from atsumi.actions.requests import ActionState, Answered, Deferred, Planned, Receipt, WriteRequest, Written
from atsumi.actions.resolve import asked_by
from atsumi.actions.service import receipt
from atsumi.connector.writing import WriteAction
from atsumi.dialects.services import Integration
from atsumi.dialects.write_services import JobQuestion, KnownSource
from atsumi.errors import NotFound
from atsumi.model.actions import Action
from atsumi.model.catalog import CODES
from atsumi.model.enums import JobStatus
from atsumi.model.job import Job
from atsumi.model.names import Model
from atsumi.server.acting import desk_for
from atsumi.server.runtime import Runtime
from atsumi.store import action_contents, aliases, records
from atsumi.store import actions as ledger
from atsumi.sync import codec

_OPEN_JOBS = 500
"""So many jobs' questions are told at once; whoever has more asks job by job."""


class ActionServices:
    """:class:`atsumi.dialects.write_services.ActionServices` over the store."""

    _runtime: Runtime

    async def action(self, integration: Integration, id: UUID) -> Receipt | None:
        row = await ledger.find(self._runtime.pool, integration.number, id)
        return receipt(row, self._runtime.vault) if row is not None else None

    async def actions(
        self, integration: Integration, limit: int, *, state: ActionState | None = None, before: UUID | None = None
    ) -> tuple[Sequence[Receipt], bool]:
        runtime = self._runtime
        first = await ledger.find(runtime.pool, integration.number, before) if before is not None else None
        if before is not None and first is None:
            raise NotFound("There is no such action in this integration.")
        rows = await ledger.listing(runtime.pool, integration.number, limit + 1, state=state, before=first)
        return [receipt(row, runtime.vault) for row in rows[:limit]], len(rows) > limit


class WriteServices(ActionServices):
    """:class:`atsumi.dialects.write_services.WriteServices` for one surface."""

    _surface: str

    async def write(self, integration: Integration, request: WriteRequest) -> Written | Deferred:
        return await (await desk_for(self._runtime, integration.number, self._surface)).write(request)

    async def plan(self, integration: Integration, request: WriteRequest) -> Planned:
        return await (await desk_for(self._runtime, integration.number, self._surface)).plan(request)

    async def keep_answer(self, integration: Integration, action: UUID, answered: Answered) -> Answered:
        kept = await action_contents.keep_answer(
            self._runtime.pool, self._runtime.vault, integration.number, action, msgspec.msgpack.encode(answered)
        )
        return msgspec.msgpack.decode(kept, type=Answered)

    async def in_flight(self, integration: Integration) -> int:
        return await ledger.in_flight(self._runtime.pool, integration.number)

    async def known_sources(self, integration: Integration) -> Sequence[KnownSource]:
        found = await self._runtime.known_sources.of(integration.number)
        return [KnownSource(one.id, one.name) for one in found]

    async def job_questions(self, integration: Integration, job: UUID | None = None) -> Sequence[JobQuestion]:
        number = integration.number
        async with self._runtime.pool.acquire() as connection:
            if job is not None:
                [id] = await aliases.resolve_aliases(connection, number, CODES[Model.JOB], [job])
                rows = list((await records.records_by_id(connection, number, CODES[Model.JOB], [id])).values())
            else:
                rows = await records.newest(connection, number, CODES[Model.JOB], limit=_OPEN_JOBS)
            found = []
            for row in rows:
                record = codec.decode(row)
                if row.deleted_at is not None or not isinstance(record, Job):
                    continue
                if job is None and record.status is not JobStatus.OPEN:
                    continue
                asked = await asked_by(connection, number, integration.public_id, record.remote_id)
                found += [
                    JobQuestion(row.id, question, one.record, one.is_required)
                    for question, one in asked.questions.items()
                ]
        return found

    def write_action(self, tool: str, action: Action) -> WriteAction | None:
        return self._runtime.connector(tool).actions.get(action)
