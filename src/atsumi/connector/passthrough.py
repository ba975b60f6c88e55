"""Requests of a caller's own making, sent to a tool with an integration's credentials.

A connector declares which APIs its tool has (:class:`PassthroughApi`). What a caller may decide, and what it gets to
see, is decided here for all tools: the request stays below the API's base address, carries the credentials but never
shows them, uses the same budgets as everything else, and is sent once.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from unicodedata import normalize
from urllib.parse import quote, unquote_to_bytes, urlencode

import httpx2

from atsumi.connector.context import Context, RateLimit
from atsumi.connector.http import Response
from atsumi.connector.manifest import Manifest
from atsumi.errors import InvalidInput
from atsumi.redaction import is_secret_name, redact_text

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
MAX_REQUEST_BYTES = 10 * 1024 * 1024
MAX_ANSWER_BYTES = 20 * 1024 * 1024
DEFAULT_TIMEOUT_SECONDS = 60.0
MAX_TIMEOUT_SECONDS = 300.0
_MAX_URL_LENGTH = 16_000

Authorize = Callable[[Context, Mapping[str, str] | None], Awaitable[Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class PassthroughApi:
    """One API of a tool, as callers may address it.

    ``at`` begins the paths of this API on a surface that has one address for all APIs of a tool (:func:`find_api`).
    """

    summary: str
    at: str
    base_url: Callable[[Mapping[str, str]], str]
    """The address that every request stays below, made of the integration's public settings; no slash at its end."""
    authorize: Authorize
    """The headers that carry the credentials. Given those that the tool has just refused, others, or the same if there
    are no others. Raises any :class:`~atsumi.errors.ToolError`."""
    bucket: Callable[[str, str], str]
    """The budget that a request uses, by method and decoded path below the base address, without query."""
    own_headers: frozenset[str] = frozenset()
    """Lower-case names of headers that only the connector sets, besides those that no caller sets anywhere."""
    pause: Callable[[Mapping[str, str]], float | None] | None = None
    """See :meth:`atsumi.connector.http.Http.request`."""
    stated: Callable[[Mapping[str, str]], tuple[RateLimit, int | None] | None] | None = None
    """The budget that an answer's headers state, if they do, for :meth:`RateLimiter.learn`."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart body: a text field, or a file with a name.

    A file comes with its ``content``, or with a ``url`` where whoever sends the request fetches it before.
    """

    name: str
    content: bytes = b""
    file_name: str | None = None
    content_type: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class PassthroughRequest:
    """What a caller wants sent. ``path`` counts from the API's base address and may hold a query."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Sequence[tuple[str, str]] = ()
    content: bytes | None = None
    content_type: str | None = None
    """Of ``content``, unless ``headers`` say otherwise."""
    parts: Sequence[Part] | None = None
    """A multipart body in place of ``content``."""
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    """For everything: the wait for the budget, the token, and the answer to its end. At most 300."""
    refuses_reserved: bool = False
    """Whether a header that is not the caller's to set keeps the request from being sent."""


@dataclass(frozen=True, slots=True)
class PassthroughAnswer:
    """What the tool answered, whatever its status. ``headers`` are by lower-case name; ``url`` holds no secret."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    dropped: Sequence[str] = ()
    """Names of request headers that no caller may set and that were left out."""

    @property
    def content_type(self) -> str:
        """The media type without parameters, lower-case; empty when none was sent."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


# Paths.

# RFC 3986 section 3.3, with a query of section 3.4 to which brackets are added, which many APIs use unescaped.
_PATH = re.compile(r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)+")
_QUERY = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?\[\]-]|%[0-9A-Fa-f]{2})*")
_PATH_PARAMETERS = re.compile(r";[^/]*")
_BAD_IN_SEGMENT = re.compile(r"[/\\?#\x00-\x1f\x7f]")
_ROUNDS = 5
"""How often a segment may be escaped over and over before it is refused unread."""


def find_api(apis: Mapping[str, PassthroughApi], path: str) -> tuple[str, str]:
    """The API whose paths begin like this one, the longest beginning first, and the path within it.

    Raises :class:`InvalidInput` that lists the beginnings.
    """
    given = path if path.startswith("/") else f"/{path}"
    for name, api in sorted(apis.items(), key=lambda item: len(item[1].at), reverse=True):
        rest = given.removeprefix(api.at)
        if rest != given and rest[:1] in ("", "/", "?"):
            return name, rest
    known = ", ".join(sorted(api.at for api in apis.values()))
    raise InvalidInput(f"The path must begin with one of: {known}.", path="path")


