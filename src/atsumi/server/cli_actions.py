"""`atsumi actions`: what callers wanted written, what came of it, and having it tried again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

import typer

from atsumi.actions.requests import ActionState, Receipt
from atsumi.actions.service import receipt
from atsumi.dialects.atsumi.actions import ERRORS, what_next
from atsumi.errors import Conflict, InvalidInput, NotFound
from atsumi.model.ids import read_id, to_base58
from atsumi.server.cli_support import DataDir, console, integration_named, table_of, with_runtime
from atsumi.server.runtime import Runtime
from atsumi.server.troubles import moment, spelled
from atsumi.store import actions as ledger
from atsumi.store.tenants import IntegrationRow

app = typer.Typer(
    help="""See what API callers wanted written to tools, and have what waits tried at once.

    An action is UNKNOWN when the tool was asked and gave no answer. Nobody has to act: the engine asks the tool whether
    it has it, with growing pauses, and sends it again only if the tool certainly does not. What was written is not
    shown: it is encrypted, and removed when the action has ended.
    """,
    no_args_is_help=True,
)

Integration = Annotated[str, typer.Argument(help="The integration's id, such as personio:….")]
ActionId = Annotated[str, typer.Argument(metavar="ID", help="The action's id, as `atsumi actions list` shows it.")]


@app.command("list")
def list_actions(
    integration: Integration,
    state: Annotated[ActionState | None, typer.Option(case_sensitive=False, help="Only actions in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many to show.")] = 20,
    data_dir: DataDir = None,
) -> None:
    """List an integration's actions, newest first. They are kept for 30 days."""

    async def action(runtime: Runtime) -> None:
        row = await integration_named(runtime, integration)
        table = table_of("id", "action", "surface", "state", "began", "goes on", "error", ids=("id",), words=("state",))
        for one in await ledger.listing(runtime.pool, row.number, limit, state=state):
            table.add_row(
                to_base58(one.id),
                one.kind,
                one.surface,
                one.state,
                moment(one.created_at),
                moment(one.next_at),
                spelled(one.error_kind),
            )
        console.print(table if table.row_count else "There is no such action.")

    with_runtime(data_dir, action)


@app.command()
def show(integration: Integration, id: ActionId, data_dir: DataDir = None) -> None:
    """Show an action: how far it is, what happens next, what it has made or why it failed."""

    async def action(runtime: Runtime) -> None:
        found = await _find(runtime, await integration_named(runtime, integration), id)
        for label, text in _facts(found):
            console.print(f"{label:<14}{text}", markup=False, soft_wrap=True)

    with_runtime(data_dir, action)


@app.command()
def retry(integration: Integration, id: ActionId, data_dir: DataDir = None) -> None:
    """Have an action that waits carried on at once, instead of at its time.

    Nothing is written twice: it goes on at the step at which it stopped, and where the outcome is unknown the tool is
    asked first. An action that has failed for good is not tried again: its caller sends a new request.
    """

    async def action(runtime: Runtime) -> None:
        row = await integration_named(runtime, integration)
        found = await _find(runtime, row, id)
        if not await ledger.hurry(runtime.pool, row.number, found.id):
            raise Conflict(f"{id} does not wait: it is {found.state}.")
        where = "a running `atsumi serve` carries it on" if row.state == "ACTIVE" else f"{row.id} is not active"
        console.print(f"{id} is due now; {where}.", markup=False, soft_wrap=True)

    with_runtime(data_dir, action)


async def _find(runtime: Runtime, row: IntegrationRow, text: str) -> Receipt:
    id = read_id(text)
    if id is None:
        raise InvalidInput(f"{text} is not an action's id")
    found = await ledger.find(runtime.pool, row.number, id)
    if found is None:
        raise NotFound(f"{row.id} has no action {text}, or no longer: they are kept for 30 days.")
    return receipt(found, runtime.vault)


def _facts(found: Receipt) -> Iterator[tuple[str, str]]:
    yield "action", f"{found.action} by {found.surface}"
    yield "id", _both(found.id)
    yield "state", f"{found.state}, attempts: {found.attempts}"
    yield "began", moment(found.created_at)
    if found.ended_at is not None:
        yield "ended", moment(found.ended_at)
    next_words = what_next(found)
    if next_words is not None:
        yield "next", next_words
    if found.next_at is not None:
        yield "next_at", moment(found.next_at)
    provisional = ", provisional" if found.is_provisional else ""
    for label, id in (("application", found.application), ("candidate", found.candidate)):
        if id is not None:
            yield label, f"{_both(id)}{provisional}"
    for warning in found.warnings:
        yield "warning", warning
    if found.error_kind is not None:
        yield "error", f"{spelled(found.error_kind)}: {found.error or 'its words are no longer kept'}"
        yield "who acts", ERRORS[found.error_kind][1]


def _both(id: UUID) -> str:
    return f"{to_base58(id)}   {id}"
