"""Manifests are refused by the key that is wrong."""

from __future__ import annotations

import pytest

from atsumi.connector.manifest import parse_manifest
from atsumi.errors import ConfigurationError

GOOD = """
slug = "tool"
label = "Tool"
category = "ATS"
auth = "api_key"
check = "GET /me"
overlap_seconds = 60
[base_urls]
api = "https://tool.test"
[[fields]]
name = "key"
label = { en = "Key" }
is_secret = true
[rate_limits.all]
per_second = 2
burst = 5
source = "documentation, read 2026-06-01"
"""


def test_a_manifest_is_read() -> None:
    manifest = parse_manifest(GOOD.encode(), "tool")
    assert manifest.limit("all") == (2, 5)
    assert manifest.field("key").is_secret
    assert manifest.scope_of("things") is None


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("overlap_seconds = 60", "overlap_seconds = 60\noverlap = 3"), "overlap"),
        (("is_secret = true", "secret = true"), "secret"),
        (("burst = 5", "bursts = 5"), "bursts"),
        (('slug = "tool"', ""), "slug"),
        (('"api_key"', '"magic"'), "auth"),
        (('{ en = "Key" }', '{ de = "Schlüssel" }'), "key"),
        (('check = "GET /me"', "check = "), "tool"),
    ],
)
def test_a_wrong_manifest_is_refused_by_name(change: tuple[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        parse_manifest(GOOD.replace(*change).encode(), "tool")
