"""Which models, fields and actions are in scope: what may be read, kept and written.

Settings are named ``<model>``, ``<model>.<field>`` or ``<action>``, in the canonical words; what has no setting is
enabled. Nothing here knows a tool.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import msgspec

from atsumi.errors import InvalidInput
from atsumi.model.actions import Action
from atsumi.model.catalog import STRUCTS
from atsumi.model.names import Model
from atsumi.model.record import CONFIGURED

Field = tuple[Model, str]
"""A canonical field: its model and its name."""


class Setting(StrEnum):
    """``OPTIONAL`` is enabled until the customer declines it."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"
    OPTIONAL = "OPTIONAL"


@dataclass(frozen=True, slots=True)
class Scope:
    """What one integration leaves out. ``fields`` are those of models that are in scope.

    A model is left out with the models that it cannot be without, and with the root of its group.
    """

    settings: Mapping[str, Setting]
    opted_out: frozenset[str]
    models: frozenset[Model] = frozenset()
    fields: frozenset[Field] = frozenset()
    actions: frozenset[Action] = frozenset()

    @property
    def is_restricted(self) -> bool:
        """Whether anything that is read is left out."""
        return bool(self.models or self.fields)

    def setting(self, name: str) -> Setting:
        """What is set for a model, field or action."""
        return self.settings.get(name, Setting.ENABLED)

    def is_declined(self, name: str) -> bool:
        """Whether the customer has declined an optional model, field or action."""
        return self.setting(name) is Setting.OPTIONAL and name in self.opted_out

    def is_left_out(self, name: str) -> bool:
        """Whether a model or action, by its name, is out of scope."""
        return name in self.models or name in self.actions

    def has_model(self, model: Model) -> bool:
        return model not in self.models

    def has(self, field: Field) -> bool:
        """Whether the field and its model are in scope."""
        return field[0] not in self.models and field not in self.fields


EVERYTHING = Scope({}, frozenset())


def scope_of(
    settings: Mapping[str, Setting], opted_out: Collection[str], roots: Mapping[Model, Model] | None = None
) -> Scope:
    """The scope that settings and the customer's choice make. ``roots`` names the root model of each group member."""
    declined = frozenset(opted_out)

    def is_out(name: str) -> bool:
        setting = settings.get(name, Setting.ENABLED)
        return setting is Setting.DISABLED or (setting is Setting.OPTIONAL and name in declined)

    models = {model for model in STRUCTS if is_out(model)}
    while more := {model for model in STRUCTS if model not in models and models & _rests_on(model, roots or {})}:
        models |= more
    fields = {
        (model, name)
        for model in STRUCTS
        if model not in models
        for name in fields_of(model)
        if is_out(f"{model}.{name}")
    }
    return Scope(
        settings, declined, frozenset(models), frozenset(fields), frozenset(one for one in Action if is_out(one))
    )


@cache
def indispensable(model: Model) -> frozenset[str]:
    """The fields that cannot be left out as long as the model is in scope: they identify the record or protect it."""
    struct = STRUCTS[model]
    required = {field.name for field in msgspec.structs.fields(struct) if field.required}
    return struct.indispensable | frozenset(required)


@cache
def fields_of(model: Model) -> tuple[str, ...]:
    """The fields of a model that a tool may fill."""
    return tuple(name for name in STRUCTS[model].__struct_fields__ if name not in CONFIGURED)


def checked_settings(given: Mapping[str, object]) -> dict[str, Setting]:
    """Settings by name, in the vocabulary's order.

    Raises :class:`InvalidInput`, with the name as path, for names and words that do not exist and for switching off a
    field that its model cannot be without.
    """
    found = {}
    for name, value in given.items():
        check_name(name)
        try:
            setting = Setting(str(value).upper())
        except ValueError:
            raise InvalidInput(f"{name}: {value} is none of {', '.join(Setting)}.", path=name) from None
        model, _, field = name.partition(".")
        if field and setting is not Setting.ENABLED and field in indispensable(Model(model)):
            raise InvalidInput(
                f"{name}: a {model} cannot be kept without this field. Switch off the model instead.", path=name
            )
        found[name] = setting
    return {name: found[name] for name in _names() if name in found}


def check_name(name: str) -> None:
    """Raise :class:`InvalidInput` with the nearest names unless there is such a model, field or action."""
    if name not in _names():
        raise InvalidInput(f"{name}: there is no such model, field or action{_nearest(name, _names())}", path=name)


@cache
def _names() -> dict[str, None]:
    names: dict[str, None] = {}
    for model in STRUCTS:
        names[model.value] = None
        names.update((f"{model}.{field}", None) for field in fields_of(model))
    names.update((action.value, None) for action in Action)
    return names


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=3)
    return f"; did you mean {' or '.join(near)}?" if near else "."


def _rests_on(model: Model, roots: Mapping[Model, Model]) -> set[Model]:
    struct = STRUCTS[model]
    required = {field.name for field in msgspec.structs.fields(struct) if field.required}
    return {target for field, target in struct.references.items() if field in required} | {roots.get(model, model)}
