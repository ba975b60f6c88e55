"""`atsumi deletions`: what is suspected, what waits for a decision, and why records were removed."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from atsumi.errors import InvalidInput, NotFound
from atsumi.model.ids import from_base58, record_id
from atsumi.model.names import Model
from atsumi.server.cli_support import DataDir, console, integration_named, table_of, with_runtime
from atsumi.server.runtime import Runtime
from atsumi.store import deletion, runs, tenants, unsafe
from atsumi.store.tenants import IntegrationRow
from atsumi.store.unsafe import UnsafeRow
from atsumi.sync import decisions

app = typer.Typer(help="Look at deletions and their evidence, and decide about large ones.", no_args_is_help=True)

_SAMPLE = 20
_ANSWERS = {"gone": "the tool does not know", "unknown": "the tool did not say whether it knows"}
_EVIDENCE = {
    "probe": "probe",
    "second_sweep": "second sweep",
    "snapshot": "document",
    "operator": "operator",
    "mode": "mode",
}
"""What `deletions list` calls the kinds of evidence."""

Change = Annotated[str, typer.Argument(help="The change's id, as `atsumi deletions list` shows it.")]


@app.command("list")
def list_changes(
    integration: Annotated[str | None, typer.Argument(help="Only this integration.")] = None, data_dir: DataDir = None
) -> None:
    """List large losses that wait for a decision, suspects, and the newest deletions with their evidence."""

    async def action(runtime: Runtime) -> None:
        rows = await tenants.integrations(runtime.pool)
        if integration is not None:
            rows = [await integration_named(runtime, integration)]
        waiting = table_of("change", "integration", "stream", "missing", "stored", "found", ids=("change",))
        for row in rows:
            for one in await unsafe.unsafe_changes(runtime.pool, row.number):
                found = f"{one.found_at:%Y-%m-%d %H:%M}"
                waiting.add_row(str(one.id), row.id, one.stream, f"{len(one.missing):,}", f"{one.stored:,}", found)
        console.print(waiting if waiting.row_count else "No large loss waits for a decision.")
        for row in rows:
            for stream, suspects, since in await deletion.suspicion_counts(runtime.pool, row.number):
                console.print(f"{row.id}: {stream}: {suspects:,} suspected since {since:%Y-%m-%d %H:%M}")
            _print_evidence(await deletion.evidence(runtime.pool, row.number, limit=_SAMPLE), row.id)

    with_runtime(data_dir, action)


@app.command()
def rules(
    integration: Annotated[str, typer.Argument(help="The integration's id.")],
    unsafe_percent: Annotated[
        int | None, typer.Option(min=1, max=100, help="A run that misses more of a list waits for a decision.")
    ] = None,
    blank_after_days: Annotated[
        int | None, typer.Option(min=0, max=3650, help="Days until a deleted record loses its content; undo ends then.")
    ] = None,
    history_days: Annotated[
        int | None,
        typer.Option(min=0, max=3650, help="Days that replaced versions of records are kept; 0: not at all."),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Show or set how much a run may remove unasked, and how long deleted content and past versions are kept."""

    async def action(runtime: Runtime) -> None:
        row = await integration_named(runtime, integration)
        fraction, blanking, history = await deletion.set_policy(
            runtime.pool,
            row.number,
            unsafe_fraction=unsafe_percent / 100 if unsafe_percent is not None else None,
            blank_after_days=blank_after_days,
            history_days=history_days,
        )
        console.print(f"a loss of more than {fraction:.0%} waits for a decision")
        console.print(f"deleted content is removed after {blanking} days")
        console.print(f"past versions are kept for {history} days")

    with_runtime(data_dir, action)


