"""`atsumi integrations`: connecting customers' accounts and looking after them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from atsumi.connector.manifest import Manifest
from atsumi.errors import InvalidInput, PermissionMissing, RateLimited, RemoteUnavailable
from atsumi.server.cli_files import describe as describe_files
from atsumi.server.cli_removal import register as register_removal
from atsumi.server.cli_schedules import describe, register
from atsumi.server.cli_scopes import register as register_scope
from atsumi.server.cli_sources import register as register_source
from atsumi.server.cli_support import (
    DEFAULT_ENVIRONMENT,
    DataDir,
    Environment,
    console,
    integration_named,
    table_of,
    with_runtime,
)
from atsumi.server.connecting import connect as connect_account
from atsumi.server.connecting import reconnect as reconnect_account
from atsumi.server.runtime import Runtime
from atsumi.server.troubles import actions_in_trouble
from atsumi.server.unread import unread_listings
from atsumi.store import files, runs, tenants
from atsumi.store.freshness import find_with_freshness
from atsumi.store.outcomes import percentage
from atsumi.sync.modes import switch as switch_mode

app = typer.Typer(help="Connect customers' accounts and look after them.", no_args_is_help=True)

Values = Annotated[
    list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="A value that is not secret; may be repeated.")
]
Secrets = Annotated[
    Path | None,
    typer.Option(
        "--values-file", help="JSON object of field values, secrets included; `-` reads it from standard input."
    ),
]


@app.command()
def connect(
    tool: Annotated[str, typer.Argument(help="The tool's slug, such as personio.")],
    organization: Annotated[str, typer.Option(help="The customer's name.")],
    environment: Environment = DEFAULT_ENVIRONMENT,
    values: Values = None,
    values_file: Secrets = None,
    email: Annotated[str | None, typer.Option(help="Whom to ask at the customer.")] = None,
    origin_id: Annotated[str | None, typer.Option(help="Your own id of this customer.")] = None,
    source: Annotated[
        str | None, typer.Option(help="The tool's id of the source that created applications get by default.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Connect an account: asks for what is missing, tests it with the tool, then stores it and requests a sync.

    Secrets are never taken from the command line, where other users of the machine could read them.
    """

    async def action(runtime: Runtime) -> None:
        manifest = runtime.connector(tool).manifest
        given = _complete(manifest, _given(values, values_file, manifest))
        found = await tenants.ensure_environment(runtime.pool, environment)
        with _advice("nothing was stored"):
            row = await connect_account(
                runtime,
                environment_id=found.id,
                tool=tool,
                organization_name=organization,
                values=given,
                email=email,
                origin_id=origin_id,
                source=source,
                tell=_warn,
            )
        console.print(row.id, soft_wrap=True)

    with_runtime(data_dir, action)


@app.command()
def reconnect(
    integration: Annotated[str, typer.Argument(help="The integration's id, such as personio:….")],
    values: Values = None,
    values_file: Secrets = None,
    data_dir: DataDir = None,
) -> None:
    """Give an integration new credentials of the same account; its records and ids stay."""

    async def action(runtime: Runtime) -> None:
        row = await integration_named(runtime, integration)
        manifest = runtime.connector(row.tool).manifest
        given = _complete(manifest, {**row.config, **_given(values, values_file, manifest)})
        with _advice("nothing was changed"):
            await reconnect_account(runtime, row, given)
        await runs.request_run(runtime.pool, row.number, "full" if row.first_synced_at is None else "incremental")
        console.print(f"{row.id} is active again; a sync is requested.")

    with_runtime(data_dir, action)


@app.command("list")
def list_integrations(data_dir: DataDir = None) -> None:
    """List all integrations with their state and last sync."""

    async def action(runtime: Runtime) -> None:
        names = {one.id: one.name for one in await tenants.environments(runtime.pool)}
        table = table_of("id", "customer", "environment", "state", "last sync", ids=("id",), words=("state",))
        for row in await tenants.integrations(runtime.pool):
            last = await runs.latest_runs(runtime.pool, row.number, limit=1)
            shown = f"{last[0].kind} {last[0].state.lower()}" if last else "none"
            table.add_row(row.id, row.end_user_organization_name, names[row.environment_id], row.state.lower(), shown)
        console.print(
            table if table.row_count else "No integrations yet; `atsumi integrations connect TOOL` makes one."
        )

    with_runtime(data_dir, action)


@app.command("remote-data")
def remote_data(
    integration: Annotated[str, typer.Argument(help="The integration's id.")],
    is_on: Annotated[bool, typer.Option("--on/--off", help="Whether lists show each record as the tool sent it.")],
    data_dir: DataDir = None,
) -> None:
    """Show or hide `remote_data` in an integration's lists."""

    async def action(runtime: Runtime) -> None:
        row = await integration_named(runtime, integration)
        await tenants.set_remote_data(runtime.pool, row.number, is_on)
        console.print(f"{row.id} {'shows' if is_on else 'hides'} remote_data.")

    with_runtime(data_dir, action)


