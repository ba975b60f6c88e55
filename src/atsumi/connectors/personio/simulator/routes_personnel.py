"""HTTP of v1 personnel: its token and the list of employees (Personio NOTES sections 4.2, 12 and 13).

Not reproduced: one-time tokens, filters by attributes or date, rate limits, and all other resources of that API.
"""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from atsumi.connectors.personio.simulator.problems import json_response
from atsumi.connectors.personio.simulator.records import Person
from atsumi.connectors.personio.simulator.simulator import Simulator

_SCOPES = frozenset({"v1:employees:read"})
"""Keeps tokens of v1 apart from those of v2, which open nothing here, nor these there."""
_DEFAULT_LIMIT, _LARGEST_LIMIT = 50, 100
_FIELDS = (("id", "ID"), ("first_name", "First name"), ("last_name", "Last name"), ("email", "Email"))


class RoutesPersonnel:
    """The handlers of v1 personnel, on one simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def routes(self) -> list[Route]:
        """Return the two routes."""
        return [
            Route("/v1/auth", self._token, methods=["POST"]),
            Route("/v1/company/employees", self._employees, methods=["GET"]),
        ]

    async def _token(self, request: Request) -> Response:
        try:
            sent = msgspec.json.decode(await request.body(), type=dict[str, str])
        except (msgspec.DecodeError, UnicodeDecodeError):
            return _failed(400, 0, "The body is not understood.")
        credential = self._simulator.tokens.credentials.get(sent.get("client_id", ""))
        if credential is None or credential.client_secret != sent.get("client_secret"):
            return _failed(403, 0, "Wrong credentials")
        token, remaining = self._simulator.tokens.grant(credential, _SCOPES)
        data = {"token": token.value, "expires_in": remaining, "scope": "employees:read"}
        return json_response({"success": True, "data": data}, headers=_echo(token.value))

    async def _employees(self, request: Request) -> Response:
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        token = self._simulator.tokens.find(value.strip()) if kind.lower() == "bearer" else None
        if token is None or not token.scopes & _SCOPES:
            return _failed(401, 0, "The token is not valid or has expired.")
        query = request.query_params
        if not all(query.get(name, "0").isdecimal() for name in ("limit", "offset")):
            return _failed(400, 0, "limit and offset are numbers.")
        limit = min(int(query.get("limit", _DEFAULT_LIMIT)), _LARGEST_LIMIT)
        offset = int(query.get("offset", 0))
        people = [one for one in self._simulator.company.persons if query.get("email") in (None, one.email)]
        body = {
            "success": True,
            "metadata": {"total_elements": len(people), "current_page": offset // max(limit, 1)},
            "offset": offset,
            "limit": limit,
            "data": [_employee(one) for one in people[offset : offset + limit]],
        }
        return json_response(body, headers=_echo(token.value))


def _echo(token: str) -> dict[str, str]:
    """The token once more, as every answer of v1 personnel shows it (section 4.2)."""
    return {"authorization": f"Bearer {token}"}


def _employee(person: Person) -> dict[str, object]:
    attributes = {
        name: {"label": label, "value": getattr(person, name), "type": "standard", "universal_id": name}
        for name, label in _FIELDS
    }
    return {"type": "Employee", "attributes": attributes}


def _failed(status: int, code: int, message: str) -> Response:
    return json_response({"success": False, "error": {"code": code, "message": message}}, status)
