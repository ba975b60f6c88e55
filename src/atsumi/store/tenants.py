"""Environments, API keys, integrations and their credentials."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec

from atsumi.errors import ConfigurationError, Conflict, NotFound
from atsumi.model.ids import to_base58
from atsumi.store import connector_tokens, dialects, schedules
from atsumi.store.records import Connection
from atsumi.store.shaping import CHOSEN_SCOPE, ChosenScope, chosen_scope
from atsumi.store.vault import Vault

_KEY_PREFIX = "atsumi_"


@dataclass(frozen=True, slots=True)
class Environment:
    """One workspace of the operator; keys and integrations belong to exactly one."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What may be shown of a key: ``hint`` is its beginning."""

    id: UUID
    environment_id: UUID
    name: str
    hint: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class IntegrationRow:
    """One customer's connection to one tool. ``number`` is the key inside the store."""

    number: int
    public_id: UUID
    environment_id: UUID
    tool: str
    state: str
    state_reason: str | None
    account_id: str | None
    end_user_organization_name: str
    end_user_email: str | None
    end_user_origin_id: str | None
    config: Mapping[str, str]
    remote_data_enabled: bool
    created_at: datetime
    first_synced_at: datetime | None
    full_interval_seconds: int
    incremental_interval_seconds: int
    next_full_at: datetime | None
    next_incremental_at: datetime | None
    authentication_failing_since: datetime | None
    scope: ChosenScope

    @property
    def id(self) -> str:
        """The id that API callers use: ``<tool>:<24 characters>``."""
        return f"{self.tool}:{to_base58(self.public_id)}"


INTEGRATION_COLUMNS = f"""
    number, public_id, environment_id, tool, state, state_reason, account_id, end_user_organization_name,
    end_user_email, end_user_origin_id, config, remote_data_enabled, created_at, first_synced_at,
    full_interval_seconds, incremental_interval_seconds, next_full_at, next_incremental_at,
    authentication_failing_since, {CHOSEN_SCOPE} AS scope
"""


def _row(row: asyncpg.Record | None) -> asyncpg.Record:
    """The row of a statement that always returns one."""
    if row is None:
        raise LookupError("a statement that always returns a row returned none")
    return row


def integration_of(row: asyncpg.Record | Mapping[str, Any]) -> IntegrationRow:
    """An integration from a row with the columns ``INTEGRATION_COLUMNS``, and no other."""
    decoded = {"config": msgspec.json.decode(row["config"]), "scope": chosen_scope(row["scope"])}
    return IntegrationRow(**{**dict(row), **decoded})


async def ensure_environment(pool: asyncpg.Pool, name: str) -> Environment:
    """The environment of that name, created if it does not exist."""
    row = await pool.fetchrow(
        """
        INSERT INTO environment (id, name) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET name = excluded.name
        RETURNING id, name
        """,
        uuid4(),
        name,
    )
    return Environment(**_row(row))


async def environments(pool: asyncpg.Pool) -> list[Environment]:
    """All environments, by name."""
    return [Environment(**row) for row in await pool.fetch("SELECT id, name FROM environment ORDER BY name")]


async def create_api_key(
    pool: asyncpg.Pool, environment_id: UUID, name: str, *, expires_at: datetime | None = None
) -> tuple[str, ApiKey]:
    """Make a key. The returned text is the only copy: the store keeps a digest.

    192 random bits need no slow hash: there is nothing to guess.
    """
    text = _KEY_PREFIX + secrets.token_urlsafe(24)
    row = await pool.fetchrow(
        """
        INSERT INTO api_key (id, environment_id, name, hint, digest, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        RETURNING id, environment_id, name, hint, created_at, expires_at, revoked_at
        """,
        uuid4(),
        environment_id,
        name,
        text[: len(_KEY_PREFIX) + 4],
        sha256(text.encode()).digest(),
        expires_at,
    )
    return text, ApiKey(**_row(row))


async def api_keys(pool: asyncpg.Pool, environment_id: UUID) -> list[ApiKey]:
    """All keys of an environment, newest first, revoked ones included."""
    rows = await pool.fetch(
        """
        SELECT id, environment_id, name, hint, created_at, expires_at, revoked_at
        FROM api_key WHERE environment_id = $1 ORDER BY created_at DESC
        """,
        environment_id,
    )
    return [ApiKey(**row) for row in rows]


