"""Requests of a caller's own to a tool: ``POST /v1/passthrough`` (Bindbee NOTES, section 11).

How the source's status and headers come back is not published. Here its status is the answer's, and
``x-atsumi-remote-status`` tells it apart from one of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec

from atsumi.connector.passthrough import (
    DEFAULT_TIMEOUT_SECONDS,
    Part,
    PassthroughAnswer,
    PassthroughRequest,
    find_api,
)
from atsumi.dialects.bindbee.call import Call
from atsumi.dialects.bindbee.custom_field_requests import body_of
from atsumi.dialects.bindbee.errors import Forbidden
from atsumi.dialects.http import Answer
from atsumi.dialects.passthrough_bodies import LONGEST_BODY, NOTHING, content_of, from_base64
from atsumi.errors import InvalidInput

REMOTE_STATUS, REMOTE_LOCATION = "x-atsumi-remote-status", "x-atsumi-remote-location"
Format = Literal["JSON", "XML", "MULTIPART"]

_TYPES = {"JSON": "application/json", "XML": "application/xml"}
_ANY_TYPE = "application/octet-stream"
_HANDED_ON = ("content-disposition", "etag", "last-modified", "link", "retry-after")
_WITHOUT_BODY = (204, 205, 304)
_UNSENDABLE = re.compile(r"[^\x20-\x7e]")


class PassthroughFile(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A file in a multipart body: ``file_content`` in base64, or the ``file_url`` where it is fetched."""

    file_name: str
    content_type: str | None = None
    file_content: str | None = None
    file_url: str | None = None


class PassThroughRequest(msgspec.Struct, kw_only=True):
    """What to send. ``path`` begins with that of one of the source's APIs: ``/v2/recruiting/candidates``.

    ``headers`` must be there and may be empty; those that carry credentials, name the host or frame the message are
    refused. ``data`` is sent as ``request_format`` says: an object or array as JSON, a string as it is; an object with
    texts and files as a multipart body. ``response_format`` says what type to expect where the source names none.
    ``timeout`` is in seconds, 60 unless it says otherwise and 300 at most.
    """

    method: Literal["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"]
    path: str
    headers: dict[str, str] | None
    params: dict[str, Any] | None = None
    data: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    request_format: Format | None = "JSON"
    response_format: Literal[Format, "BINARY"] | None = "JSON"
    timeout: Annotated[float, msgspec.Meta(gt=0)] | None = None


async def pass_through(call: Call) -> Answer:
    """Raises :class:`Forbidden`, :class:`InvalidRequest`, :class:`InvalidInput`, and what the tool's API raises."""
    integration = await call.integration(None)
    if not call.services.passthrough_is_enabled:
        raise Forbidden("Passthrough is switched off in this installation.")
    wish = await body_of(call, PassThroughRequest, LONGEST_BODY)
    api, path = find_api(call.services.connectors[integration.tool].passthrough, wish.path)
    answer = await call.services.pass_through(integration, api, _request(wish, path))
    return _answer(answer, wish.response_format or "JSON")


def _request(wish: PassThroughRequest, path: str) -> PassthroughRequest:
    request_format = wish.request_format or "JSON"
    content, is_json = content_of(wish.data)
    parts = None
    if content is not None and request_format == "MULTIPART":
        content, parts = None, list(_parts(wish.data))
    if is_json and request_format == "XML":
        raise InvalidInput("XML is sent as a string.", path="data")
    return PassthroughRequest(
        method=wish.method,
        path=path,
        headers=wish.headers or {},
        query=list(_query(wish.params or {})),
        content=content,
        content_type=_TYPES.get(request_format),
        parts=parts,
        timeout_seconds=DEFAULT_TIMEOUT_SECONDS if wish.timeout is None else wish.timeout,
        refuses_reserved=True,
    )


def _query(params: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Pairs; a list stands for several of the same name, ``null`` for none."""
    for name, sent in params.items():
        for value in sent if isinstance(sent, list) else [sent]:
            if isinstance(value, bool):
                yield name, "true" if value else "false"
            elif isinstance(value, str | int | float):
                yield name, str(value)
            elif value is not None:
                raise InvalidInput("A parameter is a text, a number, true, false, or a list of these.", path="params")


def _parts(data: msgspec.Raw) -> Iterator[Part]:
    try:
        fields = msgspec.json.decode(data, type=dict[str, str | int | float | PassthroughFile])
    except msgspec.DecodeError as error:
        raise InvalidInput(f"A multipart body is an object of texts and files: {error}.", path="data") from error
    for name, value in fields.items():
        if not isinstance(value, PassthroughFile):
            yield Part(name, str(value).encode())
        elif (value.file_content is None) == (value.file_url is None):
            raise InvalidInput("A file has either file_content or file_url.", path=f"data.{name}")
        elif value.file_content is None:
            yield Part(name, file_name=value.file_name, content_type=value.content_type, url=value.file_url)
        else:
            content = from_base64(value.file_content, f"data.{name}.file_content")
            yield Part(name, content, value.file_name, value.content_type or _ANY_TYPE)


def _answer(answer: PassthroughAnswer, response_format: str) -> Answer:
    """The tool's own, under its own type. What redirects is named otherwise, so that nobody follows it with a key."""
    content_type = answer.headers.get("content-type") or _TYPES.get(response_format, _ANY_TYPE)
    shown = {"content-type": content_type, "x-content-type-options": "nosniff", REMOTE_STATUS: str(answer.status)}
    shown |= {name: answer.headers[name] for name in _HANDED_ON if name in answer.headers}
    if "location" in answer.headers:
        shown[REMOTE_LOCATION] = answer.headers["location"]
    body = b"" if answer.status in _WITHOUT_BODY else answer.body
    if not body and content_type == _TYPES["JSON"] and answer.status not in _WITHOUT_BODY:
        body = bytes(NOTHING)
    headers = tuple((name.encode(), _UNSENDABLE.sub("?", value).encode()) for name, value in shown.items())
    return Answer(body, answer.status, headers)
