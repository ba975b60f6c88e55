"""Changes to the company, as a recruiter would make them in the tool. No HTTP.

Each change gets an instant of its own, later than all before (`Company.stamp`), and moves the changed record to the
top of its list. What bumps what follows Personio NOTES section 8; where they call it open, it is a switch.
"""

from __future__ import annotations

import mimetypes
from datetime import date
from typing import Any

import msgspec

from atsumi.connectors.personio.simulator.changes import (
    Id,
    InvalidChange,
    UnknownRecord,
    day_from,
    members_from,
    number_from,
    set_fields,
)
from atsumi.connectors.personio.simulator.ordered import Ordered, R
from atsumi.connectors.personio.simulator.records import (
    BUILTIN_KEYS,
    Application,
    Candidate,
    Document,
    Job,
    Person,
    Question,
    Salary,
    Stage,
)
from atsumi.connectors.personio.simulator.seed import day_of
from atsumi.connectors.personio.simulator.state import Company
from atsumi.connectors.personio.simulator.switches import Switches

PERSONAL_FIELDS = (
    "first_name",
    "last_name",
    "email",
    "gender",
    "phone",
    "location",
    "birthday",
    "linkedin_profile",
    "available_from",
)


class Edits:
    """The changes, on `self.company`. All methods raise UnknownRecord for an id that is not there."""

    company: Company
    switches: Switches

    # Applications.

    def create_application(
        self,
        candidate_id: Id,
        job_id: Id,
        *,
        stage: Id | None = None,
        channel_id: Id | None = None,
        application_date: date | str | None = None,
    ) -> int:
        """Add an application of a candidate for a job and return its id.

        Without `stage` it starts in the initial stage of the job's category. Whether its candidate is bumped is a
        switch.
        """
        candidate = self._find(self.company.candidates, candidate_id, "candidate")
        job = self._find(self.company.jobs, job_id, "job")
        category = self.company.categories.get(job.category_id) if job.category_id is not None else None
        place = self._stage(stage) if stage is not None else category.initial if category else self._stage("unassigned")
        channel = None if channel_id is None else self.company.channels.get(number_from(channel_id))
        at = self.company.stamp()
        application = Application(
            id=self.company.next_id("application"),
            candidate_id=candidate.id,
            job_id=job.id,
            stage=place,
            channel=channel,
            applied_on=day_of(at) if application_date is None else day_from(application_date),
            created_at=at,
            updated_at=at,
            transitions=[(at, place)],
            documents=[],
        )
        self.file_application(application, candidate)
        return application.id

    def file_application(self, application: Application, candidate: Candidate) -> None:
        """Put a finished application among the others and with its candidate."""
        self.company.applications.add(application)
        candidate.applications.append(application.id)
        if self.switches.applications_bump_candidate:
            self.company.candidates.touch(candidate, self.company.stamp())

    def move_application(self, application_id: Id, stage: Id) -> None:
        """Put an application into a stage, given by its id or system key, and record the transition."""
        application = self._find(self.company.applications, application_id, "application")
        place = self._stage(stage)
        application.transitions = list(self.company.transitions(application))
        at = self.company.stamp()
        application.transitions.append((at, place))
        application.stage = place
        if self.switches.moves_bump_application:
            self.company.applications.touch(application, at)

    def edit_application(self, application_id: Id, **changes: Any) -> None:
        """Change `channel_id` (None for no channel), `application_date`, `hiring_team` or `job_id`."""
        application = self._find(self.company.applications, application_id, "application")
        for name, value in changes.items():
            match name:
                case "channel_id":
                    application.channel = None if value is None else self.company.channels[number_from(value)]
                case "application_date":
                    application.applied_on = day_from(value)
                case "hiring_team":
                    application.hiring_team = None if value is None else members_from(value)
                case "job_id":
                    application.job_id = self._find(self.company.jobs, value, "job").id
                case _:
                    raise InvalidChange(f"an application has no changeable field {name!r}")
        self.company.applications.touch(application, self.company.stamp())

    def delete_application(self, application_id: Id) -> None:
        """Remove an application; its candidate stays and is not bumped."""
        application = self._find(self.company.applications, application_id, "application")
        self.company.applications.remove(application)
        candidate = self.company.any_candidate(application.candidate_id)
        if candidate is not None and application.id in candidate.applications:
            candidate.applications.remove(application.id)

    def anonymise_application(self, application_id: Id) -> None:
        """Erase an application: stub blank, no files. The candidate is blanked with its last readable application."""
        application = self._find(self.company.applications, application_id, "application")
        self._blank_application(application)
        candidate = self.company.candidates.get(application.candidate_id)
        if candidate is not None:
            others = [self.company.applications.get(item) for item in candidate.applications]
            if all(item is None or item.is_anonymized for item in others):
                self._blank_candidate(candidate)

    # Candidates.

    def create_candidate(self, first_name: str, last_name: str, email: str | None = None, **fields: Any) -> int:
        """Add a candidate without applications (the tool itself has no such call) and return the id."""
        at = self.company.stamp()
        values: dict[str, Any] = dict.fromkeys(PERSONAL_FIELDS)
        candidate = Candidate(
            id=self.company.next_id("candidate"),
            applications=[],
            created_at=at,
            updated_at=at,
            **values,
        )
        self.company.candidates.add(candidate)
        self._set_personal(candidate, {"first_name": first_name, "last_name": last_name, "email": email, **fields})
        return candidate.id

    def edit_candidate(self, candidate_id: Id, **changes: Any) -> None:
        """Change personal fields of a candidate; its applications show the new stub but are not bumped."""
        candidate = self._find(self.company.candidates, candidate_id, "candidate")
        self._set_personal(candidate, changes)
        self.company.candidates.touch(candidate, self.company.stamp())

    def delete_candidate(self, candidate_id: Id, *, with_applications: bool = True) -> None:
        """Remove a candidate; without its applications they stay behind, showing a stub nobody can open."""
        candidate = self._find(self.company.candidates, candidate_id, "candidate")
        if with_applications:
            for application_id in list(candidate.applications):
                if application_id in self.company.applications:
                    self.delete_application(application_id)
        self.company.forget_email(candidate)
        self.company.candidates.remove(candidate)
        self.company.deleted_candidates[candidate.id] = candidate

    def anonymise_candidate(self, candidate_id: Id) -> None:
        """Erase a candidate and all its applications, as a data protection request does."""
        candidate = self._find(self.company.candidates, candidate_id, "candidate")
        for application_id in candidate.applications:
            application = self.company.applications.get(application_id)
            if application is not None and not application.is_anonymized:
                self._blank_application(application)
        self._blank_candidate(candidate)

    # Jobs.

    def create_job(self, name: str, *, is_published: bool = True, **fields: Any) -> int:
        """Add a job and return its id; `fields` are those of `edit_job`."""
        at = self.company.stamp()
        job = Job(
            id=self.company.next_id("job"),
            name=name,
            department=None,
            category_id=None,
            hiring_team=[],
            created_at=at,
            updated_at=at,
            is_published=is_published,
            names={},
        )
        self._set_job(job, fields)
        self.company.jobs.add(job)
        self.company.touch_feed()
        return job.id

    def edit_job(self, job_id: Id, **changes: Any) -> None:
        """Change a job.

        Fields: `name` (drops the translated names unless `names` is given too), `names`, `department` (a name or
        None), `category_id`, `hiring_team` (list of {"person_id", "role"}), `is_published`, `questions` (list of
        {"attribute_id", "is_required"}), `salary`, `descriptions` and every other feed field of `records.Job`.
        """
        job = self._find(self.company.jobs, job_id, "job")
        self._set_job(job, changes)
        at = self.company.stamp()
        self.company.jobs.touch(job, at)
        self.company.touch_feed()
        self.company.revision += 1

    def publish_job(self, job_id: Id) -> None:
        """Show the job in the career feed and accept applications for it."""
        self.edit_job(job_id, is_published=True)

    def unpublish_job(self, job_id: Id) -> None:
        """Take the job out of the career feed and close its form."""
        self.edit_job(job_id, is_published=False)

    def delete_job(self, job_id: Id) -> None:
        """Remove a job; its applications go on showing its stub."""
        job = self._find(self.company.jobs, job_id, "job")
        self.company.jobs.remove(job)
        job.is_published = False
        self.company.deleted_jobs[job.id] = job
        self.company.touch_feed()

    # Persons, categories, documents.

    def create_person(self, first_name: str, last_name: str, email: str, *, gender: str = "UNSPECIFIED") -> int:
        """Add an active person and return the id."""
        at = self.company.stamp()
        number = self.company.next_id("person")
        employment = f"00000000-0000-4000-8000-{number:012d}"
        person = Person(number, first_name, last_name, email, gender, "ACTIVE", employment, at, at)
        self.company.persons.add(person)
        return number

    def edit_person(self, person_id: Id, **changes: Any) -> None:
        """Change `first_name`, `last_name`, `email`, `gender` or `status` of a person."""
        person = self._find(self.company.persons, person_id, "person")
        set_fields(person, changes, {"first_name", "last_name", "email", "gender", "status"}, Person)
        self.company.persons.touch(person, self.company.stamp())

    def delete_person(self, person_id: Id) -> None:
        """Remove a person; hiring teams go on naming the id."""
        self.company.persons.remove(self._find(self.company.persons, person_id, "person"))

    def edit_category(self, category_id: Id, **changes: Any) -> None:
        """Change `name`, `initial` (stage id or key) or `stages`, the ordered list of ids, keys or new names."""
        category = self._find(self.company.categories, category_id, "category")
        for name, value in changes.items():
            match name:
                case "name":
                    category.name = str(value)
                case "initial":
                    category.initial = self._stage(value)
                case "stages":
                    category.stages = [self._stage_or_new(item) for item in value]
                case _:
                    raise InvalidChange(f"a category has no changeable field {name!r}")
        self.company.categories.touch(category, self.company.stamp())
        self.company.touch_feed()
        self.company.revision += 1

    def rename_stage(self, stage_id: Id, name: str) -> None:
        """Rename one of the company's own stages, wherever it shows; nothing is bumped."""
        old = self._stage(stage_id)
        if old.key is not None:
            raise InvalidChange(f"{old.key} is built in and cannot be renamed")
        renamed = Stage(old.id, None, name)
        self.company.stages[old.reference] = renamed
        for category in self.company.categories:
            category.stages = [renamed if stage.id == old.id and not stage.key else stage for stage in category.stages]
            if category.initial.reference == renamed.reference:
                category.initial = renamed
        self.company.revision += 1

    def delete_category(self, category_id: Id) -> None:
        """Remove a category; its jobs have none afterwards and are not bumped."""
        self.company.categories.remove(self._find(self.company.categories, category_id, "category"))
        self.company.touch_feed()
        self.company.revision += 1

    def add_document(
        self, application_id: Id, name: str, content: bytes | str | None = None, *, category: str = "other"
    ) -> int:
        """Attach a file to an application, a generated PDF unless `content` is given, and return its id."""
        application = self._find(self.company.applications, application_id, "application")
        document = Document(
            id=self.company.next_id("document"),
            owner_id=application.id,
            name=name,
            category=category,
            created_at=self.company.clock.milliseconds(),
            content=content.encode() if isinstance(content, str) else content,
            content_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
        )
        self.company.own_documents(application).append(document)
        self.company.index_document(document)
        return document.id

    def delete_document(self, document_id: Id) -> None:
        """Remove a file; its application is not bumped."""
        document = self._document(document_id)
        application = self._find(self.company.applications, document.owner_id, "application")
        documents = self.company.own_documents(application)
        documents[:] = [item for item in documents if item.id != document.id]

    def quarantine_document(self, document_id: Id) -> None:
        """Let the virus scan of a file fail: it is listed, but downloads answer 409 from now on."""
        document = self._document(document_id)
        application = self._find(self.company.applications, document.owner_id, "application")
        for item in self.company.own_documents(application):
            if item.id == document.id:
                item.is_quarantined = True

    # Parts.

    def _document(self, document_id: Id) -> Document:
        document = self.company.document(number_from(document_id))
        if document is None:
            raise UnknownRecord(f"no document {document_id}")
        return document

    def _find(self, ordered: Ordered[R], record_id: Id, kind: str) -> R:
        record = ordered.get(number_from(record_id))
        if record is None:
            raise UnknownRecord(f"no {kind} {record_id}")
        return record

    def _stage(self, reference: Id) -> Stage:
        stage = self.company.stages.get(str(reference).removeprefix("system:"))
        if stage is None:
            raise InvalidChange(f"no stage {reference}; built-in ones are {', '.join(BUILTIN_KEYS)}")
        return stage

    def _stage_or_new(self, reference: Id) -> Stage:
        known = self.company.stages.get(str(reference).removeprefix("system:"))
        if known is not None:
            return known
        number = max((stage.id or 0 for stage in self.company.stages.values()), default=26400) + 1
        self.company.stages[str(number)] = Stage(number, None, str(reference))
        return self.company.stages[str(number)]

    def _set_personal(self, candidate: Candidate, changes: dict[str, Any]) -> None:
        values = dict(changes)
        if "email" in values:
            self.company.set_email(candidate, values.pop("email"))
        if values.get("birthday") is not None:
            values["birthday"] = day_from(values["birthday"])
        set_fields(candidate, values, set(PERSONAL_FIELDS), Candidate)

    def _blank_application(self, application: Application) -> None:
        application.is_anonymized = True
        application.written = None
        application.documents = []
        self.company.applications.touch(application, self.company.stamp())

    def _blank_candidate(self, candidate: Candidate) -> None:
        self._set_personal(candidate, dict.fromkeys(PERSONAL_FIELDS))
        self.company.candidates.touch(candidate, self.company.stamp())

    def _set_job(self, job: Job, changes: dict[str, Any]) -> None:
        values = dict(changes)
        if "department" in values:
            job.department = self.company.department_named(values.pop("department"))
        if "hiring_team" in values:
            job.hiring_team = members_from(values.pop("hiring_team"))
        if values.get("category_id") is not None:
            values["category_id"] = self._find(self.company.categories, values["category_id"], "category").id
        if "questions" in values:
            job.questions = msgspec.convert(values.pop("questions"), list[Question])
        if "salary" in values:
            job.salary = msgspec.convert(values.pop("salary"), Salary | None)
        if "name" in values and "names" not in values:
            job.names = {}
        set_fields(job, values, set(job.__struct_fields__) - {"id", "created_at", "updated_at"}, Job)
