"""What each list shows of a canonical record."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from atsumi.dialects.bindbee.fields import FIELDS, OMITTED, OMITTED_MODELS
from atsumi.dialects.bindbee.lists import LISTS
from atsumi.dialects.bindbee.parse import keys_of
from atsumi.dialects.bindbee.projection import projection
from atsumi.dialects.bindbee.tests import samples
from atsumi.dialects.bindbee.tests.kit import SPECS, fragment
from atsumi.dialects.kombo.tests import samples as account
from atsumi.dialects.kombo.tests.kit import stored
from atsumi.model import enums
from atsumi.model.application import Application
from atsumi.model.attachment import Attachment
from atsumi.model.candidate import Candidate
from atsumi.model.catalog import STRUCTS
from atsumi.model.interview import Interview
from atsumi.model.job_screening_question import JobScreeningQuestion
from atsumi.model.names import Model
from atsumi.model.note import Note
from atsumi.model.offer import Offer
from atsumi.model.parts import Location, PassedField, SocialMedia
from atsumi.model.record import Record
from atsumi.model.screening_question import QuestionFormat, ScreeningQuestion
from atsumi.model.tag import Tag
from atsumi.model.user import User
from atsumi.sync.projection import Relation


def shown(name: str, record: Record, *records: Record) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(fragment(name, record, records).body + b"}")
    return made


@pytest.mark.parametrize("made", projection.wire_models, ids=lambda made: made.name)
def test_rendering_is_deterministic_and_leaves_the_object_open(made: Any) -> None:
    bare = STRUCTS[made.model](**_required(made.model))
    assert made.render(stored(bare)) == made.render(stored(bare))
    assert tuple(json.loads(made.render(stored(bare)) + b"}")) == SPECS[made.name].document.__struct_fields__
    assert made.custom_fields(stored(bare)) is None


@pytest.mark.parametrize("spec", LISTS, ids=lambda spec: spec.name)
def test_the_table_of_fields_names_exactly_the_keys_of_the_documents(spec: Any) -> None:
    assert set(FIELDS[spec.name]) == set(keys_of(spec))
    named = {source for source in FIELDS[spec.name].values() if type(source) is str}
    assert spec.model is None or named <= set(STRUCTS[spec.model].__struct_fields__)


SHAPED = {
    "mapped_fields": {"grade": "B"},
    "unresolved_fields": ["team"],
    "passed_fields": [PassedField(key="k", value=1)],
}
"""What a customer's own shaping adds to a record."""
ROOTS = [(name, record, record) for name, record in samples.LISTED.items()]
PARTS: list[tuple[str, Record, Record]] = [
    ("jobs", account.JOB, account.POSTING),
    ("jobs", account.JOB, account.MEMBER),
    ("jobs", account.JOB, account.ROLE),
    ("job-interview-stages", account.JOB_STAGE, account.STAGE),
    ("screening-questions", account.QUESTION_USE, account.QUESTION),
]


@pytest.mark.parametrize(
    ("name", "shown", "part"), [*ROOTS, *PARTS], ids=lambda value: value if isinstance(value, str) else value.model
)
def test_a_field_reaches_the_wire_unless_it_is_listed_as_omitted(name: str, shown: Record, part: Record) -> None:
    def rendered(part_now: Record) -> Sequence[object]:
        records = [part_now if record is part else record for record in samples.RECORDS]
        return fragment(name, part_now if shown is part else shown, records)[3:]

    whole = msgspec.structs.replace(part, **SHAPED)
    before, silent = rendered(whole), set()
    for field in msgspec.structs.fields(part):
        if field.name == "remote_id" and part is not shown:
            continue
        blank = "another" if type(getattr(whole, field.name)) is str else _default(field)
        assert getattr(whole, field.name) != blank, f"the sample has no {field.name}"
        if rendered(msgspec.structs.replace(whole, **{field.name: blank})) == before:
            silent.add(field.name)
    assert silent == set(OMITTED[part.model]) - {"remote_id"}


def test_every_canonical_model_is_shown_or_listed_as_omitted() -> None:
    assert set(OMITTED) | set(OMITTED_MODELS) == set(Model)
    assert not set(OMITTED) & set(OMITTED_MODELS)


def every(relations: tuple[Relation, ...]) -> list[Relation]:
    return [one for relation in relations for one in (relation, *every(relation.relations))]


def test_whatever_a_document_shows_of_a_related_record_counts() -> None:
    for made in projection.wire_models:
        assert all(one.counts_shown and one.shows is not None for one in every(made.relations))


def test_a_reference_has_an_id_although_its_record_is_not_there_yet() -> None:
    early = shown("applications", account.APPLICATION)
    assert early == shown("applications", account.APPLICATION, *samples.RECORDS)
    assert None not in (early["candidate"], early["job"], early["current_stage"], early["reject_reason"])


def test_a_current_stage_is_the_stages_place_in_the_job() -> None:
    place = shown("job-interview-stages", account.JOB_STAGE, *samples.RECORDS)
    assert shown("applications", account.APPLICATION)["current_stage"] == place["id"]
    for missing in ("job_remote_id", "current_stage_remote_id"):
        application = msgspec.structs.replace(account.APPLICATION, **{missing: None})
        assert shown("applications", application)["current_stage"] is None
    interview = shown("scheduled-interviews", account.INTERVIEW, account.APPLICATION)
    assert interview["job_interview_stage"] == place["id"]
    assert shown("scheduled-interviews", account.INTERVIEW)["job_interview_stage"] is None


