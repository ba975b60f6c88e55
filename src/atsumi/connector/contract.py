"""What a connector is made of, and how the sync engine uses it.

Data flow, left to right, each step a pure function of what stands before it::

    tool ──▶ Stream.pages ──▶ RawRecord ──(stored verbatim)──▶ Mapping.affected ──▶ Group
                                                    Group + its raw records ──▶ GroupRule.build ──▶ canonical records

A *raw record* is what the tool said, under (stream, remote id). A *group* is the smallest set of canonical records
that is computed together: a job with its postings, stages and hiring team; a candidate; an application. The engine
rebuilds a group whenever one of its raw records changed, and removes records that the group no longer yields.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from atsumi.connector.absences import Absences
from atsumi.connector.context import Context
from atsumi.connector.files import RemoteFile
from atsumi.connector.manifest import Manifest
from atsumi.errors import PermissionMissing
from atsumi.model.names import Model
from atsumi.model.record import Record

if TYPE_CHECKING:
    from atsumi.connector.disclosure import Disclosure
    from atsumi.connector.passthrough import PassthroughApi
    from atsumi.connector.writing import WriteAction
    from atsumi.model.actions import Action


class RawKey(NamedTuple):
    """Address of one raw record within an integration."""

    stream: str
    remote_id: str


class RawPart(NamedTuple):
    """A raw record that a canonical one comes from, with the label of the endpoint it was read from.

    With an ``element`` it is not the whole raw record, a JSON array, but the object in it with this ``id``.
    """

    label: str
    key: RawKey
    element: str | None = None


class RawPrefix(NamedTuple):
    """Address of all raw records of a stream whose remote id starts with ``prefix``."""

    stream: str
    prefix: str


class RawRecord(NamedTuple):
    """One record as the tool sent it.

    ``data`` is JSON bytes. It should be stable: the same content must give the same bytes at the next sync, because
    records are compared by a hash of them. ``unless`` makes the record a stand-in that is dropped when the raw
    record it names is stored already (a candidate's stub inside an application, unless the candidate was read).
    """

    stream: str
    remote_id: str
    data: bytes
    unless: RawKey | None = None


class Issue(NamedTuple):
    """Something odd in one record that did not stop the sync. Never holds a person's data.

    ``kind`` groups issues for counting, for example ``unknown_value``, ``malformed_record``, ``bad_timestamp``.
    ``detail`` may name an unknown vocabulary word; values of free-text fields stay out.
    """

    kind: str
    stream: str
    remote_id: str
    field: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What one answer of the tool brought.

    All records are stored in one transaction together with ``position``. ``position`` lets the same run go on after
    this page; ``None`` means that a stopped run starts this stream again (harmless, unchanged records are skipped).
    ``snapshot_of`` names raw streams of which this page holds *every* record: what is stored but missing here is
    marked as gone once a second run has missed it, too. Only single-document listings may claim that.
    ``leaving_is_news`` says that a record's absence is itself what the tool tells (a position was taken off the career
    page) and removes no main record, so that one document is enough.
    ``ends_unproven`` says that this page leaves open whether the listing showed everything (it ended with a link back
    into the listing or at a cut-off of our own, or an item was no record): what was read is good, but no deletion may
    be inferred from this read.
    ``has_gap`` says that records may have been passed over at or after this page (it was empty in the middle of the
    listing, or the end was not shown to be one): the next reads begin where this one did.
    ``is_last`` says that the listing ends with this page, so that a run which stops after it need not read any of it
    again. It counts for listings of several pages; a snapshot is a single page, and is read again.
    """

    records: Sequence[RawRecord]
    position: str | None = None
    issues: Sequence[Issue] = ()
    snapshot_of: Sequence[str] = ()
    leaving_is_news: bool = False
    ends_unproven: bool = False
    has_gap: bool = False
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """What the engine wants from a listing.

    ``since`` is ``None`` for a full read; else only records changed at or after it are needed (it is the start of
    the last complete run of this stream minus the manifest's overlap). ``position`` is the last page's position when
    a stopped run goes on.
    """

    since: datetime | None = None
    position: str | None = None


@runtime_checkable
class Stream(Protocol):
    """One listing of the tool."""

    @property
    def name(self) -> str:
        """The stream's name; its main raw records are stored under it."""
        ...

    def pages(self, context: Context, request: StreamRequest) -> AsyncIterator[Page]:
        """Read the listing page by page. Ending without an exception states that the page chain was closed.

        Raises any :class:`~atsumi.errors.ToolError`; whatever was yielded before stays stored.
        """
        ...


@runtime_checkable
class LookupStream(Protocol):
    """Records that are fetched by id, where the ids come from raw records of other streams.

    The engine hands over ids found in raw records of ``drivers`` that changed since this stream last followed them,
    and leaves out those that are held and still current (``version``). In a full run it follows all drivers, and
    fetches ids without a version again.

    A stream that costs a request per record would hold up everything else for hours, so it is a *background* stream:
    it is read in small slices whenever nothing else of the integration waits, with requests that others leave over.
    """

    @property
    def name(self) -> str: ...

    @property
    def drivers(self) -> Sequence[str]:
        """Raw streams whose records name the ids."""
        ...

    @property
    def batch_size(self) -> int:
        """How many ids one call of ``fetch`` takes at most; a stopped read repeats at most one such batch."""
        ...

    @property
    def is_background(self) -> bool:
        """Whether the stream is left to the background, so that full and incremental runs do not wait for it."""
        ...

    @property
    def foreground_limit(self) -> int:
        """How many ids a full or incremental run fetches of a background stream; more are left to the background."""
        ...

    @property
    def refresh_seconds(self) -> int | None:
        """How often the background fetches every id again, because the drivers do not tell of all changes."""
        ...

    def wanted(self, raw: RawRecord, context: Context) -> Iterable[str]:
        """The ids that this raw record of a driver stream asks for. Pure."""
        ...

    def version(self, raw: RawRecord, context: Context) -> str | None:
        """What of this driver record decides whether its ids have to be fetched again. Pure.

        An id is current when it was last fetched under the same version. ``None``: once stored, the drivers say
        nothing about it any more.
        """
        ...

    async def fetch(self, context: Context, ids: Sequence[str]) -> Page:
        """Fetch these ids. Ids that the tool does not know are simply missing from the page."""
        ...


def versions(stream: str) -> str:
    """The raw stream in which the engine keeps under which version each id of a lookup stream was last fetched."""
    return f"{stream}:version"


class RawView(Protocol):
    """Read access to the stored raw records that a group asked for in its ``sources``."""

    def get(self, stream: str, remote_id: str) -> bytes | None:
        """The record's bytes, or ``None`` when it is not stored or marked as gone."""
        ...

    def is_gone(self, stream: str, remote_id: str) -> bool:
        """Whether the record was stored once and a later snapshot no longer held it."""
        ...

    def last(self, stream: str, remote_id: str) -> bytes | None:
        """The bytes that a record marked as gone had last, or ``None`` when it is present or was never stored."""
        ...

    def under(self, stream: str, prefix: str) -> Mapping[str, bytes]:
        """All present records of the stream whose remote id starts with ``prefix``, in remote id order."""
        ...


@dataclass(frozen=True, slots=True)
class MappingContext:
    """What a mapping may know besides raw records: the integration's public settings. No clock, no randomness."""

    config: Mapping[str, str]


class Group(NamedTuple):
    """The root model and remote id of a set of records that are computed together."""

    model: Model
    key: str


@dataclass(frozen=True, slots=True)
class Built:
    """The canonical records of one group, complete: what is missing here is removed from the store.

    ``erased`` gives the content to keep of raw records whose person the tool has erased: the engine replaces the
    stored bytes at once (the tool may go on showing more) and drops the history of the group's records.
    """

    records: Sequence[Record]
    issues: Sequence[Issue] = ()
    erased: Mapping[RawKey, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GroupRule:
    """How the records of one kind of group come to be.

    ``sources`` names the raw records that ``build`` reads. It is called again with what the first answer brought, so
    that it can follow a reference (a job's category); it must settle within three calls.
    ``is_linked`` says that some sources cannot be found from a raw record alone (a category does not name its jobs):
    the engine then remembers the sources of each group and rebuilds it when one of them changes.
    """

    model: Model
    members: frozenset[Model]
    sources: Callable[[str, RawView, MappingContext], Iterable[RawKey | RawPrefix]]
    build: Callable[[str, RawView, MappingContext], Built]
    is_linked: bool = False


@dataclass(frozen=True, slots=True)
class Derivation:
    """Fields of a record that follow from the records pointing at it.

    ``apply`` gets the stored record and all present records of ``children_model`` whose ``reference`` field names it,
    and returns the record with the derived ``fields`` set (they must depend on nothing else in the record).
    """

    model: Model
    children_model: Model
    reference: str
    fields: frozenset[str]
    apply: Callable[[Record, Sequence[Record]], Record]


@dataclass(frozen=True, slots=True)
class RecordMapping:
    """All of a connector's mapping: pure functions without I/O, clock or randomness.

    ``affected`` names the groups that a raw record feeds directly (linked sources are found by the engine).
    ``remote_data`` names per model, for one canonical record, the raw records to show as ``remote_data``, the main one
    first, each under its own label. Records of a model that is not listed have no raw data of their own.
    ``coverage`` lists per model the fields that this connector can fill, and how sure that is; models and fields not
    listed are not offered by the tool, and ``absences`` says why.
    ``rests_on`` names per model the streams whose last complete read says how fresh its list is; a model that is not
    listed rests on all streams. ``made_of`` names those of them that make the model's records rather than add details:
    until each was read, nothing is said of how fresh the list is.
    """

    rules: Mapping[Model, GroupRule]
    affected: Callable[[RawRecord, MappingContext], Iterable[Group]]
    remote_data: Mapping[Model, Callable[[Record, MappingContext], Sequence[RawPart]]]
    coverage: Mapping[Model, Mapping[str, str]]
    absences: Absences = field(default_factory=Absences)
    derivations: Sequence[Derivation] = ()
    rests_on: Mapping[Model, frozenset[str]] = field(default_factory=dict)
    made_of: Mapping[Model, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Account:
    """Who the credentials belong to: ``id`` is stable and recognises the same customer again.

    ``lacks`` are rights without which the integration works but stays incomplete, each as the error that reading
    would raise; the connect flow shows them and lets the customer go on.
    """

    id: str
    name: str
    lacks: Sequence[PermissionMissing] = ()


class Presence(Enum):
    """What asking for one record by its id has shown."""

    PRESENT = "present"
    GONE = "gone"
    UNKNOWN = "unknown"
    """The answer says nothing about the record; it counts as present until something else proves that it is gone."""


class Probe(NamedTuple):
    """The answer to asking for one record. ``records`` holds it, with its observations, when it is present."""

    presence: Presence
    records: Sequence[RawRecord] = ()


class ApplicationFacts(NamedTuple):
    """What a sync mode needs to know of a raw application; ``None`` where the record does not say."""

    candidate_remote_id: str | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What the engine needs to keep only some applications and the people behind them (sync modes).

    ``subject`` names the application or candidate that a raw record tells of; a group with an empty key for a record
    that may hold a person's data but names nobody; ``None`` for what holds no person's data. ``facts`` reads a raw
    record of the ``applications`` stream.
    """

    applications: str
    candidates: str
    subject: Callable[[RawRecord], Group | None]
    facts: Callable[[RawRecord, MappingContext], ApplicationFacts]


@dataclass(frozen=True, slots=True)
class Connector:
    """One tool, assembled. ``streams`` are read in order: parents before what refers to them."""

    manifest: Manifest
    streams: Sequence[Stream | LookupStream]
    mapping: RecordMapping
    check: Callable[[Context], Awaitable[Account]]
    """Prove that the credentials work.

    Raises ``AuthenticationFailed``, ``PermissionMissing`` (a right that is indispensable) or another ToolError, and
    ``InvalidInput`` with the form field's name as its path when a single field is to blame.
    """
    required_streams: frozenset[str] = field(default_factory=frozenset)
    """Streams without which a run has failed rather than partially failed."""
    probe: Callable[[Context, str, str], Awaitable[Probe]] | None = None
    """Ask for one record of a stream by its remote id.

    ``GONE`` only when the tool itself says that it does not know the record; a refused, misrouted or failed request
    is never that. Raises any :class:`~atsumi.errors.ToolError`, which proves nothing.
    """
    narrowing: Narrowing | None = None
    """Without it every integration keeps all records."""
    disclosure: Disclosure | None = None
    """What raw records tell; without it they are kept whole, whatever an integration's scope leaves out."""
    samples: Callable[[Model], Mapping[str, object] | None] | None = None
    """An example of a model's raw document, with nobody's data, for looking at fields before anything was read."""
    files_stream: str | None = None
    """The lookup stream that fetches which files an application has, by the application's remote id."""
    open_file: Callable[[Context, str], AbstractAsyncContextManager[RemoteFile]] | None = None
    """Open the content of an attachment by its remote id; ``None`` for a tool that gives no files.

    Raises :class:`~atsumi.errors.FileNotReady` while the tool holds it back,
    :class:`~atsumi.errors.RemoteRejected` when it does not know the file, and any other ToolError.
    """
    actions: Mapping[Action, WriteAction] = field(default_factory=dict)
    """The writes that the tool can do."""
    passthrough: Mapping[str, PassthroughApi] = field(default_factory=dict)
    """The tool's APIs to which callers may send requests of their own, by name."""

    def streams_behind(self, model: Model) -> frozenset[str]:
        """The streams that a model's list rests on."""
        return self.mapping.rests_on.get(model) or frozenset(stream.name for stream in self.streams)
