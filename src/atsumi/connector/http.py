"""HTTP to tools, with budgets, short retries, a size cap, and errors of our own.

Only a tool's own address is asked here; one that a caller chooses goes to :mod:`atsumi.connector.guarded`.

Nothing else in the product retries a call. Redirects are never followed: a tool that redirects has moved, or answers
with another page than the one asked for, and the caller must judge that.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2
import stamina

from atsumi.connector.context import Limit, RateLimiter
from atsumi.connector.leniency import decode_leniently
from atsumi.connector.shapes import describe_shape, plain_url
from atsumi.errors import ConfigurationError, RateLimited, RemoteCall, RemoteUnavailable, UnexpectedResponse
from atsumi.redaction import redact_text

DEFAULT_MAX_BYTES = 32 * 1024 * 1024
MAX_FILE_BYTES = 100 * 1024 * 1024
DEFAULT_TIMEOUT_SECONDS = 30.0
MAX_ERROR_BYTES = 256 * 1024
"""What is read of an answer that tells of an error; the rest is dropped."""
_MAX_REMOTE_MESSAGE = 500
_READ_OF_MESSAGE = 8_000
_WHOLE_ANSWER = 10
"""How many times the longest wait for a part of an answer the whole answer may take."""
_SHORTEST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 3600.0
_BEFORE_SENDING = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
"""Failures without a connection: nothing of the request has left."""


@dataclass(frozen=True, slots=True)
class Response:
    """A tool's answer. ``headers`` are by lower-case name, ``url`` is redacted, errors about it carry ``call``."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    call: RemoteCall

    @property
    def content_type(self) -> str:
        """The media type without parameters, lower-case; empty when none was sent."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json(self) -> object:
        """The decoded body, broken characters replaced. Raises :class:`UnexpectedResponse` when it is not JSON."""
        try:
            return decode_leniently(self.body)
        except ValueError as error:
            kind = self.content_type or "no content type"
            raise UnexpectedResponse(self.call, f"the answer is not JSON ({kind})", shape=f"{kind}: bytes") from error

    def unexpected(self, message: str, value: object = None) -> UnexpectedResponse:
        """An error about this answer that shows the shape of ``value``."""
        return UnexpectedResponse(self.call, message, shape=describe_shape(value))


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer whose body is still arriving. ``headers`` are by lower-case name; the chunks can be read once."""

    status: int
    headers: Mapping[str, str]
    call: RemoteCall
    chunks: AsyncGenerator[bytes]

    async def whole(self) -> Response:
        """The answer with its body, for the short ones that tell of an error."""
        body = b"".join([chunk async for chunk in self.chunks])
        return Response(self.status, self.headers, body, self.call.url, self.call)


@dataclass(frozen=True, slots=True)
class Retrying:
    """How a safe request is repeated within one call: a few seconds at most, anything longer is the engine's."""

    attempts: int = 3
    first_wait_seconds: float = 0.2
    longest_wait_seconds: float = 2.0
    jitter_seconds: float = 0.2


AT_ONCE = Retrying(attempts=3, first_wait_seconds=0, longest_wait_seconds=0, jitter_seconds=0)
"""Three attempts without a pause, for tests."""


def make_client(transport: httpx2.AsyncBaseTransport | None = None) -> httpx2.AsyncClient:
    """A client fit for :class:`Http`: it follows no redirect and keeps no cookie, so that integrations never meet."""
    cookies = CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
    return httpx2.AsyncClient(transport=transport, follow_redirects=False, cookies=cookies)


