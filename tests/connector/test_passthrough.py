"""What a caller may decide about a request to a tool, and what it gets to see of the answer."""

from __future__ import annotations

import asyncio
import gzip
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsumi.connector.context import Context
from atsumi.connector.manifest import Budget, Manifest
from atsumi.connector.passthrough import (
    MAX_ANSWER_BYTES,
    MAX_REQUEST_BYTES,
    Part,
    PassthroughAnswer,
    PassthroughApi,
    PassthroughRequest,
    address,
    find_api,
    send,
)
from atsumi.errors import InvalidInput, RemoteUnavailable, UnexpectedResponse
from atsumi.redaction import register_secret
from atsumi.testing.doubles import UnlimitedRate, make_context
from passthrough_attacks import HEADERS, MALFORMED_HEADERS, PATHS

BASE = "https://api.tool.example/v2/area"
SECRET = "s3cret-of-the-customer"

MANIFEST = Manifest(
    slug="tool",
    label="Tool",
    category="ATS",
    auth="api_key",
    check="GET /",
    overlap_seconds=60,
    base_urls={},
    fields=(),
    rate_limits={"all": Budget(source="made up", per_second=1.0, burst=1)},
)


async def authorize(context: Context, refused: Mapping[str, str] | None) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {SECRET}" if refused is None else f"Bearer new-{SECRET}"}


API = PassthroughApi(
    summary="An area",
    at="/v2/area",
    base_url=lambda config: BASE,
    authorize=authorize,
    bucket=lambda method, path: "all",
    own_headers=frozenset({"x-tenant"}),
)


@dataclass
class Tool:
    """Answers every request with what ``answer`` makes of it."""

    answer: Callable[[httpx2.Request], httpx2.Response] = lambda request: httpx2.Response(200, json={})
    requests: list[httpx2.Request] = field(default_factory=list)
    context: Context = field(init=False)

    def __post_init__(self) -> None:
        def handle(request: httpx2.Request) -> httpx2.Response:
            self.requests.append(request)
            return self.answer(request)

        self.context = make_context(MANIFEST, httpx2.MockTransport(handle), credentials={}, config={})

    async def ask(self, method: str = "GET", path: str = "/x", **sent: Any) -> PassthroughAnswer:
        return await send(self.context, MANIFEST, API, PassthroughRequest(method, path, **sent))

    @property
    def limiter(self) -> UnlimitedRate:
        assert isinstance(self.context.limiter, UnlimitedRate)
        return self.context.limiter


# Paths.


@pytest.mark.parametrize("path", PATHS)
async def test_a_path_that_could_lead_elsewhere_is_not_sent(path: str) -> None:
    tool = Tool()
    with pytest.raises(InvalidInput) as refused:
        await tool.ask(path=path)
    assert refused.value.path == "path"
    assert not tool.requests
    assert not tool.limiter.acquired


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/x", "/v2/area/x"),
        ("x", "/v2/area/x"),
        ("", "/v2/area/"),
        ("/", "/v2/area/"),
        ("/x/", "/v2/area/x/"),
        ("/a.b/...", "/v2/area/a.b/..."),
        ("/x;a=1/@me:2", "/v2/area/x;a=1/@me:2"),
        ("/%C3%A4%20b", "/v2/area/%C3%A4%20b"),
        ("/100%25", "/v2/area/100%25"),
        ("/x?a=1&b[]=..%2f//?", "/v2/area/x?a=1&b[]=..%2f//?"),
    ],
)
async def test_a_plain_path_is_sent_as_it_was_spelled(path: str, target: str) -> None:
    tool = Tool()
    answer = await tool.ask(path=path)
    assert tool.requests[0].url.raw_path.decode() == target
    assert answer.url == f"https://api.tool.example{target}"


async def test_parameters_come_after_the_query_of_the_path() -> None:
    tool = Tool()
    await tool.ask(path="/x?a=1", query=[("a", "2 +&=#/ä"), ("c", "")])
    assert tool.requests[0].url.query == b"a=1&a=2%20%2B%26%3D%23%2F%C3%A4&c="


DOTS = [".", "..", "%2e", "%252e", "\uff0e", "%ef%bc%8e", "%c0%ae", "\u2025"]
MARKS = ["/", "//", "\\", "%5c", "%2f", "?", "#", ";", "@", ":", "%", "%00", "\n", "\t", " ", "~"]
PIECES = st.sampled_from([*DOTS, *MARKS, "a", "é", "http:", "evil.example"])
PATH_TEXTS = st.lists(PIECES, max_size=10).map("".join) | st.text(max_size=30)
BASES = ["https://api.tool.example/v2/area", "http://10.0.0.1:8443", "https://x.jobs.tool.example/de/"]


