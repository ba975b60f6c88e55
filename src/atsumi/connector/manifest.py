"""A tool's facts as data: what ``manifest.toml`` of a connector folder may hold.

The file is read by the running program, so a key that nobody reads cannot be written: unknown keys are refused.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Annotated, Literal, TypeAlias

import msgspec

from atsumi.connector.context import Limit, RateLimit, WindowLimit
from atsumi.errors import ConfigurationError

Text = dict[str, str]
"""A sentence for people by language (ISO 639-1); ``en`` is always there."""
_Count: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]
_Positive: TypeAlias = Annotated[float, msgspec.Meta(gt=0)]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all tables of the file."""


class FormField(_Table, frozen=True):
    """One value that an integration needs.

    Fields with ``audience = "customer"`` make up the connect form; ``"operator"`` ones are set by whoever runs the
    service and never shown to a customer. Secret values reach the connector in ``Context.credentials``, all others in
    ``Context.config``, both under ``name``.
    """

    name: str
    label: Text
    help: Text = {}
    pattern: str | None = None
    """Regular expression that a value must match as a whole."""
    is_secret: bool = False
    is_account: bool = False
    """Whether the value names the credential: the tool's request budget belongs to it, whoever connected it."""
    is_required: bool = True
    default: str | None = None
    audience: Literal["customer", "operator"] = "customer"


class Budget(_Table, frozen=True):
    """How often a bucket of requests may be used, until the tool's own headers say otherwise.

    Either a token bucket (``per_second``, ``burst``) or a window (``requests`` within any ``window_seconds``).
    """

    source: str
    """Where the figure comes from."""
    per_second: _Positive | None = None
    burst: _Count | None = None
    requests: _Count | None = None
    window_seconds: _Positive | None = None
    per: tuple[str, ...] = ()
    """Names of the fields whose values share the budget, where the tool does not count by credential."""

    @property
    def limit(self) -> Limit:
        """Raises ``ValueError`` unless exactly one of both kinds is given."""
        match self.per_second, self.burst, self.requests, self.window_seconds:
            case float(per_second), int(burst), None, None:
                return RateLimit(per_second, burst)
            case None, None, int(requests), float(seconds):
                return WindowLimit(requests, seconds)
        raise ValueError("either per_second and burst, or requests and window_seconds")


class Scope(_Table, frozen=True):
    """A right that some streams need."""

    name: str
    """The tool's own name for it."""
    label: str
    """What the customer's admin sees where the right is granted."""
    where: Text
    """How the admin gets there."""
    streams: tuple[str, ...]
    is_required: bool = False
    """Whether the integration is pointless without it."""


class Manifest(_Table, frozen=True):
    """One tool, described."""

    slug: str
    """Never changes: it is part of integration ids and of stored rows."""
    label: str
    category: Literal["ATS"]
    auth: Literal["oauth_client_credentials", "api_key", "basic"]
    check: str
    """What the connect flow calls to prove the credentials, for people to read."""
    overlap_seconds: int
    """By how much an incremental read reaches behind the start of the last one."""
    base_urls: dict[str, str]
    fields: tuple[FormField, ...]
    rate_limits: dict[str, Budget]
    """By bucket name."""
    scopes: tuple[Scope, ...] = ()
    caveats: tuple[str, ...] = ()
    docs: dict[str, str] = {}
    """Address by title."""
    languages: tuple[str, ...] = ()
    """Languages that texts of the tool are read in unless the integration says otherwise, most important first."""

    def limit(self, bucket: str) -> Limit:
        """The budget of a bucket; a bucket that the manifest does not name is a bug."""
        return self.rate_limits[bucket].limit

    def field(self, name: str) -> FormField:
        """The form field of that name; a name that the manifest does not know is a bug."""
        return next(field for field in self.fields if field.name == name)

    def scope_of(self, stream: str) -> Scope | None:
        """The right that a stream needs, if it needs one."""
        return next((scope for scope in self.scopes if stream in scope.streams), None)


def parse_manifest(content: bytes, origin: str) -> Manifest:
    """Read a manifest. Raises :class:`ConfigurationError` naming ``origin`` and the key that is unknown or wrong."""
    try:
        manifest = msgspec.toml.decode(content, type=Manifest)
    except (msgspec.DecodeError, ValueError) as error:
        raise ConfigurationError(f"{origin}: {error}") from error
    for field in manifest.fields:
        if "en" not in field.label:
            raise ConfigurationError(f"{origin}: field {field.name!r} has no English label")
    names = {field.name for field in manifest.fields}
    for bucket, budget in manifest.rate_limits.items():
        try:
            manifest.limit(bucket)
        except ValueError as error:
            raise ConfigurationError(f"{origin}: rate_limits.{bucket}: {error}") from error
        if unknown := set(budget.per) - names:
            raise ConfigurationError(f"{origin}: rate_limits.{bucket}: there is no field {sorted(unknown)[0]!r}")
    return manifest


def load_manifest(package: str) -> Manifest:
    """Read ``manifest.toml`` of a connector's package. Raises as :func:`parse_manifest`."""
    return parse_manifest(files(package).joinpath("manifest.toml").read_bytes(), f"{package}/manifest.toml")
