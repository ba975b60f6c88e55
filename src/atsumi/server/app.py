"""All HTTP routes of the product."""

from __future__ import annotations

import asyncpg
import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from atsumi.dialects.atsumi.routes import routes as own_routes
from atsumi.dialects.kombo.projection import projection as kombo_projection
from atsumi.dialects.kombo.routes import routes as kombo_routes
from atsumi.server.history import HistoryServices
from atsumi.server.runs import SyncServices
from atsumi.server.runtime import Runtime
from atsumi.server.services import DialectServices


class OwnServices(HistoryServices, SyncServices):
    """:class:`atsumi.dialects.services.OwnServices` over the store."""


def create_app(runtime: Runtime) -> Starlette:
    """The ASGI application over a running product; it opens and closes nothing itself."""

    async def health(request: Request) -> Response:
        """Whether this process can answer: 200 with a database that answers, else 503."""
        try:
            await runtime.pool.fetchval("SELECT 1", timeout=2)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return _json({"status": "unavailable", "reason": "the database does not answer"}, 503)
        return _json({"status": "ok"})

    kombo: list[BaseRoute] = list(kombo_routes(DialectServices(runtime, kombo_projection)))
    own: list[BaseRoute] = list(own_routes(OwnServices(runtime)))
    return Starlette(routes=[Route("/healthz", health), *kombo, *own])


def _json(content: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status_code=status, media_type="application/json")
