"""`atsumi mappings`: other sources for an integration's unified fields."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from atsumi.errors import InvalidInput, NotFound
from atsumi.model.catalog import MODELS
from atsumi.model.names import Model
from atsumi.server import mappings
from atsumi.server.cli_support import DataDir, console, integration_named, table_of, with_runtime
from atsumi.server.runtime import Runtime
from atsumi.store import shaping
from atsumi.sync.field_mappings import Rule, checked_rule

app = typer.Typer(help="Take unified fields of an integration from elsewhere.", no_args_is_help=True)

Integration = Annotated[str, typer.Argument(help="The integration's id.")]
Field = Annotated[str, typer.Argument(help="Such as candidate.title.")]
Sources = Annotated[
    list[str] | None,
    typer.Option("--from", help="JMESPath over the raw document, or built-in; repeat it for fallbacks, in order."),
]
Words = Annotated[
    list[str] | None,
    typer.Option("--word", metavar="TOOL=OURS", help="What a word of the tool means; may be repeated."),
]
Default = Annotated[str | None, typer.Option(help="The value, as JSON or text, where no source gives one.")]
DateFormat = Annotated[str | None, typer.Option(help="How the tool writes dates, such as %d.%m.%Y.")]
RuleFile = Annotated[Path | None, typer.Option("--rule", help="JSON file with the whole rule, instead of options.")]


@app.command("list")
def list_mappings(integration: Integration, data_dir: DataDir = None) -> None:
    """List the fields that do not come from where the connector takes them."""

    async def action(runtime: Runtime) -> None:
        row = await integration_named(runtime, integration)
        table = table_of("field", "rule", ids=("field",))
        for one in await shaping.field_mappings(runtime.pool, row.number):
            table.add_row(f"{MODELS[one.model]}.{one.field}", one.rule.decode())
        console.print(table if table.row_count else "Every field comes from where the connector takes it.")

    with_runtime(data_dir, action)


@app.command("set")
def set_mapping(
    integration: Integration,
    field: Field,
    sources: Sources = None,
    words: Words = None,
    default: Default = None,
    date_format: DateFormat = None,
    rule: RuleFile = None,
    data_dir: DataDir = None,
) -> None:
    """Take a field from elsewhere. Stored records follow by themselves while `atsumi serve` runs."""

    async def action(runtime: Runtime) -> None:
        row = await integration_named(runtime, integration)
        model, name, made = _rule(runtime, row.tool, field, _given(sources, words, default, date_format, rule))
        await mappings.put(runtime, row, model, name, msgspec.json.encode(made))
        console.print(f"{row.id}: {field} is taken from {', '.join(made.sources)}.", markup=False, soft_wrap=True)

    with_runtime(data_dir, action)


@app.command()
def remove(integration: Integration, field: Field, data_dir: DataDir = None) -> None:
    """Take a field from where the connector takes it again."""

    async def action(runtime: Runtime) -> None:
        row = await integration_named(runtime, integration)
        model, _, name = field.partition(".")
        if model not in list(Model) or not await mappings.remove(runtime, row, Model(model), name):
            raise NotFound(f"{row.id}: {field} has no other source.")
        console.print(f"{row.id}: {field} comes from the connector again.", markup=False, soft_wrap=True)

    with_runtime(data_dir, action)


@app.command()
def preview(
    integration: Integration,
    field: Field,
    sources: Sources = None,
    words: Words = None,
    default: Default = None,
    date_format: DateFormat = None,
    rule: RuleFile = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many records to look at.")] = 10,
    data_dir: DataDir = None,
) -> None:
    """Show what stored records would have in a field, without storing anything. On a terminal only."""

    async def action(runtime: Runtime) -> None:
        if not sys.stdout.isatty():
            raise InvalidInput("A preview shows people's data, so it is for a terminal and not for files or programs.")
        row = await integration_named(runtime, integration)
        model, name, made = _rule(runtime, row.tool, field, _given(sources, words, default, date_format, rule))
        table = table_of("record", "now", "would be", "does not fit")
        for one in await mappings.preview(runtime, row, model, name, made, limit):
            shown = [msgspec.json.encode(value).decode() for value in (one.before, one.after)]
            table.add_row(one.remote_id, *shown, "yes" if one.issues else "")
        console.print(table)

    with_runtime(data_dir, action)


def _rule(runtime: Runtime, tool: str, field: str, given: object) -> tuple[Model, str, Rule]:
    return checked_rule(field, given, runtime.connector(tool).mapping.derivations)


def _given(
    sources: list[str] | None, words: list[str] | None, default: str | None, date_format: str | None, file: Path | None
) -> object:
    if file is not None:
        if sources or words or default is not None or date_format is not None:
            raise InvalidInput("Give --rule or the other options, not both.")
        try:
            return msgspec.json.decode(file.read_bytes())
        except OSError as error:
            raise InvalidInput(f"--rule {file}: {error.strerror}") from error
        except msgspec.DecodeError as error:
            raise InvalidInput(f"--rule {file}: {error}") from None
    table: dict[str, Any] = {}
    for one in words or []:
        word, separator, meaning = one.partition("=")
        if not separator:
            raise InvalidInput(f"--word {one}: write TOOL=OURS")
        table[word] = meaning
    given: dict[str, Any] = {"sources": sources or [], "words": table}
    if default is not None:
        given["default"] = _json_or_text(default)
    if date_format is not None:
        given["date_format"] = date_format
    return given


def _json_or_text(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
