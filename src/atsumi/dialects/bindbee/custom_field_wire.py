"""What custom fields look like on the wire (Bindbee OpenAPI document 0.1.0, ``/api/v1/custom-fields``)."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

import msgspec

from atsumi.dialects.bindbee.wire import Id, Instant

Source = Literal["DASHBOARD", "API"]
ValueType = Literal["string", "number", "boolean", "object", "array", "null"]
RawDataSource = Literal["connector_sync", "integration_sample", "inline"]


class CustomField(msgspec.Struct, kw_only=True):
    """A custom field."""

    id: Id
    name: str
    description: str | None
    category: str
    model: str
    source: Source
    created_at: Instant
    updated_at: Instant | None


class CustomFieldMapping(msgspec.Struct, kw_only=True):
    """Where a field takes its value from, for a tool or for a connector."""

    id: Id
    custom_field_id: Id
    integration_slug: str | None
    connector_token: str | None
    json_path: str
    created_at: Instant
    updated_at: Instant | None


class CustomFieldMappingCounts(msgspec.Struct, kw_only=True):
    total: int
    organization: int
    connector: int


class CustomFieldDetail(CustomField, kw_only=True):
    mappings: list[CustomFieldMapping]
    mapping_counts: CustomFieldMappingCounts


class EffectiveCustomField(msgspec.Struct, kw_only=True):
    """A field with the mapping that counts for one connector, if it has any."""

    custom_field_id: Id
    name: str
    description: str | None
    category: str
    model: str
    json_path: str | None
    source: Literal["connector", "organization"] | None
    mapping_id: Id | None


class CustomFieldConfiguration(msgspec.Struct, kw_only=True):
    connector_token: str
    integration_slug: str
    category: str
    model: str
    fields: list[EffectiveCustomField]


class CustomFieldPreview(msgspec.Struct, kw_only=True):
    """What an expression comes to. One that leads nowhere comes to the text that records would show."""

    connector_token: str
    json_path: str
    resolved_value: Any
    resolved_value_type: ValueType
    raw_data_source: RawDataSource


class CreatedId(msgspec.Struct, kw_only=True):
    id: Id
    status: Literal["SUCCESS"] = "SUCCESS"


class NewCustomField(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str
    category: str
    model: str
    description: str | None = None


class CustomFieldChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is missing stays. ``category`` and ``model`` may change only while the field has no mapping."""

    name: str | msgspec.UnsetType | None = msgspec.UNSET
    description: str | msgspec.UnsetType | None = msgspec.UNSET
    category: str | msgspec.UnsetType | None = msgspec.UNSET
    model: str | msgspec.UnsetType | None = msgspec.UNSET


class NewCustomFieldMapping(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Exactly one of ``integration_slug`` and ``connector_token`` is given."""

    custom_field_id: UUID
    json_path: str
    integration_slug: str | None = None
    connector_token: str | None = None


class CustomFieldMappingChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    json_path: str


class CustomFieldPreviewRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``raw_data`` is looked at instead of what is stored, if it is given."""

    connector_token: str
    category: str
    model: str
    json_path: str
    raw_data: dict[str, Any] | None = None
