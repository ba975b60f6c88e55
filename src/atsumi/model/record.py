"""What every canonical record shares.

A canonical struct holds what the tool said, in our words and types. References are the *remote ids* of the records
they point at (field names end in ``_remote_id``); the store turns them into record ids with
:func:`atsumi.model.ids.record_id`, so a mapping stays a pure function that needs to know no integration.
Instants are aware UTC. Unknown is ``None``, never an empty string.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

import msgspec

from atsumi.model.names import Model
from atsumi.model.parts import PassedField

JsonValue = Any
"""A value that JSON can hold; ``Any`` because msgspec structs cannot be recursive in their field types."""


class Record(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Base of all canonical records."""

    model: ClassVar[Model]
    references: ClassVar[dict[str, Model]] = {}
    """Field name → model it points at. A field holds one remote id or a list of them."""
    indispensable: ClassVar[frozenset[str]] = frozenset({"remote_updated_at"})
    """Optional fields that no scope leaves out: a sync decides by them what to read, keep and erase."""

    remote_id: str
    """The tool's id as text, or a composite of several (``"job:person:role"``) where the tool has none of its own."""
    remote_url: str | None = None
    """Deep link into the tool for a signed-in person."""
    remote_created_at: datetime | None = None
    remote_updated_at: datetime | None = None
    custom_fields: dict[str, JsonValue] | None = None
    """Fields of the tool for which the model has no place, under the tool's own names."""
    mapped_fields: dict[str, JsonValue] | None = None
    """Values of the custom fields that are mapped for the integration, by their names."""
    unresolved_fields: list[str] = []
    """Mapped custom fields whose path leads nowhere in this record."""
    passed_fields: list[PassedField] = []
    """Raw fields that were chosen to be handed on."""

    def lookups(self) -> list[str]:
        """Exact-match search terms, ``field:value`` with the value case-folded; indexed by the store."""
        return []

    def facets(self) -> dict[str, str]:
        """Small filterable values by field name; compared, not indexed. Free text is :func:`folded`."""
        return {}


CONFIGURED = frozenset({"mapped_fields", "unresolved_fields", "passed_fields"})
"""Fields that no tool fills: they hold what is mapped or chosen for an integration."""


def term(field: str, value: str) -> str:
    """One search term as :meth:`Record.lookups` spells it."""
    return f"{field}:{folded(value.strip())}"


def folded(text: str) -> str:
    """A text as it is compared where case does not count, in any script."""
    return text.casefold()
