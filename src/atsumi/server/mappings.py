"""Changing where unified fields of an integration come from, and looking at what that would give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from atsumi.connector.contract import Issue
from atsumi.model.catalog import CODES
from atsumi.model.names import Model
from atsumi.server.runtime import Runtime
from atsumi.store import records, shaping
from atsumi.store.shaping import MappingRow
from atsumi.store.tenants import IntegrationRow
from atsumi.sync import codec
from atsumi.sync.field_mappings import CompiledRule, Rule
from atsumi.sync.raw_documents import load_raw_documents


class Preview(NamedTuple):
    """What one stored record has in the field now, and would have. ``issues`` are values that do not fit."""

    remote_id: str
    before: object
    after: object
    issues: Sequence[Issue]


async def put(runtime: Runtime, row: IntegrationRow, model: Model, field: str, rule: bytes) -> None:
    """Set another source for a field; a remap brings it into all records."""
    async with runtime.pool.acquire() as connection, connection.transaction():
        await shaping.put_field_mapping(connection, row.number, MappingRow(CODES[model], field, rule))
        await shaping.bump(connection, [row.number])


async def remove(runtime: Runtime, row: IntegrationRow, model: Model, field: str) -> bool:
    """Go back to the connector's own source; returns whether there was another one."""
    async with runtime.pool.acquire() as connection, connection.transaction():
        is_removed = await shaping.remove_field_mapping(connection, row.number, CODES[model], field)
        if is_removed:
            await shaping.bump(connection, [row.number])
    return is_removed


async def preview(
    runtime: Runtime, row: IntegrationRow, model: Model, field: str, rule: Rule, limit: int
) -> list[Preview]:
    """What the rule would make of the newest stored records; nothing is stored.

    The built-in source gives what stands in the field now.
    """
    target, compiled = await runtime.target(row), CompiledRule(model, field, rule)
    found = []
    async with runtime.pool.acquire() as connection:
        newest = await records.newest(connection, row.number, CODES[model], limit=limit)
        wanted = [codec.decode(one) for one in newest]
        documents = await load_raw_documents(
            connection, row.number, target.connector.mapping, target.context, wanted, target.shape.kept
        )
    for record, document in zip(wanted, documents, strict=True):
        issues: list[Issue] = []
        after = compiled.apply(record, document, issues.append)
        found.append(Preview(record.remote_id, getattr(record, field), getattr(after, field), issues))
    return found
