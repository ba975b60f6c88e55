"""What a tool can do, as ``/tools/{category}`` and ``/integrations/{id}`` tell it.

All of it is derived from what the connector declares, so nothing can be claimed without code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from atsumi.connector.writing import WriteAction
from atsumi.dialects.kombo.fields import FIELDS, Always, Source
from atsumi.dialects.kombo.lists import LISTS, ListSpec
from atsumi.model.actions import Action
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


WRITE_ACTIONS: Mapping[Action, str] = {
    Action.CREATE_APPLICATION: "Create application",
    Action.CREATE_CANDIDATE: "Create candidate",
    Action.ADD_APPLICATION_ATTACHMENT: "Add attachment to application",
    Action.ADD_CANDIDATE_ATTACHMENT: "Add attachment to candidate",
    Action.SET_APPLICATION_STAGE: "Set application stage",
    Action.REJECT_APPLICATION: "Reject application",
    Action.ADD_APPLICATION_NOTE: "Add note to application",
    Action.ADD_APPLICATION_RESULT_LINK: "Add result link to application",
    Action.ADD_CANDIDATE_RESULT_LINK: "Add result link to candidate",
    Action.ADD_CANDIDATE_TAG: "Add tag to candidate",
    Action.REMOVE_CANDIDATE_TAG: "Remove tag from candidate",
}
"""The contract's actions. The first four ids, ``ats_`` and the action, are the vendor's (Kombo OpenAPI document, May
2026, ``/ats/actions``). UNVERIFIED: the others are made in the same pattern; the stored documents name none.
"""

_CREATE_INPUTS: Mapping[str, str] = {
    "candidate.first_name": "first_name",
    "candidate.last_name": "last_name",
    "candidate.email_address": "email_address",
    "candidate.additional_email_addresses": "additional_email_addresses",
    "candidate.company": "company",
    "candidate.title": "title",
    "candidate.phone_number": "phone_number",
    "candidate.additional_phone_numbers": "additional_phone_numbers",
    "candidate.location.city": "location.city",
    "candidate.location.country": "location.country",
    "candidate.location.state": "location.state",
    "candidate.location.street_1": "location.street_1",
    "candidate.location.zip_code": "location.zip_code",
    "candidate.gender": "gender",
    "candidate.availability_date": "available_from",
    "candidate.salary_expectations.period": "salary_expectation",
    "candidate.salary_expectations.amount": "salary_expectation",
    "candidate.social_links.url": "social_links",
    "application.job_id": "job",
    "application.stage_id": "stage",
    "screening_question_answers.question_id": "answers",
    "screening_question_answers.answer": "answers",
    "attachments.name": "files",
    "attachments.content_type": "files",
    "attachments.data_url": "files",
    "attachments.data": "files",
    "attachments.type": "files",
    "source.name": "source",
    "source.unified_key": "source",
    "source.id": "source",
    "sourced_by.user_id": "credited_to",
    "gdpr_consent.given": "gdpr_consent",
    "gdpr_consent.expires_at": "gdpr_consent",
    "remote_fields": "remote_fields",
}
"""The inputs of the two creating actions, as the vendor's pages of tools name them, and the draft's fields."""

Ability = Callable[[Action], WriteAction | None]
"""How a tool does an action, if it can."""

Fields = Callable[[Model], Mapping[str, str]]
"""A tool's canonical fields by model, as :meth:`atsumi.dialects.services.Services.supported_fields` gives them."""


def model_id(list_name: str) -> str:
    """What the contract calls the model of a list."""
    return f"ats_{list_name.replace('-', '_')}"


def tool_coverage(fields: Fields, ability: Ability) -> Coverage:
    """Coverage of one tool."""
    return Coverage(
        read_models=[_read_model(spec, fields) for spec in LISTS],
        write_actions=[_write_action(action, ability) for action in WRITE_ACTIONS],
        features=[],
    )


def read_scope(fields: Fields, scope: Scope) -> list[ModelScope]:
    """Read models of one integration, with what its scope and its customer say of each."""
    return [_read_scope(spec, _read_model(spec, fields), scope) for spec in LISTS]


def write_scope(scope: Scope, ability: Ability) -> list[ModelScope]:
    """Write actions of one integration."""
    return [_write_scope(action, _write_action(action, ability), scope) for action in WRITE_ACTIONS]


def _write_action(action: Action, ability: Ability) -> ModelCoverage:
    able = ability(action)
    inputs = _CREATE_INPUTS if able is not None and action in _CREATING else {}
    taken = able.inputs if able is not None else {}
    return ModelCoverage(
        id=f"ats_{action}",
        label=WRITE_ACTIONS[action],
        coverage_status="SUPPORTED" if able is not None else "UNSUPPORTED",
        fields=[
            FieldCoverage(id=id, coverage_status="SUPPORTED" if path in taken else "UNSUPPORTED")
            for id, path in inputs.items()
        ],
    )


_CREATING = (Action.CREATE_APPLICATION, Action.CREATE_CANDIDATE)


def _write_scope(action: Action, covered: ModelCoverage, scope: Scope) -> ModelScope:
    """An action is in scope with all of its inputs or not at all."""
    is_in = not scope.is_left_out(action)
    fields = [
        FieldScope(
            id=field.id,
            is_available=is_in and field.coverage_status == "SUPPORTED",
            coverage_status=field.coverage_status,
            scope_config_setting=scope.setting(action).value,
            opted_out_by_customer=scope.is_declined(action),
        )
        for field in covered.fields
    ]
    return _scope(covered, scope, action, fields)


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
