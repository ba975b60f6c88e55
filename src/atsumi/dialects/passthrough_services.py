"""What a dialect may ask of the product about requests of a caller's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from atsumi.connector.passthrough import PassthroughAnswer, PassthroughRequest

if TYPE_CHECKING:
    from atsumi.dialects.services import Integration


class PassthroughServices(Protocol):
    """The tool behind an integration, asked directly."""

    @property
    def passthrough_is_enabled(self) -> bool:
        """Whether the operator lets callers do this."""
        ...

    async def pass_through(self, integration: Integration, api: str, request: PassthroughRequest) -> PassthroughAnswer:
        """Send a request to one of the APIs that the tool's connector names, with the integration's credentials.

        Files that the request names by URL are fetched before. Raises :class:`~atsumi.errors.Conflict` unless the
        integration is active, :class:`~atsumi.errors.InvalidInput` for a request or a file's address that is refused,
        :class:`TimeoutError`, and any :class:`~atsumi.errors.ToolError`; see :func:`atsumi.connector.passthrough.send`.
        """
        ...
