"""Requests of a caller's own: :class:`atsumi.dialects.passthrough_services.PassthroughServices` over the connectors."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from time import monotonic

from atsumi.connector import passthrough
from atsumi.connector.passthrough import (
    MAX_REQUEST_BYTES,
    MAX_TIMEOUT_SECONDS,
    Part,
    PassthroughAnswer,
    PassthroughRequest,
)
from atsumi.dialects.services import Integration, IntegrationState
from atsumi.errors import Conflict, FetchFailed, InvalidInput, NotFound, ToolError
from atsumi.server.logging import get_logger
from atsumi.server.runtime import Runtime
from atsumi.store import tenants

_log = get_logger("atsumi.passthrough")
_MAX_FETCHED = 10
_PLAIN_SEGMENT = re.compile(r"[A-Za-z0-9_-]{0,64}")


class PassthroughServices:
    """:class:`atsumi.dialects.passthrough_services.PassthroughServices` for one surface."""

    _runtime: Runtime

    @property
    def passthrough_is_enabled(self) -> bool:
        return self._runtime.settings.passthrough_enabled

    async def pass_through(self, integration: Integration, api: str, request: PassthroughRequest) -> PassthroughAnswer:
        if integration.state is not IntegrationState.ACTIVE:
            raise Conflict(
                "This integration is switched off."
                if integration.state is IntegrationState.INACTIVE
                else "The tool refuses this integration's credentials. The customer must connect it again."
            )
        row = await tenants.integration_by_number(self._runtime.pool, integration.number)
        if row is None:
            raise NotFound("This integration was deleted.")
        connector = self._runtime.connector(integration.tool)
        async with _logged(integration, api, request) as outcome:
            if request.parts is not None:
                request = await self._with_files(request)
            context = await self._runtime.context(row)
            answer = await passthrough.send(context, connector.manifest, connector.passthrough[api], request)
            outcome.append(answer.status)
        return answer

    async def _with_files(self, request: PassthroughRequest) -> PassthroughRequest:
        """The request with the content of files that are named by a URL; fetching them takes from its time."""
        began, seconds = monotonic(), min(request.timeout_seconds, MAX_TIMEOUT_SECONDS)
        if sum(part.url is not None for part in request.parts or ()) > _MAX_FETCHED:
            raise InvalidInput(f"At most {_MAX_FETCHED} files are fetched for one request.")
        try:
            async with asyncio.timeout(seconds):
                parts = await self._fetched(request.parts or ())
        except TimeoutError:
            raise TimeoutError(f"The files did not arrive within {seconds:g} seconds. Nothing was sent.") from None
        return replace(request, parts=parts, timeout_seconds=max(0.001, seconds - (monotonic() - began)))

    async def _fetched(self, parts: Sequence[Part]) -> Sequence[Part]:
        """All parts with their content, as long as they are below the limit together."""
        fetched: list[Part] = []
        left = MAX_REQUEST_BYTES
        for part in parts:
            if part.url is not None:
                async with self._runtime.guarded.get(part.url, max_bytes=left) as answer:
                    if answer.status != 200:
                        raise FetchFailed(f"The address of a file answers with status {answer.status}.")
                    content = b"".join([chunk async for chunk in answer.chunks])
                kind = answer.headers.get("content-type", "").partition(";")[0].strip() or None
                part = replace(part, content=content, content_type=part.content_type or kind, url=None)
            left = max(0, left - len(part.content))
            fetched.append(part)
        return fetched


@asynccontextmanager
async def _logged(integration: Integration, api: str, request: PassthroughRequest) -> AsyncIterator[list[int]]:
    """One line per request, whatever comes of it: neither its body, its query and its headers, nor the tool's."""
    began, outcome = monotonic(), list[int]()
    reason: str | None = None
    try:
        yield outcome
    except (ToolError, TimeoutError) as error:
        reason = str(error)
        raise
    except BaseException as error:
        reason = type(error).__name__
        raise
    finally:
        _log.info(
            "passthrough",
            integration=str(integration.public_id),
            tool=integration.tool,
            api=api,
            method=request.method,
            path=_plain(request.path),
            status=outcome[0] if outcome else None,
            seconds=round(monotonic() - began, 3),
            **({"reason": reason} if reason is not None else {}),
        )


def _plain(path: str) -> str:
    """The path without its query, and without segments that may be somebody's name or address."""
    segments = path[:500].partition("?")[0].split("/")
    return "/".join(segment if _PLAIN_SEGMENT.fullmatch(segment) else "..." for segment in segments)
