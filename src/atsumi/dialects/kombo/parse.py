"""From a query string to a query of the store.

What is refused, always as ``InvalidInput`` naming the parameter: unknown parameters (a misspelt filter would silently
return everything), single values given twice or empty, words outside a vocabulary, malformed dates, sizes, booleans
and cursors. What is not: an id that nobody has, well-formed or not, matches nothing; ids are opaque to callers, and
some of them were given out by a service that was used before. A list of values without values matches nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec

from atsumi.dialects.kombo.cursor import read_cursor
from atsumi.dialects.kombo.dialect import DIALECT
from atsumi.dialects.kombo.lists import Filter, Kind, ListSpec
from atsumi.dialects.reading import cut, instant, shown
from atsumi.dialects.services import Integration, Services
from atsumi.errors import InvalidInput
from atsumi.model.ids import from_base58, record_id
from atsumi.model.names import Model
from atsumi.store.reading import Condition, ListQuery, Position

_PAGING = DIALECT.paging
COMMON = (
    _PAGING.cursor_parameter,
    _PAGING.size_parameter,
    "updated_after",
    "include_deleted",
    "ignore_unsupported_filters",
    "ids",
    "remote_ids",
)
"""The parameters that every list takes."""


@dataclass(frozen=True, slots=True)
class ListRequest:
    """A list's parameters, understood but not yet tied to an integration.

    ``ids`` and ``remote_ids`` are ``None`` where they were not given. ``filters`` hold parsed values.
    """

    page_size: int
    cursor: str | None
    updated_after: datetime | None
    include_deleted: bool
    ignore_unsupported_filters: bool
    ids: tuple[str, ...] | None
    remote_ids: tuple[str, ...] | None
    filters: tuple[tuple[Filter, tuple[Any, ...]], ...]

    def digest_text(self) -> bytes:
        """All that a cursor is bound to; the same for two spellings of one request."""
        named = [(filter_.name, values) for filter_, values in self.filters]
        return msgspec.json.encode(
            (
                self.updated_after,
                self.include_deleted,
                self.ignore_unsupported_filters,
                self.ids,
                self.remote_ids,
                named,
            )
        )


def parse(spec: ListSpec, query_string: bytes) -> ListRequest:
    """Read a query string. Raises :class:`InvalidInput`."""
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError as error:
        raise InvalidInput("The query string is not valid percent-encoded UTF-8, or far too long.") from error
    filters = {filter_.name: filter_ for filter_ in spec.filters}
    single: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    for name, text in pairs:
        if "\x00" in text:
            raise InvalidInput(f"`{name}` contains a zero byte.", path=name)
        filter_ = filters.get(name)
        if filter_ is None and name not in COMMON:
            raise _unknown(spec, name)
        if name in ("ids", "remote_ids") or (filter_ and filter_.kind in _LISTS):
            lists.setdefault(name, []).extend(part for part in text.split(",") if part)
        elif name in single:
            raise InvalidInput(f"`{name}` takes one value but was given more than once.", path=name)
        elif text or name == "name_contains":
            single[name] = text
        else:
            raise InvalidInput(f"`{name}` is empty. Leave it out where you do not need it.", path=name)
    chosen: list[tuple[Filter, tuple[Any, ...]]] = []
    for filter_ in spec.filters:
        if filter_.name in lists:
            chosen.append((filter_, _values(filter_, lists[filter_.name])))
        elif single.get(filter_.name):
            chosen.append((filter_, _values(filter_, [single[filter_.name]])))
    return ListRequest(
        page_size=_page_size(single.get(_PAGING.size_parameter)),
        cursor=single.get(_PAGING.cursor_parameter),
        updated_after=instant("updated_after", single["updated_after"]) if "updated_after" in single else None,
        include_deleted=_boolean("include_deleted", single),
        ignore_unsupported_filters=_boolean("ignore_unsupported_filters", single),
        ids=tuple(lists["ids"]) if "ids" in lists else None,
        remote_ids=tuple(lists["remote_ids"]) if "remote_ids" in lists else None,
        filters=tuple(chosen),
    )


def list_query(
    spec: ListSpec, request: ListRequest, digest_text: bytes, integration: Integration, services: Services
) -> ListQuery | None:
    """The store's query, or ``None`` when nothing can match.

    That is so for a model that the tool does not have (an empty list is a valid answer of the contract, and a
    consumer that reads all lists of all its integrations need not know which tool lacks what), and for a filter on a
    field that the connector cannot fill, unless such filters are to be ignored.
    Raises :class:`InvalidInput` for a cursor that does not belong here.
    """
    after = None
    if request.cursor is not None:
        key = services.cursor_key
        after = read_cursor(key, integration.public_id, spec.name, digest_text, request.cursor)
    if not services.supported_fields(integration.tool, spec.model):
        return None
    conditions: list[Condition] = []
    for filter_, values in request.filters:
        if _is_supported(filter_, integration.tool, services):
            conditions.append(_condition(filter_, values, integration.public_id))
        elif not request.ignore_unsupported_filters:
            return None
    return _query(spec.model, request, after, conditions, integration)


def _query(
    model: Model,
    request: ListRequest,
    after: Position | None,
    conditions: list[Condition],
    integration: Integration,
) -> ListQuery:
    ids: list[UUID] | None = None
    if request.ids is not None:
        ids = _known(request.ids)
    if request.remote_ids is not None:
        named = [record_id(integration.public_id, model, remote_id) for remote_id in request.remote_ids]
        known = None if ids is None else set(ids)
        ids = named if known is None else [id for id in named if id in known]
    return ListQuery(
        model=model,
        page_size=request.page_size,
        after=after,
        updated_after=request.updated_after,
        include_deleted=request.include_deleted,
        ids=ids,
        conditions=tuple(conditions),
        with_remote_ids=integration.remote_data_enabled,
    )


def _condition(filter_: Filter, values: tuple[Any, ...], integration: UUID) -> Condition:
    found: list[Any] = list(values)
    if filter_.kind is Kind.IDS:
        found = _known(values)
    elif filter_.kind is Kind.REMOTE_IDS and filter_.target is not None:
        found = [record_id(integration, filter_.target, remote_id) for remote_id in values]
    return Condition(filter_.operator, filter_.field, found, child=filter_.child, via=filter_.via)


def _is_supported(filter_: Filter, tool: str, services: Services) -> bool:
    return all(field in services.supported_fields(tool, model) for model, field in filter_.needs)


def _known(spelled: tuple[str, ...]) -> list[UUID]:
    return [id for id in map(from_base58, spelled) if id is not None]


_LISTS = frozenset({Kind.TEXTS, Kind.IDS, Kind.REMOTE_IDS, Kind.WORDS})


def _values(filter_: Filter, texts: list[str]) -> tuple[Any, ...]:
    match filter_.kind:
        case Kind.WORD | Kind.WORDS:
            return tuple(value for text in texts for value in _word(filter_, text.strip()))
        case Kind.INSTANT:
            return tuple(instant(filter_.name, text) for text in texts)
        case _:
            return tuple(texts)


def _word(filter_: Filter, text: str) -> tuple[str, ...]:
    found = filter_.words.get(text)
    if found is None:
        allowed = ", ".join(filter_.words)
        raise InvalidInput(f"`{filter_.name}` does not know {shown(text)}. Allowed: {allowed}.", path=filter_.name)
    return found


def _page_size(text: str | None) -> int:
    if text is None:
        return _PAGING.default_size
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= _PAGING.maximum_size):
        raise InvalidInput(
            f"`page_size` must be a whole number from 1 to {_PAGING.maximum_size}, not {shown(text)}.",
            path=_PAGING.size_parameter,
        )
    return int(text)


_BOOLEANS: Mapping[str, bool] = {"true": True, "false": False}


def _boolean(name: str, single: Mapping[str, str]) -> bool:
    text = single.get(name)
    if text is None:
        return False
    value = _BOOLEANS.get(text.lower())
    if value is None:
        raise InvalidInput(f"`{name}` must be `true` or `false`, not {shown(text)}.", path=name)
    return value


def _unknown(spec: ListSpec, name: str) -> InvalidInput:
    known = [*COMMON, *(filter_.name for filter_ in spec.filters)]
    near = get_close_matches(name, known, n=1)
    hint = f" Did you mean `{near[0]}`?" if near else f" It knows: {', '.join(known)}."
    return InvalidInput(f"`{spec.path}` has no parameter {shown(name)}.{hint}", path=cut(name))
