"""The dialect as an ASGI application."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.routing import BaseRoute
from starlette.types import Receive, Scope

from atsumi.dialects.assets import picture_route
from atsumi.dialects.http import Answer, Api, ErrorAnswer, mounted
from atsumi.dialects.kombo.call import Call
from atsumi.dialects.kombo.dialect import DIALECT
from atsumi.dialects.kombo.errors import Family, error_answer
from atsumi.dialects.kombo.openapi import openapi_document
from atsumi.dialects.kombo.operation import Operation
from atsumi.dialects.kombo.operations import OPERATIONS
from atsumi.dialects.services import Services


def routes(services: Services) -> list[BaseRoute]:
    """All routes of the dialect, to be put among the routes of the product's application.

    ``/v1`` holds the API and its OpenAPI document (``/v1/openapi.json``, readable without a key); pictures of tools
    lie beside it under ``/assets/tools``.
    """
    return [mounted(DIALECT.base_path, _api(services)), picture_route(services)]


def _api(services: Services) -> Api[Operation]:
    async def handle(
        operation: Operation, scope: Scope, receive: Receive, parameters: Mapping[str, str]
    ) -> bytes | Answer:
        return await operation.handler(Call(services, scope, parameters, receive))

    return Api("kombo", OPERATIONS, handle=handle, refuse=_refuse, document=openapi_document)


def _refuse(error: Exception, path: str, request_id: str) -> ErrorAnswer:
    return error_answer(error, Family.ATS if path.startswith("/ats/") else Family.GENERAL, request_id)
