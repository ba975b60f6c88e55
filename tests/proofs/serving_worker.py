"""A process that serves the API and carries on what is due, until it is killed; see ``test_write_storm``.

Argument: one JSON object with the fields of :class:`Order`. Prints its URL when it is ready.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx2

from atsumi.connector.http import make_client
from atsumi.server.acting import run_actions
from atsumi.server.logging import configure_logging
from atsumi.server.runtime import run_time
from atsumi.server.serving import listen, serve
from harness import product_settings

CREATE = "/v1/recruiting/applications"


@dataclass(frozen=True)
class Order:
    """``dies``: as soon as the tool has answered that it has created something."""

    url: str
    folder: str
    dies: bool


class Deadly(httpx2.AsyncHTTPTransport):
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = await super().handle_async_request(request)
        if request.url.path == CREATE and answer.status_code == 201:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer


async def main(order: Order) -> None:
    configure_logging("error")
    async with run_time(product_settings(order.url, Path(order.folder))) as runtime:
        network, runtime.http = runtime.http, make_client(Deadly() if order.dies else None)
        await network.aclose()
        stop = asyncio.Event()
        async with runtime.http:
            await asyncio.gather(
                serve(runtime, listen("127.0.0.1", 0), stop, on_ready=lambda url: print(url, flush=True)),
                run_actions(runtime, stop),
            )


if __name__ == "__main__":
    asyncio.run(main(Order(**json.loads(sys.argv[1]))))
