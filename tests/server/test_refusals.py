"""What cannot work is refused before anything is started, by the name of what is to blame."""

from __future__ import annotations

import io
import os
import socket
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from atsumi.errors import ConfigurationError
from atsumi.server import demo
from atsumi.server.cli import app
from atsumi.server.demo import DemoOptions, run_demo
from atsumi.server.serving import listen
from atsumi.server.settings import Settings, master_key


@pytest.mark.parametrize("name", ["missing/ready.json", "."])
async def test_a_ready_file_that_cannot_be_written_is_refused_at_once(tmp_path: Path, name: str) -> None:
    written = io.StringIO()
    with pytest.raises(ConfigurationError, match=r"^--ready-file: "):
        await run_demo(DemoOptions(port=0, ready_file=tmp_path / name), Console(file=written))
    assert not written.getvalue()


def test_a_ready_file_exists_only_while_the_demo_is_ready(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    path.write_text("of an earlier demo")
    with demo._ready_only_while_running(path):
        assert not path.exists()
        path.write_text("of this one")
    assert not path.exists()


def test_no_key_is_left_behind_where_writing_the_ready_file_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(ConfigurationError, match=r"--ready-file.*cannot be written: Permission denied"):
        demo._write_ready_file(tmp_path / "ready.json", {"api_key": "atsumi_key"})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "x" * 70, "2001:db8::1"])
def test_a_host_that_is_not_ours_blames_the_host(host: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^ATSUMI_HOST: .*--host"):
        listen(host, 0)


def test_a_taken_port_blames_the_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"^ATSUMI_PORT: cannot listen on 127\.0\.0\.1 port {port}"):
            listen("127.0.0.1", port)


def test_a_data_folder_that_cannot_be_created_names_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ConfigurationError, match=r"^ATSUMI_DATA_DIR: "):
            master_key(Settings(data_dir=folder))


def test_the_doctor_makes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    result = CliRunner().invoke(app, ["doctor", "--data-dir", str(folder)])
    assert result.exit_code == 0
    assert "nothing there yet" in result.stdout
    assert not folder.exists()
