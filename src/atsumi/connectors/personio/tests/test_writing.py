"""Writing against the simulator: what is sent, refused and mended."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import httpx2
import msgspec
import pytest

from atsumi.connectors.personio import connector
from atsumi.connectors.personio.tests.writing_kit import CREATE, CREATE_PATH, EMAIL, UPLOAD_PATH, Writer
from atsumi.errors import AuthenticationFailed, JobClosed, PermissionMissing, RateLimited, RemoteRejected
from atsumi.model.actions import Action
from atsumi.model.draft import Answer, FileDraft, Ref, SourceDraft
from atsumi.model.enums import AttachmentType, QuestionType
from atsumi.model.names import Model
from atsumi.testing.doubles import MemoryLog, UnlimitedRate
from atsumi.testing.journal import Killed, MemoryJournal
from atsumi.testing.reading import Reading

TEXT = QuestionType.TEXT


def answered(name: str, value: str) -> list[Answer]:
    return [Answer(question=Ref(remote_id=name), value=value, type=TEXT)]


async def test_what_is_planned_is_what_is_sent() -> None:
    account = Writer()
    draft, contents = account.draft(Action.CREATE_APPLICATION, 1)
    account.wanted, account.journal = draft, MemoryJournal(contents)
    planned = CREATE.plan(account.context(), draft)
    await account.perform()
    sent = [request for request in account.wire.sent if request.url.path.startswith("/v1")]
    assert [(one.method, one.url) for one in planned] == [(one.method, str(one.url)) for one in sent]
    for plan, request in zip(planned, sent, strict=True):
        for name, value in plan.headers.items():
            assert request.headers[name].partition(";")[0] == value
    assert [one.file for one in planned] == ["Lebenslauf.pdf", None]
    [submission] = account.submissions()
    planned[-1].body["files"][0]["uuid"] = submission["body"]["files"][0]["uuid"]
    assert planned[-1].body == submission["body"]
    budgets = connector.manifest.rate_limits
    assert [one.bucket for one in planned] == ["upload_document", "create_application"]
    assert all(one.bucket in budgets for one in planned)


async def test_every_value_arrives_at_the_tool_and_is_read_back() -> None:
    account = Writer()
    draft, contents = account.draft(Action.CREATE_APPLICATION, 1)
    account.wanted, account.journal = draft, MemoryJournal(contents)
    await account.perform()
    assert account.journal.warnings == []
    kept = account.written()
    assert (kept["application_date"], kept["message"], kept["tags"]) == ("2026-11-01", "Guten Tag", ["Empfehlung"])
    assert kept["stage"] == draft.stage.remote
    assert kept["channel_id"] == draft.source.id
    [question] = [one.question.remote for one in draft.answers]
    assert kept["attributes"] == {
        "phone": "+49 30 5550100",
        "gender": "diverse",
        "location": "Berlin",
        "birthday": "1990-02-28",
        "available_from": "2026-12-01",
        "salary_expectations": "60000",
        question: "Ja",
    }
    made = await account.find()
    assert made is not None
    assert made.ids == {Model.APPLICATION: kept["id"], Model.CANDIDATE: kept["candidate_id"]}
    reading = Reading(connector)
    reading.store.save(made.page)
    records = reading.records(account.context().config)
    application = records[Model.APPLICATION, kept["id"]]
    candidate = records[Model.CANDIDATE, kept["candidate_id"]]
    assert (application.source_remote_id, application.job_remote_id) == (draft.source.id, draft.job.remote)
    assert candidate.email_addresses[0].email_address == draft.email_address
    assert candidate.custom_fields == {"gender": "diverse", "birthday": "1990-02-28", "available_from": "2026-12-01"}
    [file] = [record for (model, _), record in records.items() if model is Model.ATTACHMENT]
    assert (file.file_name, file.type, file.size_bytes) == ("Lebenslauf.pdf", AttachmentType.CV, 16)


async def test_what_was_found_is_what_a_read_would_store() -> None:
    account = Writer([[b"%PDF"]])
    await account.perform()
    made = await account.find()
    assert made is not None
    reading = Reading(connector)
    await reading.read(account.context())
    for record in made.page.records:
        if record.unless is None:
            assert reading.store.streams[record.stream][record.remote_id] == record.data


@pytest.mark.parametrize(
    ("fields", "path", "reason"),
    [
        ({"email_address": "ada"}, "email_address", "errors.attribute-validation.invalid-email-format"),
        ({"first_name": " "}, "first_name", "errors.attribute-validation.required-attribute"),
        ({"answers": answered("custom_attribute_1", "x")}, "answers.0", "errors.attribute-validation.unknown"),
        ({"applied_on": date(2026, 11, 4)}, "applied_on", "errors.date-validation.date-in-the-future"),
        ({"stage": Ref(remote_id="system:hired")}, "stage", "errors.phase-validation.invalid-system-phase"),
        (
            {"remote_fields": {"external_posting_id": "no"}},
            "remote_fields.external_posting_id",
            "errors.posting-validation.posting-not-found",
        ),
        (
            {"remote_fields": {"attributes": [{"id": "gender", "value": "f"}]}},
            "gender",
            "errors.attribute-validation.unknown-attribute-option",
        ),
        ({"job": Ref(remote_id="P-7")}, None, "Bad Request"),
        ({"remote_fields": {"phone": "1"}}, None, "Bad Request"),
    ],
)
async def test_a_refusal_names_the_field_of_the_draft(fields: dict[str, Any], path: str | None, reason: str) -> None:
    account = Writer(**fields)
    with pytest.raises(RemoteRejected) as caught:
        await account.perform()
    assert type(caught.value) is RemoteRejected
    assert [(one.path, one.reason) for one in caught.value.problems] == [(path, reason)]
    assert account.statuses() == [400]
    assert account.journal.unknown == set(), "the tool has certainly not done it"
    assert account.held(account.wanted) == 0


async def test_an_option_that_is_none_and_a_missing_answer_lead_to_the_answers() -> None:
    account = Writer()
    question = next(one["id"] for one in account.simulator.state("attributes")["attributes"] if one["kind"] == "select")
    account.simulator.edit_job(account.wanted.job.remote, questions=[{"attribute_id": question, "is_required": True}])
    account.simulator.switch(v1_requires_answers=True)
    for answers, path in (([], "answers"), (answered(question, "none of them"), "answers.0")):
        account.wanted.answers = answers
        with pytest.raises(RemoteRejected) as caught:
            await account.perform()
        assert [one.path for one in caught.value.problems] == [path]


async def test_a_job_that_is_not_published_is_closed() -> None:
    account = Writer()
    account.simulator.unpublish_job(account.wanted.job.remote)
    with pytest.raises(JobClosed) as caught:
        await account.perform()
    assert [one.path for one in caught.value.problems] == ["job"]


async def test_an_unknown_source_is_left_out_with_a_warning() -> None:
    account = Writer([[b"%PDF"]], source=SourceDraft(id="1"))
    await account.perform()
    assert account.statuses() == [400, 201]
    assert account.written()["channel_id"] is None
    [warning] = account.journal.warnings
    assert warning.startswith("source: ")
    assert account.wire.posts() == [UPLOAD_PATH, CREATE_PATH, CREATE_PATH], "files are not uploaded again"


async def test_an_unknown_source_beside_another_fault_is_told_with_it() -> None:
    account = Writer(source=SourceDraft(id="1"), email_address="ada")
    with pytest.raises(RemoteRejected) as caught:
        await account.perform()
    assert {one.path for one in caught.value.problems} == {"source", "email_address"}
    assert account.statuses() == [400]


async def test_files_that_the_tool_has_forgotten_are_uploaded_once_more() -> None:
    account = Writer([[b"first"], [b"second"]], source=SourceDraft(id="1"))
    account.simulator.switch(upload_lifetime_seconds=60)
    account.journal.kill_after = 6
    with pytest.raises(Killed, match="create: about to be sent"):
        await account.perform()
    account.simulator.clock.advance(61)
    await account.perform()
    assert account.wire.posts() == [*[UPLOAD_PATH] * 2, CREATE_PATH, *[UPLOAD_PATH] * 2, CREATE_PATH]
    written = account.written()["id"]
    documents = account.simulator.state("documents")["documents"]
    assert [one["name"] for one in documents if one["application_id"] == written] == ["0.pdf", "1.pdf"]


async def test_files_that_are_forgotten_at_once_are_not_uploaded_for_ever() -> None:
    account = Writer([[b"first"]])
    account.simulator.switch(upload_lifetime_seconds=0)
    with pytest.raises(RemoteRejected) as caught:
        await account.perform()
    assert [one.path for one in caught.value.problems] == ["files.0"]
    assert account.wire.posts() == [UPLOAD_PATH, CREATE_PATH] * 2


@pytest.mark.parametrize(
    ("name", "limit", "reason"),
    [("a.webp", 100, "errors.invalid-file-type"), ("a.pdf", 3, "errors.file-too-big")],
)
async def test_a_file_that_the_tool_refuses_is_named(name: str, limit: int, reason: str) -> None:
    account = Writer([[b"%PDF"], [b"content"]])
    account.wanted.files[1] = FileDraft(name=name)
    account.simulator.switch(upload_limit_bytes=limit)
    account.journal.files[0] = [b"ok"]
    with pytest.raises(RemoteRejected) as caught:
        await account.perform()
    assert [(one.path, one.reason) for one in caught.value.problems] == [("files.1", reason)]
    assert account.statuses() == []


@pytest.mark.parametrize(
    "name", ['Lebens"lauf Ä 履歴書.pdf', "C:\\cv.pdf", "../a b.pdf", "a\r\nb.pdf", "x" * 300 + ".pdf"]
)
async def test_a_file_keeps_its_name_however_odd(name: str) -> None:
    account = Writer([[b"%PDF-1.4\r\n", b"--\r\n"]], files=[FileDraft(name=name)])
    await account.perform()
    company = account.simulator.company
    [application] = company.applications_by_email(EMAIL)
    [document] = company.documents(application)
    assert (document.name, document.content) == (name, b"%PDF-1.4\r\n--\r\n")


class LargeFile(MemoryJournal):
    """20 MB that are made while they are read."""

    @asynccontextmanager
    async def open_file(self, index: int) -> AsyncIterator[AsyncIterator[bytes]]:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(320):
                yield bytes(65536)

        yield pieces()


class Swallowing(httpx2.AsyncBaseTransport):
    """Takes uploads piece by piece, as a socket does; everything else goes to the simulator."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner
        self.sizes: list[int] = []
        self.announced = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path != UPLOAD_PATH:
            return await self._inner.handle_async_request(request)
        self.announced = int(request.headers["content-length"])
        assert isinstance(request.stream, httpx2.AsyncByteStream)
        self.sizes += [len(piece) async for piece in request.stream]
        return httpx2.Response(200, json={"uuid": "u"})


