"""Bodies of writes: what reaches the ledger of them, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsumi.dialects.kombo import drafts
from atsumi.dialects.kombo import write_bodies as bodies
from atsumi.dialects.kombo.tests.kit import INTEGRATION
from atsumi.dialects.kombo.tests.writes_kit import (
    BODIES,
    FILE,
    ID,
    JOB,
    MADE,
    PERSON,
    Ledger,
    sent,
    with_person,
)
from atsumi.errors import InvalidInput
from atsumi.model.actions import Action
from atsumi.model.draft import ApplicationDraft, Ref
from atsumi.model.enums import AttachmentType
from atsumi.model.scope import Setting, scope_of

# What is wanted.


@pytest.mark.parametrize("action", BODIES)
async def test_every_action_reaches_the_ledger(action: Action) -> None:
    services = Ledger()
    method, path, given = BODIES[action]
    answer = await sent(services, given, url=f"/v1/ats/{path}", method=method, Idempotency_Key="k", Prefer="wait=4")
    assert answer.status_code == 200, answer.text
    [request] = services.wanted
    assert (request.action, request.key, request.wait_seconds, request.is_deferred) == (action, "k", 4, False)
    named = [getattr(request.draft, name) for name in request.draft.references if getattr(request.draft, name)]
    assert Ref(id=INTEGRATION) in named
    assert request.addressed is None or getattr(request.draft, request.addressed) == Ref(id=INTEGRATION)
    assert (request.addressed is None) is (action is Action.CREATE_CANDIDATE)
    if action not in MADE:
        assert answer.json() == {"status": "success", "data": {}, "warnings": [{"message": "gender: not written."}]}


@pytest.mark.parametrize("action", BODIES)
async def test_an_action_that_the_tool_lacks_is_refused_whatever_is_sent(action: Action) -> None:
    services = Ledger()
    services.able = frozenset()
    method, path, _ = BODIES[action]
    answer = await sent(services, b"x", url=f"/v1/ats/{path.replace(ID, 'x')}", method=method)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INTEGRATION.ACTION_NOT_AVAILABLE")
    assert not services.wanted


@pytest.mark.parametrize("action", BODIES)
async def test_an_action_that_is_out_of_scope_is_refused(action: Action) -> None:
    services = Ledger()
    services.change_integration(scope=scope_of({action.value: Setting.DISABLED}, ()))
    method, path, given = BODIES[action]
    answer = await sent(services, given, url=f"/v1/ats/{path}", method=method)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "INTEGRATION.ACTION_DISABLED")
    assert not services.wanted


async def test_every_input_becomes_a_part_of_the_draft() -> None:
    services = Ledger()
    text = json.dumps(
        {
            "candidate": PERSON
            | {
                "additional_email_addresses": [{"type": "WORK", "email_address": "a@work.example"}],
                "company": "Engines",
                "title": "Countess",
                "phone_number": "+44 1",
                "additional_phone_numbers": [{"type": "OTHER", "phone_number": "2"}],
                "location": {"country": "GB", "city": "London", "state": "L", "street_1": "S", "zip_code": "Z"},
                "gender": "FEMALE",
                "availability_date": "2027-01-15T23:00:00Z",
                "salary_expectations": {"period": "MONTH", "amount": 5000.0},
                "social_links": [{"url": "https://a.example"}],
                "unknown": 1,
            },
            "stage_id": "remote:system:offer",
            "attachments": [FILE, {"name": "letter.pdf", "type": "COVER_LETTER", "data_url": "https://a.example/l"}],
            "source": {"name": "n", "unified_key": "u", "id": "i"},
            "sourced_by": {"user_id": "remote:9"},
            "gdpr_consent": {"given": True, "expires_at": "2027-01-15"},
            "screening_question_answers": [
                {"question_id": ID, "answer": "text"},
                {"question_id": "remote:q2", "answer": 4.5},
                {"question_id": "q3", "answer": False},
                {"question_id": ID, "answer": ["a", "b"]},
                {"question_id": ID, "answer": {"name": "f.pdf", "data": "QUI=", "content_type": "application/pdf"}},
            ],
            "remote_fields": {"personio": {"application": {"a": 1}}, "greenhouse": {"b": 2}},
        }
    )
    assert (await sent(services, text)).status_code == 200
    [request] = services.wanted
    draft = msgspec.structs.asdict(request.draft)
    files = draft.pop("files")
    answers = draft.pop("answers")
    assert msgspec.to_builtins(ApplicationDraft(**draft), builtin_types=(date, UUID)) == {
        "job": {"id": INTEGRATION},
        "first_name": "Ada",
        "last_name": "Lovelace",
        "email_address": "ada@example.com",
        "additional_email_addresses": [{"email_address": "a@work.example", "type": "WORK"}],
        "phone_number": "+44 1",
        "additional_phone_numbers": [{"phone_number": "2", "type": "OTHER"}],
        "company": "Engines",
        "title": "Countess",
        "location": {"country": "GB", "city": "London", "state": "L", "street_1": "S", "zip_code": "Z"},
        "gender": "FEMALE",
        "available_from": date(2027, 1, 15),
        "salary_expectation": {"amount": 5000.0, "period": "MONTH"},
        "social_links": ["https://a.example"],
        "stage": {"remote_id": "system:offer"},
        "source": {"id": "i", "name": "n", "unified_key": "u"},
        "credited_to": {"remote_id": "9"},
        "gdpr_consent": {"given": True, "expires_at": "2027-01-15T00:00:00Z"},
        "remote_fields": {"a": 1},
    }
    assert [(one.value, one.file, one.path) for one in answers] == [
        ("text", None, "screening_question_answers.0"),
        (4.5, None, "screening_question_answers.1"),
        (False, None, "screening_question_answers.2"),
        (["a", "b"], None, "screening_question_answers.3"),
        (None, 2, "screening_question_answers.4"),
    ]
    assert [one.question.remote_id for one in answers] == [None, "q2", "q3", None, None]
    assert [(one.name, one.type, one.url, one.size_bytes) for one in files] == [
        ("cv.pdf", AttachmentType.CV, None, 1),
        ("letter.pdf", AttachmentType.COVER_LETTER, "https://a.example/l", None),
        ("f.pdf", AttachmentType.OTHER, None, 2),
    ]
    assert files[0].sha256 == hashlib.sha256(b"A").hexdigest()
    assert {index: [piece async for piece in content()] for index, content in request.contents.items()} == {
        0: [b"A"],
        2: [b"AB"],
    }


# What is refused.


@pytest.mark.parametrize(
    ("given", "path"),
    [
        (with_person(first_name=1), "candidate.first_name"),
        (with_person(email_address="ada@example"), "candidate.email_address"),
        (with_person(email_address="ada@example.com\n"), "candidate.email_address"),
        (with_person(email_address="a..b@example.com"), "candidate.email_address"),
        (with_person(location={"country": "DE\n"}), "candidate.location.country"),
        (with_person(location={"city": "X"}), "candidate.location"),
        (with_person(availability_date="2027-01-15T25:00:00Z"), "candidate.availability_date"),
        (with_person(salary_expectations={"period": "WEEK", "amount": 1}), "candidate.salary_expectations.period"),
        (with_person(additional_email_addresses=[{"type": "X"}]), "candidate.additional_email_addresses.0.type"),
        (with_person() | {"gdpr_consent": {"expires_at": "2027-13-15"}}, "gdpr_consent.expires_at"),
        (with_person() | {"attachments": [FILE, FILE | {"data": 1}]}, "attachments.1.data"),
        (with_person() | {"attachments": [FILE | {"data": "Q Q="}]}, "attachments.0.data"),
        (with_person() | {"attachments": [FILE | {"data": "Q-=="}]}, "attachments.0.data"),
        (with_person() | {"attachments": [FILE | {"data_url": "https://a.example"}]}, "attachments.0"),
        (with_person() | {"attachments": [FILE | {"content_type": "pdf"}]}, "attachments.0.content_type"),
        (with_person() | {"attachments": [FILE | {"type": "PHOTO"}]}, "attachments.0.type"),
        (
            with_person() | {"screening_question_answers": [{"question_id": "q", "answer": {"name": 1}}]},
            "screening_question_answers.0.answer.name",
        ),
        (
            with_person() | {"screening_question_answers": [{"question_id": "q", "answer": {"name": "f"}}]},
            "screening_question_answers.0.answer",
        ),
        (with_person() | {"remote_fields": {"personio": {"application": []}}}, "remote_fields.personio"),
        (with_person() | {"stage_id": "remote:\x00"}, "The body"),
        ({}, "The body"),
        ([], "The body"),
    ],
)
async def test_what_is_wrong_is_told_with_its_path(given: Any, path: str) -> None:
    services = Ledger()
    answer = await sent(services, given)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "PLATFORM.INPUT_INVALID")
    assert error["message"].startswith((f"{path}: ", f"{path} ")), error["message"]
    assert not services.wanted
    assert answer.headers["concurrency-remaining"] == "28"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("1e999", "screening_question_answers.0.answer: "),
        ('{"name":1e999}', "screening_question_answers.0.answer.name: "),
        ('"\\ud800"', "The body is no JSON"),
        ("[" * 10_000, "The body is no JSON"),
        ("[" * 100_000, "The body holds more than 20000 values"),
        ("nul", "The body is no JSON"),
    ],
)
async def test_an_answer_that_cannot_be_read_is_the_callers_fault(text: str, path: str) -> None:
    given = json.dumps(with_person())[:-1] + ',"screening_question_answers":[{"question_id":"q","answer":%s}]}' % text  # noqa: UP031 -- braces all over
    answer = await sent(Ledger(), given)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(path)


async def test_a_number_out_of_range_within_remote_fields_is_told_with_their_path() -> None:
    given = json.dumps(with_person())[:-1] + ',"remote_fields":{"personio":{"application":{"a":1e999}}}}'
    answer = await sent(Ledger(), given)
    assert answer.json()["error"]["message"].startswith("remote_fields: ")


def test_a_zero_byte_is_found_and_a_backslash_before_its_name_is_not() -> None:
    kept = drafts.body(rb'{"content":"\\u0000 \\\\u0000","content_type":"PLAIN_TEXT"}', bodies.NewNote)
    assert kept.content == r"\u0000 \\u0000"
    for text in (rb"\u0000", rb"a\\\u0000"):
        with pytest.raises(InvalidInput, match="zero byte"):
            drafts.body(b'{"content":"%s","content_type":"PLAIN_TEXT"}' % text, bodies.NewNote)


@pytest.mark.parametrize("spelled", ["x", "remote:", "remote:%00", ID[:-1], "0" * 24])
async def test_a_path_without_an_id_leads_nowhere(spelled: str) -> None:
    answer = await sent(Ledger(), with_person(), url=f"/v1/ats/jobs/{spelled}/applications")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, None)


@pytest.mark.parametrize("query", ["dry=true", "dry_run=", "dry_run=maybe", "dry_run=true&dry_run=false", "x"])
async def test_a_parameter_that_is_misspelt_writes_nothing(query: str) -> None:
    services = Ledger()
    answer = await sent(services, with_person(), url=f"{JOB}?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "PLATFORM.INPUT_INVALID")
    assert not services.wanted
    assert not services.planned


async def test_two_keys_are_refused() -> None:
    answer = await sent(Ledger(), with_person(), Idempotency_Key="a", X_Idempotency_Key="b")
    assert answer.json()["error"]["code"] == "PLATFORM.INPUT_INVALID"


@given(st.data())
def test_every_path_of_a_draft_leads_into_the_body(data: st.DataObject) -> None:
    answers = data.draw(st.lists(st.sampled_from(["text", 1.5, True, ["a"], FILE]), max_size=4))
    given = {
        **with_person(phone_number="1", location={"country": "DE", "city": "B"}),
        "attachments": [FILE] * data.draw(st.integers(0, 3)),
        "screening_question_answers": [{"question_id": ID, "answer": one} for one in answers],
    }
    read = drafts.body(json.dumps(given).encode(), bodies.NewApplication)
    parsed = drafts.application(read, Ref(id=INTEGRATION), "personio")
    assert isinstance(parsed.draft, ApplicationDraft)
    paths = ["first_name", "location", "location.city", "phone_number"]
    for name, files in (("files", parsed.draft.files), ("answers", parsed.draft.answers)):
        paths += [f"{name}.{index}" for index in range(len(files))]
    for path in paths:
        found: Any = given
        for part in parsed.path(path).split("."):
            found = found[int(part) if isinstance(found, list) else part]
    for index, one in enumerate(parsed.draft.answers):
        if one.file is not None:
            assert parsed.path(f"files.{one.file}") == f"screening_question_answers.{index}.answer"
    assert sorted(parsed.contents) == list(range(len(parsed.draft.files)))


async def test_a_file_of_many_pieces_arrives_whole() -> None:
    services, content = Ledger(), bytes(range(256)) * 4000
    encoded = base64.b64encode(content).decode()
    text = json.dumps(with_person() | {"attachments": [FILE | {"data": encoded}]}).replace("/", "\\/")
    assert (await sent(services, text)).status_code == 200
    [request] = services.wanted
    [file] = request.draft.files
    assert (file.size_bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert b"".join([piece async for piece in request.contents[0]()]) == content


def test_every_field_that_may_be_refused_has_its_place_in_the_body() -> None:
    given = drafts.body(json.dumps(with_person()).encode(), bodies.NewApplication)
    parsed = drafts.application(given, Ref(id=INTEGRATION), "personio")
    of_other_surfaces = {"candidate", "birthday", "tags", "message", "applied_on"}
    of_the_same_name = {name for name in ApplicationDraft.__struct_fields__ if parsed.path(name) == name}
    assert of_the_same_name - of_other_surfaces == {"source", "gdpr_consent"}
