"""The dialect as an ASGI application.

Requests go through a router of our own, because every answer below the base path must be the contract's envelope,
whatever goes wrong, and because a list read should cost little more than its bytes.
"""

from __future__ import annotations

import secrets

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send

from atsumi.dialects.kombo.assets import draw
from atsumi.dialects.kombo.call import Call
from atsumi.dialects.kombo.dialect import DIALECT
from atsumi.dialects.kombo.errors import Family, Headers, NoRoute, error_answer
from atsumi.dialects.kombo.openapi import openapi_document
from atsumi.dialects.kombo.operations import OPERATIONS
from atsumi.dialects.services import Services

_log = structlog.get_logger("atsumi.dialects.kombo")
_DOCUMENT_PATH = "/openapi.json"
_HEADERS: Headers = ((b"content-type", b"application/json"), (b"cache-control", b"no-store"))


def routes(services: Services) -> list[BaseRoute]:
    """All routes of the dialect, to be put among the routes of the product's application.

    ``/v1`` holds the API and its OpenAPI document (``/v1/openapi.json``, readable without a key); pictures of tools
    lie beside it under ``/assets/tools``.
    """

    async def picture(request: Request) -> Response:
        slug, name = request.path_params["slug"], request.path_params["name"]
        connector = services.connectors.get(slug)
        drawn = draw(name, slug, connector.manifest.label) if connector is not None else None
        if drawn is None:
            return Response(status_code=404)
        return Response(drawn, media_type="image/svg+xml", headers={"cache-control": "public, max-age=86400"})

    return [
        Mount(DIALECT.base_path, app=KomboApp(services)),
        Route("/assets/tools/{slug}/{name}.svg", picture),
    ]


class KomboApp:
    """The API below the base path. Answers every request itself; nothing is raised to the server."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._document: bytes | None = None
        exact = [operation for operation in OPERATIONS if "{" not in operation.path]
        self._exact = {(operation.method, operation.path): operation for operation in exact}
        self._patterns = [(operation.pattern, operation) for operation in OPERATIONS if operation not in exact]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        path = _path(scope)
        status, headers = 200, _HEADERS
        try:
            body = await self._answer(path, scope)
        except Exception as error:
            request_id = secrets.token_hex(8)
            family = Family.ATS if path.startswith("/ats/") else Family.GENERAL
            answer = error_answer(error, family, request_id)
            if answer.is_fault:
                _log.error("request failed", request_id=request_id, method=scope["method"], path=path, exc_info=error)
            status, headers, body = answer.status, (*_HEADERS, *answer.headers), answer.body
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _answer(self, path: str, scope: Scope) -> bytes:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        operation = self._exact.get((method, path))
        if operation is not None:
            return await operation.handler(Call(self._services, scope))
        if (method, path) == ("GET", _DOCUMENT_PATH):
            return self._openapi()
        for pattern, operation in self._patterns:
            match = pattern.fullmatch(path)
            if match is not None and operation.method == method:
                return await operation.handler(Call(self._services, scope, match.groupdict()))
        allowed = self._allowed(path)
        if allowed:
            raise NoRoute(f"This path takes {', '.join(allowed)} only.", allowed)
        raise NoRoute("Nothing is served under this path.")

    def _allowed(self, path: str) -> tuple[str, ...]:
        found = {method for method, known in self._exact if known == path}
        found |= {operation.method for pattern, operation in self._patterns if pattern.fullmatch(path)}
        if path == _DOCUMENT_PATH:
            found.add("GET")
        if "GET" in found:
            found.add("HEAD")
        return tuple(sorted(found))

    def _openapi(self) -> bytes:
        if self._document is None:
            self._document = openapi_document()
        return self._document


def _path(scope: Scope) -> str:
    """The path below the place where this application is mounted."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(root) else path
