"""One request, as the handlers of our own API see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from atsumi.dialects.services import Integration, OwnServices
from atsumi.errors import NotFound
from atsumi.model.ids import read_id


@dataclass(frozen=True, slots=True)
class Call:
    """One request: the named parts of its path, the values of its query parameters, and the integration it names."""

    services: OwnServices
    path: Mapping[str, str]
    query: Mapping[str, Any]
    named: Integration | None = None

    @property
    def integration(self) -> Integration:
        """The integration, for operations that are about one; asking elsewhere is a bug."""
        if self.named is None:
            raise LookupError("this operation is not about an integration")
        return self.named

    def id(self, name: str, thing: str) -> UUID:
        """The id of a ``thing`` that stands in the path, in either spelling. Raises :class:`NotFound`."""
        found = read_id(self.path[name])
        if found is None:
            raise NotFound(f"There is no such {thing}.", path=name)
        return found
