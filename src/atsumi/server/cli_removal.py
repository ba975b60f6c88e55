"""`atsumi integrations delete`, `restore` and `token`: ending access to an integration, and what opens it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

import typer

from atsumi.errors import NotFound
from atsumi.model.ids import from_base58
from atsumi.server import control
from atsumi.server.cli_support import DataDir, console, integration_named, table_of, with_runtime
from atsumi.server.runtime import Runtime
from atsumi.store import connectors, removal
from atsumi.store.removal import Deleted

Integration = Annotated[str, typer.Argument(help="The integration's id, such as personio:….")]


def register(app: typer.Typer) -> None:
    """Put the commands among those of `atsumi integrations`."""
    for command in (delete, restore, token):
        app.command()(command)
    app.command("deleted")(list_deleted)


def delete(
    integration: Integration,
    is_sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Delete an integration: all access ends at once. After some days, in which it can be restored, its data goes."""

    async def action(runtime: Runtime) -> None:
        row = await integration_named(runtime, integration)
        if not is_sure:
            typer.confirm(f"Delete {row.id} of {row.end_user_organization_name}?", abort=True)
        await control.delete(runtime, row)
        days = runtime.settings.undo_days
        console.print(f"{row.id} is deleted. Within {days} days `atsumi integrations restore {row.id}` brings it back.")

    with_runtime(data_dir, action)


def restore(integration: Integration, data_dir: DataDir = None) -> None:
    """Bring a deleted integration back as it was; it is synced at once."""

    async def action(runtime: Runtime) -> None:
        found = _named(await removal.deleted(runtime.pool), integration)
        await control.restore(runtime, found.integration)
        console.print(f"{found.integration.id} is back.")

    with_runtime(data_dir, action)


def list_deleted(data_dir: DataDir = None) -> None:
    """List deleted integrations, and how long they can be restored."""

    async def action(runtime: Runtime) -> None:
        table = table_of("id", "customer", "deleted", "removed after", ids=("id",))
        for row, deleted_at in await removal.deleted(runtime.pool):
            until = deleted_at + timedelta(days=runtime.settings.undo_days)
            table.add_row(
                row.id, row.end_user_organization_name, f"{deleted_at:%Y-%m-%d %H:%M}", f"{until:%Y-%m-%d %H:%M}"
            )
        console.print(table if table.row_count else "No integration is deleted.")

    with_runtime(data_dir, action)


def token(
    integration: Integration,
    is_renewed: Annotated[
        bool, typer.Option("--new", help="Replace the token; the old one is useless at once.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Print an integration's connector token, with which the Bindbee surface is asked for its records. It is secret."""

    async def action(runtime: Runtime) -> None:
        row = await integration_named(runtime, integration)
        found = await connectors.token_of(runtime.pool, runtime.vault, row, is_renewed=is_renewed)
        console.print(found, soft_wrap=True, markup=False)

    with_runtime(data_dir, action)


def _named(rows: list[Deleted], id: str) -> Deleted:
    public_id: UUID | None = from_base58(id.rpartition(":")[2])
    for row in rows:
        if row.integration.public_id == public_id and row.integration.id.endswith(id):
            return row
    known = ", ".join(row.integration.id for row in rows) or "none"
    raise NotFound(f"There is no deleted integration {id}. Deleted: {known}.")