@dataclass(slots=True)
class Http:
    """The way out to one tool; cheap to make, so one per run around a ``client`` that all of them share.

    Secrets must be registered with :mod:`atsumi.redaction` by whoever decrypts them; URLs in errors are redacted.
    """

    client: httpx2.AsyncClient
    tool: str
    now: Callable[[], datetime]
    retrying: Retrying = Retrying()
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    """How long the tool may take to accept a connection or to send the next part of an answer."""

    async def request(
        self,
        operation: str,
        method: str,
        url: str,
        *,
        bucket: str,
        limit: Limit,
        limiter: RateLimiter,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        json: object = None,
        content: bytes | AsyncIterable[bytes] | None = None,
        safe: bool = True,
        takes_any_status: bool = False,
        max_bytes: int = DEFAULT_MAX_BYTES,
        timeout: float | None = None,
        pause: Callable[[Mapping[str, str]], float | None] | None = None,
        about_to_send: Callable[[], Awaitable[None]] | None = None,
    ) -> Response:
        """Ask once, or a few times where ``safe`` says that repeating is harmless, and return the answer below 500.

        Takes a slot of ``bucket`` for each attempt. ``data`` is sent as a form, ``json`` as JSON. ``content`` that is
        read piece by piece is sent once, also where repeating would be harmless; a ``Content-Length`` in ``headers``
        says how long it is, without one it goes in chunks. ``pause`` reads the seconds to wait out of the headers of a
        429 that has no ``Retry-After``. ``about_to_send`` is awaited for each attempt after its slot was taken and
        right before it may reach the tool; what it raises is raised, and nothing is sent. With ``takes_any_status`` a
        429 (after blocking the bucket) and what is above are answers like any other, and are read as far.

        Raises :class:`RateLimited` at 429 (after blocking the bucket) or when the budget makes it wait too long,
        :class:`RemoteUnavailable` when the tool cannot be reached, breaks off, takes too long or answers 5xx, and
        :class:`UnexpectedResponse` when the answer is larger than ``max_bytes``. After any of these an unsafe
        request may or may not have had its effect, except after :class:`RateLimited` and where
        :attr:`RemoteUnavailable.is_unsent` rules it out. Raises :class:`ConfigurationError` when ``url`` is no address.
        """
        body = {"data": dict(data)} if data is not None else {"json": json} if json is not None else {}
        try:
            request = self.client.build_request(
                method,
                url,
                params=dict(params) if params is not None else None,
                headers=dict(headers or {}),
                content=content,
                timeout=self.timeout_seconds if timeout is None else timeout,
                **body,
            )
        except httpx2.InvalidURL as error:
            raise ConfigurationError(f"{self.tool}: {operation}: the configured address is none") from error
        call = RemoteCall(self.tool, operation, method, plain_url(str(request.url)))
        attempts = self.retrying.attempts if safe and not isinstance(content, AsyncIterable) else 1
        async for attempt in stamina.retry_context(
            on=RemoteUnavailable,
            attempts=attempts,
            timeout=None,
            wait_initial=self.retrying.first_wait_seconds,
            wait_max=self.retrying.longest_wait_seconds,
            wait_jitter=self.retrying.jitter_seconds,
        ):
            with attempt:
                await limiter.acquire(bucket, limit)
                if about_to_send is not None:
                    await about_to_send()
                try:
                    # A body that trickles in never exceeds the time between two parts, so the whole has an end too.
                    async with asyncio.timeout(_WHOLE_ANSWER * (timeout or self.timeout_seconds)):
                        response = await self._send(request, call, max_bytes, takes_any_status)
                except TimeoutError:
                    raise RemoteUnavailable(call, "the answer took too long to arrive") from None
                if response.status == 429:
                    until = self.now() + timedelta(seconds=self._pause_seconds(response.headers, pause))
                    await limiter.block(bucket, until)
                    if not takes_any_status:
                        raise RateLimited(response.call, "the request budget is used up", retry_at=until)
                if response.status >= 500 and not takes_any_status:
                    raise RemoteUnavailable(response.call, "the tool failed on its side")
                return response
        raise AssertionError("the loop above returns or raises")

    @asynccontextmanager
    async def stream(
        self,
        operation: str,
        url: str,
        *,
        bucket: str,
        limit: Limit,
        limiter: RateLimiter,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = MAX_FILE_BYTES,
        pause: Callable[[Mapping[str, str]], float | None] | None = None,
    ) -> AsyncIterator[Streamed]:
        """GET something large, and read it while it arrives. Asks once: whoever stores the content repeats the whole.

        Raises as :meth:`request`, also while the chunks are read.
        """
        try:
            request = self.client.build_request("GET", url, headers=dict(headers or {}), timeout=self.timeout_seconds)
        except httpx2.InvalidURL as error:
            raise ConfigurationError(f"{self.tool}: {operation}: the configured address is none") from error
        call = RemoteCall(self.tool, operation, "GET", plain_url(str(request.url)))
        await limiter.acquire(bucket, limit)
        with _as_tool_errors(call, request):
            answer = await self.client.send(request, stream=True, follow_redirects=False)
        try:
            received = {name.lower(): value for name, value in answer.headers.items()}
            call = RemoteCall(call.tool, call.operation, call.method, call.url, answer.status_code)
            if answer.status_code == 429:
                until = self.now() + timedelta(seconds=self._pause_seconds(received, pause))
                await limiter.block(bucket, until)
                raise RateLimited(call, "the request budget is used up", retry_at=until)
            if answer.status_code >= 500:
                raise RemoteUnavailable(call, "the tool failed on its side")
            yield Streamed(answer.status_code, received, call, _chunks(answer, call, max_bytes))
        finally:
            await answer.aclose()

    async def _send(self, request: httpx2.Request, call: RemoteCall, max_bytes: int, reads_errors: bool) -> Response:
        with _as_tool_errors(call, request):
            answer = await self.client.send(request, stream=True, follow_redirects=False)
        try:
            call = RemoteCall(call.tool, call.operation, call.method, call.url, answer.status_code)
            chunks = [chunk async for chunk in _chunks(answer, call, max_bytes, reads_errors)]
        finally:
            await answer.aclose()
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status_code, headers, b"".join(chunks), call.url, call)

    def _pause_seconds(
        self, headers: Mapping[str, str], pause: Callable[[Mapping[str, str]], float | None] | None
    ) -> float:
        seconds = parse_retry_after(headers.get("retry-after"), self.now())
        if seconds is None and pause is not None:
            seconds = pause(headers)
        return min(max(seconds or 0.0, _SHORTEST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)


@contextmanager
def _as_tool_errors(call: RemoteCall, request: httpx2.Request) -> Iterator[None]:
    try:
        yield
    except httpx2.DecodingError as error:
        raise UnexpectedResponse(call, "the answer's compression is broken") from error
    except httpx2.TransportError as error:
        if isinstance(error, httpx2.TimeoutException):
            what = "no answer in time"
        else:
            where = request.url.netloc.decode("ascii", "replace")
            what = f"the connection to {where} failed ({type(error).__name__})"
        raise RemoteUnavailable(call, what, is_unsent=isinstance(error, _BEFORE_SENDING)) from error


async def _chunks(
    answer: httpx2.Response, call: RemoteCall, max_bytes: int, reads_errors: bool = False
) -> AsyncGenerator[bytes]:
    is_cut = answer.status_code >= 400 and not reads_errors
    size = 0
    with _as_tool_errors(call, answer.request):
        async for chunk in answer.aiter_bytes():
            if is_cut and size + len(chunk) > MAX_ERROR_BYTES:
                yield chunk[: MAX_ERROR_BYTES - size]
                return
            size += len(chunk)
            if size > max_bytes:
                raise UnexpectedResponse(call, f"the answer is larger than {max_bytes} bytes")
            yield chunk


def remote_message(text: str) -> str:
    """The start of what a tool says about an error, fit for a log.

    Redacted before the final cut, so that no half of a secret is left at the end.
    """
    return redact_text(text[:_READ_OF_MESSAGE])[:_MAX_REMOTE_MESSAGE]


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds that a ``Retry-After`` header asks for (RFC 9110 section 10.2.3: seconds or a date), or ``None``."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now.timestamp()