@app.command()
def mode(
    integration: Annotated[str, typer.Argument(help="The integration's id.")],
    keeps_all: Annotated[bool, typer.Option("--all", help="Keep all applications and candidates.")] = False,
    keeps_created: Annotated[
        bool, typer.Option("--created-only", help="Keep only applications that were created through our API.")
    ] = False,
    from_date: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="Keep applications updated on this day or later."),
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Keep applications updated in the last so many days.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Set which applications are kept, with their candidates. What the mode leaves out is withdrawn at once."""
    chosen = [
        name
        for name, is_given in (
            ("all", keeps_all),
            ("created_only", keeps_created),
            ("from_date", from_date is not None),
            ("rolling_days", days is not None),
        )
        if is_given
    ]

    async def action(runtime: Runtime) -> None:
        if len(chosen) != 1:
            raise InvalidInput("give one of --all, --created-only, --from and --days")
        row = await integration_named(runtime, integration)
        day = from_date.date() if from_date is not None else None
        done = await switch_mode(
            runtime.pool, row.number, await runtime.target(row), chosen[0], from_on=day, days=days, now=runtime.now()
        )
        coming = "a full sync is requested" if done.is_read_anew else "nothing has to be read for it"
        console.print(f"{row.id}: {done.withdrawn:,} raw records are withdrawn; {coming}.")

    with_runtime(data_dir, action)


@app.command()
def show(integration: Annotated[str, typer.Argument(help="The integration's id.")], data_dir: DataDir = None) -> None:
    """Show an integration: its state, its last runs and what was odd in the newest one."""

    async def action(runtime: Runtime) -> None:
        row = await integration_named(runtime, integration)
        console.print(f"{row.id}   {row.end_user_organization_name}   {row.state.lower()}")
        if row.state_reason:
            console.print(row.state_reason, soft_wrap=True, markup=False)
        found = await find_with_freshness(runtime.pool, row.environment_id, row.public_id)
        if found is not None:
            required = runtime.connector(row.tool).required_streams
            console.print(describe(*found, required), soft_wrap=True, markup=False)
        for stream, reason in (await unread_listings(runtime, row)).items():
            console.print(f"not read      {stream}: {reason}", soft_wrap=True, markup=False)
        kept = await files.counts(runtime.pool, row.number)
        if kept.held or kept.waiting or kept.given_up:
            console.print(f"files         {describe_files(kept)}", soft_wrap=True)
        for trouble in await actions_in_trouble(runtime, row):
            console.print(f"actions       {trouble.text}", soft_wrap=True, markup=False)
        history = await runs.latest_runs(runtime.pool, row.number)
        under_way = next((run for run in history if run.state == "RUNNING"), None)
        if under_way is not None:
            share = await percentage(runtime.pool, under_way, await runs.progress(runtime.pool, under_way.id))
            if share is not None:
                console.print(f"under way     {share} % of the full run")
        table = table_of("kind", "by", "state", "requested", "ended", words=("kind", "state"))
        for run in history:
            ended = f"{run.ended_at:%Y-%m-%d %H:%M:%S}" if run.ended_at else ""
            table.add_row(
                run.kind,
                run.requested_by,
                run.state.lower(),
                f"{run.requested_at:%Y-%m-%d %H:%M:%S}",
                ended,
            )
        console.print(table)
        for run in history:
            if run.message:
                said = f"{run.requested_at:%Y-%m-%d %H:%M:%S} {run.kind} {run.state.lower()}: {run.message}"
                console.print(said, soft_wrap=True, markup=False)
        issues = await runs.issues_of(runtime.pool, history[0].id) if history else []
        if issues:
            odd = table_of("stream", "issue", "field", "detail", "times", "for example")
            for stream, kind, field, detail, times, sample in issues:
                odd.add_row(stream, kind, field, detail, f"{times:,}", sample)
            console.print(odd)

    with_runtime(data_dir, action)


@contextlib.contextmanager
def _advice(outcome: str) -> Iterator[None]:
    """Add to an error of a tool that does not answer what the operator can do, and what has become of the command."""
    try:
        yield
    except RemoteUnavailable as error:
        error.add_note(f"Check the address, or try again later: {outcome}.")
        raise
    except RateLimited as error:
        error.add_note(f"Try again after {error.retry_at:%Y-%m-%d %H:%M:%S} UTC: {outcome}.")
        raise


def _warn(lack: PermissionMissing) -> None:
    """On standard error, so that standard output stays the id alone."""
    typer.echo(f"note: {lack}", err=True)


register(app)
register_removal(app)
register_scope(app)
register_source(app)


def _given(values: list[str] | None, file: Path | None, manifest: Manifest) -> dict[str, str]:
    found: dict[str, str] = {}
    if file is not None:
        try:
            text = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
            found.update(msgspec.json.decode(text, type=dict[str, str]))
        except OSError as error:
            raise InvalidInput(f"--values-file {file}: {error.strerror}") from error
        except msgspec.DecodeError as error:
            raise InvalidInput(f"--values-file {file}: not a JSON object of texts: {error}") from None
    secret = {field.name for field in manifest.fields if field.is_secret}
    for value in values or []:
        name, separator, content = value.partition("=")
        if not separator:
            raise InvalidInput(f"--set {name}: write FIELD=VALUE")
        if name in secret:
            raise InvalidInput(f"--set {name}: this is a secret; give it in --values-file or when asked")
        found[name] = content
    return found


def _complete(manifest: Manifest, values: dict[str, str]) -> dict[str, str]:
    """Ask on a terminal for required fields that were not given."""
    if not sys.stdin.isatty():
        return values
    for field in manifest.fields:
        if field.is_required and field.name not in values and field.audience == "customer":
            values[field.name] = typer.prompt(field.label["en"], hide_input=field.is_secret)
    return values