@pytest.mark.parametrize("size", [20 * 1024 * 1024, None])
async def test_a_large_file_is_never_held_whole(size: int | None) -> None:
    account = Writer(files=[FileDraft(name="large.zip", size_bytes=size)])
    account._transport = swallowing = Swallowing(account.wire)
    account.journal = LargeFile()
    tracemalloc.start()
    try:
        with pytest.raises(RemoteRejected):
            await account.perform()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(swallowing.sizes[: len(swallowing.sizes) // 2]) == swallowing.announced > 20 * 1024 * 1024
    assert max(swallowing.sizes) <= 65536
    assert peak < 5 * 1024 * 1024


@pytest.mark.parametrize("missing", ["recruiting_key", "company_id"])
async def test_without_key_or_company_nothing_is_asked(missing: str) -> None:
    account = Writer([[b"%PDF"]])
    context = account.context()
    context.credentials = {name: value for name, value in context.credentials.items() if name != missing}
    context.config = {name: value for name, value in context.config.items() if name != missing}
    with pytest.raises(PermissionMissing, match="Settings > Integrations > API credentials") as caught:
        await CREATE.perform(context, account.wanted, account.journal)
    with pytest.raises(PermissionMissing):
        CREATE.plan(context, account.wanted)
    assert caught.value.scope == connector.manifest.field(missing).label["en"]
    assert account.wire.sent == []


@pytest.mark.parametrize("body", ["empty", "json"])
async def test_a_wrong_key_needs_the_customer(body: str) -> None:
    account = Writer([[b"%PDF"]])
    account.simulator.switch(v1_unauthorized_body=body)
    account.simulator.company.recruiting_key = "another"
    with pytest.raises(AuthenticationFailed, match="recruiting key"):
        await account.perform()
    assert account.journal.unknown == set()


@pytest.mark.parametrize(
    ("switch", "code"),
    [
        ("v1_recruiting_feature", "feature.recruiting.disabled"),
        ("v1_public_api_feature", "feature.public-api.disabled"),
    ],
)
async def test_a_feature_that_is_off_is_a_missing_right(switch: str, code: str) -> None:
    account = Writer()
    account.simulator.switch(**{switch: False})
    with pytest.raises(PermissionMissing) as caught:
        await account.perform()
    assert caught.value.scope == code


async def test_a_spent_budget_pauses_for_a_minute_and_leaves_no_doubt() -> None:
    account = Writer()
    account.simulator.inject("429", path="/v1")
    context = account.context()
    with pytest.raises(RateLimited) as caught:
        await CREATE.perform(context, account.wanted, account.journal)
    assert (caught.value.retry_at - context.now()).total_seconds() == 60
    assert isinstance(context.limiter, UnlimitedRate)
    assert set(context.limiter.blocked) == {"create_application"}
    assert account.journal.unknown == set()
    await account.perform()
    assert account.statuses() == [201]


async def test_a_stage_that_the_tool_swallows_is_told() -> None:
    account = Writer(stage=Ref(remote_id="1"))
    await account.perform()
    assert await account.find() is not None
    assert account.written()["stage"] == "unassigned"
    [warning] = account.journal.warnings
    assert warning.startswith("stage: ")


async def test_what_cannot_be_read_besides_does_not_hide_the_application() -> None:
    account = Writer([[b"%PDF"]])
    await account.perform()
    account.take_right("personio:documents:read")
    account.simulator.inject("status", path="/v2/recruiting/candidates/", count=None)
    context = account.context()
    made = await CREATE.find(context, account.wanted, account.journal)
    assert made is not None
    assert set(made.ids) == {Model.APPLICATION, Model.CANDIDATE}
    assert {record.stream for record in made.page.records} & {"candidates", "documents"} == set()
    assert isinstance(context.log, MemoryLog)
    assert [fields["part"] for _, fields in context.log.entries] == ["candidate", "documents"]
    assert EMAIL not in msgspec.json.encode(context.log.entries, enc_hook=str).decode()
