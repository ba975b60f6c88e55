"""Creating applications, and with them candidates: Personio knows no other write (Personio NOTES sections 9 and 17).

Files are uploaded, then the application is created with an empty answer, then it is looked for in v2. An application is
ours if its e-mail address and job are, and v2 did not show it before the first request was sent: no clock is compared.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import NamedTuple, TypeVar

import msgspec

from atsumi.connector.context import Context
from atsumi.connector.contract import Page, RawRecord
from atsumi.connector.reading import as_id, as_object, as_text, encode_stably
from atsumi.connector.writing import FileRules, Journal, Made, Notice, ToolRequest, WriteAction
from atsumi.connectors.personio import raw, v1
from atsumi.connectors.personio.client import PersonioClient, RequestRefused
from atsumi.connectors.personio.lookups import Documents
from atsumi.connectors.personio.mapping.coverage import OURS, C
from atsumi.connectors.personio.probe import probe
from atsumi.connectors.personio.refusals import CHANNEL_UNKNOWN, FILE_GONE
from atsumi.connectors.personio.submission import GENDERS, path_of, submission
from atsumi.errors import AlreadyExists, RemoteCall, RemoteRejected, ToolError, UnexpectedResponse
from atsumi.model.actions import Action
from atsumi.model.draft import ApplicationDraft
from atsumi.model.enums import QuestionType
from atsumi.model.names import Model

T = TypeVar("T")

_CREATED, _EXISTED = "created", "existed"
_MAX_PAGES = 5
"""How much of a listing by address is read: a new application is on its first page, and where the tool ignores the
filter (section 6, L) the listing is that of the whole account."""


class _Key(NamedTuple):
    """What tells an application from all others: the tool takes one for each address and job (section 9.1, C)."""

    email: str
    job: str


async def perform(context: Context, draft: ApplicationDraft, journal: Journal) -> None:
    """Upload the files and create the application.

    A channel that Personio does not know is left out with a warning, and files that it has forgotten meanwhile are
    uploaded once more. Raises the errors of :func:`.v1.create` and of the v2 client.
    """
    v1.create_request(context, {})  # asks nobody: without a key, nothing needs to be tried
    before = await _before(context, draft, journal)
    await _uploads(context, draft, journal)
    refusal: AlreadyExists | None = None

    async def send(notice: Notice) -> str:
        nonlocal refusal
        try:
            await _create(context, draft, journal, notice)
        except AlreadyExists as error:
            # After a request of unknown outcome it may be that request's, and the journal looks for it. Where v2 showed
            # one before anything was sent, it is that one.
            if not before:
                raise
            refusal = error
            return _EXISTED
        return _CREATED

    async def look() -> str | None:
        return _CREATED if await _new(context, _key(draft), before) is not None else None

    if await journal.effect("create", send, look) == _EXISTED:
        call = RemoteCall("personio", "create application", "POST", v1.create_request(context, {}).url, 400)
        raise refusal or AlreadyExists(call, "Personio has an application with this e-mail address for this job")


async def find(context: Context, draft: ApplicationDraft, journal: Journal) -> Made | None:
    """The application as v2 shows it, with its candidate and, if some were sent, its files as far as they are shown."""
    found = await _new(context, _key(draft), await _before(context, draft, journal))
    if found is None:
        return None
    id, application = found
    page = raw.PageBuilder()
    page.add([*raw.of_application(application, id), RawRecord(raw.APPLICATIONS, id, encode_stably(application))])
    ids = {Model.APPLICATION: id}
    candidate = as_id(as_object(application.get("candidate")).get("id"))
    if candidate is not None:
        ids[Model.CANDIDATE] = candidate
        shown = await _if_shown(context, "candidate", partial(probe, context, raw.CANDIDATES, candidate))
        page.add(shown.records if shown is not None else ())
    if draft.files:
        listed = await _if_shown(context, "documents", partial(Documents().fetch, context, [id]))
        page.add(listed.records if listed is not None else ())
    stage = raw.stage_id(as_object(application.get("current_stage")))
    if draft.stage is not None and stage == "system:unassigned" != draft.stage.remote:
        # Section 9.1, C: a stage that is not the job's own is swallowed.
        journal.warn("stage: Personio does not have this stage for the job; the application is in none.")
    return Made(ids, Page(page.records(), issues=page.issues))


def plan(context: Context, draft: ApplicationDraft) -> Sequence[ToolRequest]:
    """The requests that write; those that look for the application come beside them."""
    uuids = [f"uuid of the upload of {file.name}" for file in draft.files]
    uploads = [v1.upload_request(context, file) for file in draft.files]
    return [*uploads, v1.create_request(context, submission(draft, uuids).body)]


def _key(draft: ApplicationDraft) -> _Key:
    """Of what is really sent: fields of the tool's own may replace those of the draft."""
    body = submission(draft, [""] * len(draft.files)).body
    return _Key(str(body["email"]).strip(), str(body["job_position_id"]))


def _upload_step(index: int) -> str:
    return f"upload {index}"


