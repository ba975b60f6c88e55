"""Values of custom fields, and raw fields that are handed on: a step of an integration's shape. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from atsumi.connector.contract import Issue
from atsumi.errors import InvalidInput
from atsumi.model.catalog import MODELS
from atsumi.model.names import Model
from atsumi.model.parts import PassedField
from atsumi.model.record import Record
from atsumi.store.custom_fields import MappedRow, PassedRow
from atsumi.sync.paths import Path, PathError, Resolved, compile_path, resolve

if TYPE_CHECKING:
    from atsumi.sync.shaping import Report, Step

_NOWHERE = Resolved(None, True)


class _Mapped(NamedTuple):
    name: str
    path: Path | None


class _Passed(NamedTuple):
    key: str
    path: Path | None
    is_custom: bool


def custom_field_steps(mapped: Sequence[MappedRow], passed: Sequence[PassedRow]) -> Mapping[Model, Step]:
    """What fills the custom fields of each model and hands its chosen raw fields on.

    A path that leads nowhere, or cannot be evaluated over a record, leaves the field unresolved in this record; the
    latter is reported.
    """
    mapped_by_model: dict[Model, list[_Mapped]] = {}
    for row in mapped:
        mapped_by_model.setdefault(MODELS[row.model], []).append(_Mapped(row.name, _compiled(row.path)))
    passed_by_model: dict[Model, list[_Passed]] = {}
    for one in passed:
        field = _Passed(one.path, _compiled(one.path), one.is_custom)
        passed_by_model.setdefault(MODELS[one.model], []).append(field)
    return {
        model: _step(mapped_by_model.get(model, ()), passed_by_model.get(model, ()))
        for model in mapped_by_model.keys() | passed_by_model.keys()
    }


def _step(mapped: Sequence[_Mapped], passed: Sequence[_Passed]) -> Step:
    def step(record: Record, document: Mapping[str, object], report: Report) -> Record:
        values: dict[str, Any] = {}
        unresolved = []
        for name, path in mapped:
            found = _resolved(name, path, record, document, report)
            if found.is_missing:
                unresolved.append(name)
            else:
                values[name] = found.value
        handed_on = []
        for key, path, is_custom in passed:
            found = _resolved(key, path, record, document, report)
            if not found.is_missing:
                handed_on.append(PassedField(key=key, value=found.value, is_custom=is_custom))
        return msgspec.structs.replace(
            record,
            mapped_fields=values or None,
            unresolved_fields=unresolved,
            passed_fields=handed_on,
        )

    return step


def _resolved(name: str, path: Path | None, record: Record, document: Mapping[str, object], report: Report) -> Resolved:
    if path is None:
        return _NOWHERE
    try:
        return resolve(path, document)
    except PathError as error:
        report(Issue("custom_field", record.model.value, record.remote_id, field=name, detail=str(error)))
        return _NOWHERE


def _compiled(path: str | None) -> Path | None:
    """The path; ``None`` for one whose field has vanished or that this release does not read any more."""
    try:
        return compile_path(path) if path is not None else None
    except InvalidInput:
        return None
