"""The reference of the settings says what the settings class says, and its examples load."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from atsumi.server.settings import Settings
from atsumi.server.settings_reference import replace_between_markers
from atsumi.server.settings_sources import is_secret

DOCUMENT = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_reference_is_current() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text == replace_between_markers(text), "run `make docs`"


def test_every_setting_says_what_it_means() -> None:
    for name, info in Settings.model_fields.items():
        assert info.description, name
        assert info.description.endswith("."), name


def test_every_key_of_the_examples_is_a_setting() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    secrets = {f"{name}_file" for name in Settings.model_fields if is_secret(Settings, name)}
    for example in re.findall(r"```toml\n(.*?)```", text, re.DOTALL):
        assert set(tomllib.loads(example)) <= set(Settings.model_fields) | secrets