@given(base=st.sampled_from(BASES), path=PATH_TEXTS, query=st.lists(st.tuples(st.text("a?#/&=é"), st.text(max_size=9))))
def test_no_path_leads_out_of_the_api(base: str, path: str, query: list[tuple[str, str]]) -> None:
    base = base.rstrip("/")
    try:
        found = str(address(base, path, query))
    except InvalidInput:
        return
    asked, root = urlsplit(found), urlsplit(base)
    assert (asked.scheme, asked.netloc, asked.fragment) == (root.scheme, root.netloc, "")
    assert found.isascii()
    assert found.isprintable()
    # However a server behind it unescapes and tidies the path, it stays below.
    read = asked.path
    for _ in range(8):
        tidied = posixpath.normpath(read.replace("\\", "/"))
        assert f"{tidied}/".startswith(f"{root.path}/"), found
        read = unquote(read)


def test_the_longest_beginning_of_a_path_names_the_api() -> None:
    apis = {
        "old": PassthroughApi("", "/v1", API.base_url, authorize, API.bucket),
        "area": PassthroughApi("", "/v1/area", API.base_url, authorize, API.bucket),
    }
    assert find_api(apis, "/v1/area/x") == ("area", "/x")
    assert find_api(apis, "v1/area?a=1") == ("area", "?a=1")
    assert find_api(apis, "/v1/areas") == ("old", "/areas")
    assert find_api(apis, "/v1") == ("old", "")
    for path in ("/v12/x", "/", "", "/V1/x", "//v1/x", "/x/v1"):
        with pytest.raises(InvalidInput, match="/v1, /v1/area"):
            find_api(apis, path)


# Headers.


@pytest.mark.parametrize("name", [*HEADERS, "X-Tenant"])
async def test_a_header_that_is_not_the_callers_is_left_out_or_refused(name: str) -> None:
    tool = Tool()
    answer = await tool.ask(headers={name: "mine", "X-Other": "b"})
    (request,) = tool.requests
    assert answer.dropped == (name,)
    assert "mine" not in {value for _, value in request.headers.items()}
    assert request.headers["authorization"] == f"Bearer {SECRET}"
    assert request.headers["host"] == "api.tool.example"
    assert request.headers["x-other"] == "b"
    with pytest.raises(InvalidInput) as refused:
        await tool.ask(headers={name: "mine"}, refuses_reserved=True)
    assert refused.value.path == f"headers.{name}"
    assert len(tool.requests) == 1


@pytest.mark.parametrize(("name", "value"), MALFORMED_HEADERS)
async def test_what_is_no_header_is_not_sent(name: str, value: str) -> None:
    tool = Tool()
    with pytest.raises(InvalidInput):
        await tool.ask(headers={name: value})
    assert not tool.requests


async def test_a_header_is_not_sent_twice() -> None:
    with pytest.raises(InvalidInput, match="twice"):
        await Tool().ask(headers={"X-A": "1", "x-a": "2"})


async def test_what_the_connector_sets_wins_over_the_callers() -> None:
    tool = Tool()
    await tool.ask("POST", content=b"<a/>", content_type="application/json", headers={"Content-Type": "text/xml"})
    assert tool.requests[0].headers["content-type"] == "text/xml"


async def test_an_answer_shows_no_secret_and_nothing_of_the_connection() -> None:
    register_secret(SECRET)
    hidden = {
        "Set-Cookie": "session=1",
        "Authorization": f"Bearer {SECRET}",
        "WWW-Authenticate": "Bearer",
        "Proxy-Authenticate": "Basic",
        "X-Refresh-Token": "abc",
        "Connection": "close",
        "Keep-Alive": "timeout=5",
        "Upgrade": "h2c",
        "Content-Encoding": "gzip",
    }
    shown = {"Location": "https://elsewhere.example/", "X-Echo": f"key {SECRET}", "Content-Type": "text/plain"}
    tool = Tool(lambda _: httpx2.Response(302, headers=hidden | shown, content=gzip.compress(b"moved")))
    answer = await tool.ask()
    assert (answer.status, answer.body) == (302, b"moved")
    assert answer.headers == {
        "location": "https://elsewhere.example/",
        "x-echo": "key [redacted]",
        "content-type": "text/plain",
    }
    assert len(tool.requests) == 1


