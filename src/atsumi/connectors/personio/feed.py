"""The career site's XML feed: every published position with its texts (Personio NOTES section 10, C)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from lxml import etree

from atsumi.connector.context import Context
from atsumi.connector.http import Response
from atsumi.connector.reading import decode
from atsumi.connectors.personio.career import ask_career_site
from atsumi.connectors.personio.facts import MANIFEST
from atsumi.errors import PermissionMissing

_ROOT = "workzag-jobs"
_MAX_BYTES = 16 * 1024 * 1024
_MAX_ATTRIBUTES = 50
"""On one element, namespaces apart. Feeds have none; writing many takes a time that grows with their square."""
_XML_TYPES = frozenset({"text/xml", "application/xml"})


class Position(NamedTuple):
    """One position: its id (``None`` when it has none that is a number), and its XML as a JSON string.

    The XML is in canonical form, so the same position always gives the same bytes.
    """

    id: str | None
    data: bytes


class CareerSiteUnknown(PermissionMissing):
    """No career site answers to the company's name."""


async def read_feed(context: Context, language: str) -> list[Position]:
    """All published positions with their texts in one language, in the feed's order.

    Raises :class:`PermissionMissing` when the feed is switched off (the site answers with a page or a redirect) or the
    site does not exist (:class:`CareerSiteUnknown`), :class:`~atsumi.errors.UnexpectedResponse` when the document
    cannot be read or is not a feed, and the errors of a call. It never returns a part of a feed.
    """
    response = await ask_career_site(context, f"read feed {language}", "/xml", {"language": language})
    _refuse_what_is_no_feed(response)
    return parse_feed(response)


def _refuse_what_is_no_feed(response: Response) -> None:
    scope = MANIFEST.scope_of("feed:de")
    label, where = (scope.name, scope.where["en"]) if scope else ("", "")
    if response.status == 404:
        raise CareerSiteUnknown(response.call, "no career site has this name; check the career page name", scope=label)
    is_page = response.status == 200 and response.content_type in ("text/html", "application/xhtml+xml")
    if is_page or 300 <= response.status < 400 or response.status in (401, 403):
        raise PermissionMissing(response.call, f"the career site's XML feed is off. {where}", scope=label)
    if response.status != 200:
        raise response.unexpected("the career site's answer has an unexpected status")
    if response.content_type not in _XML_TYPES:
        raise response.unexpected(f"the feed is not XML but {response.content_type or 'of no stated type'}")


def parse_feed(response: Response) -> list[Position]:
    """The positions of a feed document. Raises :class:`~atsumi.errors.UnexpectedResponse`.

    Entities are not expanded, nothing is loaded from elsewhere, and a document type declaration is refused: feeds
    have none.
    """
    if len(response.body) > _MAX_BYTES:
        raise response.unexpected(f"the feed is larger than {_MAX_BYTES} bytes")
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(response.body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise response.unexpected("the feed is malformed XML") from error
    if any(len(element.attrib) > _MAX_ATTRIBUTES or len(element.nsmap) > _MAX_ATTRIBUTES for element in root.iter("*")):
        raise response.unexpected("an element of the feed has too many attributes")
    if _has_document_type(root):
        raise response.unexpected("the feed declares a document type")
    if root.tag != _ROOT:
        raise response.unexpected("the document's root is not that of a feed")
    try:
        return [_position(element) for element in root.iterchildren("position")]
    except (etree.LxmlError, ValueError) as error:
        raise response.unexpected("the feed is malformed XML") from error


def _position(element: etree._Element) -> Position:
    element.tail = None
    xml = etree.tostring(element, method="c14n2").decode()
    number = (element.findtext("id") or "").strip()
    return Position(number if number.isascii() and number.isdigit() else None, msgspec.json.encode(xml))


class PositionText(NamedTuple):
    """A position as text by element name, with what repeats."""

    fields: Mapping[str, str]
    additional_offices: list[str]
    sections: list[tuple[str, str]]
    """Heading and HTML of each part of the description, blanks around them removed."""
    salary: Mapping[str, str]


def read_position(raw: bytes | None) -> PositionText | None:
    """A stored position's content, empty elements left out; ``None`` when there is none or it cannot be read."""
    xml = decode(raw)
    if not isinstance(xml, str):
        return None
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
    try:
        element = etree.fromstring(xml.encode(), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if _has_document_type(element):
        return None
    sections = [
        (_text(part.find("name")), _text(part.find("value")))
        for part in element.iterfind("jobDescriptions/jobDescription")
    ]
    return PositionText(
        fields=_leaves(element),
        additional_offices=[text for office in element.iterfind("additionalOffices/office") if (text := _text(office))],
        sections=[section for section in sections if any(section)],
        salary=_leaves(element.find("salaryInformation")),
    )


def _has_document_type(element: etree._Element) -> bool:
    return element.getroottree().docinfo.internalDTD is not None


def _leaves(element: etree._Element | None) -> dict[str, str]:
    if element is None:
        return {}
    children = [child for child in element.iterchildren() if isinstance(child.tag, str) and not len(child)]
    return {str(child.tag): text for child in children if (text := _text(child))}


def _text(element: etree._Element | None) -> str:
    return "" if element is None else "".join(str(part) for part in element.itertext()).strip()
