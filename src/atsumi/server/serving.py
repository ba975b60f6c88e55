"""One process that answers requests and, unless told otherwise, works on syncs."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn

from atsumi.errors import ConfigurationError
from atsumi.server.app import create_app
from atsumi.server.protocol import BoundedProtocol
from atsumi.server.runtime import Runtime
from atsumi.server.worker import run_worker

_GRACE_SECONDS = 5
# Requests above it are answered 503; connections that send none are closed by the protocol after some seconds.
_MAX_CONNECTIONS = 2_000
_FAULTS_OF_PORT = frozenset({errno.EADDRINUSE, errno.EACCES, errno.EPERM})


class _Server(uvicorn.Server):
    """A server that leaves the process's signals to us.

    uvicorn raises a caught signal again after its shutdown, which would end the process before the database below it
    has been stopped.
    """

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def stop_on_signals() -> asyncio.Event:
    """An event that is set by Ctrl-C and by SIGTERM; the second signal does what it always does."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def set_stop(number: signal.Signals) -> None:
        stop.set()
        loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, set_stop, number)
    return stop


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes any free one. Raises :class:`ConfigurationError` naming what is wrong."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, or asyncio leaves Nagle's algorithm on and every small answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
        listener.setblocking(False)
    except (OSError, UnicodeError) as error:
        listener.close()
        reason = error.strerror if isinstance(error, OSError) else "this is not the name of a host"
        if isinstance(error, OSError) and error.errno in _FAULTS_OF_PORT:
            blamed, advice = "ATSUMI_PORT", "Choose another with --port, or 0."
        else:
            blamed, advice = "ATSUMI_HOST", "Choose an address of this machine with --host, such as 127.0.0.1."
        raise ConfigurationError(f"{blamed}: cannot listen on {host} port {port}: {reason}. {advice}") from None
    return listener


def address(listener: socket.socket) -> str:
    """The URL under which a bound socket is reached from this machine."""
    host, port = listener.getsockname()[:2]
    wildcards = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 -- compared with, not bound to
    shown = wildcards.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"


async def serve(
    runtime: Runtime, listener: socket.socket, stop: asyncio.Event, *, on_ready: Callable[[str], None] | None = None
) -> None:
    """Serve until ``stop`` is set, then finish what is under way within a few seconds and return.

    ``on_ready`` is called with the address once requests are accepted. A worker that fails ends the process: half a
    service that looks whole would be worse.
    """
    config = uvicorn.Config(
        create_app(runtime),
        http=BoundedProtocol,
        ws="none",
        limit_concurrency=_MAX_CONNECTIONS,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = _Server(config)
    tasks = [asyncio.create_task(server.serve(sockets=[listener]), name="http")]
    if runtime.settings.worker_enabled:
        tasks.append(asyncio.create_task(run_worker(runtime, stop), name="worker"))
    stopping = asyncio.create_task(stop.wait(), name="stop")
    try:
        while not server.started and not tasks[0].done():
            await asyncio.sleep(0.01)
        if server.started and on_ready is not None:
            on_ready(address(listener))
        await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.set()
        server.should_exit = True
        stopping.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in ended:
        if isinstance(outcome, BaseException):
            raise outcome
