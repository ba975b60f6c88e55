"""The competitor's tables, filled from what the product answers, so that both serve the same data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Table, insert, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from benchmarks.competitor.tables import SCHEMA, Application, Base, Candidate, Job, Stage

_BATCH = 500
_EMBEDDED: tuple[tuple[type[Base], str], ...] = ((Candidate, "candidate"), (Job, "job"), (Stage, "current_stage"))
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


async def fill(database_url: str, integration: UUID, documents: Iterable[Mapping[str, Any]]) -> None:
    """Create the tables anew and store the product's applications with what they embed."""
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://", 1))
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"))
            await connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
            await connection.run_sync(Base.metadata.create_all)
            parents: dict[type[Base], dict[str, Mapping[str, Any]]] = {parent: {} for parent, _ in _EMBEDDED}
            applications = []
            for document in documents:
                for parent, name in _EMBEDDED:
                    if document[name] is not None:
                        parents[parent][document[name]["id"]] = document[name]
                applications.append({**document, "integration_id": integration})
            for table, rows in parents.items():
                await _insert(connection, table, list(rows.values()))
            await _insert(connection, Application, applications)
        async with engine.connect() as connection:
            await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(text("VACUUM ANALYZE"))
    finally:
        await engine.dispose()


async def _insert(connection: AsyncConnection, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    table = model.__table__
    assert isinstance(table, Table)
    for start in range(0, len(rows), _BATCH):
        values = [
            {
                column.name: _instant(row[column.name]) if isinstance(column.type, DateTime) else row[column.name]
                for column in table.columns
            }
            for row in rows[start : start + _BATCH]
        ]
        await connection.execute(insert(table), values)


def _instant(spelled: str | None) -> datetime | None:
    return datetime.fromisoformat(spelled) if spelled is not None else None


def comparable(value: Any) -> Any:
    """The same value with instants as such: the two servers spell fractions of seconds differently."""
    if isinstance(value, dict):
        return {name: comparable(one) for name, one in value.items()}
    if isinstance(value, list):
        return [comparable(one) for one in value]
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        return datetime.fromisoformat(value)
    return value
