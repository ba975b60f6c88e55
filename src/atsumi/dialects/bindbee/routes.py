"""The dialect as an ASGI application."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.routing import BaseRoute
from starlette.types import Receive, Scope

from atsumi.dialects.assets import picture_route
from atsumi.dialects.bindbee.call import Call
from atsumi.dialects.bindbee.dialect import DIALECT
from atsumi.dialects.bindbee.errors import error_answer
from atsumi.dialects.bindbee.limits import with_limits
from atsumi.dialects.bindbee.openapi import openapi_document
from atsumi.dialects.bindbee.operations import OPERATIONS, Operation
from atsumi.dialects.http import Answer, Api, mounted
from atsumi.dialects.services import TokenServices


def routes(services: TokenServices) -> list[BaseRoute]:
    """All routes of the dialect, to be put among the routes of the product's application.

    ``/api`` holds the API and its OpenAPI document (``/api/openapi.json``, readable without a key); pictures of tools
    lie beside it under ``/assets/tools``.
    """

    async def handle(
        operation: Operation, scope: Scope, receive: Receive, parameters: Mapping[str, str]
    ) -> bytes | Answer:
        return await operation.handler(Call(services, scope, parameters, receive))

    app = Api("bindbee", OPERATIONS, handle=handle, refuse=error_answer, document=openapi_document)
    return [mounted(DIALECT.base_path, with_limits(app, services)), picture_route(services)]
