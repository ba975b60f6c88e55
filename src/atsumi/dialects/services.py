"""What a dialect may ask of the product. The server implements it; tests may implement it over plain lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol
from uuid import UUID

from atsumi.connector.contract import Connector
from atsumi.dialects.passthrough_services import PassthroughServices
from atsumi.dialects.spelling import Spelling
from atsumi.dialects.write_services import ActionServices, WriteServices
from atsumi.model.attachment import Attachment
from atsumi.model.names import Model
from atsumi.model.scope import EVERYTHING, Scope
from atsumi.store.feed import ChangePage
from atsumi.store.freshness import Freshness
from atsumi.store.history import Moment, Version, VersionLine
from atsumi.store.reading import ListPage, ListQuery
from atsumi.store.request_windows import Window
from atsumi.store.runs import Run, StreamProgress
from atsumi.store.unsafe import UnsafeRow

if TYPE_CHECKING:
    from atsumi.dialects.custom_fields import CustomFieldServices


class IntegrationState(StrEnum):
    """Whether an integration works: ``INVALID`` waits for new credentials, ``INACTIVE`` was switched off."""

    ACTIVE = "ACTIVE"
    INVALID = "INVALID"
    INACTIVE = "INACTIVE"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever owns the API key of a request: exactly one environment."""

    environment_id: UUID
    environment_name: str
    key_id: UUID


@dataclass(frozen=True, slots=True)
class Integration:
    """One customer's connection to one tool, as its environment may see it.

    ``number`` is the store's own key and never leaves the product. ``first_synced_at`` is ``None`` until the first
    full sync has ended; until then lists have nothing complete to show.
    """

    number: int
    public_id: UUID
    environment_id: UUID
    tool: str
    state: IntegrationState
    end_user_organization_name: str
    end_user_email: str | None
    end_user_origin_id: str | None
    created_at: datetime
    first_synced_at: datetime | None
    remote_data_enabled: bool
    config: Mapping[str, str]
    freshness: Freshness | None = None
    """How old its records may be, at the moment when it was looked up."""
    authentication_failing_since: datetime | None = None
    scope: Scope = EVERYTHING
    """What of its tool is in scope. Lists of models that are not have nothing to show."""
    scope_id: UUID | None = None
    scope_name: str | None = None
    is_rendered: bool = True
    """Whether every record has its document in the surface that asks; not while a surface is new to the integration."""


@dataclass(frozen=True, slots=True)
class RequestedSync:
    """The run that answers a wish; ``kind`` may differ from the wished one."""

    id: UUID
    kind: Literal["full", "incremental"]
    is_already_queued: bool


class ModelStatus(StrEnum):
    """How one model has come out of a run, or comes along."""

    PENDING = "PENDING"
    """Not all of what it rests on has been read yet, or believed: removals wait for a decision or for proof."""
    SYNCED = "SYNCED"
    SKIPPED = "SKIPPED"
    """The credentials lack a right, or it is out of scope."""
    FAILED = "FAILED"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    """The tool has no such model."""


@dataclass(frozen=True, slots=True)
class RunDetails:
    """One run with its streams, in reading order, and what that means for every model.

    ``progress_percent``: how much of it is done, from 0 to 99, where that is known.
    """

    run: Run
    streams: Sequence[StreamProgress]
    models: Mapping[Model, ModelStatus]
    progress_percent: int | None


class StageVisit(NamedTuple):
    """One stay of an application in a stage; ``left_at`` is ``None`` for the stage it is in."""

    stage: UUID | None
    name: str | None
    entered_at: datetime | None
    left_at: datetime | None


@dataclass(frozen=True, slots=True)
class FoundAttachment:
    """An attachment, and the type of its file as far as it is known without fetching it."""

    id: UUID
    record: Attachment
    content_type: str


@dataclass(frozen=True, slots=True)
class FoundAttachments:
    """``warning`` says why they may be older than now: the tool could not be asked."""

    items: Sequence[FoundAttachment]
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class Connected:
    """An integration with its connector token, which is secret."""

    integration: Integration
    token: str


class Access(Protocol):
    """Who may read what, and the secret of cursors: what every API surface needs. Safe to call concurrently."""

    @property
    def cursor_key(self) -> bytes:
        """Secret that signs paging cursors, the same in all processes."""
        ...

    async def authenticate(self, api_key: str) -> Caller | None:
        """The owner of a key, or ``None`` when the key is unknown, revoked or expired."""
        ...

    async def find_integration(self, caller: Caller, public_id: UUID) -> Integration | None:
        """The integration, if it belongs to the caller's environment and is not deleted."""
        ...


class HistoryServices(Access, Protocol):
    """The change log and the past of records. Every method is safe to call concurrently."""

    async def changes(
        self, integration: Integration, after: int | None, limit: int, models: Sequence[Model] | None
    ) -> ChangePage:
        """Changes after a number in commit order; see :func:`atsumi.store.feed.read_changes`.

        Raises ``NoLongerKept``.
        """
        ...

    async def latest_sequence(self, integration: Integration) -> int:
        """The number of the last committed change."""
        ...

    async def wait_for_change(self, integration: Integration, after: int, seconds: float) -> bool:
        """Wait until a change beyond a number is committed; ``False`` when none was in time."""
        ...

    async def version_at(self, integration: Integration, model: Model, id: UUID, moment: Moment | None) -> Version:
        """A record as it was; see :func:`atsumi.store.history.version_at`. Raises ``NotFound``, ``NoLongerKept``."""
        ...

    async def versions(
        self, integration: Integration, model: Model, id: UUID, limit: int, before: int | None
    ) -> tuple[Sequence[VersionLine], bool]:
        """The kept versions, newest first, and whether there are more. Raises ``NotFound``."""
        ...


