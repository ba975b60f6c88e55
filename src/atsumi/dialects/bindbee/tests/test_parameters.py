"""Every parameter of every list: what it becomes, and what is refused."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Header, Query
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from atsumi.dialects.bindbee.errors import InvalidRequest
from atsumi.dialects.bindbee.lists import LISTS, ListSpec
from atsumi.dialects.bindbee.parse import ListRequest, keys_of, list_parameters, parse
from atsumi.dialects.bindbee.tests.kit import SPECS, TOKEN, FakeServices, client
from atsumi.dialects.kombo.tests.kit import INTEGRATION, integration
from atsumi.model.ids import record_id
from atsumi.model.names import Model
from atsumi.store.reading import Condition, ListQuery, Operator, Position

KEY = b"key"
A, B = record_id(INTEGRATION, Model.JOB, "a"), record_id(INTEGRATION, Model.JOB, "b")
IDS = f"{A},{B}"
MARCH = datetime(2024, 3, 1, tzinfo=UTC)
CREATED = ("remote_created_at", [MARCH])
DATED = (
    "candidates",
    "applications",
    "jobs",
    "scheduled-interviews",
    "offers",
    "attachments",
    "remote-users",
    "activities",
    "scorecards",
)
"""The lists whose records have a date of creation."""


def request(name: str, query_string: str) -> ListRequest:
    return parse(SPECS[name], query_string.encode(), integration(), KEY)


def query(name: str, query_string: str) -> ListQuery:
    found = request(name, query_string).query
    assert found is not None
    return found


CONDITIONS: list[tuple[str, dict[str, str], Condition]] = [
    ("candidates", {"company": "Acme,Beta"}, Condition(Operator.LOOKUP, "company", ["Acme", "Beta"])),
    ("candidates", {"first_name": "Ada, B"}, Condition(Operator.LOOKUP, "first_name", ["Ada, B"])),
    ("candidates", {"last_name": "Example"}, Condition(Operator.LOOKUP, "last_name", ["Example"])),
    ("candidates", {"tag": "Top"}, Condition(Operator.NAMED, "name", ["Top"], child=Model.TAG)),
    ("candidates", {"email_addresses": "a@b.de,c@d.de"}, Condition(Operator.LOOKUP, "email", ["a@b.de", "c@d.de"])),
    (
        "applications",
        {"current_stage": IDS},
        Condition(Operator.JOINED, "stage_remote_id", [A, B], child=Model.JOB_STAGE),
    ),
    ("applications", {"credited_to": IDS}, Condition(Operator.REFERENCE, "credited_to_remote_id", [A, B])),
    ("applications", {"source": "a,b"}, Condition(Operator.FACET, "source", ["a,b"])),
    ("applications", {"job": IDS}, Condition(Operator.REFERENCE, "job_remote_id", [A, B])),
    ("applications", {"candidate": IDS}, Condition(Operator.REFERENCE, "candidate_remote_id", [A, B])),
    ("applications", {"reject_reason": IDS}, Condition(Operator.REFERENCE, "rejection_reason_remote_id", [A, B])),
    ("jobs", {"code": "X1"}, Condition(Operator.LOOKUP, "job_code", ["X1"])),
    ("jobs", {"status": "ON_HOLD"}, Condition(Operator.FACET, "status", ["ON_HOLD"])),
    ("jobs", {"offices": IDS}, Condition(Operator.REFERENCE, "office_remote_ids", [A, B])),
    ("job-interview-stages", {"job": IDS}, Condition(Operator.REFERENCE, "job_remote_id", [A, B])),
    ("scheduled-interviews", {"application": IDS}, Condition(Operator.REFERENCE, "application_remote_id", [A, B])),
    ("scheduled-interviews", {"organizer": IDS}, Condition(Operator.REFERENCE, "organizer", [])),
    (
        "scheduled-interviews",
        {"job_interview_stage": IDS},
        Condition(Operator.JOINED, "stage_remote_id", [A, B], child=Model.JOB_STAGE, via="application_remote_id"),
    ),
    ("offers", {"application": IDS}, Condition(Operator.REFERENCE, "application_remote_id", [A, B])),
    ("offers", {"creator": IDS}, Condition(Operator.REFERENCE, "creator", [])),
    ("attachments", {"candidate": IDS}, Condition(Operator.REFERENCE, "candidate_remote_id", [A, B])),
    ("remote-users", {"email": "a@b.de"}, Condition(Operator.LOOKUP, "email", ["a@b.de"])),
    ("activities", {"user": IDS}, Condition(Operator.REFERENCE, "author_remote_id", [A, B])),
    ("activities", {"candidate": IDS}, Condition(Operator.REFERENCE, "candidate_remote_id", [A, B])),
    ("scorecards", {"application": IDS}, Condition(Operator.REFERENCE, "application_remote_id", [A, B])),
    ("scorecards", {"interview": IDS}, Condition(Operator.REFERENCE, "interview_remote_id", [A, B])),
    ("scorecards", {"interviewer": IDS}, Condition(Operator.REFERENCE, "author_remote_id", [A, B])),
    ("screening-questions", {"job": IDS}, Condition(Operator.REFERENCE, "job_remote_id", [A, B])),
    *((name, {"created_after": "2024-03-01"}, Condition(Operator.CREATED_FROM, *CREATED)) for name in DATED),
    *((name, {"created_before": "2024-03-01"}, Condition(Operator.CREATED_BEFORE, *CREATED)) for name in DATED),
]


@pytest.mark.parametrize(("name", "parameters", "expected"), CONDITIONS, ids=str)
def test_a_filter_becomes_a_condition(name: str, parameters: dict[str, str], expected: Condition) -> None:
    assert list(query(name, urlencode(parameters)).conditions) == [expected]
    assert list(query(name, urlencode(parameters, safe=",")).conditions) == [expected]


def test_every_filter_is_tested() -> None:
    tested = {(name, next(iter(parameters))) for name, parameters, _ in CONDITIONS}
    assert tested == {(spec.name, filter_.name) for spec in LISTS for filter_ in spec.filters if spec.model}
    assert request("eeocs", f"candidate={IDS}").query is None


def test_mail_addresses_may_be_repeated() -> None:
    (condition,) = query("candidates", "email_addresses=a@b.de&email_addresses=c@d.de,e@f.de").conditions
    assert condition.values == ["a@b.de", "c@d.de", "e@f.de"]


@pytest.mark.parametrize("spec", [spec for spec in LISTS if spec.model], ids=lambda spec: spec.name)
def test_every_list_takes_the_common_parameters(spec: ListSpec) -> None:
    assert spec.model is not None
    assert query(spec.name, "") == ListQuery(model=spec.model, page_size=50)
    own = record_id(INTEGRATION, spec.model, "7")
    found = query(
        spec.name,
        f"page_size=200&modified_after=2024-03-01T00:00:00Z&modified_before=2024-03-02"
        f"&ids={own},x&remote_id=7&include_raw_data=1&include_custom_fields=True",
    )
    assert found == ListQuery(
        model=spec.model,
        page_size=200,
        updated_from=MARCH,
        updated_before=MARCH.replace(day=2),
        ids=[own],
        with_remote_ids=True,
        with_custom_fields=True,
    )


@pytest.mark.parametrize("parameter", ["created_after", "created_before"])
@pytest.mark.parametrize("spec", [spec for spec in LISTS if spec.name not in DATED], ids=lambda spec: spec.name)
def test_a_list_whose_records_have_no_date_of_creation_refuses_to_narrow_by_it(spec: ListSpec, parameter: str) -> None:
    assert {"remote_created_at", "applied_at"}.isdisjoint(keys_of(spec))
    with pytest.raises(InvalidRequest) as refused:
        request(spec.name, f"{parameter}=2024-03-01")
    (fault,) = refused.value.faults
    assert (fault.loc, fault.type) == (["query", parameter], "extra_forbidden")


@pytest.mark.parametrize(
    ("query_string", "ids"),
    [
        ("ids=", []),
        ("ids=nonsense", []),
        ("ids=,,", []),
        (f"ids={IDS}", [A, B]),
        (f"ids={A}&ids={B}", [A, B]),
        (f"ids={A.hex.upper()}", [A]),
        ("remote_id=a", [A]),
        ("remote_id=a,b", [record_id(INTEGRATION, Model.JOB, "a,b")]),
        (f"ids={IDS}&remote_id=b", [B]),
        (f"ids={A}&remote_id=b", []),
    ],
)
def test_ids_that_nobody_has_match_nothing(query_string: str, ids: list[Any]) -> None:
    assert query("jobs", query_string).ids == ids


@pytest.mark.parametrize(
    ("name", "query_string", "where", "type", "says"),
    [
        ("jobs", "job_code=X", "job_code", "extra_forbidden", "Extra inputs are not permitted"),
        ("jobs", "candidate=x", "candidate", "extra_forbidden", "Extra inputs are not permitted"),
        ("jobs", "page_size=1&page_size=2", "page_size", "value_error", "more than once"),
        ("jobs", "cursor=", "cursor", "string_too_short", "at least 1 character"),
        ("jobs", "cursor=abc", "cursor", "value_error", "was not given out for this list"),
        ("jobs", "modified_after=yesterday", "modified_after", "datetime_from_date_parsing", "valid datetime or date"),
        ("jobs", "created_before=2024-13-01", "created_before", "datetime_from_date_parsing", "valid datetime"),
        ("jobs", "code=a%00b", "code", "value_error", "zero byte"),
        ("jobs", "code=" + "a" * 70_000, "code", "value_error", "far too long"),
        ("jobs", "expand=candidate", "expand", "value_error", "Known: departments, offices, hiring_managers"),
        ("tags", "expand=job", "expand", "value_error", "Known: none"),
        ("applications", "expand=job[nome]", "expand", "value_error", "Known: id, remote_id, name, description"),
        ("applications", "expand=job[name", "expand", "value_error", "name[key,key]"),
        ("applications", "expand=job[]", "expand", "value_error", "name[key,key]"),
        ("applications", "expand=job[name]]", "expand", "value_error", "name[key,key]"),
        ("applications", "expand=job,,candidate", "expand", "value_error", "name[key,key]"),
        ("applications", "expand=job,job[name]", "expand", "value_error", "named twice"),
        ("applications", "expand=job.departments", "expand", "value_error", "is no relation"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(
    name: str, query_string: str, where: str, type: str, says: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        request(name, query_string)
    (fault,) = refused.value.faults
    assert (fault.loc, fault.type) == (["query", where], type)
    assert says in fault.msg


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InvalidRequest) as refused:
        request("jobs", "page_size=0&x=1&include_raw_data=maybe")
    assert [fault.loc[1] for fault in refused.value.faults] == ["page_size", "x", "include_raw_data"]


@pytest.mark.parametrize("query_string", ["code=%ff", "&".join(["x=1"] * 2000)])
def test_a_query_string_that_is_none_is_refused(query_string: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        request("jobs", query_string)
    assert refused.value.faults[0].loc == ["query"]


def test_relations_may_be_cut_down_to_some_keys() -> None:
    found = request("applications", "expand=job[name,%20code,name],candidate").shape.expansions
    assert [(one.relation, one.target.name, one.fields) for one in found] == [
        ("job", "jobs", ("name", "code")),
        ("candidate", "candidates", None),
    ]


# What the framework that the published service is built with says of the same mistakes.


class Parameters(BaseModel):
    model_config = {"extra": "forbid"}

    page_size: int = Query(50, ge=1, le=200)
    include_raw_data: bool = False


class Named(BaseModel):
    id: UUID


def original() -> FastAPI:
    app = FastAPI()

    @app.get("/api/ats/v1/jobs")
    def jobs(
        parameters: Annotated[Parameters, Query()], x_connector_token: Annotated[str, Header()]
    ) -> Literal["fine"]:
        return "fine"

    @app.get("/api/ats/v1/jobs/{id}")
    def job(id: UUID) -> Literal["fine"]:
        return "fine"

    return app


@pytest.mark.parametrize(
    "path",
    [
        "jobs?page_size=0",
        "jobs?page_size=-1",
        "jobs?page_size=201",
        "jobs?page_size=x",
        "jobs?page_size=",
        "jobs?page_size=1.5",
        "jobs?include_raw_data=maybe",
        "jobs?nonsense=1",
        "jobs?nonsense=1&page_size=0",
        "jobs/x",
        "jobs/018b4bfb-5ece-70b1-ad5e",
        "missing",
        "jobs/a/b",
    ],
)
async def test_mistakes_are_told_as_the_framework_of_the_published_service_tells_them(path: str) -> None:
    transport = httpx.ASGITransport(app=original())
    async with httpx.AsyncClient(transport=transport, base_url="http://theirs.test") as theirs:
        expected = await theirs.get(f"/api/ats/v1/{path}", headers={"x-connector-token": TOKEN})
    async with client(FakeServices()) as ours:
        answer = await ours.get(f"/api/ats/v1/{path}")
    assert answer.status_code == expected.status_code
    if answer.status_code == 422:
        told = {tuple(one["loc"]): one for one in expected.json()["detail"]}
        found = {tuple(one["loc"]): one for one in answer.json()["detail"]}
        assert set(found) == set(told)
        for loc, one in told.items():
            if one["type"] in ("uuid_parsing",) or one["input"] == "":
                continue
            assert found[loc] == one
    else:
        assert answer.json() == expected.json()


@given(query_string=st.binary(max_size=60) | st.text("idsexpandjob[]_=&,%0aZ2-:T+", max_size=60).map(str.encode))
def test_any_query_string_is_understood_or_refused(query_string: bytes) -> None:
    for spec in LISTS:
        with contextlib.suppress(InvalidRequest):
            parse(spec, query_string, integration(), KEY)


def test_common_parameters_are_not_filters_of_a_list() -> None:
    for spec in LISTS:
        names = [parameter.name for parameter in list_parameters(spec)]
        assert len(names) == len(set(names))


# Cursors.

PLACE = Position(seq=77, id=UUID(int=5))


def test_a_cursor_leads_back_to_its_place() -> None:
    first = request("jobs", "status=OPEN&page_size=7")
    text = first.cursor(KEY, PLACE)
    again = query("jobs", f"status=OPEN&page_size=9&include_raw_data=true&expand=offices&cursor={text}")
    assert again.after == PLACE


@pytest.mark.parametrize(
    ("name", "query_string"),
    [
        ("jobs", ""),
        ("jobs", "status=CLOSED"),
        ("jobs", "code=OPEN"),
        ("jobs", "status=OPEN&modified_after=2024-01-01"),
        ("jobs", "status=OPEN&ids="),
        ("tags", ""),
    ],
)
def test_a_cursor_of_another_list_or_other_filters_is_refused(name: str, query_string: str) -> None:
    text = request("jobs", "status=OPEN").cursor(KEY, PLACE)
    for spelled in (text, text[:-1], text[:20], text + "A", text[::-1], "A" * 52):
        with pytest.raises(InvalidRequest, match="was not given out for this list"):
            request(name, f"{query_string}&cursor={spelled}")


@pytest.mark.parametrize(("key", "id"), [(b"another", INTEGRATION), (KEY, UUID(int=9))])
def test_a_cursor_of_another_key_or_integration_is_refused(key: bytes, id: UUID) -> None:
    text = request("jobs", "").cursor(key, PLACE)
    other = integration() if id == INTEGRATION else replace(integration(), public_id=id)
    with pytest.raises(InvalidRequest, match="was not given out"):
        parse(SPECS["jobs"], f"cursor={text}".encode(), other, KEY)
