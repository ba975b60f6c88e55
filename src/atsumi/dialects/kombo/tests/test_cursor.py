"""A cursor leads to the place it was made for, or nowhere."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsumi.dialects.kombo.cursor import read_cursor, write_cursor
from atsumi.dialects.kombo.lists import LISTS
from atsumi.dialects.kombo.parse import parse
from atsumi.dialects.kombo.tests.kit import INTEGRATION
from atsumi.errors import InvalidInput
from atsumi.store.reading import Position

KEY = b"key"
PLACE = Position(seq=77, id=UUID(int=5))
JOBS = LISTS[0]


def cursor(**changes: object) -> str:
    sealed: dict[str, object] = {"key": KEY, "integration": INTEGRATION, "list_name": "jobs", "filters": b"{}"}
    return write_cursor(**{**sealed, **changes}, position=PLACE)  # type: ignore[arg-type] # a table of changes


def test_a_cursor_leads_back_to_its_place() -> None:
    text = cursor()
    assert len(text) == 52
    assert read_cursor(KEY, INTEGRATION, "jobs", b"{}", text) == PLACE


@pytest.mark.parametrize(
    "text",
    [
        cursor(key=b"another"),
        cursor(integration=UUID(int=9)),
        cursor(list_name="tags"),
        cursor(filters=b"[]"),
        cursor()[:-1],
        cursor()[:20],
        cursor() + "A",
        cursor() + "=",
        "!" + cursor(),
        cursor()[:10] + " " + cursor()[10:],
        cursor()[::-1],
        "x",
        "é" * 52,
        "A" * 52,
        "A" * 100_000,
    ],
)
def test_any_other_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="was not given out for this list") as refused:
        read_cursor(KEY, INTEGRATION, "jobs", b"{}", text)
    assert refused.value.path == "cursor"


@given(place=st.integers(0, 51), letter=st.sampled_from("ABCxyz019-_"))
def test_no_letter_of_a_cursor_can_be_changed(place: int, letter: str) -> None:
    text = cursor()
    changed = text[:place] + letter + text[place + 1 :]
    if changed != text:
        with pytest.raises(InvalidInput):
            read_cursor(KEY, INTEGRATION, "jobs", b"{}", changed)


@given(seq=st.integers(0, 2**63 - 1), id=st.uuids(), key=st.binary(min_size=1, max_size=100))
def test_every_place_survives(seq: int, id: UUID, key: bytes) -> None:
    place = Position(seq=seq, id=id)
    assert read_cursor(key, INTEGRATION, "jobs", b"", write_cursor(key, INTEGRATION, "jobs", b"", place)) == place


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("", "page_size=7", True),
        ("", "include_deleted=false", True),
        ("updated_after=2024-01-01", "updated_after=2024-01-01T00:00:00.000Z", True),
        ("ids=a,b", "ids=a%2Cb", True),
        ("", "include_deleted=true", False),
        ("", "ignore_unsupported_filters=true", False),
        ("ids=a", "remote_ids=a", False),
        ("", "ids=", False),
        ("statuses=OPEN", "statuses=CLOSED", False),
        ("statuses=OPEN", "status=OPEN", False),
        ("job_codes=a,b", "job_codes=ab", False),
    ],
)
def test_a_cursor_is_bound_to_what_the_filters_mean(one: str, other: str, is_same: bool) -> None:
    digests = [parse(JOBS, text.encode()).digest_text() for text in (one, other)]
    assert (digests[0] == digests[1]) is is_same
