"""The creates: a body becomes a write, and what came of it becomes an answer.

Two POSTs write: candidates and applications; a third adds files where the tool can. The contract has more, and all of
them may be refused because "writes are disabled for the model" (Bindbee NOTES, section 6): 403 is the only refusal of
that kind that it declares for every create, so it is what a write that the tool lacks is answered with.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn, cast
from uuid import UUID

import msgspec

from atsumi import errors
from atsumi.actions.requests import Answered, Content, Deferred, Planned, Receipt, UnknownQuestion, WriteRequest
from atsumi.connector.writing import WriteAction
from atsumi.dialects.bindbee import write_wire as wire
from atsumi.dialects.bindbee.answers import document
from atsumi.dialects.bindbee.asked import check_scope, known_job
from atsumi.dialects.bindbee.bodies import Applying, AtsAttachmentWrite, AtsCandidateWrite, CreateAtsApplication
from atsumi.dialects.bindbee.call import Call
from atsumi.dialects.bindbee.custom_field_requests import json_of
from atsumi.dialects.bindbee.drafts import file_draft, flat_body, parse, read_flat, validated
from atsumi.dialects.bindbee.errors import Fault, Forbidden, InvalidRequest, value_fault
from atsumi.dialects.bindbee.lists import BY_NAME, ListSpec
from atsumi.dialects.bindbee.parameters import boolean, read_query
from atsumi.dialects.http import Answer
from atsumi.dialects.services import Integration
from atsumi.dialects.writing import (
    LONGEST_BODY,
    REPLAYED,
    EncodedFile,
    Wish,
    bounded,
    planned_requests,
    receipt_headers,
    wish,
)
from atsumi.model.actions import Action
from atsumi.model.draft import AttachmentDraft, Draft, Ref
from atsumi.model.ids import record_id
from atsumi.model.names import Model

Place = Callable[[str | None], list[str | int]]
"""From a path of the draft to where the caller wrote it."""

WRITE_PARAMETERS = (
    boolean("dry_run", "Answer with the requests that the tool would get, and send nothing. A parameter of ours."),
)

_KEY_IN_USE = "Request with this idempotency key is already in progress."
_KEY_OF_ANOTHER = "Idempotency key already exists with a different payload."
"""The published words (Bindbee NOTES, section 6)."""


async def create_candidate(call: Call) -> Answer:
    """A candidate, with the application that tools make of one."""
    return await _create(call, Action.CREATE_CANDIDATE, AtsCandidateWrite, BY_NAME["candidates"])


async def create_application(call: Call) -> Answer:
    """Another application of a known candidate."""
    return await _create(call, Action.CREATE_APPLICATION, CreateAtsApplication, BY_NAME["applications"])


async def add_attachment(call: Call) -> Answer:
    """A file of a known candidate."""
    integration = await call.integration()
    _ability(call, integration, Action.ADD_CANDIDATE_ATTACHMENT)
    candidate = call.id("candidate_id")
    flat = read_flat(await _json(call))
    file = validated(AtsAttachmentWrite, flat)
    draft = AttachmentDraft(candidate=Ref(id=candidate), files=[file_draft(file, ())])
    texts = {0: file.file_content} if file.file_content is not None else {}
    request = WriteRequest(Action.ADD_CANDIDATE_ATTACHMENT, draft, addressed="candidate")
    return await _write(call, integration, request, texts, lambda path: ["body"], (), BY_NAME["attachments"])


def refusal_of(spec: ListSpec) -> Callable[[Call], Awaitable[Answer]]:
    """Answers for a model that no integration can write."""

    async def refuse(call: Call) -> Answer:
        integration = await call.integration()
        raise Forbidden(f"Writes are disabled for the model {spec.tag}: {integration.tool} offers no way to create it.")

    return refuse


async def _create(call: Call, kind: Action, base: type[Applying], spec: ListSpec) -> Answer:
    integration = await call.integration()
    action = _ability(call, integration, kind)

    def job_id(remote_id: str) -> UUID:
        return record_id(integration.public_id, Model.JOB, remote_id)

    flat = flat_body(await _json(call), job_id)
    id = _uuid(flat.values.get("job"))
    job = await known_job(call, integration, id) if id is not None else None
    parsed = parse(flat, base, action, job)
    request = WriteRequest(kind, parsed.draft, unknown_question=UnknownQuestion.REFUSES)
    return await _write(call, integration, request, parsed.contents, parsed.place, flat.warnings, spec)


def _ability(call: Call, integration: Integration, kind: Action) -> WriteAction:
    """How the tool does it. Raises :class:`Forbidden`."""
    action = call.services.write_action(integration.tool, kind)
    if action is None:
        what = kind.value.replace("_", " ")
        raise Forbidden(f"Writes are disabled for the model: {integration.tool} offers no way to {what}.")
    check_scope(integration, kind)
    return action


async def _json(call: Call) -> Any:
    body = await call.body(LONGEST_BODY)
    # Reading and measuring large files takes longer than other requests should wait.
    return await asyncio.to_thread(lambda: json_of(bounded(body)))


def _uuid(sent: Any) -> UUID | None:
    try:
        return UUID(sent) if isinstance(sent, str) else None
    except ValueError:
        return None


async def _write(
    call: Call,
    integration: Integration,
    request: WriteRequest,
    texts: Mapping[int, str],
    place: Place,
    warnings: Sequence[str],
    spec: ListSpec,
) -> Answer:
    """Have it written, and answer. ``texts`` are the files that came along, in base64."""
    is_dry = read_query(WRITE_PARAMETERS, call.scope["query_string"])["dry_run"]
    wanted = _wish(call)
    request = replace(
        request,
        contents=await asyncio.to_thread(_contents, request.draft, texts, place),
        key=wanted.key,
        is_deferred=wanted.is_deferred,
        wait_seconds=wanted.wait_seconds,
    )
    try:
        if is_dry:
            return _plan(await call.services.plan(integration, request), warnings)
        found = await call.services.write(integration, request)
    except (errors.CallerError, errors.RemoteRejected) as error:
        _raise(error, request, place)
    if isinstance(found, Deferred):
        return _receipt(found.receipt, warnings)
    if found.answered is not None:
        return Answer(found.answered.body, found.answered.status, REPLAYED)
    body = await _result(call, integration, found.receipt, warnings, spec)
    first = await call.services.keep_answer(integration, found.receipt.id, Answered(200, body))
    return Answer(first.body, first.status)


def _wish(call: Call) -> Wish:
    try:
        return wish(call.scope)
    except errors.InvalidInput as error:
        raise InvalidRequest([value_fault(["header", error.path or ""], str(error), None)]) from error


def _contents(draft: Draft, texts: Mapping[int, str], place: Place) -> Mapping[int, Content]:
    """The files that came along; what they are is noted in the draft. Raises :class:`InvalidRequest`."""
    found: dict[int, Content] = {}
    faults: list[Fault] = []
    for index, text in texts.items():
        try:
            file = EncodedFile.read(text)
        except ValueError as error:
            faults.append(value_fault([*place(f"files.{index}"), "file_content"], str(error), None))
            continue
        draft.files[index] = msgspec.structs.replace(draft.files[index], sha256=file.sha256, size_bytes=file.size_bytes)
        found[index] = file.content
    if faults:
        raise InvalidRequest(faults)
    return found


def _raise(error: errors.CallerError | errors.RemoteRejected, request: WriteRequest, place: Place) -> NoReturn:
    """The error in this dialect's words, with the places where the caller wrote what is wrong."""
    if isinstance(error, errors.InProgress) and request.key is not None:
        raise errors.InProgress(_KEY_IN_USE, seconds=error.seconds) from error
    if isinstance(error, errors.UnsupportedByTool):
        raise Forbidden(f"Writes are disabled for the model: {error}") from error
    if isinstance(error, errors.InvalidInput) and error.path is not None:
        raise InvalidRequest([value_fault(place(error.path), str(error), None)]) from error
    if isinstance(error, errors.RemoteRejected) and not isinstance(error, errors.AlreadyExists):
        raise InvalidRequest(_told(error, place)) from error
    if request.key is not None and type(error) is errors.Conflict:
        raise errors.Conflict(_KEY_OF_ANOTHER) from error
    raise error


