"""What every API surface needs of HTTP: routing, authentication, and answers in its own shape whatever happens.

Requests go through a router of our own, because every answer below a base path must be in the surface's contract,
whatever goes wrong, and because a list read should cost little more than its bytes.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from math import ceil
from typing import Generic, NamedTuple, Protocol, TypeVar
from uuid import UUID

import structlog
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from atsumi.dialects.services import Access, Caller, Integration
from atsumi.errors import AuthenticationRequired, InProgress, InvalidInput, RateLimited, TooManyActions
from atsumi.model.ids import from_base58

Headers = tuple[tuple[bytes, bytes], ...]

_DOCUMENT_PATH = "/openapi.json"
_SCHEME = b"bearer"
LONGEST_BODY = 64 * 1024
"""What an ordinary request's body holds at most."""


class NoRoute(Exception):
    """Nothing is served under this path, or not with this method; ``allow`` lists the methods that are."""

    def __init__(self, message: str, allow: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.allow = allow


class Operation(Protocol):
    """One path with one method. ``path`` is the part below the base path and may hold ``{names}``."""

    @property
    def method(self) -> str: ...

    @property
    def path(self) -> str: ...


O = TypeVar("O", bound=Operation)  # noqa: E741 -- no other name of one letter says operation


class Answer(NamedTuple):
    """A response with what the surface does not send with every one."""

    body: bytes
    status: int = 200
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """``is_fault`` tells that the error is ours and must be logged."""

    status: int
    body: bytes
    headers: Headers = ()
    is_fault: bool = False


Handle = Callable[[O, Scope, Receive, Mapping[str, str]], Awaitable[bytes | Answer]]
"""Serves one request; the mapping holds the named parts of the path."""

Refuse = Callable[[Exception, str, str], ErrorAnswer]
"""From an error, the path and a request id to the answer that the surface's contract foresees."""


def pattern(path: str) -> re.Pattern[str]:
    """Matches the paths that a path with ``{names}`` stands for, and finds the named parts."""
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path)))


class Api(Generic[O]):
    """The operations below one base path as an ASGI application, with their OpenAPI document beside them.

    Answers every request itself; nothing is raised to the server. ``document`` is asked once, when first needed.
    """

    def __init__(
        self,
        name: str,
        operations: Iterable[O],
        *,
        handle: Handle[O],
        refuse: Refuse,
        document: Callable[[], bytes],
        headers: Headers = ((b"content-type", b"application/json"), (b"cache-control", b"no-store")),
    ) -> None:
        self._log = structlog.get_logger(f"atsumi.dialects.{name}")
        self._handle = handle
        self._refuse = refuse
        self._make_document = document
        self._document: bytes | None = None
        self._headers = headers
        self._exact: dict[tuple[str, str], O] = {}
        self._patterns: list[tuple[re.Pattern[str], O]] = []
        for operation in operations:
            if "{" in operation.path:
                self._patterns.append((pattern(operation.path), operation))
            else:
                self._exact[operation.method, operation.path] = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        path = path_below(scope)
        try:
            found = await self._answer(path, scope, receive)
            body, status, more = found if isinstance(found, Answer) else Answer(found)
            headers = self._with(more)
        except Exception as error:
            request_id = secrets.token_hex(8)
            answer = self._refuse(error, path, request_id)
            if answer.is_fault:
                self._log.error(
                    "request failed", request_id=request_id, method=scope["method"], path=path, exc_info=error
                )
            status, headers, body = answer.status, self._with(answer.headers), answer.body
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _with(self, headers: Headers) -> Headers:
        """The headers of every answer, unless these replace them, and these."""
        replaced = {name for name, _ in headers}
        return (*(header for header in self._headers if header[0] not in replaced), *headers)

    async def _answer(self, path: str, scope: Scope, receive: Receive) -> bytes | Answer:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        operation = self._exact.get((method, path))
        if operation is not None:
            return await self._handle(operation, scope, receive, {})
        if (method, path) == ("GET", _DOCUMENT_PATH):
            if self._document is None:
                self._document = self._make_document()
            return self._document
        for candidate, operation in self._patterns:
            match = candidate.fullmatch(path)
            if match is not None and operation.method == method:
                return await self._handle(operation, scope, receive, match.groupdict())
        allowed = self._allowed(path)
        if allowed:
            raise NoRoute(f"This path takes {', '.join(allowed)} only.", allowed)
        raise NoRoute("Nothing is served under this path.")

    def _allowed(self, path: str) -> tuple[str, ...]:
        found = {method for method, known in self._exact if known == path}
        found |= {operation.method for candidate, operation in self._patterns if candidate.fullmatch(path)}
        if path == _DOCUMENT_PATH:
            found.add("GET")
        if "GET" in found:
            found.add("HEAD")
        return tuple(sorted(found))


