"""What Personio shows one record at a time: forms, persons, recorded moves and files.

All but persons cost a request per record, so they are read in the background (Personio NOTES sections 8, 11 and 22a).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from atsumi.connector.context import Context
from atsumi.connector.contract import Issue, Page, RawRecord
from atsumi.connector.reading import as_id, as_object, decode, encode_stably
from atsumi.connectors.personio import raw
from atsumi.connectors.personio.client import PERSONS_PAGE_SIZE, PersonioClient
from atsumi.connectors.personio.facts import LANGUAGES, Settings
from atsumi.connectors.personio.form import FormNotAvailable, read_form
from atsumi.errors import PermissionMissing, UnexpectedResponse

T = TypeVar("T")

_DAY = 86400
_FORMS_AT_ONCE = 10
_APPLICATIONS_AT_ONCE = 5
"""Three seconds' worth of requests at the default pace: so long another run of the integration may have to wait."""


@dataclass(frozen=True, slots=True)
class Forms:
    """The application forms of published jobs, fetched when the position in the feed changes (section 22a).

    Up to 50 of them, half a minute at the default pace, are fetched by the run that saw the change, so that the first
    sync of a common account ends with questions. A question may change without the position: all are read again daily.
    """

    name: str = raw.FORMS
    drivers: Sequence[str] = tuple(raw.feed(language) for language in LANGUAGES)
    batch_size: int = _FORMS_AT_ONCE
    is_background: bool = True
    foreground_limit: int = 50
    refresh_seconds: int | None = _DAY

    def wanted(self, record: RawRecord, context: Context) -> Iterable[str]:
        """The position's job, from the feed of the first language only: all languages list the same positions."""
        first = Settings.read(context.config).languages[0]
        return (record.remote_id,) if record.stream == raw.feed(first) else ()

    def version(self, record: RawRecord, context: Context) -> str | None:
        return hashlib.blake2b(record.data, digest_size=16).hexdigest()

    async def fetch(self, context: Context, ids: Sequence[str]) -> Page:
        """Forms that cannot be read are left out and counted; what was known of them stays."""
        language = Settings.read(context.config).languages[0]
        page = raw.PageBuilder()
        for job_id in ids:
            try:
                form = await read_form(context, job_id, language)
            except FormNotAvailable:
                page.issues.append(Issue("questions_unavailable", self.name, job_id))
                continue
            page.add([*raw.of_form(form), RawRecord(self.name, job_id, encode_stably(form))])
        return Page(page.records(), issues=page.issues)


@dataclass(frozen=True, slots=True)
class Persons:
    """The people that hiring teams of jobs name, in batches (section 12, C).

    New ones are read at once. Jobs do not tell when a person's name, address or status changes, so a full run and, four
    times a day, the background read all of them again: 50 per request.
    """

    name: str = raw.PERSONS
    drivers: Sequence[str] = (raw.JOBS,)
    batch_size: int = PERSONS_PAGE_SIZE
    is_background: bool = False
    foreground_limit: int = 0
    refresh_seconds: int | None = _DAY // 4

    def wanted(self, record: RawRecord, context: Context) -> Iterable[str]:
        return dict.fromkeys(person for person, _ in raw.team(as_object(decode(record.data))))

    def version(self, record: RawRecord, context: Context) -> str | None:
        return None

    async def fetch(self, context: Context, ids: Sequence[str]) -> Page:
        page = raw.PageBuilder()
        for item in await PersonioClient(context).persons(ids):
            person = as_id(as_object(item).get("id"))
            if person is not None:
                page.add([RawRecord(self.name, person, encode_stably(item))])
        return Page(page.records(), issues=page.issues)


