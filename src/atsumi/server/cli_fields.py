"""`atsumi fields`: the fields that a tool has, and custom fields that take their values from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import UUID

import msgspec
import typer

from atsumi.dialects.custom_fields import Where
from atsumi.errors import InvalidInput, NotFound
from atsumi.model.catalog import CODES, MODELS
from atsumi.model.ids import field_id
from atsumi.model.names import Model
from atsumi.server.cli_support import (
    DEFAULT_ENVIRONMENT,
    DataDir,
    Environment,
    console,
    integration_named,
    table_of,
    with_runtime,
)
from atsumi.server.custom_fields import CustomFieldService
from atsumi.server.runtime import Runtime
from atsumi.server.scopes import environment_named
from atsumi.store.custom_fields import CustomField
from atsumi.store.integration_fields import FieldRow
from atsumi.store.tenants import IntegrationRow
from atsumi.sync.paths import PathError, compile_path, evaluate

app = typer.Typer(help="Look at a tool's fields, and define custom fields.", no_args_is_help=True)

_PAGE = 500
_SAMPLED = 25
_WIDEST_SAMPLE = 60

IntegrationId = Annotated[str, typer.Argument(metavar="INTEGRATION", help="The integration's id.")]
Name = Annotated[str, typer.Argument(help="The custom field's name.")]
OfModel = Annotated[Model, typer.Option("--model", help="The model that has the field.")]
ForTool = Annotated[str | None, typer.Option("--tool", help="For all integrations of this tool.")]
ForIntegration = Annotated[str | None, typer.Option("--integration", help="For this integration; wins.")]


@app.command("list")
def list_fields(
    integration: IntegrationId,
    model: Annotated[Model | None, typer.Option(help="Only this model.")] = None,
    samples: Annotated[
        bool, typer.Option("--samples", help="Show a value of each, read from stored records. They are people's data.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
    data_dir: DataDir = None,
) -> None:
    """List the fields that records of a tool have, each with its JMESPath, types, and how many records have it."""

    async def action(runtime: Runtime) -> None:
        row = await integration_named(runtime, integration)
        service = CustomFieldService(runtime)
        table = table_of(
            "model", "path", "types", "records", "share", "handed on", *(["sample"] if samples else []), ids=("path",)
        )
        for one in [model] if model is not None else list(Model):
            found = await _all_fields(service, row, one)
            documents = await service.newest_documents(row, one, _SAMPLED) if samples and found else ()
            for field in found:
                sample = [_sample(field.path, documents)] if samples else []
                if as_json:
                    typer.echo(msgspec.json.encode(_document(one, field) | ({"sample": sample[0]} if sample else {})))
                    continue
                share = f"{field.share:.0%}" if field.share is not None else ""
                records = f"{field.records_seen} of {field.records}"
                passed = "yes" if field.is_passthrough else ""
                table.add_row(one.value, field.path, ", ".join(field.types), records, share, passed, *sample)
        if as_json:
            return
        console.print(
            table if table.row_count else "No fields yet: they are found while records are read.", markup=False
        )

    with_runtime(data_dir, action)


@app.command("pass")
def hand_on(
    integration: IntegrationId,
    path: Annotated[str, typer.Argument(help="The field's path, as `atsumi fields list` shows it.")],
    model: OfModel,
    off: Annotated[bool, typer.Option("--off", help="No longer.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Hand a field of the tool on with the records, as it is."""

    async def action(runtime: Runtime) -> None:
        row = await integration_named(runtime, integration)
        id = field_id(row.public_id, model, path)
        field = await CustomFieldService(runtime).set_passthrough(row, id, not off)
        console.print(f"{model}: {field.path} is {'' if field.is_passthrough else 'not '}handed on", markup=False)

    with_runtime(data_dir, action)


@app.command()
def custom(environment: Environment = DEFAULT_ENVIRONMENT, data_dir: DataDir = None) -> None:
    """List an environment's custom fields and where they take their values from."""

    async def action(runtime: Runtime) -> None:
        found = await environment_named(runtime, environment)
        service = CustomFieldService(runtime)
        table = table_of("model", "name", "for", "path", ids=("name",))
        for field in await _all_custom_fields(service, found.id):
            mappings = await service.mappings(found.id, field=field.id)
            for mapping in mappings:
                scope = mapping.tool or f"integration {mapping.integration}"
                table.add_row(MODELS[field.model], field.name, scope, mapping.source_path or "a field that is gone")
            if not mappings:
                table.add_row(MODELS[field.model], field.name, "", "")
        console.print(table if table.row_count else "No custom fields yet.", markup=False)

    with_runtime(data_dir, action)


