"""Assembles the simulator's routes into an ASGI application."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from atsumi.connectors.personio.simulator import problems
from atsumi.connectors.personio.simulator.control import Control
from atsumi.connectors.personio.simulator.faults import FaultLayer
from atsumi.connectors.personio.simulator.problems import json_response
from atsumi.connectors.personio.simulator.routes_auth import RoutesAuth
from atsumi.connectors.personio.simulator.routes_career import RoutesCareer
from atsumi.connectors.personio.simulator.routes_personnel import RoutesPersonnel
from atsumi.connectors.personio.simulator.routes_v1 import RoutesV1
from atsumi.connectors.personio.simulator.routes_v2 import RoutesV2
from atsumi.connectors.personio.simulator.simulator import Simulator

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def create_app(simulator: Simulator) -> Starlette:
    """Return the application serving this simulator: API, career site and control API on one origin."""

    async def unknown(request: Request) -> Response:
        path = request.url.path
        if path.startswith("/_control"):
            return json_response({"error": f"no such control route: {request.method} {path}"}, 404)
        return problems.no_such_endpoint(simulator.clock.now(), path)

    routes = [
        *RoutesAuth(simulator).routes(),
        *RoutesV2(simulator).routes(),
        *RoutesV1(simulator).routes(),
        *RoutesPersonnel(simulator).routes(),
        *RoutesCareer(simulator).routes(),
        *Control(simulator).routes(),
        Route("/{path:path}", unknown, methods=_METHODS),
    ]
    layer = Middleware(FaultLayer, clock=simulator.clock, faults=simulator.faults, log=simulator.log)
    return Starlette(routes=routes, middleware=[layer])
