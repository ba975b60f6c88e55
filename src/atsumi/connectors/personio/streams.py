"""The listings of Personio: one class per way of reading; what is asked for record by record is in ``lookups``.

Order matters: parents come before what refers to them. Incremental reads filter by ``updated_at.gt``; where a tenant
refuses the filter (Personio NOTES section 6, L) they read from the top, newest first, and stop at the first record
that is older than asked for.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta

from atsumi.connector.context import Context
from atsumi.connector.contract import LookupStream, Page, RawRecord, Stream, StreamRequest
from atsumi.connector.paging import LinkedPage
from atsumi.connector.reading import as_id, as_object, encode_stably
from atsumi.connectors.personio import raw
from atsumi.connectors.personio.client import PersonioClient, RequestRefused
from atsumi.connectors.personio.facts import LANGUAGES, Settings
from atsumi.connectors.personio.feed import read_feed, read_position
from atsumi.connectors.personio.lookups import Documents, Forms, Persons, Transitions, each
from atsumi.errors import UnexpectedResponse

Listing = Callable[[PersonioClient, Mapping[str, str], str | None], AsyncGenerator[LinkedPage]]
Observe = Callable[[Mapping[str, object], str], Iterable[RawRecord]]
Complete = Callable[[PersonioClient, Sequence[object], raw.PageBuilder], Awaitable[None]]

_CANDIDATES_AT_ONCE = 5


@dataclass(frozen=True, slots=True)
class BuiltinStages:
    """The stages that every account has. Asks nobody, so they exist whatever the credentials may read."""

    name: str = raw.BUILTIN_STAGES

    async def pages(self, context: Context, request: StreamRequest) -> AsyncGenerator[Page]:
        yield Page(raw.builtin_stages(), snapshot_of=(raw.BUILTIN_STAGES,))


@dataclass(frozen=True, slots=True)
class Categories:
    """All job categories in one answer (section 6, C: no paging), with their stages taken out."""

    name: str = raw.CATEGORIES

    async def pages(self, context: Context, request: StreamRequest) -> AsyncGenerator[Page]:
        items, _ = await PersonioClient(context).categories()
        page = raw.PageBuilder()
        for item in items:
            _add_record(page, self.name, item, lambda category, _: raw.of_category(category))
        snapshot: list[str] = []
        # Every job has a category, so an empty answer is no evidence that all have gone. Stages in categories are
        # optional (section 7, L): where they are not shown at all, nothing has gone.
        if items:
            snapshot += [raw.CATEGORIES, raw.CATEGORY_NAMES, raw.malformed(raw.CATEGORIES)]
        if any("stages" in as_object(item) for item in items):
            snapshot.append(raw.CATEGORY_STAGES)
        yield Page(page.records(), issues=page.issues, snapshot_of=snapshot, ends_unproven=bool(page.issues))


@dataclass(frozen=True, slots=True)
class RecruitingList:
    """A paged recruiting list, newest change first. The position of a page is the cursor of the next one.

    ``complete`` adds to a page of changes what the records on it have made doubtful elsewhere.
    """

    name: str
    listing: Listing
    observe: Observe
    complete: Complete | None = None

    async def pages(self, context: Context, request: StreamRequest) -> AsyncGenerator[Page]:
        since, cursor = request.since, request.position
        filters = {"updated_at.gt": _spell(since)} if since is not None else {}
        is_restarted = False
        while True:
            try:
                async with aclosing(self._scan(context, filters, cursor, since)) as scan:
                    async for page in scan:
                        cursor = page.position or cursor
                        yield page
                return
            except RequestRefused as error:
                # A cursor may have expired, a filter may be refused by the tenant: give them up one after the other.
                if cursor is not None and not is_restarted:
                    is_restarted, cursor = True, None
                elif cursor is None and filters:
                    context.log.warning("personio: the filter is refused, reading from the top", stream=self.name)
                    filters = {}
                else:
                    raise UnexpectedResponse(error.call, "Personio refuses a plain listing") from error

    async def _scan(
        self, context: Context, filters: Mapping[str, str], cursor: str | None, since: datetime | None
    ) -> AsyncGenerator[Page]:
        settings = Settings.read(context.config)
        stops_at = since if not filters else None
        client = PersonioClient(context)
        listing = self.listing(client, filters, cursor)
        async with aclosing(listing) as found:
            async for linked in found:
                page = raw.PageBuilder()
                for item in linked.items:
                    _add_record(page, self.name, item, self.observe)
                if since is not None and self.complete is not None:
                    await self.complete(client, linked.items, page)
                is_past = stops_at is not None and any(_is_older(item, stops_at, settings) for item in linked.items)
                yield Page(
                    page.records(),
                    position=None if is_past else linked.cursor,
                    issues=page.issues,
                    # An item that is no record may be any of those that seem to be missing, and whether a scan that
                    # stops early has missed something rests on the tool's order alone.
                    ends_unproven=is_past or bool(page.issues) or not linked.is_proven,
                    has_gap=not linked.is_proven,
                    is_last=is_past or linked.cursor is None,
                )
                if is_past:
                    return


@dataclass(frozen=True, slots=True)
class Feed:
    """The career feed in one language: one document with every published position.

    Reads nothing where the integration does not ask for the language. A feed that cannot be read raises and so marks
    nothing as gone.
    """

    language: str

    @property
    def name(self) -> str:
        return raw.feed(self.language)

    async def pages(self, context: Context, request: StreamRequest) -> AsyncGenerator[Page]:
        if self.language not in Settings.read(context.config).languages:
            return
        page = raw.PageBuilder()
        for position in await read_feed(context, self.language):
            if position.id is None:
                page.add_malformed(self.name, position.data)
                continue
            page.add([RawRecord(self.name, position.id, position.data), *_offices(position.data)])
        yield Page(
            page.records(),
            issues=page.issues,
            snapshot_of=(self.name, raw.malformed(self.name)),
            leaving_is_news=True,
            ends_unproven=bool(page.issues),
        )


def _offices(position: bytes) -> Iterator[RawRecord]:
    read = read_position(position)
    if read is not None:
        for name in (read.fields.get("office"), *read.additional_offices):
            if name:
                yield RawRecord(raw.OFFICES, name, encode_stably({"name": name}))


def _add_record(page: raw.PageBuilder, stream: str, item: object, observe: Observe) -> None:
    """Keep an item and what it teaches, or keep it aside when it is no record."""
    data, record = encode_stably(item), as_object(item)
    remote_id = as_id(record.get("id"))
    if remote_id is None:
        page.add_malformed(stream, data)
        return
    page.add([*observe(record, remote_id), RawRecord(stream, remote_id, data)])


async def _read_owners_of_anonymised(client: PersonioClient, items: Sequence[object], page: raw.PageBuilder) -> None:
    """Read again the candidates whose applications were anonymised.

    They are erased once all their applications are. Which these are is told by the candidate's own record. Nothing says
    that a new application changes that record's time of update, so the one stored may not list it yet.
    """

    async def ask(candidate: str) -> Mapping[str, object] | None:
        try:
            return await client.candidate(candidate)
        except RequestRefused as error:
            raise UnexpectedResponse(error.call, "Personio refuses to show a candidate") from error

    anonymised = (record for item in items if (record := as_object(item)).get("is_anonymized") is True)
    owners = {owner for record in anonymised if (owner := as_id(as_object(record.get("candidate")).get("id")))}
    ids = sorted(owners)
    for at in range(0, len(ids), _CANDIDATES_AT_ONCE):
        for owner, found in await each(raw.CANDIDATES, ask, ids[at : at + _CANDIDATES_AT_ONCE], page):
            if as_id(found.get("id")) == owner:
                page.add([RawRecord(raw.CANDIDATES, owner, encode_stably(found))])


def _spell(instant: datetime) -> str:
    """The instant as the filter takes it, a second earlier since the filter leaves out the boundary (section 6, C)."""
    return (instant - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_older(item: object, limit: datetime, settings: Settings) -> bool:
    """Whether a record certainly changed before ``limit``; unreadable times say nothing."""
    updated = settings.reader("", "").instant(as_object(item).get("updated_at"), "updated_at")
    return updated is not None and updated < limit


STREAMS: tuple[Stream | LookupStream, ...] = (
    BuiltinStages(),
    Categories(),
    RecruitingList(raw.JOBS, PersonioClient.jobs, lambda job, _: raw.of_job(job)),
    *(Feed(language) for language in LANGUAGES),
    Forms(),
    Persons(),
    RecruitingList(raw.CANDIDATES, PersonioClient.candidates, lambda _, __: ()),
    RecruitingList(raw.APPLICATIONS, PersonioClient.applications, raw.of_application, _read_owners_of_anonymised),
    Transitions(),
    Documents(),
)
"""All streams, parents first. The feed is one stream per language, so that one language's fault spares the others."""

REQUIRED_STREAMS = frozenset({raw.JOBS, raw.CANDIDATES, raw.APPLICATIONS})
"""Without these a run has failed; without feed, forms, persons or categories it lacks only details."""