@app.command()
def show(change: Change, data_dir: DataDir = None) -> None:
    """Show the evidence for a large loss: the run, the pages that it read, and some of the missing records."""

    async def action(runtime: Runtime) -> None:
        found, row = await _find(runtime, change)
        console.print(f"{row.id}   {found.stream}   {found.state.lower()}   found {found.found_at:%Y-%m-%d %H:%M:%S}")
        console.print(f"{len(found.missing):,} of {found.stored:,} stored records were not shown.")
        run = await runs.find_run(runtime.pool, found.run_id)
        if run is not None:
            console.print(
                f"run {run.id}: {run.kind}, requested {run.requested_at:%Y-%m-%d %H:%M:%S}, {run.state.lower()}"
            )
        pages = await deletion.seen_pages(runtime.pool, found.run_id, found.stream)
        shown = ", ".join(f"page {page}: {count:,}" for page, count in pages)
        console.print(f"{found.pages:,} pages read. {shown}", soft_wrap=True)
        if found.as_of is not None:
            console.print(f"The read of {found.as_of:%Y-%m-%d %H:%M:%S} was the last before; lists say so.")
        for answer, said in _ANSWERS.items():
            asked = [id for id, given in found.sample.items() if given == answer]
            if asked:
                console.print(f"{said}: {', '.join(asked)}", soft_wrap=True, markup=False)
        rest = [id for id in found.missing if id not in found.sample]
        if rest:
            console.print("not asked for, for example: " + ", ".join(rest[:_SAMPLE]), soft_wrap=True, markup=False)
        if found.state == "PENDING":
            console.print("Open some of these in the tool before you confirm.")

    with_runtime(data_dir, action)


@app.command()
def confirm(change: Change, data_dir: DataDir = None) -> None:
    """Remove the missing records: they are really gone."""

    async def action(runtime: Runtime) -> None:
        found, row = await _find(runtime, change)
        done = await decisions.confirm(runtime.pool, await runtime.target(row), found)
        console.print(f"{done:,} records of {found.stream} are deleted.")

    with_runtime(data_dir, action)


@app.command()
def discard(change: Change, data_dir: DataDir = None) -> None:
    """Keep the records: the listing was wrong. The next complete one may find the same again."""

    async def action(runtime: Runtime) -> None:
        found, _ = await _find(runtime, change)
        await decisions.discard(runtime.pool, found)
        console.print("Nothing was removed.")

    with_runtime(data_dir, action)


@app.command()
def undo(
    integration: Annotated[str, typer.Argument(help="The integration's id.")],
    model: Annotated[str, typer.Argument(help="Such as candidate, application or job.")],
    id: Annotated[str, typer.Argument(help="Our id of the record, or the tool's.")],
    data_dir: DataDir = None,
) -> None:
    """Revive a deleted record from what is stored, as long as its content was not removed."""

    async def action(runtime: Runtime) -> None:
        row = await integration_named(runtime, integration)
        try:
            kind = Model(model)
        except ValueError:
            raise InvalidInput(f"{model}: there is no such model; known are {', '.join(Model)}.") from None
        wanted = from_base58(id)
        try:
            await decisions.undo(
                runtime.pool, row.number, await runtime.target(row), kind, wanted or record_id(row.public_id, kind, id)
            )
        except NotFound:
            if wanted is None:
                raise
            # A tool's id may look like one of ours.
            await decisions.undo(
                runtime.pool, row.number, await runtime.target(row), kind, record_id(row.public_id, kind, id)
            )
        console.print(f"{kind} {id} is back.", markup=False)

    with_runtime(data_dir, action)


async def _find(runtime: Runtime, change: str) -> tuple[UnsafeRow, IntegrationRow]:
    try:
        found = await unsafe.find_unsafe(runtime.pool, UUID(change))
    except ValueError:
        raise InvalidInput(f"{change}: this is no id of a change.") from None
    row = await tenants.integration_by_number(runtime.pool, found.integration)
    if row is None:
        raise NotFound("The integration was deleted.")
    return found, row


def _print_evidence(found: list[deletion.EvidenceRow], integration: str) -> None:
    if not found:
        return
    table = table_of("deleted", "stream", "record", "evidence", "detail", "suspected by", "confirmed by")
    for one in found:
        table.add_row(
            f"{one.confirmed_at:%Y-%m-%d %H:%M}",
            one.stream,
            one.remote_id,
            _EVIDENCE[one.kind],
            one.detail,
            str(one.suspected_by or ""),
            str(one.confirmed_by or ("operator" if one.kind == "operator" else "")),
        )
    console.print(f"{integration}: newest deletions")
    console.print(table)
