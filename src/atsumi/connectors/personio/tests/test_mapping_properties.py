"""The mapping on anything that JSON can hold."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atsumi.connector.contract import MappingContext, Page, RawRecord
from atsumi.connectors.personio import raw
from atsumi.connectors.personio.mapping import mapping
from atsumi.connectors.personio.mapping.addresses import GROUP_OF_STREAM
from atsumi.connectors.personio.tests.fixed import CONFIG, fixture
from atsumi.connectors.personio.tests.stored import APPLICATION, CANDIDATE, CATEGORY, JOB, Stored, control, position
from atsumi.testing.reading import RawStore

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=6,
)
DOCUMENTED = {
    raw.JOBS: JOB,
    raw.JOB_STUBS: APPLICATION["job"],
    raw.APPLICATIONS: APPLICATION,
    raw.CANDIDATES: CANDIDATE,
    raw.CANDIDATE_STUBS: APPLICATION["candidate"],
    raw.CATEGORIES: CATEGORY,
    raw.PERSONS: fixture("list_persons")["_data"][0],
    raw.FORMS: {"language": "de", "controls": [control("custom_attribute_1", "select")]},
    raw.QUESTIONS: control("custom_attribute_1", "select"),
    raw.STAGES: APPLICATION["current_stage"],
    raw.CATEGORY_STAGES: CATEGORY["stages"][1],
    raw.DEPARTMENTS: JOB["department"],
}


def mutated(value: Any, draw: Any) -> Any:
    """The value with some parts missing, replaced by anything, or joined by unknown fields."""
    change = draw(st.sampled_from(["keep", "keep", "keep", "replace", "drop"]))
    if change == "replace":
        return draw(json_values)
    if isinstance(value, dict):
        kept = {key: mutated(item, draw) for key, item in value.items() if draw(st.integers(0, 5))}
        return {**kept, **draw(st.dictionaries(st.text(max_size=8), json_values, max_size=1))}
    if isinstance(value, list):
        return [mutated(item, draw) for item in value]
    return value


@st.composite
def accounts(draw: Any) -> RawStore:
    store = RawStore()
    for stream, value in DOCUMENTED.items():
        data = msgspec.json.encode(mutated(value, draw))
        store.save(Page([RawRecord(stream, "5101", data)]))
        if draw(st.integers(0, 9)) == 0:
            store.remove(stream, "5101")
    for stream in (raw.JOB_STAGES_SEEN, raw.ANONYMIZED):
        store.save(Page([RawRecord(stream, "5101:31001", b"{}")]))
    for stream in ("feed:de", "feed:en"):
        words = st.sampled_from(["permanent", "intern", "gig", "", "full-time", "2026-01-01", "1e5", "ü"])
        xml = position(**{name: draw(words) for name in ("employmentType", "schedule", "createdAt", "office", "name")})
        store.save(Page([RawRecord(stream, "5101", msgspec.json.encode(draw(st.sampled_from([xml, "", "<a>"]))))]))
    return store


# How long a busy machine takes to draw an account says nothing about the mapping.
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(accounts())
def test_the_mapping_is_total_and_gives_the_same_bytes_again(store: RawStore) -> None:
    def build() -> list[bytes]:
        stored = Stored()
        stored.reading.store = store
        results = [stored.build(model, "5101") for model in mapping.rules]
        return [msgspec.json.encode(item, order="sorted") for found, issues in results for item in [*found, *issues]]

    assert build() == build()


@given(st.sampled_from(sorted(DOCUMENTED)), json_values)
def test_observations_are_total(stream: str, value: Any) -> None:
    source = value if isinstance(value, dict) else {"hiring_team": value, "stages": value, "controls": value}
    for observe in (raw.of_category, raw.of_job, raw.of_form):
        for record in observe(source):
            assert record.remote_id
            json.loads(record.data)
    assert all(record.remote_id for record in raw.of_application({"current_stage": value, "job": value}, "1"))


@given(st.text(max_size=12))
def test_every_raw_record_feeds_at_most_one_group_of_a_rule(remote_id: str) -> None:
    for stream in [*GROUP_OF_STREAM, raw.CATEGORIES, raw.CATEGORY_NAMES, "malformed:jobs", "unknown"]:
        groups = list(mapping.affected(RawRecord(stream, remote_id, b"{}"), MappingContext(CONFIG)))
        assert len(groups) == (1 if stream in GROUP_OF_STREAM else 0)
        assert all(group.model in mapping.rules for group in groups)
