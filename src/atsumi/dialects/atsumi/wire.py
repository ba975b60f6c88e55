"""Every document of this API, as typed structs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from atsumi.model.names import Model

Id = Annotated[str, msgspec.Meta(min_length=24, max_length=24, description="24 characters of base58.")]
Sequence = Annotated[int, msgspec.Meta(ge=1, description="The number of a change within its integration.")]
Kind = Literal["created", "updated", "deleted", "revived"]
KINDS: tuple[Kind, ...] = ("created", "updated", "deleted", "revived")
"""In the order of their stored numbers, which begin with 1."""


class Change(msgspec.Struct, kw_only=True):
    """One change of one record. ``id`` and ``uuid`` are two spellings of the same id."""

    sequence: Sequence
    model: Model
    id: Id
    uuid: str
    kind: Kind
    changed_at: datetime


class ChangeList(msgspec.Struct, kw_only=True):
    """Changes in the order in which they were committed.

    ``cursor`` is always there: the next request goes on from it, also at the end, and also when ``items`` is empty.
    ``has_more`` tells that something beyond it is stored already, whether or not it passes the filter.
    """

    items: list[Change]
    cursor: str
    has_more: bool


class RecordState(msgspec.Struct, kw_only=True):
    """A record at one moment.

    ``record`` holds the canonical fields; those that are unknown or have their usual value are left out.
    ``references`` holds our ids of the records that it names by their ``*_remote_id`` or ``*_remote_ids``, by field.
    ``deleted_at`` is set while the record was gone from the tool. ``sequence`` is the change that brought this state
    about.
    """

    model: Model
    id: Id
    uuid: str
    sequence: Sequence
    changed_at: datetime
    deleted_at: datetime | None
    record: msgspec.Raw
    references: dict[str, str | list[str]]


class Version(msgspec.Struct, kw_only=True):
    """One state that a record was in from ``changed_at`` until the next. ``kind`` is ``null`` if no longer known."""

    sequence: Sequence
    kind: Kind | None
    changed_at: datetime
    deleted_at: datetime | None


class VersionList(msgspec.Struct, kw_only=True):
    """The versions that are kept, the present one first. Older ones are read with ``before`` the last sequence."""

    model: Model
    id: Id
    uuid: str
    items: list[Version]
    has_more: bool


class FieldChange(msgspec.Struct, kw_only=True):
    """A canonical field with its two values; ``null`` where it is unknown or has its usual value."""

    field: str
    before: Any
    after: Any


class Moment(msgspec.Struct, kw_only=True):
    """Which state of the record one side of a comparison is."""

    sequence: Sequence
    changed_at: datetime
    deleted_at: datetime | None


class Difference(msgspec.Struct, kw_only=True):
    """What differs between two states of a record, by field, in the order of the fields' names."""

    model: Model
    id: Id
    uuid: str
    from_: Moment = msgspec.field(name="from")
    to: Moment
    changes: list[FieldChange]


class StageVisit(msgspec.Struct, kw_only=True):
    """One stay of an application in a stage; ``left_at`` is ``null`` for the stage it is in.

    ``seconds`` is how long it lasted, up to ``counted_until`` for the stage it is in; ``null`` where the tool does not
    say when it began. A stage that is entered again has another entry.
    """

    stage_id: Id | None
    stage_uuid: str | None
    name: str | None
    entered_at: datetime | None
    left_at: datetime | None
    seconds: Annotated[int, msgspec.Meta(ge=0)] | None


class StageVisitList(msgspec.Struct, kw_only=True):
    """The stages that an application went through, oldest first. ``id`` and ``uuid`` are those of the application."""

    id: Id
    uuid: str
    items: list[StageVisit]
    counted_until: datetime


EndState = Literal["SUCCEEDED", "PARTIALLY_FAILED", "FAILED", "AUTHENTICATION_FAILED", "CANCELLED", "TIMED_OUT"]
RunState = Literal["QUEUED", "RUNNING", EndState]
SyncState = Literal["PENDING", "SYNCING", "WAITING", EndState]


StreamProgressState = Literal["PENDING", "READING", "COMPLETE", "FAILED", "SKIPPED"]


class Run(msgspec.Struct, kw_only=True):
    """One sync run.

    ``next_at`` is when an open run goes on at the earliest; it lies ahead while the run waits for the tool, and
    ``message`` says why. ``message`` of an ended run says what went wrong and who acts next.
    """

    id: Id
    uuid: str
    kind: Literal["full", "incremental", "background", "remap"]
    requested_by: Literal["connect", "schedule", "api", "operator", "background"]
    state: RunState
    attempts: int
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    next_at: datetime | None
    message: str | None


class UnsafeChange(msgspec.Struct, kw_only=True):
    """A large loss that the operator has to decide about; until then the records stay.

    A complete read of ``stream`` (``listing`` where that is one document with several kinds of records) by the run
    ``run_id`` did not show ``missing`` of ``stored`` records. ``sample`` holds what the tool said of some of them, by
    its ids. ``as_of`` is the start of the last read that still agreed with what is stored: what the lists concerned
    are at least as new as.
    """

    id: str
    stream: str
    listing: str
    missing: int
    stored: int
    run_id: Id
    sample: dict[str, Literal["gone", "unknown"]]
    as_of: datetime | None
    found_at: datetime


class RunList(msgspec.Struct, kw_only=True):
    """Runs, newest first, with the integration's present state and when it is synced next (``null``: paused).

    ``unsafe_changes`` wait for the operator, oldest first, whatever later runs have brought.
    """

    items: list[Run]
    unsafe_changes: list[UnsafeChange]
    sync_state: SyncState
    next_sync_at: datetime | None


