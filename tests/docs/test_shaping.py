"""The examples of docs/shaping.md are commands that exist and settings that are taken."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from atsumi.connectors.personio import connector
from atsumi.model.scope import checked_settings
from atsumi.server.cli import app
from atsumi.server.cli_mappings import _given
from atsumi.server.cli_scopes import _read
from atsumi.sync.field_mappings import checked_rule

TEXT = Path("docs/shaping.md").read_text()
COMMANDS = re.findall(r"^\$ atsumi (.+)$", TEXT, re.MULTILINE)


def parsed(line: str) -> tuple[list[str], dict[str, object]]:
    """The command's names and its parameters, read by the real command line without running it."""
    command, names, arguments = typer.main.get_command(app), [], shlex.split(line)
    while hasattr(command, "commands"):
        names.append(arguments.pop(0))
        command = command.commands[names[-1]]
    return names, command.make_context(names[-1], arguments).params


@pytest.mark.parametrize("line", COMMANDS)
def test_an_example_is_taken(line: str) -> None:
    names, given = parsed(line)
    if names == ["scopes", "set"]:
        settings = given["settings"]
        assert isinstance(settings, list | tuple)
        assert checked_settings(dict(one.split("=") for one in settings))
    if names[0] == "mappings" and names[1] != "remove":
        rule = _given(*(given[name] for name in ("sources", "words", "default", "date_format", "rule")))  # type: ignore[arg-type]  # what typer parsed
        assert checked_rule(str(given["field"]), rule, connector.mapping.derivations)


def test_the_example_of_a_file_is_taken(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.+?)```", TEXT, re.DOTALL)
    (tmp_path / "scope.toml").write_text(block)
    assert checked_settings(_read(tmp_path / "scope.toml"))
