"""`atsumi integrations schedule`, `cancel`, `disable` and `enable`: what runs by itself, and calling it off."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from atsumi.server import control
from atsumi.server.cli_support import DataDir, console, integration_named, with_runtime
from atsumi.server.runtime import Runtime
from atsumi.store.freshness import Freshness
from atsumi.store.tenants import IntegrationRow

Integration = Annotated[str, typer.Argument(help="The integration's id, such as personio:….")]
_STATES: Mapping[str, str] = {
    "PENDING": "not synced yet",
    "SYNCING": "a sync is under way",
    "WAITING": "a sync waits for the tool",
    "SUCCEEDED": "last sync succeeded",
    "PARTIALLY_FAILED": "last sync was incomplete",
    "FAILED": "last sync failed",
    "AUTHENTICATION_FAILED": "the tool refuses the credentials",
    "CANCELLED": "last sync was cancelled",
    "TIMED_OUT": "last sync took too long and was ended",
}


def register(app: typer.Typer) -> None:
    """Put the commands among those of `atsumi integrations`."""
    for command in (schedule, cancel, disable, enable):
        app.command()(command)


def schedule(
    integration: Integration,
    full: Annotated[str | None, typer.Option(help="How often everything is read, such as 24h.")] = None,
    incremental: Annotated[str | None, typer.Option(help="How often changes are read, such as 15m.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Show or set how often an integration is read: at least 1m; an integration that is late is read at once.

    A full run also finds what was deleted, and replaces an incremental one that is due with it.
    """

    async def action(runtime: Runtime) -> None:
        row = await integration_named(runtime, integration)
        await control.set_intervals(
            runtime,
            row,
            full=control.read_interval(full) if full is not None else None,
            incremental=control.read_interval(incremental) if incremental is not None else None,
        )
        row = await integration_named(runtime, integration)
        for kind, seconds, at in (
            ("full", row.full_interval_seconds, row.next_full_at),
            ("incremental", row.incremental_interval_seconds, row.next_incremental_at),
        ):
            console.print(f"{kind:<12} every {control.spell_interval(seconds):<5} {_next(row, at)}")

    with_runtime(data_dir, action)


def cancel(integration: Integration, data_dir: DataDir = None) -> None:
    """Call off an integration's runs, waiting or under way. What they have stored stays; the schedule goes on."""

    async def action(runtime: Runtime) -> None:
        row = await integration_named(runtime, integration)
        ended = await control.cancel(runtime, row)
        console.print(f"{len(ended)} run{'' if len(ended) == 1 else 's'} called off." if ended else "No run was open.")

    with_runtime(data_dir, action)


def disable(integration: Integration, data_dir: DataDir = None) -> None:
    """Switch an integration off: no syncs, and the API refuses to read from it. Nothing is deleted."""

    async def action(runtime: Runtime) -> None:
        row = await integration_named(runtime, integration)
        await control.disable(runtime, row)
        console.print(f"{row.id} is switched off.")

    with_runtime(data_dir, action)


def enable(integration: Integration, data_dir: DataDir = None) -> None:
    """Switch an integration on again; it is synced at once."""

    async def action(runtime: Runtime) -> None:
        row = await integration_named(runtime, integration)
        await control.enable(runtime, row)
        console.print(f"{row.id} is switched on.")

    with_runtime(data_dir, action)


def describe(row: IntegrationRow, freshness: Freshness, required: frozenset[str], now: datetime | None = None) -> str:
    """How fresh an integration's records are, what of them waits for a decision, and when the next run is due.

    ``required`` are the streams that its records rest on.
    """
    now = now or datetime.now(UTC)
    moments = [freshness.read_from.get(name) for name in required]
    read = [moment for moment in moments if moment is not None]
    fresh = f"as of {min(read):%Y-%m-%d %H:%M:%S} UTC" if read and len(read) == len(moments) else "nothing complete yet"
    refused = row.authentication_failing_since
    since = f", since {refused:%Y-%m-%d %H:%M} UTC" if refused is not None else ""
    held = "".join(
        f"held back     {count:,} {stream} are missing at the tool; decide with `atsumi deletions list {row.id}`\n"
        for stream, count in sorted(freshness.held_back.items())
    )
    return (
        f"records       {fresh}; {_STATES.get(freshness.sync_state, freshness.sync_state)}{since}\n"
        f"{held}"
        f"next run      {_next(row, freshness.next_sync_at, now)}"
    )


def _next(row: IntegrationRow, at: datetime | None, now: datetime | None = None) -> str:
    if row.state != "ACTIVE":
        return "paused"
    if at is None:
        return "after the first sync"
    left = at - (now or datetime.now(UTC))
    if left <= timedelta(0):
        return "due now"
    minutes, seconds = divmod(int(left.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    spelled = f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"
    return f"at {at:%Y-%m-%d %H:%M:%S} UTC, in {spelled}"
