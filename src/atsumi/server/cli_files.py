"""`atsumi files`: files of attachments."""

from __future__ import annotations

import os
import tempfile
from contextlib import aclosing
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from atsumi.errors import InvalidInput, ToolError
from atsumi.model.ids import read_id
from atsumi.server.cli_support import DataDir, console, integration_named, with_runtime
from atsumi.server.files import backfill_all, fetch_attachment
from atsumi.server.runtime import Runtime
from atsumi.store import files

app = typer.Typer(help="Fetch files of candidates and see which are held.", no_args_is_help=True)


@app.command()
def fetch(
    integration: Annotated[str, typer.Argument(help="The integration's id.")],
    attachment: Annotated[str, typer.Argument(help="The attachment's id, as the API gives it.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write; it appears once it is whole.")],
    data_dir: DataDir = None,
) -> None:
    """Write an attachment's content to a file, from storage or from the tool."""

    async def action(runtime: Runtime) -> None:
        row = await integration_named(runtime, integration)
        descriptor, temporary = tempfile.mkstemp(dir=output.absolute().parent, prefix=f".{output.name}-")
        try:
            with os.fdopen(descriptor, "wb") as target:
                async with (
                    fetch_attachment(runtime, row, _id(attachment)) as file,
                    file.read(0, file.size_bytes) as chunks,
                ):
                    async for chunk in chunks:
                        target.write(chunk)
            os.replace(temporary, output)
        except BaseException:
            os.unlink(temporary)
            raise
        console.print(f"{output}: {file.size_bytes:,} bytes, {file.content_type}", markup=False, soft_wrap=True)

    with_runtime(data_dir, action)


@app.command()
def show(integration: Annotated[str, typer.Argument(help="The integration's id.")], data_dir: DataDir = None) -> None:
    """Show how many files of an integration are held, which wait, and which were given up."""

    async def action(runtime: Runtime) -> None:
        row = await integration_named(runtime, integration)
        found = await files.counts(runtime.pool, row.number)
        console.print(describe(found))
        for reason, count in found.given_up:
            console.print(f"{count:>8,}  {reason}", markup=False, soft_wrap=True)

    with_runtime(data_dir, action)


@app.command()
def backfill(
    integration: Annotated[str, typer.Argument(help="The integration's id.")], data_dir: DataDir = None
) -> None:
    """Fetch all files of an integration that are not held yet into the file storage, whatever `file_backfill` says.

    Those that the tool holds back or refuses are noted: `atsumi files show`.
    """

    async def action(runtime: Runtime) -> None:
        row = await integration_named(runtime, integration)
        stored = 0
        try:
            async with aclosing(backfill_all(runtime, row)) as progress:
                async for stored in progress:
                    console.print(f"{stored:,} files stored")
        except ToolError as error:
            error.add_note(f"{stored:,} files were stored before; the command goes on from there when it is repeated.")
            raise
        console.print(describe(await files.counts(runtime.pool, row.number)))

    with_runtime(data_dir, action)


def describe(found: files.Counts) -> str:
    """How many files are held, wait or were given up, in one line."""
    given_up = sum(count for _, count in found.given_up)
    return f"{found.held:,} held, {found.waiting:,} tried again later, {given_up:,} given up"


def _id(text: str) -> UUID:
    found = read_id(text)
    if found is None:
        raise InvalidInput(f"{text} is not an attachment's id")
    return found
