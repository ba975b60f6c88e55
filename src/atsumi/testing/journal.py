"""A journal in memory, for tests of what connectors write."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from atsumi.connector.writing import Notice, is_refusal
from atsumi.errors import AlreadyExists, OutcomeUnknown, RemoteCall, ToolError


class Killed(BaseException):
    """The process has ended here; nothing that runs may catch it."""


class MemoryJournal:
    """:class:`~atsumi.connector.writing.Journal` of one action; runs of a test share it as processes share the ledger.

    ``files`` are the contents of the draft's files, each in its pieces. ``reached`` lists the moments after each of
    which a process can die: a step was ``noted``, is ``about to be sent``, was ``answered``. With ``kill_after`` set,
    the moment of that number raises :class:`Killed`, once.
    """

    def __init__(self, files: Sequence[Sequence[bytes]] = ()) -> None:
        self.files = list(files)
        self.steps: dict[str, str] = {}
        self.unknown: set[str] = set()
        self.warnings: list[str] = []
        self.reached: list[str] = []
        self.kill_after: int | None = None

    def _reach(self, moment: str) -> None:
        self.reached.append(moment)
        if self.kill_after is not None and len(self.reached) > self.kill_after:
            self.kill_after = None
            raise Killed(moment)

    async def once(self, step: str, do: Callable[[], Awaitable[str]]) -> str:
        if step not in self.steps:
            result = await do()
            self._reach(f"{step}: answered")
            self._note(step, result)
        return self.steps[step]

    async def effect(
        self, step: str, send: Callable[[Notice], Awaitable[str]], find: Callable[[], Awaitable[str | None]]
    ) -> str:
        if step in self.steps:
            return self.steps[step]
        was_unknown = step in self.unknown
        if was_unknown and (found := await find()) is not None:
            return self._note(step, found)

        async def notice() -> None:
            self.unknown.add(step)
            self._reach(f"{step}: about to be sent")

        try:
            result = await send(notice)
        except ToolError as error:
            # A refusal because it exists may be that of a repetition of what was accepted before.
            if not (was_unknown and isinstance(error, AlreadyExists)):
                if is_refusal(error) and not was_unknown:
                    self.unknown.discard(step)
                if is_refusal(error) or step not in self.unknown:
                    raise
            found = await find()
            if found is None:
                call = RemoteCall(error.call.tool, step, error.call.method, error.call.url)
                raise OutcomeUnknown(call, "whether the tool has done it is not known yet") from error
            result = found
        self._reach(f"{step}: answered")
        return self._note(step, result)

    def _note(self, step: str, result: str) -> str:
        self.steps[step] = result
        self.unknown.discard(step)
        self._reach(f"{step}: noted")
        return result

    async def forget(self, step: str) -> None:
        self.steps.pop(step, None)

    def warn(self, message: str) -> None:
        if message not in self.warnings:
            self.warnings.append(message)

    @asynccontextmanager
    async def open_file(self, index: int) -> AsyncIterator[AsyncIterator[bytes]]:
        async def pieces() -> AsyncIterator[bytes]:
            for piece in self.files[index]:
                yield piece

        yield pieces()
