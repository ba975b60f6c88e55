"""What all commands share: options, the console, and turning our errors into one readable line."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Annotated, NoReturn, TypeAlias, TypeVar
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from atsumi.errors import AtsumiError, NotFound
from atsumi.model.ids import from_base58
from atsumi.redaction import redact_text
from atsumi.server.logging import configure_logging
from atsumi.server.runtime import Runtime, run_time
from atsumi.server.settings import Settings, load_settings
from atsumi.store import tenants
from atsumi.store.tenants import IntegrationRow

T = TypeVar("T")

_PIPE_WIDTH = 240
"""Columns of output that goes into a file or another program, where nothing is gained by wrapping."""

console = Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
_errors = Console(stderr=True, highlight=False)

DataDir: TypeAlias = Annotated[
    Path | None, typer.Option("--data-dir", help="Folder of the embedded PostgreSQL and the master key.")
]
Environment: TypeAlias = Annotated[
    str, typer.Option("--environment", "-e", help="Workspace that keys and integrations belong to.")
]

DEFAULT_ENVIRONMENT = "production"


def settings_of(**overrides: object) -> Settings:
    """The settings with what the command line gave, logging configured by them."""
    settings = load_settings(overrides)
    configure_logging(settings.log_level, settings.log_format)
    return settings


def finish(action: Awaitable[T]) -> T:
    """Run a command to its end. Our own errors become one message and status 1, without a traceback."""

    async def run() -> T:
        return await action

    try:
        return asyncio.run(run())
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except AtsumiError as error:
        fail(error)


def fail(error: AtsumiError) -> NoReturn:
    """Print an error of ours, with the notes added to it, and end the command."""
    text = "\n".join((str(error), *getattr(error, "__notes__", ())))
    _errors.print(f"[bold red]error[/bold red] {_escaped(redact_text(text))}", soft_wrap=True)
    raise typer.Exit(1) from None


def with_runtime(data_dir: Path | None, action: Callable[[Runtime], Awaitable[T]]) -> T:
    """Run a command that needs the whole product."""
    try:
        settings = settings_of(data_dir=data_dir)
    except AtsumiError as error:
        fail(error)

    async def run() -> T:
        async with run_time(settings) as runtime:
            return await action(runtime)

    return finish(run())


async def integration_named(runtime: Runtime, id: str) -> IntegrationRow:
    """The integration with this id, in whatever environment. Raises :class:`NotFound` naming those that exist."""
    public_id: UUID | None = from_base58(id.rpartition(":")[2])
    rows = await tenants.integrations(runtime.pool)
    for row in rows:
        if row.public_id == public_id and row.id.endswith(id):
            return row
    known = ", ".join(row.id for row in rows) or "none yet; `atsumi integrations connect` makes one"
    raise NotFound(f"There is no integration {id}. Existing: {known}.")


def table_of(*headings: str, ids: Collection[str] = (), words: Collection[str] = ()) -> Table:
    """An unframed table. ``ids`` and ``words`` name columns that are never wrapped; the others are never cut."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    for heading in headings:
        table.add_column(
            heading, no_wrap=heading in (*ids, *words), overflow="fold", min_width=36 if heading in ids else None
        )
    return table


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")
