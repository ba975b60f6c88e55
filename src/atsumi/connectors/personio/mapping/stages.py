"""Stages, and their place in a job's process (Personio NOTES section 8)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from atsumi.connector.contract import Built, MappingContext, RawKey, RawPrefix, RawView
from atsumi.connector.reading import as_id, as_list, as_object, as_text, decode
from atsumi.connectors.personio import raw
from atsumi.model.enums import StageStatus
from atsumi.model.job_stage import JobStage
from atsumi.model.stage import Stage


def stage_sources(key: str, view: RawView, context: MappingContext) -> Iterable[RawKey | RawPrefix]:
    return (RawKey(raw.BUILTIN_STAGES, key), RawKey(raw.CATEGORY_STAGES, key), RawKey(raw.STAGES, key))


def build_stage(key: str, view: RawView, context: MappingContext) -> Built:
    """One stage. The name from the categories wins over the one learned from applications, which may be older.

    Status: in a category → ACTIVE, formerly in one → INACTIVE, only ever seen on applications → unknown (I).
    """
    builtin = view.get(raw.BUILTIN_STAGES, key)
    of_category, learned = view.get(raw.CATEGORY_STAGES, key), view.get(raw.STAGES, key)
    found = [as_object(decode(data)) for data in (builtin, of_category, learned) if data is not None]
    if not found:
        return Built(())
    name = next((text for stage in found if (text := as_text(stage.get("name")))), None)
    system = key.removeprefix("system:") if key.startswith("system:") else None
    status = None
    if builtin is not None or of_category is not None:
        status = StageStatus.ACTIVE
    elif view.is_gone(raw.CATEGORY_STAGES, key):
        status = StageStatus.INACTIVE
    return Built((Stage(remote_id=key, name=name or (system.capitalize() if system else None), status=status),))


def category_key(job: Mapping[str, object]) -> RawKey | None:
    """Where to find a job's category, which may be an object or a bare name (section 7, shape open)."""
    category = job.get("category")
    number = as_id(as_object(category).get("id"))
    if number is not None:
        return RawKey(raw.CATEGORIES, number)
    name = as_text(category) or as_text(as_object(category).get("name"))
    return RawKey(raw.CATEGORY_NAMES, name.lower()) if name is not None else None


def job_stages(job_id: str, category: Mapping[str, object], seen: Iterable[str]) -> list[JobStage]:
    """The stages of a job: its category's in their order (L), then others in which applications were seen (C).

    ``seen`` are keys ``job:stage``. The latter have no index: the tool gives no order for them.
    """
    ordered = [found for stage in as_list(category.get("stages")) if (found := raw.stage_id(as_object(stage)))]
    indexes: dict[str, int | None] = {}
    for found in ordered:
        indexes.setdefault(found, len(indexes))
    for key in sorted(seen):
        indexes.setdefault(key.removeprefix(f"{job_id}:"), None)
    return [
        JobStage(remote_id=f"{job_id}:{stage}", job_remote_id=job_id, stage_remote_id=stage, index=index)
        for stage, index in indexes.items()
    ]
