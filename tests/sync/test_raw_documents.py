"""The raw document of a record."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from atsumi.sync.raw_documents import raw_document

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
