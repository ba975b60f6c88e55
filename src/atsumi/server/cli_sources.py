"""`atsumi integrations source`: the source that created applications get, and those that are known."""

from __future__ import annotations

from typing import Annotated

import typer

from atsumi.errors import InvalidInput
from atsumi.server.cli_support import DataDir, console, integration_named, table_of, with_runtime
from atsumi.server.runtime import Runtime
from atsumi.server.sources import check_source
from atsumi.store import sources


def register(app: typer.Typer) -> None:
    """Put the command among those of `atsumi integrations`."""
    app.command()(source)


def source(
    integration: Annotated[str, typer.Argument(help="The integration's id, such as personio:….")],
    id: Annotated[
        str | None, typer.Argument(help="The tool's id of the source, such as that of a recruiting channel.")
    ] = None,
    is_none: Annotated[bool, typer.Option("--none", help="Create applications without a source.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Show or set the source that created applications get, unless their caller names another one.

    Shows the sources that were seen on applications. A tool has no list of its sources, so an id that was never seen is
    taken as it is: whether there is such a source, the first application that gets it will tell.
    """

    async def action(runtime: Runtime) -> None:
        row = await integration_named(runtime, integration)
        if is_none and id is not None:
            raise InvalidInput("give an id or --none, not both")
        if id is not None:
            check_source(runtime.connector(row.tool), id)
        if is_none or id is not None:
            await sources.set_default_source(runtime.pool, row.number, id)
        default = await sources.default_source(runtime.pool, row.number)
        known = await runtime.known_sources.of(row.number)
        names = {one.id: one.name for one in known}
        if default is None:
            console.print("Created applications have no source, unless their caller names one.")
        else:
            name = names.get(default, "not seen on any application yet; the first that gets it will tell")
            console.print(f"Created applications get the source {default} ({name}).", markup=False, soft_wrap=True)
        table = table_of("id", "name", "applications", words=("id",))
        for one in known:
            table.add_row(one.id, one.name, f"{one.applications:,}")
        if table.row_count:
            console.print(table)

    with_runtime(data_dir, action)
