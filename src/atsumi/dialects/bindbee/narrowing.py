"""The bodies as one tool and one job take them: what the action's declaration and the job's questions add.

The model made here is what reads a request, and ``create/meta`` shows the schema of the same model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from pydantic import BeforeValidator, Field, JsonValue, StringConstraints, create_model
from pydantic.json_schema import WithJsonSchema

from atsumi.connector.writing import WriteAction
from atsumi.dialects.bindbee.asked import KnownJob
from atsumi.dialects.bindbee.bodies import (
    NOT_BLANK,
    PLACES,
    AdditionalAttributes,
    Applying,
    AtsAttachmentWrite,
    Day,
    Email,
    Part,
)
from atsumi.dialects.write_services import JobQuestion
from atsumi.model.draft import Gender
from atsumi.model.enums import QuestionType
from atsumi.model.screening_question import QuestionFormat

B = TypeVar("B", bound=Applying)
Json = dict[str, Any]

STAGE, ANSWERS, ADDITIONAL = "job_interview_stage_id", "screening_question_answers", "additional_attributes"

_FILLED = Annotated[str, StringConstraints(min_length=1, pattern=NOT_BLANK)]
_REQUIRED: Mapping[str, Any] = {
    "email_addresses": Annotated[list[Email], Field(min_length=1)],
    **dict.fromkeys(("phone_numbers", "locations", "tags"), Annotated[list[_FILLED], Field(min_length=1)]),
    **dict.fromkeys(("first_name", "last_name", "company", "title", "source"), _FILLED),
}
"""How fields that a tool requires are filled."""


def takes(action: WriteAction, place: str | None) -> bool:
    """Whether the tool has a place for a field of the draft, or for a part of it."""
    return place is not None and any(path == place or path.startswith(f"{place}.") for path in action.inputs)


def information(values: Iterable[tuple[str, str | None]]) -> Json:
    """Values with what people call them, in both of the ways in which schemas of the contract list them."""
    listed = [{"value": value, "description": name or value} for value, name in values]
    return {"enumInformation": listed, "allowed_values": [one["value"] for one in listed]}


def narrowed(base: type[B], action: WriteAction, job: KnownJob | None) -> type[B]:
    """The body for one job, or for jobs in general."""
    fields: dict[str, Any] = {
        name: (filled, _described(base, name))
        for name, filled in _REQUIRED.items()
        if name in base.model_fields and PLACES[name] in action.required
    }
    additional = _additional(action, job)
    is_needed = additional.model_fields[ANSWERS].is_required()
    fields[ADDITIONAL] = (additional, ...) if is_needed else (additional | None, None)
    if job is not None and job.stages:
        stages = [(str(stage.id), stage.name) for stage in job.stages]
        described = base.model_fields[STAGE].description
        fields[STAGE] = (_one_of(stages, description=described, form="uuid") | None, None)
    return create_model(base.__name__, __base__=base, **fields)


def _described(base: type[Applying], name: str) -> Any:
    return Field(description=base.model_fields[name].description)


def _additional(action: WriteAction, job: KnownJob | None) -> type[AdditionalAttributes]:
    fields: dict[str, Any] = {ANSWERS: (dict[str, Any] | None, None)}
    if job is not None and takes(action, "answers"):
        answers = _answers(job, action)
        is_needed = any(field.is_required() for field in answers.model_fields.values())
        fields[ANSWERS] = (answers, ...) if is_needed else (answers | None, None)
    if action.source_form is not None:
        described = AdditionalAttributes.model_fields["recruiting_channel_id"].description
        form = Annotated[str, StringConstraints(pattern=f"^(?:{action.source_form})$")]
        fields["recruiting_channel_id"] = (form | None, Field(default=None, description=described))
    if "gender" in action.values:
        genders = [(one.value, None) for one in Gender if one in action.values["gender"]]
        fields["gender"] = (_one_of(genders) | None, None)
    return create_model("AdditionalAttributes", __base__=AdditionalAttributes, **fields)


def _answers(job: KnownJob, action: WriteAction) -> type[Part]:
    """The answers to the questions of a job. Those that cannot be written may be sent and are marked ``readOnly``."""
    fields: dict[str, Any] = {}
    for index, (id, question) in enumerate(job.questions.items()):
        format = question.record.format
        type_ = None
        if format is not None and format.type not in action.unanswerable:
            type_ = _answer(format, is_required=question.is_required)
        is_required = question.is_required and type_ is not None
        described = Field(
            default=... if is_required else None,
            alias=str(id),
            description=_question_text(question),
            json_schema_extra={"readOnly": True} if type_ is None else None,
        )
        fields[f"answer_{index}"] = (type_ if is_required else (type_ or JsonValue) | None, described)
    return create_model("Answers", __base__=Part, **fields)


def _question_text(question: JobQuestion) -> str | None:
    return " ".join(filter(None, (question.record.title, question.record.description))) or None


def _answer(format: QuestionFormat, *, is_required: bool) -> Any:
    """The type of an answer; ``None`` for a question that takes none."""
    options = [(option.remote_id, option.name) for option in format.options]
    match format.type:
        case QuestionType.TEXT:
            return Annotated[
                str, StringConstraints(min_length=1 if is_required else None, max_length=format.max_length)
            ]
        case QuestionType.NUMBER:
            return Annotated[float, Field(ge=format.minimum, le=format.maximum, allow_inf_nan=False)]
        case QuestionType.DATE:
            return Day
        case QuestionType.BOOLEAN:
            return bool
        case QuestionType.FILE:
            return AtsAttachmentWrite
        case QuestionType.SINGLE_SELECT if options:
            return _one_of(options)
        case QuestionType.MULTI_SELECT if options:
            return Annotated[list[_one_of(options)], Field(min_length=1 if is_required else None)]  # type: ignore[misc]  # made at run time
        case _:
            return None


def _one_of(
    values: Iterable[tuple[str, str | None]], *, description: str | None = None, form: str | None = None
) -> Any:
    """One of these words; ids in any spelling."""
    listed = dict(values)
    shown: Json = {"type": "string", "enum": list(listed), **information(listed.items())}
    if form is not None:
        shown["format"] = form
    if description is not None:
        shown["description"] = description
    literal = Literal[tuple(listed)]  # type: ignore[valid-type]  # the words are known at run time only
    before = (BeforeValidator(_spelled),) if form == "uuid" else ()
    return Annotated[(literal, *before, WithJsonSchema(shown))]


def _spelled(sent: Any) -> Any:
    """An id in the spelling that the choices have; anything else stays as it is, to be refused."""
    try:
        return str(UUID(sent)) if isinstance(sent, str) else sent
    except ValueError:
        return sent
