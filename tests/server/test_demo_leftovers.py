"""What a demo that was killed outright leaves is found and removed by the next one."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

import pytest

from atsumi.errors import ConfigurationError
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


def test_a_planted_folder_is_not_touched(temporary: Path) -> None:
    target = temporary / "victim.log"
    for name, mode in (("writable", 0o777), ("group", 0o775)):
        folder = temporary / f"atsumi-demo-{name}"
        (folder / "postgres").mkdir(parents=True)
        (folder / "demo.lock").touch()
        (folder / "postgres" / "server.log").symlink_to(target)
        folder.chmod(mode)
    (temporary / "atsumi-demo-link").symlink_to(temporary / "atsumi-demo-group")
    demo._sweep()
    assert not target.exists()
    assert {path.name for path in temporary.glob("atsumi-demo-*")} == {
        "atsumi-demo-writable",
        "atsumi-demo-group",
        "atsumi-demo-link",
    }


def test_a_server_is_not_started_in_a_folder_that_others_may_write_to(temporary: Path) -> None:
    (temporary / "postgres").mkdir()
    (temporary / "postgres").chmod(0o777)
    with pytest.raises(ConfigurationError, match="other users may write"):
        demo.EmbeddedPostgres(temporary).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of another user")
def test_a_server_is_not_started_in_another_users_folder(temporary: Path) -> None:
    (temporary / "postgres").mkdir()
    os.chown(temporary / "postgres", 65534, 65534)
    with pytest.raises(ConfigurationError, match="does not belong to this user"):
        demo.EmbeddedPostgres(temporary).start()
