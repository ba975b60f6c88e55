"""What each list shows of a canonical record."""

from __future__ import annotations

import json

import msgspec
import pytest

from atsumi.dialects.kombo.fields import FIELDS, OMITTED, OMITTED_MODELS
from atsumi.dialects.kombo.lists import LISTS
from atsumi.dialects.kombo.tests import samples
from atsumi.dialects.kombo.tests.kit import CHANGED_AT, WIRE_MODELS, document, stored
from atsumi.model.application import Application
from atsumi.model.catalog import STRUCTS
from atsumi.model.enums import EmploymentType
from atsumi.model.job import Job
from atsumi.model.names import Model
from atsumi.model.note import Note
from atsumi.model.record import Record

LIST_NAMES = [spec.name for spec in LISTS]


@pytest.mark.parametrize("name", LIST_NAMES)
def test_rendering_is_deterministic_and_leaves_the_object_open(name: str) -> None:
    made = WIRE_MODELS[name]
    bare = STRUCTS[made.model](**_required(made.model))
    first, second = made.render(stored(bare)), made.render(stored(bare))
    assert first == second
    assert "remote_data" not in json.loads(first + b"}")


@pytest.mark.parametrize("name", LIST_NAMES)
def test_the_table_of_fields_names_exactly_the_fields_of_the_documents(name: str) -> None:
    spec = next(spec for spec in LISTS if spec.name == name)
    assert set(FIELDS[name]) == set(spec.document.__struct_fields__)
    named = {source for source in FIELDS[name].values() if type(source) is str}
    assert named <= set(STRUCTS[spec.model].__struct_fields__)


ROOTS = [(name, record, record) for name, record in samples.LISTED.items()]
PARTS: list[tuple[str, Record, Record]] = [
    ("jobs", samples.JOB, part)
    for part in (samples.JOB_STAGE, samples.POSTING, samples.QUESTION, samples.QUESTION_USE, samples.MEMBER)
]


@pytest.mark.parametrize(
    ("name", "shown", "part"), [*ROOTS, *PARTS], ids=lambda value: value if isinstance(value, str) else value.model
)
def test_a_field_reaches_the_wire_unless_it_is_listed_as_omitted(name: str, shown: Record, part: Record) -> None:
    before = document(name, shown, samples.RECORDS)
    silent = set()
    for field in msgspec.structs.fields(part):
        if field.name == "remote_id" and part is not shown:
            continue
        blank = "another" if type(getattr(part, field.name)) is str else _default(field)
        changed = msgspec.structs.replace(part, **{field.name: blank})
        assert getattr(part, field.name) != blank, f"the sample has no {field.name}"
        records = [changed if record is part else record for record in samples.RECORDS]
        if document(name, changed if shown is part else shown, records) == before:
            silent.add(field.name)
    assert silent == set(OMITTED[part.model]) - {"remote_id"}


def test_every_canonical_model_is_shown_or_listed_as_omitted() -> None:
    assert set(OMITTED) | set(OMITTED_MODELS) == set(Model)
    assert not set(OMITTED) & set(OMITTED_MODELS)


@pytest.mark.parametrize(
    ("unified", "raw", "shown"),
    [
        (EmploymentType.FULL_TIME, "permanent", "FULL_TIME"),
        (EmploymentType.FREELANCE, "freelance", "CONTRACT"),
        (EmploymentType.WORKING_STUDENT, "working_student", "working_student"),
        (EmploymentType.APPRENTICESHIP, None, "APPRENTICESHIP"),
        (None, "something else", "something else"),
        (None, None, None),
    ],
)
def test_an_employment_type_without_a_word_shows_the_tools_own(
    unified: EmploymentType | None, raw: str | None, shown: str | None
) -> None:
    job = Job(remote_id="1", employment_type=unified, employment_type_raw=raw)
    assert json.loads(document("jobs", job, []))["employment_type"] == shown


def test_a_reference_has_an_id_although_its_record_is_not_there_yet() -> None:
    early = json.loads(document("applications", samples.APPLICATION, []))
    complete = json.loads(document("applications", samples.APPLICATION, samples.RECORDS))
    assert early["candidate"] is early["job"] is early["current_stage"] is None
    for name in ("candidate", "job", "current_stage"):
        assert early[f"{name}_id"] == complete[f"{name}_id"] == complete[name]["id"]


def test_a_note_names_the_candidate_of_its_application() -> None:
    note = Note(remote_id="1", application_remote_id="101")
    shown = json.loads(document("notes", note, samples.RECORDS))
    assert shown["candidate_id"] == json.loads(document("candidates", samples.CANDIDATE, []))["id"]
    assert json.loads(document("notes", Note(remote_id="1"), []))["candidate_id"] == ""


def test_an_instant_is_cut_to_milliseconds() -> None:
    assert CHANGED_AT.microsecond == 123999
    shown = json.loads(document("tags", samples.TAG, []))
    assert shown["changed_at"] == "2024-05-20T10:00:00.123Z"


def test_an_erased_application_still_has_every_key() -> None:
    erased = json.loads(document("applications", Application(remote_id="101"), []))
    full = json.loads(document("applications", samples.APPLICATION, samples.RECORDS))
    assert set(erased) == set(full)


def _default(field: msgspec.structs.FieldInfo) -> object:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def _required(model: Model) -> dict[str, str]:
    return {field.name: "1" for field in msgspec.structs.fields(STRUCTS[model]) if field.required}
