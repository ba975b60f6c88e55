"""The limit: the same bytes, already there, from Starlette and uvicorn. `python -m benchmarks.constant BODY_FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.serving import run


def main() -> None:
    """Serve the file's bytes under every page's path until terminated."""
    file = Path(sys.argv[1])
    body: list[bytes] = []

    async def page(request: Request) -> Response:
        # The file is written after this process has started, and read with the first request.
        body.extend([file.read_bytes()] if not body else [])
        return Response(body[0], media_type="application/json")

    run(Starlette(routes=[Route("/v1/ats/applications", page)]))


if __name__ == "__main__":
    main()