async def _before(context: Context, draft: ApplicationDraft, journal: Journal) -> frozenset[str]:
    """The applications of this person and job that v2 showed before anything was sent."""

    async def ask() -> str:
        try:
            shown = await _shown(context, _key(draft))
        except RequestRefused:
            # It does not take the address for one; neither will v1, which names the field.
            shown = {}
        return msgspec.json.encode(sorted(shown)).decode()

    return frozenset(msgspec.json.decode(await journal.once("before", ask), type=list[str]))


async def _uploads(context: Context, draft: ApplicationDraft, journal: Journal) -> list[str]:
    """The uuids of the draft's files, each uploaded once."""

    async def send(index: int) -> str:
        file = draft.files[index]
        size = file.size_bytes
        if size is None:
            async with journal.open_file(index) as content:
                size = sum([len(piece) async for piece in content])
        async with journal.open_file(index) as content:
            return await v1.upload(context, file, size, content, lambda _: f"files.{index}")

    return [await journal.once(_upload_step(index), partial(send, index)) for index in range(len(draft.files))]


async def _create(context: Context, draft: ApplicationDraft, journal: Journal, notice: Notice) -> None:
    """Ask for the application, and again without what the tool does not know."""
    mendable = {CHANNEL_UNKNOWN, FILE_GONE}
    while True:
        body, warnings = submission(draft, await _uploads(context, draft, journal))
        for warning in warnings:
            journal.warn(warning)
        if CHANNEL_UNKNOWN not in mendable:
            body.pop("recruiting_channel_id", None)
        try:
            return await v1.create(context, body, notice, partial(path_of, draft, body))
        except RemoteRejected as error:
            reasons = {problem.reason for problem in error.problems}
            if not reasons or not reasons <= mendable:
                raise
        mendable -= reasons
        if CHANNEL_UNKNOWN in reasons:
            journal.warn("source: Personio does not know this channel; the application was created without it.")
        if FILE_GONE in reasons:
            for index in range(len(draft.files)):
                await journal.forget(_upload_step(index))


async def _new(context: Context, key: _Key, before: frozenset[str]) -> tuple[str, Mapping[str, object]] | None:
    """The application that was not there before; the newest, should there be several."""
    try:
        shown = await _shown(context, key)
    except RequestRefused as error:
        raise UnexpectedResponse(error.call, "Personio refuses to list applications by address") from error
    new = sorted(set(shown) - before, key=lambda id: (len(id), id))
    return (new[-1], shown[new[-1]]) if new else None


async def _shown(context: Context, key: _Key) -> dict[str, Mapping[str, object]]:
    """All applications of this person and job that v2 shows, by id. The filter may let others through, too."""
    client = PersonioClient(context)
    found: dict[str, Mapping[str, object]] = {}
    async with aclosing(client.applications({"candidate.email": key.email})) as pages:
        read = 0
        async for page in pages:
            for application in map(as_object, page.items):
                id, job = as_id(application.get("id")), as_id(as_object(application.get("job")).get("id"))
                if id is not None and job == key.job and await _is_by(client, application, key.email):
                    found[id] = application
            read += 1
            if read == _MAX_PAGES:
                break
    return found


async def _is_by(client: PersonioClient, application: Mapping[str, object], email: str) -> bool:
    person = as_object(application.get("candidate"))
    shown, id = as_text(person.get("email")), as_id(person.get("id"))
    if shown is None and id is not None and application.get("is_anonymized") is not True:
        shown = as_text((await client.candidate(id) or {}).get("email"))
    return shown is not None and shown.casefold() == email.casefold()


async def _if_shown(context: Context, what: str, ask: Callable[[], Awaitable[T]]) -> T | None:
    """What is told besides the application; it is read by the next sync if it cannot be now."""
    try:
        return await ask()
    except ToolError as error:
        context.log.warning("personio: a part of what was created could not be read", part=what, error=str(error))
        return None


_WRITTEN = (
    "job first_name last_name email_address phone_number gender birthday tags message applied_on stage source files "
    "answers available_from salary_expectation location.raw remote_fields"
)
_PARTS_OF_PLACES = ("street_1", "street_2", "zip_code", "city", "state", "country")
_EXTENSIONS = "pdf pptx xlsx docx doc xls ppt ods odt 7z gz rar zip bmp gif jpg png tif csv txt rtf mp4 3gp mov avi wmv"

_APPLICATION = WriteAction(
    inputs={
        **dict.fromkeys(_WRITTEN.split(), C),
        **dict.fromkeys((f"location.{part}" for part in _PARTS_OF_PLACES), OURS),
        "candidate": OURS,
    },
    required=frozenset({"job", "first_name", "last_name", "email_address"}),
    perform=perform,
    find=find,
    plan=plan,
    files=FileRules(frozenset(_EXTENSIONS.split()), 20 * 1024 * 1024),
    source_form="[0-9]{1,18}",
    values={"gender": [gender.value for gender in GENDERS]},
    unanswerable=frozenset({QuestionType.MULTI_SELECT}),  # section 9.1, 1
)
"""Section 9 (C). A candidate is named by the address alone, and places are one text, put together here (I)."""

ACTIONS: Mapping[Action, WriteAction] = {
    Action.CREATE_APPLICATION: _APPLICATION,
    # Section 17: a candidate is never created without an application.
    Action.CREATE_CANDIDATE: _APPLICATION,
}
