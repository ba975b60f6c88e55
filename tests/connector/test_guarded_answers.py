"""What is sent to callers' URLs, and what is made of answers: within bounds of time and size, whatever arrives."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from atsumi.errors import FetchFailed, InvalidInput
from guarded_kit import MAX_BYTES, allowing, read
from loopback_host import Host, answering, host, ok, redirect


async def test_what_is_sent_is_sent_once() -> None:
    async with host(answering(redirect("/elsewhere", 307))) as server:
        client = allowing(f"127.0.0.1:{server.port}")
        url = f"http://127.0.0.1:{server.port}/hook"
        headers = {"Webhook-Id": "msg_1", "Content-Type": "application/json", "User-Agent": "other"}
        async with client.send("POST", url, headers=headers, content=b"{}", max_bytes=MAX_BYTES) as answer:
            assert (answer.status, answer.headers["location"]) == (307, "/elsewhere")
        assert server.paths() == ["/hook"]
        assert server.requests[0].startswith(b"POST /hook HTTP/1.1\r\n")
        assert server.requests[0].endswith(b"\r\n\r\n{}")
        sent = server.headers()
        assert (sent["webhook-id"], sent["user-agent"], sent["content-length"]) == ("msg_1", "other", "2")


@pytest.mark.parametrize(
    "headers",
    [
        *(
            {"Host": "127.0.0.1"},
            {"CONTENT-LENGTH": "1"},
            {"Transfer-Encoding": "chunked"},
            {"Connection": "keep-alive"},
        ),
        *({"Proxy-Authorization": "x"}, {"Expect": "100-continue"}, {"X-Name": "\N{SNOWMAN}"}),
    ],
    ids=ascii,
)
async def test_headers_that_say_where_a_request_goes_or_ends_are_refused(headers: dict[str, str]) -> None:
    async with host(answering(ok())) as server:
        client = allowing(f"127.0.0.1:{server.port}")
        url = f"http://127.0.0.1:{server.port}/"
        with pytest.raises(InvalidInput, match=r"[Hh]eader"):
            async with client.send("POST", url, headers=headers, max_bytes=MAX_BYTES):
                pass
        assert server.requests == []


@pytest.mark.parametrize("value", ["a\r\nX-Other: b", "a\nb", "a\0b"], ids=ascii)
async def test_no_header_brings_another(value: str) -> None:
    async with host(answering(ok())) as server:
        client = allowing(f"127.0.0.1:{server.port}")
        with pytest.raises(FetchFailed):
            async with client.send("POST", f"http://127.0.0.1:{server.port}/", headers={"X-A": value}, max_bytes=1):
                pass
        assert server.requests == []


# Answers.


async def test_any_status_is_an_answer() -> None:
    raw = b"HTTP/1.1 404 Not Found\r\nX-A: 1\r\nx-a: 2\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\ngone"
    async with host(answering(raw)) as server:
        url = f"http://127.0.0.1:{server.port}/a/b.pdf?sig=secret"
        async with allowing(f"127.0.0.1:{server.port}").get(url, max_bytes=MAX_BYTES) as answer:
            assert (answer.status, answer.headers["x-a"]) == (404, "1, 2")
            assert [chunk async for chunk in answer.chunks] == [b"gone"]
            assert answer.url.startswith(f"http://127.0.0.1:{server.port}/a/b.pdf")
            assert "secret" not in answer.url


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "failed"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "failed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "failed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "failed"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "failed"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "failed"),
        (b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 300_000 + b"\r\n\r\n", "failed"),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "failed"),
        (ok(gzip.compress(b"0" * 1_000_000), "Content-Encoding: gzip"), "compressed"),
        (ok(b"x", "Content-Encoding: br"), "compressed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10001\r\n\r\n", "more than 10000 bytes"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", "more than 10000 bytes"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999999999999\r\n\r\n", "failed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 20000, 20000\r\n\r\n", "more than 10000 bytes"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\nContent-Length: 20000\r\n\r\n", "more than 10000 bytes"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n\r\n", "failed"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 10_001, "more than 10000 bytes"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2711\r\n" + b"a" * 10_001, "more than 10000 bytes"),
    ],
    ids=lambda value: ascii(value[:60]),
)
async def test_an_answer_that_cannot_be_used_is_told(raw: bytes, message: str) -> None:
    async with host(answering(raw)) as server:
        with pytest.raises(FetchFailed, match=message):
            await read(allowing(f"127.0.0.1:{server.port}"), f"http://127.0.0.1:{server.port}/")
        await server.closed.wait()


async def test_the_largest_answer_that_is_allowed_is_read_whole() -> None:
    async with host(answering(ok(b"a" * MAX_BYTES, "Content-Encoding: identity"))) as server:
        found = await read(allowing(f"127.0.0.1:{server.port}"), f"http://127.0.0.1:{server.port}/")
        assert found == b"a" * MAX_BYTES


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 100 Go on\r\n\r\n"]
)
async def test_an_answer_that_trickles_is_ended(head: bytes) -> None:
    async def drip(_state: Host, _request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(b"HTTP/1.1 100 Go on\r\n\r\n" if b"100" in head else b"a")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with host(drip) as server:
        with pytest.raises(FetchFailed, match="took too long"):
            await read(allowing(f"127.0.0.1:{server.port}"), f"http://127.0.0.1:{server.port}/", timeout_seconds=0.2)
        await server.closed.wait()


async def test_a_body_without_end_is_left_at_the_limit() -> None:
    async def pour(_state: Host, _request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"a" * 1000)
            await writer.drain()

    async with host(pour) as server:
        url = f"http://127.0.0.1:{server.port}/"
        chunks: list[bytes] = []
        async with allowing(f"127.0.0.1:{server.port}").get(url, max_bytes=MAX_BYTES) as answer:
            with pytest.raises(FetchFailed, match="more than 10000 bytes"):
                chunks.extend([chunk async for chunk in answer.chunks])
        await server.closed.wait()


async def test_whoever_stops_reading_leaves_no_connection() -> None:
    async with host(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + b"a" * 1000)) as server:
        url = f"http://127.0.0.1:{server.port}/"
        client = allowing(f"127.0.0.1:{server.port}")
        async with client.get(url, max_bytes=MAX_BYTES) as answer:
            assert await anext(answer.chunks)
        with pytest.raises(ZeroDivisionError):
            async with client.get(url, max_bytes=MAX_BYTES):
                raise ZeroDivisionError
        await server.closed.wait()
