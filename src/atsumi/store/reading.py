"""Reading lists of wire fragments: an index range and a join of byte strings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

import asyncpg

from atsumi.model.catalog import CODES
from atsumi.model.names import Model
from atsumi.model.record import folded


class Operator(StrEnum):
    """How a condition compares."""

    REFERENCE = "reference"
    """``field`` (a reference of the struct) points at one of the ids in ``values`` (UUID)."""
    LOOKUP = "lookup"
    """One of the struct's ``lookups()`` terms for ``field`` equals one of ``values``, ignoring case."""
    FACET = "facet"
    """The struct's ``facets()`` value for ``field`` is one of ``values``."""
    FACET_CONTAINS = "facet_contains"
    """The facet, a folded text, contains ``values[0]``, ignoring case."""
    CREATED_FROM = "created_from"
    """``remote_created_at`` is at or after ``values[0]`` (datetime)."""
    CREATED_BEFORE = "created_before"
    """``remote_created_at`` is before ``values[0]`` (datetime)."""
    NAMED = "named"
    """A present record of model ``child`` that this record points at is found by ``LOOKUP`` of ``field``."""
    JOINED = "joined"
    """One of the ids in ``values`` is a record of model ``child`` that points only at what this record points at.

    With ``via``: only at what this record or the one named by its reference ``via`` points at, and at something that
    this record itself does.
    """
    HAS_CHILD = "has_child"
    """A present record of model ``child`` points at this record and, by ``field``, at one of the ids in ``values``."""
    VIA_PARENT = "via_parent"
    """The record named by this record's reference ``via`` has its reference ``field`` among ``values`` (UUID)."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One filter; several conditions combine with AND, the values of one with OR. No values: nothing matches."""

    operator: Operator
    field: str
    values: Sequence[object]
    child: Model | None = None
    via: str | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a list: everything up to and including it has been read."""

    seq: int
    id: UUID


@dataclass(frozen=True, slots=True)
class ListQuery:
    """One page of one list.

    Order is (sequence number of the last change that counts, id), ascending: a record that changes while a reader
    walks the list moves to the end, so it is shown again and nothing is ever skipped, whatever commits meanwhile.
    ``updated_after`` keeps records with a counting change after the instant, ``updated_from`` those with one at the
    instant or after it, ``updated_before`` those whose last counting change is earlier.
    ``ids`` are record ids; ``None`` means no filter, empty means nothing.
    """

    model: Model
    page_size: int
    after: Position | None = None
    updated_after: datetime | None = None
    updated_from: datetime | None = None
    updated_before: datetime | None = None
    include_deleted: bool = False
    ids: Sequence[UUID] | None = None
    conditions: Sequence[Condition] = ()
    with_remote_ids: bool = False
    with_custom_fields: bool = False


class Fragment(NamedTuple):
    """One document without its closing brace, and where it stands in its list.

    ``touched_at`` is when ``touched_seq`` was given. ``remote_id`` and ``custom_fields`` (a JSON object) are filled
    only when the query wants them.
    """

    id: UUID
    touched_seq: int
    touched_at: datetime
    body: bytes
    remote_id: str | None = None
    custom_fields: bytes | None = None


class ListPage(NamedTuple):
    """Documents in their order; ``next`` is ``None`` when the list has ended."""

    fragments: Sequence[Fragment]
    next: Position | None


async def list_page(
    pool: asyncpg.Pool, integration: int, dialect: int, query: ListQuery, *, search_keys: Sequence[Sequence[UUID]] = ()
) -> ListPage:
    """One page of a dialect's list.

    ``search_keys`` are the digests of the query's ``LOOKUP`` and ``NAMED`` conditions, in their order.
    """
    if (query.ids is not None and not query.ids) or any(not condition.values for condition in query.conditions):
        return ListPage((), None)
    builder = _Builder(integration, dialect, query, list(search_keys))
    rows = await pool.fetch(builder.statement(), *builder.parameters)
    following = None
    if len(rows) > query.page_size:
        rows = rows[: query.page_size]
        following = Position(rows[-1][1], rows[-1][0])
    return ListPage([Fragment(*row) for row in rows], following)


class _Builder:
    """Puts one list statement together; every value is a parameter."""

    def __init__(self, integration: int, dialect: int, query: ListQuery, search_keys: list[Sequence[UUID]]) -> None:
        self._query = query
        self._search_keys = search_keys
        self.parameters: list[object] = [integration, dialect, CODES[query.model], query.page_size + 1]

    def statement(self) -> str:
        query = self._query
        clauses = ["f.integration = $1 AND f.dialect = $2 AND f.model = $3"]
        if not query.include_deleted:
            clauses.append("NOT f.is_deleted")
        if query.after is not None:
            clauses.append(f"(f.touched_seq, f.id) > ({self._add(query.after.seq)}, {self._add(query.after.id)})")
        for comparison, instant in (("<=", query.updated_after), ("<", query.updated_from)):
            if instant is not None:
                # A batch counts as seen by readers from the instant at which it was certainly visible to them. Any such
                # batch will do, and the latest is the first of its index; a greatest number would be read from all.
                clauses.append(
                    "f.touched_seq > coalesce((SELECT b.last_seq FROM commit_batch b WHERE b.integration = $1 AND "
                    f"b.visible_by {comparison} {self._add(instant)} "
                    "ORDER BY b.visible_by DESC, b.last_seq DESC LIMIT 1), 0)"
                )
        if query.updated_before is not None:
            clauses.append(f"f.touched_at < {self._add(query.updated_before)}")
        if query.ids is not None:
            clauses.append(f"f.id = ANY({self._add(list(query.ids))}::uuid[])")
        clauses += [self._condition(condition) for condition in query.conditions]
        needs_record = query.with_remote_ids or bool(query.conditions)
        join = "JOIN record r ON r.integration = f.integration AND r.model = f.model AND r.id = f.id"
        return (
            f"SELECT f.id, f.touched_seq, f.touched_at, f.body, {'r.remote_id' if query.with_remote_ids else 'NULL'}, "
            f"{'f.custom_fields' if query.with_custom_fields else 'NULL'} "
            f"FROM fragment f {join if needs_record else ''} "
            f"WHERE {' AND '.join(clauses)} ORDER BY f.touched_seq, f.id LIMIT $4"
        )

    def _condition(self, condition: Condition) -> str:
        match condition.operator:
            case Operator.REFERENCE:
                return f"r.keys && {self._add(list(condition.values))}::uuid[]"
            case Operator.LOOKUP:
                return f"r.keys && {self._add(list(self._search_keys.pop(0)))}::uuid[]"
            case Operator.FACET:
                return f"r.facets ->> {self._add(condition.field)} = ANY({self._add(list(condition.values))}::text[])"
            case Operator.FACET_CONTAINS:
                text = self._add(folded(str(condition.values[0])))
                return f"strpos(r.facets ->> {self._add(condition.field)}, {text}) > 0"
            case Operator.CREATED_FROM:
                return f"r.remote_created_at >= {self._add(condition.values[0])}"
            case Operator.CREATED_BEFORE:
                return f"r.remote_created_at < {self._add(condition.values[0])}"
            case Operator.NAMED:
                child, keys = self._add(CODES[_given(condition.child)]), self._add(list(self._search_keys.pop(0)))
                return (
                    "r.keys && ARRAY(SELECT n.id FROM record n WHERE n.integration = $1 "
                    f"AND n.model = {child}::smallint AND n.keys && {keys}::uuid[] AND n.deleted_at IS NULL)"
                )
            case Operator.JOINED:
                return self._joined(condition)
            case Operator.HAS_CHILD:
                child = self._add(CODES[_given(condition.child)])
                return (
                    "f.id IN (SELECT unnest(c.keys) FROM record c WHERE c.integration = $1 "
                    f"AND c.model = {child}::smallint AND c.keys && {self._add(list(condition.values))}::uuid[] "
                    "AND c.deleted_at IS NULL)"
                )
            case Operator.VIA_PARENT:
                return (
                    "EXISTS (SELECT 1 FROM record p WHERE p.integration = $1 AND p.id = ANY(r.keys) "
                    f"AND p.keys && {self._add(list(condition.values))}::uuid[])"
                )

    def _joined(self, condition: Condition) -> str:
        child, ids = self._add(CODES[_given(condition.child)]), self._add(list(condition.values))
        joins = f"j.integration = $1 AND j.model = {child}::smallint AND j.id = ANY({ids}::uuid[])"
        if condition.via is None:
            return (
                "f.id IN (SELECT o.id FROM record j JOIN record o "
                f"ON o.integration = $1 AND o.model = $3 AND o.keys @> j.keys WHERE {joins})"
            )
        return (
            f"EXISTS (SELECT 1 FROM record j, record p WHERE {joins} AND j.keys && r.keys "
            "AND p.integration = $1 AND p.id = ANY(r.keys) AND j.keys <@ (r.keys || p.keys))"
        )

    def _add(self, value: object) -> str:
        self.parameters.append(value)
        return f"${len(self.parameters)}"


def _given(model: Model | None) -> Model:
    if model is None:
        raise ValueError("the condition names no child model")
    return model
