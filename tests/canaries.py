"""Finding a person anywhere in the database, whatever the table and however it is stored."""

from __future__ import annotations

from collections.abc import Collection

import asyncpg


async def tables_with(pool: asyncpg.Pool, canary: str) -> list[str]:
    """``table.column`` of every place that holds the text, in whatever integration. Bytes are searched, too."""
    columns = await pool.fetch(
        """
        SELECT c.table_schema, c.table_name, c.column_name, c.data_type FROM information_schema.columns c
        JOIN pg_class k ON k.relname = c.table_name AND k.relkind = 'r'
        WHERE c.table_schema = 'public'
        """
    )
    found = []
    for column in columns:
        name = f'"{column["column_name"]}"'
        is_bytes = column["data_type"] == "bytea"
        condition = (
            f"position($1::bytea IN {name}) > 0" if is_bytes else f"position($1::text IN lower({name}::text)) > 0"
        )
        wanted = canary.encode() if is_bytes else canary.lower()
        if await pool.fetchval(f'SELECT 1 FROM "{column["table_name"]}" WHERE {condition} LIMIT 1', wanted):  # noqa: S608 (names come from the catalogue)
            found.append(f"{column['table_name']}.{column['column_name']}")
    return sorted(found)


async def canaries_in(pool: asyncpg.Pool, canaries: Collection[str]) -> set[str]:
    """Which of the texts stand anywhere, in whatever integration; one look at each table."""
    columns = await pool.fetch(
        """
        SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c
        JOIN pg_class k ON k.relname = c.table_name AND k.relkind = 'r' WHERE c.table_schema = 'public'
        """
    )
    conditions: dict[str, list[str]] = {}
    for column in columns:
        name = f'"{column["column_name"]}"'
        is_bytes = column["data_type"] == "bytea"
        looks = (
            f"position(convert_to(c, 'UTF8') IN {name}) > 0"
            if is_bytes
            else f"position(lower(c) IN lower({name}::text)) > 0"
        )
        conditions.setdefault(column["table_name"], []).append(looks)
    found: set[str] = set()
    for table, looks_like in conditions.items():
        condition = " OR ".join(looks_like)
        statement = f'SELECT c FROM unnest($1::text[]) AS c WHERE EXISTS (SELECT 1 FROM "{table}" WHERE {condition})'  # noqa: S608 (names come from the catalogue)
        rows = await pool.fetch(statement, sorted(set(canaries) - found))
        found |= {row["c"] for row in rows}
    return found
