"""The raw document of a record."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsumi.connector.contract import RawKey, RawPart
from atsumi.sync.raw_documents import content_of, raw_document

_LABELS = st.lists(st.text(max_size=5), unique=True, max_size=4)
_VALUES = st.none() | st.integers() | st.text(max_size=3) | st.dictionaries(st.text(max_size=3), st.integers())


@given(labels=_LABELS, data=st.data())
def test_nothing_of_the_main_record_moves_and_every_other_one_is_found(labels: list[str], data: st.DataObject) -> None:
    parts = [(label, data.draw(_VALUES)) for label in labels]
    document = raw_document(parts)
    main = parts[0][1] if parts and isinstance(parts[0][1], dict) else {}
    assert {name: document[name] for name in main} == main
    others = parts[1:] if main or (parts and isinstance(parts[0][1], dict)) else parts
    assert {label: document[label] for label, _ in others if label not in main} == {
        label: value for label, value in others if label not in main
    }
    assert set(document) == set(main) | {label for label, _ in others}


def test_a_clash_leaves_the_main_record_alone() -> None:
    assert raw_document([("/a", {"/b": 1, "id": "7"}), ("/b", {"id": "8"})]) == {"/b": 1, "id": "7"}


@pytest.mark.parametrize(
    ("data", "content"),
    [
        (b'[{"id":"1","n":1.0},{"id":"2"}]', b'{"id":"1","n":1.0}'),
        (b'[{"id":"1","n":1},7,{"id":"1","n":2}]', b'{"id":"1","n":2}'),
        (b'[{"id":"2"},null,[]]', None),
        (b"[]", None),
        (b'{"id":"1"}', None),
        (b"no json", None),
    ],
)
def test_an_element_is_the_last_one_with_its_id_as_the_tool_spelled_it(data: bytes, content: bytes | None) -> None:
    assert content_of(RawPart("/files", RawKey("files", "7"), element="1"), data) == content
    assert content_of(RawPart("/files", RawKey("files", "7")), data) == data
