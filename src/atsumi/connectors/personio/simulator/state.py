"""The simulated company: what exists, and how to find it. No HTTP, and no rules about changing it."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from typing import Literal

from atsumi.connectors.personio.simulator import pdf
from atsumi.connectors.personio.simulator.clock import Clock
from atsumi.connectors.personio.simulator.ordered import Ordered
from atsumi.connectors.personio.simulator.records import (
    BUILTIN_STAGES,
    Application,
    Attribute,
    Candidate,
    Category,
    Document,
    Job,
    Named,
    Person,
    Received,
    Stage,
    Upload,
)
from atsumi.connectors.personio.simulator.seed import Generated, documents_of, stage_history


class Company:
    """All objects of one tenant.

    `jobs`, `candidates`, `applications`, `persons` and `categories` know their order by last change. Records that
    were deleted stay in `deleted_candidates` and `deleted_jobs`, because applications go on showing their stubs.
    `revision` grows with every change of something that other records embed.
    """

    def __init__(self, generated: Generated, clock: Clock) -> None:
        self.clock = clock
        self.seed = generated.seed
        self.id = generated.company_id
        self.name = generated.company_name
        self.subdomain = generated.subdomain
        self.recruiting_key = generated.recruiting_key
        self.departments: dict[int, Named] = {item.id: item for item in generated.departments.values()}
        self.channels: dict[int, Named] = {item.id: item for item in generated.channels}
        self.postings: dict[str, int] = dict(generated.postings)
        self.tags: set[str] = set(generated.tags)
        self.attributes: dict[str, Attribute] = {item.id: item for item in generated.attributes}
        self.persons: Ordered[Person] = Ordered(generated.persons)
        self.categories: Ordered[Category] = Ordered(generated.categories)
        self.jobs: Ordered[Job] = Ordered(generated.jobs)
        self.candidates: Ordered[Candidate] = Ordered(generated.candidates)
        self.applications: Ordered[Application] = Ordered(generated.applications)
        self.stages: dict[str, Stage] = dict(BUILTIN_STAGES)
        for category in generated.categories:
            for stage in category.stages:
                self.stages[stage.reference] = stage
        self.uploads: dict[str, Upload] = {}
        self.received: deque[Received] = deque(maxlen=10_000)
        self.deleted_candidates: dict[int, Candidate] = {}
        self.deleted_jobs: dict[int, Job] = {}
        self.revision = 0
        self.feed_changed_at = self.jobs.newest_at
        self._by_email: dict[str, list[int]] = {}
        for candidate in generated.candidates:
            self._index_email(candidate)
        self._documents: dict[int, Document] = {}
        self._last_change_at = max(self.applications.newest_at, self.candidates.newest_at, self.jobs.newest_at)
        self._numbers = {
            "job": max((item.id for item in generated.jobs), default=4100),
            "candidate": max((item.id for item in generated.candidates), default=700_100),
            "application": max((item.id for item in generated.applications), default=490_000),
            "person": max((item.id for item in generated.persons), default=3000),
            "document": 9_000_000_000,
        }

    # Time and numbers.

    def stamp(self) -> int:
        """Return the instant for a change: the clock's, but always later than any change before."""
        self._last_change_at = max(self.clock.milliseconds(), self._last_change_at + 1)
        return self._last_change_at

    def next_id(self, kind: Literal["job", "candidate", "application", "document", "person"]) -> int:
        """Return an id that was never used for this kind."""
        self._numbers[kind] += 1
        return self._numbers[kind]

    # Finding.

    def candidates_by_email(self, email: str) -> list[Candidate]:
        """Return the candidates with this address (letter case aside), newest change first."""
        ids = self._by_email.get(email.strip().casefold(), [])
        found = [candidate for candidate in map(self.candidates.get, ids) if candidate is not None]
        return sorted(found, key=lambda candidate: -candidate.updated_at)

    def applications_by_email(self, email: str) -> list[Application]:
        """Return the applications of the candidates with this address, newest change first."""
        ids = [item for candidate in self.candidates_by_email(email) for item in candidate.applications]
        found = [application for application in map(self.applications.get, ids) if application is not None]
        return sorted(found, key=lambda application: -application.updated_at)

    def is_shown(self, application: Application, after_seconds: float) -> bool:
        """Return whether v2 shows an application already, if it takes so long for what v1 has created."""
        written = application.written
        return written is None or self.clock.milliseconds() - written.at >= after_seconds * 1000

    def is_candidate_shown(self, candidate: Candidate, after_seconds: float) -> bool:
        """Return whether v2 shows a candidate already: with their first application."""
        found = [item for item in map(self.applications.get, candidate.applications) if item is not None]
        return not found or any(self.is_shown(item, after_seconds) for item in found)

    def category_of(self, application: Application) -> Category | None:
        """Return the category whose stages the application goes through."""
        job = self.any_job(application.job_id)
        return self.categories.get(job.category_id) if job and job.category_id is not None else None

    def any_job(self, job_id: int) -> Job | None:
        """Return the job, deleted or not."""
        return self.jobs.get(job_id) or self.deleted_jobs.get(job_id)

    def any_candidate(self, candidate_id: int) -> Candidate | None:
        """Return the candidate, deleted or not."""
        return self.candidates.get(candidate_id) or self.deleted_candidates.get(candidate_id)

    def published_jobs(self) -> list[Job]:
        """Return the published jobs by id."""
        return [job for job in self.jobs if job.is_published]

    def touch_feed(self) -> None:
        """Note a change of the career feed, a full second after the one before, as HTTP dates show no less."""
        self.feed_changed_at = max(self.clock.milliseconds(), self.feed_changed_at + 1000)

    def feed_changed(self) -> datetime:
        """Return when the career feed last changed."""
        return datetime.fromtimestamp(self.feed_changed_at // 1000, UTC)

    # What is generated only when somebody looks.

    def transitions(self, application: Application) -> list[tuple[int, Stage]]:
        """Return (instant, stage) of each stage the application entered, oldest first."""
        if application.transitions is not None:
            return application.transitions
        return stage_history(self.seed, application, self.category_of(application))

    def documents(self, application: Application) -> list[Document]:
        """Return the files of the application in the order they came; an anonymised one has none."""
        if application.documents is not None:
            return application.documents
        return documents_of(self.seed, application)

    def document(self, document_id: int) -> Document | None:
        """Return a file by its id, or None."""
        owner = self._documents.get(document_id)
        application = self.applications.get(owner.owner_id if owner else document_id // 10)
        if application is None:
            return None
        return next((item for item in self.documents(application) if item.id == document_id), None)

    def content(self, document: Document) -> bytes:
        """Return the bytes of a file: uploaded ones as they came, generated ones as a PDF made from the seed."""
        if document.content is not None:
            return document.content
        application = self.applications.get(document.owner_id)
        candidate = self.any_candidate(application.candidate_id) if application else None
        name = f"{candidate.first_name or ''} {candidate.last_name or ''}".strip() if candidate else ""
        return pdf.document(
            document.name.removesuffix(".pdf"), (name, f"Bewerbung {document.owner_id}", f"Dokument {document.id}")
        )

    def own_documents(self, application: Application) -> list[Document]:
        """Return the application's own, changeable list of files."""
        if application.documents is None:
            application.documents = documents_of(self.seed, application)
        return application.documents

    def index_document(self, document: Document) -> None:
        """Make an uploaded file findable by its id."""
        self._documents[document.id] = document

    # The index of e-mail addresses.

    def _index_email(self, candidate: Candidate) -> None:
        if candidate.email:
            self._by_email.setdefault(candidate.email.casefold(), []).append(candidate.id)

    def department_named(self, name: str | None) -> Named | None:
        """The department of that name, made if there is none; no name, no department."""
        if name is None:
            return None
        known = {department.name: department for department in self.departments.values()}
        if name not in known:
            known[name] = Named(max(self.departments, default=50) + 1, name)
        return self.departments.setdefault(known[name].id, known[name])

    def set_email(self, candidate: Candidate, email: str | None) -> None:
        """Change the address and keep the index right."""
        self.forget_email(candidate)
        candidate.email = email
        self._index_email(candidate)

    def forget_email(self, candidate: Candidate) -> None:
        """Take the candidate out of the index of addresses."""
        ids = self._by_email.get((candidate.email or "").casefold(), [])
        if candidate.id in ids:
            ids.remove(candidate.id)