def address(base_url: str, path: str, query: Sequence[tuple[str, str]] = ()) -> httpx2.URL:
    """The URL of a path below a base address, its own query before ``query``.

    Raises :class:`InvalidInput` for whatever could lead elsewhere, to this reader or to a later one: another scheme or
    host, dot segments, backslashes, control characters, fragments, and any of them escaped.
    """
    given, mark, own = path.partition("?")
    if not given.startswith("/"):
        given = f"/{given}"
    if not _PATH.fullmatch(given) or not _QUERY.fullmatch(own):
        raise _refused("it may hold letters, digits, /-._~!$&'()*+,;=:@ and %-escapes of everything else")
    segments = given[1:].split("/")
    if "" in segments[:-1]:
        raise _refused("it counts from the API's base address and holds no empty segment")
    for segment in segments:
        _check_segment(segment)
    whole = "&".join(text for text in (own, urlencode(query, quote_via=quote, safe="")) if text)
    text = f"{base_url}{given}{f'?{whole}' if mark or whole else ''}"
    if len(text) > _MAX_URL_LENGTH:
        raise _refused(f"with its query it is longer than {_MAX_URL_LENGTH} characters")
    root, url = httpx2.URL(base_url), httpx2.URL(text)
    # The rules above leave no way out; this does not depend on them.
    origin = (url.scheme, url.host, url.port, url.userinfo) == (root.scheme, root.host, root.port, root.userinfo)
    if not origin or not url.raw_path.startswith(root.raw_path.rstrip(b"/") + b"/"):
        raise _refused("it leads out of the API")
    return url


def _check_segment(segment: str) -> None:
    """Judge a segment as it is and after each round of unescaping, as servers behind servers may read it."""
    for _ in range(_ROUNDS):
        try:
            text = unquote_to_bytes(segment).decode()
        except UnicodeDecodeError:
            raise _refused("its escapes are not UTF-8") from None
        # Some servers fold look-alikes, and some drop what follows a semicolon.
        folded = normalize("NFKC", text)
        if folded.partition(";")[0].strip() in (".", "..") or _BAD_IN_SEGMENT.search(folded):
            raise _refused("it holds a dot segment, or an escaped slash, backslash, ?, # or control character")
        if text == segment:
            return
        segment = text
    raise _refused("it is escaped too often")


def _refused(rule: str) -> InvalidInput:
    return InvalidInput(f"The path is refused: {rule}.", path="path")


# Headers.

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")  # RFC 9110 section 5.6.2
_HEADER_VALUE = re.compile(r"[\x20-\x7e\t]{0,8000}")
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,100}/[\w.+-]{1,100}", re.ASCII)
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "http2-settings", "expect"}
)
_FRAMING = frozenset({"host", "content-length", "accept-encoding"})
"""Where a request goes, where it ends, and how its answer is packed."""
_OF_WHOM = ("proxy-", "sec-", "forwarded", "x-forwarded-", "x-real-ip")
_ANOTHER_REQUEST = ("x-original-", "x-rewrite-", "x-http-method", "x-method-override")
_RESERVED_BEGINNINGS = (*_OF_WHOM, *_ANOTHER_REQUEST)
"""What says who asks, and what asks for something else than was judged."""
_HIDDEN = frozenset({"content-encoding", "content-length", "set-cookie2", "www-authenticate", "authentication-info"})
"""What of an answer is not handed on, besides secrets: it was unpacked, and nobody else logs in."""


def is_reserved(name: str, api: PassthroughApi) -> bool:
    """Whether a request header is never the caller's to set.

    Many servers read an underscore in a name as a hyphen (CGI, RFC 3875 section 4.1.18).
    """
    plain = name.lower().replace("_", "-")
    return (
        plain in _HOP_BY_HOP
        or plain in _FRAMING
        or plain in api.own_headers
        or plain.startswith(_RESERVED_BEGINNINGS)
        or is_secret_name(plain)
    )


def _caller_headers(headers: Mapping[str, str], api: PassthroughApi) -> dict[str, str]:
    kept: dict[str, str] = {}
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise InvalidInput("This is not the name of a header.", path="headers")
        if is_reserved(name, api):
            continue
        if not _HEADER_VALUE.fullmatch(value):
            message = "A header's value holds printable ASCII characters, at most 8000."
            raise InvalidInput(message, path=f"headers.{name}")
        if name.lower() in kept:
            raise InvalidInput("This header is given twice.", path=f"headers.{name}")
        kept[name.lower()] = value
    return kept


def _shown_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name: redact_text(value)
        for name, value in headers.items()
        if name not in _HOP_BY_HOP
        and name not in _HIDDEN
        and not name.startswith("proxy-")
        and not is_secret_name(name)
    }


# Sending.


