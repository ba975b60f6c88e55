"""What callers' URLs lead to: never a private address, whatever names and redirects say."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from pathlib import Path

import httpcore2
import pytest

from atsumi.connector.guarded import GuardedClient
from atsumi.errors import AddressRefused, FetchFailed
from guarded_kit import MAX_BYTES, Everywhere, Names, allowing, read
from loopback_host import Authority, answering, host, ok, redirect
from refused_urls import LOCAL, PORT, PRIVATE, REFUSED, SCHEME, UNPLAIN, USER


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where connections were asked for; none is made."""
    asked: list[str] = []

    async def connect_tcp(_self: object, host: str, port: int, *_: object, **__: object) -> object:
        asked.append(f"{host} {port}")
        raise httpcore2.ConnectError

    monkeypatch.setattr(httpcore2.AnyIOBackend, "connect_tcp", connect_tcp)
    return asked


# Refused URLs.


@pytest.mark.parametrize(("url", "rule"), REFUSED, ids=ascii)
async def test_a_refused_url_makes_no_connection(url: str, rule: str, no_network: list[str]) -> None:
    names = Everywhere("8.8.8.8")
    client = GuardedClient(resolve=names)
    with pytest.raises(AddressRefused, match=rule):
        client.check(url)
    with pytest.raises(AddressRefused, match=rule):
        await read(client, url)
    with pytest.raises(AddressRefused, match=rule):
        async with client.send("POST", url, content=b"x", max_bytes=MAX_BYTES):
            pass
    assert (names.asked, no_network) == ([], [])


HOSTS = [
    *(
        "127.0.0.1",
        "127.0.0.2",
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0x7f.1",
        "127.1",
        "0177.0.0.1",
        "0",
    ),
    *(
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
    ),
    *("localhost", "LOCALHOST", "a.localhost", "127.0.0.1.", "１２７.0.0.1", "127。0。0。1", "ｌｏｃａｌｈｏｓｔ"),
    *("example.com@127.0.0.1", "[::1%25lo]", "%6c%6f%63%61%6c%68%6f%73%74", "127.0.0.1.nip.example", "rebound.example"),
]


async def test_nothing_that_leads_to_the_loopback_interface_reaches_it() -> None:
    async with host(answering(ok())) as server:
        # So that the port is no reason: another address may be asked at it.
        client = allowing(f"10.99.99.99:{server.port}", resolve=Everywhere("127.0.0.1"))
        for name in HOSTS:
            with pytest.raises(AddressRefused):
                await read(client, f"http://{name}:{server.port}/")
        assert server.accepted == 0
        # What is counted is what arrives.
        assert await read(allowing(f"127.0.0.1:{server.port}"), f"http://127.0.0.1:{server.port}/") == b"hello"
        assert server.accepted == 1


async def test_one_private_address_of_a_name_is_enough(no_network: list[str]) -> None:
    client = GuardedClient(resolve=Names(example_com=[["8.8.8.8", "127.0.0.1"]]))
    with pytest.raises(AddressRefused, match=PRIVATE):
        await read(client, "https://example.com/")
    assert no_network == []


async def test_the_refusal_does_not_tell_what_there_is_inside() -> None:
    client = GuardedClient(resolve=Names(inside_example=[["10.1.2.3"]]))
    messages = []
    for name in ("inside.example", "nowhere.example"):
        with pytest.raises(AddressRefused) as refused:
            await read(client, f"https://{name}/")
        messages.append(str(refused.value))
    assert messages[0] == messages[1] == "The address is refused: it does not lead to a public address."


# Where connections go to.


async def test_the_connection_goes_to_the_address_that_was_judged() -> None:
    async with host(answering(ok())) as server:
        names = Names(files_example=[["127.0.0.1"], ["127.0.0.2"]])
        client = allowing(f"127.0.0.1:{server.port}", resolve=names)
        url = f"http://files.example:{server.port}/a"
        # The name exists in no other resolver, so whoever asked one again would not arrive.
        assert await read(client, url) == b"hello"
        assert names.asked == ["files.example"]
        assert server.headers()["host"] == f"files.example:{server.port}"
        # Bound anew to another address of the machine, it is judged anew.
        with pytest.raises(AddressRefused, match=PRIVATE):
            await read(client, url)
        assert names.asked == ["files.example"] * 2
        assert server.accepted == 1


