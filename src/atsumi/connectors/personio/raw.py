"""The raw streams of this connector, and the observations taken out of what the tool sent.

An *observation* is a raw record of its own for something that the tool shows only inside other records: a stage on an
application, a person in a hiring team. It is a function of that part alone, so reading the same part again changes
nothing, and it stays when the record it was seen in changes: a stage once learned is never forgotten.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from atsumi.connector.contract import Issue, RawKey, RawRecord
from atsumi.connector.reading import as_id, as_list, as_object, encode_stably

CATEGORIES: Final = "categories"
CATEGORY_NAMES: Final = "category_names"
"""Categories again, by lower-case name, for jobs that name their category without an id."""
CATEGORY_STAGES: Final = "category_stages"
"""Stages of categories, by stage."""
BUILTIN_STAGES: Final = "builtin_stages"
"""The five stages that every account has."""
STAGES: Final = "stages"
"""Stages seen on applications and in their moves."""
JOB_STAGES_SEEN: Final = "job_stages_seen"
"""``job:stage`` for stages seen on a job's applications."""
JOBS: Final = "jobs"
JOB_STUBS: Final = "job_stubs"
"""Jobs as applications show them, as long as the job itself was not read."""
DEPARTMENTS: Final = "departments"
OFFICES: Final = "offices"
ROLES: Final = "roles"
PERSONS: Final = "persons"
PERSONS_SEEN: Final = "persons_seen"
"""People that hiring teams of jobs name."""
FORMS: Final = "forms"
QUESTIONS: Final = "questions"
"""Questions seen on application forms."""
CANDIDATES: Final = "candidates"
CANDIDATE_STUBS: Final = "candidate_stubs"
"""Candidates as applications show them, as long as the candidate was not read."""
ANONYMIZED: Final = "anonymized_applications"
"""``candidate:application`` for applications whose person the tool has erased."""
APPLICATIONS: Final = "applications"
TRANSITIONS: Final = "transitions"
"""The recorded moves of an application, a list under its id."""
DOCUMENTS: Final = "documents"
"""The metadata of an application's files, a list under its id."""

QUESTION_PREFIX: Final = "custom_attribute_"
"""Names of controls that are questions; all others are built-in fields (Personio NOTES section 22a, 1)."""

_SYSTEM_KEYS: Final = {
    "unassigned": "Unassigned",
    "rejected": "Rejected",
    "withdrawn": "Withdrawn",
    "offer": "Offer",
    "accepted": "Accepted",
}
"""The built-in stages (Personio NOTES section 8, C), named by us since the tool may send them without a name (L)."""
_NO_KEYS: Final = frozenset({"system", "custom", ""})


def feed(language: str) -> str:
    """The raw stream of the career feed in one language."""
    return f"feed:{language}"


def malformed(stream: str) -> str:
    """The raw stream that keeps what came in ``stream`` but is not a record."""
    return f"malformed:{stream}"


def stage_words(stage: Mapping[str, object]) -> list[str]:
    """``type`` and ``kind`` in lower case; which of them carries the system key is open (section 8, L)."""
    return [(as_id(stage.get(name)) or "").lower() for name in ("type", "kind")]


def stage_key(stage: Mapping[str, object]) -> str | None:
    """The system key of a built-in stage. A stage without an id that uses an unknown word counts as built-in, too."""
    words = stage_words(stage)
    known = next((word for word in words if word in _SYSTEM_KEYS), None)
    if known is not None or as_id(stage.get("id")) is not None:
        return known
    return next((word for word in words if word not in _NO_KEYS), None)


def is_known_key(key: str) -> bool:
    """Whether it is one of the five built-in stages that are documented."""
    return key in _SYSTEM_KEYS


def stage_id(stage: Mapping[str, object]) -> str | None:
    """The remote id of a stage: its own, or ``system:<key>`` for a built-in one (section 8, I)."""
    key = stage_key(stage)
    return f"system:{key}" if key is not None else as_id(stage.get("id"))


def builtin_stages() -> list[RawRecord]:
    """The built-in stages as constant observations."""
    return [
        RawRecord(BUILTIN_STAGES, f"system:{key}", encode_stably({"name": name, "kind": key}))
        for key, name in _SYSTEM_KEYS.items()
    ]


def stage_observation(stream: str, value: object) -> Iterator[RawRecord]:
    """The stage as an observation; nothing for built-in stages (they are constants) and for what is no stage."""
    stage = as_object(value)
    found = stage_id(stage)
    key = stage_key(stage)
    if found is not None and (key is None or not is_known_key(key)):
        shown = {name: stage.get(name) for name in ("id", "name", "type", "kind")}
        yield RawRecord(stream, found, encode_stably(shown))


