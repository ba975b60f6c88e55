"""The dialect as an ASGI application."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope

from atsumi.dialects.http import Answer, Api, ErrorAnswer
from atsumi.dialects.kombo.assets import draw
from atsumi.dialects.kombo.call import Call
from atsumi.dialects.kombo.dialect import DIALECT
from atsumi.dialects.kombo.errors import Family, error_answer
from atsumi.dialects.kombo.openapi import openapi_document
from atsumi.dialects.kombo.operations import OPERATIONS, Operation
from atsumi.dialects.services import Services


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
        Mount(DIALECT.base_path, app=_api(services)),
        Route("/assets/tools/{slug}/{name}.svg", picture),
    ]


def _api(services: Services) -> Api[Operation]:
    async def handle(
        operation: Operation, scope: Scope, receive: Receive, parameters: Mapping[str, str]
    ) -> bytes | Answer:
        return await operation.handler(Call(services, scope, parameters, receive))

    return Api("kombo", OPERATIONS, handle=handle, refuse=_refuse, document=openapi_document)


def _refuse(error: Exception, path: str, request_id: str) -> ErrorAnswer:
    return error_answer(error, Family.ATS if path.startswith("/ats/") else Family.GENERAL, request_id)
