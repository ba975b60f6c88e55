"""What ``create/meta`` says is what the create accepts, for any tool's declaration and any job's questions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import jsonschema
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from atsumi.connector.writing import FileRules, WriteAction
from atsumi.dialects.bindbee.asked import KnownJob, KnownStage
from atsumi.dialects.bindbee.bodies import ADDITIONAL_PLACES, PLACES, AtsCandidateWrite
from atsumi.dialects.bindbee.drafts import flat_body, parse
from atsumi.dialects.bindbee.errors import InvalidRequest
from atsumi.dialects.bindbee.meta import body_schema, job_schema
from atsumi.dialects.bindbee.tests.schemas import bodies, breaks, merged
from atsumi.dialects.write_services import JobQuestion, KnownSource
from atsumi.model.enums import QuestionType
from atsumi.model.screening_question import QuestionFormat, QuestionOption, ScreeningQuestion

SOURCES = [KnownSource("12", "Careers page"), KnownSource("13", "LinkedIn")]
REQUIRED = ("job", "first_name", "last_name", "email_address")
DRAFTED = sorted({*PLACES.values(), *ADDITIONAL_PLACES.values(), "remote_fields"} - {*REQUIRED, "candidate"})


async def _nothing(*_: Any) -> None:
    raise NotImplementedError


def action(*inputs: str, required: frozenset[str] = frozenset(REQUIRED), **options: Any) -> WriteAction:
    declared = dict.fromkeys((*inputs, *required), "certain")
    return WriteAction(declared, required, perform=_nothing, find=_nothing, plan=lambda *_: (), **options)


@st.composite
def actions(draw: st.DrawFn) -> WriteAction:
    inputs = draw(st.lists(st.sampled_from(DRAFTED), unique=True))
    more = draw(st.sets(st.sampled_from(["phone_number", "tags", "company", "source", "location"])))
    return action(
        *inputs,
        required=frozenset(REQUIRED) | more,
        files=FileRules(frozenset({"pdf", "docx"}), 3_000) if "files" in inputs else None,
        source_form=draw(st.sampled_from([None, r"[0-9]{1,18}"])),
        values=draw(st.sampled_from([{}, {"gender": ["MALE", "FEMALE"]}])),
        unanswerable=draw(st.sampled_from([frozenset(), frozenset({QuestionType.MULTI_SELECT})])),
    )


@st.composite
def formats(draw: st.DrawFn) -> QuestionFormat:
    bound = st.none() | st.integers(1, 50)
    minimum = draw(bound)
    return QuestionFormat(
        type=draw(st.sampled_from(QuestionType)),
        max_length=draw(bound),
        minimum=minimum,
        maximum=draw(st.none() | st.integers(minimum or 0, 60)),
        options=[QuestionOption(name=f"Option {one}", remote_id=one) for one in draw(st.sets(st.sampled_from("abc")))],
    )


@st.composite
def jobs(draw: st.DrawFn, number: int) -> KnownJob:
    id = UUID(int=number)
    asked = {}
    for index, format in enumerate(draw(st.lists(formats() | st.none(), max_size=6))):
        record = ScreeningQuestion(remote_id=f"q{index}", title=f"Question {index}?", format=format)
        asked[UUID(int=number * 100 + index)] = JobQuestion(id, UUID(int=index), record, draw(st.booleans()))
    stages = [
        KnownStage(UUID(int=number * 1000 + index), f"Stage {index}", f"s{index}")
        for index in range(draw(st.integers(0, 2)))
    ]
    return KnownJob(id, f"job-{number}", f"Job {number}", stages, asked)


def read(body: Any, declared: WriteAction, known: list[KnownJob]) -> None:
    """As the handler does, from the body on."""
    flat = flat_body(body, lambda remote_id: UUID(int=0))
    wanted = flat.values.get("job")
    job = next((one for one in known if str(one.id) == wanted), None)
    parse(flat, AtsCandidateWrite, declared, job)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), declared=actions(), known=st.tuples(jobs(1), jobs(2)).map(list))
def test_every_body_that_fits_is_read(data: st.DataObject, declared: WriteAction, known: list[KnownJob]) -> None:
    schema = body_schema(declared, SOURCES, known)
    jsonschema.Draft202012Validator.check_schema(schema)
    body = data.draw(bodies(schema))
    jsonschema.Draft202012Validator(schema).validate(body)
    read(body, declared, known)
    chosen = next(one for one in known if str(one.id) == body["job"])
    jsonschema.Draft202012Validator(job_schema(declared, SOURCES, chosen)).validate(body)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), declared=actions(), known=st.tuples(jobs(1), jobs(2)).map(list))
def test_every_body_that_breaks_it_is_refused_where_it_does(
    data: st.DataObject, declared: WriteAction, known: list[KnownJob]
) -> None:
    schema = body_schema(declared, SOURCES, known)
    body = data.draw(bodies(schema))
    case = next(one for one in schema["allOf"] if one["if"]["properties"]["job"]["const"] == body["job"])
    # What a file is called and how long it may be is looked at where its content is.
    broken = [one for one in breaks(merged(schema, case), body) if one.loc[-1:] != ("file_name",)]
    wrong = data.draw(st.sampled_from(broken))
    assume("file_content" not in wrong.loc or wrong.how == "another type")
    assert not jsonschema.Draft202012Validator(schema).is_valid(wrong.body) or wrong.how == "another form"
    with pytest.raises(InvalidRequest) as refused:
        read(wrong.body, declared, known)
    assert ["body", *wrong.loc] in [fault.loc for fault in refused.value.faults], wrong.how