async def revoke_api_key(pool: asyncpg.Pool, key_id: UUID) -> None:
    """Make a key useless at once. Raises :class:`NotFound`."""
    done = await pool.fetchval(
        "UPDATE api_key SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1 RETURNING id", key_id
    )
    if done is None:
        raise NotFound(f"There is no API key {key_id}.")


async def authenticate(pool: asyncpg.Pool, key: str) -> tuple[Environment, UUID] | None:
    """The environment that a key belongs to, and the key's id; ``None`` if it is unknown, revoked or expired."""
    row = await pool.fetchrow(
        """
        SELECT e.id, e.name, k.id AS key_id FROM api_key k JOIN environment e ON e.id = k.environment_id
        WHERE k.digest = $1 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
        """,
        sha256(key.encode()).digest(),
    )
    return (Environment(row["id"], row["name"]), row["key_id"]) if row else None


async def create_integration(
    pool: asyncpg.Pool,
    vault: Vault,
    *,
    environment_id: UUID,
    tool: str,
    organization_name: str,
    credentials: Mapping[str, str],
    config: Mapping[str, str],
    account_id: str | None = None,
    email: str | None = None,
    origin_id: str | None = None,
    full_interval: timedelta = timedelta(hours=24),
    incremental_interval: timedelta = timedelta(minutes=15),
    complete_dialects: Collection[int] = (),
    default_source: str | None = None,
) -> IntegrationRow:
    """Store a new integration with its sealed credentials and request its first sync, in one transaction.

    The schedule begins when the first sync has ended. ``complete_dialects`` are those whose documents every sync will
    keep, so that they are complete from the start. ``default_source``: see :mod:`atsumi.store.sources`. The integration
    gets a connector token.

    Raises :class:`Conflict` when the environment already has an integration of this tool for the same account.
    """
    public_id = uuid4()
    async with pool.acquire() as connection, connection.transaction():
        if account_id is not None:
            taken = await account_holder(connection, environment_id, tool, account_id)
            if taken is not None:
                raise Conflict(
                    f"{tool}: account {account_id} is connected already as {taken}. "
                    "Give that integration new credentials instead of connecting the account twice."
                )
        row = await connection.fetchrow(
            f"""
            INSERT INTO integration (public_id, environment_id, tool, account_id, end_user_organization_name,
                                     end_user_email, end_user_origin_id, config,
                                     full_interval_seconds, incremental_interval_seconds, default_source)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING {INTEGRATION_COLUMNS}
            """,
            public_id,
            environment_id,
            tool,
            account_id,
            organization_name,
            email,
            origin_id,
            msgspec.json.encode(dict(config)).decode(),
            int(full_interval.total_seconds()),
            int(incremental_interval.total_seconds()),
            default_source,
        )
        integration = integration_of(_row(row))
        await connection.execute("INSERT INTO clock (integration) VALUES ($1)", integration.number)
        await connection.execute(
            "INSERT INTO credential (integration, sealed) VALUES ($1, $2)",
            integration.number,
            vault.seal(msgspec.json.encode(dict(credentials)), owner=_owner(integration)),
        )
        owner = connector_tokens.owner_of(environment_id, public_id)
        await connector_tokens.issue_token(connection, vault, integration.number, owner)
        await dialects.note_complete(connection, integration.number, complete_dialects)
        await connection.execute(
            """
            INSERT INTO sync_run (id, integration, kind, requested_by, priority) VALUES ($1, $2, 'full', 'connect', $3)
            """,
            uuid4(),
            integration.number,
            schedules.priority_of("full", "connect"),
        )
    return integration


async def account_holder(connection: Connection, environment_id: UUID, tool: str, account_id: str) -> str | None:
    """The id of the environment's integration of that account, if it has one.

    Until the transaction ends nobody else is told about the same account, so whoever acts on the answer may.
    """
    lock = f"account/{environment_id}/{tool}/{account_id}"
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", lock)
    taken = await connection.fetchval(
        """
        SELECT public_id FROM integration
        WHERE environment_id = $1 AND tool = $2 AND account_id = $3 AND deleted_at IS NULL
        """,
        environment_id,
        tool,
        account_id,
    )
    return f"{tool}:{to_base58(taken)}" if taken is not None else None


