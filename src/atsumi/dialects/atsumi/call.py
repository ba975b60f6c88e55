"""One request, as the handlers of our own API see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from atsumi.dialects.services import Integration, OwnServices


@dataclass(frozen=True, slots=True)
class Call:
    """One request: its integration, the named parts of its path and the values of its query parameters."""

    services: OwnServices
    integration: Integration
    path: Mapping[str, str]
    query: Mapping[str, Any]
