"""Another source for a unified field than the connector's own, chosen per integration.

A rule names sources in order; the first that gives a value which fits wins, then the default. ``built-in`` is what
the connector computes. A value that does not fit the field is counted as an issue and the next source is tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, get_type_hints

import msgspec

from atsumi.connector.contract import Derivation, Issue
from atsumi.connector.reading import Reader, as_text
from atsumi.errors import InvalidInput
from atsumi.model.catalog import MODELS, STRUCTS
from atsumi.model.names import Model
from atsumi.model.parts import EmailAddress, Location, PhoneNumber, SocialMedia
from atsumi.model.record import Record
from atsumi.model.scope import Field, check_name, indispensable
from atsumi.store.shaping import MappingRow
from atsumi.sync.paths import Path, PathError, compile_path, evaluate

BUILT_IN = "built-in"
"""The source that stands for what the connector computes. It is no JMESPath expression."""
_MOST_SOURCES = 10

_TEXT_MEANS: Mapping[type, str] = {
    Location: "raw",
    EmailAddress: "email_address",
    PhoneNumber: "phone_number",
    SocialMedia: "link",
}
"""The key that a plain text stands for where an object is wanted."""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where the value of one field comes from.

    ``sources`` are JMESPath expressions over the raw document, or ``built-in``. ``words`` translates a tool's word,
    whatever its case; one that is not named stays as it is, if the field takes it. ``date_format`` is Python's
    ``strptime`` format, for fields that hold an instant; without it ISO 8601 is read. A time without offset is UTC.
    """

    sources: list[str]
    words: dict[str, Any] = {}
    default: Any = None
    date_format: str | None = None


class CompiledRule:
    """A rule ready to be applied. Raises :class:`InvalidInput`, with the part to blame as path."""

    def __init__(self, model: Model, field: str, rule: Rule) -> None:
        self.model, self.field, self.rule = model, field, rule
        self._type = _type_of(model, field)
        self._words = {word.casefold(): value for word, value in rule.words.items()}
        if not 1 <= len(rule.sources) <= _MOST_SOURCES:
            raise InvalidInput(f"Give 1 to {_MOST_SOURCES} sources.", path="sources")
        self._sources = [
            None if text == BUILT_IN else _compiled(text, f"sources[{place}]")
            for place, text in enumerate(rule.sources)
        ]
        if rule.date_format is not None and not self._is_instant:
            raise InvalidInput(f"{model}.{field} holds no instant.", path="date_format")
        for word, value in rule.words.items():
            self._check(value, f"words.{word}")
        if rule.default is not None:
            self._check(rule.default, "default")

    @property
    def _is_instant(self) -> bool:
        return bool(self._type == datetime | None)

    def apply(self, record: Record, document: Mapping[str, object], report: Any) -> Record:
        """The record with the field set by the rule; see :data:`atsumi.sync.shaping.Step`."""
        if record.model is not self.model:
            return record
        own = getattr(record, self.field)
        return msgspec.structs.replace(record, **{self.field: self._value(own, record, document, report)})

    def _value(self, own: Any, record: Record, document: Mapping[str, object], report: Any) -> Any:
        for source in self._sources:
            if source is None:
                if own not in (None, [], ""):
                    return own
                continue
            try:
                found = evaluate(source, document)
                fitted = self._fitted(found)
            except (PathError, msgspec.ValidationError, ValueError, OverflowError):
                report(Issue("field_mapping_mismatch", self.model.value, record.remote_id, self.field))
                continue
            if fitted not in (None, [], ""):
                return fitted
        return self._fitted(self.rule.default) if self.rule.default is not None else self._empty

    @property
    def _empty(self) -> Any:
        return [] if self._is_list else None

    @property
    def _is_list(self) -> bool:
        return getattr(self._type, "__origin__", None) is list

    def _check(self, value: Any, path: str) -> None:
        try:
            fitted = self._fitted(value, is_translated=False)
        except (msgspec.ValidationError, ValueError, OverflowError):
            fitted = None
        if fitted is None:
            raise InvalidInput(f"The value does not fit {self.model}.{self.field}.", path=path)

    def _fitted(self, value: Any, *, is_translated: bool = True) -> Any:
        """The value as the field's type. Raises ``ValidationError`` or ``ValueError`` for one that does not fit."""
        if value is None:
            return None
        if self._is_list:
            inner = self._type.__args__[0]
            return [self._one(item, inner, is_translated) for item in (value if isinstance(value, list) else [value])]
        return self._one(value, self._type, is_translated)

    def _one(self, value: Any, wanted: Any, is_translated: bool) -> Any:
        text = as_text(value)
        if is_translated and text is not None and text.casefold() in self._words:
            value = self._words[text.casefold()]
        if self._is_instant:
            return self._instant(value)
        if wanted in (str, str | None):
            text = as_text(value)
            if text is None and value not in (None, ""):
                raise ValueError("not a text")
            return text
        struct = next((one for one in _TEXT_MEANS if wanted in (one, one | None)), None)
        if struct is not None and isinstance(value, str):
            value = {_TEXT_MEANS[struct]: value}
        if wanted == float | None:
            reader = Reader("", "")
            number = reader.number(value, "")
            if reader.issues:
                raise ValueError("not a number")
            return number
        return msgspec.convert(value, wanted, strict=False)

    def _instant(self, value: Any) -> datetime | None:
        if self.rule.date_format is not None and isinstance(value, str):
            parsed = datetime.strptime(value, self.rule.date_format)  # noqa: DTZ007 (the next line makes it aware)
            return parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone(UTC)
        reader = Reader("", "")
        found = reader.instant(value, "")
        if reader.issues:
            raise ValueError("no instant")
        return found


def checked_rule(name: str, given: object, derivations: Sequence[Derivation]) -> tuple[Model, str, Rule]:
    """A rule for a field (``<model>.<field>``) as an operator writes it.

    Raises :class:`InvalidInput`, with the part to blame as path, for a name, path, word or value that cannot be.
    """
    check_name(name)
    model_name, _, field = name.partition(".")
    if model_name not in list(Model) or not field:
        raise InvalidInput(f"{name}: this is no field of a model.", path=name)
    model = Model(model_name)
    if field in indispensable(model) | {"custom_fields"}:
        raise InvalidInput(f"{name}: this field has no other source.", path=name)
    try:
        rule = msgspec.convert(given, Rule)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{name}: {error}", path=name) from None
    is_derived = any(one.model is model and field in one.fields for one in derivations)
    if is_derived and BUILT_IN in rule.sources:
        raise InvalidInput(f"{name} follows from other records, so built-in is no source here.", path="sources")
    CompiledRule(model, field, rule)
    return model, field, rule


def compile_rules(rows: Iterable[MappingRow]) -> list[CompiledRule]:
    """The stored rules of one integration."""
    return [CompiledRule(MODELS[row.model], row.field, msgspec.json.decode(row.rule, type=Rule)) for row in rows]


def replaced_fields(rules: Iterable[CompiledRule]) -> frozenset[Field]:
    """The fields whose source is not the connector's."""
    return frozenset((rule.model, rule.field) for rule in rules)


def _compiled(text: str, path: str) -> Path:
    try:
        return compile_path(text)
    except InvalidInput as error:
        raise InvalidInput(f"{error}", path=path) from None


def _type_of(model: Model, field: str) -> Any:
    hints = get_type_hints(STRUCTS[model])
    return hints[field]
