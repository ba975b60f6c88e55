"""The product for surfaces whose calls name an integration by its connector token, and count requests by it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from atsumi.dialects.services import Caller, Connected, Integration
from atsumi.errors import NotFound
from atsumi.server import control
from atsumi.server.services import DialectServices
from atsumi.store import connectors, tenants
from atsumi.store.connector_tokens import digest_of
from atsumi.store.freshness import find_by_token
from atsumi.store.request_windows import Window


class TokenServices(DialectServices):
    """:class:`atsumi.dialects.services.TokenServices` over the store."""

    async def integration_by_token(self, caller: Caller, token: str) -> Integration | None:
        found = await find_by_token(self._runtime.pool, caller.environment_id, digest_of(token))
        return self._shown(*found) if found else None

    async def use_request(self, caller: Caller, integration: Integration | None) -> Window | None:
        key = f"integration/{integration.number}" if integration is not None else f"key/{caller.key_id}"
        return await self._runtime.request_windows.take(key)

    def untouched_window(self) -> Window | None:
        return self._runtime.request_windows.untouched()

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
        found, following = await connectors.connected(
            self._runtime.pool,
            self._runtime.vault,
            caller.environment_id,
            after=after,
            size=size,
            token=token,
            origin_id=origin_id,
            is_active=is_active,
        )
        return [Connected(self._shown(one.integration, one.freshness), one.token) for one in found], following

    async def delete_integration(self, caller: Caller, public_id: UUID) -> None:
        row = await tenants.find_integration(self._runtime.pool, caller.environment_id, public_id)
        if row is None:
            raise NotFound("There is no connector with this id in the environment of your API key.")
        await control.delete(self._runtime, row)
