"""What a tool can do, as ``/tools/{category}`` and ``/integrations/{id}`` tell it.

Reading is derived from the connector's own coverage, so nothing can be claimed without code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from atsumi.dialects.kombo.fields import FIELDS, Always, Source
from atsumi.dialects.kombo.lists import LISTS, ListSpec
from atsumi.model.names import Model
from atsumi.model.scope import Scope

CoverageWord = Literal["SUPPORTED", "UNSUPPORTED", "NOT_IMPLEMENTED", "UNKNOWN"]
SettingWord = Literal["ENABLED", "DISABLED", "OPTIONAL"]


class FieldCoverage(msgspec.Struct, kw_only=True):
    id: str
    coverage_status: CoverageWord


class ModelCoverage(msgspec.Struct, kw_only=True):
    """A read model or a write action of a tool."""

    id: str
    label: str
    coverage_status: CoverageWord
    fields: list[FieldCoverage]


class Feature(msgspec.Struct, kw_only=True):
    id: str
    label: str
    coverage_status: CoverageWord


class Coverage(msgspec.Struct, kw_only=True):
    read_models: list[ModelCoverage]
    write_actions: list[ModelCoverage]
    features: list[Feature]


class FieldScope(msgspec.Struct, kw_only=True):
    id: str
    is_available: bool
    coverage_status: CoverageWord
    scope_config_setting: SettingWord
    opted_out_by_customer: bool


class ModelScope(msgspec.Struct, kw_only=True):
    """A read model or a write action of one integration."""

    id: str
    label: str
    is_available: bool
    coverage_status: CoverageWord
    scope_config_setting: SettingWord
    opted_out_by_customer: bool
    fields: list[FieldScope]


WRITE_ACTIONS: Mapping[str, tuple[str, CoverageWord]] = {
    "ats_create_application": ("Create application", "NOT_IMPLEMENTED"),
    "ats_create_candidate": ("Create candidate", "NOT_IMPLEMENTED"),
    "ats_add_application_attachment": ("Add attachment to application", "NOT_IMPLEMENTED"),
    "ats_add_candidate_attachment": ("Add attachment to candidate", "NOT_IMPLEMENTED"),
    "ats_set_application_stage": ("Set application stage", "UNSUPPORTED"),
    "ats_reject_application": ("Reject application", "UNSUPPORTED"),
    "ats_add_application_note": ("Add note to application", "UNSUPPORTED"),
    "ats_add_application_result_link": ("Add result link to application", "UNSUPPORTED"),
    "ats_add_candidate_result_link": ("Add result link to candidate", "UNSUPPORTED"),
    "ats_add_candidate_tag": ("Add tag to candidate", "UNSUPPORTED"),
    "ats_remove_candidate_tag": ("Remove tag from candidate", "UNSUPPORTED"),
}
"""The contract's actions. Connectors declare none yet, so this is one answer for every tool: creating is what
connectors will offer first; the others are offered by none of them.

The first four ids are the vendor's (Kombo OpenAPI document, May 2026, ``/ats/actions``).
UNVERIFIED: the other ids are ours, made in the same pattern; the stored documents name none.
"""

Fields = Callable[[Model], Mapping[str, str]]
"""A tool's canonical fields by model, as :meth:`atsumi.dialects.services.Services.supported_fields` gives them."""


def model_id(list_name: str) -> str:
    """What the contract calls the model of a list."""
    return f"ats_{list_name.replace('-', '_')}"


def tool_coverage(fields: Fields) -> Coverage:
    """Coverage of one tool."""
    return Coverage(
        read_models=[_read_model(spec, fields) for spec in LISTS],
        write_actions=[
            ModelCoverage(id=id, label=label, coverage_status=status, fields=[])
            for id, (label, status) in WRITE_ACTIONS.items()
        ],
        features=[],
    )


def read_scope(fields: Fields, scope: Scope) -> list[ModelScope]:
    """Read models of one integration, with what its scope and its customer say of each."""
    return [_read_scope(spec, _read_model(spec, fields), scope) for spec in LISTS]


def write_scope(scope: Scope) -> list[ModelScope]:
    """Write actions of one integration."""
    return [
        _scope(ModelCoverage(id=id, label=label, coverage_status=status, fields=[]), scope, id.removeprefix("ats_"), [])
        for id, (label, status) in WRITE_ACTIONS.items()
    ]


def _read_model(spec: ListSpec, fields: Fields) -> ModelCoverage:
    own = fields(spec.model)
    return ModelCoverage(
        id=model_id(spec.name),
        label=spec.title,
        coverage_status="SUPPORTED" if own else "UNSUPPORTED",
        fields=[
            FieldCoverage(id=name, coverage_status=_status(source, own, fields))
            for name, source in FIELDS[spec.name].items()
            if source is not Always.OURS
        ],
    )


def _status(source: Source, own: Mapping[str, str], fields: Fields) -> CoverageWord:
    if source is Always.NEVER:
        return "NOT_IMPLEMENTED" if own else "UNSUPPORTED"
    found = source is Always.CHOSEN or (bool(fields(source)) if isinstance(source, Model) else source in own)
    return "SUPPORTED" if own and found else "UNSUPPORTED"


def _read_scope(spec: ListSpec, covered: ModelCoverage, scope: Scope) -> ModelScope:
    fields = []
    for field in covered.fields:
        name, is_in = _in_scope(spec.model, FIELDS[spec.name][field.id], scope)
        fields.append(
            FieldScope(
                id=field.id,
                is_available=field.coverage_status == "SUPPORTED" and scope.has_model(spec.model) and is_in,
                coverage_status=field.coverage_status,
                scope_config_setting=scope.setting(name).value,
                opted_out_by_customer=scope.is_declined(name),
            )
        )
    return _scope(covered, scope, spec.model, fields)


def _in_scope(model: Model, source: Source, scope: Scope) -> tuple[str, bool]:
    """The name of the setting that counts for a wire field, and whether the field is in scope."""
    if isinstance(source, Model):
        return source, scope.has_model(source)
    if isinstance(source, Always):
        return model, scope.has_model(model)
    return f"{model}.{source}", scope.has((model, source))


def _scope(covered: ModelCoverage, scope: Scope, name: str, fields: list[FieldScope]) -> ModelScope:
    return ModelScope(
        id=covered.id,
        label=covered.label,
        is_available=covered.coverage_status == "SUPPORTED" and not scope.is_left_out(name),
        coverage_status=covered.coverage_status,
        scope_config_setting=scope.setting(name).value,
        opted_out_by_customer=scope.is_declined(name),
        fields=fields,
    )
