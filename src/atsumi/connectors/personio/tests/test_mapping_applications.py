"""Applications, stages, candidates and questions, rule by rule."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from atsumi.connectors.personio import raw
from atsumi.connectors.personio.mapping import mapping
from atsumi.connectors.personio.tests.fixed import CONFIG
from atsumi.connectors.personio.tests.stored import APPLICATION, CANDIDATE, JOB, Stored, control
from atsumi.model.application import Application
from atsumi.model.candidate import Candidate
from atsumi.model.enums import (
    Outcome,
    QuestionType,
    StageStatus,
)
from atsumi.model.names import Model
from atsumi.model.parts import Location
from atsumi.model.screening_question import ScreeningQuestion
from atsumi.model.stage import Stage

OUTCOMES = {
    "rejected": Outcome.DECLINED,
    "withdrawn": Outcome.DECLINED,
    "accepted": Outcome.HIRED,
    "offer": Outcome.PENDING,
    "unassigned": Outcome.PENDING,
}


@pytest.mark.parametrize(("key", "outcome"), OUTCOMES.items())
@pytest.mark.parametrize("field", ["type", "kind"])
def test_the_outcome_follows_from_the_builtin_stage(key: str, outcome: Outcome, field: str) -> None:
    stage = {"id": None, "name": None, "type": "system", "kind": "system", field: key.upper()}
    stored = Stored().put(raw.APPLICATIONS, "880001", {**APPLICATION, "current_stage": stage})
    found = stored.one(Application, "880001")
    assert (found.outcome, found.current_stage_remote_id) == (outcome, f"system:{key}")


def test_an_application_is_read() -> None:
    found = Stored().put(raw.APPLICATIONS, "880001", APPLICATION).one(Application, "880001")
    assert found == Application(
        remote_id="880001",
        candidate_remote_id="770001",
        job_remote_id="5101",
        current_stage_remote_id="31001",
        outcome=Outcome.PENDING,
        applied_at=datetime(2026, 5, 4, tzinfo=UTC),
        source="Career page",
        source_remote_id="12",
        remote_created_at=datetime(2026, 5, 4, 7, 30, tzinfo=UTC),
        remote_updated_at=datetime(2026, 5, 6, 14, tzinfo=UTC),
    )


def test_an_unknown_builtin_stage_is_kept_under_its_word_and_counted() -> None:
    stage = {"id": None, "name": None, "type": "system", "kind": "on_hold"}
    source = {**APPLICATION, "current_stage": stage}
    stored = Stored().put(raw.APPLICATIONS, "880001", source).observe(raw.of_application(source, "880001"))
    (application,), (issue,) = stored.build(Model.APPLICATION, "880001")
    assert isinstance(application, Application)
    assert (application.current_stage_remote_id, application.outcome) == ("system:on_hold", Outcome.PENDING)
    assert (issue.kind, issue.detail) == ("unknown_value", "on_hold")
    assert stored.one(Stage, "system:on_hold").name == "On_hold"


def test_naive_timestamps_are_local_or_utc_as_configured() -> None:
    stored = Stored({**CONFIG, "naive_timestamps": "utc"}).put(raw.APPLICATIONS, "880001", APPLICATION)
    assert stored.one(Application, "880001").remote_created_at == datetime(2026, 5, 4, 9, 30, tzinfo=UTC)


def test_a_stage_is_active_in_a_category_and_inactive_after_it() -> None:
    stored = Stored().put(raw.STAGES, "31001", {"name": "Old name"})
    assert stored.one(Stage, "31001") == Stage(remote_id="31001", name="Old name")
    stored.put(raw.CATEGORY_STAGES, "31001", {"name": "New name"})
    assert stored.one(Stage, "31001") == Stage(remote_id="31001", name="New name", status=StageStatus.ACTIVE)
    stored.reading.store.remove(raw.CATEGORY_STAGES, "31001")
    assert stored.one(Stage, "31001").status == StageStatus.INACTIVE
    stored.observe(raw.builtin_stages())
    assert stored.one(Stage, "system:withdrawn").name == "Withdrawn"


def test_a_candidate_is_read() -> None:
    found = Stored().put(raw.CANDIDATES, "770001", CANDIDATE).one(Candidate, "770001")
    assert (found.first_name, found.last_name, found.location) == ("Lina", "Muster", Location(raw="Berlin"))
    assert [item.email_address for item in found.email_addresses] == ["lina.muster@example.com"]
    assert [item.phone_number for item in found.phone_numbers] == ["+49 30 5550101"]
    assert [(item.type, item.link) for item in found.social_media] == [
        ("LINKEDIN", "https://www.linkedin.com/in/example-lina")
    ]
    assert found.custom_fields == {"gender": "female", "birthday": "1990-01-31", "available_from": "in 3 Monaten"}
    assert found.remote_created_at == datetime(2026, 5, 4, 7, 30, tzinfo=UTC)


def test_a_candidate_that_cannot_be_read_is_known_from_applications() -> None:
    stored = Stored().observe(raw.of_application(APPLICATION, "880001"))
    found = stored.one(Candidate, "770001")
    assert (found.first_name, len(found.email_addresses), found.phone_numbers) == ("Lina", 1, [])
    stored.put(raw.CANDIDATES, "770001", CANDIDATE).reading.store.remove(raw.CANDIDATES, "770001")
    assert stored.build(Model.CANDIDATE, "770001") == ([], [])


def test_a_candidate_is_blank_once_all_their_applications_are_anonymised() -> None:
    two = {**CANDIDATE, "applications": [{"id": "880001"}, {"id": "880003"}]}
    stored = Stored().put(raw.CANDIDATES, "770001", two)
    for number in ("880001", "880003"):
        assert stored.one(Candidate, "770001").first_name == "Lina"
        stored.observe(raw.of_application({**APPLICATION, "is_anonymized": True}, number))
    assert stored.one(Candidate, "770001") == Candidate(
        remote_id="770001",
        remote_created_at=datetime(2026, 5, 4, 7, 30, tzinfo=UTC),
        remote_updated_at=datetime(2026, 5, 4, 7, 30, tzinfo=UTC),
    )


def test_an_anonymised_stand_in_holds_nothing_of_the_person() -> None:
    forgetful = {**APPLICATION, "is_anonymized": True}
    stored = Stored().put(raw.APPLICATIONS, "880001", forgetful).observe(raw.of_application(forgetful, "880001"))
    found = stored.one(Candidate, "770001")
    assert found == Candidate(remote_id="770001")
    assert stored.one(Application, "880001").is_anonymized


def test_the_source_is_that_of_the_newest_application() -> None:
    (derivation,) = mapping.derivations
    days = [datetime(2026, 5, day, tzinfo=UTC) for day in (1, 2, 2)]
    applications = [
        Application(remote_id=str(number), applied_at=day, source=f"channel {number}")
        for number, day in enumerate(days)
    ]
    for order in (applications, applications[::-1]):
        derived = derivation.apply(Candidate(remote_id="1", source="stale"), order)
        assert isinstance(derived, Candidate)
        assert derived.source == "channel 2"
    assert derivation.apply(Candidate(remote_id="1", source="stale"), []) == Candidate(remote_id="1")


KINDS: dict[str, tuple[QuestionType, str | None]] = {
    "text": (QuestionType.TEXT, "SINGLE_LINE"),
    "textarea": (QuestionType.TEXT, "MULTI_LINE"),
    "select": (QuestionType.SINGLE_SELECT, "DROPDOWN"),
    "checkbox": (QuestionType.BOOLEAN, None),
    "file": (QuestionType.FILE, None),
    "number": (QuestionType.NUMBER, "FIELD"),
    "date": (QuestionType.DATE, None),
}


@pytest.mark.parametrize(("kind", "expected"), KINDS.items())
def test_each_kind_of_control_is_a_kind_of_question(kind: str, expected: tuple[QuestionType, str | None]) -> None:
    form = {"language": "de", "controls": [control("email", "email"), control("custom_attribute_1", kind)]}
    found = Stored().observe(raw.of_form(form)).one(ScreeningQuestion, "custom_attribute_1")
    assert found.title == "Why?"
    assert found.format is not None
    assert (found.format.type, found.format.display_type) == expected


def test_questions_with_choices_offer_what_the_tool_expects() -> None:
    options = [{"value": "custom_option_7", "label": "Yes"}]
    one, several = (control(f"custom_attribute_{n}", "select", options=options, is_multiple=n == 2) for n in (1, 2))
    stored = Stored().observe(raw.of_form({"controls": [one, several]}))
    formats = [stored.one(ScreeningQuestion, f"custom_attribute_{n}").format for n in (1, 2)]
    assert [(item.type, item.options[0].remote_id) for item in formats if item] == [
        (QuestionType.SINGLE_SELECT, "custom_option_7"),
        (QuestionType.MULTI_SELECT, "custom_option_7"),
    ]


def test_an_unknown_control_is_kept_as_it_was_found() -> None:
    stored = Stored().observe(raw.of_form({"controls": [control("custom_attribute_1", "color")]}))
    (question,), (issue,) = stored.build(Model.SCREENING_QUESTION, "custom_attribute_1")
    assert isinstance(question, ScreeningQuestion)
    assert question.format is not None
    assert question.format.type == QuestionType.UNKNOWN
    assert question.format.raw_question["kind"] == "color"
    assert issue.detail == "color"


def test_builtin_fields_of_a_form_are_no_questions() -> None:
    names = ["email", "custom_attribute_2", "phone", "custom_attribute_1"]
    form = {"controls": [control(name, "text") for name in names]}
    records, _ = Stored().put(raw.JOBS, "5101", JOB).put(raw.FORMS, "5101", form).build(Model.JOB, "5101")
    found = [item for item in records if item.model == Model.JOB_SCREENING_QUESTION]
    assert [(item.remote_id, getattr(item, "index", None)) for item in found] == [
        ("5101:custom_attribute_2", 0),
        ("5101:custom_attribute_1", 1),
    ]
