"""From canonical values to wire values: ids, instants and small shared documents. All pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

from atsumi.dialects.bindbee import wire
from atsumi.model import parts
from atsumi.model.ids import record_id
from atsumi.model.names import Model
from atsumi.model.record import Record
from atsumi.sync.projection import Stored


@lru_cache(maxsize=16384)
def _spell(integration: UUID, model: Model, remote_id: str) -> str:
    return str(record_id(integration, model, remote_id))


def reference(stored: Stored[Record], model: Model, remote_id: str | None) -> str | None:
    """The id of a record that this one names, whether or not that record is stored; ``None`` if it names none."""
    return None if remote_id is None else _spell(stored.integration, model, remote_id)


def references(stored: Stored[Record], model: Model, remote_ids: Iterable[str]) -> list[str]:
    """The ids of records that this one names, each once."""
    return list(dict.fromkeys(_spell(stored.integration, model, remote_id) for remote_id in remote_ids))


def job_stage(stored: Stored[Record], job_remote_id: str | None, stage_remote_id: str | None) -> str | None:
    """The id of a stage's place in a job's process, which the canonical model names after the two."""
    if job_remote_id is None or stage_remote_id is None:
        return None
    return reference(stored, Model.JOB_STAGE, f"{job_remote_id}:{stage_remote_id}")


def instant(value: datetime | None) -> str | None:
    """UTC with milliseconds and ``Z``, cut, never rounded up: a reader that polls by it must not skip anything."""
    return None if value is None else f"{value.astimezone(UTC).isoformat(timespec='milliseconds')[:-6]}Z"


def place(location: parts.Location | None) -> str | None:
    """A location in one line: the tool's own text, else what it separates."""
    if location is None:
        return None
    town = " ".join(filter(None, (location.zip_code, location.city)))
    shown = (location.street_1, location.street_2, town, location.state, location.country)
    return location.raw or ", ".join(filter(None, shown)) or None


_URL_TYPES = frozenset({"PERSONAL", "COMPANY", "PORTFOLIO", "BLOG", "OTHER", "JOB_POSTING"})


def profile(entry: parts.SocialMedia) -> wire.AtsUrl:
    """A profile elsewhere. What network it belongs to has no place but the address."""
    return wire.AtsUrl(value=entry.link, url_type=entry.type if entry.type in _URL_TYPES else "SOCIAL_MEDIA")