def test_files_and_notes_of_an_application_are_those_of_its_candidate() -> None:
    candidate, application = Candidate(remote_id="1"), Application(remote_id="2", candidate_remote_id="1")
    file = Attachment(remote_id="3", application_remote_id="2")
    person = shown("candidates", candidate, application, file)
    assert person["attachments"] == [shown("attachments", file, application)["id"]]
    assert person["applications"] == [shown("applications", application)["id"]]
    assert shown("attachments", file, application)["candidate"] == person["id"]
    note = Note(remote_id="4", application_remote_id="2")
    assert shown("activities", note, application)["candidate"] == person["id"]
    assert shown("activities", note)["candidate"] is None


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (enums.OfferStatus.ACCEPTED, "SIGNED"),
        (enums.OfferStatus.DECLINED, "DENIED"),
        (enums.OfferStatus.SENT, "SENT"),
        (enums.OfferStatus.APPROVED, "APPROVED"),
        (enums.OfferStatus.DRAFT, "DRAFT"),
        (enums.OfferStatus.ABANDONED, "DEPRECATED"),
        (None, None),
    ],
)
def test_offers_speak_the_words_of_the_contract(status: enums.OfferStatus | None, word: str | None) -> None:
    assert shown("offers", Offer(remote_id="1", status=status))["status"] == word


@pytest.mark.parametrize("type", list(enums.AttachmentType))
def test_attachments_speak_the_words_of_the_contract(type: enums.AttachmentType) -> None:
    word = shown("attachments", Attachment(remote_id="1", type=type))["attachment_type"]
    assert word in ("RESUME", "COVER_LETTER", "OTHER")


@pytest.mark.parametrize(
    ("type", "display", "word"),
    [
        (enums.QuestionType.TEXT, None, "SINGLE_LINE_TEXT"),
        (enums.QuestionType.TEXT, "EMAIL", "SINGLE_LINE_TEXT"),
        (enums.QuestionType.TEXT, "MULTI_LINE", "MULTI_LINE_TEXT"),
        (enums.QuestionType.NUMBER, None, "NUMERIC"),
        (enums.QuestionType.DATE, None, "DATE"),
        (enums.QuestionType.BOOLEAN, None, "BOOLEAN"),
        (enums.QuestionType.FILE, None, "FILE"),
        (enums.QuestionType.SINGLE_SELECT, "RADIO", "SINGLE_SELECT"),
        (enums.QuestionType.MULTI_SELECT, None, "MULTI_SELECT"),
        (enums.QuestionType.INFORMATION, None, "INFORMATION"),
        (enums.QuestionType.UNKNOWN, None, "-"),
    ],
)
def test_questions_speak_the_words_of_the_contract(type: enums.QuestionType, display: str | None, word: str) -> None:
    question = ScreeningQuestion(remote_id="1", format=QuestionFormat(type=type, display_type=display))
    use = JobScreeningQuestion(remote_id="2:1", job_remote_id="2", question_remote_id="1")
    assert shown("screening-questions", use, question)["type"] == word
    assert shown("screening-questions", use)["type"] is None


def test_what_is_not_known_is_null_and_what_is_known_to_be_so_is_said() -> None:
    disabled = {
        status: shown("remote-users", User(remote_id="1", status=status))["disabled"]
        for status in (None, *enums.UserStatus)
    }
    assert disabled == {None: None, enums.UserStatus.ACTIVE: False, enums.UserStatus.INACTIVE: True}
    seen = {
        is_private: shown("activities", Note(remote_id="1", is_private=is_private))["visibility"]
        for is_private in (None, False, True)
    }
    assert seen == {None: None, False: "PUBLIC", True: "PRIVATE"}
    held = {
        is_canceled: shown("scheduled-interviews", Interview(remote_id="1", is_canceled=is_canceled))["status"]
        for is_canceled in (None, False, True)
    }
    assert held == {None: None, False: None, True: "CANCELED"}


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (None, []),
        (Location(), []),
        (Location(raw="Berlin (Mitte)", city="Berlin"), ["Berlin (Mitte)"]),
        (Location(city="Berlin", zip_code="10115", country="DE", street_1="Weg 1"), ["Weg 1, 10115 Berlin, DE"]),
    ],
)
def test_a_place_is_one_line(place: Location | None, line: list[str]) -> None:
    assert shown("candidates", Candidate(remote_id="1", location=place))["locations"] == line


def test_mapped_fields_win_over_those_of_the_tool_if_their_path_leads_somewhere() -> None:
    tag = Tag(
        remote_id="1",
        custom_fields={"a": 1, "b": 1, "c": 1, "e": 1},
        mapped_fields={"b": 2, "e": None},
        unresolved_fields=["c", "d"],
    )
    found = json.loads(fragment("tags", tag).custom_fields or b"")
    assert found == {"a": 1, "b": 2, "c": 1, "d": "INVALID_JSON_PATH", "e": None}


def test_profiles_are_links_of_a_known_kind() -> None:
    entries = [
        SocialMedia(link="https://a.example", type="LINKEDIN"),
        SocialMedia(link="https://b.example", type="BLOG"),
        SocialMedia(link="https://c.example"),
        SocialMedia(type="XING", username="nobody"),
    ]
    urls = shown("candidates", Candidate(remote_id="1", social_media=entries))["urls"]
    assert [url["url_type"] for url in urls] == ["SOCIAL_MEDIA", "BLOG", "SOCIAL_MEDIA"]


def _required(model: Model) -> dict[str, Any]:
    return {field.name: "1" for field in msgspec.structs.fields(STRUCTS[model]) if field.required}


def _default(field: msgspec.structs.FieldInfo) -> Any:
    return field.default_factory() if field.default_factory is not msgspec.NODEFAULT else field.default
