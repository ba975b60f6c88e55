"""A process that writes is killed, or paused and overtaken, at every moment: one application, and one answer.

The moments are those before and after each commit, each statement that writes on its own, and each request to the tool;
``write_worker`` finds them while it runs. Each moment is tried with a person and a key of their own.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from action_kit import company_with_open_job, open_job
from asking_kit import served_account
from atsumi.model.names import Model
from atsumi.store import actions as ledger
from harness import Account, Product

WORKER = Path(__file__).with_name("write_worker.py")
LANES = 2
LEAST_MOMENTS = 40
DEADLINE_SECONDS = 120.0
INLINE, FETCHED = b"%PDF-1.7 came along", b"%PDF-1.7 was fetched " + b"x" * 300_000
"""The second one is kept in two parts."""


@asynccontextmanager
async def file_server(content: bytes) -> AsyncIterator[str]:
    """A URL on loopback that gives a file."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\nContent-Length: {len(content)}\r\n"
        writer.write(f"{head}Connection: close\r\n\r\n".encode() + content)
        try:
            await writer.drain()
        except ConnectionError:
            # Whoever asked was killed.
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/cv.pdf"


@dataclass
class Lane:
    """One account, and the nursery of the processes that write to it."""

    account: Account
    process: asyncio.subprocess.Process
    file_url: str

    @classmethod
    @asynccontextmanager
    async def begin(cls, product: Product, url: str, folder: Path) -> AsyncIterator[Lane]:
        async with AsyncExitStack() as stack:
            simulator = company_with_open_job(applications=5)
            simulator.switch(v1_requests_per_window=0)
            account = await stack.enter_async_context(served_account(product, simulator))
            assert (await account.sync("full")).state == "SUCCEEDED"
            file_url = await stack.enter_async_context(file_server(FETCHED))
            order = {"url": url, "folder": str(folder), "number": account.number}
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(WORKER),
                json.dumps({**order, "allow": [file_url.split("/")[2]]}),
                env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
            try:
                yield cls(account, process, file_url)
            finally:
                # Children that are paused would never end.
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()

    async def do(self, **task: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(task).encode() + b"\n")
        line = await asyncio.wait_for(self.process.stdout.readline(), DEADLINE_SECONDS)
        assert line, "the nursery has ended; see the errors above"
        told = json.loads(line)
        assert "raised" not in told or task.get("resume"), told["raised"]
        return told

    def write_of(self, number: int, *, has_key: bool) -> dict[str, Any]:
        """An application of a person of that number, with two files."""
        cv = {"name": "cv.pdf", "type": "CV", "content_type": "application/pdf"}
        attachments = [
            {**cv, "data": base64.b64encode(INLINE).decode()},
            {**cv, "name": "letter.pdf", "type": "COVER_LETTER", "data_url": self.file_url},
        ]
        person = {"first_name": f"Nummer {number}", "last_name": "Lovelock", "email_address": email_of(number)}
        key = {"Idempotency-Key": f"key {number}"} if has_key else {}
        return {
            "path": f"/v1/ats/jobs/{self.account.id(Model.JOB, open_job(self.account))}/applications",
            "body": {"candidate": person, "attachments": attachments},
            "headers": {**self.account.headers, **key},
        }

    async def lapse(self) -> None:
        """The time of every process that was not heard of is over."""
        await self.account.pool.execute(
            "UPDATE action SET heartbeat_at = now() - $2::interval * 2 WHERE integration = $1",
            self.account.number,
            ledger.LEASE,
        )

    def posts(self) -> list[int]:
        entries = self.account.simulator.log.entries
        return [one.status for one in entries if (one.method, one.path) == ("POST", "/v1/recruiting/applications")]

    async def assert_written_once(self, number: int, answer: list[Any]) -> None:
        """One application with the right files, which the answer names, and nothing is left of the work."""
        company = self.account.simulator.company
        [application] = company.applications_by_email(email_of(number))
        documents = {one.name: one.content for one in company.own_documents(application)}
        assert documents == {"cv.pdf": INLINE, "letter.pdf": FETCHED}
        assert len(company.own_documents(application)) == 2
        status, body = answer
        assert status == 200, body
        data = json.loads(body)["data"]
        assert data["remote_id"] == str(application.id)
        assert data["id"] == self.account.id(Model.APPLICATION, str(application.id))
        assert data["candidate"]["id"] == self.account.id(Model.CANDIDATE, str(application.candidate_id))
        [row] = await self.account.rows("applications", ids=data["id"])
        assert row["candidate"]["email_addresses"][0]["email_address"] == email_of(number)
        assert not await self.account.fetch(
            "SELECT 1 FROM action WHERE integration = $1 AND (state <> 'SUCCEEDED' OR sealed_draft IS NOT NULL)"
        )
        for table in ("action_step", "action_file"):
            assert not await self.account.fetch(
                f"SELECT 1 FROM {table} t JOIN action a ON a.id = t.action WHERE a.integration = $1"  # noqa: S608 -- a table name of ours
            )


