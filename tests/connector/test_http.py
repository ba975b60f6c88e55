"""The way out to tools: retries, budgets, caps, and what errors say."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from atsumi.connector.context import RateLimit
from atsumi.connector.http import AT_ONCE, Http, Response, make_client, parse_retry_after
from atsumi.connector.shapes import describe_shape, plain_url
from atsumi.errors import ConfigurationError, RateLimited, RemoteUnavailable, UnexpectedResponse
from atsumi.redaction import register_secret
from atsumi.testing.doubles import NOON, FakeClock, UnlimitedRate

LIMIT = RateLimit(1, 1)
Handler = Callable[[httpx2.Request], httpx2.Response]


class Tool:
    """Answers with one response after the other, the last one for ever; exceptions are raised."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []
        self.limiter = UnlimitedRate()
        self.http = Http(make_client(httpx2.MockTransport(self._answer)), "tool", FakeClock(), AT_ONCE)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def ask(self, url: str = "https://tool.test/things", **options: Any) -> Response:
        return await self.http.request(
            "list things", "GET", url, bucket="things", limit=LIMIT, limiter=self.limiter, **options
        )


class OneByOne(httpx2.AsyncBaseTransport):
    """Hands requests on without reading their bodies first."""

    def __init__(self, handle: Callable[[httpx2.Request], Awaitable[httpx2.Response]]) -> None:
        self.handle_async_request = handle  # type: ignore[method-assign]  # the function is the whole transport


async def test_a_failure_on_the_tools_side_is_tried_again() -> None:
    tool = Tool(httpx2.Response(503), httpx2.ConnectError("no route"), httpx2.Response(200, json={"a": 1}))
    assert (await tool.ask()).json() == {"a": 1}
    assert tool.limiter.acquired == ["things"] * 3


async def test_an_unsafe_request_is_sent_once() -> None:
    tool = Tool(httpx2.Response(500))
    with pytest.raises(RemoteUnavailable):
        await tool.ask(safe=False)
    assert len(tool.requests) == 1


@pytest.mark.parametrize(
    ("failure", "is_unsent"),
    [
        (httpx2.ConnectError("refused"), True),
        (httpx2.ConnectTimeout("slow"), True),
        (httpx2.PoolTimeout("busy"), True),
        (httpx2.WriteTimeout("slow"), False),
        (httpx2.WriteError("cut"), False),
        (httpx2.ReadTimeout("slow"), False),
        (httpx2.ReadError("cut"), False),
        (httpx2.RemoteProtocolError("cut"), False),
        (httpx2.Response(500), False),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_only_what_never_had_a_connection_is_certainly_unsent(
    failure: httpx2.Response | Exception, is_unsent: bool
) -> None:
    with pytest.raises(RemoteUnavailable) as caught:
        await Tool(failure).ask(safe=False)
    assert caught.value.is_unsent is is_unsent


async def test_every_attempt_is_announced_between_its_slot_and_the_tool() -> None:
    tool = Tool(httpx2.Response(503), httpx2.Response(200))
    seen: list[tuple[int, int]] = []

    async def announce() -> None:
        seen.append((len(tool.limiter.acquired), len(tool.requests)))

    await tool.ask(about_to_send=announce)
    assert seen == [(1, 0), (2, 1)]


async def test_an_announcement_that_fails_keeps_the_request_back() -> None:
    tool = Tool(httpx2.Response(200))

    async def announce() -> None:
        raise LookupError("it cannot be noted")

    with pytest.raises(LookupError):
        await tool.ask(about_to_send=announce)
    assert tool.requests == []


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@pytest.mark.parametrize(
    ("headers", "framing"),
    [({"Content-Length": "6"}, ("6", None)), ({}, (None, "chunked"))],
    ids=["of known length", "of unknown length"],
)
async def test_a_body_is_sent_piece_by_piece(headers: dict[str, str], framing: tuple[str | None, str | None]) -> None:
    received: list[bytes] = []

    async def read(request: httpx2.Request) -> httpx2.Response:
        assert (request.headers.get("content-length"), request.headers.get("transfer-encoding")) == framing
        assert isinstance(request.stream, httpx2.AsyncByteStream)
        received.extend([piece async for piece in request.stream])
        return httpx2.Response(200)

    tool = Tool(httpx2.Response(200))
    tool.http.client = make_client(OneByOne(read))
    await tool.ask(content=pieces(b"abc", b"def"), headers=headers)
    assert received == [b"abc", b"def"]


async def test_a_body_that_is_read_piece_by_piece_is_never_sent_twice() -> None:
    tool = Tool(httpx2.Response(503))
    with pytest.raises(RemoteUnavailable):
        await tool.ask(content=pieces(b"abc"))
    assert len(tool.requests) == 1


@pytest.mark.parametrize(
    "failure",
    [
        httpx2.Response(502),
        httpx2.ConnectError("refused"),
        httpx2.ReadTimeout("slow"),
        httpx2.RemoteProtocolError("cut"),
    ],
    ids=["5xx", "refused", "slow", "cut"],
)
async def test_a_tool_that_stays_away_is_unavailable(failure: httpx2.Response | Exception) -> None:
    tool = Tool(failure)
    with pytest.raises(RemoteUnavailable, match=r"^tool: list things: "):
        await tool.ask()
    assert len(tool.requests) == 3


async def test_429_blocks_the_bucket_until_the_time_that_the_tool_names() -> None:
    tool = Tool(httpx2.Response(429, headers={"Retry-After": "17"}))
    with pytest.raises(RateLimited) as caught:
        await tool.ask()
    assert caught.value.retry_at == tool.limiter.blocked["things"] == NOON + timedelta(seconds=17)
    assert len(tool.requests) == 1


@pytest.mark.parametrize(("header", "seconds"), [(None, 5), ("nonsense", 5), ("0", 1), ("999999999", 3600)])
async def test_429_without_a_sensible_time_waits_as_the_connector_knows(header: str | None, seconds: int) -> None:
    tool = Tool(httpx2.Response(429, headers={"Retry-After": header} if header else {}))
    with pytest.raises(RateLimited) as caught:
        await tool.ask(pause=lambda headers: 5.0)
    assert caught.value.retry_at == NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("3", 3.0), (" 3 ", 3.0), ("Mon, 01 Jun 2026 12:00:30 GMT", 30.0), ("-3", None), ("soon", None), (None, None)],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, NOON) == seconds