def _told(error: errors.RemoteRejected, place: Place) -> list[Fault]:
    """What the tool found wrong, in its own words; a job that nobody can apply for is to blame itself."""
    found = [
        value_fault(place(one.path), ": ".join(filter(None, (one.reason, one.message))), None) for one in error.problems
    ]
    if found and not isinstance(error, errors.JobClosed):
        return found
    said = f"{error}: {error.remote_message}" if error.remote_message else str(error)
    return [value_fault(place("job" if isinstance(error, errors.JobClosed) else None), said, None)]


def _plan(planned: Planned, warnings: Sequence[str]) -> Answer:
    plan = wire.WritePlan(
        requests=planned_requests(planned),
        warnings=[*warnings, *planned.warnings],
        expected_wait_seconds=planned.expected_wait_seconds,
    )
    return Answer(msgspec.json.encode(plan))


def _receipt(receipt: Receipt, warnings: Sequence[str]) -> Answer:
    body = wire.WriteReceipt(
        action=str(receipt.id),
        status=receipt.state.value,
        warnings=[*warnings, *receipt.warnings],
        expected_wait_seconds=receipt.expected_wait_seconds,
    )
    return Answer(msgspec.json.encode(body), 202, receipt_headers(receipt))


async def _result(
    call: Call, integration: Integration, receipt: Receipt, warnings: Sequence[str], spec: ListSpec
) -> bytes:
    id = {Model.CANDIDATE: receipt.candidate, Model.APPLICATION: receipt.application}.get(cast(Model, spec.model))
    record = None
    if id is not None and not receipt.is_provisional:
        record = await document(call, integration, spec, id)
    result = wire.WriteResult(
        id=_spelled(id),
        candidate=_spelled(receipt.candidate),
        application=_spelled(receipt.application),
        is_provisional=receipt.is_provisional,
        action=str(receipt.id),
        warnings=[*warnings, *receipt.warnings],
        data=cast(Any, msgspec.Raw(record)) if record is not None else None,
    )
    return msgspec.json.encode(result)


def _spelled(id: UUID | None) -> str | None:
    return str(id) if id is not None else None
