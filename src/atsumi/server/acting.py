"""Carrying actions out in this process: for callers who wait, and for those that are due."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

from atsumi.actions.execute import ActionWork, execute, lost
from atsumi.actions.requests import MAX_IN_FLIGHT
from atsumi.actions.resolve import Place
from atsumi.actions.service import Desk
from atsumi.errors import AtsumiError, NotFound
from atsumi.model.actions import Action
from atsumi.server.logging import get_logger, log_context
from atsumi.server.runtime import Runtime
from atsumi.store import action_retention, sources, tenants
from atsumi.store import actions as ledger
from atsumi.store.actions import ActionClaim, ActionRow
from atsumi.store.database import UNREACHABLE
from atsumi.store.tenants import IntegrationRow

_TICK_SECONDS = 0.5
_DUE_AT_ONCE = 100
_SWEEP_SECONDS = 30.0
_AT_ONCE = 32
"""Due actions that one process carries out at the same time; they mostly wait for their tools."""
_AT_ONCE_OF_ONE = 4
"""How many of them may be one integration's, whose files may come from servers that take their time."""
_PATIENCE_SECONDS = 70.0
"""How long a due action waits in place for its tool's budget, a minute's window and a bit: who is put back instead
stands behind every caller who reserves ahead, and would never get a turn while there are enough of them."""

_CALLER_GONE = timedelta(days=1)
"""How long the input of a write is kept that failed in passing, for its caller to ask again."""

_log = get_logger("atsumi.actions")


async def desk_for(runtime: Runtime, number: int, surface: str) -> Desk:
    """Where the writes of one integration come in by one surface. Raises :class:`NotFound`."""
    integration = await _integration(runtime, number)

    async def known_sources() -> Sequence[tuple[str, str]]:
        return [(one.id, one.name) for one in await runtime.known_sources.of(number)]

    wait = float(runtime.settings.action_wait_seconds)
    return Desk(
        pool=runtime.pool,
        vault=runtime.vault,
        guarded=runtime.guarded,
        connector=runtime.connector(integration.tool),
        place=Place(
            number=number,
            public_id=integration.public_id,
            tool=runtime.connector(integration.tool).manifest.label,
            default_source=await sources.default_source(runtime.pool, number),
            known_sources=known_sources,
        ),
        surface=surface,
        wait_seconds=wait,
        work=partial(_work, runtime, integration, patience_seconds=wait),
        context=partial(runtime.context, integration, patience_seconds=wait),
        keep_running=runtime.keep_running,
    )


async def run_actions(runtime: Runtime, stop: asyncio.Event) -> None:
    """Carry on, until ``stop``, what is due: deferred actions, unknown outcomes, and those whose process has died.

    Those under way are cancelled at the end, which gives them back.
    """
    running: dict[UUID, tuple[int, asyncio.Task[None]]] = {}
    sweep_at = 0.0
    clock = asyncio.get_running_loop().time
    try:
        while not stop.is_set():
            running = {id: (number, task) for id, (number, task) in running.items() if not task.done()}
            try:
                free = _AT_ONCE - len(running)
                due = await ledger.due(runtime.pool, _DUE_AT_ONCE, max_running=MAX_IN_FLIGHT) if free > 0 else ()
                for id, number in due:
                    of_one = sum(owner == number for owner, _ in running.values())
                    if id not in running and len(running) < _AT_ONCE and of_one < _AT_ONCE_OF_ONE:
                        running[id] = number, asyncio.create_task(_carry_on(runtime, id, number))
                if clock() >= sweep_at:
                    sweep_at = clock() + _SWEEP_SECONDS
                    await ledger.abandon_incomplete(runtime.pool)
                    await action_retention.give_up_waiting(runtime.pool, _CALLER_GONE)
            except UNREACHABLE as error:
                _log.warning("actions.database", reason=type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _TICK_SECONDS)
    finally:
        tasks = [task for _, task in running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _carry_on(runtime: Runtime, id: UUID, number: int) -> None:
    try:
        claim = await ledger.claim(runtime.pool, id, max_running=MAX_IN_FLIGHT, is_due=True)
        row = await ledger.find(runtime.pool, number, id) if claim is not None else None
        if claim is None or row is None:
            return
        integration = await _integration(runtime, number)
        with log_context(integration=integration.id):
            await execute(await _work(runtime, integration, claim, row, patience_seconds=_PATIENCE_SECONDS))
    except (AtsumiError, *UNREACHABLE) as error:
        # The claim runs out, and the action is taken up again.
        _log.warning("action.put_off", action=str(id), reason=type(error).__name__)
    except Exception:
        # One action that cannot be carried out is no reason to carry out none.
        _log.exception("action.crashed", action=str(id))


async def _work(
    runtime: Runtime, integration: IntegrationRow, claim: ActionClaim, row: ActionRow, *, patience_seconds: float
) -> ActionWork:
    connector, kind = runtime.connector(integration.tool), Action(row.kind)
    return ActionWork(
        pool=runtime.pool,
        vault=runtime.vault,
        guarded=runtime.guarded,
        claim=claim,
        kind=kind,
        action=connector.actions.get(kind) or lost(connector.manifest.label, kind),
        tool=connector.manifest.label,
        context=await runtime.context(integration, patience_seconds=patience_seconds),
        target=await runtime.target(integration),
        log=_log,
        is_deferred=row.is_deferred,
        created_at=row.created_at,
        attempts=row.attempts,
    )


async def _integration(runtime: Runtime, number: int) -> IntegrationRow:
    found = await tenants.integration_by_number(runtime.pool, number)
    if found is None:
        raise NotFound("This integration is gone.")
    return found
