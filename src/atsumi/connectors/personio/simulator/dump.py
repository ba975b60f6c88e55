"""The truth about the company, in a shape of its own that no switch changes: what tests compare against.

Ids are strings, instants ISO 8601 in UTC with milliseconds, days ISO 8601. A stage is its id as text, or the system
key of a built-in one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date
from typing import Any

from atsumi.connectors.personio.simulator.clock import utc_text
from atsumi.connectors.personio.simulator.records import Application, Attribute, Candidate, Job, Member
from atsumi.connectors.personio.simulator.state import Company


def dump(company: Company, kind: str) -> list[dict[str, Any]]:
    """Return all records of a kind, ordered by id; what v1 was given in the order it came."""
    return _DUMPS[kind](company)


def _applications(company: Company) -> list[dict[str, Any]]:
    return [_application(company, item) for item in company.applications]


def _application(company: Company, item: Application) -> dict[str, Any]:
    job = company.any_job(item.job_id)
    team = item.hiring_team if item.hiring_team is not None else job.hiring_team if job else []
    written = item.written
    return {
        "id": str(item.id),
        "candidate_id": str(item.candidate_id),
        "job_id": str(item.job_id),
        "stage": item.stage.reference,
        "channel_id": str(item.channel.id) if item.channel else None,
        "channel": item.channel.name if item.channel else None,
        "application_date": _day(item.applied_on),
        "is_anonymized": item.is_anonymized,
        "hiring_team": _team(team),
        "message": written.message if written else None,
        "tags": written.tags if written else [],
        "attributes": written.attributes if written else {},
        "external_posting_id": written.external_posting_id if written else None,
        "created_at": utc_text(item.created_at),
        "updated_at": utc_text(item.updated_at),
    }


def _candidates(company: Company) -> list[dict[str, Any]]:
    return [_candidate(item) for item in company.candidates]


def _candidate(item: Candidate) -> dict[str, Any]:
    return {
        "id": str(item.id),
        "first_name": item.first_name,
        "last_name": item.last_name,
        "email": item.email,
        "gender": item.gender,
        "phone": item.phone,
        "location": item.location,
        "birthday": _day(item.birthday),
        "linkedin_profile": item.linkedin_profile,
        "available_from": item.available_from,
        "applications": [str(application_id) for application_id in item.applications],
        "created_at": utc_text(item.created_at),
        "updated_at": utc_text(item.updated_at),
    }


def _jobs(company: Company) -> list[dict[str, Any]]:
    return [_job(company, item) for item in company.jobs]


def _job(company: Company, item: Job) -> dict[str, Any]:
    category = company.categories.get(item.category_id) if item.category_id is not None else None
    salary = item.salary
    return {
        "id": str(item.id),
        "name": item.name,
        "names": item.names,
        "is_published": item.is_published,
        "department": item.department.name if item.department else None,
        "department_id": str(item.department.id) if item.department else None,
        "category_id": str(category.id) if category else None,
        "category": category.name if category else None,
        "hiring_team": _team(item.hiring_team),
        "subcompany": item.subcompany,
        "office": item.office,
        "additional_offices": item.additional_offices,
        "employment_type": item.employment_type,
        "seniority": item.seniority,
        "schedule": item.schedule,
        "years_of_experience": item.years_of_experience,
        "keywords": item.keywords,
        "occupation": item.occupation,
        "occupation_category": item.occupation_category,
        "salary": {name: getattr(salary, name) for name in salary.__struct_fields__} if salary else None,
        "questions": [
            {**_attribute(company.attributes[question.attribute_id]), "is_required": question.is_required}
            for question in item.questions
        ],
        "required_fields": item.required_fields,
        "created_at": utc_text(item.created_at),
        "updated_at": utc_text(item.updated_at),
    }


def _categories(company: Company) -> list[dict[str, Any]]:
    return [
        {
            "id": str(item.id),
            "name": item.name,
            "initial": item.initial.reference,
            "stages": [stage.reference for stage in item.stages],
        }
        for item in company.categories
    ]


def _stages(company: Company) -> list[dict[str, Any]]:
    return [
        {"id": reference, "name": stage.name, "is_builtin": stage.key is not None}
        for reference, stage in company.stages.items()
    ]


def _persons(company: Company) -> list[dict[str, Any]]:
    return [
        {
            "id": str(item.id),
            "first_name": item.first_name,
            "last_name": item.last_name,
            "email": item.email,
            "gender": item.gender,
            "status": item.status,
            "created_at": utc_text(item.created_at),
            "updated_at": utc_text(item.updated_at),
        }
        for item in company.persons
    ]


def _published(company: Company) -> list[dict[str, Any]]:
    return [{"id": str(item.id), "name": item.name} for item in company.published_jobs()]


def _transitions(company: Company) -> list[dict[str, Any]]:
    return [
        {"application_id": str(item.id), "entered_at": utc_text(at), "stage": stage.reference}
        for item in company.applications
        for at, stage in company.transitions(item)
    ]


def _documents(company: Company) -> list[dict[str, Any]]:
    return [
        {
            "id": str(document.id),
            "application_id": str(item.id),
            "name": document.name,
            "category": document.category,
            "created_at": utc_text(document.created_at),
            "is_quarantined": document.is_quarantined,
        }
        for item in company.applications
        for document in company.documents(item)
    ]


def _submissions(company: Company) -> list[dict[str, Any]]:
    return [{"at": utc_text(item.at), "status": item.status, "body": item.body} for item in company.received]


def _uploads(company: Company) -> list[dict[str, Any]]:
    """Files that wait for an application; those that one has taken are documents."""
    return [
        {
            "uuid": item.uuid,
            "filename": item.filename,
            "size": len(item.content),
            "sha256": hashlib.sha256(item.content).hexdigest(),
            "created_at": utc_text(item.created_at),
        }
        for item in company.uploads.values()
    ]


def _named(company: Company, kind: str) -> list[dict[str, Any]]:
    items = company.channels if kind == "channels" else company.departments
    return [{"id": str(item.id), "name": item.name} for item in items.values()]


def _attributes(company: Company) -> list[dict[str, Any]]:
    return [_attribute(item) for item in company.attributes.values()]


def _attribute(item: Attribute) -> dict[str, Any]:
    options = [{"key": option.key, "label": option.label} for option in item.options]
    return {"id": item.id, "kind": item.kind, "label": item.label, "options": options}


def _team(members: list[Member]) -> list[dict[str, str]]:
    return [{"person_id": str(member.person_id), "role": member.role} for member in members]


def _day(ordinal: int | None) -> str | None:
    return None if ordinal is None else date.fromordinal(ordinal).isoformat()


_DUMPS: dict[str, Callable[[Company], list[dict[str, Any]]]] = {
    "applications": _applications,
    "candidates": _candidates,
    "jobs": _jobs,
    "categories": _categories,
    "stages": _stages,
    "persons": _persons,
    "published": _published,
    "transitions": _transitions,
    "documents": _documents,
    "channels": lambda company: _named(company, "channels"),
    "departments": lambda company: _named(company, "departments"),
    "attributes": _attributes,
    "postings": lambda company: [
        {"id": posting, "channel_id": str(channel)} for posting, channel in company.postings.items()
    ],
    "tags": lambda company: [{"name": name} for name in sorted(company.tags)],
    "submissions": _submissions,
    "uploads": _uploads,
}

KINDS = tuple(_DUMPS)
