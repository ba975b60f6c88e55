"""Files on their way to a tool: fetched from where the caller says, checked, and gone from here afterwards."""

from __future__ import annotations

import pytest

from action_kit import applying, company_with_open_job, open_job, write
from atsumi.actions.files import PART_BYTES, check_beginning
from atsumi.actions.requests import ActionState, Receipt
from atsumi.connector.guard import Allowance
from atsumi.connector.guarded import GuardedClient
from atsumi.errors import InvalidInput
from atsumi.model.draft import FileDraft
from atsumi.model.enums import AttachmentType
from harness import Account, Product
from loopback_host import Handler, Host, answering, host, ok, redirect

PDF = b"%PDF-1.7 a life of glass"


@pytest.fixture
async def account(product: Product) -> Account:
    return await product.synced(company_with_open_job(applications=3))


def allow(account: Account, monkeypatch: pytest.MonkeyPatch, there: Host) -> None:
    """The operator lets callers' addresses lead to that host."""
    guarded = GuardedClient(Allowance.parse([f"127.0.0.1:{there.port}"]))
    monkeypatch.setattr(account.runtime, "guarded", guarded)


def at(there: Host) -> FileDraft:
    return FileDraft(name="cv.pdf", type=AttachmentType.CV, url=f"http://127.0.0.1:{there.port}/files/1")


async def written_with(account: Account, monkeypatch: pytest.MonkeyPatch, handler: Handler) -> tuple[Receipt, Host]:
    async with host(handler) as there:
        allow(account, monkeypatch, there)
        return await write(account, applying(account, files=[at(there)])), there


def files_at_the_tool(account: Account) -> list[tuple[str, str, bytes]]:
    company = account.simulator.company
    [application] = [one for one in company.applications if str(one.job_id) == open_job(account)]
    return [(one.name, one.category, one.content) for one in company.own_documents(application)]


async def test_a_file_is_fetched_once_and_handed_on(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    receipt, there = await written_with(account, monkeypatch, answering(ok(PDF)))
    assert receipt.state is ActionState.SUCCEEDED
    assert files_at_the_tool(account) == [("cv.pdf", "cv", PDF)]
    assert there.accepted == 1
    for table in ("action_file", "action_step"):
        left = await account.fetch(
            f"SELECT 1 FROM {table} t JOIN action a ON a.id = t.action WHERE a.integration = $1"  # noqa: S608 -- a table of ours
        )
        assert not left


async def test_a_large_file_arrives_whole(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    content = PDF + bytes(range(256)) * (3 * PART_BYTES // 256) + b"the end"
    await written_with(account, monkeypatch, answering(ok(content)))
    assert files_at_the_tool(account)[0][2] == content


async def test_redirects_lead_to_the_file(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    await written_with(account, monkeypatch, answering(redirect("/signed/1"), ok(PDF)))
    assert files_at_the_tool(account)[0][2] == PDF


@pytest.mark.parametrize(
    "handler",
    [
        answering(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
        answering(ok(b"<html>sign in", "Content-Type: text/html; charset=utf-8")),
        answering(ok(b"")),
        answering(ok(b"MZ\x90\x00 a program")),
        answering(ok(b"\x89PNG\r\n\x1a\n")),
        answering(redirect("http://169.254.169.254/latest/meta-data/")),
        answering(redirect("http://localhost/")),
    ],
)
async def test_what_is_no_such_file_is_refused_before_the_tool_is_asked(
    account: Account, monkeypatch: pytest.MonkeyPatch, handler: Handler
) -> None:
    account.simulator.log.clear()
    with pytest.raises(InvalidInput) as refused:
        await written_with(account, monkeypatch, handler)
    assert refused.value.path == "files.0"
    assert not [path for path in account.simulator.log.counts if path.startswith("POST /v1/recruiting")]


async def test_a_file_that_is_too_large_is_left_at_the_limit(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    action = next(iter(account.runtime.connector("personio").actions.values()))
    assert action.files is not None
    largest = action.files.max_bytes
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {largest + 1}\r\n\r\n".encode()
    with pytest.raises(InvalidInput, match=r"more than|larger than"):
        await written_with(account, monkeypatch, answering(head + PDF))


async def test_an_address_of_the_operators_own_network_is_refused(account: Account) -> None:
    async with host(answering(ok(PDF))) as there:
        with pytest.raises(InvalidInput, match="refused"):
            await write(account, applying(account, files=[at(there)]))
        assert there.accepted == 0


async def test_a_fetch_that_failed_is_done_again_when_its_caller_asks_again(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n"
    async with host(answering(gone, ok(PDF))) as there:
        allow(account, monkeypatch, there)
        request = applying(account, files=[at(there)], key="k")
        with pytest.raises(InvalidInput, match="503"):
            await write(account, request)
        assert (await write(account, request)).state is ActionState.SUCCEEDED
    assert files_at_the_tool(account)[0][2] == PDF


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cv.pdf", b"%PDF-1.4"),
        ("cv.docx", b"PK\x03\x04..."),
        ("cv.doc", b"\xd0\xcf\x11\xe0"),
        ("photo.jpg", b"\xff\xd8\xff\xe0"),
        ("cv.txt", b"My life"),
        ("cv.pdf", b"\n\n%PDF-1.4 after a blank line, which readers take"),
    ],
)
def test_contents_that_fit_their_names_pass(name: str, content: bytes) -> None:
    check_beginning(name, content, "files.0")


@pytest.mark.parametrize(
    ("name", "content"),
    [("cv.pdf", b"PK\x03\x04"), ("cv.txt", b"%PDF-1.4"), ("cv.docx", b"MZ\x90"), ("photo.png", b"\xff\xd8\xff\xe0")],
)
def test_contents_of_another_kind_are_told(name: str, content: bytes) -> None:
    with pytest.raises(InvalidInput, match="content is") as refused:
        check_beginning(name, content, "files.3")
    assert refused.value.path == "files.3"