async def test_redirects_are_not_followed() -> None:
    tool = Tool(httpx2.Response(302, headers={"Location": "https://elsewhere.test/"}))
    assert (await tool.ask()).status == 302
    assert len(tool.requests) == 1


async def test_cookies_are_not_kept() -> None:
    tool = Tool(httpx2.Response(200, headers={"Set-Cookie": "session=abc; Path=/"}))
    await tool.ask()
    await tool.ask()
    assert "cookie" not in tool.requests[1].headers


async def test_an_answer_larger_than_the_cap_is_refused() -> None:
    with pytest.raises(UnexpectedResponse, match="larger than 10 bytes"):
        await Tool(httpx2.Response(200, content=b"x" * 11)).ask(max_bytes=10)


async def test_the_cap_counts_unpacked_bytes() -> None:
    packed = zlib.compress(b"x" * 100_000)
    answer = httpx2.Response(200, headers={"Content-Encoding": "deflate"}, stream=httpx2.ByteStream(packed))
    with pytest.raises(UnexpectedResponse, match="larger than"):
        await Tool(answer).ask(max_bytes=50_000)


async def test_broken_compression_is_an_unexpected_response() -> None:
    answer = httpx2.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx2.ByteStream(b"not packed"))
    with pytest.raises(UnexpectedResponse, match="compression"):
        await Tool(answer).ask()


@pytest.mark.parametrize("body", [b"<html>", b"", b"\xff\xfe", b'{"a": '])
async def test_a_body_that_is_not_json_is_an_unexpected_response(body: bytes) -> None:
    response = await Tool(httpx2.Response(200, content=body)).ask()
    with pytest.raises(UnexpectedResponse, match="not JSON"):
        response.json()


@pytest.mark.parametrize("url", ["https://[::1", "https://tool.test:abc/", "https://tool.test/\x00"])
async def test_what_is_no_address_is_a_matter_of_configuration(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^tool: list things: "):
        await Tool(httpx2.Response(200)).ask(url)


async def test_errors_show_no_secret_and_no_parameter_values() -> None:
    register_secret("s3cr3t-value")
    with pytest.raises(RemoteUnavailable) as caught:
        await Tool(httpx2.Response(500)).ask(
            "https://user:pw@tool.test/s3cr3t-value/x", params={"email": "a@b.example", "limit": "5"}
        )
    shown = caught.value.call.url
    assert shown == "https://tool.test/[redacted]/x?email=...&limit=5"


def test_a_shape_shows_keys_and_types_only() -> None:
    value = {"name": "Ada", "n": 1, "x": None, "list": [{"a@b.example": 1.5}, 2], "deep": {"a": {"b": {"c": 1}}}}
    assert describe_shape(value) == ("{deep: {a: {b: {...}}}, list: [{...: float}] x 2, n: int, name: str, x: null}")


def test_a_url_keeps_its_place_and_loses_the_rest() -> None:
    assert plain_url("http://h.test:81/p?page=2&q=secret#f") == "http://h.test:81/p?page=2&q=..."


async def test_a_body_that_never_ends_is_given_up() -> None:
    class Trickle(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                await asyncio.sleep(0)
                yield b" "

    tool = Tool(httpx2.Response(200, stream=Trickle()))
    tool.http.timeout_seconds = 0.001
    with pytest.raises(RemoteUnavailable, match="took too long"):
        await tool.ask(safe=False, max_bytes=1 << 30)


async def test_of_a_large_error_only_the_start_is_read() -> None:
    assert len((await Tool(httpx2.Response(404, content=b"x" * (257 << 10))).ask()).body) == 256 << 10
    with pytest.raises(RemoteUnavailable):
        await Tool(httpx2.Response(503, content=b"x" * (257 << 10))).ask()
    assert (await Tool(httpx2.Response(200, content=b"x" * (257 << 10))).ask()).status == 200
