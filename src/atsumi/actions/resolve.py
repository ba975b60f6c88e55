"""From a draft as a caller wrote it to one that a connector can send: references, person, source, answers, files.

Reads the store and asks no tool. What the tool has no place for is taken out of the draft and becomes a warning.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from atsumi.actions.answers import Asked, AskedQuestion, check
from atsumi.actions.requests import MAX_FILES, WriteRequest
from atsumi.connector.writing import WriteAction, file_fault
from atsumi.errors import InvalidInput, NotFound
from atsumi.model.candidate import Candidate
from atsumi.model.catalog import CODES
from atsumi.model.draft import ApplicationDraft, Draft, Ref, SourceDraft
from atsumi.model.ids import record_id
from atsumi.model.job_screening_question import JobScreeningQuestion
from atsumi.model.names import Model
from atsumi.model.screening_question import ScreeningQuestion
from atsumi.store import aliases, records
from atsumi.store.records import Connection
from atsumi.sync import codec

KnownSources = Callable[[], Awaitable[Sequence[tuple[str, str]]]]
"""The sources that applications were seen with: (the tool's id, name)."""

_OPTION_SEPARATOR = re.compile(r"[^0-9a-z]+")


@dataclass(frozen=True, slots=True)
class Place:
    """Which integration a draft is for, what its tool is called, and where its applications come from by default."""

    number: int
    public_id: UUID
    tool: str
    default_source: str | None
    known_sources: KnownSources


class Resolved(NamedTuple):
    """A draft for the connector, and what to tell the caller."""

    draft: Draft
    warnings: Sequence[str]


async def resolve(pool: asyncpg.Pool, place: Place, request: WriteRequest, action: WriteAction) -> Resolved:
    """Everything that can be known before the tool is asked.

    No connection is held meanwhile: sources are read over the same pool, which many requests at once would use up.
    Raises :class:`NotFound` when the record that the request's path names is not there, and :class:`InvalidInput` with
    the draft's field as path for whatever else cannot be written.
    """
    draft = msgspec.structs.replace(request.draft, files=list(request.draft.files))
    warnings: list[str] = []
    for name, model in draft.references.items():
        ref = getattr(draft, name)
        if ref is not None:
            setattr(draft, name, await _referred(pool, place, name, model, ref, request.addressed == name))
    if isinstance(draft, ApplicationDraft):
        await _add_person(pool, place, draft)
    warnings += _drop_unsupported(draft, place, action)
    _require(draft, action)
    if isinstance(draft, ApplicationDraft):
        warnings += await _choose_source(draft, place, action)
        if "answers" in action.inputs:
            asked = await asked_by(pool, place.number, place.public_id, draft.job.remote)
            asked = replace(asked, option_id=request.option_id, unanswerable=action.unanswerable)
            # Answers may also stand among the tool's own fields: then the tool knows what is missing.
            draft.answers, more = check(
                draft.answers, asked, request.unknown_question, is_complete=not draft.remote_fields
            )
            warnings += more
    _check_files(draft, action)
    return Resolved(draft, warnings)


async def _referred(pool: asyncpg.Pool, place: Place, name: str, model: Model, ref: Ref, is_addressed: bool) -> Ref:
    if ref.remote_id is not None or ref.id is None:
        return ref
    [id] = await aliases.resolve_aliases(pool, place.number, CODES[model], [ref.id])
    row = (await records.records_by_id(pool, place.number, CODES[model], [id])).get(id)
    if row is None or row.deleted_at is not None:
        what = f"There is no {model.value.replace('_', ' ')} with this id in this integration."
        raise NotFound(what) if is_addressed else InvalidInput(what, path=name)
    return Ref(id=id, remote_id=row.remote_id)


async def _add_person(pool: asyncpg.Pool, place: Place, draft: ApplicationDraft) -> None:
    """What is known of a candidate who applies again, where the caller leaves it out."""
    if draft.candidate is None:
        return
    id = record_id(place.public_id, Model.CANDIDATE, draft.candidate.remote)
    row = (await records.records_by_id(pool, place.number, CODES[Model.CANDIDATE], [id])).get(id)
    person = codec.decode(row) if row is not None and row.deleted_at is None else None
    if not isinstance(person, Candidate):
        raise InvalidInput("There is no candidate with this id in this integration.", path="candidate")
    draft.first_name = draft.first_name or person.first_name or ""
    draft.last_name = draft.last_name or person.last_name or ""
    if not draft.email_address and person.email_addresses:
        draft.email_address = person.email_addresses[0].email_address


def _drop_unsupported(draft: Draft, place: Place, action: WriteAction) -> list[str]:
    """Take out what the tool has no place for; returns a warning for each."""
    known = {path.partition(".")[0] for path in action.inputs}
    dropped: list[str] = []
    for field in msgspec.structs.fields(draft):
        name, value = field.name, getattr(draft, field.name)
        if name == "candidate" or not value:
            continue
        if name not in known:
            empty = field.default_factory() if callable(field.default_factory) else field.default
            setattr(draft, name, empty)
            dropped.append(name)
        elif isinstance(value, msgspec.Struct):
            dropped += _drop_within(draft, name, value, action)
    return [f"{place.tool} has no place for {name.replace('_', ' ')}, so it was not written." for name in dropped]


def _drop_within(draft: Draft, name: str, value: msgspec.Struct, action: WriteAction) -> list[str]:
    """The same within a field of which the tool takes parts only."""
    parts = {path.partition(".")[2] for path in action.inputs if path.startswith(f"{name}.")}
    if not parts:
        return []
    out = [one for one in value.__struct_fields__ if one not in parts and getattr(value, one) is not None]
    if out:
        setattr(draft, name, msgspec.structs.replace(value, **dict.fromkeys(out)))
    return [f"{name} {one}" for one in out]


def _require(draft: Draft, action: WriteAction) -> None:
    for name in sorted(action.required):
        if not getattr(draft, name):
            raise InvalidInput(f"{name.replace('_', ' ')}: this is required.", path=name)


async def _choose_source(draft: ApplicationDraft, place: Place, action: WriteAction) -> list[str]:
    """Put the tool's id of the source into the draft: the caller's if it is known, else the integration's default.

    An unknown one is a warning: an application is worth more than where it comes from.
    """
    wanted, chosen = draft.source, None
    warnings = []
    if "source" not in action.inputs:
        draft.source = None
        return []
    if wanted is not None:
        chosen = await _known(wanted, place, action)
        if chosen is None:
            shown = wanted.id or wanted.name or wanted.unified_key or ""
            instead = "with the integration's default source" if place.default_source else "without a source"
            warnings.append(
                f"source: {place.tool} was not seen to have {shown[:100]!r}, so the application is written {instead}."
            )
    chosen = chosen or place.default_source
    draft.source = SourceDraft(id=chosen) if chosen is not None else None
    return warnings


async def _known(wanted: SourceDraft, place: Place, action: WriteAction) -> str | None:
    if wanted.id is not None and (action.source_form is None or re.fullmatch(action.source_form, wanted.id)):
        # It may be new: the tool knows best.
        return wanted.id
    texts = [_plain(one) for one in (wanted.id, wanted.name, wanted.unified_key) if one]
    for id, name in await place.known_sources():
        if _plain(name) in texts or id in (wanted.name, wanted.unified_key):
            return id
    return None


def _plain(text: str) -> str:
    """A name as it is compared: without case, spaces and signs, as unified keys are spelled."""
    return _OPTION_SEPARATOR.sub("", text.casefold()) or text.casefold()


async def asked_by(connection: Connection | asyncpg.Pool, number: int, integration: UUID, job_remote_id: str) -> Asked:
    """What a job asks its applicants, in its order."""
    job = record_id(integration, Model.JOB, job_remote_id)
    rows = await records.records_pointing_at(connection, number, CODES[Model.JOB_SCREENING_QUESTION], [job])
    uses = [one for row in rows if isinstance(one := codec.decode(row), JobScreeningQuestion)]
    uses = [one for one in uses if one.job_remote_id == job_remote_id]
    ids = [record_id(integration, Model.SCREENING_QUESTION, one.question_remote_id) for one in uses]
    stored = await records.records_by_id(connection, number, CODES[Model.SCREENING_QUESTION], ids)
    found = {}
    for use, id in sorted(zip(uses, ids, strict=True), key=lambda pair: pair[0].index or 0):
        row = stored.get(id)
        question = codec.decode(row) if row is not None and row.deleted_at is None else None
        if isinstance(question, ScreeningQuestion):
            found[id] = AskedQuestion(
                question, use.is_required is True, use.precondition_question_remote_id is not None
            )
    return Asked(integration, found)


def _check_files(draft: Draft, action: WriteAction) -> None:
    if len(draft.files) > MAX_FILES:
        raise InvalidInput(f"One request brings at most {MAX_FILES} files.", path=f"files.{MAX_FILES}")
    for index, file in enumerate(draft.files):
        if "." not in file.name and file.content_type is not None:
            # The tool tells types by the name's ending.
            draft.files[index] = file = msgspec.structs.replace(
                file, name=file.name + (mimetypes.guess_extension(file.content_type) or "")
            )
        # The size of one that is fetched is seen when it is.
        fault = file_fault(file, file.size_bytes if file.size_bytes is not None else 1, action.files)
        if fault is not None:
            raise InvalidInput(f"{fault[0].upper()}{fault[1:]}.", path=f"files.{index}")
