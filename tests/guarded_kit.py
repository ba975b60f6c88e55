"""Guarded clients for hosts of the tests, and resolvers that say what a test wants."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from atsumi.connector.guard import Allowance
from atsumi.connector.guarded import GuardedClient

MAX_BYTES = 10_000


class Names:
    """A resolver that knows some names and notes who asks. Each look-up takes the next list; the last one stays."""

    def __init__(self, **known: Sequence[list[str]]) -> None:
        self.known = {name.replace("_", "."): list(answers) for name, answers in known.items()}
        self.asked: list[str] = []

    async def __call__(self, name: str, port: int) -> list[str]:
        self.asked.append(name)
        answers = self.known.get(name)
        if answers is None:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return answers.pop(0) if len(answers) > 1 else answers[0]


class Everywhere(Names):
    """Every name leads to one address."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address

    async def __call__(self, name: str, port: int) -> list[str]:
        self.asked.append(name)
        return [self.address]


async def read(client: GuardedClient, url: str, *, max_bytes: int = MAX_BYTES, timeout_seconds: float = 30) -> bytes:
    async with client.get(url, max_bytes=max_bytes, timeout_seconds=timeout_seconds) as answer:
        return b"".join([chunk async for chunk in answer.chunks])


def allowing(*entries: str, resolve: Names | None = None, **options: object) -> GuardedClient:
    return GuardedClient(Allowance.parse(entries), resolve=resolve, **options)  # type: ignore[arg-type]  # test's own
