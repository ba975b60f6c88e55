"""The things a simulated company consists of. Instants are milliseconds since 1970, days are ordinals."""

from __future__ import annotations

from typing import Any

import msgspec

BUILTIN_KEYS = ("unassigned", "rejected", "withdrawn", "offer", "accepted")
"""The five built-in phases (Personio NOTES section 8)."""

SCOPES = (
    "personio:recruiting:read",
    "personio:persons:read",
    "personio:documents:read",
)
"""What a credential for a full connector holds (Personio NOTES sections 3 and 16)."""


class Stage(msgspec.Struct, frozen=True, gc=False):
    """A pipeline stage: built-in ones have a `key`, the company's own have an `id`."""

    id: int | None
    key: str | None
    name: str

    @property
    def reference(self) -> str:
        """Return what names the stage in the control API: its id as text, or its system key."""
        return self.key if self.key is not None else str(self.id)


BUILTIN_STAGES = {key: Stage(None, key, key.capitalize()) for key in BUILTIN_KEYS}


class Named(msgspec.Struct, frozen=True, gc=False):
    """A department or a recruiting channel."""

    id: int
    name: str


class Person(msgspec.Struct):
    id: int
    first_name: str
    last_name: str
    email: str
    gender: str
    status: str
    employment_id: str
    created_at: int
    updated_at: int


class Category(msgspec.Struct):
    """A job category: it owns the ordered stages, built-in ones included; `initial` is where applications start."""

    id: int
    name: str
    stages: list[Stage]
    initial: Stage
    updated_at: int


class Member(msgspec.Struct, frozen=True, gc=False):
    """A hiring-team entry; the role is free text."""

    person_id: int
    role: str


class Option(msgspec.Struct, frozen=True, gc=False):
    key: str
    label: dict[str, str]


class Attribute(msgspec.Struct, frozen=True, gc=False):
    """A configured applicant attribute; on an application form it is a question.

    `kind` is text, textarea, select, multiselect, checkbox, file, number or date.
    """

    id: str
    kind: str
    label: dict[str, str]
    description: dict[str, str]
    options: tuple[Option, ...] = ()


class Question(msgspec.Struct, frozen=True, gc=False):
    attribute_id: str
    is_required: bool


class Salary(msgspec.Struct, frozen=True, gc=False):
    minimum: str
    maximum: str
    currency_symbol: str = "€"
    currency_code: str = "EUR"
    type: str = "yearly"


class Job(msgspec.Struct):
    """A position. What stands below `is_published` shows in the career feed only."""

    id: int
    name: str
    department: Named | None
    category_id: int | None
    hiring_team: list[Member]
    created_at: int
    updated_at: int
    is_published: bool = False
    names: dict[str, str] = {}
    descriptions: dict[str, list[tuple[str, str]]] | None = None
    """Sections (heading, HTML) per language; None takes the texts of the department."""
    subcompany: str | None = None
    office: str | None = None
    additional_offices: list[str] = []
    employment_type: str | None = None
    seniority: str | None = None
    schedule: str | None = None
    years_of_experience: str | None = None
    keywords: str | None = None
    occupation: str | None = None
    occupation_category: str | None = None
    salary: Salary | None = None
    questions: list[Question] = []
    required_fields: list[str] = []
    """Built-in form fields that this job requires beyond name and e-mail address."""


class Candidate(msgspec.Struct):
    id: int
    first_name: str | None
    last_name: str | None
    email: str | None
    gender: str | None
    phone: str | None
    location: str | None
    birthday: int | None
    linkedin_profile: str | None
    available_from: str | None
    applications: list[int]
    created_at: int
    updated_at: int


class Document(msgspec.Struct):
    """A file of an application. `content` is None for generated files, whose PDF is made when it is read."""

    id: int
    owner_id: int
    name: str
    category: str
    created_at: int
    content: bytes | None = None
    content_type: str = "application/pdf"
    is_quarantined: bool = False
    """The virus scan found something: downloads answer 409 for ever."""


class Written(msgspec.Struct):
    """What v1 accepts but no endpoint gives back (Personio NOTES section 17)."""

    message: str | None = None
    tags: list[str] = []
    attributes: dict[str, str] = {}
    external_posting_id: str | None = None
    at: int = 0
    """When it came, by the clock; `created_at` moves on where the clock stands still."""


class Application(msgspec.Struct):
    id: int
    candidate_id: int
    job_id: int
    stage: Stage
    channel: Named | None
    applied_on: int
    created_at: int
    updated_at: int
    is_anonymized: bool = False
    hiring_team: list[Member] | None = None
    """None shows the team of the job."""
    transitions: list[tuple[int, Stage]] | None = None
    """Oldest first; None means still as generated from the seed."""
    documents: list[Document] | None = None
    """None means still as generated from the seed."""
    written: Written | None = None


class Upload(msgspec.Struct):
    """A file that waits to be attached to an application."""

    uuid: str
    filename: str
    extension: str
    content_type: str
    content: bytes
    created_at: int


class Received(msgspec.Struct, frozen=True):
    """What v1 was given to create an application of: the body as JSON, or as text if it is none; and its answer."""

    at: int
    status: int
    body: Any


class Credential(msgspec.Struct, frozen=True):
    client_id: str
    client_secret: str
    scopes: tuple[str, ...]
