"""What a demo that was killed outright leaves is found and removed by the next one."""

from __future__ import annotations

import fcntl
import tempfile
from pathlib import Path

import pytest

from atsumi.server import demo


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch, data_folder: Path) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(data_folder))
    return data_folder


def test_an_abandoned_server_is_stopped_and_its_folder_removed(temporary: Path) -> None:
    folder = temporary / "atsumi-demo-left"
    folder.mkdir(mode=0o711)
    (folder / "demo.lock").touch()
    # Leaving without stopping is what a killed process does: the server lives on.
    abandoned = demo.EmbeddedPostgres(folder)
    abandoned.start()
    process = abandoned._process
    assert process is not None
    abandoned._leaving.set()
    if abandoned._membership is not None:
        fcntl.flock(abandoned._membership, fcntl.LOCK_UN)
    demo._sweep()
    assert process.wait(timeout=20) == 0
    assert not folder.exists()


def test_a_demo_that_runs_is_left_alone(temporary: Path) -> None:
    with demo._folder() as folder:
        assert folder.parent == temporary
        demo._sweep()
        assert folder.exists()
    assert not folder.exists()
