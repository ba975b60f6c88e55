"""Files behind links: what an attachment's `data_url` or `file_url` leads to.

A link needs no key (:mod:`atsumi.dialects.links`), so whoever holds one is told nothing but the file itself. A file is
whatever an applicant has sent: browsers are told to save it and never to look inside.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from math import ceil
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from atsumi import errors
from atsumi.dialects.links import LINK_KEY, PATH, read_link
from atsumi.server.files import AttachedFile, fetch_attachment
from atsumi.server.logging import get_logger
from atsumi.server.runtime import Runtime
from atsumi.store import tenants

_log = get_logger("atsumi.downloads")

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_UNSAFE_IN_NAME = re.compile(r"[^A-Za-z0-9 ._()+-]")
_GUARDS = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; default-src 'none'",
    "cross-origin-resource-policy": "same-site",
    "referrer-policy": "no-referrer",
    "cache-control": "private, no-store",
}
_SOON_SECONDS = 60


def file_route(runtime: Runtime) -> Route:
    """The route that answers links to files."""
    key = runtime.vault.derive(LINK_KEY)

    async def download(request: Request) -> Response:
        async with AsyncExitStack() as stack:
            try:
                link = read_link(key, request.path_params["link"], datetime.now(UTC))
                integration = await tenants.integration_by_public_id(runtime.pool, link.integration)
                if integration is None or integration.state == "INACTIVE":
                    raise errors.NotFound("This file is not offered any more.")
                file = await stack.enter_async_context(fetch_attachment(runtime, integration, link.attachment))
            except (errors.CallerError, errors.ToolError) as error:
                if isinstance(error, errors.ToolError):
                    _log.warning("downloads.failed", reason=str(error))
                return _refused(error)
            part = _part(request, file)
            if part is not None and not part:
                return Response(status_code=416, headers={**_GUARDS, "content-range": f"bytes */{file.size_bytes}"})
            wanted = part if part is not None else range(file.size_bytes)
            headers = _headers(file, wanted)
            if part is not None:
                headers["content-range"] = f"bytes {part.start}-{part.stop - 1}/{file.size_bytes}"
            chunks = await stack.enter_async_context(file.read(wanted.start, wanted.stop))
            return _Download(chunks, stack.pop_all(), 200 if part is None else 206, headers)

    return Route(f"{PATH}/{{link}}", download, methods=["GET"])


class _Download(StreamingResponse):
    """Sends a file and lets go of it afterwards, also when the client has gone away."""

    def __init__(
        self, chunks: AsyncIterator[bytes], held: AsyncExitStack, status: int, headers: Mapping[str, str]
    ) -> None:
        super().__init__(chunks, status, headers)
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._held:
            await super().__call__(scope, receive, send)


def _headers(file: AttachedFile, wanted: range) -> dict[str, str]:
    return {
        **_GUARDS,
        "content-type": file.content_type,
        "content-disposition": disposition(file.name),
        "content-length": str(len(wanted)),
        "accept-ranges": "bytes",
        "etag": _etag(file),
    }


def _etag(file: AttachedFile) -> str:
    return f'"{file.digest.hex()[:32]}"'


def _part(request: Request, file: AttachedFile) -> range | None:
    """The part that is asked for, empty if there is no such part; ``None`` for the whole file.

    Several parts at once, other units and a part of another version are answered with the whole file (RFC 9110,
    sections 13.1.5 and 14.2).
    """
    found = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if found is None or request.headers.get("if-range", _etag(file)) != _etag(file):
        return None
    first, last = found[1], found[2]
    if not first and not last:
        return None
    if not first:
        return range(max(0, file.size_bytes - int(last)), file.size_bytes)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1, file.size_bytes) if last else file.size_bytes)


def disposition(name: str) -> str:
    """Tells a browser to save the file, under its name in any script (RFC 6266)."""
    plain = _UNSAFE_IN_NAME.sub("_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _refused(error: errors.CallerError | errors.ToolError) -> Response:
    """A problem document (RFC 9457). What a tool said is for the operator's log, not for whoever holds a link."""
    status, title, detail = _kind_of(error)
    headers = dict(_GUARDS)
    if status == 503:
        wait = _SOON_SECONDS
        if isinstance(error, errors.RateLimited):
            wait = max(1, ceil((error.retry_at - datetime.now(UTC)).total_seconds()))
        headers["retry-after"] = str(wait)
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Response(msgspec.json.encode(body), status, headers, media_type="application/problem+json")


def _kind_of(error: errors.CallerError | errors.ToolError) -> tuple[int, str, str]:
    match error:
        case errors.InvalidInput():
            return 403, "Link not valid", str(error)
        case errors.NoLongerKept():
            return 410, "Link expired", str(error)
        case errors.FileNotReady():
            return 503, "File not ready", "The tool holds this file back until its virus scan has passed. Try later."
        case errors.RateLimited() | errors.RemoteUnavailable():
            return 503, "Tool not reachable", "The tool that holds this file does not answer now. Try again later."
        case errors.ToolError():
            return 502, "Tool refused", "The tool that holds this file did not give it out. Its operator can see why."
        case _:
            return 404, "File not found", "There is no such file, or not any more."
