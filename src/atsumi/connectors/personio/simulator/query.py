"""What the query of a v2 list says: limits, cursors, filters (Personio NOTES sections 6, 11 and 12). No HTTP."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.datastructures import QueryParams

from atsumi.connectors.personio.simulator.changes import instant_of
from atsumi.connectors.personio.simulator.problems import FILTER_INVALID, PARAMETERS_INVALID
from atsumi.connectors.personio.simulator.records import Person
from atsumi.connectors.personio.simulator.switches import Switches

_PAGING = frozenset({"limit", "cursor"})
_UPDATED = frozenset({"updated_at.gt", "updated_at.lt"})
_DATES = frozenset(f"{field}{operator}" for field in ("created_at", "updated_at") for operator in ("", ".gt", ".lt"))

KNOWN_PARAMETERS: dict[str, frozenset[str]] = {
    "/v2/recruiting/applications": _PAGING | _UPDATED | {"candidate.email"},
    "/v2/recruiting/candidates": _PAGING | _UPDATED | {"email"},
    "/v2/recruiting/jobs": _PAGING | _UPDATED,
    "/v2/persons": _PAGING | _DATES | {"id", "email", "first_name", "last_name", "preferred_name", "status"},
    "/v2/document-management/documents": _PAGING | {"owner_id", "category_id", "created_at.gte", "created_at.lt"},
}
"""The documented query parameters per route; every other route has none."""


class Refused(Exception):
    """A request parameter is wrong; `detail` goes into the 400."""

    def __init__(self, detail: str = PARAMETERS_INVALID) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True)
class Bounds:
    """Which part of a list is asked for; instants in milliseconds, all exclusive."""

    limit: int
    before: int | None
    newer_than: int | None
    older_than: int | None


def refuse_unknown(query: QueryParams, endpoint: str) -> None:
    """Raise Refused if the query names a parameter that the route does not document."""
    if not set(query) <= KNOWN_PARAMETERS.get(endpoint, frozenset()):
        raise Refused


def bounds_from(query: QueryParams, kind: str, switches: Switches) -> Bounds:
    """Return what a recruiting list is asked for; `kind` tells the cursors of lists apart. Raises Refused."""
    filters = [name for name, _ in query.multi_items() if name in ("updated_at.gt", "updated_at.lt")]
    if switches.unknown_operator == "refused" and any(
        name.startswith("updated_at") and name not in ("updated_at.gt", "updated_at.lt") for name in query
    ):
        raise Refused(FILTER_INVALID)
    if filters and switches.updated_filter_refused:
        raise Refused(FILTER_INVALID)
    if len(set(filters)) > 1:
        if switches.both_updated_filters == "refused":
            raise Refused
        filters = filters[-1:]
    instants = {name: instant_from(query[name]) for name in filters}
    return Bounds(
        limit=limit_from(query.get("limit"), default=100, maximum=200),
        before=position_from(query.get("cursor"), kind),
        newer_than=instants.get("updated_at.gt"),
        older_than=instants.get("updated_at.lt"),
    )


def person_fits(person: Person, filters: Iterable[tuple[str, str]]) -> bool:
    """Return whether all filters hold. Raises Refused for an unknown operator or value; unknown names are ignored."""
    for name, value in filters:
        field, _, operator = name.partition(".")
        if field in ("created_at", "updated_at"):
            wanted, actual = instant_from(value), int(getattr(person, field))
            if operator not in ("", "gt", "lt"):
                raise Refused(FILTER_INVALID)
            if not {"": actual == wanted, "gt": actual > wanted, "lt": actual < wanted}[operator]:
                return False
        elif field in ("id", "email", "first_name", "last_name", "preferred_name", "status") and operator:
            raise Refused(FILTER_INVALID)
        elif field in ("id", "email"):
            wanted_values = {part.strip().casefold() for part in value.split(",")}
            if str(getattr(person, field)).casefold() not in wanted_values:
                return False
        elif field == "status" and value not in ("ACTIVE", "INACTIVE"):
            raise Refused
        elif field in ("first_name", "last_name", "status"):
            if getattr(person, field) != value:
                return False
        elif field == "preferred_name" and f"{person.first_name} {person.last_name}" != value:
            return False
    return True


def within(updated_at: int, bounds: Bounds) -> bool:
    """Return whether a record changed at this instant is in the part asked for."""
    return (
        (bounds.before is None or updated_at < bounds.before)
        and (bounds.newer_than is None or updated_at > bounds.newer_than)
        and (bounds.older_than is None or updated_at < bounds.older_than)
    )


def limit_from(value: str | None, *, default: int, maximum: int) -> int:
    """Return the page size. Raises Refused outside 1 to `maximum`."""
    if value is None:
        return default
    if not (value.isascii() and value.isdecimal()) or not 1 <= int(value) <= maximum:
        raise Refused
    return int(value)


def instant_from(value: str) -> int:
    """Return an ISO 8601 filter value in milliseconds. Raises Refused."""
    try:
        return instant_of(value)
    except ValueError as error:
        raise Refused from error


def cursor_for(kind: str, position: int) -> str:
    """Return the opaque cursor of the place behind a record."""
    return "cur_" + base64.urlsafe_b64encode(f"{kind}:{position}".encode()).decode().rstrip("=")


def position_from(cursor: str | None, kind: str) -> int | None:
    """Return the place that a cursor names. Raises Refused for one that was not made for this list."""
    if cursor is None:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor.removeprefix("cur_") + "===").decode("ascii")
        found, _, position = text.partition(":")
        if found != kind or not cursor.startswith("cur_"):
            raise Refused
        return int(position)
    except (ValueError, binascii.Error) as error:
        raise Refused from error
