"""Personio's v2 API: a method per endpoint, its errors as ours.

What comes back is JSON as it came, unchecked; :mod:`.payloads` shows the documented fields.
Sources: Personio NOTES sections 5 to 7, 12 and 13.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager
from math import ceil

from atsumi.connector.context import Context, RateLimit
from atsumi.connector.files import RemoteFile, file_name
from atsumi.connector.http import Response, remote_message
from atsumi.connector.manifest import Scope
from atsumi.connector.paging import Answer, LinkedPage, follow_links
from atsumi.connector.reading import as_id, as_list, as_object, as_text
from atsumi.connectors.personio.auth import Authorization
from atsumi.connectors.personio.facts import MANIFEST, Settings
from atsumi.errors import (
    AuthenticationFailed,
    FileNotReady,
    PermissionMissing,
    RemoteCall,
    RemoteRejected,
    ToolError,
    UnexpectedResponse,
)

PAGE_SIZE = 200
"""Largest page of recruiting lists (section 6, C)."""
PERSONS_PAGE_SIZE = 50
"""Largest page of persons (section 12, C)."""
_ID = re.compile(r"[A-Za-z0-9_-]+")
"""Ids are decimal numbers (section 7); nothing that could change a path is ever asked for."""
_GATEWAY_404 = "apinot_found"
_RESOURCE_404 = ("common.resource_not_found", "common.requested_resource_not_found")


def is_id(text: str) -> bool:
    """Whether the text can be asked for as an id."""
    return _ID.fullmatch(text) is not None


class RequestRefused(RemoteRejected):
    """400: the tool does not accept a parameter, for example a filter or a cursor (section 13, C)."""


class PersonioClient:
    """One integration's calls. Cheap to make: tokens and budgets live in the context.

    Every method raises :class:`AuthenticationFailed`, :class:`PermissionMissing`, :class:`RequestRefused`,
    :class:`UnexpectedResponse`, :class:`~atsumi.errors.RateLimited` or :class:`~atsumi.errors.RemoteUnavailable`.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._base = Settings.read(context.config).api_base_url
        self._authorization = Authorization(context)

    async def categories(self) -> tuple[list[object], Response]:
        """All job categories, unpaged."""
        return await self._short_list("list categories", "/v2/recruiting/categories", "categories")

    def jobs(self, filters: Mapping[str, str], cursor: str | None = None) -> AsyncGenerator[LinkedPage]:
        """Jobs, the last updated first. ``filters`` go into the query as they are."""
        return self._pages("list jobs", "/v2/recruiting/jobs", "jobs", filters, cursor)

    def candidates(self, filters: Mapping[str, str], cursor: str | None = None) -> AsyncGenerator[LinkedPage]:
        """Candidates, the last updated first. Filter by address with ``email``."""
        return self._pages("list candidates", "/v2/recruiting/candidates", "candidates", filters, cursor)

    def applications(self, filters: Mapping[str, str], cursor: str | None = None) -> AsyncGenerator[LinkedPage]:
        """Applications, the last updated first. Filter by address with ``candidate.email``."""
        return self._pages("list applications", "/v2/recruiting/applications", "applications", filters, cursor)

    async def job(self, job_id: str) -> Mapping[str, object] | None:
        """One job, or ``None`` when the tool does not know it."""
        return await self._one("read job", "/v2/recruiting/jobs/", job_id, "jobs")

    async def candidate(self, candidate_id: str) -> Mapping[str, object] | None:
        """One candidate, or ``None`` when the tool does not know it."""
        return await self._one("read candidate", "/v2/recruiting/candidates/", candidate_id, "candidates")

    async def application(self, application_id: str) -> Mapping[str, object] | None:
        """One application, or ``None`` when the tool does not know it."""
        return await self._one("read application", "/v2/recruiting/applications/", application_id, "applications")

    async def stage_transitions(self, application_id: str) -> list[object] | None:
        """The recorded moves of one application, newest first; ``None`` when the tool does not know it."""
        if not _ID.fullmatch(application_id):
            return None
        path = f"/v2/recruiting/applications/{application_id}/stage-transitions"
        try:
            return (await self._short_list("list stage transitions", path, "stage_transitions"))[0]
        except _ResourceMissing:
            return None

    async def documents(self, owner_id: str) -> list[object]:
        """The metadata of an owner's files (section 11, L), all pages; nothing for an owner that is not known.

        The caller must look at each file's ``owner``: should the tool ignore the filter, it shows everybody's files.
        """
        filters = {"owner_id": owner_id}
        found: list[object] = []
        pages = self._pages("list documents", "/v2/document-management/documents", "documents", filters, None)
        try:
            async with aclosing(pages) as closing:
                async for page in closing:
                    found += page.items
        except _ResourceMissing:
            return []
        return found

    @asynccontextmanager
    async def download(self, document_id: str) -> AsyncIterator[RemoteFile]:
        """A file's content, read while it arrives (section 11, C for the route).

        Raises :class:`FileNotReady` at 409 (the virus scan has not passed) and
        :class:`~atsumi.errors.RemoteRejected` where the tool does not know the file, besides what every method raises.
        """
        operation, path = "download document", f"/v2/document-management/documents/{document_id}/download"
        if not _ID.fullmatch(document_id):
            raise RemoteRejected(RemoteCall("personio", operation, "GET", path), "this is not a document's id")
        token = await self._authorization.token()
        for is_last in (False, True):
            async with self._context.http.stream(
                operation,
                self._base + path,
                bucket="documents",
                limit=MANIFEST.limit("documents"),
                limiter=self._context.limiter,
                headers={"Authorization": f"Bearer {token}", "Beta": "true"},
                pause=pause_seconds,
            ) as answer:
                if answer.status == 200:
                    yield RemoteFile(
                        file_name(answer.headers.get("content-disposition", "")),
                        answer.headers.get("content-type", "").partition(";")[0].strip().lower() or None,
                        answer.chunks,
                    )
                    return
                response = await answer.whole()
            if response.status == 409:
                raise FileNotReady(response.call, "the virus scan has not passed")
            if response.status != 401 or is_last:
                break
            token = await self._authorization.token(rejected=token)
        error = await self._refused(response, "documents") if response.status == 401 else _error(response, "documents")
        if isinstance(error, _ResourceMissing):
            raise RemoteRejected(response.call, "Personio does not know the file")
        raise error

    async def persons(self, ids: Iterable[str]) -> list[object]:
        """The persons with these ids (50 at most), in the tool's order; unknown ids are left out."""
        wanted = set(ids)
        query = {"id": ",".join(sorted(wanted)), "limit": str(PERSONS_PAGE_SIZE)}
        response = await self._get("list persons", "/v2/persons", "persons", query)
        items, _ = _list_of(response)
        return [item for item in items if as_id(as_object(item).get("id")) in wanted]

    async def check_persons(self) -> None:
        """Read one person, to see whether the credentials may."""
        _list_of(await self._get("list persons", "/v2/persons", "persons", {"limit": "1"}))

    async def _short_list(self, operation: str, path: str, bucket: str) -> tuple[list[object], Response]:
        """A list without paging, in an envelope or bare (section 6: the envelope is assumed)."""
        response = await self._get(operation, path, bucket, {})
        body = response.json()
        return (body if isinstance(body, list) else _list_of(response)[0]), response

    async def _one(self, operation: str, path: str, remote_id: str, bucket: str) -> Mapping[str, object] | None:
        """A single record, bare or in an envelope (section 6)."""
        if not _ID.fullmatch(remote_id):
            return None
        try:
            response = await self._get(operation, path + remote_id, bucket, {})
        except _ResourceMissing:
            return None
        body = as_object(response.json())
        found = as_object(body.get("_data")) or body
        if as_id(found.get("id")) is None:
            raise response.unexpected("the answer is not a record", response.json())
        return found

    async def _pages(
        self, operation: str, path: str, bucket: str, filters: Mapping[str, str], cursor: str | None
    ) -> AsyncGenerator[LinkedPage]:
        async def ask(query: Mapping[str, str]) -> Answer:
            response = await self._get(operation, path, bucket, query)
            items, href = _list_of(response)
            return Answer(items, href, response)

        params = {"limit": str(PAGE_SIZE), **filters}
        pages = follow_links(ask, url=self._base + path, params=params, page_size=PAGE_SIZE, cursor=cursor)
        async with aclosing(pages) as closing:
            async for page in closing:
                yield page

    async def _get(self, operation: str, path: str, bucket: str, query: Mapping[str, str]) -> Response:
        """Ask with a token, once more with a fresh one at 401, and turn refusals into errors."""
        token = await self._authorization.token()
        response = await self._send(operation, path, bucket, query, token)
        if response.status == 401:
            # The tool may hand the same token out again (section 4.1); a second refusal tells a slip from the truth.
            fresh = await self._authorization.token(rejected=token)
            response = await self._send(operation, path, bucket, query, fresh)
            if response.status == 401:
                raise await self._refused(response, bucket)
        if response.status != 200:
            raise _error(response, bucket)
        return response

    async def _send(self, operation: str, path: str, bucket: str, query: Mapping[str, str], token: str) -> Response:
        context, limit = self._context, MANIFEST.limit(bucket)
        response = await context.http.request(
            operation,
            "GET",
            self._base + path,
            bucket=bucket,
            limit=limit,
            limiter=context.limiter,
            # Harmless since general availability, and needed where the tenant is behind (section 5, C).
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json", "Beta": "true"},
            params=query,
            pause=pause_seconds,
        )
        stated = stated_limit(response.headers)
        if stated is not None:
            await context.limiter.learn(bucket, stated[0], stated[1])
        return response

    async def _refused(self, response: Response, bucket: str) -> ToolError:
        """401 with a fresh token: a missing right on persons (section 13, 1), perhaps elsewhere, else bad credentials.

        The token endpoint is asked which rights the credentials hold, since a wrong guess would either make the
        customer reconnect in vain or leave them without a hint.
        """
        scope = _scope_of(bucket)
        granted = await self._authorization.granted_scopes()
        lacks = granted is not None and scope is not None and scope.name.removeprefix("personio:") not in granted
        if bucket == "persons" or lacks:
            return _missing(response, bucket)
        return AuthenticationFailed(
            response.call, "Personio refuses a fresh access token; connect again with new credentials"
        )


