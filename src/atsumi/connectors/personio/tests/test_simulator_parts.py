"""Parts of the simulator on their own, and rules about its tests."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from atsumi.connectors.personio.simulator import Switches
from atsumi.connectors.personio.simulator.ordered import Ordered
from atsumi.connectors.personio.simulator.pdf import document


@dataclasses.dataclass
class Record:
    id: int
    updated_at: int


@given(
    starts=st.lists(st.integers(1, 50), max_size=20),
    changes=st.lists(st.tuples(st.sampled_from(["touch", "remove"]), st.integers(0, 19)), max_size=20),
    limit=st.integers(1, 7),
    newer_than=st.none() | st.integers(0, 120),
    older_than=st.none() | st.integers(0, 120),
)
def test_pages_of_an_ordered_list_are_its_records_by_instant(
    starts: list[int],
    changes: list[tuple[str, int]],
    limit: int,
    newer_than: int | None,
    older_than: int | None,
) -> None:
    ordered = Ordered(Record(number, at) for number, at in enumerate(starts))
    for step, (change, number) in enumerate(changes):
        record = ordered.get(number)
        if record is not None:
            ordered.touch(record, 100 + step) if change == "touch" else ordered.remove(record)
    expected = [
        record.id
        for record in sorted(ordered, key=lambda item: -item.updated_at)
        if (newer_than is None or record.updated_at > newer_than)
        and (older_than is None or record.updated_at < older_than)
    ]
    assert len({record.updated_at for record in ordered}) == len(ordered)
    found: list[int] = []
    before, has_more = None, True
    while has_more:
        page, has_more = ordered.page(limit, before=before, newer_than=newer_than, older_than=older_than)
        assert len(page) <= limit
        found += [record.id for record in page]
        before = page[-1].updated_at if page else before
    assert found == expected


@given(st.text(max_size=40), st.lists(st.text(max_size=60), max_size=5))
def test_any_text_makes_a_pdf_whose_offsets_are_right(title: str, lines: list[str]) -> None:
    content = document(title, tuple(lines))
    table = content[int(content.rpartition(b"startxref\n")[2].split()[0]) :].split(b"\n")
    assert table[0] == b"xref"
    for number, entry in enumerate(table[3:8], start=1):
        assert content[int(entry[:10]) :].startswith(b"%d 0 obj" % number)
    assert content.endswith(b"%%EOF\n")


def test_every_switch_is_named_by_a_test() -> None:
    written = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_simulator_*.py"))
    missing = [item.name for item in dataclasses.fields(Switches) if item.name not in written]
    assert missing == []