async def send(
    context: Context, manifest: Manifest, api: PassthroughApi, request: PassthroughRequest
) -> PassthroughAnswer:
    """Send a caller's request to the tool, once; with a fresh token once more where the tool refuses the present one.

    Every status is an answer, redirects are not followed, and a 429 keeps everybody from the budget as it does
    elsewhere. Request headers that are not the caller's to set are left out, or keep the request from being sent.

    Raises :class:`InvalidInput` for a request that is not sent, :class:`~atsumi.errors.RateLimited` when the budget
    would make it wait too long, :class:`TimeoutError` when its time is over, :class:`UnexpectedResponse` for more than
    20 MiB, and what :attr:`PassthroughApi.authorize` and :meth:`Http.request` raise. After :class:`TimeoutError` and
    :class:`~atsumi.errors.RemoteUnavailable` the tool may or may not have done what was asked.
    """
    prepared = _prepare(context, api, request)
    try:
        async with asyncio.timeout(prepared.seconds):
            authorization = await api.authorize(context, None)
            response = await _ask(context, manifest, api, prepared, authorization)
            if response.status == 401:
                fresh = await api.authorize(context, authorization)
                if fresh != authorization:
                    response = await _ask(context, manifest, api, prepared, fresh)
    except TimeoutError:
        message = (
            f"{manifest.slug} did not answer within {prepared.seconds:g} seconds. It may have done what was asked."
        )
        raise TimeoutError(message) from None
    if not 200 <= response.status <= 599:
        raise response.unexpected("the status is none of HTTP's")
    return PassthroughAnswer(
        status=response.status,
        headers=_shown_headers(response.headers),
        body=response.body,
        url=redact_text(prepared.url),
        dropped=prepared.dropped,
    )


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A request that was judged and may be sent."""

    method: str
    url: str
    bucket: str
    headers: Mapping[str, str]
    content: bytes | None
    seconds: float
    dropped: Sequence[str]


def _prepare(context: Context, api: PassthroughApi, request: PassthroughRequest) -> _Prepared:
    """Raises :class:`InvalidInput`."""
    if request.method not in METHODS:
        raise InvalidInput(f"The method must be one of {', '.join(METHODS)}.", path="method")
    if not request.timeout_seconds > 0:
        raise InvalidInput("The timeout is more than 0 seconds.", path="timeout")
    base_url = api.base_url(context.config)
    url = address(base_url, request.path, request.query)
    # As the tool will read it: unescaped, and without what some servers drop.
    path = _PATH_PARAMETERS.sub("", url.path.removeprefix(httpx2.URL(base_url).path.rstrip("/")))
    dropped = tuple(name for name in request.headers if is_reserved(name, api))
    if dropped and request.refuses_reserved:
        raise InvalidInput("This header is not the caller's to set.", path=f"headers.{dropped[0]}")
    content, content_type = request.content, request.content_type
    headers = _caller_headers(request.headers, api)
    if request.parts is not None:
        # The boundary between the parts stands in the type, so no other will do.
        content, headers["content-type"] = _multipart(request.parts)
    elif content is not None and content_type is not None:
        headers.setdefault("content-type", content_type)
    if content is not None and len(content) > MAX_REQUEST_BYTES:
        raise InvalidInput(f"The body is longer than {MAX_REQUEST_BYTES} bytes.")
    return _Prepared(
        method=request.method,
        url=str(url),
        bucket=api.bucket(request.method, path),
        headers=headers,
        content=content,
        seconds=min(request.timeout_seconds, MAX_TIMEOUT_SECONDS),
        dropped=dropped,
    )


async def _ask(
    context: Context,
    manifest: Manifest,
    api: PassthroughApi,
    prepared: _Prepared,
    authorization: Mapping[str, str],
) -> Response:
    response = await context.http.request(
        "passthrough",
        prepared.method,
        prepared.url,
        bucket=prepared.bucket,
        limit=manifest.limit(prepared.bucket),
        limiter=context.limiter,
        headers={**prepared.headers, **{name.lower(): value for name, value in authorization.items()}},
        content=prepared.content,
        safe=False,
        takes_any_status=True,
        max_bytes=MAX_ANSWER_BYTES,
        timeout=prepared.seconds,
        pause=api.pause,
    )
    stated = api.stated(response.headers) if api.stated is not None else None
    if stated is not None:
        await context.limiter.learn(prepared.bucket, *stated)
    return response


def _multipart(parts: Sequence[Part]) -> tuple[bytes, str]:
    if not parts:
        raise InvalidInput("A multipart body has at least one part.")
    if not all(part.content_type is None or _MEDIA_TYPE.fullmatch(part.content_type) for part in parts):
        raise InvalidInput("The type of a file reads like application/pdf.")
    fields = [(part.name, (part.file_name, part.content, part.content_type)) for part in parts]
    made = httpx2.Request("POST", "http://multipart", files=fields)
    return made.read(), made.headers["content-type"]
