"""One request, as the handlers of this dialect see it, and who sent it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from starlette.types import Receive, Scope

from atsumi.dialects.bindbee.dialect import DIALECT
from atsumi.dialects.bindbee.errors import Fault, Forbidden, InvalidRequest
from atsumi.dialects.http import authenticate, base_url, header, read_body
from atsumi.dialects.services import Caller, Integration, IntegrationState, TokenServices
from atsumi.errors import AuthenticationRequired

CATEGORY = "ATS"
"""The category of all paths below ``/ats/``, to which connector tokens are bound."""

_TOKEN = DIALECT.integration_header.encode()


@dataclass(frozen=True, slots=True)
class Call:
    """``parameters`` are the named parts of the path, percent-decoded."""

    services: TokenServices
    scope: Scope
    parameters: Mapping[str, str] = field(default_factory=dict)
    receive: Receive | None = None

    def base_url(self) -> str:
        """How clients reach the product, without a trailing slash."""
        return base_url(self.services.public_url, self.scope)

    async def body(self) -> bytes:
        """The whole request body. Raises :class:`~atsumi.errors.InvalidInput` for more than 64 KiB."""
        return await read_body(self.receive)

    async def caller(self) -> Caller:
        """Who sent the request. Raises :class:`~atsumi.errors.AuthenticationRequired`."""
        return await authenticate(self.services, self.scope)

    async def integration(self) -> Integration:
        """The integration that the request is about, by the caller's key and the connector token.

        Stored data stays readable while new credentials are awaited and while the first sync is under way. Raises
        :class:`~atsumi.errors.AuthenticationRequired` also for a token that the key's environment does not have,
        :class:`InvalidRequest` where there is none, and :class:`Forbidden`.
        """
        caller = await self.caller()
        token = header(self.scope, _TOKEN)
        if token is None:
            missing = Fault(
                type="missing", loc=["header", DIALECT.integration_header], msg="Field required", input=None
            )
            raise InvalidRequest([missing])
        found = await self.services.integration_by_token(caller, token.decode("latin-1").strip())
        if found is None:
            raise AuthenticationRequired("There is no connector with this token in the environment of your API key.")
        category = self.services.connectors[found.tool].manifest.category
        if category != CATEGORY:
            raise Forbidden(f"This connector token is of category {category} and cannot be used on {CATEGORY} paths.")
        if found.state is IntegrationState.INACTIVE:
            raise Forbidden("This connector is switched off. Switch it on to read from it.")
        return found

    def id(self, name: str = "id") -> UUID:
        """A named part of the path that is an id. Raises :class:`InvalidRequest`."""
        sent = self.parameters[name]
        try:
            return UUID(sent)
        except ValueError as error:
            message = f"Input should be a valid UUID, {error}"
            fault = Fault(type="uuid_parsing", loc=["path", name], msg=message, input=sent, ctx={"error": str(error)})
            raise InvalidRequest([fault]) from error