class _ResourceMissing(UnexpectedResponse):
    """404 for an id that the tool does not know; on a listing it is not expected at all."""


def _error(response: Response, bucket: str) -> ToolError:
    if response.status == 403:
        return _missing(response, bucket)
    if response.status not in (400, 404):
        return response.unexpected("Personio's answer has an unexpected status")
    try:
        body = as_object(response.json())
    except UnexpectedResponse as error:
        return error
    problems = [as_object(item) for item in as_list(body.get("errors"))]
    types = [as_text(problem.get("type")) or "" for problem in problems]
    detail = next((text for problem in problems if (text := as_text(problem.get("detail")))), None)
    detail = remote_message(detail) if detail else None
    if response.status == 400 and problems:
        # Other resources answer a missing right this way (section 13, 1).
        if any("unauthorized token" in str(problem.get(key)).lower() for problem in problems for key in problem):
            return _missing(response, bucket)
        return RequestRefused(response.call, "Personio does not accept a parameter", remote_message=detail)
    if any(kind.endswith(_GATEWAY_404) for kind in types):
        if _scope_of(bucket) is not None:
            return PermissionMissing(
                response.call,
                "Personio has not enabled this API for the account; ask Personio support to enable it",
                scope=bucket,
            )
        return response.unexpected("Personio's gateway does not know the endpoint", body)
    if any(kind.endswith(_RESOURCE_404) for kind in types):
        return _ResourceMissing(response.call, "Personio does not know the record")
    return response.unexpected("Personio's answer is not the documented error", body)