async def replace_credentials(
    pool: asyncpg.Pool,
    vault: Vault,
    integration: IntegrationRow,
    credentials: Mapping[str, str],
    config: Mapping[str, str],
) -> None:
    """Store new secrets and settings and make the integration active again; tokens of the old ones are forgotten.

    It is due for a sync at once.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "UPDATE credential SET sealed = $2, updated_at = now() WHERE integration = $1",
            integration.number,
            vault.seal(msgspec.json.encode(dict(credentials)), owner=_owner(integration)),
        )
        await connection.execute("DELETE FROM access_token WHERE integration = $1", integration.number)
        await connection.execute(
            """
            UPDATE integration SET state = 'ACTIVE', state_reason = NULL, config = $2,
                authentication_failing_since = NULL
            WHERE number = $1
            """,
            integration.number,
            msgspec.json.encode(dict(config)).decode(),
        )
        await schedules.resume(connection, integration.number)


async def credentials_of(pool: asyncpg.Pool, vault: Vault, integration: IntegrationRow) -> dict[str, str]:
    """The decrypted secrets, for talking to the tool and nothing else. Raises ``ConfigurationError``.

    Those of a deleted integration are given to nobody.
    """
    sealed = await pool.fetchval(
        """
        SELECT c.sealed FROM credential c JOIN integration i ON i.number = c.integration
        WHERE c.integration = $1 AND i.deleted_at IS NULL
        """,
        integration.number,
    )
    if sealed is None:
        raise ConfigurationError(f"{integration.id} has no stored credentials; connect it again.")
    return msgspec.json.decode(vault.open(sealed, owner=_owner(integration)), type=dict[str, str])


async def find_integration(pool: asyncpg.Pool, environment_id: UUID, public_id: UUID) -> IntegrationRow | None:
    """The integration if that environment has it."""
    row = await pool.fetchrow(
        f"""
        SELECT {INTEGRATION_COLUMNS} FROM integration
        WHERE public_id = $1 AND environment_id = $2 AND deleted_at IS NULL
        """,
        public_id,
        environment_id,
    )
    return integration_of(row) if row else None


async def integration_by_public_id(pool: asyncpg.Pool, public_id: UUID) -> IntegrationRow | None:
    """The integration with that id, whatever its environment; for those who hold a link to one of its files."""
    row = await pool.fetchrow(
        f"SELECT {INTEGRATION_COLUMNS} FROM integration WHERE public_id = $1 AND deleted_at IS NULL", public_id
    )
    return integration_of(row) if row else None


async def integration_by_number(pool: asyncpg.Pool, number: int) -> IntegrationRow | None:
    """The integration with that internal key, whatever its environment; for workers."""
    row = await pool.fetchrow(
        f"SELECT {INTEGRATION_COLUMNS} FROM integration WHERE number = $1 AND deleted_at IS NULL", number
    )
    return integration_of(row) if row else None


async def integrations(pool: asyncpg.Pool, environment_id: UUID | None = None) -> Sequence[IntegrationRow]:
    """All integrations of one environment, or of all, oldest first; for the operator."""
    rows = await pool.fetch(
        f"""
        SELECT {INTEGRATION_COLUMNS} FROM integration
        WHERE deleted_at IS NULL AND ($1::uuid IS NULL OR environment_id = $1) ORDER BY number
        """,
        environment_id,
    )
    return [integration_of(row) for row in rows]


async def set_state(pool: asyncpg.Pool, number: int, state: str, reason: str | None) -> None:
    """Set the integration's state (``ACTIVE``, ``INVALID``, ``INACTIVE``) and why."""
    await pool.execute("UPDATE integration SET state = $2, state_reason = $3 WHERE number = $1", number, state, reason)


def _owner(integration: IntegrationRow) -> str:
    return f"{integration.environment_id}/{integration.public_id}/credentials"


async def set_remote_data(pool: asyncpg.Pool, number: int, is_enabled: bool) -> None:
    """Whether the integration's lists show each record as the tool sent it."""
    await pool.execute("UPDATE integration SET remote_data_enabled = $2 WHERE number = $1", number, is_enabled)
