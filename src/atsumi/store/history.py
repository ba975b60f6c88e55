"""Past versions of records: kept when a record changes, read at a moment, removed when they are old.

A version is written when it is *replaced*: the present one is the record itself, so a first sync writes nothing here
and a record that never changes never costs more than one row. The versions of a record are an unbroken chain that
ends with the record: what is removed is removed from its old end. A version is valid from its own change until the
next one's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from atsumi.errors import NoLongerKept, NotFound
from atsumi.model.catalog import MODELS
from atsumi.store.records import ChangeKind, Connection, Owner, RecordRow

Moment = datetime | int
"""A point in an integration's past: an instant, or a number of its change log."""


class Version(NamedTuple):
    """One state of a record and the change that brought it. ``data`` is the JSON of its struct."""

    seq: int
    changed_at: datetime
    deleted_at: datetime | None
    data: bytes


class VersionLine(NamedTuple):
    """A version without its content. ``kind`` is ``None`` where the change log no longer holds its change."""

    seq: int
    changed_at: datetime
    deleted_at: datetime | None
    kind: int | None


_CHAIN = """
    SELECT seq, changed_at, deleted_at, data FROM record WHERE integration = $1 AND model = $2 AND id = $3
    UNION ALL
    SELECT seq, valid_from, deleted_at, data FROM record_version WHERE integration = $1 AND model = $2 AND id = $3
"""


async def keep_versions(connection: Connection, owner: Owner, replaced: Sequence[RecordRow]) -> None:
    """Keep the stored state of records that are about to change, if the integration keeps history.

    If it does not, older versions of these records go too: a chain with a hole would show a wrong past.
    """
    if not replaced:
        return
    days = await connection.fetchval("SELECT history_days FROM integration WHERE number = $1", owner.integration)
    if not days:
        await forget_versions(connection, owner.integration, [row.id for row in replaced])
        return
    await connection.copy_records_to_table(
        "record_version",
        records=[
            (owner.integration, row.model, row.id, row.seq, row.changed_at, row.deleted_at, row.data)
            for row in replaced
        ],
        columns=["integration", "model", "id", "seq", "valid_from", "deleted_at", "data"],
    )


async def contents(
    connection: Connection, integration: int, model: int, ids: Sequence[UUID]
) -> list[tuple[UUID, int, bytes]]:
    """(id, number of its change, JSON) of all past versions of these records."""
    rows = await connection.fetch(
        "SELECT id, seq, data FROM record_version WHERE integration = $1 AND model = $2 AND id = ANY($3)",
        integration,
        model,
        ids,
    )
    return [(row["id"], row["seq"], row["data"]) for row in rows]


async def replace_contents(
    connection: Connection, integration: int, model: int, contents: Mapping[tuple[UUID, int], bytes]
) -> None:
    """Put other JSON in the place of what past versions held, by id and number of the change."""
    await connection.executemany(
        "UPDATE record_version SET data = $5 WHERE integration = $1 AND model = $2 AND id = $3 AND seq = $4",
        [(integration, model, id, seq, data) for (id, seq), data in contents.items()],
    )


async def forget_versions(connection: Connection, integration: int, ids: Sequence[UUID]) -> None:
    """Remove all past versions of these records; for content that may not be kept any longer.

    ``integration`` is the integration's number. The records themselves are left as they are.
    """
    await connection.execute(
        # The models are named so that the primary key is of use, in which they come before the id.
        "DELETE FROM record_version WHERE integration = $1 AND model = ANY($2) AND id = ANY($3)",
        integration,
        list(MODELS),
        list(ids),
    )


async def version_at(pool: asyncpg.Pool, integration: int, model: int, id: UUID, moment: Moment | None) -> Version:
    """The record as it was at a moment; ``None`` is now. A moment in the future is now, too.

    Raises :class:`NotFound` when it did not exist (a record that was deleted by then does, with ``deleted_at``), and
    :class:`NoLongerKept` when it did but that version is gone.
    """
    # The type is named, or PostgreSQL would have to guess the one of a parameter that is only compared.
    field = "changed_at <= $4::timestamptz" if isinstance(moment, datetime) else "seq <= coalesce($4::bigint, seq)"
    row = await pool.fetchrow(
        f"SELECT * FROM ({_CHAIN}) AS chain WHERE {field} ORDER BY seq DESC LIMIT 1", integration, model, id, moment
    )
    if row is not None:
        return Version(*row)
    kind = await pool.fetchrow(
        f"""
        SELECT chain.seq, l.kind FROM ({_CHAIN}) AS chain
        LEFT JOIN change l ON l.integration = $1 AND l.seq = chain.seq ORDER BY chain.seq LIMIT 1
        """,
        integration,
        model,
        id,
    )
    if kind is None:
        raise NotFound("There is no such record.")
    if kind["kind"] == ChangeKind.CREATED:
        raise NotFound("The record did not exist then.")
    raise NoLongerKept("The record's version of that time is no longer kept.")


async def versions(
    pool: asyncpg.Pool, integration: int, model: int, id: UUID, limit: int, before: int | None = None
) -> tuple[list[VersionLine], bool]:
    """The kept versions, the present one first, at most ``limit`` older than number ``before``; and whether more are.

    Raises :class:`NotFound` when there is no such record.
    """
    rows = await pool.fetch(
        f"""
        SELECT chain.seq, chain.changed_at, chain.deleted_at, l.kind
        FROM (
            SELECT seq, changed_at, deleted_at FROM ({_CHAIN}) AS c
            WHERE seq < coalesce($5::bigint, seq + 1) ORDER BY seq DESC LIMIT $4
        ) AS chain
        LEFT JOIN change l ON l.integration = $1 AND l.seq = chain.seq ORDER BY chain.seq DESC
        """,
        integration,
        model,
        id,
        limit + 1,
        before,
    )
    if not rows and not await pool.fetchval(
        "SELECT 1 FROM record WHERE integration = $1 AND model = $2 AND id = $3", integration, model, id
    ):
        raise NotFound("There is no such record.")
    return [VersionLine(*row) for row in rows[:limit]], len(rows) > limit