def _missing(response: Response, bucket: str) -> PermissionMissing:
    scope = _scope_of(bucket)
    if scope is None:
        return PermissionMissing(response.call, "the credentials lack a right")
    message = f'the credentials lack "{scope.label}". {scope.where["en"]}'
    return PermissionMissing(response.call, message, scope=scope.name)


def _scope_of(bucket: str) -> Scope | None:
    return MANIFEST.scope_of("transitions" if bucket == "stage_transitions" else bucket)


def _list_of(response: Response) -> tuple[list[object], str | None]:
    body = response.json()
    envelope = as_object(body)
    items = envelope.get("_data")
    if not isinstance(items, list) or "errors" in envelope:
        raise response.unexpected("the answer is not a list in the documented envelope", body)
    following = as_object(as_object(envelope.get("_meta")).get("links")).get("next")
    link = following if isinstance(following, str) else as_object(following).get("href")
    if following is not None and link is not None and not isinstance(link, str):
        raise response.unexpected("the link to the next page has an unknown shape", body)
    return items, as_text(link)


def stated_limit(headers: Mapping[str, str]) -> tuple[RateLimit, int | None] | None:
    """The budget that an answer's headers state, in requests (section 14, 1); ``None`` when they do not."""
    rate, burst = _number(headers, "replenish-rate"), _number(headers, "burst-capacity")
    if not rate or not burst:
        return None
    cost = _number(headers, "requested-tokens") or 1.0
    remaining = _number(headers, "remaining")
    return RateLimit(rate / cost, max(1, int(burst / cost))), None if remaining is None else int(remaining / cost)


def pause_seconds(headers: Mapping[str, str]) -> float | None:
    """How long a 429 of v2 asks to wait: until one request's tokens are back, at least a second (section 14)."""
    rate = _number(headers, "replenish-rate")
    return float(ceil((_number(headers, "requested-tokens") or 1.0) / rate)) if rate else None


def _number(headers: Mapping[str, str], name: str) -> float | None:
    text = headers.get(f"x-ratelimit-{name}", "").strip()
    return float(text) if text.replace(".", "", 1).isdigit() and len(text) < 10 else None
