"""Writes the reference of all settings into ``docs/configuration.md``: ``python -m atsumi.server.settings_reference``.

The part between the markers is made from the settings class, so it cannot say anything that the program does not do.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pydantic.fields import FieldInfo

from atsumi.server.settings import Settings
from atsumi.server.settings_sources import ENV_PREFIX, allowed, extra, is_secret

BEGIN = "<!-- generated from the settings class by `make docs`: do not edit below -->"
END = "<!-- generated: end -->"


def reference() -> str:
    """The reference as Markdown: one section for each setting, in the order of the class."""
    return "\n".join(_section(name, info) for name, info in Settings.model_fields.items())


def replace_between_markers(document: str) -> str:
    """The document with the reference between its markers. Raises ``ValueError`` where they are missing."""
    before, found_begin, rest = document.partition(BEGIN)
    _, found_end, after = rest.partition(END)
    if not (found_begin and found_end):
        raise ValueError(f"the document lacks the lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n\n{reference()}\n{END}{after}"


def main() -> None:
    """Rewrite the file that is named on the command line."""
    parser = argparse.ArgumentParser(description="Write the reference of all settings into a Markdown file.")
    parser.add_argument("file", nargs="?", type=Path, default=Path("docs/configuration.md"))
    path: Path = parser.parse_args().file
    path.write_text(replace_between_markers(path.read_text(encoding="utf-8")), encoding="utf-8")


def _section(name: str, info: FieldInfo) -> str:
    variable = f"{ENV_PREFIX}{name.upper()}"
    facts = [f"environment: `{variable}`"]
    if is_secret(Settings, name):
        facts[0] += f", or `{variable}_FILE` for a file that holds it"
        facts.append("secret: never shown, and replaced in logs")
    facts.append(f"allowed: {allowed(Settings, name)}")
    unit = extra(info).get("unit")
    if unit:
        facts.append(f"unit: {unit}")
    facts.append(f"default: {_default(info)}")
    return "\n".join((f"### `{name}`", "", str(info.description), "", *(f"- {fact}" for fact in facts), ""))


def _default(info: FieldInfo) -> str:
    stated = extra(info).get("default")
    if stated:
        return stated
    value = info.default
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


if __name__ == "__main__":
    main()
