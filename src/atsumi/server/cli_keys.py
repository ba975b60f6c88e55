"""`atsumi keys`: API keys of an environment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer

from atsumi.server.cli_support import DEFAULT_ENVIRONMENT, DataDir, Environment, console, table_of, with_runtime
from atsumi.server.runtime import Runtime
from atsumi.store import tenants

app = typer.Typer(help="Create, list and revoke API keys.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for, to recognise it by.")],
    environment: Environment = DEFAULT_ENVIRONMENT,
    days: Annotated[int | None, typer.Option(min=1, help="Let the key expire after so many days.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Create a key and print it. It is shown this once; only a digest of it is stored."""

    async def action(runtime: Runtime) -> None:
        found = await tenants.ensure_environment(runtime.pool, environment)
        expires_at = datetime.now(UTC) + timedelta(days=days) if days else None
        text, _ = await tenants.create_api_key(runtime.pool, found.id, name, expires_at=expires_at)
        console.print(text, soft_wrap=True)

    with_runtime(data_dir, action)


@app.command("list")
def list_keys(environment: Environment = DEFAULT_ENVIRONMENT, data_dir: DataDir = None) -> None:
    """List the keys of an environment, newest first."""

    async def action(runtime: Runtime) -> None:
        found = await tenants.ensure_environment(runtime.pool, environment)
        table = table_of("id", "name", "begins with", "created", "state", ids=("id",))
        for key in await tenants.api_keys(runtime.pool, found.id):
            state = "revoked" if key.revoked_at else "active"
            if state == "active" and key.expires_at is not None:
                state = f"expires {key.expires_at:%Y-%m-%d}" if key.expires_at > datetime.now(UTC) else "expired"
            table.add_row(str(key.id), key.name, f"{key.hint}…", f"{key.created_at:%Y-%m-%d %H:%M}", state)
        console.print(table if table.row_count else f"{environment} has no keys; `atsumi keys create NAME` makes one.")

    with_runtime(data_dir, action)


@app.command()
def revoke(
    key_id: Annotated[UUID, typer.Argument(help="The key's id, as `atsumi keys list` shows it.")],
    data_dir: DataDir = None,
) -> None:
    """Make a key useless at once."""

    async def action(runtime: Runtime) -> None:
        await tenants.revoke_api_key(runtime.pool, key_id)
        console.print(f"Revoked {key_id}.")

    with_runtime(data_dir, action)
