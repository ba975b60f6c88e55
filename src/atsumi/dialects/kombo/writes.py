"""Writes: a body becomes a draft, the draft an action, and what came of it an answer.

All actions of the contract go the same way; whether a tool can do one is for its connector to say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec

from atsumi.actions.requests import Answered, Deferred, Planned, Receipt, WriteRequest
from atsumi.dialects.http import Answer
from atsumi.dialects.kombo import drafts, values
from atsumi.dialects.kombo import write_bodies as bodies
from atsumi.dialects.kombo.call import Call
from atsumi.dialects.kombo.documents import completed
from atsumi.dialects.kombo.drafts import Parsed
from atsumi.dialects.kombo.errors import Family, WireError, error_answer
from atsumi.dialects.kombo.stand_ins import stand_in_application, stand_in_candidate
from atsumi.dialects.reading import cut, shown
from atsumi.dialects.services import Integration
from atsumi.dialects.writing import (
    LONGEST_BODY,
    REPLAYED,
    PlannedRequest,
    bounded,
    concurrency_headers,
    planned_requests,
    receipt_headers,
    wish,
)
from atsumi.errors import AlreadyExists, InvalidInput, JobClosed, NotFound, NotReady, RemoteRejected, UnsupportedByTool
from atsumi.model.actions import Action
from atsumi.model.draft import Draft, Ref
from atsumi.model.ids import to_base58
from atsumi.model.names import Model
from atsumi.store.reading import ListQuery

Build = Callable[[Call, str, bytes], Parsed]
"""Reads the body of one action, for a tool."""


class ActionReceipt(msgspec.Struct, kw_only=True):
    """Given for ``Prefer: respond-async``: the action is carried out in its turn, and ``status_url`` tells how far."""

    action_id: str
    state: str
    status_url: str
    expected_wait_seconds: float | None


class Plan(msgspec.Struct, kw_only=True):
    """Given for ``?dry_run=true``: nothing was sent and nothing noted."""

    dry_run: Literal[True] = True
    requests: list[PlannedRequest]
    expected_wait_seconds: float


class Nothing(msgspec.Struct, kw_only=True):
    """Actions that make no record answer with an empty object."""


def handler(
    action: Action, build: Build, shows: Model | None = None, addressed: str | None = None
) -> Callable[[Call], Awaitable[Answer]]:
    """Serves one action. ``shows`` is the model of the record that its answer holds."""

    async def write(call: Call) -> Answer:
        integration = await call.integration()
        try:
            answer = await _write(call, integration, action, build, shows, addressed)
        except Exception as error:
            refused = error_answer(error, Family.ATS, "")
            if refused.is_fault:
                raise
            answer = Answer(refused.body, refused.status, refused.headers)
        headers = concurrency_headers(await call.services.in_flight(integration))
        return answer._replace(headers=(*answer.headers, *headers))

    return write


async def _write(
    call: Call, integration: Integration, action: Action, build: Build, shows: Model | None, addressed: str | None
) -> Answer:
    if call.services.write_action(integration.tool, action) is None:
        raise UnsupportedByTool(f"{_label(call, integration)} offers no way to {action.replace('_', ' ')}.")
    if integration.scope.is_left_out(action):
        raise WireError("INTEGRATION.ACTION_DISABLED", "This action is out of the integration's scope.")
    is_dry, wanted = _is_dry(call), wish(call.scope)
    # Measuring a large file takes longer than other requests should wait.
    parsed = await asyncio.to_thread(build, call, integration.tool, bounded(await call.body(LONGEST_BODY)))
    request = WriteRequest(
        action,
        parsed.draft,
        parsed.contents,
        key=wanted.key,
        is_deferred=wanted.is_deferred,
        wait_seconds=wanted.wait_seconds,
        addressed=addressed,
        option_id=values.option_id,
    )
    try:
        if is_dry:
            return _plan(await call.services.plan(integration, request))
        found = await call.services.write(integration, request)
    except (InvalidInput, RemoteRejected) as error:
        raise _told(error, parsed) from error
    except NotReady as error:
        # It was interrupted, which passes: the codes of the others of this kind are about the integration.
        raise WireError("REMOTE.SERVICE_UNAVAILABLE", str(error)) from error
    if isinstance(found, Deferred):
        return _deferred(call, found.receipt)
    if found.answered is not None:
        return Answer(found.answered.body, found.answered.status, REPLAYED)
    document = await _document(call, integration, found.receipt, found.draft, shows)
    body = _success(document, found.receipt.warnings)
    first = await call.services.keep_answer(integration, found.receipt.id, Answered(200, body))
    return Answer(first.body, first.status, REPLAYED if first.body != body else ())


def _is_dry(call: Call) -> bool:
    """Whether the caller only wants to see what would be sent.

    Raises :class:`InvalidInput`, also for every other parameter: a misspelt one must not write.
    """
    sent = parse_qsl(call.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    for name, _ in sent:
        if name != "dry_run":
            raise InvalidInput(f"Writes have no parameter {shown(name)}, only `dry_run`.", path=cut(name))
    values = {value.lower() for _, value in sent}
    if values - {"true", "false"} or len(values) > 1:
        raise InvalidInput("`dry_run` must be `true` or `false`.", path="dry_run")
    return values == {"true"}


def _told(error: InvalidInput | RemoteRejected, parsed: Parsed) -> WireError:
    """The error with the caller's own paths, and with all that the tool found wrong in its own words."""
    if isinstance(error, InvalidInput):
        where = f"{parsed.path(error.path)}: " if error.path is not None else ""
        return WireError("PLATFORM.INPUT_INVALID", f"{where}{error}")
    code = next(code for kind, code in _REFUSALS if isinstance(error, kind))
    found = []
    for problem in error.problems:
        where = f"{parsed.path(problem.path)}: " if problem.path is not None else ""
        said = f" ({problem.message})" if problem.message else ""
        found.append(f"{where}{problem.reason}{said}")
    if not found and error.remote_message:
        found.append(error.remote_message)
    return WireError(code, ". ".join([str(error), *found]))


