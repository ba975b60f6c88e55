"""What is known before a write: whether it may be, and the jobs with their stages and questions, by our ids here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import msgspec

from atsumi.dialects.bindbee.call import Call
from atsumi.dialects.bindbee.errors import Forbidden
from atsumi.dialects.services import Integration
from atsumi.dialects.write_services import JobQuestion
from atsumi.model.actions import Action
from atsumi.model.enums import JobStatus
from atsumi.model.ids import record_id
from atsumi.model.names import Model
from atsumi.store.reading import Condition, Fragment, ListQuery, Operator

_PAGE = 500


class _Shown(msgspec.Struct):
    """The part of a job's or a stage's document that is looked at."""

    name: str | None
    job: UUID | None = None
    stage_order: int | None = None


_shown = msgspec.json.Decoder(_Shown)


@dataclass(frozen=True, slots=True)
class KnownStage:
    """A stage's place in a job's process: its ``id`` on this surface, and the tool's id of the stage."""

    id: UUID
    name: str | None
    stage_remote_id: str


@dataclass(frozen=True, slots=True)
class KnownJob:
    """A job with its stages, in their order, and its questions, by their ids on this surface, in theirs."""

    id: UUID
    remote_id: str
    name: str | None
    stages: Sequence[KnownStage] = ()
    questions: Mapping[UUID, JobQuestion] = field(default_factory=dict)


def check_scope(integration: Integration, kind: Action) -> None:
    """Raise :class:`Forbidden` for an action that the operator or the customer has switched off."""
    if integration.scope.is_left_out(kind):
        raise Forbidden("Writes are disabled for the model: they are out of this connector's scope.")


async def known_job(call: Call, integration: Integration, id: UUID) -> KnownJob | None:
    """One job, whether or not it is open."""
    found = await _jobs(call, integration, ListQuery(Model.JOB, _PAGE, ids=[id], with_remote_ids=True), id)
    return found[0] if found else None


async def open_jobs(call: Call, integration: Integration) -> Sequence[KnownJob]:
    """All jobs that are open as far as is known, in the order of their list."""
    is_open = Condition(Operator.FACET, "status", [JobStatus.OPEN])
    return await _jobs(call, integration, ListQuery(Model.JOB, _PAGE, conditions=[is_open], with_remote_ids=True), None)


async def _jobs(call: Call, integration: Integration, query: ListQuery, only: UUID | None) -> list[KnownJob]:
    jobs = [
        KnownJob(one.id, one.remote_id or "", _document(one).name) for one in await _whole(call, integration, query)
    ]
    stages = await _stages(call, integration, jobs)
    questions: dict[UUID, list[JobQuestion]] = defaultdict(list)
    for one in await call.services.job_questions(integration, only) if jobs else ():
        questions[one.job].append(one)
    return [
        replace(
            job,
            stages=stages[job.id],
            questions={question_id(integration, job, one): one for one in questions[job.id]},
        )
        for job in jobs
    ]


def question_id(integration: Integration, job: KnownJob, question: JobQuestion) -> UUID:
    """The id of a question's use in a job, which is what this surface lists as a screening question."""
    name = f"{job.remote_id}:{question.record.remote_id}"
    return record_id(integration.public_id, Model.JOB_SCREENING_QUESTION, name)


async def _stages(call: Call, integration: Integration, jobs: Sequence[KnownJob]) -> Mapping[UUID, list[KnownStage]]:
    of_jobs = Condition(Operator.REFERENCE, "job_remote_id", [job.id for job in jobs])
    query = ListQuery(Model.JOB_STAGE, _PAGE, conditions=[of_jobs], with_remote_ids=True)
    found: dict[UUID, list[tuple[int, KnownStage]]] = defaultdict(list)
    for one in await _whole(call, integration, query) if jobs else ():
        document = _document(one)
        # The canonical model names a place after the job and the stage.
        stage = KnownStage(one.id, document.name, (one.remote_id or "").partition(":")[2])
        if document.job is not None:
            found[document.job].append((document.stage_order or 0, stage))
    ordered = {job: [stage for _, stage in sorted(placed, key=lambda pair: pair[0])] for job, placed in found.items()}
    return defaultdict(list, ordered)


async def _whole(call: Call, integration: Integration, query: ListQuery) -> list[Fragment]:
    found: list[Fragment] = []
    while True:
        page = await call.services.list_page(integration, query)
        found += page.fragments
        if page.next is None:
            return found
        query = replace(query, after=page.next)


def _document(fragment: Fragment) -> _Shown:
    return _shown.decode(fragment.body + b"}")
