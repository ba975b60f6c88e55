"""Examples of what Personio says about a record, for looking at fields before anything was read. Nobody's data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

import msgspec

from atsumi.model.names import Model

_FIXTURES = {
    Model.CANDIDATE: "list_candidates.json",
    Model.APPLICATION: "list_applications.json",
    Model.JOB: "list_jobs.json",
    Model.USER: "list_persons.json",
}
"""Invented answers of the tool, of which the first record is the example."""


@lru_cache
def sample(model: Model) -> Mapping[str, object] | None:
    """The raw document of an example; ``None`` for models whose records come in pieces. Treat it as read-only."""
    name = _FIXTURES.get(model)
    if name is None:
        return None
    answer = msgspec.json.decode((files(__package__) / "fixtures" / name).read_bytes())
    first: Mapping[str, object] = answer["_data"][0]
    return first
