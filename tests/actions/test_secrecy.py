"""What a caller sends for a tool is in the ledger in sealed form only, and in no log, whatever happens to it."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest
import structlog

from action_kit import company_with_open_job
from atsumi.actions.requests import WriteRequest
from atsumi.errors import AtsumiError
from atsumi.model.draft import FileDraft
from atsumi.model.enums import AttachmentType
from atsumi.server.logging import configure_logging
from canaries import canaries_in
from harness import Account, Product
from writing_kit import CREATE, LIST, UPLOAD, Loss, Writer, person, with_files

NAME, MESSAGE, PHONE, KEY = "Zephyrine", "zephyr-message-71", "+4930777123", "zephyr-key-93"
FILE, URL_SECRET = "zephyr-content-55", "zephyr-signature-17"
LEDGER = ("action", "action_step", "action_file", "rate_window")
NOWHERE = (MESSAGE, KEY, FILE, URL_SECRET)
"""What belongs to no record."""


@pytest.fixture
async def account(product: Product) -> Account:
    return await product.synced(company_with_open_job(applications=5))


@pytest.fixture
async def writer(account: Account) -> Writer:
    return await Writer.of(account)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that is logged, in detail."""
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    configure_logging("debug", "json", stream=stream)
    yield stream
    structlog.reset_defaults()
    root.handlers[:], sys.excepthook, threading.excepthook = handlers, *hooks
    root.setLevel(level)


def request_of(writer: Writer) -> WriteRequest:
    request = person(writer.account, NAME, key=KEY, message=MESSAGE, phone_number=PHONE)
    return with_files(request, {"cv.pdf": b"%PDF-1.7 " + FILE.encode()})


def canaries(writer: Writer) -> list[str]:
    return [NAME, PHONE, *NOWHERE, writer.account.simulator.credentials()["recruiting_key"]]


async def in_the_ledger(writer: Writer) -> dict[str, list[str]]:
    """In which tables a canary stands, by canary; looked for in text and in bytes."""
    found: dict[str, list[str]] = {}
    for table in LEDGER:
        for row in await writer.account.pool.fetch(f"SELECT * FROM {table}"):  # noqa: S608 -- a table name of ours
            held = b"\0".join(one if isinstance(one, bytes) else str(one).encode() for one in row.values())
            for canary in canaries(writer):
                if canary.lower().encode() in held.lower():
                    found.setdefault(canary, []).append(table)
    return found


async def test_the_ledger_holds_nothing_in_plain_at_any_stage(writer: Writer) -> None:
    request = request_of(writer)
    stages: dict[str, dict[str, list[str]]] = {}

    async def look(asked: Any) -> None:
        stages[asked.url.path] = stages.get(asked.url.path, {}) | await in_the_ledger(writer)

    writer.network.before = look
    writer.network.lose(UPLOAD, Loss.FAILED)
    writer.network.lose(CREATE, Loss.BUDGET, Loss.ON_THE_WAY, Loss.ANSWER_502)
    writer.account.simulator.switch(v2_visible_after_seconds=600)
    for _ in range(6):
        await writer.told(request)
        await writer.account.pool.execute("DELETE FROM rate_window")
        await writer.engine()
        assert await in_the_ledger(writer) == {}
    writer.account.simulator.clock.advance(600)
    await writer.settle()
    await writer.done(request)
    assert {CREATE, UPLOAD, LIST + "/applications"} <= stages.keys()
    assert not any(stages.values()), stages
    assert await in_the_ledger(writer) == {}
    assert not await canaries_in(writer.account.pool, NOWHERE)


async def test_no_log_tells_of_a_person_or_a_secret(writer: Writer, log: io.StringIO) -> None:
    account, request = writer.account, request_of(writer)
    mail = request.draft.email_address
    said = f'{{"success":false,"error":{{"code":9,"message":"{mail} of {NAME} was refused, says {MESSAGE}"}}}}'
    writer.network.lose(LIST + "/applications", Loss.FAILED, Loss.REFUSED, Loss.NONSENSE)
    writer.network.lose(UPLOAD, Loss.ANSWER_502, Loss.NONSENSE)
    # Two uploads come first: the one whose answer is lost, and the one that is done again.
    account.simulator.inject("status", path=CREATE, method="POST", status=400, body=said, after=2)
    for _ in range(6):
        await writer.told(request)
        await account.pool.execute("DELETE FROM rate_window")
    other = replace(request, key=KEY + "2")
    writer.network.lose(CREATE, Loss.ANSWER_LATE)
    await writer.told(other)
    await writer.settle()
    await writer.done(other)
    await writer.told(replace(request, key=KEY + "3"))
    assert "action.done" in log.getvalue()
    assert "RemoteRejected" in log.getvalue()
    for canary in (*canaries(writer), mail):
        assert canary not in log.getvalue()


async def test_a_bug_under_way_is_logged_without_what_it_had_in_hand(writer: Writer, log: io.StringIO) -> None:
    request = replace(request_of(writer), is_deferred=True)
    promised = await writer.write(request)

    async def fail(asked: Any) -> None:
        raise ZeroDivisionError

    writer.network.before = fail
    try:
        await writer.carry_on(promised.receipt.id)
    except ZeroDivisionError:
        logging.getLogger("atsumi.actions").exception("action.crashed")
    assert "ZeroDivisionError" in log.getvalue()
    for canary in (*canaries(writer), request.draft.email_address):
        assert canary not in log.getvalue()


async def test_the_address_of_a_file_is_a_secret(writer: Writer, log: io.StringIO) -> None:
    file = FileDraft(name="cv.pdf", type=AttachmentType.CV, url=f"http://nowhere.invalid/{FILE}?signature={URL_SECRET}")
    request = request_of(writer)
    request = replace(request, draft=msgspec.structs.replace(request.draft, files=[file]), contents={})
    told = await writer.told(request)
    assert isinstance(told, AtsumiError)
    assert URL_SECRET not in str(told)
    assert not await canaries_in(writer.account.pool, NOWHERE)
    for canary in (*canaries(writer), request.draft.email_address):
        assert canary not in log.getvalue()
