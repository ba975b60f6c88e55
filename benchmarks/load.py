"""The load: HTTP/1.1 clients on raw sockets, in one process of their own that looks at no body.

`python -m benchmarks.load` reads one JSON object a line (``port``, ``paths``, ``headers``, ``clients``, ``seconds``,
``seed``) and answers each with one line. A run stops sending at its end and waits for what is under way, so that no
request of one run burns the processors in the next.
"""

from __future__ import annotations

import json
import random
import select
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

_BUFFER = bytearray(1 << 20)
_VIEW = memoryview(_BUFFER)
_HEAD_END = b"\r\n\r\n"


@dataclass(slots=True)
class _Client:
    connection: socket.socket
    sent_at: float = 0.0
    head: bytes = b""
    missing: int = -1
    """Bytes of the body that are still to come; -1 while the head is incomplete."""
    is_waiting: bool = False

    def send(self, request: bytes) -> None:
        self.head, self.missing, self.is_waiting = b"", -1, True
        self.sent_at = time.perf_counter()
        self.connection.sendall(request)

    def receive(self) -> int | None:
        """Take what has arrived; returns the status once the answer is complete."""
        size = self.connection.recv_into(_VIEW)
        if size == 0:
            raise ConnectionError("the server closed the connection")
        if self.missing < 0:
            self.head += _VIEW[:size]
            end = self.head.find(_HEAD_END)
            if end < 0:
                return None
            rest = len(self.head) - end - len(_HEAD_END)
            self.head = self.head[:end]
            self.missing = _content_length(self.head) - rest
        else:
            self.missing -= size
        if self.missing > 0:
            return None
        self.is_waiting = False
        return int(self.head[9:12])


@dataclass(slots=True)
class _Counts:
    durations: list[float] = field(default_factory=list)
    refused: int = 0


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    raise ValueError("the answer has no content-length")


def measure(
    port: int, paths: Sequence[str], headers: dict[str, str], clients: int, seconds: float, seed: int
) -> dict[str, Any]:
    """Keep every client busy with random paths for ``seconds``; returns counts and latencies in seconds."""
    extra = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    requests = [f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{extra}\r\n".encode() for path in paths]
    choose = random.Random(seed).choice  # noqa: S311 -- which page is read next
    poll = select.epoll()
    found: dict[int, _Client] = {}
    for _ in range(clients):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        found[connection.fileno()] = _Client(connection)
        poll.register(connection, select.EPOLLIN)
    counts = _Counts()
    started = time.perf_counter()
    deadline = started + seconds
    for client in found.values():
        client.send(choose(requests))
    while any(client.is_waiting for client in found.values()):
        for descriptor, _ in poll.poll():
            client = found[descriptor]
            status = client.receive()
            if status is None:
                continue
            now = time.perf_counter()
            counts.durations.append(now - client.sent_at)
            counts.refused += status != 200
            if now < deadline:
                client.send(choose(requests))
    elapsed = time.perf_counter() - started
    for client in found.values():
        client.connection.close()
    poll.close()
    durations = sorted(counts.durations)
    return {
        "pages": len(durations),
        "refused": counts.refused,
        "seconds": elapsed,
        "p50": durations[len(durations) // 2],
        "p99": durations[min(len(durations) - 1, len(durations) * 99 // 100)],
    }


def main() -> None:
    """Answer orders until standard input ends."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(measure(**json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
