"""Processes of a benchmark: started, asked, measured through /proc, and always ended."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

_ROOT = Path(__file__).parent.parent
_TICKS = os.sysconf("SC_CLK_TCK")


class BenchmarkFailed(Exception):
    """A benchmark could not be carried out. The message says which part ended how."""


def clean_environment(**settings: str) -> dict[str, str]:
    """This process's environment without the product's settings, plus ``settings`` as ``ATSUMI_*``."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ATSUMI_")}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    return {**environment, **{f"ATSUMI_{name.upper()}": value for name, value in settings.items()}}


class Child:
    """A Python process that is told things on its standard input and answers in lines.

    It runs in ``folder``, so no settings file of the caller's working directory counts. Leaving the context closes
    its input, then asks it to end, and at last kills it.
    """

    def __init__(self, name: str, arguments: Sequence[str], folder: Path, **settings: str) -> None:
        self._name = name
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 -- closed in __exit__
        self._process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=folder,
            env=clean_environment(**settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            # Ctrl-C is for the driver, which ends its children itself.
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        process = self._process
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process.stdout is not None:
            process.stdout.close()
        self._errors.close()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def line(self) -> str:
        """The next line it writes. Raises :class:`BenchmarkFailed` with its error output when it ends instead."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait(30)
            self._errors.seek(0)
            said = self._errors.read().decode(errors="replace").strip()[-2000:]
            raise BenchmarkFailed(f"{self._name} ended with status {self._process.returncode}\n{said}")
        return line.rstrip("\n")

    def answer(self) -> Any:
        """The next line as JSON."""
        return json.loads(self.line())

    def ask(self, question: Mapping[str, object]) -> Any:
        """Send one JSON line and wait for the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self.answer()


def cpu_seconds(root: int) -> float:
    """CPU time of a process and all of its descendants, those that ended and were waited for included."""
    parents: dict[int, int] = {}
    spent: dict[int, float] = {}
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            # The name in brackets may hold blanks; numbers are counted from behind it.
            fields = Path(entry.path, "stat").read_text().rpartition(")")[2].split()
            parents[int(entry.name)] = int(fields[1])
            spent[int(entry.name)] = sum(int(value) for value in fields[11:15]) / _TICKS
    return sum(seconds for pid, seconds in spent.items() if root in _line_of(pid, parents))


def _line_of(pid: int, parents: Mapping[int, int]) -> Iterator[int]:
    while pid in parents:
        yield pid
        pid = parents[pid]


def peak_megabytes() -> float:
    """The highest resident size of this process so far.

    Not ``ru_maxrss``: that starts with the size of the process which this one was forked from.
    """
    return _status("VmHWM") / 1024


def resident_megabytes() -> float:
    """The resident size of this process now."""
    return _status("VmRSS") / 1024


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise BenchmarkFailed(f"/proc/self/status has no {name}: benchmarks need Linux")


@dataclass(slots=True)
class CpuMeter:
    """CPU seconds of process trees between two readings."""

    roots: Mapping[str, int]
    _before: dict[str, float] | None = None

    def start(self) -> None:
        """Begin to count."""
        self._before = {name: cpu_seconds(pid) for name, pid in self.roots.items()}

    def read(self) -> dict[str, float]:
        """CPU seconds by name since ``start``."""
        assert self._before is not None
        return {name: cpu_seconds(pid) - self._before[name] for name, pid in self.roots.items()}


def settle(seconds: float = 0.5) -> None:
    """Let what a measurement left behind come to rest before the next one."""
    time.sleep(seconds)
