"""Small pictures of tools: our own monograms, drawn from slug and label. The vendors' trademarks are not used."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from html import escape

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from atsumi.dialects.services import Services

NAMES = ("logo", "icon", "icon_black")
"""The pictures that the contract asks for."""

_BLACK = "#111111"
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" role="img" aria-label="{label}">'
    '<rect x="4" y="4" width="56" height="56" rx="16" fill="none" stroke="{color}" stroke-width="4"/>'
    '<circle cx="50" cy="14" r="5" fill="{color}"/>'
    '<text x="32" y="42" text-anchor="middle" font-family="system-ui,sans-serif" font-size="28" font-weight="700" '
    'fill="{color}">{letter}</text></svg>'
)
_LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} 64" role="img" aria-label="{label}">'
    '<circle cx="32" cy="32" r="10" fill="none" stroke="{color}" stroke-width="6"/>'
    '<text x="60" y="42" font-family="system-ui,sans-serif" font-size="30" font-weight="600" '
    'fill="{color}">{label}</text></svg>'
)


class Assets(msgspec.Struct, kw_only=True):
    """Absolute addresses of a tool's pictures."""

    logo_url: str
    icon_url: str
    icon_black_url: str


def asset_urls(base_url: str, slug: str) -> Assets:
    """Where :func:`draw`'s pictures are served."""
    urls: Mapping[str, str] = {name: f"{base_url}/assets/tools/{slug}/{name}.svg" for name in NAMES}
    return Assets(logo_url=urls["logo"], icon_url=urls["icon"], icon_black_url=urls["icon_black"])


def picture_route(services: Services) -> Route:
    """Serves the pictures of all tools; whoever reads them needs no key."""

    async def picture(request: Request) -> Response:
        slug, name = request.path_params["slug"], request.path_params["name"]
        connector = services.connectors.get(slug)
        drawn = draw(name, slug, connector.manifest.label) if connector is not None else None
        if drawn is None:
            return Response(status_code=404)
        return Response(drawn, media_type="image/svg+xml", headers={"cache-control": "public, max-age=86400"})

    return Route("/assets/tools/{slug}/{name}.svg", picture)


def draw(name: str, slug: str, label: str) -> bytes | None:
    """One picture as SVG, always the same for the same tool; ``None`` for a name that is not one."""
    hue = int.from_bytes(blake2b(slug.encode(), digest_size=2).digest()) % 360
    color = _BLACK if name == "icon_black" else f"hsl({hue} 55% 38%)"
    shown = escape(label)
    if name == "logo":
        return _LOGO.format(label=shown, color=color, width=84 + 18 * len(label)).encode()
    if name in NAMES:
        return _ICON.format(label=shown, color=color, letter=escape(label[:1].upper())).encode()
    return None