class StreamState(msgspec.Struct, kw_only=True):
    """How far one listing of the tool has been read.

    ``has_gap``: the tool's pages may have passed over records; the next reads begin where this one did.
    """

    stream: str
    state: StreamProgressState
    pages: int
    records_seen: int
    records_changed: int
    issues: int
    has_gap: bool
    message: str | None


class RunDetails(Run, kw_only=True):
    """One run with its streams. ``models`` tells for each model whether all of it has been brought.

    What this run does not read counts as the last run that did has left it: files and recorded moves are read in the
    background. ``PENDING`` is also what was read but misses so much that it is not believed yet; ``SKIPPED`` what the
    credentials have no right to, or what is out of scope. ``unsafe_changes`` were found by this run and still wait for
    the operator. ``progress_percent`` is how much of a full run under way is done, by what the last one has read;
    ``null`` where that is not known.
    """

    streams: list[StreamState]
    unsafe_changes: list[UnsafeChange]
    progress_percent: Annotated[int, msgspec.Meta(ge=0, le=99)] | None
    models: dict[str, Literal["PENDING", "SYNCED", "SKIPPED", "FAILED", "NOT_SUPPORTED"]]


class ToolField(msgspec.Struct, kw_only=True):
    """A field met in what the tool sends of a model's records. No value of it is kept.

    ``path`` is a JMESPath over the raw record, ``types`` are the JSON types that were met. It was met in ``records`` of
    ``records_of_model`` records, which are counted as they first came; ``share`` is the one by the other, at most 1,
    and ``null`` where none was counted. ``is_passthrough`` tells whether it is handed on with the records.
    """

    id: Id
    uuid: str
    model: Model
    path: str
    types: list[str]
    records: Annotated[int, msgspec.Meta(ge=0)]
    records_of_model: Annotated[int, msgspec.Meta(ge=0)]
    share: Annotated[float, msgspec.Meta(ge=0, le=1)] | None
    is_passthrough: bool


class FieldList(msgspec.Struct, kw_only=True):
    """Fields by model and path. ``cursor`` is ``null`` on the last page."""

    items: list[ToolField]
    cursor: str | None


Support = Literal["supported", "inferred", "not_offered", "configured"]
Evidence = Literal["confirmed", "single_lineage", "one_report", "inferred"]


class SpelledField(msgspec.Struct, kw_only=True):
    """What one surface calls a field.

    ``names`` are fields of its documents, as ``list.field``; a list alone means that it is worked into its documents.
    ``reason`` says why there are none.
    """

    names: list[str]
    reason: str | None


class FieldSupport(msgspec.Struct, kw_only=True):
    """Whether a tool gives one field.

    ``supported``: the tool says it. ``inferred``: we read it out of what the tool says, and ``reason`` says of what.
    ``not_offered``: it stays empty, ``reason`` says why. ``configured``: it holds what is mapped or chosen for an
    integration. ``evidence`` is how well the field of the tool is known: ``confirmed`` by the vendor or by two
    independent clients, from a ``single_lineage`` of clients, from ``one_report``, or ``inferred``.
    """

    field: str
    status: Support
    evidence: Evidence | None
    reason: str | None
    surfaces: dict[str, SpelledField]


class ModelSupport(msgspec.Struct, kw_only=True):
    """Whether a tool gives one model, with all of its fields.

    ``streams`` are the listings of the tool that it rests on, ``permissions`` the rights that those need, ``lists`` the
    paths under which each surface shows it on its own.
    """

    model: Model
    status: Literal["supported", "not_offered"]
    reason: str | None
    streams: list[str]
    permissions: list[str]
    lists: dict[str, list[str]]
    fields: list[FieldSupport]


class Permission(msgspec.Struct, kw_only=True):
    """A right that the tool's credentials need for some listings; without one that ``is_required`` nothing works."""

    name: str
    label: str
    where: str
    streams: list[str]
    is_required: bool


class EmptyList(msgspec.Struct, kw_only=True):
    """A list of one surface that stays empty, with the fields that its documents would have."""

    surface: str
    path: str
    reason: str
    fields: list[str]


class ToolDetails(msgspec.Struct, kw_only=True):
    """One tool. ``caveats`` are what else one should know of it; ``docs`` are the vendor's pages by title.

    ``empty_lists`` and the ``lists`` of all models are together all lists of all surfaces.
    """

    tool: str
    label: str
    category: str
    docs: dict[str, str]
    caveats: list[str]
    permissions: list[Permission]
    models: list[ModelSupport]
    empty_lists: list[EmptyList]


class Tool(msgspec.Struct, kw_only=True):
    """One tool with the models that it gives."""

    tool: str
    label: str
    category: str
    models: list[Model]


class ToolList(msgspec.Struct, kw_only=True):
    """All tools, by slug."""

    items: list[Tool]


Code = Literal[
    "invalid_input",
    "authentication_required",
    "integration_not_found",
    "not_found",
    "method_not_allowed",
    "not_ready",
    "no_longer_kept",
    "timed_out",
    "internal_error",
]


class Problem(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Every error, as a problem document (RFC 9457). ``code`` is for programs, ``detail`` for people.

    ``parameter`` names the part of the request that is to blame, if one is.
    """

    type: str
    title: str
    status: int
    code: Code
    detail: str
    parameter: str | None = None
