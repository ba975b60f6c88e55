"""How many requests are left, in the headers of every answer (Bindbee NOTES, section 5)."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from atsumi.dialects.http import Headers
from atsumi.dialects.services import TokenServices
from atsumi.store.request_windows import Window

_USED = "atsumi.window"
LIMIT, REMAINING, RESET = "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"


def note_window(scope: Scope, window: Window | None) -> None:
    """Say which budget the request has used."""
    scope[_USED] = window


def with_limits(app: ASGIApp, services: TokenServices) -> ASGIApp:
    """The application with the headers on all of its answers, errors included.

    A request of whom nobody knows has used no budget; it is shown a whole one.
    """

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                window = scope[_USED] if _USED in scope else services.untouched_window()
                message = {**message, "headers": [*message["headers"], *_headers(window)]}
            await send(message)

        await app(scope, receive, send_with_headers)

    return call


def _headers(window: Window | None) -> Headers:
    if window is None:
        return ()
    shown = ((LIMIT, window.limit), (REMAINING, window.remaining), (RESET, window.reset_at))
    return tuple((name.lower().encode(), str(value).encode()) for name, value in shown)
