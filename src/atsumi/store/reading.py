"""Reading lists of wire fragments: an index range and a join of byte strings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from atsumi.model.names import Model


class Operator(StrEnum):
    """How a condition compares."""

    REFERENCE = "reference"
    """``field`` (a reference of the struct) points at one of the ids in ``values`` (UUID)."""
    LOOKUP = "lookup"
    """One of the struct's ``lookups()`` terms for ``field`` equals one of ``values``, ignoring case."""
    FACET = "facet"
    """The struct's ``facets()`` value for ``field`` is one of ``values``."""
    FACET_CONTAINS = "facet_contains"
    """The facet contains ``values[0]``, ignoring case."""
    CREATED_FROM = "created_from"
    """``remote_created_at`` is at or after ``values[0]`` (datetime)."""
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
    ``updated_after`` keeps records with a counting change after the instant.
    ``ids`` are record ids; ``None`` means no filter, empty means nothing.
    """

    model: Model
    page_size: int
    after: Position | None = None
    updated_after: datetime | None = None
    include_deleted: bool = False
    ids: Sequence[UUID] | None = None
    conditions: Sequence[Condition] = ()
    with_remote_data: bool = False


@dataclass(frozen=True, slots=True)
class ListPage:
    """``documents`` are complete JSON objects; ``next`` is ``None`` when the list has ended."""

    documents: Sequence[bytes]
    next: Position | None