async def test_a_name_is_looked_up_once_for_each_request_on_the_way() -> None:
    hops = ["http://b.example:PORT/2", "/3", "http://a.example:PORT/4"]
    async with host(answering(*map(redirect, hops), ok())) as server:
        names = Names(a_example=[["127.0.0.1"]], b_example=[["127.0.0.1"]])
        client = allowing(f"127.0.0.1:{server.port}", resolve=names)
        async with client.get(f"http://a.example:{server.port}/1?token=x", max_bytes=MAX_BYTES) as answer:
            assert answer.url == f"http://a.example:{server.port}/4"
        assert names.asked == ["a.example", "b.example", "b.example", "a.example"]
        assert server.paths() == ["/1?token=x", "/2", "/3", "/4"]


async def test_a_name_that_turns_private_between_two_requests_is_refused() -> None:
    async with host(answering(redirect("/again"), ok())) as server:
        names = Names(a_example=[["127.0.0.1"], ["10.0.0.1"]])
        client = allowing(f"127.0.0.1:{server.port}", resolve=names)
        with pytest.raises(
            AddressRefused, match=re.escape(f"a.example redirects: The address is refused: it {PRIVATE}")
        ):
            await read(client, f"http://a.example:{server.port}/")
        assert server.paths() == ["/"]


async def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    async with host(answering(ok())) as server:
        names = Names(a_example=[["127.0.0.2", "127.0.0.3", "127.0.0.1"]])
        client = allowing(f"127.0.0.0/8:{server.port}", resolve=names)
        assert await read(client, f"http://a.example:{server.port}/") == b"hello"


async def test_nobody_answering_is_told(no_network: list[str]) -> None:
    client = GuardedClient(resolve=Names(a_example=[[f"8.8.8.{number}" for number in range(9)]]))
    with pytest.raises(FetchFailed, match=r"The request to a\.example failed"):
        await read(client, "https://a.example/")
    assert no_network == [f"8.8.8.{number} 443" for number in range(4)]


async def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with host(answering(ok())) as proxy, host(answering(ok(b"direct", "Set-Cookie: a=b"))) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password canary\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        client = allowing(f"127.0.0.1:{server.port}")
        for _ in range(2):
            assert await read(client, f"http://127.0.0.1:{server.port}/") == b"direct"
        assert proxy.accepted == 0
        assert server.headers().keys() == {"host", "accept", "accept-encoding", "user-agent", "connection"}
        assert server.accepted == 2, "a connection serves one request"


@pytest.mark.skipif(os.name != "posix", reason="localhost is looked up in the system's own way")
async def test_an_allowed_name_is_looked_up_by_the_system() -> None:
    async with host(answering(ok())) as server:
        client = allowing(f"localhost:{server.port}")
        assert await read(client, f"http://localhost:{server.port}/") == b"hello"
        client.close()
        assert "localhost" in server.headers()["host"]


async def test_a_resolver_that_is_out_of_order_is_not_a_refusal() -> None:
    async def fails(_name: str, _port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "try again")

    with pytest.raises(FetchFailed, match=r"a\.example cannot be looked up now"):
        await read(GuardedClient(resolve=fails), "https://a.example/")


# TLS.


async def test_the_certificate_is_checked_for_the_name(authority: Authority, tmp_path: Path) -> None:
    tls = authority.serving("files.example", tmp_path)
    async with host(answering(ok()), tls=tls) as server:
        names = Everywhere("127.0.0.1")
        client = allowing(f"127.0.0.1:{server.port}", resolve=names, ssl_context=authority.trusting())
        assert await read(client, f"https://files.example:{server.port}/") == b"hello"
        assert server.server_names == ["files.example"]
        assert server.headers()["host"] == f"files.example:{server.port}"
        with pytest.raises(FetchFailed, match=r"The certificate of other\.example: Hostname mismatch"):
            await read(client, f"https://other.example:{server.port}/")
        assert server.server_names == ["files.example", "other.example"]
        with pytest.raises(FetchFailed, match=r"The certificate of 127\.0\.0\.1: IP address mismatch"):
            await read(client, f"https://127.0.0.1:{server.port}/")
        strict = allowing(f"127.0.0.1:{server.port}", resolve=names)
        with pytest.raises(FetchFailed, match=r"The certificate of files\.example: unable to get local issuer"):
            await read(strict, f"https://files.example:{server.port}/")
        assert len(server.requests) == 1


