"""Everything that a database holds: kept and brought back, and compared without its instants.

Made for databases with one integration, where a test returns to the same state many times: ids are the same each
time, so what two runs leave behind can be compared row by row.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import asyncpg

_NOT_CONTENT = frozenset({"access_token", "api_key", "credential", "rate_bucket", "rate_window"})
"""Tables that say nothing about the integration's data, or that only make waiting shorter."""
_NOT_COMPARED: Mapping[str, frozenset[str]] = {
    "sync_run": frozenset({"attempts", "heartbeat_at", "next_at"}),
    # Looking again at what a snapshot no longer holds takes the clock, and a number, without changing anything.
    "clock": frozenset({"token", "batch", "stamped_at"}),
    "commit_batch": frozenset({"batch"}),
    # Our own clock, which may or may not be that of the commit.
    "integration_field": frozenset({"first_seen_at"}),
    "raw_record": frozenset({"batch"}),
    "stream_watermark": frozenset({"batch"}),
    # What was read twice counts twice.
    "sync_run_stream": frozenset({"pages", "records_seen", "issues"}),
    "sync_issue": frozenset({"occurrences"}),
}
_ORDER: Mapping[str, frozenset[str]] = {
    "change": frozenset({"seq"}),
    "commit_batch": frozenset({"first_seq", "last_seq"}),
    "fragment": frozenset({"touched_seq"}),
    "record": frozenset({"seq"}),
    "record_version": frozenset({"seq"}),
}
"""What depends on which of two streams that are read side by side was faster."""
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")

Contents = dict[str, list[str]]
"""Every row of every table as text, sorted."""


class Table(NamedTuple):
    """One table of the product. ``rows`` selects all that it holds, of one partition where it has such."""

    name: str
    columns: str
    rows: str


async def tables(connection: asyncpg.Connection | asyncpg.pool.PoolConnectionProxy) -> list[Table]:
    """The product's own tables, those that others refer to first."""
    [number] = await connection.fetchrow("SELECT coalesce(max(number), 0) FROM integration")
    found: dict[str, Table] = {}
    for name, columns, is_partitioned in await connection.fetch(
        """
        SELECT relname, string_agg(quote_ident(attname), ', ' ORDER BY attnum), relkind = 'p'
        FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
          AND relname NOT LIKE '%pgqueuer%' AND relname <> 'alembic_version'
          AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
        GROUP BY relname, relkind
        """
    ):
        # Without the condition a new connection would open every partition there is.
        found[name] = Table(name, columns, f"{name} WHERE integration = {number}" if is_partitioned else name)
    needs: dict[str, set[str]] = {name: set() for name in found}
    for row in await connection.fetch(
        """
        SELECT conrelid::regclass::text AS child, confrelid::regclass::text AS parent FROM pg_constraint
        WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND conparentid = 0
        """
    ):
        if row["child"] in found and row["parent"] in found and row["child"] != row["parent"]:
            needs[row["child"]].add(row["parent"])
    ordered: list[str] = []
    while len(ordered) < len(needs):
        ordered += sorted(name for name in needs if name not in ordered and needs[name] <= set(ordered))
    return [found[name] for name in ordered]


async def keep(pool: asyncpg.Pool, name: str) -> None:
    """Keep the database's content under a name."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(f"CREATE SCHEMA {name}")
        for table in await tables(connection):
            await connection.execute(f"CREATE TABLE {name}.{table.name} AS TABLE public.{table.name}")


async def bring_back(pool: asyncpg.Pool, name: str) -> None:
    """Return to the content that was kept under a name."""
    async with pool.acquire() as connection, connection.transaction():
        ordered = await tables(connection)
        for table in reversed(ordered):
            await connection.execute(f"DELETE FROM {table.rows}")  # noqa: S608 -- names from the catalogue
        for table in ordered:
            await connection.execute(
                f"INSERT INTO {table.name} ({table.columns}) OVERRIDING SYSTEM VALUE "  # noqa: S608 -- as above
                f"SELECT {table.columns} FROM {name}.{table.name}"
            )


async def contents(pool: asyncpg.Pool, *, is_ordered: bool = True) -> Contents:
    """What the database holds; an instant that a commit with changes stamped is shown as that commit's place.

    All other instants of our own clocks are left out: two runs cannot have them in common. With ``is_ordered`` false,
    the order of changes is left out, too.
    """
    found: Contents = {}
    async with pool.acquire() as connection:
        stamps = {
            row["stamped_at"]: f"@{number}" if is_ordered else "@"
            for number, row in enumerate(await connection.fetch("SELECT stamped_at FROM commit_batch ORDER BY batch"))
        }
        for table in await tables(connection):
            if table.name in _NOT_CONTENT:
                continue
            left_out = _NOT_COMPARED.get(table.name, frozenset()) | (
                frozenset() if is_ordered else _ORDER.get(table.name, frozenset())
            )
            rows = await connection.fetch(f"SELECT * FROM {table.rows}")  # noqa: S608 -- as above
            found[table.name] = sorted(_text(row, left_out, stamps) for row in rows)
    return found


def digest(found: Contents) -> str:
    """A short name for contents."""
    return hashlib.blake2b(repr(sorted(found.items())).encode(), digest_size=16).hexdigest()


def differences(left: Contents, right: Contents, limit: int = 6) -> list[str]:
    """The first rows that only one of both has."""
    lines: list[str] = []
    for table in sorted({*left, *right}):
        for sign, ours, theirs in (("-", left, right), ("+", right, left)):
            only = sorted(set(ours.get(table, ())) - set(theirs.get(table, ())))
            lines += [f"{sign} {table}: {row[:600]}" for row in only[:limit]]
    return lines


def _text(row: Mapping[str, Any], left_out: frozenset[str], stamps: Mapping[datetime, str]) -> str:
    return repr([(name, _plain(value, stamps)) for name, value in row.items() if name not in left_out])


def _plain(value: Any, stamps: Mapping[datetime, str]) -> Any:
    if isinstance(value, datetime):
        return stamps.get(value, "?")
    if isinstance(value, bytes | memoryview):
        raw = bytes(value)
        try:
            return _without_instants(raw.decode(), stamps)
        except UnicodeDecodeError:
            return raw.hex()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item, stamps) for item in value]
    return _without_instants(value, stamps) if isinstance(value, str) else value


def _without_instants(text: str, stamps: Mapping[datetime, str]) -> str:
    def replaced(found: re.Match[str]) -> str:
        instant = datetime.fromisoformat(found.group().replace("Z", "+00:00")).astimezone(UTC)
        return stamps.get(instant, found.group())

    return _INSTANT.sub(replaced, text)