_REFUSALS: tuple[tuple[type[RemoteRejected], str], ...] = (
    (AlreadyExists, "ATS.APPLICATION_ALREADY_EXISTS"),
    (JobClosed, "ATS.JOB_CLOSED"),
    (RemoteRejected, "REMOTE.INPUT_INVALID"),
)


def _success(document: bytes, warnings: Sequence[str]) -> bytes:
    shown = msgspec.json.encode([{"message": one} for one in warnings])
    return b'{"status":"success","data":' + document + b',"warnings":' + shown + b"}"


def _deferred(call: Call, receipt: Receipt) -> Answer:
    headers = receipt_headers(receipt)
    shown = ActionReceipt(
        action_id=to_base58(receipt.id),
        state=receipt.state.value,
        status_url=f"{call.base_url()}/atsumi/v1/actions/{to_base58(receipt.id)}",
        expected_wait_seconds=receipt.expected_wait_seconds,
    )
    return Answer(_success(msgspec.json.encode(shown), receipt.warnings), 202, headers)


def _plan(planned: Planned) -> Answer:
    plan = Plan(requests=planned_requests(planned), expected_wait_seconds=planned.expected_wait_seconds)
    return Answer(_success(msgspec.json.encode(plan), planned.warnings))


async def _document(
    call: Call, integration: Integration, receipt: Receipt, draft: Draft | None, shows: Model | None
) -> bytes:
    """The record as lists show it; while the tool does not show it, what is known of it, under stand-in ids."""
    id = receipt.candidate if shows is Model.CANDIDATE else receipt.application
    if shows is None or id is None:
        return b"{}"
    record = None if receipt.is_provisional else await _stored(call, integration, shows, id)
    if record is None:
        stand_in = stand_in_candidate if shows is Model.CANDIDATE else stand_in_application
        return msgspec.json.encode(stand_in(receipt, draft))
    if shows is Model.APPLICATION and receipt.candidate is not None:
        # Here the contract shows the whole candidate, unlike in the list.
        person = await _stored(call, integration, Model.CANDIDATE, receipt.candidate)
        record["candidate"] = _without_applications(person)
    return msgspec.json.encode(record)


