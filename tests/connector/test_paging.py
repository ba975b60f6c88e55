"""Following next links through well-behaved and broken listings."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsumi.connector.http import Response
from atsumi.connector.paging import Answer, LinkedPage, follow_links
from atsumi.errors import RemoteCall, UnexpectedResponse

URL = "https://tool.test/v2/things"
CALL = RemoteCall("tool", "list things", "GET", URL, 200)
RESPONSE = Response(200, {}, b"", URL, CALL)


class Listing:
    """Pages by cursor; the first one under ``None``."""

    def __init__(self, pages: Mapping[str | None, tuple[list[object], str | None]]) -> None:
        self.pages = pages
        self.asked: list[dict[str, str]] = []

    async def ask(self, query: Mapping[str, str]) -> Answer:
        self.asked.append(dict(query))
        items, href = self.pages[query.get("cursor")]
        return Answer(items, href, RESPONSE)

    async def read(self, *, page_size: int = 2, cursor: str | None = None, max_pages: int = 50) -> list[LinkedPage]:
        params = {"limit": str(page_size), "filter": "x"}
        pages = follow_links(self.ask, url=URL, params=params, page_size=page_size, cursor=cursor, max_pages=max_pages)
        return [page async for page in pages]


def link(cursor: str) -> str:
    return f"{URL}?cursor={cursor}"


def items(pages: list[LinkedPage]) -> list[object]:
    return [item for page in pages for item in page.items]


@given(st.integers(0, 9), st.integers(1, 4), st.booleans(), st.booleans())
async def test_every_ending_gives_all_items_once(count: int, size: int, ends_empty: bool, is_relative: bool) -> None:
    whole = list(range(count))
    chunks = [whole[at : at + size] for at in range(0, count, size)] or [[]]
    if ends_empty and chunks[-1]:
        chunks.append([])
    names: list[str | None] = [None, *(f"c{number}" for number in range(1, len(chunks)))]
    pages: dict[str | None, tuple[list[object], str | None]] = {}
    for number, (name, chunk) in enumerate(zip(names, chunks, strict=True)):
        following = names[number + 1] if number + 1 < len(names) else None
        href = None if following is None else f"/v2/things?cursor={following}" if is_relative else link(following)
        pages[name] = (list(chunk), href)
    found = await Listing(pages).read(page_size=size)
    assert items(found) == whole
    assert all(page.is_proven for page in found)
    assert found[-1].cursor is None


async def test_limit_and_filters_stay_when_the_link_lacks_them() -> None:
    listing = Listing({None: ([1, 2], link("a")), "a": ([3], None)})
    await listing.read()
    assert listing.asked[1] == {"limit": "2", "filter": "x", "cursor": "a"}


async def test_parameters_of_the_link_win() -> None:
    listing = Listing({None: ([1, 2], link("a") + "&filter=y%20z"), "a": ([3], None)})
    await listing.read()
    assert listing.asked[1] == {"limit": "2", "filter": "y z", "cursor": "a"}


async def test_a_scan_goes_on_from_a_cursor() -> None:
    listing = Listing({None: ([1, 2], link("a")), "a": ([3], None)})
    assert items(await listing.read(cursor="a")) == [3]


async def test_a_single_empty_page_does_not_end_a_listing() -> None:
    listing = Listing({None: ([1], link("a")), "a": ([], link("b")), "b": ([2], None)})
    found = await listing.read()
    assert items(found) == [1, 2]
    assert [page.is_proven for page in found] == [True, False, True]


async def test_two_empty_pages_end_a_listing_without_proof() -> None:
    listing = Listing({None: ([1], link("a")), "a": ([], link("b")), "b": ([], link("c")), "c": ([2], None)})
    found = await listing.read()
    assert items(found) == [1]
    assert not found[-1].is_proven


async def test_an_empty_page_that_names_itself_is_the_end() -> None:
    found = await Listing({None: ([1, 2], link("a")), "a": ([], link("a"))}).read()
    assert items(found) == [1, 2]
    assert found[-1].is_proven


async def test_a_short_page_that_names_itself_ends_the_scan_without_proof() -> None:
    found = await Listing({None: ([1, 2], link("a")), "a": ([3], link("a"))}).read()
    assert items(found) == [1, 2, 3]
    assert not found[-1].is_proven


async def test_a_full_page_that_names_itself_is_an_error() -> None:
    with pytest.raises(UnexpectedResponse, match="names itself"):
        await Listing({None: ([1, 2], link("a")), "a": ([3, 4], link("a"))}).read()


@pytest.mark.parametrize("href", ["/v2/things", "", "?limit=2"])
async def test_a_short_first_page_that_names_itself_ends_the_scan_without_proof(href: str) -> None:
    (page,) = await Listing({None: ([1], href)}).read()
    assert (page.items, page.cursor, page.is_proven) == ([1], None, False)


async def test_a_loop_over_several_pages_is_an_error() -> None:
    with pytest.raises(UnexpectedResponse, match="earlier page"):
        await Listing({None: ([1, 2], link("a")), "a": ([3, 4], link("b")), "b": ([5, 6], link("a"))}).read()


async def test_a_listing_without_end_is_an_error() -> None:
    class Endless(Listing):
        async def ask(self, query: Mapping[str, str]) -> Answer:
            return Answer([1, 2], link(f"c{int(query.get('cursor', 'c0')[1:]) + 1}"), RESPONSE)

    with pytest.raises(UnexpectedResponse, match="does not end within 7 pages"):
        await Endless({}).read(max_pages=7)


@pytest.mark.parametrize(
    "href",
    [
        "https://elsewhere.test/v2/things?cursor=a",
        "//elsewhere.test/v2/things?cursor=a",
        "https://tool.test.elsewhere.test/v2/things?cursor=a",
        "https://tool.test@elsewhere.test/?cursor=a",
        "https://tool.test:8443/v2/things?cursor=a",
        "https://tool.test:0/v2/things?cursor=a",
        "https://tool.test\\@elsewhere.test/?cursor=a",
        "https://elsewhere.test#@tool.test/?cursor=a",
        "https://tool.test./?cursor=a",
        "https://tool.test%2eelsewhere.test/?cursor=a",
        "https://ｔｏｏｌ.test/?cursor=a",
        "https://tool。test/?cursor=a",
        "\t//elsewhere.test/?cursor=a",
        "/\n/elsewhere.test/?cursor=a",
        "ftp://tool.test/v2/things?cursor=a",
        "file:///v2/things?cursor=a",
        "javascript:?cursor=a",
        "https://[::1/?cursor=a",
        "https://tool.test:99999/?cursor=a",
        "/v2/things",
        "/v2/things?cursor=",
        "",
    ],
)
async def test_a_link_that_leads_elsewhere_or_nowhere_is_refused(href: str) -> None:
    with pytest.raises(UnexpectedResponse):
        await Listing({None: ([1, 2], href)}).read()


PIECES = [
    "https",
    "http",
    "file",
    ":",
    "//",
    "/",
    "\\",
    "@",
    "#",
    "?",
    "%2f",
    ".",
    "..",
    "\t",
    "\r\n",
    " ",
    "[",
    "::1",
    "]",
]
PIECES += [
    "tool.test",
    "elsewhere.test",
    "127.0.0.1",
    "user",
    "443",
    "8443",
    "v2/things",
    "cursor=a",
    "cursor=b",
    "&",
    "ｅ",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(max_size=30))
async def test_wherever_a_link_leads_only_the_listing_itself_is_asked(href: str) -> None:
    asked: list[httpx2.URL] = []

    async def ask(query: Mapping[str, str]) -> Answer:
        asked.append(httpx2.Request("GET", URL, params=query).url)
        return Answer([1], href if len(asked) == 1 else None, RESPONSE)

    with contextlib.suppress(UnexpectedResponse):
        async for _ in follow_links(ask, url=URL, params={"limit": "1"}, page_size=1):
            pass
    assert {str(one.copy_with(query=None)) for one in asked} == {URL}
    assert all(not one.fragment and not one.userinfo for one in asked)
