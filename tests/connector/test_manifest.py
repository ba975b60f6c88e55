"""Manifests are refused by the key that is wrong."""

from __future__ import annotations

import pytest

from atsumi.connector.context import WindowLimit
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


WINDOW = """requests = 20
window_seconds = 60
per = ["key"]"""
BUCKET = """per_second = 2
burst = 5"""


def test_a_budget_may_be_a_window() -> None:
    budget = parse_manifest(GOOD.replace(BUCKET, WINDOW).encode(), "tool").rate_limits["all"]
    assert budget.limit == WindowLimit(20, 60)
    assert budget.per == ("key",)


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
        ((BUCKET, ""), r"rate_limits\.all"),
        ((BUCKET, f"{BUCKET}\n{WINDOW}"), r"rate_limits\.all"),
        ((BUCKET, "per_second = 2\nwindow_seconds = 60"), r"rate_limits\.all"),
        ((BUCKET, WINDOW.replace("key", "keys")), r"rate_limits\.all.*'keys'"),
        ((BUCKET, WINDOW.replace("20", "0")), "rate_limits"),
        (("per_second = 2", "per_second = 0"), "rate_limits"),
    ],
)
def test_a_wrong_manifest_is_refused_by_name(change: tuple[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        parse_manifest(GOOD.replace(*change).encode(), "tool")
