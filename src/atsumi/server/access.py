"""Who may read what: the part of the services that every API surface shares."""

from __future__ import annotations

from uuid import UUID

from atsumi.dialects.services import Caller, Integration, IntegrationState
from atsumi.server.runtime import Runtime
from atsumi.store import tenants
from atsumi.store.freshness import Freshness, find_with_freshness
from atsumi.store.tenants import IntegrationRow
from atsumi.sync.shaping import scope_for


class AccessServices:
    """Who may read what, for the API surface of that name.

    ``dialect`` is the code of the documents that the surface shows, if it shows any.
    """

    def __init__(self, runtime: Runtime, name: str, dialect: int | None = None) -> None:
        self._runtime = runtime
        self._dialect = dialect
        self._cursor_key = runtime.vault.derive(f"cursor/{name}")

    @property
    def cursor_key(self) -> bytes:
        return self._cursor_key

    async def authenticate(self, api_key: str) -> Caller | None:
        found = await tenants.authenticate(self._runtime.pool, api_key)
        if found is None:
            return None
        environment, key_id = found
        return Caller(environment.id, environment.name, key_id)

    async def find_integration(self, caller: Caller, public_id: UUID) -> Integration | None:
        found = await find_with_freshness(self._runtime.pool, caller.environment_id, public_id)
        return self._shown(*found) if found else None

    def _shown(self, row: IntegrationRow, freshness: Freshness) -> Integration:
        return Integration(
            number=row.number,
            public_id=row.public_id,
            environment_id=row.environment_id,
            tool=row.tool,
            state=IntegrationState(row.state),
            end_user_organization_name=row.end_user_organization_name,
            end_user_email=row.end_user_email,
            end_user_origin_id=row.end_user_origin_id,
            created_at=row.created_at,
            first_synced_at=row.first_synced_at,
            remote_data_enabled=row.remote_data_enabled,
            config=row.config,
            scope=scope_for(self._runtime.connectors.get(row.tool), row.scope.settings, row.scope.opted_out),
            scope_id=row.scope.id,
            scope_name=row.scope.name,
            authentication_failing_since=row.authentication_failing_since,
            freshness=freshness,
            is_rendered=self._dialect is None or self._dialect in freshness.complete_dialects,
        )
