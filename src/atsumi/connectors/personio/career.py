"""Asking the public career site, which needs no credentials (Personio NOTES sections 10 and 22a)."""

from __future__ import annotations

from collections.abc import Mapping

from atsumi.connector.context import Context
from atsumi.connector.http import Response
from atsumi.connectors.personio.facts import MANIFEST, Settings

_MAX_BYTES = 48 * 1024 * 1024


async def ask_career_site(context: Context, operation: str, path: str, query: Mapping[str, str]) -> Response:
    """One page or document of the career site, whatever its status below 500.

    Raises :class:`~atsumi.errors.RateLimited`, :class:`~atsumi.errors.RemoteUnavailable` and
    :class:`~atsumi.errors.UnexpectedResponse` (too large).
    """
    return await context.http.request(
        operation,
        "GET",
        Settings.read(context.config).career_base_url + path,
        bucket="career",
        limit=MANIFEST.limit("career"),
        limiter=context.limiter,
        params=query,
        max_bytes=_MAX_BYTES,
    )
