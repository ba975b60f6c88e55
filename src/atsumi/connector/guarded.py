"""The one way out to addresses that a caller chooses or influences: URLs of files, targets of webhooks, redirects.

A host name is resolved once for each request. Every address that it has is judged (:mod:`atsumi.connector.guard`), and
the connection goes to one of these addresses, not to the name again; for TLS and in the ``Host`` header the name stays.
Neither proxies nor credentials are taken from the environment, no cookie is kept, and each request has a connection of
its own, so that nothing one caller's server leaves behind meets another's.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from urllib.parse import urljoin

import httpcore2

from atsumi.connector.guard import Allowance, IPAddress, Target, read_url, refusal
from atsumi.connector.shapes import plain_url
from atsumi.errors import AddressRefused, FetchFailed, InvalidInput

DEFAULT_TIMEOUT_SECONDS = 60.0
_CONNECT_SECONDS = 10.0
_MAX_REDIRECTS = 5
_MAX_ADDRESSES = 4
"""How many of a host's addresses are tried."""
_RESOLVING = 8
"""How many names are looked up at the same time."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OWN_HEADERS = {"accept": "*/*", "accept-encoding": "identity", "user-agent": "atsumi"}
_FRAMING = frozenset(
    {"connection", "content-length", "expect", "host", "te", "trailer", "transfer-encoding", "upgrade"}
    | {"proxy-authorization", "proxy-connection"}
)
"""Headers that say where a request goes or where it ends."""
_NO_SUCH_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host name and port to IP addresses; raises ``socket.gaierror`` when there are none."""


@dataclass(frozen=True, slots=True)
class GuardedAnswer:
    """An answer whose body is still arriving.

    ``headers`` are by lower-case name. ``chunks`` can be read once, within the call that gave the answer; reading
    raises :class:`FetchFailed` like the call itself. ``url`` is where the answer came from after all redirects, without
    the values of its parameters.
    """

    status: int
    headers: Mapping[str, str]
    url: str
    chunks: AsyncIterator[bytes]


