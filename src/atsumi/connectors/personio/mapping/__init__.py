"""Personio's raw records as canonical ones: pure functions, one file per family of models."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from atsumi.connector.contract import (
    Built,
    Derivation,
    Group,
    GroupRule,
    MappingContext,
    RawKey,
    RawPrefix,
    RawRecord,
    RawView,
    RecordMapping,
)
from atsumi.connectors.personio import raw
from atsumi.connectors.personio.facts import LANGUAGES
from atsumi.connectors.personio.mapping import applications, jobs, people, questions, stages
from atsumi.connectors.personio.mapping.absences import absences
from atsumi.connectors.personio.mapping.addresses import GROUP_OF_STREAM, REMOTE_DATA
from atsumi.connectors.personio.mapping.coverage import COVERAGE
from atsumi.connectors.personio.raw import ANONYMIZED, JOB_STAGES_SEEN
from atsumi.model.names import Model

_Sources = Callable[[str, RawView, MappingContext], Iterable[RawKey | RawPrefix]]
_Build = Callable[[str, RawView, MappingContext], Built]
_LED_BY = frozenset({ANONYMIZED, JOB_STAGES_SEEN})
"""Streams whose remote id starts with the group's key and a colon."""


def affected(record: RawRecord, context: MappingContext) -> Iterable[Group]:
    """The group that a raw record feeds directly; categories reach their jobs as linked sources."""
    model = GROUP_OF_STREAM.get(record.stream)
    if model is None:
        return ()
    key = record.remote_id.partition(":")[0] if record.stream in _LED_BY else record.remote_id
    return (Group(model, key),)


def _rule(model: Model, sources: _Sources, build: _Build) -> GroupRule:
    return GroupRule(model, frozenset({model}), sources, build)


_JOB_MEMBERS = frozenset(
    {Model.JOB, Model.JOB_POSTING, Model.JOB_STAGE, Model.HIRING_TEAM_MEMBER, Model.JOB_SCREENING_QUESTION}
)

_FEEDS = frozenset(raw.feed(language) for language in LANGUAGES)
_JOBS_REST_ON = frozenset({raw.JOBS, raw.CATEGORIES, raw.FORMS, raw.PERSONS}) | _FEEDS
_RESTS_ON = {
    **dict.fromkeys(_JOB_MEMBERS | {Model.SCREENING_QUESTION, Model.DEPARTMENT, Model.OFFICE}, _JOBS_REST_ON),
    **dict.fromkeys((Model.USER, Model.ROLE), frozenset({raw.JOBS, raw.PERSONS})),
    Model.STAGE: frozenset({raw.BUILTIN_STAGES, raw.CATEGORIES, raw.APPLICATIONS}),
    **dict.fromkeys((Model.CANDIDATE, Model.APPLICATION), frozenset({raw.JOBS, raw.CANDIDATES, raw.APPLICATIONS})),
    Model.STAGE_TRANSITION: frozenset({raw.APPLICATIONS, raw.TRANSITIONS}),
    Model.ATTACHMENT: frozenset({raw.APPLICATIONS, raw.DOCUMENTS}),
}
_MADE_OF = {
    **dict.fromkeys(
        (Model.JOB, Model.HIRING_TEAM_MEMBER, Model.DEPARTMENT, Model.USER, Model.ROLE), frozenset({raw.JOBS})
    ),
    **dict.fromkeys((Model.JOB_POSTING, Model.OFFICE), _FEEDS),
    **dict.fromkeys((Model.SCREENING_QUESTION, Model.JOB_SCREENING_QUESTION), _FEEDS | {raw.FORMS}),
    Model.STAGE: frozenset({raw.BUILTIN_STAGES, raw.CATEGORIES}),
    Model.JOB_STAGE: frozenset({raw.CATEGORIES}),
    Model.CANDIDATE: frozenset({raw.CANDIDATES}),
    Model.APPLICATION: frozenset({raw.APPLICATIONS}),
    Model.STAGE_TRANSITION: frozenset({raw.TRANSITIONS}),
    Model.ATTACHMENT: frozenset({raw.DOCUMENTS}),
}

mapping = RecordMapping(
    rules={
        rule.model: rule
        for rule in (
            GroupRule(Model.JOB, _JOB_MEMBERS, jobs.job_sources, jobs.build_job, is_linked=True),
            _rule(Model.STAGE, stages.stage_sources, stages.build_stage),
            _rule(Model.DEPARTMENT, jobs.department_sources, jobs.build_department),
            _rule(Model.OFFICE, jobs.office_sources, jobs.build_office),
            _rule(Model.SCREENING_QUESTION, questions.question_sources, questions.build_question),
            _rule(Model.USER, people.user_sources, people.build_user),
            _rule(Model.ROLE, people.role_sources, people.build_role),
            _rule(Model.CANDIDATE, people.candidate_sources, people.build_candidate),
            GroupRule(
                Model.APPLICATION,
                frozenset({Model.APPLICATION, Model.STAGE_TRANSITION, Model.ATTACHMENT}),
                applications.application_sources,
                applications.build_application,
            ),
        )
    },
    affected=affected,
    remote_data=REMOTE_DATA,
    coverage=COVERAGE,
    absences=absences,
    derivations=(
        Derivation(
            Model.CANDIDATE, Model.APPLICATION, "candidate_remote_id", frozenset({"source"}), people.newest_source
        ),
    ),
    rests_on=_RESTS_ON,
    made_of=_MADE_OF,
)

__all__ = ["mapping"]
