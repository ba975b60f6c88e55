"""Every operation of our own API, as one table: the router and the OpenAPI document both read it."""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

import msgspec
from starlette.types import Scope

from atsumi.actions.requests import ActionState
from atsumi.dialects.atsumi import action_wire, actions, fields, runs, stages, tools, wire
from atsumi.dialects.atsumi.call import Call
from atsumi.dialects.atsumi.cursor import read_cursor, write_cursor
from atsumi.dialects.atsumi.errors import IntegrationNotFound
from atsumi.dialects.atsumi.parameters import (
    MODEL_BY_NAME,
    Parameter,
    models,
    moment,
    our_id,
    read_query,
    sequence,
    text,
    whole_number,
    word,
)
from atsumi.dialects.http import authenticate, header, integration_spelled
from atsumi.dialects.services import Caller, Integration, IntegrationState, OwnServices
from atsumi.errors import InvalidInput, NotFound, NotReady
from atsumi.model.catalog import MODELS, STRUCTS
from atsumi.model.ids import to_base58
from atsumi.model.names import Model
from atsumi.store.feed import ChangeLine
from atsumi.store.history import Version
from atsumi.sync.codec import targets

INTEGRATION_HEADER = "X-Integration-Id"
INTEGRATION = "integration_id"
"""Its name where a path holds it."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One path with one method; ``answer`` is the struct of a 200."""

    method: str
    path: str
    id: str
    tag: str
    summary: str
    description: str
    handler: Callable[[Call], Awaitable[msgspec.Struct]]
    answer: type[msgspec.Struct]
    parameters: tuple[Parameter, ...] = ()
    reads_records: bool = True
    """Refused while the integration is switched off."""
    is_about_integration: bool = True

    @property
    def names_integration(self) -> bool:
        """Whether the path does, instead of the header."""
        return f"{{{INTEGRATION}}}" in self.path


async def serve(services: OwnServices, operation: Operation, scope: Scope, path: Mapping[str, str]) -> bytes:
    """Answer one request. Data that was stored stays readable while new credentials are awaited.

    Raises the errors that :func:`~atsumi.dialects.atsumi.errors.error_answer` knows.
    """
    caller = await authenticate(services, scope)
    integration = (
        await _integration(services, operation, caller, scope, path) if operation.is_about_integration else None
    )
    query = read_query(operation.parameters, scope["query_string"])
    return msgspec.json.encode(await operation.handler(Call(services, path, query, integration)))


async def _integration(
    services: OwnServices, operation: Operation, caller: Caller, scope: Scope, path: Mapping[str, str]
) -> Integration:
    spelled = path.get(INTEGRATION)
    if spelled is None:
        sent = header(scope, INTEGRATION_HEADER.lower().encode())
        if sent is None:
            raise IntegrationNotFound(f"Name the integration in the header {INTEGRATION_HEADER}.")
        spelled = sent.decode("latin-1").strip()
    integration = await integration_spelled(services, caller, spelled)
    if integration is None:
        raise IntegrationNotFound("There is no integration with this id in the environment of your API key.")
    if operation.reads_records and integration.state is IntegrationState.INACTIVE:
        raise NotReady("This integration is switched off. Switch it on to read from it.")
    return integration


async def _changes(call: Call) -> wire.ChangeList:
    services, integration, query = call.services, call.integration, call.query
    deadline = get_running_loop().time() + query["wait_seconds"]
    after: int | None = None
    if query["cursor"] is not None:
        if query["start"] is not None:
            raise InvalidInput("`start` is for requests without a `cursor`.", path="start")
        after = read_cursor(services.cursor_key, integration.public_id, query["cursor"])
    elif query["start"] == "latest":
        after = await services.latest_sequence(integration)
    page = await services.changes(integration, after, query["limit"], query["models"])
    while not page.changes and not page.has_more and (left := deadline - get_running_loop().time()) > 0:
        if await services.wait_for_change(integration, page.position, left):
            page = await services.changes(integration, page.position, query["limit"], query["models"])
    return wire.ChangeList(
        items=[_change(line) for line in page.changes],
        cursor=write_cursor(services.cursor_key, integration.public_id, page.position),
        has_more=page.has_more,
    )


