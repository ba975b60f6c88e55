"""Answers to screening questions: what a job asks decides what is written."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsumi.actions.answers import Asked, AskedQuestion, check
from atsumi.actions.requests import UnknownQuestion
from atsumi.errors import InvalidInput
from atsumi.model.draft import Answer, Ref
from atsumi.model.enums import QuestionType
from atsumi.model.ids import record_id
from atsumi.model.names import Model
from atsumi.model.screening_question import QuestionFormat, QuestionOption, ScreeningQuestion

INTEGRATION = UUID("018b18ef-c487-703c-afd9-0ca478ccd9d6")
OPTIONS = [QuestionOption(name="Yes", remote_id="option_1"), QuestionOption(name="No", remote_id="option_2")]

GOOD: dict[QuestionType, st.SearchStrategy[Any]] = {
    QuestionType.TEXT: st.text(max_size=20),
    QuestionType.NUMBER: st.integers(-100, 100) | st.floats(-100, 100),
    QuestionType.BOOLEAN: st.booleans(),
    QuestionType.DATE: st.dates().map(date.isoformat),
    QuestionType.SINGLE_SELECT: st.sampled_from([one.remote_id for one in OPTIONS]),
    QuestionType.MULTI_SELECT: st.lists(st.sampled_from([one.remote_id for one in OPTIONS]), max_size=4),
}
"""What each kind of question takes."""
ANY_VALUE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.lists(st.integers(), min_size=1),
    st.dictionaries(st.text(), st.text()),
)


def question(type: QuestionType, key: str = "q", **format: Any) -> ScreeningQuestion:
    return ScreeningQuestion(remote_id=key, title=f"Question {key}", format=QuestionFormat(type=type, **format))


def asked(*questions: AskedQuestion, **more: Any) -> Asked:
    by_id = {record_id(INTEGRATION, Model.SCREENING_QUESTION, one.record.remote_id): one for one in questions}
    return Asked(INTEGRATION, by_id, **more)


def of_type(type: QuestionType, *, is_required: bool = False, **format: Any) -> AskedQuestion:
    options = OPTIONS if type in (QuestionType.SINGLE_SELECT, QuestionType.MULTI_SELECT) else []
    return AskedQuestion(question(type, options=options, **format), is_required)


def answer(value: Any, key: str = "q") -> Answer:
    return Answer(question=Ref(remote_id=key), value=value)


def checked(answers: list[Answer], asked: Asked, **more: Any) -> tuple[list[Answer], list[str]]:
    return check(answers, asked, UnknownQuestion.WARNS, **more)


@pytest.mark.parametrize("type", GOOD)
@given(data=st.data())
def test_a_question_takes_the_values_of_its_kind(type: QuestionType, data: st.DataObject) -> None:
    value = data.draw(GOOD[type])
    [found], warnings = checked([answer(value)], asked(of_type(type)))
    assert found.type is type
    assert not warnings
    assert set(found.value) == set(value) if type is QuestionType.MULTI_SELECT else found.value == value


@pytest.mark.parametrize("type", GOOD)
@given(value=ANY_VALUE)
def test_no_other_value_is_written(type: QuestionType, value: Any) -> None:
    """Whatever passes is of the question's kind."""
    try:
        [found], _ = checked([answer(value)], asked(of_type(type)))
    except InvalidInput:
        return
    match type:
        case QuestionType.TEXT:
            assert isinstance(value, str)
        case QuestionType.NUMBER:
            assert isinstance(value, int | float)
            assert not isinstance(value, bool)
            assert abs(value) != float("inf")
        case QuestionType.BOOLEAN:
            assert isinstance(value, bool)
        case QuestionType.DATE:
            assert date.fromisoformat(found.value)
        case _:
            pytest.fail("no option was named")


def test_options_go_by_the_spelling_of_the_surface_too() -> None:
    def spelled(integration: UUID, question: str, option: str) -> str:
        return f"{question}/{option}"

    chosen = asked(of_type(QuestionType.SINGLE_SELECT), option_id=spelled)
    [found], _ = checked([answer("q/option_2")], chosen)
    assert found.value == "option_2"


def test_a_refused_option_tells_those_that_there_are() -> None:
    with pytest.raises(InvalidInput, match=r"\(Yes, No\)"):
        checked([answer("perhaps")], asked(of_type(QuestionType.SINGLE_SELECT)))


def test_limits_of_a_question_count() -> None:
    text = asked(of_type(QuestionType.TEXT, max_length=3))
    number = asked(of_type(QuestionType.NUMBER, minimum=1, maximum=5))
    for value, where in (("four", text), (0, number), (6, number)):
        with pytest.raises(InvalidInput):
            checked([answer(value)], where)
    assert checked([answer("abc")], text)
    assert checked([answer(5)], number)


@pytest.mark.parametrize("type", [*GOOD, QuestionType.FILE])
def test_a_required_question_has_to_be_answered(type: QuestionType) -> None:
    with pytest.raises(InvalidInput, match="Question q"):
        checked([], asked(of_type(type, is_required=True)))
    # The tool's own fields may hold the answer.
    assert checked([], asked(of_type(type, is_required=True)), is_complete=False) == ([], [])


@pytest.mark.parametrize("type", [QuestionType.INFORMATION, QuestionType.UNKNOWN, QuestionType.MULTI_SELECT])
def test_nobody_has_to_answer_what_cannot_be_answered(type: QuestionType) -> None:
    where = asked(of_type(type, is_required=True), unanswerable=frozenset({QuestionType.MULTI_SELECT}))
    assert checked([], where) == ([], [])
    found, [warning] = checked([answer(["option_1"])], where)
    assert not found
    assert "answers.0" in warning


def test_a_question_that_depends_on_another_is_not_required() -> None:
    conditional = AskedQuestion(question(QuestionType.TEXT), is_required=True, is_conditional=True)
    assert checked([], asked(conditional)) == ([], [])


def test_an_answer_to_a_question_of_another_job_is_a_warning_or_refused() -> None:
    nothing = asked(of_type(QuestionType.TEXT))
    found, [warning] = checked([answer("yes", "other")], nothing)
    assert not found
    assert "does not ask" in warning
    with pytest.raises(InvalidInput) as refused:
        check([answer("yes"), answer("yes", "other")], nothing, UnknownQuestion.REFUSES)
    assert refused.value.path == "answers.1"


def test_of_two_answers_the_later_one_counts() -> None:
    [found], [warning] = checked([answer("first"), answer("second")], asked(of_type(QuestionType.TEXT)))
    assert found.value == "second"
    assert "answered before" in warning


def test_a_file_is_an_answer_to_questions_for_files_only() -> None:
    file = Answer(question=Ref(remote_id="q"), file=0)
    [found], _ = checked([file], asked(of_type(QuestionType.FILE)))
    assert found.file == 0
    with pytest.raises(InvalidInput, match="not a file"):
        checked([file], asked(of_type(QuestionType.TEXT)))
    with pytest.raises(InvalidInput, match="takes a file"):
        checked([answer("cv.pdf")], asked(of_type(QuestionType.FILE)))
