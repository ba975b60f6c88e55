"""Personio's APIs as callers may address them, named as Kombo's contract names them (Kombo NOTES section 15)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from atsumi.connector.context import Context
from atsumi.connector.passthrough import PassthroughApi
from atsumi.connectors.personio.auth import (
    Authorization,
    PersonnelAuthorization,
    recruiting_headers,
    v1_pause_seconds,
)
from atsumi.connectors.personio.client import pause_seconds, stated_limit
from atsumi.connectors.personio.facts import MANIFEST, Settings
from atsumi.errors import RemoteCall

_BUCKETS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), bucket)
    for pattern, bucket in (
        (r"POST /v1/recruiting/applications", "create_application"),
        (r"POST /v1/recruiting/applications/documents", "upload_document"),
        (r"\w+ /v2/recruiting/applications/[^/]+/stage-transitions", "stage_transitions"),
        (r"\w+ /v2/recruiting/(applications|candidates|jobs|categories)(/.*)?", r"\1"),
        (r"\w+ /v2/(persons)(/.*)?", r"\1"),
        (r"\w+ /v2/document-management(/.*)?", "documents"),
        (r"\w+ /v2/auth(/.*)?", "token"),
        (r"\w+ /v1/auth(/.*)?", "personnel_token"),
        (r"\w+ /v1/company/employees(/.*)?", "employees"),
    )
)
"""By method and path below the API's host; the same budgets as everywhere (section 14)."""

_OWN = frozenset({"x-company-id"})
"""Those that begin with ``X-Personio-`` are the caller's: they say whose program asks, and open nothing (section 5)."""


def _bucket(root: str, method: str, path: str) -> str:
    asked = f"{method} {root}{path.rstrip('/')}"
    for pattern, bucket in _BUCKETS:
        match = pattern.fullmatch(asked)
        if match is not None:
            return match.expand(bucket)
    return "other"


def _below(root: str) -> Callable[[Mapping[str, str]], str]:
    return lambda config: Settings.read(config).api_base_url + root


def _bearer(
    authorization: Callable[[Context], Authorization | PersonnelAuthorization], **more: str
) -> Callable[[Context, Mapping[str, str] | None], Awaitable[Mapping[str, str]]]:
    """A token that is renewed when the tool has refused it, with ``more`` headers."""

    async def headers(context: Context, refused: Mapping[str, str] | None) -> Mapping[str, str]:
        rejected = refused["Authorization"].removeprefix("Bearer ") if refused is not None else None
        return {"Authorization": f"Bearer {await authorization(context).token(rejected=rejected)}", **more}

    return headers


async def _recruiting(context: Context, refused: Mapping[str, str] | None) -> Mapping[str, str]:
    """The key never changes by itself: what was refused stays refused."""
    call = RemoteCall(MANIFEST.slug, "passthrough", "-", "/v1/recruiting")
    return recruiting_headers(context, call)


async def _nothing(context: Context, refused: Mapping[str, str] | None) -> Mapping[str, str]:
    return {}


PASSTHROUGH: Mapping[str, PassthroughApi] = {
    "recruiting": PassthroughApi(
        summary="Recruiting API v1, which creates applications; with the recruiting key and the company's id",
        at="/v1/recruiting",
        base_url=_below("/v1/recruiting"),
        authorize=_recruiting,
        bucket=partial(_bucket, "/v1/recruiting"),
        own_headers=_OWN,
        pause=v1_pause_seconds,
    ),
    "recruitingV2": PassthroughApi(
        summary="Recruiting API v2, which reads; with an access token and the Beta header",
        at="/v2/recruiting",
        base_url=_below("/v2/recruiting"),
        # Harmless since general availability, and needed where the tenant is behind (section 5, C).
        authorize=_bearer(Authorization, Beta="true"),
        bucket=partial(_bucket, "/v2/recruiting"),
        own_headers=_OWN,
        pause=pause_seconds,
        stated=stated_limit,
    ),
    "jobboard": PassthroughApi(
        summary="The public career site with its XML feed; without credentials",
        at="/jobboard",
        base_url=lambda config: Settings.read(config).career_base_url,
        authorize=_nothing,
        bucket=lambda method, path: "career",
    ),
    "personnel": PassthroughApi(
        summary="Personnel API v1; with an access token of its own",
        at="/v1",
        base_url=_below("/v1"),
        authorize=_bearer(PersonnelAuthorization),
        bucket=partial(_bucket, "/v1"),
        own_headers=_OWN,
        pause=v1_pause_seconds,
    ),
    "personnelv2": PassthroughApi(
        summary="All of API v2; with an access token",
        at="/v2",
        base_url=_below("/v2"),
        authorize=_bearer(Authorization, Beta="true"),
        bucket=partial(_bucket, "/v2"),
        own_headers=_OWN,
        pause=pause_seconds,
        stated=stated_limit,
    ),
}
