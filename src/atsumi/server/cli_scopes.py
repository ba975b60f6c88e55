"""`atsumi scopes`: what integrations may read, keep and write."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from atsumi.errors import InvalidInput
from atsumi.model.scope import Setting
from atsumi.server import scopes
from atsumi.server.cli_support import (
    DEFAULT_ENVIRONMENT,
    DataDir,
    Environment,
    console,
    integration_named,
    table_of,
    with_runtime,
)
from atsumi.server.runtime import Runtime
from atsumi.server.scopes import Effect
from atsumi.store import shaping

app = typer.Typer(help="Set what integrations may read, keep and write.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The scope's name.")]


@app.command("list")
def list_scopes(environment: Environment = DEFAULT_ENVIRONMENT, data_dir: DataDir = None) -> None:
    """List an environment's scopes."""

    async def action(runtime: Runtime) -> None:
        found = await scopes.environment_named(runtime, environment)
        table = table_of("name", "default", "disabled", "optional", ids=("name",))
        for one in await shaping.scope_configs(runtime.pool, found.id):
            counts = [
                sum(value is word for value in one.settings.values()) for word in (Setting.DISABLED, Setting.OPTIONAL)
            ]
            table.add_row(one.name, "yes" if one.is_default else "", *map(str, counts))
        console.print(table if table.row_count else "No scopes yet: everything is enabled.")

    with_runtime(data_dir, action)


@app.command()
def show(name: Name, environment: Environment = DEFAULT_ENVIRONMENT, data_dir: DataDir = None) -> None:
    """Show a scope's settings. What is not listed is enabled."""

    async def action(runtime: Runtime) -> None:
        found = await scopes.environment_named(runtime, environment)
        config = await scopes.config_named(runtime, found.id, name)
        _print_settings(config.settings)

    with_runtime(data_dir, action)


@app.command("set")
def set_settings(
    name: Name,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=SETTING", help="Such as candidate.email_addresses=DISABLED; may be repeated."
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="TOML or JSON file with all settings; what it does not name is enabled.")
    ] = None,
    environment: Environment = DEFAULT_ENVIRONMENT,
    data_dir: DataDir = None,
) -> None:
    """Create a scope or change it. Settings: ENABLED, DISABLED, OPTIONAL (the customer may decline it).

    Names are those of models (candidate), fields (candidate.email_addresses) and actions (create_candidate).
    """

    async def action(runtime: Runtime) -> None:
        given: dict[str, object] = _read(file) if file is not None else {}
        for one in settings or []:
            setting, separator, value = one.partition("=")
            if not separator:
                raise InvalidInput(f"--set {one}: write NAME=SETTING")
            given[setting] = value
        found = await scopes.environment_named(runtime, environment)
        _tell(await scopes.save(runtime, found.id, name, given, is_whole=file is not None))

    with_runtime(data_dir, action)


@app.command()
def default(
    name: Annotated[str | None, typer.Argument(help="The scope's name.")] = None,
    is_none: Annotated[bool, typer.Option("--none", help="Integrations without a scope read everything.")] = False,
    environment: Environment = DEFAULT_ENVIRONMENT,
    data_dir: DataDir = None,
) -> None:
    """Make a scope the one of all integrations that have no other."""

    async def action(runtime: Runtime) -> None:
        if is_none == (name is not None):
            raise InvalidInput("Name one scope, or give --none.")
        found = await scopes.environment_named(runtime, environment)
        config = await scopes.config_named(runtime, found.id, name) if name is not None else None
        _tell(await scopes.make_default(runtime, found.id, config))

    with_runtime(data_dir, action)


@app.command()
def delete(name: Name, environment: Environment = DEFAULT_ENVIRONMENT, data_dir: DataDir = None) -> None:
    """Delete a scope that no integration uses."""

    async def action(runtime: Runtime) -> None:
        found = await scopes.environment_named(runtime, environment)
        await scopes.delete(runtime, await scopes.config_named(runtime, found.id, name))
        console.print(f"{name} is deleted.", markup=False)

    with_runtime(data_dir, action)


def scope(
    integration: Annotated[str, typer.Argument(help="The integration's id.")],
    name: Annotated[str | None, typer.Argument(help="The scope to use from now on.")] = None,
    is_default: Annotated[bool, typer.Option("--default", help="Use the environment's default again.")] = False,
    opt_out: Annotated[
        list[str] | None, typer.Option(help="An optional model, field or action that the customer declines.")
    ] = None,
    opt_in: Annotated[list[str] | None, typer.Option(help="One that the customer no longer declines.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Show or set the scope of an integration and what its customer declines."""

    async def action(runtime: Runtime) -> None:
        row = await integration_named(runtime, integration)
        chosen = (await shaping.shape_of(runtime.pool, row.number)).scope
        if name is None and not is_default and not opt_out and not opt_in:
            console.print(f"{row.id}: {chosen.name or 'everything is enabled'}", markup=False, soft_wrap=True)
            _print_settings(chosen.settings)
            if chosen.opted_out:
                console.print(f"declined: {', '.join(sorted(chosen.opted_out))}", markup=False, soft_wrap=True)
            return
        if name is not None and is_default:
            raise InvalidInput("Name one scope, or give --default.")
        config = await scopes.config_named(runtime, row.environment_id, name) if name is not None else None
        if name is None and not is_default:
            config = await scopes.own_config(runtime, row)
        declined = (chosen.opted_out | set(opt_out or ())) - set(opt_in or ())
        _tell(await scopes.choose(runtime, row, config, declined))

    with_runtime(data_dir, action)


def register(integrations: typer.Typer) -> None:
    """Add the command that belongs to `atsumi integrations`."""
    integrations.command()(scope)


def _print_settings(settings: Mapping[str, Setting]) -> None:
    table = table_of("name", "setting", ids=("name",))
    for name, setting in settings.items():
        table.add_row(name, setting.value)
    if settings:
        console.print(table)


def _tell(effect: Effect) -> None:
    if effect.narrowed:
        told = "less is kept from now on; a remap removes what is stored already while `atsumi serve` runs"
        console.print(f"{', '.join(effect.narrowed)}: {told}.", markup=False, soft_wrap=True)
    if effect.widened:
        console.print(
            f"{', '.join(effect.widened)}: more is kept; a full sync is requested.", markup=False, soft_wrap=True
        )
    if not effect.narrowed and not effect.widened:
        console.print("Saved. Nothing changes for any integration.")


def _read(file: Path) -> dict[str, object]:
    """The settings of a file; a table of fields below a model means the same as their full names."""
    try:
        text = file.read_text()
        found: dict[str, Any] = (
            msgspec.json.decode(text, type=dict[str, Any]) if file.suffix == ".json" else tomllib.loads(text)
        )
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"--file {file}: {getattr(error, 'strerror', None) or 'not readable as text'}") from error
    except (msgspec.DecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(f"--file {file}: {error}") from None
    settings: dict[str, object] = {}
    for name, value in found.items():
        if isinstance(value, dict):
            settings.update({f"{name}.{inner}": setting for inner, setting in value.items()})
        else:
            settings[name] = value
    return settings
