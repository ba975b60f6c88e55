"""Where a sync's records go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from atsumi.connector.contract import Connector, MappingContext
from atsumi.sync.projection import Projection
from atsumi.sync.shaping import PLAIN, Shape


@dataclass(frozen=True, slots=True)
class Target:
    """Where pages go: the integration, and what turns its raw records into documents."""

    integration: UUID
    connector: Connector
    context: MappingContext
    projections: Sequence[Projection]
    shape: Shape = PLAIN
    """What the integration's records are made to look like, and what of them is left out."""
