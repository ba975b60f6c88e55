"""Every error the product raises on purpose, sorted by who acts next.

::

    AtsumiError
    ├── ConfigurationError        operator: refuse to start, name the key
    ├── CallerError               API caller: a 4xx with the field's path, never logged as a fault
    │   ├── InvalidInput
    │   │   ├── AddressRefused    a URL that leads where nothing is fetched from
    │   │   └── FetchFailed       a URL whose host gave nothing that can be used
    │   ├── NotFound
    │   ├── NoLongerKept          it existed, but is older than what is kept
    │   ├── Conflict
    │   │   └── InProgress        the same request is being carried out; ask again after ``seconds``
    │   ├── TooManyActions        as many writes as are allowed are under way
    │   ├── AuthenticationRequired
    │   ├── NotReady              the integration cannot answer yet; the message says what it waits for
    │   └── UnsupportedByTool     names the tool and the capability
    ├── ToolError                 raised while talking to a tool; carries where and what
    │   ├── AuthenticationFailed  customer: no retry, the integration needs new credentials
    │   ├── PermissionMissing     customer's admin: names the scope; the stream is skipped
    │   ├── RateLimited           nobody: wait until ``retry_at``
    │   ├── RemoteUnavailable     nobody: wait, then retry
    │   ├── FileNotReady          nobody: ask for the file later
    │   ├── OutcomeUnknown        nobody: the tool may have done it, which is found out before it is asked again
    │   ├── RemoteRejected        API caller: the tool's own message is passed on
    │   │   ├── AlreadyExists     the tool has such an application
    │   │   └── JobClosed         nobody can apply for the job
    │   └── UnexpectedResponse    maintainers: the stream stops, its checkpoint stays
    ├── MappingError              maintainers: the raw record is kept, an issue is counted
    ├── StaleToken                nobody: another worker owns the run now, this one stops
    ├── UnsafeChange              operator: nothing is applied until confirmed
    └── DeliveryFailed            webhook consumer: the next delivery is scheduled

A bug is none of these and stays an ordinary exception.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class AtsumiError(Exception):
    """Base of all errors raised on purpose."""


class ConfigurationError(AtsumiError):
    """A setting is missing, unknown or wrong; the message names the key. The operator acts."""


class CallerError(AtsumiError):
    """The API caller sent something that cannot be served; ``path`` points at the field, if one is to blame."""

    def __init__(self, message: str, *, path: str | None = None) -> None:
        super().__init__(message)
        self.path = path


class InvalidInput(CallerError):
    """A value is missing, malformed or out of range."""


class AddressRefused(InvalidInput):
    """A URL breaks a rule on what is fetched; the message names the rule, never what is in the operator's network."""


class FetchFailed(InvalidInput):
    """What a caller's URL names cannot be had: nobody answers, or not in time, or not with what was expected."""


class NotFound(CallerError):
    """The thing addressed does not exist for this caller."""


class NoLongerKept(CallerError):
    """The thing addressed existed, but is older than what is kept."""


class Conflict(CallerError):
    """The request contradicts the present state."""


class InProgress(Conflict):
    """The same request is being carried out. Asking again after ``seconds`` gives its answer."""

    def __init__(self, message: str, *, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


class TooManyActions(CallerError):
    """As many writes as one integration may have at the same time, ``limit``, are under way."""

    def __init__(self, message: str, *, limit: int) -> None:
        super().__init__(message)
        self.limit = limit


class AuthenticationRequired(CallerError):
    """The caller's own key is missing, wrong, revoked or expired."""


class NotReady(CallerError):
    """The integration cannot answer yet: its first sync has not finished, or it is switched off."""


class UnsupportedByTool(CallerError):
    """The tool behind the integration cannot do this; the message names tool and capability."""


@dataclass(frozen=True, slots=True)
class RemoteCall:
    """Where a tool's answer came from. Holds no secret and no person's data: ``url`` is redacted by its maker."""

    tool: str
    operation: str
    method: str
    url: str
    status: int | None = None


class ToolError(AtsumiError):
    """Something went wrong between us and a tool.

    The message starts with the tool and the operation and ends with who acts next, for example
    ``personio: list candidates: 403, the credential lacks "Recruiting: read"``.
    ``remote_message`` is the tool's own text, if it gave one.
    """

    def __init__(self, call: RemoteCall, message: str, *, remote_message: str | None = None) -> None:
        status = f"{call.status}, " if call.status is not None else ""
        super().__init__(f"{call.tool}: {call.operation}: {status}{message}")
        self.call = call
        self.remote_message = remote_message


class AuthenticationFailed(ToolError):
    """The tool refuses the credentials. Retrying cannot help; the customer must reconnect."""


class PermissionMissing(ToolError):
    """The credentials are valid but lack a right. ``scope`` is the tool's name for it."""

    def __init__(
        self, call: RemoteCall, message: str, *, scope: str | None = None, remote_message: str | None = None
    ) -> None:
        super().__init__(call, message, remote_message=remote_message)
        self.scope = scope


class RateLimited(ToolError):
    """The tool's budget is used up until ``retry_at`` (aware UTC)."""

    def __init__(
        self, call: RemoteCall, message: str, *, retry_at: datetime, remote_message: str | None = None
    ) -> None:
        super().__init__(call, message, remote_message=remote_message)
        self.retry_at = retry_at


class RemoteUnavailable(ToolError):
    """The tool cannot be reached or failed on its side (5xx, time-out, broken connection).

    ``is_unsent`` says that the request certainly never reached it: there was no connection. Of a request that was
    repeated, it tells of the last attempt only.
    """

    def __init__(
        self, call: RemoteCall, message: str, *, remote_message: str | None = None, is_unsent: bool = False
    ) -> None:
        super().__init__(call, message, remote_message=remote_message)
        self.is_unsent = is_unsent


class FileNotReady(ToolError):
    """The tool holds a file back for now, for example until its virus scan has passed."""


class OutcomeUnknown(ToolError):
    """A request that changes something was sent, and whether the tool has done it cannot be told yet."""


class Problem(NamedTuple):
    """One thing that a tool finds wrong: the field of the draft, if it names one, the tool's code and its words."""

    path: str | None
    reason: str
    message: str | None = None


class RemoteRejected(ToolError):
    """The tool understood the request and said no; ``problems`` are all that it found, if it tells."""

    def __init__(
        self,
        call: RemoteCall,
        message: str,
        *,
        remote_message: str | None = None,
        problems: Sequence[Problem] = (),
    ) -> None:
        super().__init__(call, message, remote_message=remote_message)
        self.problems = tuple(problems)


class AlreadyExists(RemoteRejected):
    """The tool has an application of this person for this job."""


class JobClosed(RemoteRejected):
    """Nobody can apply for the job: it is not published, or was closed."""


class UnexpectedResponse(ToolError):
    """The tool's answer does not have the documented shape.

    ``shape`` describes what came instead by keys and types, never by values.
    """

    def __init__(self, call: RemoteCall, message: str, *, shape: str | None = None) -> None:
        super().__init__(call, message)
        self.shape = shape


class MappingError(AtsumiError):
    """A raw record could not be turned into a canonical one. Names the record and the field, never a value."""


class StaleToken(AtsumiError):
    """A newer owner holds the run's fencing token: nothing of this transaction may be kept."""


class UnsafeChange(AtsumiError):
    """A run would remove more than the set share of records; it waits for the operator."""


class DeliveryFailed(AtsumiError):
    """A webhook consumer did not acknowledge an event."""
