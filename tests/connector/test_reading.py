"""Reading values that nobody vouches for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsumi.connector.reading import NaiveTimestamps, Reader, decode, encode_stably

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=10,
)
TEN = datetime(2026, 6, 1, 10, tzinfo=UTC)


def reader(naive: NaiveTimestamps = "utc") -> Reader:
    return Reader("things", "1", naive=naive, zone="Europe/Berlin")


@pytest.mark.parametrize(
    "value",
    [
        "2026-06-01T10:00:00Z",
        "2026-06-01T10:00:00.000Z",
        "2026-06-01T12:00:00+02:00",
        "2026-06-01T12:00:00+0200",
        "2026-06-01T12:00+02",
        "2026-06-01 10:00:00 UTC",
        "2026-06-01T10:00:00",
        {"date-time": "2026-06-01T10:00:00", "timezone": "Europe/Berlin"},
        {"date_time": "2026-06-01T10:00:00.000000Z"},
        {"date": "2026-06-01T10:00:00.000Z", "timezone": "Europe/Berlin"},
        {"date-time": None, "date": "2026-06-01T10:00:00,000Z"},
    ],
)
def test_every_spelling_of_an_instant_is_read(value: object) -> None:
    read = reader()
    assert read.instant(value, "at") == TEN
    assert not read.issues


@pytest.mark.parametrize(
    ("value", "hour"),
    [
        ({"date-time": "2026-06-01T10:00:00", "timezone": "Europe/Berlin"}, 8),
        ({"date-time": "2026-06-01T10:00:00", "timezone": "America/New_York"}, 14),
        ({"date-time": "2026-06-01T10:00:00"}, 8),
        ("2026-06-01T10:00:00", 8),
        ({"date-time": "2026-06-01T10:00:00+00:00", "timezone": "Europe/Berlin"}, 10),
    ],
)
def test_naive_instants_can_be_local(value: object, hour: int) -> None:
    assert reader("local").instant(value, "at") == TEN.replace(hour=hour)


def test_an_unknown_zone_is_counted_and_gives_way() -> None:
    read = reader("local")
    value = {"date-time": "2026-06-01T10:00:00", "timezone": "Mars/Olympus"}
    assert read.instant(value, "at") == TEN.replace(hour=8)
    assert [issue.kind for issue in read.issues] == ["unknown_value"]


def test_a_date_alone_is_its_midnight() -> None:
    assert reader("local").instant("2026-06-01", "on") == TEN.replace(hour=0)


@pytest.mark.parametrize("value", ["", None, {}, {"timezone": "Europe/Berlin"}])
def test_a_missing_instant_is_no_issue(value: object) -> None:
    read = reader()
    assert read.instant(value, "at") is None
    assert not read.issues


@pytest.mark.parametrize(
    "value", ["yesterday", "2026-13-01", "2026-06-01T25:00:00Z", 7, [], {"date": 7}, "0001-01-01T00:00+09:00"]
)
def test_an_unreadable_instant_is_counted_without_its_value(value: object) -> None:
    read = reader()
    assert read.instant(value, "at") is None
    assert [(issue.kind, issue.field, issue.detail) for issue in read.issues] == [("bad_timestamp", "at", "")]


@given(json_values)
def test_no_value_breaks_a_reader(value: object) -> None:
    for read in (reader("utc"), reader("local")):
        found = read.instant(value, "a")
        assert found is None or found.tzinfo is UTC
        read.text(value, "b")
        read.number(value, "c")
        read.word(value, "d", {"known": 1})
        assert decode(encode_stably(value)) == value


@given(st.dictionaries(st.text(), st.integers()))
def test_the_order_of_keys_is_no_content(value: dict[str, int]) -> None:
    assert encode_stably(value) == encode_stably(dict(reversed(value.items())))


@pytest.mark.parametrize(
    ("value", "number", "issues"),
    [
        ("70000.00", 70000.0, 0),
        (5, 5.0, 0),
        ("", None, 0),
        (None, None, 0),
        ("nan", None, 1),
        ("1e999", None, 1),
        ({}, None, 1),
    ],
)
def test_numbers_are_finite(value: object, number: float | None, issues: int) -> None:
    read = reader()
    assert read.number(value, "n") == number
    assert len(read.issues) == issues


def test_only_what_looks_like_a_word_is_named() -> None:
    read = reader()
    read.word("full-remote", "schedule", {})
    read.word("Call Ada at 030 5550100", "schedule", {})
    assert [issue.detail for issue in read.issues] == ["full-remote", ""]