def email_of(number: int) -> str:
    return f"nummer{number}@applicants.example"


@asynccontextmanager
async def lanes(product: Product, url: str, folder: Path) -> AsyncIterator[list[Lane]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Lane.begin(product, url, folder)) for _ in range(LANES)]


async def kill_everywhere(lane: Lane, first: int, *, has_key: bool) -> list[str]:
    """Kill a process at every moment that is this lane's; returns all moments."""
    number = first
    while True:
        write = lane.write_of(number, has_key=has_key)
        killed = await lane.do(**write, stop_at=number)
        if not killed["ended_by"]:
            return killed["moments"]
        await lane.lapse()
        before = len(lane.account.simulator.company.applications)
        found = await lane.do(**write, recovers=True, asks=3)
        assert set(found["states"]) <= {"SUCCEEDED"}, found
        assert len({tuple(one) for one in found["answers"]}) == 1, found["answers"]
        await lane.assert_written_once(number, found["answers"][0])
        assert len(lane.account.simulator.company.applications) <= before + 1
        number += LANES


@pytest.mark.chaos
@pytest.mark.parametrize("has_key", [True, False], ids=["with a key", "without"])
async def test_a_process_killed_at_any_moment_leaves_one_application_and_one_answer(
    product: Product, product_database: str, tmp_path: Path, has_key: bool
) -> None:
    async with lanes(product, product_database, tmp_path) as both:
        told = await asyncio.gather(*(kill_everywhere(lane, n, has_key=has_key) for n, lane in enumerate(both)))
        posts = [lane.posts() for lane in both]
    assert min(map(len, told)) >= LEAST_MOMENTS
    assert all(set(found) <= {201, 400} for found in posts), "what is sent twice is refused the second time"
    print("\n".join(f"{n}: {name}" for n, name in enumerate(told[0])))


@pytest.mark.chaos
async def test_a_process_that_was_paused_and_overtaken_does_nothing_more(
    product: Product, product_database: str, tmp_path: Path
) -> None:
    async with Lane.begin(product, product_database, tmp_path) as lane:
        whole = await lane.do(**lane.write_of(1000, has_key=True))
        moments = whole["moments"]
        told: list[str] = []
        for number, name in enumerate(moments):
            if not name.startswith(("after", "before POST")):
                # Pausing before a statement is pausing after the one before it.
                continue
            write = lane.write_of(number, has_key=True)
            paused = await lane.do(**write, stop_at=number, signal="SIGSTOP")
            assert paused.get("is_paused"), paused
            await lane.lapse()
            found = await lane.do(**write, recovers=True, asks=1)
            [first] = found["answers"]
            resumed = await lane.do(resume=paused["process"])
            await lane.assert_written_once(number, first)
            again = await lane.do(**write, asks=1)
            assert again["answers"] == [first], name
            [own] = resumed.get("answers", [["raised", resumed.get("raised", "")]])
            assert own[0] != 200 or own == first, name
            told.append(f"{number} {name}: {own[0]}")
    print("\n".join(told))
