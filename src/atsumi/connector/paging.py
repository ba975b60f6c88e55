"""Following a listing whose next page is named by a link in the body (``_meta.links.next.href``).

Only the *query* of that link is used: the next request goes to the same listing with the first request's parameters
and the link's on top. So a link without ``limit`` or filters does not lose them, and no link can lead elsewhere.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl, urljoin, urlsplit

from atsumi.connector.http import Response

DEFAULT_MAX_PAGES = 20_000
_EMPTY_PAGES_FOLLOWED = 1


class Answer(NamedTuple):
    """One page as the client read it: its items, and the link to the next page if there is one."""

    items: Sequence[object]
    next_href: str | None
    response: Response


class LinkedPage(NamedTuple):
    """One page of a scan. ``cursor`` names the page after it; ``None`` ends the scan.

    ``is_proven`` is false where the scan may have passed over items: on a last page that still named a next one (which
    led back into the scan, or followed several empty pages), and on an empty page that names another one behind it. An
    empty page that names itself is a known way to end (Personio NOTES section 6.1).
    """

    items: Sequence[object]
    cursor: str | None
    is_proven: bool = True


async def follow_links(
    ask: Callable[[Mapping[str, str]], Awaitable[Answer]],
    *,
    url: str,
    params: Mapping[str, str],
    page_size: int,
    cursor: str | None = None,
    max_pages: int = DEFAULT_MAX_PAGES,
) -> AsyncGenerator[LinkedPage]:
    """Read a listing from its top, or from ``cursor`` on.

    The scan ends at a page that names no next page, or at the second empty page in a row. A link back to a page that
    was read already ends it too when the page was not full, without proving that the end was reached.

    Raises :class:`~atsumi.errors.UnexpectedResponse` when a link leads to a foreign host, when a full page links back
    (records behind it are out of reach), and when ``max_pages`` are not enough.
    """
    query = dict(params)
    if cursor is not None:
        query["cursor"] = cursor
    seen: set[str | None] = {None, cursor}
    empty = 0
    for _ in range(max_pages):
        answer = await ask(query)
        if answer.next_href is None:
            yield LinkedPage(answer.items, None)
            return
        linked = read_link(answer.next_href, url, answer.response)
        following = linked.get("cursor")
        if following is None or following in seen:
            if len(answer.items) >= page_size:
                raise answer.response.unexpected("a full page names itself or an earlier page as the next one")
            yield LinkedPage(answer.items, None, is_proven=not answer.items)
            return
        empty = 0 if answer.items else empty + 1
        if empty > _EMPTY_PAGES_FOLLOWED:
            yield LinkedPage(answer.items, None, is_proven=False)
            return
        yield LinkedPage(answer.items, following, is_proven=bool(answer.items))
        seen.add(following)
        query = {**params, **linked}
    raise answer.response.unexpected(f"the listing does not end within {max_pages} pages")


def read_link(href: str, url: str, response: Response) -> dict[str, str]:
    """The query of a link to the next page; without a ``cursor`` it names the first page.

    Raises :class:`~atsumi.errors.UnexpectedResponse` for a foreign host and for what is no address.
    """
    try:
        target, own = urlsplit(urljoin(url, href)), urlsplit(url)
        is_foreign = (target.hostname, _port(target.scheme, target.port)) != (own.hostname, _port(own.scheme, own.port))
    except ValueError:
        raise response.unexpected("the link to the next page is no address") from None
    if is_foreign or target.scheme not in ("http", "https"):
        raise response.unexpected("the link to the next page leads to another host")
    return dict(parse_qsl(target.query))


def _port(scheme: str, port: int | None) -> int | None:
    return None if port in (None, 80, 443) and scheme in ("http", "https") else port