def _moved(record: RawRecord) -> str:
    """When the application was last updated and where it stands.

    Whether a move changes the time of the last update is open (section 8, I), so either one counts.
    """
    application = as_object(decode(record.data))
    stage = raw.stage_id(as_object(application.get("current_stage")))
    shown = [application.get("updated_at"), stage, application.get("is_anonymized") is True]
    return hashlib.blake2b(encode_stably(shown), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Transitions:
    """The recorded moves of applications that moved: one request each (sections 6 and 8)."""

    name: str = raw.TRANSITIONS
    drivers: Sequence[str] = (raw.APPLICATIONS,)
    batch_size: int = _APPLICATIONS_AT_ONCE
    is_background: bool = True
    foreground_limit: int = 0
    refresh_seconds: int | None = None

    def wanted(self, record: RawRecord, context: Context) -> Iterable[str]:
        return (record.remote_id,)

    def version(self, record: RawRecord, context: Context) -> str | None:
        return _moved(record)

    async def fetch(self, context: Context, ids: Sequence[str]) -> Page:
        client = PersonioClient(context)
        page = raw.PageBuilder()
        for application, moves in await each(self.name, client.stage_transitions, ids, page):
            page.add([*raw.of_transitions(moves), RawRecord(self.name, application, encode_stably(moves))])
        return Page(page.records(), issues=page.issues)


@dataclass(frozen=True, slots=True)
class Documents:
    """The metadata of applications' files: one request each (section 11, L).

    Whether a new file changes the application is open (section 23, question 10), so all are looked at again weekly.

    That a file belongs to an application rests on one lineage of clients. Two guards keep other people's files out: a
    file must name the application as its owner, and where a person of the company has the same number as the
    application (they may share a number space, question 13) its files are left out, for they may be the person's.
    """

    name: str = raw.DOCUMENTS
    drivers: Sequence[str] = (raw.APPLICATIONS,)
    batch_size: int = _APPLICATIONS_AT_ONCE
    is_background: bool = True
    foreground_limit: int = 0
    refresh_seconds: int | None = 7 * _DAY

    def wanted(self, record: RawRecord, context: Context) -> Iterable[str]:
        return (record.remote_id,)

    def version(self, record: RawRecord, context: Context) -> str | None:
        return _moved(record)

    async def fetch(self, context: Context, ids: Sequence[str]) -> Page:
        client = PersonioClient(context)
        page = raw.PageBuilder()
        found = await each(self.name, client.documents, ids, page)
        people = await self._people(client, [application for application, files in found if files], page)
        for application, files in found:
            own = [item for item in files if as_id(as_object(as_object(item).get("owner")).get("id")) == application]
            if len(own) < len(files):
                page.issues.append(Issue("foreign_file", self.name, application, "owner"))
            if own and application in people:
                page.issues.append(Issue("owner_is_a_person", self.name, application, "owner"))
                own = []
            page.add([RawRecord(self.name, application, encode_stably(own))])
        return Page(page.records(), issues=page.issues)

    async def _people(self, client: PersonioClient, owners: Sequence[str], page: raw.PageBuilder) -> set[str]:
        """Which of these numbers are persons of the company. Without the right to ask, nobody can tell."""
        if not owners:
            return set()
        try:
            return {as_id(as_object(item).get("id")) or "" for item in await client.persons(owners)}
        except PermissionMissing:
            page.issues.append(Issue("owner_unverified", self.name, owners[0], "owner"))
            return set()


async def each(
    stream: str, ask: Callable[[str], Awaitable[T | None]], ids: Sequence[str], page: raw.PageBuilder
) -> list[tuple[str, T]]:
    """Ask for all ids side by side. One odd answer costs its own record; if all are odd, the stream is.

    Ids that the tool does not know are missing from what is returned.
    """
    answers = await asyncio.gather(*(ask(id) for id in ids), return_exceptions=True)
    found: list[tuple[str, T]] = []
    odd: list[UnexpectedResponse] = []
    for id, answer in zip(ids, answers, strict=True):
        if isinstance(answer, UnexpectedResponse):
            odd.append(answer)
            page.issues.append(Issue("unreadable_answer", stream, id))
        elif isinstance(answer, BaseException):
            raise answer
        elif answer is not None:
            found.append((id, answer))
    if odd and len(odd) == len(ids) and len(ids) > 1:
        raise odd[0]
    return found
