"""Why a tool lacks what it lacks, and how what it does not say itself is read out of what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from atsumi.model.names import Model
from atsumi.model.scope import Field


@dataclass(frozen=True, slots=True)
class Absences:
    """Why a tool does not offer what a connector's ``coverage`` does not list, for people to read.

    ``everywhere`` is by field, for all models that have no reason of their own. ``inferred`` tells, of every field that
    ``coverage`` calls inferred, what it is read out of.
    """

    models: Mapping[Model, str] = field(default_factory=dict)
    fields: Mapping[Field, str] = field(default_factory=dict)
    everywhere: Mapping[str, str] = field(default_factory=dict)
    inferred: Mapping[Field, str] = field(default_factory=dict)

    def of_field(self, model: Model, name: str) -> str | None:
        """The reason for one field of a model that is offered."""
        return self.fields.get((model, name)) or self.everywhere.get(name)
