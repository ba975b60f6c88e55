"""The journal of one action over the ledger: what makes its steps happen exactly once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec

from atsumi.connector.writing import Notice
from atsumi.errors import (
    AlreadyExists,
    AtsumiError,
    AuthenticationFailed,
    OutcomeUnknown,
    PermissionMissing,
    RateLimited,
    RemoteCall,
    RemoteRejected,
    RemoteUnavailable,
    ToolError,
)
from atsumi.store import action_contents as contents
from atsumi.store.action_contents import StepRow
from atsumi.store.actions import ActionClaim
from atsumi.store.vault import Vault

VISIBLE_AFTER_SECONDS = 30.0
"""How long a tool may take to show what it has accepted, before it is asked for it again: only then does finding
nothing mean that it may not have it."""

_REFUSED = (RemoteRejected, PermissionMissing, AuthenticationFailed, RateLimited)
"""The tool has answered, and has done nothing."""


class _Note(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A step's result, and the warnings up to then: they must not be lost with the process.

    ``first_sent_at``: since when nobody knows what came of a request.
    """

    result: str = ""
    warnings: list[str] = []
    first_sent_at: datetime | None = None


class LedgerJournal:
    """:class:`~atsumi.connector.writing.Journal` of a claimed action. Every note is fenced by the claim."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        vault: Vault,
        claim: ActionClaim,
        steps: Mapping[str, StepRow],
        tool: str,
        *,
        visible_after_seconds: float = VISIBLE_AFTER_SECONDS,
    ) -> None:
        self._pool = pool
        self._vault = vault
        self._claim = claim
        self._tool = tool
        self._visible_after_seconds = visible_after_seconds
        self._done: dict[str, str] = {}
        self._begun: dict[str, float] = {}
        self._doubted_since: datetime | None = None
        self._warnings: dict[str, None] = {}
        for name, row in steps.items():
            note = msgspec.json.decode(row.result, type=_Note)
            if row.is_done:
                self._done[name] = note.result
            else:
                self._begun[name] = row.seconds
                self._doubted_since = note.first_sent_at
            for warning in note.warnings:
                self.warn(warning)

    @property
    def may_have_acted(self) -> bool:
        """Whether the tool was about to be asked for something and nobody knows what came of it."""
        return bool(self._begun)

    @property
    def doubted_for(self) -> timedelta:
        """How long ago the first request was sent of which nobody knows what came of it."""
        now = datetime.now(UTC)
        return now - (self._doubted_since or now) if self.may_have_acted else timedelta(0)

    def doubt(self, error: AtsumiError) -> OutcomeUnknown:
        """What to say of the action while it may have been done, whatever went wrong meanwhile."""
        if isinstance(error, OutcomeUnknown):
            return error
        return self._unknown(next(iter(self._begun)), error if isinstance(error, ToolError) else None)

    @property
    def warnings(self) -> list[str]:
        """Each once, in the order of their first time."""
        return list(self._warnings)

    def warn(self, message: str) -> None:
        self._warnings.setdefault(message)

    async def once(self, step: str, do: Callable[[], Awaitable[str]]) -> str:
        if step not in self._done:
            await self._note(step, await do(), is_done=True)
        return self._done[step]

    async def forget(self, step: str) -> None:
        self._done.pop(step, None)
        await contents.drop_step(self._pool, self._claim, step)

    async def effect(
        self, step: str, send: Callable[[Notice], Awaitable[str]], find: Callable[[], Awaitable[str | None]]
    ) -> str:
        if step in self._done:
            return self._done[step]
        if step in self._begun:
            found = await find()
            if found is not None:
                await self._note(step, found, is_done=True)
                return found
            if self._begun[step] < self._visible_after_seconds:
                raise self._unknown(step)
        await self._note(step, await self._sent(step, send, find), is_done=True)
        return self._done[step]

    async def _sent(
        self, step: str, send: Callable[[Notice], Awaitable[str]], find: Callable[[], Awaitable[str | None]]
    ) -> str:
        was_begun = step in self._begun

        async def notice() -> None:
            await self._note(step, "", is_done=False)
            self._begun[step] = 0.0

        try:
            return await send(notice)
        except AlreadyExists:
            # The refused one may be a repetition of what was accepted before.
            if was_begun:
                found = await self._found(find)
                if found is None:
                    raise self._unknown(step) from None
                return found
            await self._unnote(step)
            raise
        except _REFUSED:
            if not was_begun:
                await self._unnote(step)
            raise
        except ToolError as error:
            if isinstance(error, RemoteUnavailable) and error.is_unsent:
                if not was_begun:
                    await self._unnote(step)
                raise
            if step not in self._begun:
                raise
            found = await self._found(find)
            if found is None:
                raise self._unknown(step, error) from error
            return found

    async def _found(self, find: Callable[[], Awaitable[str | None]]) -> str | None:
        try:
            return await find()
        except ToolError:
            # Whoever cannot be asked has said nothing.
            return None

    def _unknown(self, step: str, error: ToolError | None = None) -> OutcomeUnknown:
        call = error.call if error is not None else RemoteCall(self._tool, step, "-", "-")
        return OutcomeUnknown(
            call,
            "the request was sent, and whether the tool has done it is not known yet. This is being found out, and it "
            "is not sent again before; ask again with the same request",
        )

    async def _note(self, step: str, result: str, *, is_done: bool) -> None:
        if not is_done and self._doubted_since is None:
            self._doubted_since = datetime.now(UTC)
        since = None if is_done else self._doubted_since
        note = msgspec.json.encode(_Note(result=result, warnings=self.warnings, first_sent_at=since))
        await contents.note_step(self._pool, self._vault, self._claim, step, note, is_done=is_done)
        if is_done:
            self._done[step] = result
            self._clear(step)

    async def _unnote(self, step: str) -> None:
        self._clear(step)
        await contents.drop_step(self._pool, self._claim, step)

    def _clear(self, step: str) -> None:
        self._begun.pop(step, None)
        if not self._begun:
            self._doubted_since = None

    @asynccontextmanager
    async def open_file(self, index: int) -> AsyncIterator[AsyncIterator[bytes]]:
        async with aclosing(contents.read_file(self._pool, self._vault, self._claim, index)) as parts:
            yield parts
