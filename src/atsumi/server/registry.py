"""The only place that knows every connector and every dialect."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import entry_points

from atsumi.connector.contract import Connector
from atsumi.dialects.bindbee.projection import projection as bindbee
from atsumi.dialects.bindbee.spelling import SPELLING as BINDBEE_SPELLING
from atsumi.dialects.kombo.projection import projection as kombo
from atsumi.dialects.kombo.spelling import SPELLING as KOMBO_SPELLING
from atsumi.dialects.spelling import Spelling
from atsumi.errors import ConfigurationError
from atsumi.sync.projection import Projection

_GROUP = "atsumi.connectors"


def load_connectors() -> Mapping[str, Connector]:
    """All connectors by tool slug: ours and those that other packages offer through the entry point.

    Raises :class:`ConfigurationError` when two claim the same slug or one cannot be loaded.
    """
    found: dict[str, Connector] = {}
    for entry in entry_points(group=_GROUP):
        try:
            connector = entry.load()
        except (ImportError, AttributeError) as error:
            raise ConfigurationError(f"connector {entry.name} ({entry.value}) cannot be loaded: {error}") from error
        if not isinstance(connector, Connector):
            raise ConfigurationError(f"connector {entry.name} ({entry.value}) is not a Connector")
        if connector.manifest.slug in found:
            raise ConfigurationError(f"two connectors call themselves {connector.manifest.slug}")
        found[connector.manifest.slug] = connector
    return found


PROJECTIONS: Mapping[str, Projection] = {one.name: one for one in (kombo, bindbee)}
"""Those of all dialects with documents of their own, by name."""


SPELLINGS: Mapping[str, Spelling] = {one.name: one for one in (KOMBO_SPELLING, BINDBEE_SPELLING)}
"""What the dialects call models and fields, by their names."""


def load_projections(names: Collection[str] = PROJECTIONS.keys()) -> Sequence[Projection]:
    """The projections of the named dialects, whose documents every sync keeps up to date."""
    return tuple(one for name, one in PROJECTIONS.items() if name in names)