def mounted(base_path: str, app: ASGIApp) -> Mount:
    """The application under everything below a base path.

    Starlette's own pattern ends at a line feed, which a path may hold, and whose answer is the surface's, too.
    """
    mount = Mount(base_path, app=app)
    mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)
    return mount


def path_below(scope: Scope) -> str:
    """The path below the place where an application is mounted."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(root) else path


def header(scope: Scope, name: bytes) -> bytes | None:
    """The first header of that (lower-case) name."""
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found
    return None


def base_url(public_url: str | None, scope: Scope) -> str:
    """How clients reach the product: the configured address, else scheme, host and mount path of this request.

    Without a trailing slash.
    """
    if public_url is not None:
        return public_url
    host = header(scope, b"host")
    if host is None:
        name, port = scope.get("server") or ("localhost", None)
        host = f"{name}:{port}".encode() if port else str(name).encode()
    return f"{scope['scheme']}://{host.decode('latin-1')}{scope.get('app_root_path', '')}"


async def read_body(receive: Receive | None, longest: int = LONGEST_BODY, announced: bytes | None = None) -> bytes:
    """The whole request body, which is held once. ``announced``: its length as the request's header tells it.

    Raises :class:`InvalidInput` for more than ``longest`` bytes, for what is announced to be longer before it is read.
    """
    too_long = InvalidInput(f"The body is longer than {longest} bytes.")
    if announced is not None and announced.isdigit() and int(announced[:20]) > longest:
        raise too_long
    found = BytesIO()
    while receive is not None:
        message = await receive()
        found.write(message.get("body", b""))
        if found.tell() > longest:
            raise too_long
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            break
    return found.getvalue()


def retry_after(error: Exception) -> Headers:
    """How long to wait, where the error is about that."""
    match error:
        case RateLimited():
            seconds = max(1, ceil((error.retry_at - datetime.now(UTC)).total_seconds()))
        case InProgress():
            seconds = error.seconds
        case TooManyActions():
            seconds = 1
        case _:
            return ()
    return ((b"retry-after", str(seconds).encode()),)


async def authenticate(services: Access, scope: Scope) -> Caller:
    """Who sent the request, by its bearer key. Raises :class:`AuthenticationRequired`."""
    sent = header(scope, b"authorization")
    if sent is None:
        raise AuthenticationRequired("Send your API key as `Authorization: Bearer <key>`.")
    scheme, _, key = sent.partition(b" ")
    key = key.strip()
    if scheme.lower() != _SCHEME or not key or not key.isascii():
        raise AuthenticationRequired("The Authorization header must read `Bearer <key>`.")
    caller = await services.authenticate(key.decode("ascii"))
    if caller is None:
        raise AuthenticationRequired("This API key is unknown, revoked or expired.")
    return caller


async def integration_spelled(services: Access, caller: Caller, spelled: str) -> Integration | None:
    """The caller's integration with the id ``<tool>:<24 characters>``; another environment's is ``None``, too."""
    tool, _, public_id = spelled.partition(":")
    id: UUID | None = from_base58(public_id)
    found = await services.find_integration(caller, id) if id is not None else None
    return found if found is not None and found.tool == tool else None
