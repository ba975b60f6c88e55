"""All HTTP routes of the product."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from atsumi.connector.contract import Connector
from atsumi.dialects.atsumi.openapi import BASE_PATH
from atsumi.dialects.atsumi.openapi import openapi_document as own_document
from atsumi.dialects.atsumi.routes import routes as own_routes
from atsumi.dialects.bindbee.dialect import DIALECT as BINDBEE
from atsumi.dialects.bindbee.openapi import openapi_document as bindbee_document
from atsumi.dialects.bindbee.projection import projection as bindbee_projection
from atsumi.dialects.bindbee.routes import routes as bindbee_routes
from atsumi.dialects.http import NoRoute
from atsumi.dialects.kombo.dialect import DIALECT
from atsumi.dialects.kombo.errors import Family, error_answer
from atsumi.dialects.kombo.openapi import openapi_document as kombo_document
from atsumi.dialects.kombo.projection import projection as kombo_projection
from atsumi.dialects.kombo.routes import routes as kombo_routes
from atsumi.dialects.spelling import Spelling
from atsumi.server.connectors import TokenServices
from atsumi.server.custom_fields import CustomFieldService
from atsumi.server.docs.routes import Surface, docs_routes
from atsumi.server.downloads import file_route
from atsumi.server.history import HistoryServices
from atsumi.server.registry import SPELLINGS
from atsumi.server.runs import SyncServices
from atsumi.server.runtime import Runtime
from atsumi.server.services import DialectServices
from atsumi.server.stages import StageServices
from atsumi.server.writes import ActionServices
from atsumi.store.database import UNREACHABLE


class OwnServices(HistoryServices, StageServices, SyncServices, ActionServices):
    """:class:`atsumi.dialects.services.OwnServices` over the store."""

    @property
    def custom_fields(self) -> CustomFieldService:
        return CustomFieldService(self._runtime)

    @property
    def connectors(self) -> Mapping[str, Connector]:
        return self._runtime.connectors

    @property
    def spellings(self) -> Mapping[str, Spelling]:
        return {one.name: SPELLINGS[one.name] for one in self._runtime.projections}


_KOMBO = Surface(
    "kombo",
    "Kombo",
    "Thirteen lists of records, tools, integrations and custom fields. Kombo's published SDKs work with it.",
    DIALECT.base_path,
    kombo_document,
)
_BINDBEE = Surface(
    "bindbee",
    "Bindbee",
    "Sixteen lists of records with related ones inline, connectors and custom fields, as Bindbee's contract has them.",
    BINDBEE.base_path,
    bindbee_document,
)
_OWN = Surface(
    "atsumi",
    "Atsumi",
    "Every change in order, records as they were, times in stages, how a sync went, and what each tool gives.",
    BASE_PATH,
    own_document,
)


def create_app(runtime: Runtime) -> Starlette:
    """The ASGI application over a running product; it opens and closes nothing itself."""

    async def health(request: Request) -> Response:
        """Whether this process can answer: 200 with a database that answers, else 503."""
        try:
            await runtime.pool.fetchval("SELECT 1", timeout=2)
        except UNREACHABLE:
            return _json({"status": "unavailable", "reason": "the database does not answer"}, 503)
        return _json({"status": "ok"})

    surfaces: list[BaseRoute] = []
    documented: list[Surface] = []
    if kombo_projection in runtime.projections:
        surfaces += kombo_routes(DialectServices(runtime, kombo_projection))
        documented.append(_KOMBO)
    if bindbee_projection in runtime.projections:
        surfaces += bindbee_routes(TokenServices(runtime, bindbee_projection))
        documented.append(_BINDBEE)
    surfaces += own_routes(OwnServices(runtime))
    pages = docs_routes([*documented, _OWN], runtime.settings.public_url)
    app = Starlette(
        routes=[Route("/healthz", health), file_route(runtime), *pages, *surfaces],
        exception_handlers={HTTPException: _elsewhere},
    )
    # A client that follows a redirect may leave its key behind or turn its request into another one.
    app.router.redirect_slashes = False
    return app


async def _elsewhere(request: Request, error: Exception) -> Response:
    """What is answered outside of every surface, in the shape of the one that clients most likely meant."""
    allow = (error.headers or {}).get("Allow", "") if isinstance(error, HTTPException) else ""
    if allow:
        refused = NoRoute(f"This path takes {allow} only.", tuple(allow.split(", ")))
    else:
        refused = NoRoute(f"Nothing is served under this path. {DIALECT.base_path}/openapi.json describes the API.")
    answer = error_answer(refused, Family.GENERAL, "")
    headers = {name.decode(): value.decode() for name, value in answer.headers}
    return Response(answer.body, answer.status, headers, media_type="application/json")


def _json(content: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status_code=status, media_type="application/json")
