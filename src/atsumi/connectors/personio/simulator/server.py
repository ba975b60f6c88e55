"""Runs the simulator as a real server."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

import uvicorn

from atsumi.connectors.personio.simulator.app import create_app
from atsumi.connectors.personio.simulator.simulator import Simulator


class _Server(uvicorn.Server):
    """A server that leaves the process's signal handlers alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def run_server(
    simulator: Simulator, *, host: str = "127.0.0.1", port: int = 8100, on_ready: Callable[[str], None] | None = None
) -> None:
    """Serve until cancelled.

    With port 0 the system picks one. Once requests are accepted, `on_ready` is called with the base URL. Installs no
    signal handlers; after cancellation it returns within about a second, whatever requests are open. Raises OSError
    when the address is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's algorithm off only where the protocol is named; with it, small answers take 40 ms.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
        listener.setblocking(False)
        config = uvicorn.Config(
            create_app(simulator), log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=1
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            while not server.started and not serving.done():
                await asyncio.sleep(0.01)
            if on_ready is not None and server.started:
                shown = f"[{host}]" if family == socket.AF_INET6 else host
                on_ready(f"http://{shown}:{listener.getsockname()[1]}")
            await asyncio.shield(serving)
        finally:
            server.should_exit = True
            if not serving.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await serving


def serve(
    simulator: Simulator, host: str = "127.0.0.1", port: int = 8100, on_ready: Callable[[str], None] | None = None
) -> None:
    """Serve until interrupted from the keyboard."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run_server(simulator, host=host, port=port, on_ready=on_ready))