def of_transitions(transitions: Iterable[object]) -> list[RawRecord]:
    """The stages that an application's recorded moves teach."""
    return _once(record for item in transitions for record in stage_observation(STAGES, as_object(item).get("stage")))


def of_category(category: Mapping[str, object]) -> Iterator[RawRecord]:
    """A category by name, and its stages."""
    name = as_id(category.get("name"))
    if name is not None:
        yield RawRecord(CATEGORY_NAMES, name.lower(), encode_stably(category))
    for stage in as_list(category.get("stages")):
        yield from stage_observation(CATEGORY_STAGES, stage)


def of_job(job: Mapping[str, object]) -> Iterator[RawRecord]:
    """A job's department, and the people and roles of its hiring team."""
    department = as_object(job.get("department"))
    key = department_id(department)
    if key is not None:
        yield RawRecord(DEPARTMENTS, key, encode_stably({"id": department.get("id"), "name": department.get("name")}))
    for person, role in team(job):
        yield RawRecord(PERSONS_SEEN, person, encode_stably({"id": person}))
        if role is not None:
            yield RawRecord(ROLES, role, encode_stably({"name": role}))


def of_application(application: Mapping[str, object], remote_id: str) -> Iterator[RawRecord]:
    """An application's stage, and its candidate and job as stand-ins for those that cannot be read."""
    candidate, job = as_object(application.get("candidate")), as_object(application.get("job"))
    candidate_id, job_id = as_id(candidate.get("id")), as_id(job.get("id"))
    is_anonymized = application.get("is_anonymized") is True
    if candidate_id is not None:
        shown = {"id": candidate_id, "is_anonymized": True} if is_anonymized else dict(candidate)
        unless = RawKey(CANDIDATES, candidate_id)
        yield RawRecord(CANDIDATE_STUBS, candidate_id, encode_stably(shown), unless)
        if is_anonymized:
            yield RawRecord(ANONYMIZED, f"{candidate_id}:{remote_id}", encode_stably({"id": remote_id}))
    if job_id is not None:
        yield RawRecord(JOB_STUBS, job_id, encode_stably(job), RawKey(JOBS, job_id))
    stage = as_object(application.get("current_stage"))
    yield from stage_observation(STAGES, stage)
    found = stage_id(stage)
    if job_id is not None and found is not None:
        yield RawRecord(JOB_STAGES_SEEN, f"{job_id}:{found}", encode_stably({"job": job_id, "stage": found}))


def of_form(form: Mapping[str, object]) -> Iterator[RawRecord]:
    """The questions of an application form, without what belongs to the job alone (whether an answer is required)."""
    for item in as_list(form.get("controls")):
        control = dict(as_object(item))
        name = as_id(control.get("name"))
        control.pop("is_required", None)
        if name is not None and name.startswith(QUESTION_PREFIX):
            yield RawRecord(QUESTIONS, name, encode_stably(control))


def department_id(department: Mapping[str, object]) -> str | None:
    """The department's id, or its name where it has none."""
    name = as_id(department.get("name"))
    return as_id(department.get("id")) or (f"name:{name}" if name else None)


def team(job: Mapping[str, object]) -> list[tuple[str, str | None]]:
    """Person and role of each hiring-team entry, each pair once (section 7, C).

    A role has no id, so its label, with single blanks, is its id.
    """
    found: dict[tuple[str, str | None], None] = {}
    for item in as_list(job.get("hiring_team")):
        entry = as_object(item)
        person = as_id(as_object(entry.get("person")).get("id"))
        label = as_id(as_object(entry.get("role")).get("name"))
        if person is not None:
            found[(person, " ".join(label.split()) if label else None)] = None
    return list(found)


class PageBuilder:
    """Collects a page's records, each address once (the last one stays), and what was odd."""

    def __init__(self) -> None:
        self._records: dict[RawKey, RawRecord] = {}
        self.issues: list[Issue] = []

    def add(self, records: Iterable[RawRecord]) -> None:
        for record in records:
            self._records[RawKey(record.stream, record.remote_id)] = record

    def add_malformed(self, stream: str, data: bytes, field: str = "id") -> None:
        """Keep what is not a record under the digest of its bytes, and count it."""
        digest = hashlib.blake2b(data, digest_size=16).hexdigest()
        self.add([RawRecord(malformed(stream), digest, data)])
        self.issues.append(Issue("malformed_record", stream, digest, field))

    def records(self) -> list[RawRecord]:
        return list(self._records.values())


def _once(records: Iterable[RawRecord]) -> list[RawRecord]:
    page = PageBuilder()
    page.add(records)
    return page.records()