async def test_the_address_shows_no_registered_secret() -> None:
    register_secret(SECRET)
    assert SECRET not in (await Tool().ask(query=[("key", SECRET)])).url


# Bodies, sizes, times.


async def test_a_multipart_body_has_its_own_type_whatever_the_caller_says() -> None:
    tool = Tool()
    parts = [Part("note", "ä".encode()), Part("file", b"%PDF", 'a"\r\nb.pdf', "application/pdf")]
    await tool.ask("POST", parts=parts, headers={"content-type": "text/plain"})
    (request,) = tool.requests
    kind, _, boundary = request.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/form-data"
    sent = request.content.split(f"--{boundary}".encode())
    assert len(sent) == 4
    assert sent[2].startswith(b'\r\nContent-Disposition: form-data; name="file"; filename="a%22%0D%0Ab.pdf"\r\n')
    for unfit in ([], [Part("file", b"", "a", "text/plain\r\nX: y")]):
        with pytest.raises(InvalidInput):
            await tool.ask("POST", parts=unfit)


async def test_a_large_body_is_not_sent() -> None:
    tool = Tool()
    await tool.ask("POST", content=bytes(MAX_REQUEST_BYTES))
    with pytest.raises(InvalidInput, match="longer than 10485760 bytes"):
        await tool.ask("POST", content=bytes(MAX_REQUEST_BYTES + 1))
    with pytest.raises(InvalidInput, match="longer"):
        await tool.ask("POST", parts=[Part("file", bytes(MAX_REQUEST_BYTES), "a")])
    assert len(tool.requests) == 1


@pytest.mark.parametrize("status", [200, 400])
async def test_an_answer_is_read_to_its_end_or_not_at_all(status: int) -> None:
    # One that unpacks to more than may be read, too.
    size = MAX_ANSWER_BYTES
    tool = Tool(
        lambda _: httpx2.Response(status, content=gzip.compress(bytes(size)), headers={"content-encoding": "gzip"})
    )
    assert len((await tool.ask()).body) == size
    size += 1
    with pytest.raises(UnexpectedResponse, match="larger than 20971520 bytes"):
        await tool.ask()


@pytest.mark.parametrize("status", [201, 204, 301, 307, 400, 404, 429, 500, 503, 599])
async def test_every_status_is_an_answer_and_nothing_is_repeated(status: int) -> None:
    tool = Tool(lambda _: httpx2.Response(status, headers={"location": "https://elsewhere.example/"}))
    assert (await tool.ask("POST")).status == status
    assert len(tool.requests) == 1
    assert tool.limiter.acquired == ["all"]
    assert bool(tool.limiter.blocked) == (status == 429)


async def test_a_refused_token_is_renewed_once() -> None:
    tool = Tool(lambda _: httpx2.Response(401))
    assert (await tool.ask("POST", content=b"{}")).status == 401
    assert [request.headers["authorization"] for request in tool.requests] == [
        f"Bearer {SECRET}",
        f"Bearer new-{SECRET}",
    ]
    assert tool.limiter.acquired == ["all", "all"]


async def test_a_broken_connection_is_told_and_nothing_repeated() -> None:
    def broken(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ReadError("gone", request=request)

    tool = Tool(broken)
    with pytest.raises(RemoteUnavailable):
        await tool.ask()
    assert len(tool.requests) == 1


async def test_a_status_that_http_does_not_have_is_no_answer() -> None:
    with pytest.raises(UnexpectedResponse):
        await Tool(lambda _: httpx2.Response(999)).ask()


async def test_time_is_up_wherever_it_went() -> None:
    tool = Tool()

    async def wait_for_ever(*_: object) -> None:
        await asyncio.Event().wait()

    tool.limiter.acquire = wait_for_ever  # type: ignore[method-assign]  # a budget that nobody refills
    with pytest.raises(TimeoutError, match=r"tool did not answer within 0\.01 seconds"):
        await tool.ask(timeout_seconds=0.01)
    with pytest.raises(InvalidInput):
        await tool.ask(timeout_seconds=-1)
    assert not tool.requests


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "get", "GET /", "", "PROPFIND"])
async def test_other_methods_are_not_sent(method: str) -> None:
    tool = Tool()
    with pytest.raises(InvalidInput) as refused:
        await tool.ask(method)
    assert refused.value.path == "method"
    assert not tool.requests
