"""Syncing: a first sync, the same again with nothing changed, and again with 1 % changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.figures import Aim, Report, Spread
from benchmarks.stage import COUNTED, Company, Connected, Stage, company

LEAST_TIMES_FIRST = 4.0
TABLES = ("raw_record", "record", "fragment", "change")
PHASES = ("first", "unchanged", "1 % changed")
_LONG = ("candidates", "applications")
"""The streams whose time is told apart: those that grow with the company."""


@dataclass(frozen=True, slots=True)
class Options:
    """How large the company is, and how often it is synced from the beginning."""

    applications: int = 50_000
    rounds: int = 3


def measure(ground: Stage, options: Options, say: Callable[[str], None]) -> Report:
    """Each round connects the company anew and takes it through all phases."""
    found: list[dict[str, Any]] = []
    records = 0
    for number in range(options.rounds):
        with company(ground.folder, options.applications) as simulated:
            connected = ground.connect(simulated, f"round {number}")
            for phase in PHASES:
                say(f"syncs: round {number + 1} of {options.rounds}, {phase}")
                if phase == "1 % changed":
                    _change(simulated)
                found.append({"round": number, "phase": phase, **_phase(ground, connected)})
            records = simulated.records
    return _report(options, found, records)


def _change(simulated: Company) -> None:
    """One in a hundred of jobs, candidates and applications, as a recruiter would edit them."""
    for kind in COUNTED:
        ids = [one["id"] for one in simulated.control("GET", f"/state?kind={kind}")[kind]]
        for index, id in enumerate(ids[7::100]):
            simulated.control("PATCH", f"/{kind}/{id}", _edit(kind, index))


def _edit(kind: str, index: int) -> dict[str, str]:
    match kind:
        case "jobs":
            return {"name": f"Position {index}"}
        case "candidates":
            return {"phone": f"+49 30 5551{index:05d}"}
        case _:
            return {"application_date": f"2001-01-{1 + index % 28:02d}"}


def _phase(ground: Stage, connected: Connected) -> dict[str, Any]:
    # Dead rows and half-set hint bits of the phase before would otherwise be cleaned up, and logged, in this one.
    ground.fetch("VACUUM ANALYZE")
    ground.fetch("CHECKPOINT")
    before, lsn = _written(ground), _wal(ground)
    result = ground.sync(connected, "full")
    # A process that ends hands in its statistics, but not before its connections have noticed.
    time.sleep(1.5)
    after = _written(ground)
    return {
        **result,
        "wal_bytes": _wal(ground) - lsn,
        "rows_written": {table: after[table] - before[table] for table in TABLES},
    }


def _written(ground: Stage) -> dict[str, int]:
    """Rows inserted, updated and deleted so far, by table, all partitions together."""
    rows = ground.fetch(
        """
        SELECT p.relname AS name, coalesce(sum(s.n_tup_ins + s.n_tup_upd + s.n_tup_del), 0)::bigint AS written
        FROM pg_class p JOIN pg_inherits i ON i.inhparent = p.oid JOIN pg_stat_user_tables s ON s.relid = i.inhrelid
        WHERE p.relname = ANY($1) AND p.relkind = 'p' GROUP BY 1
        """,
        list(TABLES),
    )
    return {row["name"]: row["written"] for row in rows}


def _wal(ground: Stage) -> int:
    [row] = ground.fetch("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint")
    position: int = row[0]
    return position


def _counted(one: dict[str, Any], streams: Sequence[str]) -> int:
    return sum(one["records"][stream] for stream in streams)


def _long_seconds(one: dict[str, Any]) -> float:
    return float(sum(one["stream_seconds"].get(stream, 0.0) for stream in _LONG))


def _report(options: Options, found: Sequence[dict[str, Any]], records: int) -> Report:
    def of(phase: str) -> list[dict[str, Any]]:
        return [one for one in found if one["phase"] == phase]

    def rates(phase: str) -> list[float]:
        return [_counted(one, COUNTED) / one["seconds"] for one in of(phase)]

    def long_rates(phase: str) -> list[float]:
        return [_counted(one, _LONG) / _long_seconds(one) for one in of(phase)]

    def times_first(phase: str) -> Spread:
        return Spread.of([rate / first for rate, first in zip(rates(phase), rates("first"), strict=True)])

    def row(phase: str) -> list[str]:
        cpu = [one["cpu_seconds"] * 1e6 / _counted(one, COUNTED) for one in of(phase)]
        return [
            phase,
            Spread.of(rates(phase)).spelled(),
            Spread.of(long_rates(phase)).spelled(),
            f"{Spread.of([one['seconds'] for one in of(phase)]).middle:.1f}",
            f"{Spread.of([_long_seconds(one) for one in of(phase)]).middle:.1f}",
            f"{Spread.of(cpu).middle:.0f}",
            "" if phase == "first" else times_first(phase).spelled("{:.1f}"),
            " / ".join(f"{max(one['rows_written'][table] for one in of(phase)):,}" for table in TABLES),
            f"{Spread.of([one['wal_bytes'] / 1e6 for one in of(phase)]).middle:,.1f}",
        ]

    unchanged = times_first("unchanged")
    rewritten = max(sum(one["rows_written"].values()) for one in of("unchanged"))
    return Report(
        title=f"Syncing {options.applications:,} applications, all streams read in full",
        columns=[
            "",
            "records/s\nall streams",
            "records/s\nlong streams",
            "seconds\nall",
            "seconds\nlong",
            "CPU µs\na record",
            "times\nfirst",
            "rows written\nraw / record / fragment / change",
            "WAL\nMB",
        ],
        rows=[row(phase) for phase in PHASES],
        aims=[
            Aim(
                f"unchanged at least {LEAST_TIMES_FIRST:.0f} x first",
                unchanged.spelled("{:.1f} x"),
                unchanged.middle >= LEAST_TIMES_FIRST,
            ),
            Aim("no row rewritten when nothing changed", f"{rewritten:,} rows", rewritten == 0),
        ],
        notes=[
            f"{records:,} records: applications, candidates and jobs. {options.rounds} rounds, each with a newly "
            "connected integration; every sync is a process of its own, the simulator is another without rate limits.",
            "Long streams are candidates and applications. One job is published: the forms of published jobs are read "
            "at two a second to spare the career site, which would hide everything else.",
        ],
        raw={"phases": list(found), "records": records},
    )
