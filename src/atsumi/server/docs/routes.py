"""The pages as routes: rendered once, sent with the address under which they were asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

import msgspec
from anyio import to_thread
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import escape
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from atsumi.dialects.http import base_url
from atsumi.server.docs.page import BASE, page_of

_PACKAGE = "atsumi.server.docs"
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?:/[A-Za-z0-9._~/-]*)?")
_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
_STYLE = files(_PACKAGE).joinpath("style.css").read_bytes()
_STYLE_PATH = "docs/style.css"
_VERSION = sha256(_STYLE).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Surface:
    """A surface with a page. ``name`` is that of its introduction, ``document`` makes its OpenAPI document."""

    name: str
    label: str
    summary: str
    base_path: str
    document: Callable[[], bytes]


def docs_routes(surfaces: Sequence[Surface], public_url: str | None) -> list[BaseRoute]:
    """An index under ``/docs`` and a page under ``/docs`` of every surface; all readable without a key."""
    templates = Environment(
        loader=PackageLoader(_PACKAGE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )

    def page_route(path: str, template: str, make: Callable[[], dict[str, object]]) -> Route:
        root = "../" * (path.count("/") - 1)

        @cache
        def rendered() -> bytes:
            shared = {"root": root, "style": f"{root}{_STYLE_PATH}?v={_VERSION}", "surfaces": surfaces}
            return templates.get_template(template).render(shared | make()).encode()

        async def show(request: Request) -> Response:
            # The first time takes a good part of a second, in which others are answered.
            page = await to_thread.run_sync(rendered)
            content = page.replace(BASE.encode(), escape(_address(public_url, request)).encode())
            return Response(content, media_type="text/html", headers=_HEADERS | {"cache-control": "no-cache"})

        return Route(path, show)

    def of_surface(surface: Surface) -> Route:
        def make() -> dict[str, object]:
            text = files(_PACKAGE).joinpath(f"texts/{surface.name}.md").read_text(encoding="utf-8")
            return {"current": surface, "page": page_of(msgspec.json.decode(surface.document()), text)}

        return page_route(f"{surface.base_path}/docs", "surface.html", make)

    async def style(request: Request) -> Response:
        headers = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}
        return Response(_STYLE, media_type="text/css", headers=headers)

    return [
        page_route("/docs", "index.html", lambda: {"current": None}),
        Route(f"/{_STYLE_PATH}", style),
        *(of_surface(one) for one in surfaces),
    ]


def _address(public_url: str | None, request: Request) -> str:
    """How the reader reaches the product, as long as that is an address and nothing else."""
    found = base_url(public_url, request.scope)
    return found if _ADDRESS.fullmatch(found) else "http://localhost"
