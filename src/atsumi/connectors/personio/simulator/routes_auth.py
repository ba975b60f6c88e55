"""HTTP of the token endpoint (Personio NOTES section 4.1)."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from atsumi.connectors.personio.simulator import problems
from atsumi.connectors.personio.simulator.problems import json_response, oauth_error
from atsumi.connectors.personio.simulator.simulator import Simulator

_FORM = "application/x-www-form-urlencoded"


class RoutesAuth:
    """The handlers of /v2/auth, on one simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def routes(self) -> list[Route]:
        """Return the two routes."""
        return [
            Route("/v2/auth/token", self._token, methods=["POST"]),
            Route("/v2/auth/revoke", self._revoke, methods=["POST"]),
        ]

    async def _token(self, request: Request) -> Response:
        at = self._simulator.clock.now()
        if not self._simulator.limits.token(self._simulator.switches):
            return problems.too_many_requests(at)
        form = await _form(request)
        if form is None:
            return oauth_error(
                at,
                "invalid_request",
                description=f'The content type of the request must be "{_FORM}".',
                fragment="invalid_request.invalid_request_content_type",
            )
        missing = [name for name in ("grant_type", "client_id", "client_secret") if not form.get(name)]
        if missing:
            meta = {"missing_parameters": missing}
            return oauth_error(at, "invalid_request", fragment="invalid_request.required_parameters_missing", meta=meta)
        if form["grant_type"] != "client_credentials":
            return oauth_error(at, "unsupported_grant_type", meta={"grant_type": form["grant_type"]})
        credential = self._simulator.tokens.credentials.get(form["client_id"])
        if credential is None or credential.client_secret != form["client_secret"]:
            return oauth_error(at, "invalid_client")
        held = {scope.removeprefix("personio:"): scope for scope in credential.scopes}
        asked = [scope.removeprefix("personio:") for scope in form.get("scope", "").split()] or list(held)
        if not set(asked) <= set(held):
            return oauth_error(at, "invalid_scope")
        scopes = frozenset(held[scope] for scope in asked)
        token, remaining = self._simulator.tokens.grant(credential, scopes)
        return json_response(
            {
                "access_token": token.value,
                "expires_in": remaining,
                "token_type": "Bearer",
                "scope": " ".join(sorted(scopes)),
            }
        )

    async def _revoke(self, request: Request) -> Response:
        at = self._simulator.clock.now()
        form = await _form(request)
        kind, _, bearer = request.headers.get("authorization", "").partition(" ")
        if self._simulator.switches.revoke_needs_bearer and (
            kind.lower() != "bearer" or self._simulator.tokens.find(bearer.strip()) is None
        ):
            return problems.unauthorized(at)
        if not form or not form.get("token"):
            meta = {"missing_parameters": ["token"]}
            return oauth_error(at, "invalid_request", fragment="invalid_request.required_parameters_missing", meta=meta)
        self._simulator.tokens.revoke(form["token"])
        return Response(status_code=200)


async def _form(request: Request) -> dict[str, str] | None:
    """Return the form fields, or None when the body is of another type."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        return None
    body = (await request.body()).decode("utf-8", "replace")
    return dict(parse_qsl(body, keep_blank_values=True))
