"""What Personio's v2 API sends, by documented field. No field but ``id`` is certain to be there, and none is checked.

Source: Personio NOTES sections 7, 8, 11 and 12, with the marks that stand there.
"""

from __future__ import annotations

from typing import TypedDict


class IdName(TypedDict, total=False):
    """A department, category, company or channel as others name it."""

    id: str
    name: str


Timestamp = TypedDict("Timestamp", {"date-time": str, "timezone": str}, total=False)


class Stage(TypedDict, total=False):
    """Section 8, L: ``id`` and ``name`` are null on built-in stages; ``type`` or ``kind`` names which one it is."""

    id: str | None
    name: str | None
    type: str
    kind: str


class HiringTeamEntry(TypedDict, total=False):
    """Section 7, C."""

    person: dict[str, object]
    role: dict[str, object]


class Job(TypedDict, total=False):
    """Section 7: the eight fields are C, shapes inside ``department``, ``category`` and ``company`` L."""

    id: str
    name: str
    department: IdName | None
    category: IdName | str | None
    company: IdName
    hiring_team: list[HiringTeamEntry]
    created_at: Timestamp
    updated_at: Timestamp


class Category(TypedDict, total=False):
    """Section 7, L."""

    id: str
    name: str
    company: IdName
    stages: list[Stage]


class Candidate(TypedDict, total=False):
    """Section 7, L except ``id``. Timestamps are plain strings here."""

    id: str
    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str | None
    gender: str | None
    location: str | None
    birthday: str | None
    linkedin_profile: str | None
    available_from: str | None
    applications: list[dict[str, str]]
    created_at: str
    updated_at: str


class Application(TypedDict, total=False):
    """Section 7, L except ``id`` and ``hiring_team``."""

    id: str
    application_date: str
    candidate: Candidate
    job: Job
    current_stage: Stage
    channel: IdName | None
    hiring_team: list[HiringTeamEntry]
    is_anonymized: bool
    created_at: Timestamp
    updated_at: Timestamp


class StageTransition(TypedDict, total=False):
    """Section 7, L."""

    entered_at: Timestamp
    stage: Stage


class Document(TypedDict, total=False):
    """Section 11, L."""

    id: str
    name: str
    date: str
    comment: str | None
    category: IdName | None
    owner: IdName
    document_type: str
    size: int
    created_at: str
    virus_scan: dict[str, str]
    esignature: dict[str, str]


class Person(TypedDict, total=False):
    """Section 12, C."""

    id: str
    email: str
    first_name: str
    last_name: str
    status: str
