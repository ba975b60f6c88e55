"""The settings: one class that the program reads and that the reference in ``docs/configuration.md`` is made from.

A value comes from the first of these that has it:

1. the command line (``overrides``),
2. the environment: ``ATSUMI_<KEY>``, or ``ATSUMI_<KEY>_FILE`` for a secret that stands in a file,
3. the TOML file that ``ATSUMI_CONFIG_FILE`` names, else ``atsumi.toml`` in the working directory,
4. the default.

A key that is not a setting is refused by name, wherever it stands. No message shows a secret's value.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from atsumi.connector.guard import Allowance
from atsumi.errors import ConfigurationError
from atsumi.redaction import register_secret
from atsumi.server.master_key import decode_master_key, generate_master_key
from atsumi.server.settings_sources import ENV_PREFIX, describe_problems, gather, is_secret


def default_data_dir() -> Path:
    """Where data lives unless told otherwise, the same place whatever directory a command is run from.

    ``$XDG_DATA_HOME/atsumi``, else ``/var/lib/atsumi`` for root, else ``~/.local/share/atsumi``.
    Raises ``ConfigurationError`` for a user without a home directory.
    """
    named = os.environ.get("XDG_DATA_HOME")
    if named:
        return Path(named) / "atsumi"
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/atsumi")
    try:
        return Path.home() / ".local" / "share" / "atsumi"
    except RuntimeError as error:
        raise ConfigurationError(
            f"{ENV_PREFIX}DATA_DIR is not set, and this user has no home directory to keep data in: set it"
        ) from error


class Settings(BaseSettings):
    """All settings of one process, immutable.

    Made by :func:`load_settings`. Constructing it directly reads neither the environment nor a file, which is what
    tests want; wrong values then raise pydantic's own ``ValidationError``.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)

    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="Folder for everything that is kept outside the database: the embedded PostgreSQL's files and the "
        "generated master key. Created when missing. A relative path in the TOML file counts from that file.",
        json_schema_extra={
            "allowed": "a folder on a local file system that this process may write to",
            "default": "`$XDG_DATA_HOME/atsumi`; without that variable `/var/lib/atsumi` for root and "
            "`~/.local/share/atsumi` for everybody else",
        },
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="Your own PostgreSQL server, version 14 or newer. The user needs the right to create tables. "
        "Without it an embedded PostgreSQL is started in the data folder.",
        json_schema_extra={
            "allowed": "`postgresql://user:password@host:port/database`",
            "default": "none: the embedded PostgreSQL",
        },
    )
    database_pool_size: int = Field(
        default=10,
        ge=2,
        le=200,
        description="How many connections one process holds at most. The server's `max_connections` must allow that "
        "many for every process.",
        json_schema_extra={"unit": "connections"},
    )
    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address to listen on. `0.0.0.0` listens on every IPv4 address of the machine: then put a "
        "TLS-terminating proxy in front, because API keys travel in every request.",
        json_schema_extra={"allowed": "an IP address of this machine or a name that resolves to one"},
    )
    port: int = Field(
        default=8080, ge=0, le=65535, description="TCP port to listen on; 0 takes any free one and prints it."
    )
    public_url: str | None = Field(
        default=None,
        description="How clients reach this service, when that differs from host and port (behind a proxy).",
        json_schema_extra={
            "allowed": "an `http` or `https` address without query and fragment",
            "default": "none: made of host and port",
        },
    )
    master_key: SecretStr | None = Field(
        default=None,
        description="The key that encrypts the credentials of all integrations. Whoever loses it loses those "
        "credentials: keep a copy apart from the database. With the embedded PostgreSQL one is generated at the first "
        "start, in the file `master.key` of the data folder; with your own server it must be set.",
        json_schema_extra={"allowed": "32 bytes in base64", "default": "none: the generated one"},
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least important kind of message that is logged."
    )
    log_format: Literal["console", "json"] = Field(
        default="console", description="`console` is for people, `json` writes one JSON object a line for machines."
    )
    worker_enabled: bool = Field(
        default=True,
        description="Whether `atsumi serve` works on syncs besides answering requests. Switch it off where other "
        "processes do the work.",
    )
    worker_concurrency: int = Field(
        default=4,
        ge=1,
        le=64,
        description="How many integrations one process syncs at the same time, at least two. One of them is kept free "
        "of full runs, which take long. More than the database's pool has connections makes them wait for each other.",
        json_schema_extra={"unit": "sync runs"},
    )
    sync_incremental_interval_seconds: int = Field(
        default=900,
        ge=60,
        le=30 * 86400,
        description="How often a newly connected integration is read for changes. "
        "`atsumi integrations schedule` sets it for one integration.",
        json_schema_extra={"unit": "seconds"},
    )
    sync_full_interval_seconds: int = Field(
        default=86400,
        ge=60,
        le=365 * 86400,
        description="How often a newly connected integration is read whole, which also finds what was deleted.",
        json_schema_extra={"unit": "seconds"},
    )
    sync_tenant_limit: int = Field(
        default=100,
        ge=1,
        le=10_000,
        description="How many of one environment's increments may wait in the queue or run at the same time, and as "
        "many longer runs; the rest wait in the schedule, so that environments take turns.",
        json_schema_extra={"unit": "sync runs"},
    )
    http_timeout_seconds: float = Field(
        default=30.0,
        ge=1,
        le=600,
        description="How long a tool may take to accept a connection or to send the next part of an answer, before "
        "the request counts as failed.",
        json_schema_extra={"unit": "seconds"},
    )
    outbound_allow: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="What a caller's URLs, as those of files to attach, may lead to besides public addresses on ports "
        "80 and 443. A name is allowed wherever it leads, an address whatever name leads to it; each on ports 80 and "
        "443, or on the one port that follows it. Callers can read whatever is named here.",
        json_schema_extra={
            "allowed": "host names, `*.` and a name for all names below it, IP addresses and networks, each with or "
            "without a port, separated by commas: `files.internal:9000,*.corp.example,10.1.0.0/16,[fd00::/8]:9000`",
            "default": "none",
        },
    )
    passthrough_enabled: bool = Field(
        default=True,
        description="Whether API callers may send requests of their own to their integrations' tools, with the "
        "integrations' credentials: whatever those allow, whatever an integration's scope leaves out.",
    )
    background_concurrency: int = Field(
        default=8,
        ge=0,
        le=256,
        description="How many integrations one process works on in the background at the same time, besides its "
        "sync runs: stage moves, files and whatever else a tool only shows record by record. They mostly wait for the "
        "tool's rate limit. 0 leaves that to other processes.",
        json_schema_extra={"unit": "integrations"},
    )
    file_storage_url: str | None = Field(
        default=None,
        description="Where files of candidates are kept: a bucket of Amazon S3 or of a compatible service.",
        json_schema_extra={
            "allowed": "`s3://bucket` or `s3://bucket/prefix`",
            "default": "none: the folder `files` in the data folder, which several processes must share",
        },
    )
    file_storage_endpoint: str | None = Field(
        default=None,
        description="Address of an S3-compatible service other than Amazon's.",
        json_schema_extra={"allowed": "an `http` or `https` address", "default": "none: Amazon's, by region"},
    )
    file_storage_region: str | None = Field(
        default=None,
        description="Region of the bucket.",
        json_schema_extra={
            "allowed": "a region's name, such as `eu-central-1`",
            "default": "none: as AWS's own tools find it in the environment",
        },
    )
    file_storage_access_key_id: SecretStr | None = Field(
        default=None,
        description="Access key of the bucket.",
        json_schema_extra={
            "allowed": "an access key id",
            "default": "none: as AWS's own tools find it in the environment",
        },
    )
    file_storage_secret_access_key: SecretStr | None = Field(
        default=None,
        description="Secret of the access key.",
        json_schema_extra={
            "allowed": "a secret access key",
            "default": "none: as AWS's own tools find it in the environment",
        },
    )
    file_backfill: bool = Field(
        default=False,
        description="Whether files of candidates are fetched in the background and kept. Without it they are fetched "
        "from the tool whenever somebody asks for one.",
    )
    file_link_hours: int = Field(
        default=168,
        ge=1,
        le=8760,
        description="How long a link to a file works that an API answer holds. Whoever has the link needs no key.",
        json_schema_extra={"unit": "hours"},
    )
    action_wait_seconds: int = Field(
        default=180,
        ge=5,
        le=3600,
        description="How long the caller of a write is kept waiting for it, most of which is waiting for the tool's "
        "budget. A write that would wait longer is refused at once, and one that takes longer goes on without its "
        "caller. A proxy in front must wait as long.",
        json_schema_extra={"unit": "seconds"},
    )
    sync_page_prefetch: int = Field(
        default=0,
        ge=0,
        le=16,
        description="How many pages a sync reads ahead of the one it is storing. With 0, the next page is read when "
        "the last one is stored, and a killed sync reads at most one page again. Each page ahead is one more that is "
        "read again, and takes its memory; 1 lets reading and storing overlap, and more than 1 helps only where the "
        "tool answers unevenly.",
        json_schema_extra={"unit": "pages"},
    )
    sync_run_hours: int = Field(
        default=24,
        ge=1,
        le=720,
        description="How long a full or incremental run may take, pauses included. Then it ends as timed out, what it "
        "has read stays, and other runs of the integration get their turn.",
        json_schema_extra={"unit": "hours"},
    )
    dialects: Annotated[tuple[Literal["kombo", "bindbee"], ...], NoDecode] = Field(
        default=("kombo", "bindbee"),
        min_length=1,
        description="The API surfaces that are served and whose documents every sync keeps. One that is added later "
        "gets its documents in the background; until then it says that they are not complete. Set it alike in all "
        "processes.",
        json_schema_extra={"allowed": "`kombo`, `bindbee`, or both, separated by commas", "default": "`kombo,bindbee`"},
    )
    requests_per_minute: int = Field(
        default=200,
        ge=0,
        le=1_000_000,
        description="How many requests a minute the Bindbee surface answers for one connector token, and for one API "
        "key where a request needs no token; more are refused with 429. 0 sets no limit.",
        json_schema_extra={"unit": "requests"},
    )
    undo_days: int = Field(
        default=7,
        ge=0,
        le=365,
        description="How long a deleted integration can be restored with `atsumi integrations restore`. After that "
        "all of its data is removed for good.",
        json_schema_extra={"unit": "days"},
    )
    change_log_days: int = Field(
        default=90,
        ge=1,
        le=36_500,
        description="How long the change log is kept. A client that follows changes and stays away longer has to read "
        "the records anew.",
        json_schema_extra={"unit": "days"},
    )
    rate_limit_patience_seconds: float = Field(
        default=10.0,
        ge=0,
        le=300,
        description="How long a sync waits in place for a tool's rate limit. A longer wait puts the run back and "
        "frees its worker.",
        json_schema_extra={"unit": "seconds"},
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is handed over: ``load_settings`` gathers from all places, and can name the place of a fault."""
        return (init_settings,)

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return Path(os.path.abspath(value.expanduser()))

    @field_validator("database_url")
    @classmethod
    def _postgresql_address(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        try:
            parts = urlsplit(value.get_secret_value())
            _ = parts.port
        except ValueError:
            raise ValueError("this is not an address") from None
        if parts.scheme not in ("postgresql", "postgres"):
            raise ValueError("the address must start with postgresql://")
        if not parts.path.strip("/"):
            raise ValueError("the address must end with the name of a database")
        return value

    @field_validator("dialects", "outbound_allow", mode="before")
    @classmethod
    def _separated(cls, value: object) -> object:
        return [name.strip() for name in value.split(",")] if isinstance(value, str) else value

    @field_validator("outbound_allow")
    @classmethod
    def _allowance(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        Allowance.parse(value)
        return value

    @field_validator("file_storage_url")
    @classmethod
    def _bucket(cls, value: str | None) -> str | None:
        if value is not None and (urlsplit(value).scheme != "s3" or not urlsplit(value).hostname):
            raise ValueError("the address must look like s3://bucket or s3://bucket/prefix")
        return value

    @field_validator("public_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("this is not such an address")
        if parts.username or parts.password:
            raise ValueError("the address must not contain a user or a password")
        return value.rstrip("/")

    @field_validator("master_key")
    @classmethod
    def _key_of_32_bytes(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            decode_master_key(value.get_secret_value())
        return value

    @property
    def is_database_embedded(self) -> bool:
        """Whether the embedded PostgreSQL in the data folder is used, for want of a server of the operator's own."""
        return self.database_url is None


def load_settings(overrides: Mapping[str, object] | None = None) -> Settings:
    """The settings of this process, from the places that the module's docstring lists.

    ``overrides`` are what the command line gave, by field name; ``None`` means not given. Secrets are registered for
    redaction. Raises ``ConfigurationError`` that names every faulty key, the place it stands in and what is allowed.
    """
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    gathered = gather(Settings, given)
    for name, value in gathered.values.items():
        if is_secret(Settings, name) and isinstance(value, str):
            register_secret(value)
    if gathered.problems:
        raise ConfigurationError(_joined(gathered.problems))
    try:
        settings = Settings(**gathered.values)
    except ValidationError as error:
        raise ConfigurationError(_joined(describe_problems(Settings, gathered, error))) from None
    if settings.database_url is not None:
        _register_password(settings.database_url.get_secret_value())
    return settings


def master_key(settings: Settings) -> bytes:
    """The 32 bytes of the master key: the set one, else the one in the data folder, generated at the first call.

    The file is created whole and with mode 0600; of several processes that start at once, all get the same key.
    Raises ``ConfigurationError`` when the operator's own database is used without a set key, or when the file is
    unreadable, malformed or open to other users.
    """
    if settings.master_key is not None:
        return decode_master_key(settings.master_key.get_secret_value())
    if not settings.is_database_embedded:
        raise ConfigurationError(
            f"{ENV_PREFIX}MASTER_KEY is not set: with a database of your own, set it to 32 random bytes in base64 "
            f"(or {ENV_PREFIX}MASTER_KEY_FILE to a file that holds them), the same for all processes"
        )
    path = settings.data_dir / "master.key"
    try:
        if not path.exists():
            generate_master_key(path)
        if path.stat().st_mode & 0o077:
            raise ConfigurationError(f"other users may read {path}, which holds the master key: chmod 600 {path}")
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise ConfigurationError(f"{ENV_PREFIX}DATA_DIR: cannot make or read {path}: {error.strerror}") from error
    register_secret(text)
    try:
        return decode_master_key(text)
    except ValueError as error:
        raise ConfigurationError(f"{path} does not hold a master key: {error}") from None


def _register_password(address: str) -> None:
    password = urlsplit(address).password
    if password:
        register_secret(password)


def _joined(problems: list[str]) -> str:
    return problems[0] if len(problems) == 1 else "\n".join(("several settings are wrong:", *problems))
