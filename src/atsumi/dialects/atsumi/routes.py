"""Our own API as an ASGI application: following changes, and the past of records.

What the published clients of other services cannot say has its place here; the lists of records have it there.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.routing import BaseRoute
from starlette.types import Receive, Scope

from atsumi.dialects.atsumi.errors import error_answer
from atsumi.dialects.atsumi.openapi import BASE_PATH, openapi_document
from atsumi.dialects.atsumi.operations import OPERATIONS, Operation, serve
from atsumi.dialects.http import Answer, Api, mounted
from atsumi.dialects.services import OwnServices


def routes(services: OwnServices) -> list[BaseRoute]:
    """All routes, to be put among those of the product's application; ``openapi.json`` is readable without a key."""

    async def handle(
        operation: Operation, scope: Scope, receive: Receive, parameters: Mapping[str, str]
    ) -> bytes | Answer:
        return await serve(services, operation, scope, parameters)

    return [
        mounted(BASE_PATH, Api("atsumi", OPERATIONS, handle=handle, refuse=error_answer, document=openapi_document))
    ]
