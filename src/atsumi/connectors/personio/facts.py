"""The manifest, and an integration's public settings as this connector reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from atsumi.connector.manifest import load_manifest
from atsumi.connector.reading import NaiveTimestamps, Reader

MANIFEST = load_manifest("atsumi.connectors.personio")

LANGUAGES = ("de", "en", "fr", "es", "nl", "it", "pt")
"""The languages the career feed can be asked for (Personio NOTES section 10, C)."""

_NOT_IN_A_LABEL = re.compile(r"[^a-z0-9-]")
_DEFAULTS = {field.name: field.default or "" for field in MANIFEST.fields}

DEFAULT_ZONE = "Europe/Berlin"
"""Zone of local timestamps that name none; the one in all examples (Personio NOTES section 7, I)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Public settings with the manifest's defaults filled in. Addresses end without a slash."""

    company: str
    company_id: str | None
    languages: tuple[str, ...]
    """At least one; the first is the language of the job itself."""
    api_base_url: str
    career_base_url: str
    naive_timestamps: NaiveTimestamps

    @classmethod
    def read(cls, config: Mapping[str, str]) -> Settings:
        """Total: values that the form would refuse give way to the defaults."""
        # It becomes part of a host name, so only what may stand in one label is taken.
        company = _NOT_IN_A_LABEL.sub("", config.get("company", "").lower())
        wanted = [word.strip().lower() for word in _value(config, "languages").split(",")]
        languages = tuple(dict.fromkeys(word for word in wanted if word in LANGUAGES))
        return cls(
            company=company,
            company_id=config.get("company_id", "").strip() or None,
            languages=languages or MANIFEST.languages,
            api_base_url=_value(config, "api_base_url").rstrip("/"),
            career_base_url=_value(config, "career_base_url").replace("{company}", company).rstrip("/"),
            naive_timestamps="utc" if _value(config, "naive_timestamps") == "utc" else "local",
        )

    def reader(self, stream: str, remote_id: str) -> Reader:
        """A reader for one record of this account."""
        return Reader(stream, remote_id, naive=self.naive_timestamps, zone=DEFAULT_ZONE)


def _value(config: Mapping[str, str], name: str) -> str:
    return config.get(name, "").strip() or _DEFAULTS[name]
