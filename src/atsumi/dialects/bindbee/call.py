"""One request, as the handlers of this dialect see it, and who sent it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from starlette.types import Receive, Scope

from atsumi.dialects.bindbee.dialect import DIALECT
from atsumi.dialects.bindbee.errors import Fault, Forbidden, InvalidRequest, TooManyRequests
from atsumi.dialects.bindbee.limits import note_window
from atsumi.dialects.http import LONGEST_BODY, authenticate, base_url, header, read_body
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

    async def body(self, longest: int = LONGEST_BODY) -> bytes:
        """The whole request body. Raises :class:`~atsumi.errors.InvalidInput` for more than ``longest`` bytes."""
        return await read_body(self.receive, longest, header(self.scope, b"content-length"))

    async def caller(self) -> Caller:
        """Who sent the request, which counts against the key's budget.

        Raises :class:`~atsumi.errors.AuthenticationRequired` and :class:`TooManyRequests`.
        """
        caller = await authenticate(self.services, self.scope)
        await self._count(caller, None)
        return caller

    async def integration(self, of_category: str | None = CATEGORY) -> Integration:
        """The integration that the request is about, by the caller's key and the connector token.

        The request counts against its budget, one that finds none against the key's. Stored data stays readable while
        new credentials are awaited and while the first sync is under way. Raises
        :class:`~atsumi.errors.AuthenticationRequired` also for a token that the key's environment does not have,
        :class:`InvalidRequest` where there is none, :class:`TooManyRequests`, and :class:`Forbidden`, for an
        integration of another category than ``of_category``, too.
        """
        caller = await authenticate(self.services, self.scope)
        token = header(self.scope, _TOKEN)
        found = None
        if token is not None:
            found = await self.services.integration_by_token(caller, token.decode("latin-1").strip())
        await self._count(caller, found)
        if token is None:
            missing = Fault(
                type="missing", loc=["header", DIALECT.integration_header], msg="Field required", input=None
            )
            raise InvalidRequest([missing])
        if found is None:
            raise AuthenticationRequired("There is no connector with this token in the environment of your API key.")
        connector = self.services.connectors.get(found.tool)
        if connector is None:
            raise Forbidden(f"{found.tool} is not enabled in this installation.")
        category = connector.manifest.category
        if of_category not in (None, category):
            raise Forbidden(
                f"This connector token is of category {category} and cannot be used on {of_category} paths."
            )
        if found.state is IntegrationState.INACTIVE:
            raise Forbidden("This connector is switched off. Switch it on to read from it.")
        return found

    async def _count(self, caller: Caller, integration: Integration | None) -> None:
        window = await self.services.use_request(caller, integration)
        note_window(self.scope, window)
        if window is not None and not window.is_allowed:
            raise TooManyRequests(window.seconds_left)

    def id(self, name: str = "id") -> UUID:
        """A named part of the path that is an id. Raises :class:`InvalidRequest`."""
        sent = self.parameters[name]
        try:
            return UUID(sent)
        except ValueError as error:
            message = f"Input should be a valid UUID, {error}"
            fault = Fault(type="uuid_parsing", loc=["path", name], msg=message, input=sent, ctx={"error": str(error)})
            raise InvalidRequest([fault]) from error
