"""Jobs with their postings, stages, hiring team and questions; departments and offices (Personio NOTES section 18)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from atsumi.connector.contract import Built, MappingContext, RawKey, RawPrefix, RawView
from atsumi.connector.reading import Reader, as_object, as_text, decode
from atsumi.connectors.personio import raw
from atsumi.connectors.personio.facts import Settings
from atsumi.connectors.personio.feed import PositionText, read_position
from atsumi.connectors.personio.mapping import positions
from atsumi.connectors.personio.mapping.questions import job_questions
from atsumi.connectors.personio.mapping.stages import category_key, job_stages
from atsumi.model.department import Department
from atsumi.model.enums import JobStatus, PostingStatus, Visibility
from atsumi.model.hiring_team_member import HiringTeamMember
from atsumi.model.job import Job
from atsumi.model.job_posting import JobPosting
from atsumi.model.office import Office
from atsumi.model.parts import Location
from atsumi.model.record import Record


def job_sources(key: str, view: RawView, context: MappingContext) -> Iterable[RawKey | RawPrefix]:
    """The job, its positions, form and seen stages; once the job is there, its category too."""
    yield RawKey(raw.JOBS, key)
    yield RawKey(raw.JOB_STUBS, key)
    for language in Settings.read(context.config).languages:
        yield RawKey(raw.feed(language), key)
    yield RawKey(raw.FORMS, key)
    yield RawPrefix(raw.JOB_STAGES_SEEN, f"{key}:")
    category = category_key(_job(key, view))
    if category is not None:
        yield category


def build_job(key: str, view: RawView, context: MappingContext) -> Built:
    """A job and everything that belongs to it; nothing when the tool knows it no longer and it is not published."""
    settings = Settings.read(context.config)
    reader = settings.reader(raw.JOBS, key)
    source = _job(key, view)
    read = {language: read_position(view.get(raw.feed(language), key)) for language in settings.languages}
    published = {language: position for language, position in read.items() if position is not None}
    if not source and not published:
        return Built(())
    left = {} if published else _left(key, view, settings)
    known = published or left
    at = category_key(source)
    category = as_object(decode(view.get(at.stream, at.remote_id))) if at is not None else {}
    job = _build(key, source, category, next(iter(known.values()), None), settings, reader)
    if published:
        job.status, job.visibility = JobStatus.OPEN, Visibility.PUBLIC
        job.post_url = f"{settings.career_base_url}/job/{key}"
    elif any(view.is_gone(raw.feed(language), key) for language in settings.languages):
        job.status = JobStatus.CLOSED
    records: list[Record] = [job]
    records += _postings(key, known, settings, is_published=bool(published))
    records += job_stages(key, category, view.under(raw.JOB_STAGES_SEEN, f"{key}:"))
    records += [
        HiringTeamMember(
            remote_id=f"{key}:{person}:{role or ''}", job_remote_id=key, user_remote_id=person, role_remote_id=role
        )
        for person, role in raw.team(source)
    ]
    records += job_questions(key, as_object(decode(view.get(raw.FORMS, key))))
    return Built(records, reader.issues)


def _left(key: str, view: RawView, settings: Settings) -> dict[str, PositionText]:
    """What the feed said last of a position that left it. Nothing shows it any more, but it stays worth reading."""
    read = {language: read_position(view.last(raw.feed(language), key)) for language in settings.languages}
    return {language: position for language, position in read.items() if position is not None}


def _job(key: str, view: RawView) -> Mapping[str, object]:
    """The job as read, else as an application shows it; nothing of the latter once the job was read and is gone."""
    found = view.get(raw.JOBS, key)
    if found is None and not view.is_gone(raw.JOBS, key):
        found = view.get(raw.JOB_STUBS, key)
    return as_object(decode(found))


def _build(
    key: str,
    source: Mapping[str, object],
    category: Mapping[str, object],
    position: PositionText | None,
    settings: Settings,
    reader: Reader,
) -> Job:
    """The job's own fields: v2 where it has them (C), else the feed; the feed's texts in its first language."""
    fields: Mapping[str, str] = position.fields if position is not None else {}
    department = as_object(source.get("department"))
    named = source.get("category")
    feed_fields: dict[str, Any] = {}
    if position is not None:
        kind, words = positions.employment_type(position, reader)
        places = positions.locations(position)
        feed_fields = {
            "description": positions.description(position),
            "employment_type": kind,
            "employment_type_raw": words,
            "experience_level": fields.get("seniority"),
            "location": places[0] if places else None,
            "other_locations": places[1:],
            "office_remote_ids": positions.offices(position),
            "custom_fields": positions.custom_fields(position) or None,
            **positions.salary(position, reader),
        }
    return Job(
        remote_id=key,
        name=reader.text(source.get("name"), "name") or fields.get("name"),
        category=as_text(named)
        or as_text(as_object(named).get("name"))
        or as_text(category.get("name"))
        or fields.get("recruitingCategory"),
        # A job that was read says itself whether it has one; the position may have left long ago.
        department=as_text(department.get("name")) if "department" in source else fields.get("department"),
        department_remote_id=raw.department_id(department),
        # The path was seen once (section 18, I). The feed alone gives no account to sign in to.
        remote_url=f"https://{settings.company}.personio.de/recruiting/positions/{key}" if settings.company else None,
        remote_created_at=reader.instant(source.get("created_at"), "created_at")
        or reader.instant(fields.get("createdAt"), "createdAt"),
        remote_updated_at=reader.instant(source.get("updated_at"), "updated_at"),
        **feed_fields,
    )


def _postings(
    key: str, texts: Mapping[str, PositionText], settings: Settings, *, is_published: bool
) -> list[JobPosting]:
    """One posting per language with a text of its own: a career site repeats the texts of languages it lacks."""
    found: list[JobPosting] = []
    for language, position in texts.items():
        title, text = position.fields.get("name"), positions.description(position)
        if any((posting.title, posting.description_html) == (title, text) for posting in found):
            continue
        found.append(
            JobPosting(
                remote_id=f"{key}:{language}",
                job_remote_id=key,
                title=title,
                description_html=text,
                language=language,
                status=PostingStatus.ACTIVE if is_published else PostingStatus.INACTIVE,
                visibility=Visibility.PUBLIC if is_published else None,
                url=f"{settings.career_base_url}/job/{key}?display={language}" if is_published else None,
            )
        )
    return found


def department_sources(key: str, view: RawView, context: MappingContext) -> Iterable[RawKey | RawPrefix]:
    return (RawKey(raw.DEPARTMENTS, key),)


def build_department(key: str, view: RawView, context: MappingContext) -> Built:
    """A department as jobs name it; one that no job names any more stays."""
    found = view.get(raw.DEPARTMENTS, key)
    if found is None:
        return Built(())
    return Built((Department(remote_id=key, name=as_text(as_object(decode(found)).get("name"))),))


def office_sources(key: str, view: RawView, context: MappingContext) -> Iterable[RawKey | RawPrefix]:
    return (RawKey(raw.OFFICES, key),)


def build_office(key: str, view: RawView, context: MappingContext) -> Built:
    """An office as the feed names it; the name is all there is (section 10, C), so it is the id as well (I)."""
    if view.get(raw.OFFICES, key) is None:
        return Built(())
    return Built((Office(remote_id=key, name=key, location=Location(raw=key)),))
