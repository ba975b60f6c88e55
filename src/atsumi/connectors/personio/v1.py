"""Personio's v1 recruiting API: upload a file, create an application (Personio NOTES sections 4.3, 9 and 14).

Requests are made as data first, so that what a dry run shows is what is sent.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from typing import Any

from atsumi.connector.context import Context
from atsumi.connector.http import Response
from atsumi.connector.multipart import Multipart, one_file
from atsumi.connector.reading import as_object, as_text
from atsumi.connector.writing import Notice, ToolRequest
from atsumi.connectors.personio.auth import recruiting_headers, v1_pause_seconds
from atsumi.connectors.personio.facts import MANIFEST, Settings
from atsumi.connectors.personio.refusals import Paths, refused
from atsumi.errors import RemoteCall
from atsumi.model.draft import FileDraft

_MAX_BYTES = 1024 * 1024
_CREATE, _UPLOAD = "create application", "upload document"
_PATH = "/v1/recruiting/applications"


def create_request(context: Context, body: Mapping[str, Any]) -> ToolRequest:
    """The request that creates an application.

    Raises :class:`~atsumi.errors.PermissionMissing` where the integration has no recruiting key or company id.
    """
    return ToolRequest("POST", *_addressed(context, _CREATE, _PATH), body=body, bucket="create_application")


def upload_request(context: Context, file: FileDraft) -> ToolRequest:
    """The request that uploads a file; length and boundary are added when it is sent. Raises as above."""
    url, headers = _addressed(context, _UPLOAD, f"{_PATH}/documents")
    form = {**headers, "Content-Type": "multipart/form-data"}
    return ToolRequest("POST", url, form, file=file.name, bucket="upload_document")


async def create(context: Context, body: Mapping[str, Any], notice: Notice, paths: Paths) -> None:
    """Create an application. The answer of success has no body, so nothing is known of what was made (section 9.1, C).

    Raises what :func:`.refusals.refused` gives, where the tool has certainly not done it;
    :class:`~atsumi.errors.RateLimited`; and :class:`~atsumi.errors.RemoteUnavailable` or
    :class:`~atsumi.errors.UnexpectedResponse` where it may have.
    """
    response = await _send(context, _CREATE, create_request(context, body), notice=notice)
    _judge(response, 201, paths)


async def upload(
    context: Context, file: FileDraft, size_bytes: int, content: AsyncIterable[bytes], paths: Paths
) -> str:
    """Upload a file that an application is to take, and return its uuid. ``content`` is read once, while it is sent.

    Raises as :func:`create`; doing it again is harmless, an upload that no application takes is forgotten.
    """
    form = one_file("file", file.name, file.content_type, size_bytes, content)
    response = await _send(context, _UPLOAD, upload_request(context, file), form)
    _judge(response, 200, paths)
    body = response.json()
    uuid = as_text(as_object(body).get("uuid"))
    if uuid is None:
        raise response.unexpected("the answer to an upload holds no uuid", body)
    return uuid


async def _send(
    context: Context,
    operation: str,
    request: ToolRequest,
    form: Multipart | None = None,
    notice: Notice | None = None,
) -> Response:
    bucket = request.bucket or ""
    return await context.http.request(
        operation,
        request.method,
        request.url,
        bucket=bucket,
        limit=MANIFEST.limit(bucket),
        limiter=context.limiter,
        headers={**request.headers, **(form.headers if form is not None else {})},
        json=request.body,
        content=form.content if form is not None else None,
        safe=False,
        max_bytes=_MAX_BYTES,
        pause=v1_pause_seconds,
        about_to_send=notice,
    )


def _judge(response: Response, success: int, paths: Paths) -> None:
    """Pass an answer of that status only; one below 400 may also hide a refusal (section 13, 1)."""
    error = refused(response, paths)
    if error is not None:
        raise error
    if response.status != success:
        raise response.unexpected("the answer has an unexpected status")


def _addressed(context: Context, operation: str, path: str) -> tuple[str, dict[str, str]]:
    url = Settings.read(context.config).api_base_url + path
    headers = recruiting_headers(context, RemoteCall(MANIFEST.slug, operation, "POST", url))
    return url, {**headers, "Accept": "application/json"}