class SyncServices(Access, Protocol):
    """Sync runs, as every API surface may see and request them. Every method is safe to call concurrently."""

    async def request_sync(self, integration: Integration, kind: Literal["full", "incremental"]) -> RequestedSync:
        """Ask for a run on behalf of an API caller; at most one of a kind waits or runs.

        The kind is ``full`` as long as no full run has succeeded. Raises ``Conflict`` unless the integration is active.
        """
        ...

    async def runs(self, integration: Integration, limit: int) -> Sequence[Run]:
        """The newest runs, newest first."""
        ...

    async def run(self, integration: Integration, run_id: UUID) -> RunDetails | None:
        """One run, if it is of that integration."""
        ...

    async def unsafe_changes(self, integration: Integration) -> Sequence[UnsafeRow]:
        """The large losses that wait for the operator, oldest first."""
        ...


class OwnServices(HistoryServices, SyncServices, ActionServices, Protocol):
    """What our own API shows: the change log, the past of records, times in stages, sync runs, and what tools give."""

    async def stage_visits(self, integration: Integration, application: UUID) -> Sequence[StageVisit]:
        """The stages that an application went through, as the tool recorded its moves, oldest first.

        Raises ``NotFound``.
        """
        ...

    @property
    def connectors(self) -> Mapping[str, Connector]:
        """All connectors by tool slug."""
        ...

    @property
    def spellings(self) -> Mapping[str, Spelling]:
        """What the other surfaces that are served call models and fields, by their names."""
        ...

    @property
    def custom_fields(self) -> CustomFieldServices:
        """Custom fields and the fields of tools."""
        ...


class Services(SyncServices, WriteServices, PassthroughServices, Protocol):
    """The product, as a surface with lists sees it. Every method is safe to call concurrently."""

    @property
    def public_url(self) -> str | None:
        """How clients reach the product, without a trailing slash; ``None``: as each request's Host header says."""
        ...

    @property
    def connectors(self) -> Mapping[str, Connector]:
        """All connectors by tool slug."""
        ...

    @property
    def custom_fields(self) -> CustomFieldServices:
        """Custom fields and the fields of tools."""
        ...

    async def list_page(self, integration: Integration, query: ListQuery) -> ListPage:
        """One page of one list of the calling dialect."""
        ...

    async def raw_sources(
        self, integration: Integration, model: Model, remote_ids: Sequence[str]
    ) -> Sequence[Sequence[tuple[str, bytes]]]:
        """For each record of a model, what the tool sent of it: (label of the endpoint, JSON), the main one first.

        What the tool no longer shows is left out.
        """
        ...

    def file_path(self, integration: Integration, attachment: UUID) -> str:
        """The path of a link to an attachment's file, which ends after a while; see :mod:`atsumi.dialects.links`."""
        ...

    async def attachments_of(self, integration: Integration, owner: Model, id: UUID) -> FoundAttachments:
        """The attachments of one application or candidate, as the tool has them now.

        Raises :class:`~atsumi.errors.NotFound` when there is no such application or candidate.
        """
        ...

    def as_of(self, integration: Integration, model: Model) -> datetime | None:
        """The instant that the model's list is at least as new as; ``None`` before there is one."""
        ...

    def held_back(self, integration: Integration, model: Model) -> int:
        """How many records behind the model's list the tool no longer shows; they stay until the operator decides."""
        ...

    def supported_fields(self, tool: str, model: Model) -> Mapping[str, str]:
        """The canonical fields that the tool's connector can fill for a model; empty when it has no such model."""
        ...


class TokenServices(Services, Protocol):
    """The product, as a surface sees it whose calls name an integration by a secret token."""

    async def integration_by_token(self, caller: Caller, token: str) -> Integration | None:
        """The integration whose connector token this is, if it belongs to the caller's environment and is not deleted.

        A token that was never given out and one of another environment are both answered with ``None``.
        """
        ...

    async def use_request(self, caller: Caller, integration: Integration | None) -> Window | None:
        """Count a request against the integration's budget, or against the key's where it is about none.

        ``None`` where there is no limit.
        """
        ...

    def untouched_window(self) -> Window | None:
        """The budget to show whoever is not known; ``None`` where there is no limit."""
        ...

    async def connected(
        self,
        caller: Caller,
        *,
        after: UUID | None,
        size: int,
        token: str | None = None,
        origin_id: str | None = None,
        is_active: bool | None = None,
    ) -> tuple[Sequence[Connected], UUID | None]:
        """The environment's integrations by id, at most ``size`` beyond ``after``, and where the next page begins.

        ``None`` there when this one is the last.
        """
        ...

    async def delete_integration(self, caller: Caller, public_id: UUID) -> None:
        """End all access to an integration at once; it can be restored for some days. Raises ``NotFound``."""
        ...