async def _stored(call: Call, integration: Integration, model: Model, id: UUID) -> dict[str, msgspec.Raw] | None:
    """The members of a document; ``None`` for a record that is out of scope."""
    query = ListQuery(model=model, page_size=1, ids=[id], with_remote_ids=integration.remote_data_enabled)
    page = await call.services.list_page(integration, query)
    found, end = await completed(call, integration, model, page)
    return msgspec.json.decode(found[0] + end, type=dict[str, msgspec.Raw]) if found else None


def _without_applications(person: dict[str, msgspec.Raw] | None) -> msgspec.Raw:
    if person is not None:
        del person["applications"]
    return msgspec.Raw(msgspec.json.encode(person))


async def refuse(call: Call) -> Answer:
    """Actions of the contract that no tool can do which is served here."""
    integration = await call.integration()
    raise UnsupportedByTool(f"{_label(call, integration)} offers no such action.")


def _label(call: Call, integration: Integration) -> str:
    return call.services.connectors[integration.tool].manifest.label


def _ref(call: Call, name: str, what: str) -> Ref:
    """What the path names. Raises :class:`NotFound` for what is no id."""
    try:
        return drafts.reference(call.parameters[name], name, what)
    except InvalidInput:
        raise NotFound(f"There is no {what} with the id {shown(call.parameters[name])}.") from None


def _application(call: Call) -> Ref:
    return _ref(call, "application_id", "application")


def _candidate(call: Call) -> Ref:
    return _ref(call, "candidate_id", "candidate")


create_application = handler(
    Action.CREATE_APPLICATION,
    lambda call, tool, data: drafts.application(
        drafts.body(data, bodies.NewApplication), _ref(call, "job_id", "job"), tool
    ),
    Model.APPLICATION,
    "job",
)
create_candidate = handler(
    Action.CREATE_CANDIDATE,
    lambda call, tool, data: drafts.candidate(drafts.body(data, bodies.NewCandidate), tool),
    Model.CANDIDATE,
)
set_stage = handler(
    Action.SET_APPLICATION_STAGE,
    lambda call, tool, data: drafts.stage(drafts.body(data, bodies.StageChoice), _application(call), tool),
    addressed="application",
)
reject = handler(
    Action.REJECT_APPLICATION,
    lambda call, tool, data: drafts.rejection(drafts.body(data, bodies.Rejection), _application(call), tool),
    addressed="application",
)
add_note = handler(
    Action.ADD_APPLICATION_NOTE,
    lambda call, tool, data: drafts.note(drafts.body(data, bodies.NewNote), _application(call), tool),
    addressed="application",
)
add_application_link = handler(
    Action.ADD_APPLICATION_RESULT_LINK,
    lambda call, tool, data: drafts.result_link(
        drafts.body(data, bodies.NewResultLink), tool, application=_application(call)
    ),
    addressed="application",
)
add_candidate_link = handler(
    Action.ADD_CANDIDATE_RESULT_LINK,
    lambda call, tool, data: drafts.result_link(
        drafts.body(data, bodies.NewResultLink), tool, candidate=_candidate(call)
    ),
    addressed="candidate",
)
add_tag = handler(
    Action.ADD_CANDIDATE_TAG,
    lambda call, tool, data: drafts.tag(drafts.body(data, bodies.TagChoice), _candidate(call), tool),
    addressed="candidate",
)
remove_tag = handler(
    Action.REMOVE_CANDIDATE_TAG,
    lambda call, tool, data: drafts.tag(drafts.body(data, bodies.TagChoice), _candidate(call), tool),
    addressed="candidate",
)
add_application_attachment = handler(
    Action.ADD_APPLICATION_ATTACHMENT,
    lambda call, tool, data: drafts.attachment(
        drafts.body(data, bodies.AddedAttachment), tool, application=_application(call)
    ),
    addressed="application",
)
add_candidate_attachment = handler(
    Action.ADD_CANDIDATE_ATTACHMENT,
    lambda call, tool, data: drafts.attachment(
        drafts.body(data, bodies.AddedAttachment), tool, candidate=_candidate(call)
    ),
    addressed="candidate",
)
