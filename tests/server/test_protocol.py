"""What strangers may send to the server, over raw sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
import uvicorn

from atsumi.server.protocol import MAX_HEAD_BYTES, MAX_HEADERS, MAX_URL_BYTES, BoundedProtocol
from atsumi.server.serving import listen
from harness import Product

GET = b"GET /one HTTP/1.1\r\nhost: x\r\n\r\n"


class Impatient(BoundedProtocol):
    head_seconds = 0.3
    linger_seconds = 0.2


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the path and the size of the body; below /unread it reads none, below /slow it takes a while."""
    size = 0
    while not scope["path"].startswith("/unread"):
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message["body"])
        if not message["more_body"]:
            break
    if scope["path"].startswith("/slow"):
        await asyncio.sleep(0.5)
    body = f"{scope['path']} {size}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


async def _serving(protocol: type[BoundedProtocol], limit: int | None = None) -> AsyncIterator[int]:
    config = uvicorn.Config(
        application, http=protocol, ws="none", lifespan="off", log_config=None, limit_concurrency=limit
    )
    server = uvicorn.Server(config)
    listener = listen("127.0.0.1", 0)
    task = asyncio.create_task(server._serve([listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield listener.getsockname()[1]
    for client in Client.connected:
        client.writer.close()
        with contextlib.suppress(ConnectionError):
            await client.writer.wait_closed()
    Client.connected.clear()
    server.should_exit = True
    await task


@pytest.fixture(scope="module")
async def port() -> AsyncIterator[int]:
    async for number in _serving(BoundedProtocol):
        yield number


@pytest.fixture(scope="module")
async def impatient_port() -> AsyncIterator[int]:
    async for number in _serving(Impatient):
        yield number


@pytest.fixture
async def narrow_port() -> AsyncIterator[int]:
    async for number in _serving(BoundedProtocol, limit=3):
        yield number


class Client:
    connected: ClassVar[list[Client]] = []

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, port: int) -> Client:
        client = cls(*await asyncio.open_connection("127.0.0.1", port))
        cls.connected.append(client)
        return client

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        async with asyncio.timeout(5):
            status, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
            headers = dict(line.split(": ", 1) for line in lines)
            body = await self.reader.readexactly(int(headers["content-length"]))
        return int(status.split()[1]), headers, body

    async def closed(self) -> bool:
        """Whether the server says no more and closes."""
        async with asyncio.timeout(5):
            return await self.reader.read() == b""

    async def refused(self, status: int) -> None:
        got, headers, body = await self.answer()
        assert got == status
        assert headers["content-type"] == "application/json"
        document = json.loads(body)
        assert document["status"] == "error"
        message = document["error"].pop("message")
        assert message.endswith(".")
        assert document["error"] == {"code": None, "title": None, "log_url": None}
        assert headers["connection"] == "close"
        assert await self.closed()


async def test_endless_headers_are_refused(port: int) -> None:
    client = await Client.connect(port)
    await client.send(b"GET / HTTP/1.1\r\n")
    for _ in range(MAX_HEADERS + 10):
        await client.send(b"a: b\r\n")
    await client.refused(431)


async def test_as_many_headers_as_are_allowed_are_taken(port: int) -> None:
    client = await Client.connect(port)
    await client.send(b"GET /one HTTP/1.1\r\n" + b"a: b\r\n" * MAX_HEADERS + b"\r\n")
    assert (await client.answer())[0] == 200
    await client.send(b"GET /one HTTP/1.1\r\n" + b"a: b\r\n" * (MAX_HEADERS + 1) + b"\r\n")
    await client.refused(431)


@pytest.mark.parametrize("start", [b"a: ", b"a", b"a: b\r\n" * 50 + b"c: "], ids=["value", "name", "later value"])
async def test_one_huge_header_is_refused_though_it_never_ends(port: int, start: bytes) -> None:
    client = await Client.connect(port)
    await client.send(b"GET / HTTP/1.1\r\n" + start)
    for _ in range(40):
        await client.send(b"x" * 8192)
        await asyncio.sleep(0.001)
    await client.refused(431)


async def test_one_huge_header_in_one_piece_is_refused(port: int) -> None:
    client = await Client.connect(port)
    await client.send(b"GET / HTTP/1.1\r\na: " + b"x" * MAX_HEAD_BYTES + b"\r\n\r\n")
    await client.refused(431)


async def test_a_client_that_sends_on_still_reads_its_refusal(port: int) -> None:
    client = await Client.connect(port)
    await client.send(b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 500_000)
    await client.refused(431)


@pytest.mark.parametrize("pieces", [1, 9])
async def test_a_long_url_is_refused(port: int, pieces: int) -> None:
    client = await Client.connect(port)
    await client.send(b"GET /")
    for _ in range(pieces):
        await client.send(b"x" * (MAX_URL_BYTES // pieces))
        await asyncio.sleep(0.001)
    await client.send(b"xxxxxxxxx HTTP/1.1\r\n\r\n")
    await client.refused(414)


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"hello\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"GET \xff\xfe HTTP/1.1\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_garbage_is_refused(port: int, garbage: bytes) -> None:
    client = await Client.connect(port)
    await client.send(garbage)
    await client.refused(400)


async def test_endless_empty_lines_are_refused(port: int) -> None:
    client = await Client.connect(port)
    for _ in range(20):
        await client.send(b"\r\n" * 4096)
        await asyncio.sleep(0.001)
    await client.refused(431)


@pytest.mark.parametrize("trailer", [b"a: b\r\n" * 200, b"a: " + b"x" * 8192 * 40], ids=["many", "huge"])
async def test_endless_trailers_are_refused(port: int, trailer: bytes) -> None:
    client = await Client.connect(port)
    await client.send(b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n")
    for start in range(0, len(trailer), 8192):
        await client.send(trailer[start : start + 8192])
        await asyncio.sleep(0.001)
    await client.refused(431)


async def test_a_refusal_waits_for_the_answers_before_it(port: int) -> None:
    client = await Client.connect(port)
    await client.send(b"GET /slow HTTP/1.1\r\n\r\n" + GET + b"garbage\r\n\r\n")
    assert (await client.answer())[2] == b"/slow 0"
    assert (await client.answer())[2] == b"/one 0"
    await client.refused(400)


@pytest.mark.parametrize("start", [b"", b"\r\n", b"GET / HT", b"GET / HTTP/1.1\r\na: b\r\n", GET + b"GET / HT"])
async def test_a_head_that_stays_away_closes_the_connection(impatient_port: int, start: bytes) -> None:
    client = await Client.connect(impatient_port)
    await client.send(start)
    if start.startswith(GET):
        assert (await client.answer())[0] == 200
        await client.send(b"TP/1.1")
    assert await client.closed()


async def test_a_head_that_trickles_closes_the_connection(impatient_port: int) -> None:
    client = await Client.connect(impatient_port)
    closed = asyncio.create_task(client.closed())
    await client.send(b"GET / HTTP/1.1\r\na: ")
    async with asyncio.timeout(3):
        while not closed.done():
            client.writer.write(b"x")
            await asyncio.sleep(0.02)
    with contextlib.suppress(ConnectionResetError):  # where the last byte met a closed socket
        assert await closed


async def test_an_answered_request_whose_body_stays_away_closes_the_connection(impatient_port: int) -> None:
    client = await Client.connect(impatient_port)
    await client.send(b"POST /unread HTTP/1.1\r\ncontent-length: 100\r\n\r\n")
    assert (await client.answer())[0] == 200
    await client.send(b"x")
    assert await client.closed()


async def test_the_time_for_a_head_does_not_count_for_answers(impatient_port: int) -> None:
    client = await Client.connect(impatient_port)
    await client.send(b"GET /slow HTTP/1.1\r\n\r\nGET /slow HTTP/1.1\r\n\r\nGET /one HTTP/1.1\r\n")
    assert (await client.answer())[2] == b"/slow 0"
    assert (await client.answer())[2] == b"/slow 0"
    await client.send(b"\r\n")
    assert (await client.answer())[2] == b"/one 0"


async def test_pipelined_requests_are_answered_in_order(port: int) -> None:
    client = await Client.connect(port)
    requests = [
        b"POST /%d HTTP/1.1\r\nhost: x\r\ncontent-length: 9000\r\n%s\r\n" % (number, b"a: b\r\n" * 50) + b"x" * 9000
        for number in range(30)
    ]
    await client.send(b"".join(requests))
    assert [(await client.answer())[2] for _ in range(30)] == [b"/%d 9000" % number for number in range(30)]


async def test_one_connection_carries_many_requests(port: int) -> None:
    client = await Client.connect(port)
    request = b"GET /one HTTP/1.1\r\nhost: x\r\nlong: " + b"x" * 2000 + b"\r\n\r\n"
    for _ in range(200):
        await client.send(request[:900])
        await asyncio.sleep(0)
        await client.send(request[900:])
        assert (await client.answer())[2] == b"/one 0"


@pytest.mark.parametrize("step", [60_000, 1_000])
async def test_a_body_is_not_counted_as_a_head(port: int, step: int) -> None:
    client = await Client.connect(port)
    for _ in range(3):
        await client.send(b"POST /body HTTP/1.1\r\ncontent-length: 180000\r\n\r\n")
        for _ in range(0, 180_000, step):
            await client.send(b"x" * step)
            await asyncio.sleep(0)
        assert (await client.answer())[2] == b"/body 180000"


async def test_a_chunked_body_may_come_in_any_pieces(port: int) -> None:
    client = await Client.connect(port)
    await client.send(b"POST /body HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n")
    for _ in range(60):
        await client.send(b"3e8\r\n")
        await asyncio.sleep(0)
        await client.send(b"x" * 1000 + b"\r\n")
    await client.send(b"0\r\ntrailer: x\r\n\r\n")
    assert (await client.answer())[2] == b"/body 60000"


@pytest.mark.parametrize("offer", [b"websocket", b"h2c"])
async def test_an_offer_to_change_protocols_is_ignored(port: int, offer: bytes, caplog: Any) -> None:
    client = await Client.connect(port)
    await client.send(b"GET /one HTTP/1.1\r\nconnection: upgrade\r\nupgrade: " + offer + b"\r\n\r\n")
    assert (await client.answer())[2] == b"/one 0"
    assert not caplog.records


async def test_too_many_connections_are_refused(narrow_port: int) -> None:
    clients = [await Client.connect(narrow_port) for _ in range(3)]
    await asyncio.sleep(0.05)
    await clients[2].send(GET)
    await clients[2].refused(503)
    await clients[0].send(GET)
    assert (await clients[0].answer())[0] == 200


async def test_the_product_serves_with_these_bounds(product: Product) -> None:
    client = await Client.connect(int(product.url.rsplit(":", 1)[1]))
    await client.send(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
    assert (await client.answer())[0] == 200
    await client.send(b"GET /healthz HTTP/1.1\r\n" + b"a: b\r\n" * (MAX_HEADERS + 10))
    await client.refused(431)
    client.writer.close()
