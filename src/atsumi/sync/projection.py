"""How a dialect tells the sync engine what to render.

A *wire model* is one list of a dialect: a root model, the related records its documents embed, and a function that
renders one document. The relations say which other documents a change reaches, so the engine can keep every stored
document equal to what rendering it anew would give, and can tell which changes count for ``updated_after``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from atsumi.model.names import Model
from atsumi.model.record import Record

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Stored(Generic[R]):
    """A canonical record with what the store knows about it.

    ``integration`` is the integration's public id: with it a document can spell the id of a record that it names but
    does not hold (:func:`atsumi.model.ids.record_id`).
    """

    id: UUID
    integration: UUID
    record: R
    changed_at: datetime
    deleted_at: datetime | None
    related: Mapping[str, Sequence[Stored[Record]]] = field(default_factory=dict)
    """Related records by relation name, each in a stable order; deleted ones are left out of reverse relations."""

    def one(self, name: str) -> Stored[Record] | None:
        """The record of a forward relation, if it exists."""
        found = self.related.get(name, ())
        return found[0] if found else None

    def many(self, name: str) -> Sequence[Stored[Record]]:
        """The records of a reverse relation, or of a forward one that names several, in the parent's order."""
        return self.related.get(name, ())


@dataclass(frozen=True, slots=True)
class Relation:
    """A related model inside a wire document.

    Exactly one of ``forward`` (the parent's field that names the related record, or a list of them) and ``reverse``
    (the related record's field that names the parent) is set; both must be declared in the struct's ``references``.
    ``shows`` are the related record's fields that the document contains (``None``: all).
    ``counts_link``: adding or removing the related record counts for ``updated_after``.
    ``counts_change``: any change of the related record counts.
    ``counts_shown``: whatever the document shows of the related record counts, and nothing else.
    """

    name: str
    model: Model
    forward: str | None = None
    reverse: str | None = None
    shows: frozenset[str] | None = None
    counts_link: bool = False
    counts_change: bool = False
    counts_shown: bool = False
    relations: tuple[Relation, ...] = ()


@dataclass(frozen=True, slots=True)
class WireModel:
    """One list of a dialect.

    ``render`` returns a JSON object *without its closing brace*: the reader appends what is not stored and the brace.
    ``custom_fields``, where a dialect shows them only when asked, returns them as a JSON object, or ``None`` for none;
    they are stored beside the document. Both must be pure.
    """

    name: str
    model: Model
    relations: tuple[Relation, ...]
    render: Callable[[Stored[Record]], bytes]
    custom_fields: Callable[[Stored[Record]], bytes | None] | None = None


@dataclass(frozen=True, slots=True)
class Projection:
    """All lists of one dialect. ``code`` is stored in rows: never reuse a number for another dialect."""

    name: str
    code: int
    wire_models: tuple[WireModel, ...]
