"""One request, as the handlers of our own API see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from atsumi.dialects.services import Integration, OwnServices


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
