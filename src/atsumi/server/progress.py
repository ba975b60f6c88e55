"""Watching a sync run in the terminal."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from atsumi.store import runs
from atsumi.store.runs import Run, StreamProgress

_INTERVAL_SECONDS = 0.2
_ENDED = ("SUCCEEDED", "PARTIALLY_FAILED", "FAILED", "AUTHENTICATION_FAILED", "CANCELLED", "TIMED_OUT")
_MARKS = {
    "PENDING": ("·", "dim"),
    "READING": ("●", "cyan"),
    "COMPLETE": ("✓", "green"),
    "SKIPPED": ("–", "yellow"),
    "FAILED": ("✗", "red"),
}


async def watch(pool: asyncpg.Pool, run_id: UUID, console: Console) -> Run:
    """Show a run's streams until it ends or waits for later; returns the run as it stands then.

    On a terminal the table is redrawn in place; elsewhere each stream is one line, printed when it has ended.
    """
    if console.is_terminal:
        return await _live(pool, run_id, console)
    return await _lines(pool, run_id, console)


async def watch_while(executing: Coroutine[Any, Any, None], pool: asyncpg.Pool, run_id: UUID, console: Console) -> Run:
    """Watch a run that ``executing`` executes, or finds executed elsewhere; returns the run as :func:`watch` does.

    Raises what ``executing`` raises; neither goes on when this ends.
    """
    working = asyncio.create_task(executing)
    watching = asyncio.create_task(watch(pool, run_id, console))
    try:
        # A bug in the run must end the watching too, which would wait for ever.
        await asyncio.wait([working, watching], return_when=asyncio.FIRST_EXCEPTION)
        if working.done():
            working.result()
        return await watching
    finally:
        for task in (working, watching):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(working, watching, return_exceptions=True)


async def _live(pool: asyncpg.Pool, run_id: UUID, console: Console) -> Run:
    with Live(console=console, refresh_per_second=8, transient=False) as live:
        while True:
            run, streams = await _state(pool, run_id)
            live.update(_table(run, streams))
            if _is_over(run):
                return run
            await asyncio.sleep(_INTERVAL_SECONDS)


async def _lines(pool: asyncpg.Pool, run_id: UUID, console: Console) -> Run:
    told: set[str] = set()
    while True:
        run, streams = await _state(pool, run_id)
        for one in streams:
            if one.state in ("COMPLETE", "SKIPPED", "FAILED") and one.stream not in told:
                told.add(one.stream)
                if _is_idle(one):
                    continue
                console.print(
                    f"{one.stream:<14} {one.state.lower():<9} {one.records_seen:>8,} records, "
                    f"{one.records_changed:,} new or changed" + (f", {one.issues:,} issues" if one.issues else ""),
                    highlight=False,
                    soft_wrap=True,
                )
        if _is_over(run):
            return run
        await asyncio.sleep(_INTERVAL_SECONDS)


async def _state(pool: asyncpg.Pool, run_id: UUID) -> tuple[Run, list[StreamProgress]]:
    run = await runs.find_run(pool, run_id)
    if run is None:
        raise LookupError(f"sync run {run_id} does not exist")
    return run, await runs.progress(pool, run_id)


def _is_over(run: Run) -> bool:
    return run.state in _ENDED or (run.message is not None and run.next_at > datetime.now(UTC))


def _is_idle(stream: StreamProgress) -> bool:
    """Whether the stream had nothing to read, as the feed of a language that the integration does not use."""
    return stream.state == "COMPLETE" and stream.pages == 0


def _table(run: Run, streams: list[StreamProgress]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="dim")
    table.add_column("")
    table.add_column("stream", no_wrap=True)
    table.add_column("pages", justify="right")
    table.add_column("records", justify="right")
    table.add_column("new or changed", justify="right")
    table.add_column("issues", justify="right")
    for one in streams:
        if _is_idle(one):
            continue
        mark, style = _MARKS[one.state]
        quiet = "dim" if one.state == "PENDING" else ""
        table.add_row(
            Text(mark, style=style),
            Text(one.stream, style=quiet),
            *(Text(f"{n:,}" if n else "", style=quiet) for n in (one.pages, one.records_seen, one.records_changed)),
            Text(f"{one.issues:,}" if one.issues else "", style="yellow"),
        )
    table.caption = _caption(run, streams)
    table.caption_justify = "left"
    return table


def _caption(run: Run, streams: list[StreamProgress]) -> str:
    records = sum(one.records_seen for one in streams)
    if run.started_at is None:
        return "waiting for a worker"
    seconds = max(((run.ended_at or datetime.now(UTC)) - run.started_at).total_seconds(), 0.001)
    return f"{run.kind} sync · {records:,} records · {seconds:.1f} s · {records / seconds:,.0f} records/s"


def explain(run: Run) -> str:
    """One sentence on how a run ended and, if it did not end well, who acts next."""
    match run.state:
        case "SUCCEEDED":
            return "Everything was read."
        case "PARTIALLY_FAILED":
            return f"Most was read, but not all; what was read is stored.\n{run.message}"
        case "AUTHENTICATION_FAILED":
            return f"{run.message}\nStored data stays readable. The customer must give new credentials."
        case "CANCELLED":
            return f"{run.message}\nWhat was read before is stored; the schedule goes on."
        case "FAILED" | "TIMED_OUT":
            return f"{run.message}\nStored data stays readable; the next run reads what is missing."
        case _:
            if run.message is None:
                return "The run waits for a worker."
            return (
                f"{run.message}\nNobody has to act: while `atsumi serve` runs, the run goes on by itself at "
                f"{run.next_at:%H:%M:%S} UTC; another `atsumi sync` continues it at once. Stored data stays readable."
            )
