"""`atsumi files`: files of attachments."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from atsumi.errors import InvalidInput
from atsumi.model.ids import from_base58
from atsumi.server.cli_support import DataDir, console, integration_named, with_runtime
from atsumi.server.files import fetch_attachment
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
        held, waiting, given_up = await files.counts(runtime.pool, row.number)
        console.print(f"{held:,} held, {waiting:,} tried again later, {sum(n for _, n in given_up):,} given up")
        for reason, count in given_up:
            console.print(f"{count:>8,}  {reason}", markup=False, soft_wrap=True)

    with_runtime(data_dir, action)


def _id(text: str) -> UUID:
    found = from_base58(text)
    if found is None:
        try:
            return UUID(text)
        except ValueError:
            raise InvalidInput(f"{text} is not an attachment's id") from None
    return found
