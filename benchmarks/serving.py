"""How the servers that the product is compared with are run: uvicorn as the product sets it, on its fastest loop."""

from __future__ import annotations

import sys
from typing import Any

import uvicorn

from atsumi.server.serving import address, listen


def run(app: Any) -> None:
    """Announce the address in one line and serve until terminated."""
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", server_header=False)
    sys.stdout.write(f"Listening on {address(listener)}\n")
    sys.stdout.flush()
    uvicorn.Server(config).run(sockets=[listener])