@app.command()
def define(
    name: Name,
    model: OfModel,
    label: Annotated[str | None, typer.Option(help="What people read.")] = None,
    description: Annotated[str | None, typer.Option(help="What it means.")] = None,
    environment: Environment = DEFAULT_ENVIRONMENT,
    data_dir: DataDir = None,
) -> None:
    """Define a custom field. It has no value until it is mapped."""

    async def action(runtime: Runtime) -> None:
        found = await environment_named(runtime, environment)
        service = CustomFieldService(runtime)
        field = await service.define(found.id, model, name, label=label, description=description, origin="OPERATOR")
        console.print(f"{model}: {field.name} is defined; `atsumi fields map` says where its values come from")

    with_runtime(data_dir, action)


@app.command("map")
def map_field(
    name: Name,
    path: Annotated[str, typer.Argument(help="JMESPath over the record as the tool sends it.")],
    model: OfModel,
    tool: ForTool = None,
    integration: ForIntegration = None,
    environment: Environment = DEFAULT_ENVIRONMENT,
    data_dir: DataDir = None,
) -> None:
    """Say where a custom field takes its values from. Stored records are computed anew, without the tool."""

    async def action(runtime: Runtime) -> None:
        service = CustomFieldService(runtime)
        where = await _where(runtime, tool, integration)
        field = await _custom_field(runtime, service, environment, model, name)
        await service.map(field.environment_id, field.id, where, path=path)
        console.print(f"{model}: {name} is mapped; records are computed anew while `atsumi serve` runs")

    with_runtime(data_dir, action)


@app.command()
def unmap(
    name: Name,
    model: OfModel,
    tool: ForTool = None,
    integration: ForIntegration = None,
    environment: Environment = DEFAULT_ENVIRONMENT,
    data_dir: DataDir = None,
) -> None:
    """Remove the source of a custom field."""

    async def action(runtime: Runtime) -> None:
        service = CustomFieldService(runtime)
        where = await _where(runtime, tool, integration)
        field = await _custom_field(runtime, service, environment, model, name)
        there = await service.mappings(field.environment_id, where=where)
        found = [one for one in there if one.custom_field_id == field.id]
        if not found:
            raise NotFound(f"{name} is not mapped there.")
        for one in found:
            await service.unmap(field.environment_id, one.id)
        console.print(f"{model}: {name} is no longer mapped there")

    with_runtime(data_dir, action)


@app.command()
def delete(
    name: Name, model: OfModel, environment: Environment = DEFAULT_ENVIRONMENT, data_dir: DataDir = None
) -> None:
    """Delete a custom field with its mappings."""

    async def action(runtime: Runtime) -> None:
        service = CustomFieldService(runtime)
        field = await _custom_field(runtime, service, environment, model, name)
        await service.delete(field.environment_id, field.id)
        console.print(f"{model}: {name} is deleted")

    with_runtime(data_dir, action)


async def _where(runtime: Runtime, tool: str | None, integration: str | None) -> Where:
    if (tool is None) == (integration is None):
        raise InvalidInput("Name either a tool with --tool or an integration with --integration.")
    return Where(tool, await integration_named(runtime, integration) if integration is not None else None)


async def _custom_field(
    runtime: Runtime, service: CustomFieldService, environment: str, model: Model, name: str
) -> CustomField:
    found = await environment_named(runtime, environment)
    for field in await _all_custom_fields(service, found.id):
        if (field.model, field.name) == (CODES[model], name):
            return field
    raise NotFound(f"There is no custom field {name} of the model {model} in the environment {environment}.")


async def _all_custom_fields(service: CustomFieldService, environment_id: UUID) -> Sequence[CustomField]:
    found: list[CustomField] = []
    after = None
    while page := await service.fields(environment_id, after=after, limit=_PAGE):
        found += page
        after = page[-1].id
    return found


async def _all_fields(service: CustomFieldService, row: IntegrationRow, model: Model) -> Sequence[FieldRow]:
    found: list[FieldRow] = []
    after = None
    while page := await service.tool_fields(row, models=[model], after=after, limit=_PAGE):
        found += page
        after = page[-1].id
    return found


def _document(model: Model, field: FieldRow) -> dict[str, object]:
    return {
        "model": model.value,
        "path": field.path,
        "types": field.types,
        "records": field.records_seen,
        "records_of_model": field.records,
        "share": field.share,
        "is_passthrough": field.is_passthrough,
    }


def _sample(path: str, documents: Sequence[Mapping[str, object]]) -> str:
    """A value that one of the documents has, on one line."""
    for document in documents:
        try:
            value = evaluate(compile_path(path), document)
        except PathError:
            continue
        if value not in (None, "", [], {}):
            text = msgspec.json.encode(value).decode()
            return text if len(text) <= _WIDEST_SAMPLE else f"{text[:_WIDEST_SAMPLE]}…"
    return ""