async def test_a_redirect_from_https_to_http_is_refused(authority: Authority, tmp_path: Path) -> None:
    tls = authority.serving("a.example", tmp_path)
    async with host(answering(ok())) as plain, host(answering(redirect("http://a.example:80/")), tls=tls) as server:
        ports = (f"127.0.0.1:{server.port}", f"127.0.0.1:{plain.port}", "127.0.0.1")
        client = allowing(*ports, resolve=Everywhere("127.0.0.1"), ssl_context=authority.trusting())
        with pytest.raises(AddressRefused, match=r"a\.example redirects.*from https to http"):
            await read(client, f"https://a.example:{server.port}/")
        assert (len(server.requests), plain.accepted) == (1, 0)


async def test_a_handshake_without_end_is_ended() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Reads until the client has gone; a connection that were left open would keep this test from its end.
        while await reader.read(1000):
            pass
        writer.close()
        gone.set()

    gone = asyncio.Event()
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(FetchFailed, match="took too long"):
        await read(allowing(f"127.0.0.1:{port}"), f"https://127.0.0.1:{port}/", timeout_seconds=0.2)
    await gone.wait()
    server.close()
    await server.wait_closed()


# Redirects.


@pytest.mark.parametrize(
    ("location", "rule"),
    [
        ("http://127.0.0.1/", PRIVATE),
        ("http://127.0.0.1:PORT/", PRIVATE),
        ("//127.0.0.1:PORT/", PRIVATE),
        ("http://inside.example:PORT/", PRIVATE),
        ("http://2130706433:PORT/", "unusual spelling"),
        ("http://[::1]:PORT/", PRIVATE),
        ("http://[::ffff:127.0.0.1]:PORT/", PRIVATE),
        ("http://169.254.169.254/latest/meta-data/", PRIVATE),
        ("http://localhost:PORT/", LOCAL),
        ("http://a.example:22/", PORT),
        ("file:///etc/passwd", SCHEME),
        ("gopher://127.0.0.1:6379/_", SCHEME),
        ("data:text/plain,x", SCHEME),
        ("http://user@a.example:PORT/", USER),
        ("http://a.example:PORT\\@127.0.0.1/", UNPLAIN),
        ("\\\\127.0.0.1\\", UNPLAIN),
        ("/a b", UNPLAIN),
        ("/\xff", "no address"),
        ("http://[::1", "no address"),
        ("http://a.example:PORT/1, http://a.example:PORT/2", UNPLAIN),
    ],
    ids=ascii,
)
async def test_a_redirect_is_judged_like_the_first_address(location: str, rule: str) -> None:
    raw = redirect("LOCATION").replace(b"LOCATION", location.encode("latin-1"))
    async with host(answering(raw, ok())) as server:
        # One name is allowed; that the port is allowed for another address is no reason to ask the rest.
        client = allowing(f"a.example:{server.port}", f"10.99.99.99:{server.port}", resolve=Everywhere("127.0.0.1"))
        with pytest.raises(AddressRefused, match=rf"a\.example redirects.*{rule}"):
            await read(client, f"http://a.example:{server.port}/first")
        assert server.paths() == ["/first"]
        assert server.accepted == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed_as_often_as_is_set(status: int) -> None:
    loop = redirect("/again", status)
    async with host(answering(*[loop] * 5, ok(), *[loop] * 9)) as server:
        client = allowing(f"127.0.0.1:{server.port}")
        url = f"http://127.0.0.1:{server.port}/"
        assert await read(client, url) == b"hello"
        assert server.accepted == 6
        with pytest.raises(FetchFailed, match="more than 5 redirects"):
            await read(client, url)
        assert server.accepted == 12
        with pytest.raises(FetchFailed, match="more than 0 redirects"):
            await read(allowing(f"127.0.0.1:{server.port}", max_redirects=0), url)
        assert server.accepted == 13
        assert {request.split(b" ")[0] for request in server.requests} == {b"GET"}