def _change(line: ChangeLine) -> wire.Change:
    return wire.Change(
        sequence=line.seq,
        model=MODELS[line.model],
        id=to_base58(line.id),
        uuid=str(line.id),
        kind=_kind(line.kind),
        changed_at=line.changed_at,
    )


def _kind(number: int) -> wire.Kind:
    return wire.KINDS[number - 1]


async def _record(call: Call) -> wire.RecordState:
    model, id = _addressed(call)
    found = await call.services.version_at(call.integration, model, id, call.query["as_of"])
    record = msgspec.json.decode(found.data, type=STRUCTS[model])
    return wire.RecordState(
        model=model,
        id=to_base58(id),
        uuid=str(id),
        sequence=found.seq,
        changed_at=found.changed_at,
        deleted_at=found.deleted_at,
        record=msgspec.Raw(found.data),
        references={
            field: [to_base58(id) for id in ids] if isinstance(getattr(record, field), list) else to_base58(ids[0])
            for field in record.references
            if (ids := targets(call.integration.public_id, record, field))
        },
    )


async def _versions(call: Call) -> wire.VersionList:
    model, id = _addressed(call)
    lines, has_more = await call.services.versions(
        call.integration, model, id, call.query["limit"], call.query["before"]
    )
    return wire.VersionList(
        model=model,
        id=to_base58(id),
        uuid=str(id),
        items=[
            wire.Version(
                sequence=line.seq,
                kind=_kind(line.kind) if line.kind is not None else None,
                changed_at=line.changed_at,
                deleted_at=line.deleted_at,
            )
            for line in lines
        ],
        has_more=has_more,
    )


async def _difference(call: Call) -> wire.Difference:
    model, id = _addressed(call)
    old = await call.services.version_at(call.integration, model, id, call.query["from"])
    new = await call.services.version_at(call.integration, model, id, call.query["to"])
    before, after = msgspec.json.decode(old.data), msgspec.json.decode(new.data)
    return wire.Difference(
        model=model,
        id=to_base58(id),
        uuid=str(id),
        from_=_moment(old),
        to=_moment(new),
        changes=[
            wire.FieldChange(field=field, before=before.get(field), after=after.get(field))
            for field in sorted(before.keys() | after.keys())
            if before.get(field) != after.get(field)
        ],
    )


def _moment(version: Version) -> wire.Moment:
    return wire.Moment(sequence=version.seq, changed_at=version.changed_at, deleted_at=version.deleted_at)


def _addressed(call: Call) -> tuple[Model, UUID]:
    """Model and id of the path; the id in either spelling. Raises :class:`NotFound`."""
    model = MODEL_BY_NAME.get(call.path["model"])
    if model is None:
        raise NotFound(f"There is no such model. Known: {', '.join(MODEL_BY_NAME)}.", path="model")
    return model, call.id("id", "record")