class GuardedClient:
    """Asks addresses that a caller chose. One for a process; :meth:`close` it at the end."""

    def __init__(
        self,
        allowance: Allowance | None = None,
        *,
        resolve: Resolve | None = None,
        ssl_context: ssl.SSLContext | None = None,
        max_redirects: int = _MAX_REDIRECTS,
    ) -> None:
        """``allowance`` is what the operator allows besides the public internet.

        ``resolve`` and ``ssl_context`` stand for the system's resolver and its trusted certificate authorities
        (``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` name others).
        """
        self._allowance = allowance or Allowance()
        # Names of slow servers take threads for long; the event loop's own threads are needed for other work.
        self._threads = ThreadPoolExecutor(_RESOLVING, thread_name_prefix="guarded-resolve")
        self._resolve = resolve or self._system_resolve
        self._ssl_context = ssl_context or httpcore2.default_ssl_context()
        self._max_redirects = max_redirects

    def close(self) -> None:
        """Let go of the threads that look up names. Requests under way fail or end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def check(self, url: str) -> None:
        """Raise :class:`AddressRefused` for what is refused by its text alone; nothing is looked up or asked."""
        self._target(url)

    @asynccontextmanager
    async def get(
        self, url: str, *, max_bytes: int, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    ) -> AsyncIterator[GuardedAnswer]:
        """GET a URL and read the answer while it arrives. Follows redirects; each is judged like the first address.

        The answer has any status from 200 on. ``timeout_seconds`` runs from the call to the last chunk.

        Raises :class:`AddressRefused`, also for a redirect that leads to a refused address or from https to http, and
        :class:`FetchFailed` when the host cannot be reached, breaks off, redirects too often, takes too long, or
        answers with more than ``max_bytes`` or with compressed content, which could be of any size.
        """
        deadline = _Deadline(timeout_seconds)
        target = self._target(url)
        addresses = await self._addresses(target, deadline)
        for _ in range(self._max_redirects + 1):
            request = _request("GET", target, {}, None)
            async with self._exchange(request, target, addresses, max_bytes, deadline) as answer:
                location = answer.headers.get("location")
                if answer.status not in _REDIRECTS or location is None:
                    _refuse_unreadable(answer, target, max_bytes)
                    yield answer
                    return
            target, addresses = await self._redirected(target, location, deadline)
        raise FetchFailed(f"{target.host}: more than {self._max_redirects} redirects.")

    @asynccontextmanager
    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        max_bytes: int,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    ) -> AsyncIterator[GuardedAnswer]:
        """Send one request and give its answer as it is, redirects included; nothing is followed or decoded.

        Raises as :meth:`get`, and :class:`InvalidInput` for a header that cannot be sent or that would say where the
        request goes. After :class:`FetchFailed` the request may or may not have had its effect.
        """
        deadline = _Deadline(timeout_seconds)
        target = self._target(url)
        request = _request(method, target, headers or {}, content)
        addresses = await self._addresses(target, deadline)
        async with self._exchange(request, target, addresses, max_bytes, deadline) as answer:
            yield answer

    def _target(self, url: str) -> Target:
        target = read_url(url)
        self._allowance.check(target)
        return target

    async def _redirected(self, target: Target, location: str, deadline: _Deadline) -> tuple[Target, list[IPAddress]]:
        try:
            # Header values are bytes, which _headers has read as Latin-1.
            following = self._target(urljoin(target.url, location.encode("latin-1").decode("utf-8")))
            if (target.scheme, following.scheme) == ("https", "http"):
                raise refusal("it leads from https to http")
            return following, await self._addresses(following, deadline)
        except AddressRefused as error:
            raise AddressRefused(f"{target.host} redirects: {error}") from error
        except ValueError:
            raise AddressRefused(f"{target.host} redirects to what is no address.") from None

    @asynccontextmanager
    async def _exchange(
        self,
        request: httpcore2.Request,
        target: Target,
        addresses: Sequence[IPAddress],
        max_bytes: int,
        deadline: _Deadline,
    ) -> AsyncIterator[GuardedAnswer]:
        """Send the request to the first of these addresses that accepts a connection."""
        network = _Pinned(addresses)
        connection = httpcore2.AsyncHTTPConnection(request.url.origin, self._ssl_context, network_backend=network)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(network.aclose)
            with _as_fetch_errors(target):
                async with deadline.applied():
                    response = await connection.handle_async_request(request)
            stack.push_async_callback(response.aclose)
            chunks = _chunks(response, target, max_bytes, deadline)
            stack.push_async_callback(chunks.aclose)
            yield GuardedAnswer(response.status, _headers(response), plain_url(target.url), chunks)

    async def _addresses(self, target: Target, deadline: _Deadline) -> list[IPAddress]:
        """Where the target may be asked. Raises :class:`AddressRefused`, and :class:`FetchFailed` without an answer."""
        found: Sequence[str] = [target.host]
        if target.address is None:
            try:
                with _as_fetch_errors(target):
                    async with deadline.applied(), asyncio.timeout(_CONNECT_SECONDS):
                        found = await self._resolve(target.host, target.port)
            except socket.gaierror as error:
                if error.errno not in _NO_SUCH_NAME:
                    raise FetchFailed(f"{target.host} cannot be looked up now.") from error
                # Told apart from a name that leads to a private address, it would show which internal names exist.
                found = []
        addresses = [ip_address(text) for text in dict.fromkeys(found)]
        self._allowance.check_addresses(target, addresses)
        return addresses[:_MAX_ADDRESSES]

    async def _system_resolve(self, host: str, port: int) -> list[str]:
        look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        return [str(sockaddr[0]) for *_, sockaddr in found]


class _Pinned(httpcore2.AsyncNetworkBackend):
    """Connects to the addresses that were judged, in their order, whatever host is asked for."""

    def __init__(self, addresses: Sequence[IPAddress]) -> None:
        self._addresses = addresses
        self._network = httpcore2.AnyIOBackend()
        self._stream: httpcore2.AsyncNetworkStream | None = None

    async def aclose(self) -> None:
        """Close the connection. httpcore2 leaves it open when it is cancelled during the TLS handshake."""
        if self._stream is not None:
            await self._stream.aclose()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        each = None if timeout is None else timeout / len(self._addresses)
        for address in self._addresses:
            try:
                self._stream = await self._network.connect_tcp(str(address), port, each, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if address == self._addresses[-1]:
                    raise
            else:
                return self._stream
        raise AssertionError("there is at least one address, or it would have been refused")


class _Deadline:
    """The instant at which a call must be done. Only what is awaited within :meth:`applied` is ended by it."""

    def __init__(self, seconds: float) -> None:
        self._at = asyncio.get_running_loop().time() + seconds

    def applied(self) -> asyncio.Timeout:
        return asyncio.timeout_at(self._at)


@contextmanager
def _as_fetch_errors(target: Target) -> Iterator[None]:
    try:
        yield
    except (TimeoutError, httpcore2.TimeoutException) as error:
        raise FetchFailed(f"{target.host} took too long to answer.") from error
    except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        if isinstance(error.__cause__, ssl.SSLCertVerificationError):
            raise FetchFailed(f"The certificate of {target.host}: {error.__cause__.verify_message}.") from error
        raise FetchFailed(f"The request to {target.host} failed ({type(error).__name__}).") from error


async def _chunks(
    response: httpcore2.Response, target: Target, max_bytes: int, deadline: _Deadline
) -> AsyncGenerator[bytes]:
    size = 0
    async with aclosing(response.aiter_stream()) as parts:
        while True:
            with _as_fetch_errors(target):
                async with deadline.applied():
                    part = await anext(parts, None)
            if part is None:
                return
            size += len(part)
            if size > max_bytes:
                raise _too_large(target, max_bytes)
            yield part


def _refuse_unreadable(answer: GuardedAnswer, target: Target, max_bytes: int) -> None:
    """Raise :class:`FetchFailed` for content that is not going to be read to its end, before any of it is."""
    if answer.status >= 300:
        return
    if answer.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
        raise FetchFailed(f"{target.host} sends compressed content, which was not asked for.")
    # That the length is a number, of 20 digits at most, and but one, was seen to by h11.
    if int(answer.headers.get("content-length", 0)) > max_bytes:
        raise _too_large(target, max_bytes)


def _too_large(target: Target, max_bytes: int) -> FetchFailed:
    return FetchFailed(f"{target.host} sends more than {max_bytes} bytes.")


def _request(method: str, target: Target, headers: Mapping[str, str], content: bytes | None) -> httpcore2.Request:
    given = {name.lower(): value for name, value in headers.items()}
    if unfit := sorted(given.keys() & _FRAMING):
        raise InvalidInput(f"The header {unfit[0]!r} cannot be chosen.")
    whole = {"host": target.authority, **_OWN_HEADERS, **given, "connection": "close"}
    if content is not None:
        whole["content-length"] = str(len(content))
    try:
        encoded = [(name.encode("ascii"), value.encode("ascii")) for name, value in whole.items()]
    except UnicodeEncodeError:
        raise InvalidInput("Headers hold ASCII characters only.") from None
    return httpcore2.Request(
        method,
        httpcore2.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path),
        headers=encoded,
        content=content,
        extensions={"timeout": {"connect": _CONNECT_SECONDS}},
    )


def _headers(response: httpcore2.Response) -> dict[str, str]:
    """By lower-case name; what was sent several times is joined, as RFC 9110 section 5.3 has it."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in response.headers:
        name, value = raw_name.decode("ascii").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
