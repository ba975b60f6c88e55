"""What the README tells people to type exists."""

from __future__ import annotations

import inspect
import json
import re
import shlex
from pathlib import Path
from typing import Any

import msgspec
from kombo import Kombo
from typer.main import get_command

from atsumi.dialects.kombo.dialect import DIALECT
from atsumi.dialects.kombo.lists import LISTS
from atsumi.server.cli import app
from atsumi.server.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
SPANS = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", README, flags=re.DOTALL | re.MULTILINE))


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


def commands(program: str) -> list[list[str]]:
    """Every call of the program in the README, in a block or in running text, without the program's name."""
    lines = [line for text in blocks("sh") for line in text.replace("\\\n", " ").splitlines()]
    words = [shlex.split(line) for line in (*lines, *SPANS) if re.fullmatch(r"[\w.-]+( .*)?", line)]
    return [line[1:] for line in words if line[0] == program]


def test_the_first_screen_holds_the_command_the_request_and_the_answer() -> None:
    assert [name for name, _ in BLOCKS[:3]] == ["sh", "sh", "json"]
    assert blocks("sh")[0] == "make demo\n"
    assert README.index("```json") < README.index("\n## ")


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {words[0] for words in commands("make") if words}
    assert {"demo", "serve", "test"} <= named
    assert named <= targets


def test_every_link_leads_to_a_file() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_every_setting_exists() -> None:
    for name in re.findall(r"ATSUMI_(\w+)", README):
        assert name.lower() in Settings.model_fields


def test_every_command_and_option_exists() -> None:
    named = commands("atsumi")
    assert ["serve"] in named
    for words in named:
        command: Any = get_command(app)
        for word in words:
            if word.startswith("-"):
                assert word in {option for parameter in command.params for option in parameter.opts}, words
            else:
                assert word in command.commands, words
                command = command.commands[word]


def test_every_address_is_a_list_of_the_api() -> None:
    paths = {f"{DIALECT.base_path}{spec.path}" for spec in LISTS}
    assert len(paths) == 13
    found = re.findall(r"http://127\.0\.0\.1:8080(/v1/[^\s?\"]+)", README)
    assert found
    assert set(found) <= paths
    for request in (text for text in blocks("sh") if text.startswith("curl")):
        assert f"{DIALECT.auth_header}: {DIALECT.auth_scheme} " in request
        assert f"{DIALECT.integration_header}: " in request


def test_the_answer_has_the_fields_of_the_api() -> None:
    [spec] = [spec for spec in LISTS if spec.name == "applications"]
    answer = json.loads(blocks("json")[0])
    assert set(answer) == {"status", "data"}
    assert set(answer["data"]) == {"results", "next", "as_of"}
    for record in answer["data"]["results"]:
        _assert_fields(record, spec.document)


def test_the_example_uses_what_the_sdk_has() -> None:
    [example] = blocks("python")
    compile(example, "README.md", "exec")
    with Kombo(api_key="x", server_url="http://127.0.0.1:8080/v1") as kombo:
        assert "page_size" in inspect.signature(kombo.ats.get_applications).parameters
    assert {"api_key", "integration_id", "server_url"} <= set(inspect.signature(Kombo.__init__).parameters)


def _assert_fields(shown: dict[str, Any], document: type[msgspec.Struct]) -> None:
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(document)}
    assert set(shown) <= set(fields), document
    for name, value in shown.items():
        if isinstance(value, dict):
            options = getattr(fields[name], "__args__", (fields[name],))
            [inner] = [option for option in options if isinstance(option, type) and issubclass(option, msgspec.Struct)]
            _assert_fields(value, inner)
