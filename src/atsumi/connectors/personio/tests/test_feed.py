"""The career feed, and every way in which it fails."""

from __future__ import annotations

import json
import time

import httpx2
import pytest

from atsumi.connectors.personio.feed import CareerSiteUnknown, Position, read_feed, read_position
from atsumi.connectors.personio.tests.fixed import FixedAccount
from atsumi.errors import PermissionMissing, RateLimited, RemoteUnavailable, ToolError, UnexpectedResponse

POSITION = """<position>
    <id> 5101 </id>
    <office>Berlin</office>
    <additionalOffices><office>Graz</office><office> Remote </office></additionalOffices>
    <name>Technical Writer (m/w/d)</name>
    <jobDescriptions>
      <jobDescription><name>Aufgaben</name><value>
        <![CDATA[ <ul><li>Texte &amp; Bilder</li></ul> ]]>
      </value></jobDescription>
      <jobDescription><name></name><value></value></jobDescription>
    </jobDescriptions>
    <schedule>full-time</schedule>
    <salaryInformation><min>70000.00</min><max></max><currencyCode>EUR</currencyCode></salaryInformation>
  </position>"""


def feed(*positions: str) -> bytes:
    body = "".join(positions)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- made up -->\n<workzag-jobs>{body}</workzag-jobs>'.encode()


def xml(content: bytes, status: int = 200, content_type: str = "text/xml; charset=UTF-8") -> httpx2.Response:
    return httpx2.Response(status, content=content, headers={"Content-Type": content_type})


async def read(answer: httpx2.Response) -> list[Position]:
    return await read_feed(FixedAccount({"/xml": answer}).context, "de")


async def test_a_position_is_its_xml_as_a_json_string() -> None:
    (position,) = await read(xml(feed(POSITION)))
    assert position.id == "5101"
    text = json.loads(position.data)
    assert text.startswith("<position>")
    assert "Texte &amp;amp; Bilder" in text


async def test_a_position_is_read_back() -> None:
    (position,) = await read(xml(feed(POSITION)))
    found = read_position(position.data)
    assert found is not None
    assert found.fields == {
        "id": "5101",
        "office": "Berlin",
        "name": "Technical Writer (m/w/d)",
        "schedule": "full-time",
    }
    assert found.additional_offices == ["Graz", "Remote"]
    assert found.sections == [("Aufgaben", "<ul><li>Texte &amp; Bilder</li></ul>")]
    assert found.salary == {"min": "70000.00", "currencyCode": "EUR"}


async def test_the_same_position_gives_the_same_bytes_wherever_it_stands() -> None:
    other = "<position b='2' a='1'><id>7</id></position>"
    ((first,), both) = (await read(xml(feed(POSITION))), await read(xml(feed(other, POSITION, "\n<!-- end -->"))))
    assert first == both[1]
    (swapped,) = await read(xml(feed('<position a="1" b="2"><id>7</id></position>')))
    assert swapped == both[0]


@pytest.mark.parametrize("number", ["", "<id></id>", "<id>abc</id>", "<id>-1</id>", "<id>٧</id>"])
async def test_a_position_without_a_number_is_kept_without_an_id(number: str) -> None:
    (position,) = await read(xml(feed(f"<position>{number}<name>x</name></position>")))
    assert position.id is None


async def test_an_empty_feed_is_a_feed() -> None:
    assert await read(xml(feed())) == []


async def test_the_address_holds_company_and_language() -> None:
    account = FixedAccount({"/xml": xml(feed())})
    await read_feed(account.context, "fr")
    assert str(account.requests[0].url) == "https://acme.jobs.personio.de/xml?language=fr"


BOMB = b"""<?xml version="1.0"?><!DOCTYPE workzag-jobs [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<workzag-jobs><position><id>1</id><name>&b;</name></position></workzag-jobs>"""
FILE = b"""<?xml version="1.0"?><!DOCTYPE w [<!ENTITY f SYSTEM "file:///etc/hostname">]>
<workzag-jobs><position><id>1</id><name>&f;</name></position></workzag-jobs>"""
MANY = " ".join(f'{{0}}{number}="urn:{number}"' for number in range(20_000))

FAILURES = {
    "switched off: the home page": (httpx2.Response(200, html="<h1>Jobs</h1>"), PermissionMissing),
    "switched off: a redirect": (httpx2.Response(302, headers={"Location": "/"}), PermissionMissing),
    "forbidden": (httpx2.Response(403), PermissionMissing),
    "no such company": (httpx2.Response(404, html="<h1>404</h1>"), CareerSiteUnknown),
    "too often": (httpx2.Response(429), RateLimited),
    "down": (httpx2.Response(503), RemoteUnavailable),
    "no content": (httpx2.Response(204), UnexpectedResponse),
    "a feed of another type": (xml(feed(), content_type="application/json"), UnexpectedResponse),
    "an untyped feed": (httpx2.Response(200, content=feed()), UnexpectedResponse),
    "cut": (xml(feed(POSITION)[:-20]), UnexpectedResponse),
    "not well-formed": (xml(feed("<position><name>a & b</name></position>")), UnexpectedResponse),
    "empty": (xml(b""), UnexpectedResponse),
    "another document": (xml(b"<rss/>"), UnexpectedResponse),
    "entities": (xml(BOMB), UnexpectedResponse),
    "a foreign file": (xml(FILE), UnexpectedResponse),
    "many attributes": (xml(feed("<position " + MANY.format("a") + "/>")), UnexpectedResponse),
    "many namespaces": (xml(feed("<position " + MANY.format("xmlns:a") + "/>")), UnexpectedResponse),
    "too deep": (xml(feed("<position>" + "<a>" * 9_000 + "</a>" * 9_000 + "</position>")), UnexpectedResponse),
    "too large": (xml(feed(POSITION, " " * (16 << 20))), UnexpectedResponse),
    "a wrong encoding": (xml(b'<?xml version="1.0" encoding="x-none"?><workzag-jobs/>'), UnexpectedResponse),
}


@pytest.mark.parametrize(("answer", "expected"), FAILURES.values(), ids=FAILURES)
async def test_each_failure_says_who_acts(answer: httpx2.Response, expected: type[ToolError]) -> None:
    started = time.process_time()
    with pytest.raises(expected, match=r"^personio: read feed de: "):
        await read(answer)
    assert time.process_time() - started < 1


async def test_a_feed_that_is_off_says_where_to_switch_it_on() -> None:
    with pytest.raises(PermissionMissing, match="switch on the XML feed") as caught:
        await read(httpx2.Response(200, html="<h1>Jobs</h1>"))
    assert caught.value.scope == "XML feed"


@pytest.mark.parametrize(
    "raw", [None, b"null", b'"<position>"', b'"text"', b"\xff", b"{}", json.dumps(BOMB.decode()).encode()]
)
def test_what_is_no_position_is_not_read(raw: bytes | None) -> None:
    assert read_position(raw) is None
