"""Error answers, one function per family (Personio NOTES section 13)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from starlette.responses import Response

from atsumi.connectors.personio.simulator.render import encode

_REFERENCE = "https://developer.personio.de/reference/errors"
_GATEWAY_REFERENCE = "https://developer.personio.de/v2.0/page/public-api-error-codes"


def json_response(
    body: Any, status: int = 200, headers: Mapping[str, str] | None = None, media_type: str = "application/json"
) -> Response:
    """Return a JSON answer."""
    return Response(encode(body), status, headers=dict(headers or {}), media_type=media_type)


def _problem(status: int, title: str, detail: str, type_url: str, at: datetime, meta: Any = None) -> Response:
    error: dict[str, Any] = {"title": title, "detail": detail, "type": type_url}
    if meta is not None:
        error["_meta"] = meta
    body = {
        "personio_trace_id": str(uuid.uuid4()),
        "timestamp": at.isoformat(timespec="seconds"),
        "errors": [error],
    }
    return json_response(body, status, media_type="application/problem+json")


PARAMETERS_INVALID = "Provided request parameters are invalid."
FILTER_INVALID = "Provided filter encoding is invalid."


def bad_request(at: datetime, detail: str = PARAMETERS_INVALID) -> Response:
    """Return v2's 400; the two details seen are the constants above."""
    return _problem(400, "Bad request", detail, f"{_REFERENCE}#common.bad_request", at)


def not_found(at: datetime) -> Response:
    """Return v2's 404 for an id that does not exist."""
    detail = "There is no resource for the specified id."
    return _problem(404, "Resource not found", detail, f"{_REFERENCE}#common.resource_not_found", at)


def no_such_endpoint(at: datetime, path: str) -> Response:
    """Return the gateway's 404: beta header missing, feature off or wrong path."""
    detail = f"The endpoint with {path} was not found."
    return _problem(404, "Not Found", detail, f"{_GATEWAY_REFERENCE}#apinot_found", at, {"path": path})


def unauthorized(at: datetime) -> Response:
    """Return v2's 401."""
    # UNVERIFIED: the fragment; the title was seen on /v2/persons (Personio NOTES section 13).
    detail = "The access token is missing, expired or not allowed here."
    return _problem(401, "Unauthorized Request", detail, f"{_REFERENCE}#common.unauthorized", at)


def forbidden(at: datetime, scope: str) -> Response:
    """Return v2's 403 for a token without the scope."""
    # UNVERIFIED: title, detail and fragment; only the status is known (Personio NOTES section 13).
    return _problem(403, "Forbidden", f"The scope {scope} is required.", f"{_REFERENCE}#common.forbidden", at)


def conflict(at: datetime, detail: str) -> Response:
    """Return v2's 409, for instance for a file that the virus scan has not passed."""
    # UNVERIFIED: title and fragment.
    return _problem(409, "Conflict", detail, f"{_REFERENCE}#common.conflict", at)


def too_many_requests(at: datetime) -> Response:
    """Return v2's 429."""
    # UNVERIFIED: the body; the headers are set by the caller.
    detail = "Rate limit exceeded."
    return _problem(429, "Too Many Requests", detail, f"{_REFERENCE}#common.too_many_requests", at)


_FAILURES = {
    500: ("Internal server error", "common.internal_server_error"),
    502: ("Bad gateway", "common.bad_gateway"),
    503: ("Service unavailable", "common.service_unavailable"),
    504: ("Gateway timeout", "common.gateway_timeout"),
}


def server_error(at: datetime, status: int) -> Response:
    """Return v2's answer for a fault of the server."""
    title, code = _FAILURES.get(status, ("Error", "common.internal_server_error"))
    return _problem(status, title, f"{title}.", f"{_REFERENCE}#{code}", at)


_OAUTH_DESCRIPTIONS = {
    "invalid_request": "The request has missing or invalid required parameters.",
    "invalid_client": "Client authentication failed.",
    "unsupported_grant_type": "The requested authorization grant type is not supported by the server.",
    "invalid_scope": "One of the requested scopes is invalid.",
}


def oauth_error(
    at: datetime, error: str, *, description: str | None = None, fragment: str = "", meta: Any = None
) -> Response:
    """Return the flat 400 of the token endpoint, which answers every fault with 400 (NOTES section 4.1)."""
    body: dict[str, Any] = {
        "timestamp": at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "trace_id": str(uuid.uuid4()),
        "error": error,
        "error_description": description or _OAUTH_DESCRIPTIONS[error],
        "error_uri": f"{_REFERENCE}#credentials.oauth2.{fragment or error}",
    }
    if meta is not None:
        body["meta"] = meta
    return json_response(body, 400, media_type="application/problem+json")


def field_errors(status: int, errors: Iterable[tuple[str, str]]) -> Response:
    """Return v1's answer naming fields: pairs of field and reason code, each field once."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for field, reason in errors:
        grouped.setdefault(field, []).append({"reason": reason, "context": {}})
    return json_response({"errors": [{"field": field, "errors": found} for field, found in grouped.items()]}, status)


def request_error(status: int, title: str, detail: str) -> Response:
    """Return v1's answer about the request as a whole."""
    return json_response(
        {"errors": [{"id": str(uuid.uuid4()), "status": str(status), "title": title, "detail": detail}]}, status
    )
