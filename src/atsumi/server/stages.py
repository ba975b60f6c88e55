"""The stages that an application went through, for our own API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from atsumi.dialects.services import Integration, StageVisit
from atsumi.errors import NotFound
from atsumi.model.catalog import CODES
from atsumi.model.names import Model
from atsumi.model.stage import Stage
from atsumi.model.stage_transition import StageTransition
from atsumi.server.access import AccessServices
from atsumi.store import records
from atsumi.sync import codec

_BEGINNING, _END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class StageServices(AccessServices):
    """Stage visits over the store."""

    async def stage_visits(self, integration: Integration, application: UUID) -> Sequence[StageVisit]:
        number, scope = integration.number, integration.scope
        async with self._runtime.pool.acquire() as connection:
            found = await records.records_by_id(connection, number, CODES[Model.APPLICATION], [application])
            owner = found.get(application)
            if owner is None or owner.deleted_at is not None or not scope.has_model(Model.APPLICATION):
                raise NotFound("There is no such application in this integration.", path="id")
            if not scope.has_model(Model.STAGE_TRANSITION):
                return ()
            rows = await records.records_pointing_at(connection, number, CODES[Model.STAGE_TRANSITION], [application])
            moves = [move for row in rows if isinstance(move := codec.decode(row), StageTransition)]
            stages = [next(iter(codec.targets(integration.public_id, one, "stage_remote_id")), None) for one in moves]
            known = await records.records_by_id(
                connection, number, CODES[Model.STAGE], [id for id in stages if id is not None]
            )
        names = {id: stage.name for id, row in known.items() if isinstance(stage := codec.decode(row), Stage)}
        shows_names = scope.has_model(Model.STAGE) and scope.has((Model.STAGE, "name"))
        visits = [
            StageVisit(
                stage=stage if stage in known else None,
                name=names.get(stage) if stage is not None and shows_names else None,
                entered_at=move.entered_at,
                left_at=move.left_at,
            )
            for move, stage in zip(moves, stages, strict=True)
        ]
        return sorted(visits, key=lambda one: (one.entered_at or _BEGINNING, one.left_at or _END))