_CURSOR = text("cursor", "`cursor` of the answer before; without one the feed begins with the oldest change kept.")
_START = word(
    "start", "Without a cursor: where to begin. `latest` skips all changes committed so far.", ("oldest", "latest")
)
_LIMIT = whole_number("limit", "How many changes an answer holds at most.", 1, 1000, 100)
_MODELS = models("models", "Only changes of these models, separated by commas. The cursor moves past all others.")
_WAIT = whole_number("wait_seconds", "Where there is nothing yet: how long to wait for a change.", 0, 30, 0)

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "GET",
        "/changes",
        "ListChanges",
        "Changes",
        "Follow changes",
        "Every change of the integration's records in commit order. A reader who always goes on from the last cursor "
        "is shown each change exactly once and misses none, whatever is written meanwhile. Changes are kept for a "
        "limited time; a cursor that is older is answered with 410 `no_longer_kept`. Then take a new cursor with "
        "`start=latest`, read the records anew, and go on from that cursor.",
        _changes,
        wire.ChangeList,
        (_CURSOR, _START, _LIMIT, _MODELS, _WAIT),
    ),
    Operation(
        "GET",
        "/records/{model}/{id}",
        "GetRecord",
        "Records",
        "Read a record, now or as it was",
        "The canonical record. With `as_of` the version that was valid at that moment: 404 if the record did not exist "
        "then, 410 if that version is no longer kept.",
        _record,
        wire.RecordState,
        (moment("as_of", "An instant, or the sequence number of a change, which is included."),),
    ),
    Operation(
        "GET",
        "/records/{model}/{id}/versions",
        "ListVersions",
        "Records",
        "List a record's versions",
        "The versions that are kept, the present one first.",
        _versions,
        wire.VersionList,
        (
            whole_number("limit", "How many versions an answer holds at most.", 1, 1000, 100),
            sequence("before", "Only versions older than this one."),
        ),
    ),
    Operation(
        "GET",
        "/records/{model}/{id}/diff",
        "CompareVersions",
        "Records",
        "Compare a record at two moments",
        "The fields whose values differ. Both moments are read as in `as_of`.",
        _difference,
        wire.Difference,
        (
            moment("from", "The one moment.", is_required=True),
            moment("to", "The other moment; the present if left out."),
        ),
    ),
    Operation(
        "GET",
        "/applications/{id}/stages",
        "ListStages",
        "Applications",
        "See how long an application was in each stage",
        "The stages that an application went through, oldest first, with the seconds in each. Moves are read in the "
        "background after a sync has seen that an application changed; until then, and without the right for them, "
        "there are none.",
        stages.list_stages,
        wire.StageVisitList,
    ),
    Operation(
        "GET",
        "/integrations/{integration_id}/runs",
        "ListRuns",
        "Sync runs",
        "List sync runs",
        "The newest sync runs, newest first, and how fresh the integration's records are.",
        runs.list_runs,
        wire.RunList,
        (whole_number("limit", "How many runs an answer holds at most.", 1, 100, 20),),
        reads_records=False,
    ),
    Operation(
        "GET",
        "/runs/{run_id}",
        "GetRun",
        "Sync runs",
        "Look at a sync run",
        "One run with its streams in reading order, and what that means for every model.",
        runs.get_run,
        wire.RunDetails,
        reads_records=False,
    ),
    Operation(
        "GET",
        "/actions",
        "ListActions",
        "Actions",
        "List actions",
        "The writes that API callers wanted, whatever surface they used, newest first. Each is shown for 30 days after "
        "it ended. What is written is not shown.",
        actions.list_actions,
        action_wire.ActionList,
        (
            whole_number("limit", "How many actions an answer holds at most.", 1, 100, 20),
            word("state", "Only actions in this state.", [state.value for state in ActionState]),
            our_id("before", "Only actions older than this one."),
        ),
        reads_records=False,
    ),
    Operation(
        "GET",
        "/actions/{action_id}",
        "GetAction",
        "Actions",
        "Look at an action",
        "How far a write is and what came of it: the status of a request that was sent with `Prefer: respond-async`, "
        "or that ended in an error. 404 for the action of another integration.",
        actions.get_action,
        action_wire.ActionReceipt,
        reads_records=False,
    ),
    Operation(
        "GET",
        "/integrations/{integration_id}/fields",
        "ListFields",
        "Fields",
        "List the fields that the tool has",
        "Every field met in the tool's records while syncing, with its types and in how many records it was met. At "
        "most 1,000 fields of a model are noted.",
        fields.list_fields,
        wire.FieldList,
        (
            text("cursor", "`cursor` of the page before."),
            whole_number("limit", "How many fields an answer holds at most.", 1, 1000, 100),
            models("models", "Only fields of these models, separated by commas."),
        ),
        reads_records=False,
    ),
    Operation(
        "GET",
        "/tools",
        "ListTools",
        "Tools",
        "List tools",
        "The tools that can be connected, each with the models that it gives.",
        tools.list_tools,
        wire.ToolList,
        is_about_integration=False,
    ),
    Operation(
        "GET",
        "/tools/{tool}",
        "GetTool",
        "Tools",
        "What a tool gives",
        "Every model and field of ours: whether the tool gives it, how sure that is, and if it does not, why; what the "
        "other surfaces call it; which listings it rests on, and which rights the credentials need. Made from the "
        "connector, so nothing is claimed that no code fills.",
        tools.get_tool,
        wire.ToolDetails,
        is_about_integration=False,
    ),
)
