"""From a draft to the body of v1, and from the tool's field names back to the draft."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsumi.connectors.personio.simulator.writing import submission_from
from atsumi.connectors.personio.submission import path_of, submission
from atsumi.model.draft import (
    Answer,
    ApplicationDraft,
    FileDraft,
    Gender,
    Ref,
    SalaryExpectation,
    SourceDraft,
)
from atsumi.model.enums import AttachmentType, QuestionType, SalaryPeriod
from atsumi.model.parts import Location

CV, LETTER, OTHER = AttachmentType.CV, AttachmentType.COVER_LETTER, AttachmentType.OTHER


def draft(**fields: Any) -> ApplicationDraft:
    least = {"job": Ref(remote_id="4101"), "first_name": "Ada", "last_name": "B", "email_address": "ada@example.com"}
    return ApplicationDraft(**{**least, **fields})


def body(**fields: Any) -> dict[str, Any]:
    made = draft(**fields)
    return submission(made, [f"uuid {index}" for index in range(len(made.files))]).body


def attributes(**fields: Any) -> dict[str, str]:
    return {item["id"]: item["value"] for item in body(**fields).get("attributes", [])}


def answer(value: Any, kind: QuestionType, name: str = "custom_attribute_5", **more: Any) -> Answer:
    return Answer(question=Ref(remote_id=name), value=value, type=kind, **more)


def test_the_least_is_names_address_and_the_job_as_a_number() -> None:
    assert body() == {"first_name": "Ada", "last_name": "B", "email": "ada@example.com", "job_position_id": 4101}


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"source": SourceDraft(id="77")}, "recruiting_channel_id", 77),
        ({"message": "Guten Tag"}, "message", "Guten Tag"),
        ({"applied_on": date(2026, 11, 1)}, "application_date", "2026-11-01"),
        ({"stage": Ref(remote_id="system:offer")}, "phase", {"type": "system", "id": "offer"}),
        ({"stage": Ref(remote_id="8801")}, "phase", {"type": "custom", "id": 8801}),
        ({"stage": Ref(remote_id="a-stage")}, "phase", {"type": "custom", "id": "a-stage"}),
        ({"tags": ["Neu", "Intern"]}, "tags", ["Neu", "Intern"]),
        ({"job": Ref(remote_id="P-7")}, "job_position_id", "P-7"),
        ({"job": Ref(remote_id="٤١")}, "job_position_id", "٤١"),
    ],
)
def test_fields_of_the_body(fields: dict[str, Any], name: str, value: object) -> None:
    assert body(**fields)[name] == value


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"phone_number": "+49 30 1"}, "phone", "+49 30 1"),
        ({"gender": Gender.MALE}, "gender", "male"),
        ({"gender": Gender.FEMALE}, "gender", "female"),
        ({"gender": Gender.OTHER}, "gender", "diverse"),
        ({"birthday": date(1990, 2, 28)}, "birthday", "1990-02-28"),
        ({"available_from": date(2027, 1, 1)}, "available_from", "2027-01-01"),
        ({"location": Location(city="Berlin", country="DE")}, "location", "Berlin, DE"),
        ({"location": Location(city="Berlin")}, "location", "Berlin"),
        ({"location": Location(raw="bei Berlin", city="Berlin")}, "location", "bei Berlin"),
        (
            {"location": Location(street_1="Weg 1", zip_code="10115", city="Berlin", state="BE", country="DE")},
            "location",
            "Weg 1, 10115 Berlin, BE, DE",
        ),
    ],
)
def test_fields_that_are_attributes(fields: dict[str, Any], name: str, value: str) -> None:
    assert attributes(**fields) == {name: value}


@pytest.mark.parametrize(
    ("amount", "period", "text"),
    [
        (60000.0, SalaryPeriod.YEAR, "60000"),
        (5000.0, SalaryPeriod.MONTH, "60000"),
        (4166.67, SalaryPeriod.MONTH, "50000.04"),
        (48123.5, SalaryPeriod.YEAR, "48123.5"),
        (1e16, SalaryPeriod.YEAR, "10000000000000000"),
        (25.5, SalaryPeriod.HOUR, "25.5 per hour"),
        (1500.0, SalaryPeriod.TWO_WEEKS, "1500 per two weeks"),
    ],
)
def test_a_salary_is_the_plain_amount_per_year(amount: float, period: SalaryPeriod, text: str) -> None:
    expectation = SalaryExpectation(amount=amount, period=period)
    assert attributes(salary_expectation=expectation) == {"salary_expectations": text}


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (QuestionType.TEXT, "Ja", "Ja"),
        (QuestionType.SINGLE_SELECT, "custom_option_7", "custom_option_7"),
        (QuestionType.BOOLEAN, True, "true"),
        (QuestionType.BOOLEAN, False, "false"),
        (QuestionType.NUMBER, 3.0, "3"),
        (QuestionType.NUMBER, 40, "40"),
        (QuestionType.NUMBER, 0.00001, "0.00001"),
        (QuestionType.DATE, "2026-11-01", "2026-11-01"),
    ],
)
def test_answers_are_custom_attributes(kind: QuestionType, value: object, text: str) -> None:
    assert attributes(answers=[answer(value, kind)]) == {"custom_attribute_5": text}


def test_a_file_is_no_answer_but_goes_with_the_application() -> None:
    made = draft(answers=[answer(None, QuestionType.FILE, file=0, path="asked.0")], files=[FileDraft(name="a.pdf")])
    found = submission(made, ["uuid"])
    assert "attributes" not in found.body
    assert [file["uuid"] for file in found.body["files"]] == ["uuid"]
    [warning] = found.warnings
    assert warning.startswith("asked.0: ")


@pytest.mark.parametrize(
    ("types", "categories"),
    [
        ([CV, LETTER, OTHER], ["cv", "cover-letter", "other"]),
        ([OTHER, CV, CV], ["other", "cv", "other"]),
        ([LETTER, LETTER], ["cover-letter", "cover-letter"]),
    ],
)
def test_the_first_cv_is_the_cv(types: list[AttachmentType], categories: list[str]) -> None:
    found = body(files=[FileDraft(name=f"{at}.pdf", type=kind) for at, kind in enumerate(types)])["files"]
    assert [file["category"] for file in found] == categories
    assert [(file["uuid"], file["original_filename"]) for file in found] == [
        (f"uuid {at}", f"{at}.pdf") for at in range(len(types))
    ]


def test_fields_of_the_tools_own_stand_above_the_draft() -> None:
    more = {"message": "mine", "external_posting_id": "pid-1", "tags": ["only"], "phase": None}
    found = body(message="yours", tags=["Neu"], stage=Ref(remote_id="1"), remote_fields=more)
    assert {name: found[name] for name in more} == more


def test_attributes_are_put_together_by_id() -> None:
    more = [{"id": "phone", "value": "2"}, {"id": "custom_attribute_9", "value": "x"}]
    found = attributes(phone_number="1", gender=Gender.MALE, remote_fields={"attributes": more})
    assert found == {"gender": "male", "phone": "2", "custom_attribute_9": "x"}


@pytest.mark.parametrize("odd", ["text", {"id": "phone"}, [1], [{"value": "no id"}], [{"id": ["phone"], "value": "1"}]])
def test_attributes_of_no_form_are_left_for_the_tool_to_judge(odd: Any) -> None:
    made = draft(phone_number="1", remote_fields={"attributes": odd})
    sent = submission(made, []).body
    assert sent["attributes"] in (odd, [{"id": "phone", "value": "1"}, *odd])
    assert path_of(made, sent, "attributes[1].value") in (None, "remote_fields.attributes")


WORD = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=20)
NUMBERS = st.integers(1, 10**15).map(str)
DATES = st.none() | st.dates()


@st.composite
def drafts(draw: st.DrawFn) -> ApplicationDraft:
    kinds = {
        QuestionType.TEXT: WORD,
        QuestionType.SINGLE_SELECT: WORD,
        QuestionType.BOOLEAN: st.booleans(),
        QuestionType.NUMBER: st.floats(-1e12, 1e12) | st.integers(-(10**12), 10**12),
        QuestionType.DATE: st.dates().map(date.isoformat),
    }
    asked = draw(st.dictionaries(st.integers(1, 99), st.sampled_from(sorted(kinds)), max_size=4))
    maybe = st.none() | WORD
    return draft(
        job=Ref(remote_id=draw(NUMBERS)),
        first_name=draw(WORD),
        last_name=draw(WORD),
        phone_number=draw(maybe),
        gender=draw(st.none() | st.sampled_from(Gender)),
        birthday=draw(DATES),
        available_from=draw(DATES),
        applied_on=draw(DATES),
        location=draw(st.none() | st.builds(Location, raw=maybe, city=maybe, country=maybe, street_1=maybe)),
        message=draw(maybe),
        tags=draw(st.lists(WORD, max_size=3)),
        stage=draw(st.none() | NUMBERS.map(lambda id: Ref(remote_id=id)) | st.just(Ref(remote_id="system:offer"))),
        source=draw(st.none() | NUMBERS.map(lambda id: SourceDraft(id=id))),
        salary_expectation=draw(
            st.none() | st.builds(SalaryExpectation, amount=st.floats(0, 1e9), period=st.sampled_from(SalaryPeriod))
        ),
        answers=[answer(draw(kinds[kind]), kind, f"custom_attribute_{number}") for number, kind in asked.items()],
        files=[
            FileDraft(name=draw(WORD), type=draw(st.sampled_from(AttachmentType)))
            for _ in range(draw(st.integers(0, 3)))
        ],
    )


@given(drafts())
def test_every_draft_makes_a_body_of_the_documented_shape(made: ApplicationDraft) -> None:
    sent = submission(made, [f"uuid {at}" for at in range(len(made.files))]).body
    read = submission_from(msgspec.json.encode(sent))
    assert (read.first_name, read.last_name, read.email) == (made.first_name, made.last_name, made.email_address)
    assert str(read.job_position_id) == made.job.remote
    values = {item.id: item.value for item in read.attributes or []}
    assert set(values) >= {one.question.remote for one in made.answers}
    assert values.get("birthday") == (made.birthday.isoformat() if made.birthday else None)
    assert len(read.files or []) == len(made.files)
    assert [file.category for file in read.files or []].count("cv") == any(file.type is CV for file in made.files)
    assert all(values.values()), "what is unknown is left out rather than sent empty"


@given(drafts())
def test_every_field_of_a_body_leads_back_to_the_draft(made: ApplicationDraft) -> None:
    sent = submission(made, [f"uuid {at}" for at in range(len(made.files))]).body
    for name, value in sent.items():
        path = path_of(made, sent, name)
        assert name == "attributes" or path is not None
        if name == "attributes":
            for at, item in enumerate(value):
                told = path_of(made, sent, item["id"])
                assert told is not None
                assert told == path_of(made, sent, f"attributes[{at}].value")
                if item["id"].startswith("custom_attribute_"):
                    assert made.answers[int(told.removeprefix("answers."))].question.remote == item["id"]


@pytest.mark.parametrize(
    ("field", "path"),
    [
        ("email", "email_address"),
        ("job_position_id", "job"),
        ("recruiting_channel_id", "source"),
        ("application_date", "applied_on"),
        ("phase", "stage"),
        ("phase.id", "stage"),
        ("tags", "tags"),
        ("tags[1]", "tags.1"),
        ("files", "files"),
        ("files[0].uuid", "files.0"),
        ("files.2.category", "files.2"),
        ("phone", "phone_number"),
        ("attributes.salary_expectations", "salary_expectation"),
        ("attributes[0].value", "phone_number"),
        ("attributes[1]", "answers.0"),
        ("attributes[7]", None),
        ("custom_attribute_5", "answers.0"),
        ("custom_attribute_99", "answers"),
        ("external_posting_id", "remote_fields.external_posting_id"),
        ("company", None),
        ("", None),
    ],
)
def test_a_field_that_the_tool_names_is_the_callers_own(field: str, path: str | None) -> None:
    made = draft(
        phone_number="1",
        answers=[answer("Ja", QuestionType.TEXT)],
        remote_fields={"external_posting_id": "pid"},
    )
    assert path_of(made, submission(made, []).body, field) == path
