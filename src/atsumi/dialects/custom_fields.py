"""What a dialect may ask of the product about custom fields and the fields of a tool. The server implements it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Protocol
from uuid import UUID

from atsumi.model.names import Model
from atsumi.store.custom_fields import CustomField, CustomFieldMapping
from atsumi.store.integration_fields import FieldRow

Origin = Literal["API", "OPERATOR"]


class Addressed(Protocol):
    """What has to be known of an integration: dialects hold more of it, as does the store."""

    @property
    def number(self) -> int: ...

    @property
    def tool(self) -> str: ...

    @property
    def config(self) -> Mapping[str, str]: ...


class DocumentSource(StrEnum):
    """Where a raw document to look at comes from."""

    RECORD = "record"
    """The newest record of the integration."""
    SAMPLE = "sample"
    """The connector's example, which is nobody's data."""


@dataclass(frozen=True, slots=True)
class Where:
    """The scope of a mapping: all integrations of a tool, or one integration. Exactly one is set."""

    tool: str | None = None
    integration: Addressed | None = None


@dataclass(frozen=True, slots=True)
class EffectiveField:
    """A custom field, and the mapping that counts for one integration, if it has any."""

    field: CustomField
    mapping: CustomFieldMapping | None


class CustomFieldServices(Protocol):
    """Custom fields of an environment, their mappings, and the fields that a tool has.

    Every change also makes the records of the integrations concerned be computed anew, without the tool. Whatever
    belongs to another environment does not exist (``NotFound``). Every method is safe to call concurrently.
    """

    async def define(
        self,
        environment_id: UUID,
        model: Model,
        name: str,
        *,
        label: str | None = None,
        description: str | None = None,
        origin: Origin = "API",
    ) -> CustomField:
        """Add a field. Raises ``Conflict`` for a name that the model has, ``InvalidInput`` for one that is none."""
        ...

    async def field(self, environment_id: UUID, id: UUID) -> CustomField:
        """One field. Raises ``NotFound``."""
        ...

    async def fields(
        self,
        environment_id: UUID,
        *,
        models: Sequence[Model] = tuple(Model),
        origin: Origin | None = None,
        after: UUID | None = None,
        limit: int,
    ) -> Sequence[CustomField]:
        """Fields behind the one with the id ``after``, by model and name. Raises ``NotFound`` if that has gone."""
        ...

    async def change(self, environment_id: UUID, id: UUID, changes: Mapping[str, Any]) -> CustomField:
        """Set ``name``, ``label``, ``description`` or ``model`` (a :class:`Model`).

        What changes nothing leaves ``updated_at``. The model may change only while the field is mapped nowhere.
        Raises as :meth:`define`, and ``NotFound``.
        """
        ...

    async def delete(self, environment_id: UUID, id: UUID) -> None:
        """Delete a field with its mappings. Raises ``NotFound``."""
        ...

    async def mappings(
        self, environment_id: UUID, *, field: UUID | None = None, where: Where | None = None
    ) -> Sequence[CustomFieldMapping]:
        """The mappings of a field, or of a scope, the oldest first."""
        ...

    async def map(
        self,
        environment_id: UUID,
        id: UUID,
        where: Where,
        *,
        path: str | None = None,
        integration_field: UUID | None = None,
        replaces: bool = True,
    ) -> CustomFieldMapping:
        """Say where a field takes its value from: a JMESPath, or a field of the integration of the same model.

        Raises ``NotFound``, ``InvalidInput`` for what is no path or no field of it and for a model whose records have
        no raw data in the tool, and ``Conflict`` if the field is mapped in this scope and the new mapping does not
        replace that.
        """
        ...

    async def mapping(self, environment_id: UUID, id: UUID) -> CustomFieldMapping:
        """One mapping. Raises ``NotFound``."""
        ...

    async def change_mapping(self, environment_id: UUID, id: UUID, path: str) -> CustomFieldMapping:
        """Give a mapping another path. Raises ``NotFound`` and ``InvalidInput``."""
        ...

    async def unmap(self, environment_id: UUID, id: UUID) -> None:
        """Delete a mapping by its own id. Raises ``NotFound``."""
        ...

    async def connector_tokens(self, mappings: Sequence[CustomFieldMapping]) -> Mapping[int, str]:
        """The connector tokens of the integrations that these mappings are for, by the store's key. Secret."""
        ...

    async def effective(self, integration: Addressed, fields: Sequence[CustomField]) -> Sequence[EffectiveField]:
        """These fields with the mappings that count for an integration, in the same order."""
        ...

    async def tool_fields(
        self, integration: Addressed, *, models: Sequence[Model], after: UUID | None = None, limit: int
    ) -> Sequence[FieldRow]:
        """The tool's fields behind the one with the id ``after``, by model and path. Raises ``NotFound``."""
        ...

    async def tool_field(self, integration: Addressed, id: UUID) -> FieldRow:
        """One field of the tool. Raises ``NotFound``."""
        ...

    async def set_passthrough(self, integration: Addressed, id: UUID, is_on: bool) -> FieldRow:
        """Choose whether a field of the tool is handed on with the records. Raises ``NotFound``."""
        ...

    async def raw_document(
        self, integration: Addressed, model: Model
    ) -> tuple[Mapping[str, object] | None, DocumentSource]:
        """The raw document of the newest record of a model, else the connector's sample, if it has one."""
        ...

    def has_raw_documents(self, tool: str, model: Model) -> bool:
        """Whether a tool's records of a model have raw data, so that fields can be mapped."""
        ...

    def sample(self, tool: str, model: Model) -> Mapping[str, object] | None:
        """The connector's example of a model's raw document. Raises ``NotFound`` for an unknown tool."""
        ...
