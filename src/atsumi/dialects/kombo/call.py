"""One request, as the handlers of this dialect see it, and who sent it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.types import Receive, Scope

from atsumi.dialects.http import LONGEST_BODY, authenticate, base_url, header, integration_spelled, read_body
from atsumi.dialects.kombo.dialect import DIALECT
from atsumi.dialects.kombo.errors import WireError
from atsumi.dialects.services import Caller, Integration, IntegrationState, Services
from atsumi.model.ids import to_base58

_INTEGRATION = DIALECT.integration_header.lower().encode()


@dataclass(frozen=True, slots=True)
class Call:
    """``parameters`` are the named parts of the path, percent-decoded."""

    services: Services
    scope: Scope
    parameters: Mapping[str, str] = field(default_factory=dict)
    receive: Receive | None = None

    async def body(self, longest: int = LONGEST_BODY) -> bytes:
        """The whole request body. Raises :class:`~atsumi.errors.InvalidInput` for more than ``longest`` bytes."""
        return await read_body(self.receive, longest, header(self.scope, b"content-length"))

    def header(self, name: bytes) -> bytes | None:
        """The first header of that (lower-case) name."""
        return header(self.scope, name)

    def base_url(self) -> str:
        """How clients reach the product: the configured address, else scheme, host and mount path of this request.

        Without a trailing slash.
        """
        return base_url(self.services.public_url, self.scope)

    async def caller(self) -> Caller:
        """Who sent the request. Raises :class:`~atsumi.errors.AuthenticationRequired`."""
        return await authenticate(self.services, self.scope)

    async def addressed(self) -> Integration:
        """The integration that the header names, in whatever state.

        Raises :class:`~atsumi.errors.AuthenticationRequired` and :class:`WireError`.
        """
        caller = await self.caller()
        spelled = self.header(_INTEGRATION)
        if spelled is None:
            raise WireError(
                "PLATFORM.INTEGRATION_NOT_FOUND",
                f"Name the integration in the header {DIALECT.integration_header}, as `<tool>:<24 characters>`.",
            )
        return await self.find(caller, spelled.decode("latin-1").strip())

    async def integration(self) -> Integration:
        """The integration that the request is about, ready to be read from.

        Data that was stored stays readable while new credentials are awaited (state ``INVALID``).
        Raises :class:`~atsumi.errors.AuthenticationRequired` and :class:`WireError`.
        """
        integration = await self.addressed()
        if integration.state is IntegrationState.INACTIVE:
            raise WireError("INTEGRATION.INACTIVE", "This integration is switched off. Switch it on to read from it.")
        if integration.first_synced_at is None:
            raise WireError(
                "INTEGRATION.SETUP_SYNC_PENDING",
                "The first sync of this integration has not finished. Try again later.",
            )
        if not integration.is_rendered:
            raise WireError(
                "INTEGRATION.SETUP_SYNC_PENDING",
                "This surface is new to the integration, and its records are still being prepared. Try again later.",
            )
        return integration

    async def find(self, caller: Caller, spelled: str) -> Integration:
        """The caller's integration of that id, in whatever state. Raises :class:`WireError`.

        An integration of another environment is answered like one that does not exist.
        """
        integration = await integration_spelled(self.services, caller, spelled)
        if integration is None:
            raise WireError(
                "PLATFORM.INTEGRATION_NOT_FOUND",
                "There is no integration with this id in the environment of your API key.",
            )
        return integration


def integration_id(integration: Integration) -> str:
    """How this dialect spells an integration's id."""
    return f"{integration.tool}:{to_base58(integration.public_id)}"
