"""Every parameter of every list: what it becomes, and what is refused."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from atsumi.dialects.kombo.lists import LISTS, ListSpec
from atsumi.dialects.kombo.parse import COMMON, list_query, parse
from atsumi.dialects.kombo.tests.kit import ALL_FIELDS, INTEGRATION, FakeServices, integration
from atsumi.errors import InvalidInput
from atsumi.model.ids import record_id, to_base58
from atsumi.model.names import Model
from atsumi.store.reading import Condition, ListQuery, Operator

SPECS = {spec.name: spec for spec in LISTS}


def query(name: str, query_string: str, services: FakeServices | None = None) -> ListQuery | None:
    spec = SPECS[name]
    request = parse(spec, query_string.encode())
    return list_query(spec, request, request.digest_text(), integration(), services or FakeServices())


def only(name: str, query_string: str) -> Condition:
    found = query(name, query_string)
    assert found is not None
    (condition,) = found.conditions
    return condition


A, B = record_id(INTEGRATION, Model.JOB, "a"), record_id(INTEGRATION, Model.JOB, "b")
IDS = f"{to_base58(A)},{to_base58(B)}"
MARCH = datetime(2024, 3, 1, tzinfo=UTC)

CONDITIONS: list[tuple[str, dict[str, str], Condition]] = [
    ("applications", {"outcomes": "PENDING,HIRED"}, Condition(Operator.FACET, "outcome", ["PENDING", "HIRED"])),
    ("applications", {"outcome": "DECLINED"}, Condition(Operator.FACET, "outcome", ["DECLINED"])),
    ("applications", {"job_ids": IDS}, Condition(Operator.REFERENCE, "job_remote_id", [A, B])),
    ("applications", {"job_remote_ids": "a,b"}, Condition(Operator.REFERENCE, "job_remote_id", [A, B])),
    ("applications", {"current_stage_ids": IDS}, Condition(Operator.REFERENCE, "current_stage_remote_id", [A, B])),
    (
        "applications",
        {"remote_created_after": "2024-03-01"},
        Condition(Operator.CREATED_FROM, "remote_created_at", [MARCH]),
    ),
    ("candidates", {"email": "A@B.de"}, Condition(Operator.LOOKUP, "email", ["A@B.de"])),
    (
        "candidates",
        {"job_ids": IDS},
        Condition(Operator.HAS_CHILD, "job_remote_id", [A, B], child=Model.APPLICATION),
    ),
    ("candidates", {"first_name": "Ada"}, Condition(Operator.LOOKUP, "first_name", ["Ada"])),
    ("candidates", {"last_name": "Ex, ample"}, Condition(Operator.LOOKUP, "last_name", ["Ex, ample"])),
    ("jobs", {"job_codes": "X1,X2"}, Condition(Operator.LOOKUP, "job_code", ["X1", "X2"])),
    ("jobs", {"post_url": "https://a.example/1,2"}, Condition(Operator.LOOKUP, "post_url", ["https://a.example/1,2"])),
    ("jobs", {"statuses": "OPEN,DRAFT"}, Condition(Operator.FACET, "status", ["OPEN", "DRAFT"])),
    ("jobs", {"status": "OPEN"}, Condition(Operator.FACET, "status", ["OPEN"])),
    (
        "jobs",
        {"employment_types": "CONTRACT,FULL_TIME"},
        Condition(Operator.FACET, "employment_type", ["CONTRACT", "FREELANCE", "FULL_TIME"]),
    ),
    ("jobs", {"visibilities": "CONFIDENTIAL"}, Condition(Operator.FACET, "visibility", ["CONFIDENTIAL"])),
    ("jobs", {"remote_created_after": "2024-03-01"}, Condition(Operator.CREATED_FROM, "remote_created_at", [MARCH])),
    ("jobs", {"name_contains": "dev"}, Condition(Operator.FACET_CONTAINS, "name", ["dev"])),
    ("users", {"emails": "a@b.de,c@d.de"}, Condition(Operator.LOOKUP, "email", ["a@b.de", "c@d.de"])),
    ("roles", {"scopes": "SYSTEM,JOB"}, Condition(Operator.FACET, "scope", ["SYSTEM", "JOB"])),
    (
        "interviews",
        {"job_ids": IDS},
        Condition(Operator.VIA_PARENT, "job_remote_id", [A, B], via="application_remote_id"),
    ),
    *(
        (name, {f"{what}_ids": IDS}, Condition(Operator.REFERENCE, f"{what}_remote_id", [A, B]))
        for name in ("notes", "scorecards", "attachments")
        for what in ("candidate", "application")
    ),
]


@pytest.mark.parametrize(("name", "parameters", "expected"), CONDITIONS, ids=str)
def test_a_filter_becomes_a_condition(name: str, parameters: dict[str, str], expected: Condition) -> None:
    assert only(name, urlencode(parameters)) == expected
    assert only(name, urlencode(parameters, safe=",")) == expected


def test_every_filter_is_tested() -> None:
    tested = {(name, next(iter(parameters))) for name, parameters, _ in CONDITIONS}
    assert tested == {(spec.name, filter_.name) for spec in LISTS for filter_ in spec.filters}


@pytest.mark.parametrize("spec", LISTS, ids=lambda spec: spec.name)
def test_every_list_has_the_same_defaults(spec: ListSpec) -> None:
    expected = ListQuery(model=spec.model, page_size=100)
    assert query(spec.name, "") == expected
    assert query(spec.name, "page_size=100&include_deleted=false&ignore_unsupported_filters=false") == expected


@pytest.mark.parametrize("spec", LISTS, ids=lambda spec: spec.name)
def test_every_list_takes_the_common_parameters(spec: ListSpec) -> None:
    own = record_id(INTEGRATION, spec.model, "7")
    found = query(
        spec.name,
        f"page_size=250&updated_after=2024-03-01T00:00:00Z&include_deleted=True&ids={to_base58(own)},x&remote_ids=7,8",
    )
    assert found == ListQuery(model=spec.model, page_size=250, updated_after=MARCH, include_deleted=True, ids=[own])


@pytest.mark.parametrize(
    ("query_string", "ids"),
    [
        ("ids=", []),
        ("ids=nonsense", []),
        ("ids=,,", []),
        (f"ids={IDS}", [A, B]),
        (f"ids={to_base58(A)}&ids={to_base58(B)}", [A, B]),
        ("remote_ids=a%2Cb", [A, B]),
        (f"ids={to_base58(A)}&remote_ids=b", []),
    ],
)
def test_ids_that_nobody_has_match_nothing(query_string: str, ids: list[Any]) -> None:
    found = query("jobs", query_string)
    assert found is not None
    assert found.ids == ids


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-03-01", MARCH),
        ("2024-03-01Z", MARCH),
        ("2024-03-01T00:00:00Z", MARCH),
        ("2024-03-01T00:00:00.000Z", MARCH),
        ("2024-03-01T00:00:00", MARCH),
        ("2024-03-01 00:00:00", MARCH),
        ("2024-03-01T00:00", MARCH),
        ("2024-03-01T02:00:00%2B02:00", MARCH),
        ("2024-03-01T02:00:00+02:00", MARCH),
        ("2024-02-29T22:30:00-0130", MARCH),
        ("2024-03-01T00:00:00.123456789Z", MARCH.replace(microsecond=123456)),
    ],
)
def test_a_date_may_come_without_time_fraction_or_zone(text: str, expected: datetime) -> None:
    found = query("tags", f"updated_after={text}")
    assert found is not None
    assert found.updated_after == expected


@pytest.mark.parametrize(
    ("name", "query_string", "says"),
    [
        ("jobs", "page_size=0", "from 1 to 250"),
        ("jobs", "page_size=251", "from 1 to 250"),
        ("jobs", "page_size=-1", "from 1 to 250"),
        ("jobs", "page_size=1.0", "from 1 to 250"),
        ("jobs", "page_size=" + "9" * 5000, "from 1 to 250"),
        ("jobs", "page_size=٣", "UTF-8"),
        ("jobs", "page_size=%D9%A3", "from 1 to 250"),
        ("jobs", "page_size=1&page_size=2", "more than once"),
        ("jobs", "include_deleted=1", "`true` or `false`"),
        ("jobs", "include_deleted=", "is empty"),
        ("jobs", "cursor=", "is empty"),
        ("jobs", "updated_after=yesterday", "must be a date"),
        ("jobs", "updated_after=2024-13-01", "must be a date"),
        ("jobs", "updated_after=2024-01-01T25:00:00Z", "must be a date"),
        ("jobs", "updated_after=2024-01-01%2B02:00", "must be a date"),
        ("jobs", "updated_after=0001-01-01T00:00:00%2B12:00", "must be a date"),
        ("jobs", "statuses=OPEN,GONE", "Allowed: OPEN, CLOSED, DRAFT, ARCHIVED"),
        ("jobs", "employment_types=FREELANCE", "Allowed: FULL_TIME, PART_TIME, CONTRACT, SEASONAL, INTERNSHIP"),
        ("applications", "outcome=MAYBE", "Allowed: PENDING, HIRED, DECLINED"),
        ("roles", "scopes=ALL", "Allowed: SYSTEM, JOB"),
        ("jobs", "job_code=X", "Did you mean `job_codes`?"),
        ("tags", "job_ids=x", "`/ats/tags` has no parameter `job_ids`"),
        ("tags", "remote_ids=%ff", "UTF-8"),
        ("tags", "remote_ids=a%00b", "zero byte"),
        ("candidates", "email=", "is empty"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(name: str, query_string: str, says: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(SPECS[name], query_string.encode())
    assert says in str(refused.value)


def test_an_empty_part_of_a_name_is_no_restriction() -> None:
    found = query("jobs", "name_contains=")
    assert found is not None
    assert found.conditions == ()


def without(model: Model, field: str) -> FakeServices:
    kept = {name: how for name, how in ALL_FIELDS[model].items() if name != field}
    return FakeServices({**ALL_FIELDS, model: kept})


@pytest.mark.parametrize(("name", "parameters", "expected"), CONDITIONS, ids=str)
def test_a_filter_on_a_field_that_the_tool_lacks_empties_the_list_unless_it_is_to_be_ignored(
    name: str, parameters: dict[str, str], expected: Condition
) -> None:
    (filter_,) = [filter_ for filter_ in SPECS[name].filters if filter_.name in parameters]
    for model, field in filter_.needs:
        services = without(model, field)
        assert query(name, urlencode(parameters), services) is None
        found = query(name, urlencode({**parameters, "ignore_unsupported_filters": "true"}), services)
        assert found is not None
        assert found.conditions == ()


def test_a_model_that_the_tool_lacks_is_an_empty_list() -> None:
    services = FakeServices({})
    assert all(query(spec.name, "", services) is None for spec in LISTS)


def test_remote_data_is_read_where_the_integration_shows_it() -> None:
    spec = SPECS["jobs"]
    services = FakeServices()
    services.change_integration(remote_data_enabled=True)
    request = parse(spec, b"")
    found = list_query(spec, request, b"", services.integrations[INTEGRATION], services)
    assert found is not None
    assert found.with_remote_ids


def test_common_parameters_are_not_filters_of_a_list() -> None:
    assert not {filter_.name for spec in LISTS for filter_ in spec.filters} & set(COMMON)


@given(query_string=st.binary(max_size=60) | st.text("idsremot_=&,%0aZ2-:T+", max_size=60).map(str.encode))
def test_any_query_string_is_understood_or_refused(query_string: bytes) -> None:
    for spec in LISTS:
        with contextlib.suppress(InvalidInput):
            request = parse(spec, query_string)
            assert list_query(spec, request, request.digest_text(), integration(), FakeServices())


@given(
    instant=st.datetimes(timezones=st.just(UTC)),
    minutes=st.integers(-1439, 1439),
)
def test_any_instant_is_read_as_it_was_meant(instant: datetime, minutes: int) -> None:
    assume(2 < instant.year < 9998)
    text = instant.astimezone(timezone(timedelta(minutes=minutes))).isoformat()
    for spelled in (urlencode({"updated_after": text}), f"updated_after={text}"):
        assert parse(SPECS["tags"], spelled.encode()).updated_after == instant
