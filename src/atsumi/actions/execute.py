"""Carrying out a claimed action: its files, what the connector does, what it made, and the end in the ledger.

Anything may be cut off anywhere: the next one to claim the action goes on where the journal ends.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NoReturn
from uuid import UUID

import asyncpg
import msgspec

from atsumi.actions import outcome as outcomes
from atsumi.actions.files import FileDesk, Kept
from atsumi.actions.journal import VISIBLE_AFTER_SECONDS, LedgerJournal
from atsumi.actions.outcome import Outcome
from atsumi.connector.context import Context, Log
from atsumi.connector.guarded import GuardedClient
from atsumi.connector.writing import FileRules, Made, WriteAction
from atsumi.errors import (
    AtsumiError,
    AuthenticationFailed,
    CallerError,
    FetchFailed,
    OutcomeUnknown,
    PermissionMissing,
    RateLimited,
    RemoteCall,
    RemoteRejected,
    StaleToken,
    ToolError,
    UnexpectedResponse,
    UnsupportedByTool,
)
from atsumi.model.actions import Action
from atsumi.model.catalog import CODES
from atsumi.model.draft import DRAFTS, Draft, FileDraft
from atsumi.model.ids import record_id, to_base58
from atsumi.model.names import Model
from atsumi.store import action_contents as contents
from atsumi.store import actions as ledger
from atsumi.store import aliases, modes
from atsumi.store.actions import ActionClaim
from atsumi.store.database import UNREACHABLE
from atsumi.store.records import Connection
from atsumi.store.vault import Vault
from atsumi.sync.answers import store_answer
from atsumi.sync.target import Target

HEARTBEAT_SECONDS = 5.0
_LOOKS = (0.0, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 3.0)
_FIRST_PAUSE_SECONDS = 2.0
_LONGEST_PAUSE = timedelta(minutes=15)
_CERTAIN_AFTER = timedelta(hours=1)
"""Once a tool has not shown for so long what it may have accepted, its refusal of the same counts."""
_GIVEN_UP_AFTER = timedelta(days=1)
"""An action that nobody waits for and that keeps failing in passing fails for good after that."""


@dataclass(frozen=True, slots=True)
class ActionWork:
    """Everything that carrying out one claimed action needs. ``attempts`` counts this one."""

    pool: asyncpg.Pool
    vault: Vault
    guarded: GuardedClient
    claim: ActionClaim
    kind: Action
    action: WriteAction
    tool: str
    context: Context
    target: Target
    log: Log
    is_deferred: bool
    created_at: datetime
    attempts: int = 1
    looks: tuple[float, ...] = _LOOKS
    """The pauses between looks for what was made, while the caller waits."""
    visible_after_seconds: float = VISIBLE_AFTER_SECONDS
    certain_after: timedelta = _CERTAIN_AFTER


def lost(tool: str, kind: Action) -> WriteAction:
    """Stands in for an action that a connector had when it was asked for, and has no longer.

    What was not sent fails; what may be at the tool stays unknown, until a connector can look for it again.
    """

    async def fail(*_: object) -> NoReturn:
        raise UnsupportedByTool(f"{tool} offers no way to {kind.value.replace('_', ' ')} any more.")

    return WriteAction(inputs={}, required=frozenset(), perform=fail, find=fail, plan=lambda *_: ())


def provisional_id(integration: UUID, model: Model, action: UUID) -> UUID:
    """The id that stands for a record which the tool has made and does not show yet."""
    return record_id(integration, model, f"action:{action}")


async def execute(work: ActionWork) -> None:
    """Try to bring the action to its end, with a heartbeat beside it; what it came to stands in the ledger.

    Returns without a word when somebody else has taken over. A bug is raised, after the action was given back.
    """
    beat = asyncio.create_task(_heartbeat(work))
    try:
        await _Attempt(work).run()
    except StaleToken:
        work.log.warning("action.lost", action=str(work.claim.id), kind=work.kind)
    finally:
        beat.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beat


async def _heartbeat(work: ActionWork) -> None:
    while True:
        await asyncio.sleep(HEARTBEAT_SECONDS)
        with contextlib.suppress(*UNREACHABLE, StaleToken):
            await ledger.heartbeat(work.pool, work.claim)


class _Attempt:
    """One attempt at one action."""

    def __init__(self, work: ActionWork) -> None:
        self._work = work
        self._journal: LedgerJournal | None = None
        self._has_ended = False
        """It has succeeded before, and its record is looked for."""
        self._is_accepted = False
        """The tool has done it."""

    async def run(self) -> None:
        try:
            await self._run()
        except StaleToken:
            raise
        except AtsumiError as error:
            await self._settle(error)
        except BaseException as error:
            # The process stops, or this is a bug: either way nobody knows better than the journal.
            with contextlib.suppress(*UNREACHABLE, StaleToken):
                await asyncio.shield(self._break_off(error))
            raise

    async def _run(self) -> None:
        work = self._work
        noted = await contents.steps(work.pool, work.vault, work.claim)
        journal = LedgerJournal(
            work.pool,
            work.vault,
            work.claim,
            noted,
            work.tool,
            visible_after_seconds=work.visible_after_seconds,
        )
        self._journal = journal
        row = await ledger.find(work.pool, work.claim.integration, work.claim.id)
        if row is not None:
            for warning in outcomes.decode(ledger.opened(work.vault, row)).warnings:
                journal.warn(warning)
            self._has_ended = self._is_accepted = row.ended_at is not None
        data = await contents.draft_of(work.pool, work.vault, work.claim)
        draft = msgspec.json.decode(data, type=DRAFTS[work.kind])
        made = None
        if journal.may_have_acted:
            # It may be there although nothing else that it takes can be done now.
            made = await work.action.find(work.context, draft, journal)
        if made is None and not self._has_ended:
            await self._fetch_files(draft, journal)
            await work.action.perform(work.context, draft, journal)
        self._is_accepted = True
        await self._record(draft, journal, made)

    async def _fetch_files(self, draft: Draft, journal: LedgerJournal) -> None:
        """Get the files that the caller gave addresses of, and complete the draft with what they are."""
        work = self._work
        desk = FileDesk(work.pool, work.vault, work.claim, work.guarded)
        for index, file in enumerate(draft.files):
            if file.url is None or work.action.files is None:
                continue

            async def fetch(index: int, file: FileDraft, url: str, rules: FileRules) -> str:
                try:
                    return msgspec.json.encode(await desk.fetch(index, file, url, rules)).decode()
                except CallerError as error:
                    error.path = error.path or f"files.{index}"
                    raise

            found = await journal.once(f"fetch {index}", partial(fetch, index, file, file.url, work.action.files))
            kept = msgspec.json.decode(found, type=Kept)
            draft.files[index] = msgspec.structs.replace(file, size_bytes=kept.size_bytes, sha256=kept.sha256)

    async def _record(self, draft: Draft, journal: LedgerJournal, made: Made | None) -> None:
        """Store what was made, and end the action in the same transaction."""
        work = self._work
        made = made or await self._look(draft, journal)
        if made is None:
            await self._end_unseen(journal, _pause(work.attempts))
            return
        ids = {model: record_id(work.target.integration, model, remote) for model, remote in made.ids.items()}

        async def end(connection: Connection) -> None:
            number = work.claim.integration
            application = made.ids.get(Model.APPLICATION)
            if application is not None and work.kind in (Action.CREATE_APPLICATION, Action.CREATE_CANDIDATE):
                await modes.note_created_application(connection, number, application)
            if self._has_ended:
                stand_ins = [
                    (CODES[model], provisional_id(work.target.integration, model, work.claim.id), id)
                    for model, id in ids.items()
                ]
                await aliases.add_aliases(connection, number, stand_ins)
            await ledger.end(
                connection,
                work.vault,
                work.claim,
                "SUCCEEDED",
                outcomes.encode(Outcome(warnings=journal.warnings)),
                application=ids.get(Model.APPLICATION),
                candidate=ids.get(Model.CANDIDATE),
            )

        await store_answer(work.pool, work.claim.integration, work.target, made.page, also=end)
        work.log.info("action.done", action=str(work.claim.id), kind=work.kind, attempts=work.attempts)

    async def _look(self, draft: Draft, journal: LedgerJournal) -> Made | None:
        """What was made, if the tool shows it before long."""
        for pause in self._work.looks[:1] if self._has_ended else self._work.looks:
            await asyncio.sleep(pause)
            try:
                made = await self._work.action.find(self._work.context, draft, journal)
            except ToolError as error:
                # It has accepted the action: failing to look is no failure of it.
                self._work.log.warning("action.not_seen", action=str(self._work.claim.id), reason=str(error))
                continue
            if made is not None:
                return made
        return None

    async def _end_unseen(self, journal: LedgerJournal, pause: timedelta) -> None:
        """The tool has accepted it and does not show it: its caller gets ids that will lead to it.

        It is looked for again after the pause, unless that has been done for too long.
        """
        work = self._work
        is_hopeless = datetime.now(UTC) - work.created_at > ledger.KEY_LIFETIME
        if not self._has_ended:
            journal.warn(
                f"{work.tool} has accepted this and does not show it yet. The ids are stand-ins, which will lead "
                f"to the record as soon as it can be read; /atsumi/v1/actions/{to_base58(work.claim.id)} tells when."
            )
        async with work.pool.acquire() as connection, connection.transaction():
            await ledger.end(
                connection,
                work.vault,
                work.claim,
                "SUCCEEDED",
                outcomes.encode(Outcome(warnings=journal.warnings, is_provisional=True)),
                application=provisional_id(work.target.integration, Model.APPLICATION, work.claim.id),
                candidate=provisional_id(work.target.integration, Model.CANDIDATE, work.claim.id),
                look_after=None if is_hopeless else pause,
            )

    async def _settle(self, error: AtsumiError) -> None:
        """Note what went wrong: whether it is over, is tried again, or is not known."""
        work = self._work
        work.log.warning("action.failed", action=str(work.claim.id), kind=work.kind, reason=_plain(error))
        journal = self._journal
        if journal is not None and self._is_accepted:
            await self._end_unseen(journal, self._pause(error))
        elif journal is not None and journal.may_have_acted:
            await self._settle_doubt(journal, error)
        elif self._is_final(error):
            await self._end_failed(error)
        else:
            await self._give_back(error, self._pause(error) if work.is_deferred else None)

    async def _break_off(self, error: BaseException) -> None:
        """Have it carried on; what a bug still stops after a day comes to an end as after any other failure."""
        work = self._work
        if isinstance(error, Exception) and self._is_old():
            call = RemoteCall(work.tool, work.kind.value.replace("_", " "), "-", "-")
            await self._settle(UnexpectedResponse(call, f"this was stopped by a {type(error).__name__} of ours"))
        else:
            await self._give_back(None, _pause(work.attempts))

    async def _settle_doubt(self, journal: LedgerJournal, error: AtsumiError) -> None:
        """Nothing is said but that the outcome is not known, until the tool must have shown it."""
        if isinstance(error, RemoteRejected) and journal.doubted_for >= self._work.certain_after:
            await self._end_failed(error)
        elif journal.doubted_for >= ledger.KEY_LIFETIME:
            what = "the request was sent, and whether the tool has done it could not be found out; look there first"
            await self._end_failed(OutcomeUnknown(journal.doubt(error).call, what))
        else:
            await self._give_back(journal.doubt(error), self._pause(error))

    async def _end_failed(self, error: AtsumiError) -> None:
        work = self._work
        async with work.pool.acquire() as connection, connection.transaction():
            await ledger.end(
                connection, work.vault, work.claim, "FAILED", self._outcome(error), error_kind=outcomes.kind_of(error)
            )

    def _pause(self, error: AtsumiError) -> timedelta:
        if isinstance(error, RateLimited):
            # It was nobody's fault, and says itself when.
            return max(timedelta(seconds=_FIRST_PAUSE_SECONDS), error.retry_at - datetime.now(UTC))
        return _pause(self._work.attempts)

    def _is_final(self, error: AtsumiError) -> bool:
        """Whether asking again would come to the same."""
        is_passing = isinstance(error, FetchFailed) or not isinstance(error, RemoteRejected | CallerError)
        if isinstance(error, AuthenticationFailed | PermissionMissing) and self._work.is_deferred:
            return True
        return not is_passing or (self._is_old() and self._work.is_deferred)

    def _is_old(self) -> bool:
        return datetime.now(UTC) - self._work.created_at > _GIVEN_UP_AFTER

    async def _give_back(self, error: AtsumiError | None, pause: timedelta | None) -> None:
        work, journal = self._work, self._journal
        state = "UNKNOWN" if journal is not None and journal.may_have_acted else "PENDING"
        kind = outcomes.kind_of(error) if error is not None else None
        await ledger.release(
            work.pool, work.vault, work.claim, state, self._outcome(error), pause=pause, error_kind=kind
        )

    def _outcome(self, error: AtsumiError | None) -> bytes:
        warnings = self._journal.warnings if self._journal is not None else []
        return outcomes.encode(Outcome(warnings=warnings, error=outcomes.kept(error) if error is not None else None))


def _pause(attempts: int) -> timedelta:
    return min(timedelta(seconds=_FIRST_PAUSE_SECONDS * 2.0 ** min(attempts - 1, 20)), _LONGEST_PAUSE)


def _plain(error: AtsumiError) -> str:
    """What may be logged of an error: what callers and tools say may hold a person's data."""
    if isinstance(error, ToolError):
        return f"{type(error).__name__} {error.call.operation} {error.call.status or ''}".strip()
    return type(error).__name__
