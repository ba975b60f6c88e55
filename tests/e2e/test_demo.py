"""`atsumi demo` as a process of its own: what it prints works, and it leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import re
import shlex
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from kombo import Kombo

from answering_kit import answers_to
from harness import DEADLINE_SECONDS, until


@dataclass
class Demo:
    """``seen`` are processes that it started."""

    process: asyncio.subprocess.Process
    ready_file: Path
    output: Path
    seen: set[int] = field(default_factory=set)

    async def ready(self) -> dict[str, Any]:
        """What the ready file holds, once it is there."""
        await until(lambda: self.ready_file.exists() or self.process.returncode is not None, "the ready file")
        assert self.process.returncode is None, self.output.read_text()
        found: dict[str, Any] = json.loads(self.ready_file.read_text())
        return found


@asynccontextmanager
async def demo(folder: Path) -> AsyncIterator[Demo]:
    """A demo that has just been started; whatever is left of it at the end is killed."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ATSUMI_")}
    output = folder / "output.txt"
    with output.open("wb") as sink:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "atsumi.server", "demo", "--port", "0", "--applications", "20"),
            *("--ready-file", str(folder / "ready.json")),
            env={**inherited, "COLUMNS": "60", "TMPDIR": str(folder)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
        )
    running = Demo(process, folder / "ready.json", output)
    try:
        yield running
    finally:
        left = tree(process.pid) | running.seen | {pid for pid in _all() if str(folder) in command_lines({pid})}
        if process.returncode is None:
            process.kill()
            await process.wait()
        for pid in filter(is_alive, left):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await until(lambda: not any(map(is_alive, left)), "the end of what was left")


def tree(root: int) -> set[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for pid in _all():
        if (found := _stat(pid)) is not None:
            children.setdefault(found[1], []).append(pid)
    waiting, found_pids = [root], set()
    while waiting:
        pid = waiting.pop()
        found_pids.add(pid)
        waiting += children.get(pid, [])
    return found_pids


def _all() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _stat(pid: int) -> tuple[str, int] | None:
    """(state, parent) of a process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], int(fields[1])


def is_alive(pid: int) -> bool:
    found = _stat(pid)
    return found is not None and found[0] not in "ZX"


def command_lines(pids: set[int]) -> str:
    texts = []
    for pid in pids:
        try:
            texts.append(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return "\n".join(texts)


async def test_the_demo_serves_what_it_says_and_ends_with_all_it_started(data_folder: Path) -> None:
    async with demo(data_folder) as running:
        ready = await running.ready()
        assert ready.keys() == {
            "base_url",
            "api_key",
            "integration_id",
            "connector_token",
            "simulator_url",
            "simulator_control_url",
        }
        await _read_with_the_published_client(ready)
        async with httpx2.AsyncClient() as http:
            counts = (await http.get(f"{ready['simulator_control_url']}/state?kind=applications")).json()
            assert len(counts["applications"]) == 20
            await _run_the_printed_lines(http, running, ready)
            await _write_with_the_published_client(http, ready)
        assert (data_folder / "ready.json").stat().st_mode & 0o077 == 0
        started = running.seen = tree(running.process.pid)
        lines = command_lines(started)
        assert "postgres" in lines
        assert "simulate personio" in lines
        folder = _data_folder(lines)
        assert folder.exists()

        running.process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(running.process.wait(), DEADLINE_SECONDS) == 0
        await until(lambda: not any(map(is_alive, started)), "all processes to end")
        assert not folder.exists()
        text = running.output.read_text()
        assert "Traceback" not in text
        assert "Stopped; nothing is left running." in text


async def test_the_simulator_ends_when_the_demo_is_killed(data_folder: Path) -> None:
    def simulator() -> set[int]:
        return {pid for pid in tree(running.process.pid) if "simulate personio" in command_lines({pid})}

    async with demo(data_folder) as running:
        started = await until(simulator, "the simulator's start")
        running.seen = tree(running.process.pid)
        running.process.kill()
        await running.process.wait()
        await until(lambda: not any(map(is_alive, started)), "the simulator's end")


async def _read_with_the_published_client(ready: dict[str, Any]) -> None:
    def read() -> int:
        with Kombo(
            server_url=f"{ready['base_url']}/v1",
            api_key=ready["api_key"],
            integration_id=ready["integration_id"],
        ) as client:
            return len(client.ats.get_applications().result.data.results)

    assert await asyncio.to_thread(read) == 20


async def _write_with_the_published_client(http: httpx2.AsyncClient, ready: dict[str, Any]) -> None:
    """An application is at the tool and in the list as soon as its client is answered, on the embedded PostgreSQL."""
    headers = {"Authorization": f"Bearer {ready['api_key']}", "X-Integration-Id": ready["integration_id"]}
    jobs = await http.get(f"{ready['base_url']}/v1/ats/jobs?statuses=OPEN", headers=headers)
    job = jobs.json()["data"]["results"][0]

    def create() -> str:
        with Kombo(
            server_url=f"{ready['base_url']}/v1",
            api_key=ready["api_key"],
            integration_id=ready["integration_id"],
        ) as client:
            answer = client.ats.create_application(
                job_id=job["id"],
                candidate={
                    "first_name": "Adalgisa",
                    "last_name": "Lovelock",
                    "email_address": "adalgisa@applicants.example",
                },
                screening_question_answers=answers_to(job),
            )
            return str(answer.data.remote_id)

    remote_id = await asyncio.to_thread(create)
    held = (await http.get(f"{ready['simulator_control_url']}/state?kind=applications")).json()["applications"]
    assert [one["id"] for one in held if str(one["id"]) == remote_id]
    listed = await http.get(f"{ready['base_url']}/v1/ats/applications?remote_ids={remote_id}", headers=headers)
    assert [one["remote_id"] for one in listed.json()["data"]["results"]] == [remote_id]


async def _run_the_printed_lines(http: httpx2.AsyncClient, running: Demo, ready: dict[str, Any]) -> None:
    text = running.output.read_text()
    lines = re.findall(r"^\s*(curl .*)$", text, re.MULTILINE)
    assert len(lines) == 3, text
    for line in lines:
        words = shlex.split(line)
        headers = dict(value.split(": ", 1) for flag, value in itertools.pairwise(words) if flag == "-H")
        [url] = [word for word in words if word.startswith("http")]
        # curl takes brackets for a pattern and, told to be silent, says nothing about it.
        assert not set("[]{}") & set(url) or "-sg" in words, line
        answer = await http.get(url, headers=headers)
        assert answer.status_code == 200, line
        found = answer.json()
        data = found.get("data", found)
        assert data.get("results") or data.get("items") or data["id"] == ready["integration_id"]
    for value in ("api_key", "integration_id", "connector_token", "base_url", "simulator_url"):
        assert ready[value] in text


def _data_folder(lines: str) -> Path:
    found = re.search(r"(/\S*atsumi-demo-[^/\s]+)", lines)
    assert found is not None, lines
    return Path(found[1])
