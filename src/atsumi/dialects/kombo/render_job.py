"""Rendering jobs: the opening with its stages, questions, adverts and hiring team."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from atsumi.dialects.kombo import values, wire
from atsumi.dialects.kombo.wire import words
from atsumi.model.enums import EmploymentType, QuestionType
from atsumi.model.hiring_team_member import HiringTeamMember
from atsumi.model.job import Job
from atsumi.model.job_posting import JobPosting
from atsumi.model.job_screening_question import JobScreeningQuestion
from atsumi.model.job_stage import JobStage
from atsumi.model.names import Model
from atsumi.model.record import Record
from atsumi.model.role import Role
from atsumi.model.screening_question import QuestionFormat, ScreeningQuestion
from atsumi.model.stage import Stage
from atsumi.model.user import User
from atsumi.sync.projection import Stored

_ACTIVITY = words.words(words.ActivityWord)
_POSTING_STATUS = words.words(words.PostingStatusWord)
_POSTING_VISIBILITY = words.words(words.PostingVisibilityWord)
_ROLE_TYPE = words.words(words.RoleTypeWord)
_HIRING_TEAM_ROLE = words.words(words.HiringTeamRoleWord)
_CATEGORY = words.words(words.QuestionCategoryWord)
_DISPLAY_TYPES: dict[QuestionType, frozenset[str]] = {
    QuestionType.TEXT: frozenset({"SINGLE_LINE", "MULTI_LINE", "EMAIL", "URL"}),
    QuestionType.NUMBER: frozenset({"SLIDER", "FIELD"}),
    QuestionType.SINGLE_SELECT: frozenset({"DROPDOWN", "RADIO"}),
}
"""Which display types each question type may name (Kombo OpenAPI document, May 2026: formats of jobs)."""

EMPLOYMENT_TYPE_WORDS: dict[EmploymentType, str] = {
    EmploymentType.FULL_TIME: "FULL_TIME",
    EmploymentType.PART_TIME: "PART_TIME",
    EmploymentType.CONTRACT: "CONTRACT",
    EmploymentType.FREELANCE: "CONTRACT",
    EmploymentType.SEASONAL: "SEASONAL",
    EmploymentType.INTERNSHIP: "INTERNSHIP",
}
"""Canonical words that the wire knows. The others show the tool's own word, as the contract's open enum asks."""


def job(stored: Stored[Record]) -> wire.Job:
    """One entry of the jobs list."""
    record = cast(Job, stored.record)
    return wire.Job(
        id=values.own_id(stored),
        remote_id=record.remote_id,
        name=record.name,
        job_code=record.job_code,
        description=record.description,
        confidential=record.is_confidential,
        weekly_hours=record.weekly_hours,
        category=record.category,
        department=record.department,
        post_url=record.post_url,
        experience_level=record.experience_level,
        employment_type=employment_type(record),
        status=values.open_word(record.status),
        visibility=values.open_word(record.visibility),
        remote_work_status=values.open_word(record.remote_work_status),
        salary_amount=record.salary_amount,
        salary_amount_from=record.salary_amount_from,
        salary_amount_to=record.salary_amount_to,
        salary_currency=record.salary_currency,
        salary_period=values.open_word(record.salary_period, record.salary_period_raw),
        location=values.location(record.location),
        custom_fields=values.custom_fields(record),
        integration_fields=values.integration_fields(stored),
        remote_url=record.remote_url,
        opened_at=values.instant(record.opened_at),
        closed_at=values.instant(record.closed_at),
        changed_at=values.instant(stored.changed_at),
        remote_deleted_at=values.instant(stored.deleted_at),
        remote_created_at=values.instant(record.remote_created_at),
        remote_updated_at=values.instant(record.remote_updated_at),
        contact_id=None,
        stages=_in_order(_stage(link) for link in stored.many("stages")),
        screening_questions=_in_order(_question(link) for link in stored.many("screening_questions")),
        job_postings=[_posting(posting) for posting in stored.many("job_postings")],
        hiring_team=_hiring_team(stored.many("hiring_team")),
    )


def employment_type(record: Job) -> str | None:
    """The wire's word, else the tool's own word, else ours."""
    if record.employment_type is None:
        return record.employment_type_raw
    known = EMPLOYMENT_TYPE_WORDS.get(record.employment_type)
    return known or record.employment_type_raw or str(record.employment_type)


def stage(stored: Stored[Record], *, index: int | None = None) -> wire.JobStage:
    """A stage inside a job (with its place) or an application (without)."""
    record = cast(Stage, stored.record)
    return wire.JobStage(
        id=values.own_id(stored),
        remote_id=record.remote_id,
        name=record.name,
        status=values.closed(record.status, _ACTIVITY),
        custom_fields=values.custom_fields(record),
        index=index,
    )


def _in_order(entries: Iterable[Any]) -> list[Any]:
    return sorted(entries, key=lambda entry: (entry.index is None, entry.index or 0))


def _stage(link: Stored[Record]) -> wire.JobStage:
    place = cast(JobStage, link.record)
    found = link.one("stage")
    if found is not None:
        shown = stage(found, index=place.index)
        shown.remote_data = None
        return shown
    return wire.JobStage(
        id=values.reference(link, Model.STAGE, place.stage_remote_id),
        remote_id=place.stage_remote_id,
        name=None,
        status=None,
        custom_fields={},
        index=place.index,
        remote_data=None,
    )


def _question(link: Stored[Record]) -> wire.ScreeningQuestion:
    use = cast(JobScreeningQuestion, link.record)
    found = link.one("question")
    record = cast("ScreeningQuestion | None", found.record if found else None)
    return wire.ScreeningQuestion(
        id=values.reference(link, Model.SCREENING_QUESTION, use.question_remote_id),
        remote_id=use.question_remote_id,
        title=record.title if record else None,
        description=record.description if record else None,
        category=values.closed(record.category, _CATEGORY) if record else None,
        required=use.is_required,
        index=use.index,
        precondition_question_id=values.reference(link, Model.SCREENING_QUESTION, use.precondition_question_remote_id),
        precondition_options=_precondition(link, use),
        format=_format(link, record) if record and record.format else None,
    )


def _precondition(link: Stored[Record], use: JobScreeningQuestion) -> list[str | bool] | None:
    question, options = use.precondition_question_remote_id, use.precondition_options
    if question is None or not options:
        return None
    if all(isinstance(option, bool) for option in options):
        return list(options)
    chosen = [option for option in options if isinstance(option, str)]
    return [values.option_id(link.integration, question, option) for option in chosen]


def _format(link: Stored[Record], question: ScreeningQuestion) -> wire.QuestionFormat:
    asked = cast(QuestionFormat, question.format)
    display_types = _DISPLAY_TYPES.get(asked.type)
    answer = wire.QuestionFormat(type=cast(Any, str(asked.type)))
    if display_types is not None:
        answer.display_type = values.closed(asked.display_type, display_types)
    match asked.type:
        case QuestionType.TEXT:
            answer.max_length = asked.max_length
        case QuestionType.NUMBER:
            answer.min, answer.max = asked.minimum, asked.maximum
        case QuestionType.SINGLE_SELECT | QuestionType.MULTI_SELECT:
            answer.options = [
                wire.QuestionOption(
                    id=values.option_id(link.integration, question.remote_id, option.remote_id),
                    name=option.name,
                    remote_id=option.remote_id,
                )
                for option in asked.options
            ]
        case QuestionType.FILE:
            answer.accepted_mime_types = asked.accepted_mime_types or None
            answer.max_file_size_bytes = asked.max_file_size_bytes
        case QuestionType.UNKNOWN:
            answer.raw_question = asked.raw_question
        case _:
            pass
    return answer


def _posting(stored: Stored[Record]) -> wire.JobPosting:
    record = cast(JobPosting, stored.record)
    return wire.JobPosting(
        id=values.own_id(stored),
        remote_id=record.remote_id,
        title=record.title,
        description_html=record.description_html,
        status=values.closed(record.status, _POSTING_STATUS),
        visibility=values.closed(record.visibility, _POSTING_VISIBILITY),
        url=record.url,
    )


def _hiring_team(members: Iterable[Stored[Record]]) -> list[wire.HiringTeamEntry]:
    """One entry per person, in the order of first appearance, with all of the person's roles in this job."""
    team: dict[str, wire.HiringTeamEntry] = {}
    for member in members:
        record = cast(HiringTeamMember, member.record)
        entry = team.get(record.user_remote_id)
        if entry is None:
            found = member.one("user")
            user = cast("User | None", found.record if found else None)
            entry = team[record.user_remote_id] = wire.HiringTeamEntry(
                id=values.reference(member, Model.USER, record.user_remote_id),
                remote_id=record.user_remote_id,
                first_name=user.first_name if user else None,
                last_name=user.last_name if user else None,
                email=values.email(user.email) if user else None,
                hiring_team_roles=[],
                job_roles=[],
            )
        if record.role_remote_id is not None:
            _add_role(entry, record.role_remote_id, member.one("role"))
    return list(team.values())


def _add_role(entry: wire.HiringTeamEntry, remote_id: str, found: Stored[Record] | None) -> None:
    role = cast("Role | None", found.record if found else None)
    kind = role.type if role else None
    entry.job_roles.append(
        wire.JobRole(
            remote_id=remote_id,
            remote_label=role.label if role else None,
            unified_type=values.closed(kind, _ROLE_TYPE),
        )
    )
    word = values.closed(kind, _HIRING_TEAM_ROLE)
    if word is not None and word not in entry.hiring_team_roles:
        entry.hiring_team_roles.append(word)
