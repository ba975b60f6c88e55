"""Many callers of two processes want the same, and one process dies when the tool has done it: all hear one truth."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from action_kit import company_with_open_job, open_job
from asking_kit import served_account
from atsumi.model.names import Model
from atsumi.store import actions as ledger
from harness import Account, Product, until
from writing_kit import CREATE, LIST

WORKER = Path(__file__).with_name("serving_worker.py")
CALLERS = 50
PERSON = {"first_name": "Ada", "last_name": "Lovelace", "email_address": "ada@applicants.example"}


class Server:
    """A process that serves the product."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self.process = process
        self.url = url


@asynccontextmanager
async def server(database_url: str, folder: Path, *, dies: bool) -> AsyncIterator[Server]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(WORKER),
        json.dumps({"url": database_url, "folder": str(folder), "dies": dies}),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 120)
        assert line, "the server has ended; see the errors above"
        yield Server(process, line.decode().strip())
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class Storm:
    """Callers who send their request again until they know."""

    def __init__(self, account: Account, servers: Sequence[Server], http: httpx2.AsyncClient) -> None:
        self.account = account
        self._servers = servers
        self._http = http

    async def ask(self, number: int, key: str | None) -> tuple[int, bytes]:
        """What a caller hears in the end, who begins with one of the servers."""
        headers = {**self.account.headers, **({"Idempotency-Key": key} if key is not None else {})}
        path = f"/v1/ats/jobs/{self.account.id(Model.JOB, open_job(self.account))}/applications"
        for attempt in range(200):
            url = self._servers[(number + attempt) % len(self._servers)].url
            try:
                answer = await self._http.post(url + path, json={"candidate": PERSON}, headers=headers)
            except httpx2.TransportError:
                await asyncio.sleep(0.05)
                continue
            if answer.status_code == 200 or not _is_passing(answer):
                return answer.status_code, answer.content
            await asyncio.sleep(0.1)
        raise AssertionError("asked for ever")

    async def all_of(self, keys: Sequence[str | None]) -> list[tuple[int, bytes]]:
        """What all hear: the first one alone with the process that dies, the others once it is under way."""
        first = asyncio.create_task(self.ask(0, keys[0]))
        log = self.account.simulator.log
        await until(lambda: any(one.path.startswith(LIST) for one in log.entries), "the first to be under way")
        rest = [asyncio.create_task(self.ask(n, key)) for n, key in enumerate(keys[1:], 1)]
        await self._servers[0].process.wait()
        # Its time is over; nobody has to wait for half a minute.
        await self.account.pool.execute(
            "UPDATE action SET heartbeat_at = now() - $2::interval * 2 "
            "WHERE integration = $1 AND state = 'RUNNING' AND sealed_draft IS NOT NULL",
            self.account.number,
            ledger.LEASE,
        )
        return await asyncio.gather(first, *rest)

    def created(self) -> list[Any]:
        return self.account.simulator.company.applications_by_email(PERSON["email_address"])


def _is_passing(answer: httpx2.Response) -> bool:
    code = answer.json()["error"]["code"]
    return answer.status_code in (409, 429, 500, 502, 503) and "ALREADY_EXISTS" not in code


@pytest.fixture
async def storm(product: Product, product_database: str, tmp_path: Path) -> AsyncIterator[Storm]:
    async with AsyncExitStack() as stack:
        simulator = company_with_open_job(applications=5)
        account = await stack.enter_async_context(served_account(product, simulator))
        assert (await account.sync("full")).state == "SUCCEEDED"
        await account.pool.execute("DELETE FROM rate_window; DELETE FROM rate_bucket")
        simulator.log.clear()
        dying = await stack.enter_async_context(server(product_database, tmp_path, dies=True))
        living = await stack.enter_async_context(server(product_database, tmp_path, dies=False))
        limits = httpx2.Limits(max_connections=CALLERS)
        http = await stack.enter_async_context(httpx2.AsyncClient(timeout=120, limits=limits))
        yield Storm(account, [dying, living], http)


def assert_created_once(storm: Storm, answers: Sequence[tuple[int, bytes]]) -> None:
    """One application, and all who succeeded heard of it in the same words."""
    [application] = storm.created()
    [(status, body)] = {one for one in answers if one[0] == 200}
    assert status == 200
    assert json.loads(body)["data"]["remote_id"] == str(application.id)
    posts = [one.status for one in storm.account.simulator.log.entries if (one.method, one.path) == ("POST", CREATE)]
    assert Counter(posts)[201] == 1


@pytest.mark.chaos
@pytest.mark.parametrize("key", ["one key", None], ids=["with one key", "without a key"])
async def test_fifty_equal_requests_are_one_application_and_one_answer(storm: Storm, key: str | None) -> None:
    answers = await storm.all_of([key] * CALLERS)
    assert len({body for _, body in answers}) == 1, Counter(answers)
    assert_created_once(storm, answers)
    again = await asyncio.gather(*(storm.ask(n, key) for n in range(5)))
    assert set(again) == set(answers)


@pytest.mark.chaos
async def test_of_ten_keys_for_one_application_one_succeeds(storm: Storm) -> None:
    keys = [f"key {n}" for n in range(10)]
    answers = await storm.all_of(keys)
    assert_created_once(storm, answers)
    refused = [json.loads(body)["error"]["code"] for status, body in answers if status != 200]
    assert len(refused) == 9, answers
    assert set(refused) == {"ATS.APPLICATION_ALREADY_EXISTS"}
    assert await asyncio.gather(*(storm.ask(n, key) for n, key in enumerate(keys))) == answers
