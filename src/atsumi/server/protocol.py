"""HTTP/1.1 with bounds on what a client may send before anybody knows who it is.

uvicorn's parser keeps every header it is given and waits for the rest of a request for ever. Both are bounded here, and
what cannot become a request is answered in the shape of every other error. Not bounded here: how long the body of an
accepted request takes, and how long a client takes to read an answer.
"""

from __future__ import annotations

import asyncio
import http
from typing import Any, ClassVar

import msgspec
from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.protocols.http.flow_control import service_unavailable
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from atsumi.dialects.kombo.errors import ErrorDetail, ErrorDocument

# 100 is Apache's default (LimitRequestFields), 64 KiB uvicorn's with its other parser (h11_max_incomplete_event_size).
MAX_HEADERS = 100
MAX_HEAD_BYTES = 64 * 1024
MAX_URL_BYTES = 32 * 1024

_SEPARATORS = len(b": \r\n")


class _Refused(Exception):
    """Raised inside of a callback to stop the parser; the answer is noted on the protocol."""


class BoundedProtocol(HttpToolsProtocol):
    """A connection that refuses what is too large with 414 or 431, and closes when a request's head stays away.

    A head is everything before the body: request line and headers. Trailers count with the headers.
    """

    head_seconds: ClassVar[float] = 10
    """How long a connection may go without a complete head while no request of it is being answered."""

    linger_seconds: ClassVar[float] = 1
    """How long a refused client may go on sending: closing at once would reset the connection under the answer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._refusal: tuple[int, str] | None = None
        self._in_body = False
        self._header_count = 0
        self._head_bytes = 0  # by what the parser handed over
        self._idle_bytes = 0  # read since the parser last got somewhere; it may hold all of them
        self._got_somewhere = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refusal is not None:
            return
        self._got_somewhere = False
        super().data_received(data)
        if self._refusal is not None or self.transport.is_closing():
            return
        if not self._got_somewhere:
            self._idle_bytes += len(data)
            if self._idle_bytes > MAX_HEAD_BYTES:
                self._refusal = _too_large()
                self._answer_refusal()
                return
        if self._timer is None and not self._is_answering():
            self._start_timer()

    def on_message_begin(self) -> None:
        self._header_count = self._head_bytes = 0
        self._note_progress()
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._head_bytes += len(url)
        if len(self.url) > MAX_URL_BYTES:
            self._refusal = 414, f"The URL is longer than {MAX_URL_BYTES} bytes."
            raise _Refused

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_count += 1
        self._head_bytes += len(name) + len(value) + _SEPARATORS
        if self._header_count > MAX_HEADERS or self._head_bytes > MAX_HEAD_BYTES:
            self._refusal = _too_large()
            raise _Refused
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._stop_timer()
        self._note_progress()
        super().on_headers_complete()
        self._in_body = True

    def on_body(self, body: bytes) -> None:
        self._note_progress()
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_body = False
        self._note_progress()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._refusal is not None and not self._is_answering() and not self.transport.is_closing():
            self._answer_refusal()

    def send_400_response(self, msg: str) -> None:
        """Called by uvicorn for everything that stopped the parser, ours included."""
        if self._refusal is None:
            self._refusal = 400, "This is not a valid HTTP request."
        self._answer_refusal()

    def _unsupported_upgrade_warning(self) -> None:
        """Says nothing: a server may ignore the offer to change protocols (RFC 9110, section 7.8)."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        super()._start_asgi_task(cycle, _unavailable if app is service_unavailable else app)

    def _answer_refusal(self) -> None:
        """Answer what was refused and close, once the requests before it have their answers."""
        self._stop_timer()
        if self._in_body:
            # The request was accepted already. It can only be refused as long as nothing else was said about it.
            if self.cycle.response_started or any(cycle is self.cycle for cycle, _ in self.pipeline):
                self.transport.close()
                return
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        elif self._is_answering():
            return  # on_response_complete comes back here
        if self._refusal is None or self.transport.is_closing():
            return
        status, message = self._refusal
        body = _envelope(message)
        head = [
            f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}\r\n".encode(),
            *(name + b": " + value + b"\r\n" for name, value in self.server_state.default_headers),
            b"content-type: application/json\r\n",
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode(),
        ]
        self.transport.write(b"".join(head) + body)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._timer = self.loop.call_later(self.linger_seconds, self.transport.close)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _note_progress(self) -> None:
        self._got_somewhere = True
        self._idle_bytes = 0

    def _start_timer(self) -> None:
        self._timer = self.loop.call_later(self.head_seconds, self.transport.close)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


async def _unavailable(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    body = _envelope("Too many connections are open. Try again in a moment.")
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", b"1"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _too_large() -> tuple[int, str]:
    return 431, f"A request may have {MAX_HEADERS} headers, and {MAX_HEAD_BYTES} bytes before its body."


def _envelope(message: str) -> bytes:
    return msgspec.json.encode(ErrorDocument(error=ErrorDetail(code=None, title=None, message=message)))
