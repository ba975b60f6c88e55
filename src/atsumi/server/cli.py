"""The `atsumi` command."""

from __future__ import annotations

from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated, Literal

import typer

from atsumi.errors import AtsumiError, Conflict, InvalidInput
from atsumi.server.cli_actions import app as actions_app
from atsumi.server.cli_deletions import app as deletions_app
from atsumi.server.cli_fields import app as fields_app
from atsumi.server.cli_files import app as files_app
from atsumi.server.cli_integrations import app as integrations_app
from atsumi.server.cli_keys import app as keys_app
from atsumi.server.cli_mappings import app as mappings_app
from atsumi.server.cli_schedules import describe
from atsumi.server.cli_scopes import app as scopes_app
from atsumi.server.cli_simulate import app as simulate_app
from atsumi.server.cli_support import DataDir, console, fail, finish, integration_named, settings_of, with_runtime
from atsumi.server.demo import DemoOptions, run_demo
from atsumi.server.doctor import examine
from atsumi.server.logging import configure_logging
from atsumi.server.progress import explain
from atsumi.server.remapping import explain_remap, remap_now
from atsumi.server.runtime import Runtime, run_time
from atsumi.server.serving import listen, stop_on_signals
from atsumi.server.serving import serve as serve_until
from atsumi.server.settings import Settings
from atsumi.server.syncing import sync_now
from atsumi.store import database, tenants
from atsumi.store.embedded import EmbeddedPostgres
from atsumi.store.freshness import find_with_freshness

app = typer.Typer(
    name="atsumi",
    help="A self-hosted unified ATS API.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(keys_app, name="keys")
app.add_typer(integrations_app, name="integrations")
app.add_typer(actions_app, name="actions")
app.add_typer(deletions_app, name="deletions")
app.add_typer(fields_app, name="fields")
app.add_typer(files_app, name="files")
app.add_typer(mappings_app, name="mappings")
app.add_typer(scopes_app, name="scopes")
app.add_typer(simulate_app, name="simulate")


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; 0 takes any free one.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Answer API requests and keep integrations in sync, until Ctrl-C.

    Starts the embedded PostgreSQL unless ATSUMI_DATABASE_URL names a server of yours.
    """
    settings = _settings(host=host, port=port, data_dir=data_dir)

    async def run() -> None:
        stop = stop_on_signals()
        listener = listen(settings.host, settings.port)
        async with run_time(settings) as runtime:
            await serve_until(
                runtime, listener, stop, on_ready=lambda url: console.print(f"Listening on {url}", soft_wrap=True)
            )

    finish(run())


@app.command()
def demo(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the API; 0 takes any free one.")] = 8080,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    applications: Annotated[int, typer.Option(min=0, help="How many applications the customer has received.")] = 300,
    seed: Annotated[int, typer.Option(help="The same seed makes the same customer.")] = 1,
    ready_file: Annotated[
        Path | None, typer.Option(help="Write addresses and key to this JSON file once everything is synced.")
    ] = None,
) -> None:
    """Start everything with a simulated customer in a temporary folder, sync it, and stay until Ctrl-C.

    Settings of the environment and of a file do not count here; `atsumi serve` takes them.
    """
    configure_logging("warning", "console")
    options = DemoOptions(host=host, port=port, applications=applications, seed=seed, ready_file=ready_file)
    raise typer.Exit(finish(run_demo(options, console)))


@app.command()
def sync(
    integration: Annotated[str, typer.Argument(help="The integration's id, such as personio:….")],
    kind: Annotated[
        Literal["full", "incremental"], typer.Option(help="Read everything, or what changed since the last run.")
    ] = "incremental",
    data_dir: DataDir = None,
) -> None:
    """Sync one integration now and show the progress of each stream.

    The first sync of an integration is always a full one.
    """

    async def action(runtime: Runtime) -> str:
        row = await integration_named(runtime, integration)
        run = await sync_now(runtime, row, kind, console)
        console.print(f"\n{explain(run)}", markup=False, soft_wrap=True)
        found = await find_with_freshness(runtime.pool, row.environment_id, row.public_id)
        if found is not None:
            required = runtime.connector(row.tool).required_streams
            console.print(describe(*found, required), markup=False, soft_wrap=True)
        return run.state

    if with_runtime(data_dir, action) != "SUCCEEDED":
        raise typer.Exit(1)


@app.command()
def remap(
    integration: Annotated[
        str | None, typer.Argument(help="The integration's id, such as personio:…; leave it out with --all.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Remap every integration, one after the other.")] = False,
    dialects_only: Annotated[
        bool, typer.Option("--dialects-only", help="Render the documents anew and leave the records alone.")
    ] = False,
    accept_losses: Annotated[
        bool, typer.Option("--accept-losses", help="Remove records without a source, however many they are.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Compute records and documents anew from what is stored, without asking the tool.

    For after an upgrade that changed a mapping or what a dialect shows. Only real changes reach the change log.
    """
    if every == (integration is not None):
        fail(InvalidInput("Name one integration, or give --all."))

    async def action(runtime: Runtime) -> bool:
        rows = await tenants.integrations(runtime.pool)
        chosen = [await integration_named(runtime, integration)] if integration is not None else rows
        are_done = True
        for row in chosen:
            console.print(row.id, markup=False, soft_wrap=True)
            try:
                run = await remap_now(runtime, row, console, only_documents=dialects_only, accepts_losses=accept_losses)
            except Conflict as error:
                console.print(str(error), markup=False, soft_wrap=True)
                are_done = False
                continue
            console.print(explain_remap(run), markup=False, soft_wrap=True)
            are_done = are_done and run.state == "SUCCEEDED"
        return are_done

    if not with_runtime(data_dir, action):
        raise typer.Exit(1)


@app.command()
def migrate(data_dir: DataDir = None) -> None:
    """Bring the database's schema up to date. Other commands do so too; this one does nothing else."""
    settings = _settings(data_dir=data_dir)

    async def run() -> tuple[str | None, str]:
        if settings.database_url is not None:
            return await database.migrate(settings.database_url.get_secret_value())
        async with EmbeddedPostgres(settings.data_dir) as postgres:
            return await database.migrate(postgres.dsn)

    before, after = finish(run())
    console.print(f"Schema is at revision {after}." if before == after else f"Schema moved from {before} to {after}.")


@app.command()
def doctor(data_dir: DataDir = None) -> None:
    """Look at settings, key, database and integrations and say what is wrong."""
    settings = _settings(data_dir=data_dir)

    async def run() -> bool:
        all_well = True
        async for finding in examine(settings):
            mark = "[green]✓[/green]" if finding.is_well else "[red]✗[/red]"
            console.print(f"{mark} [bold]{finding.subject}[/bold]  ", end="")
            console.print(finding.text, markup=False, soft_wrap=True)
            all_well = all_well and finding.is_well
        return all_well

    if not finish(run()):
        raise typer.Exit(1)


@app.command()
def version() -> None:
    """Print the installed version."""
    console.print(installed_version("atsumi"))


def _settings(**overrides: object) -> Settings:
    try:
        return settings_of(**overrides)
    except AtsumiError as error:
        fail(error)


def main() -> None:
    """Entry point of the `atsumi` script."""
    app()
