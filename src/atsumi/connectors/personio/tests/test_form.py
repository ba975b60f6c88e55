"""The public application form: English, German, and pages that hold none."""

from __future__ import annotations

import time
from contextlib import suppress

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsumi.connector.http import Response
from atsumi.connectors.personio.form import Control, Form, FormNotAvailable, parse_form, read_form
from atsumi.connectors.personio.tests.fixed import FixedAccount
from atsumi.connectors.personio.tests.simulated import SimulatedAccount
from atsumi.errors import RateLimited, RemoteCall

CALL = RemoteCall("personio", "read application form", "GET", "https://x.test", 200)


def parse(html: str, language: str = "en") -> Form:
    return parse_form(Response(200, {"content-type": "text/html"}, html.encode(), "", CALL), language)


def control(html: str) -> Control:
    """The control named ``q`` of a form with this inside."""
    form = parse(f'<form><input name="email" id="field-email">{html}</form>')
    return next(item for item in form["controls"] if item["name"] == "q")


def field(inside: str, label: str = "Why?") -> str:
    return f'<div><label for="field-q">{label}</label>{inside}</div>'


@pytest.mark.parametrize(
    ("label", "title", "is_required"),
    [
        ("Why?", "Why?", False),
        ("Why?* (required)", "Why?", True),
        ("Why? * (required)", "Why?", True),
        ("Warum?* (erforderlich)", "Warum?", True),
        ("Why? *", "Why?", True),
        ("<span>Why?</span> <b>*</b>", "Why?", True),
        ("Rate C* (language)", "Rate C", True),
        ("5 * 5 = ?", "5 * 5 = ?", False),
        ("Notes (optional)", "Notes (optional)", False),
    ],
)
def test_the_label_tells_whether_an_answer_is_required(label: str, title: str, is_required: bool) -> None:
    found = control(field('<input type="text" name="q" id="field-q" required>', label))
    assert (found["label"], found["is_required"]) == (title, is_required)


@pytest.mark.parametrize(
    ("html", "kind"),
    [
        ('<input name="q" id="field-q">', "text"),
        ('<input type="TEXT" name="q" id="field-q">', "text"),
        ('<textarea name="q" id="field-q"></textarea>', "textarea"),
        ('<input type="checkbox" name="q" id="field-q">', "checkbox"),
        ('<input type="file" name="q" id="field-q">', "file"),
        ('<input type="date" name="q" id="field-q">', "date"),
        ('<input type="color" name="q" id="field-q">', "color"),
    ],
)
def test_the_kind_is_the_element_or_the_inputs_type(html: str, kind: str) -> None:
    found = control(field(html))
    assert (found["kind"], found["is_multiple"], found["options"]) == (kind, False, [])


def test_a_select_has_options_without_its_placeholder() -> None:
    options = '<option value="">Please select</option><option value="custom_option_7">Yes</option><option>No</option>'
    found = control(field(f'<select name="q" id="field-q">{options}</select>'))
    assert found["options"] == [{"value": "custom_option_7", "label": "Yes"}, {"value": "No", "label": "No"}]


def test_a_placeholder_may_lack_a_value_or_be_disabled() -> None:
    found = control(
        field(
            '<select name="q" id="field-q"><option>Choose</option><option value="a" disabled>-</option>'
            '<option value="b">B</option></select>'
        )
    )
    assert found["options"] == [{"value": "b", "label": "B"}]


def test_a_select_may_take_several() -> None:
    found = control(field('<select name="q" id="field-q" multiple><option value="a">A</option></select>'))
    assert found["is_multiple"]
    assert found["options"] == [{"value": "a", "label": "A"}]


def test_buttons_of_one_name_are_one_control() -> None:
    choices = "".join(
        f'<label for="q-{key}">{key.upper()}</label><input type="radio" name="q" id="q-{key}" value="{key}">'
        for key in "ab"
    )
    found = control(f"<fieldset><legend>Why? *</legend>{choices}</fieldset>")
    assert (found["label"], found["is_required"]) == ("Why?", True)
    assert found["options"] == [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}]


@pytest.mark.parametrize(
    "hint",
    ["<p>In a few words.</p>", '<small id="h">In a few <b>words.</b></small>'],
)
def test_a_text_beside_the_label_is_the_description(hint: str) -> None:
    assert control(field(f'{hint}<input name="q" id="field-q">'))["description"] == "In a few words."


def test_a_text_that_the_control_names_is_the_description() -> None:
    html = field('<input name="q" id="field-q" aria-describedby="h x">') + '<p id="h">In a few words.</p>'
    assert control(html)["description"] == "In a few words."


@pytest.mark.parametrize("odd", ["&quot;]", "a\\", "&#10;", "]", "🙂", "a&quot;]:has("])
def test_an_odd_reference_to_a_description_is_no_trouble(odd: str) -> None:
    html = f'<form><input name="email"><div><input name="a" aria-describedby="{odd}"></div></form>'
    assert len(parse(html)["controls"]) == 2


@pytest.mark.parametrize(
    "inside",
    [
        "".join(f'<input name="a{number}">' for number in range(20_000)),
        "<p>" + " " * (2 << 20) + "</p>",
    ],
    ids=["controls", "bytes"],
)
def test_a_huge_page_is_refused_at_once(inside: str) -> None:
    started = time.process_time()
    with pytest.raises(FormNotAvailable):
        parse(f'<form><input name="email">{inside}</form>')
    assert time.process_time() - started < 1


def test_hidden_fields_and_buttons_are_no_controls() -> None:
    form = parse(
        '<form><input type="hidden" name="csrf"><input name="email"><button name="b">x</button>'
        '<input type="submit" name="go"></form>'
    )
    assert [item["name"] for item in form["controls"]] == ["email"]


def test_a_page_that_was_cut_off_says_nothing_about_questions() -> None:
    question = field('<input name="q" id="field-q">')
    page = f'<form><input name="email" id="field-email">{question}</form>'
    assert len(parse(page)["controls"]) == 2
    with pytest.raises(FormNotAvailable):
        parse(page[: page.index("<label")])


@pytest.mark.parametrize(
    "html",
    [
        "",
        "<p>Jobs</p>",
        '<div id="__next"></div>',
        '<form><input name="search"></form>',
        '<input name="email">',
        "<form>",
    ],
)
def test_a_page_without_the_form_says_nothing_about_questions(html: str) -> None:
    with pytest.raises(FormNotAvailable):
        parse(html)


@given(st.text(alphabet="<>/=\"' abfinput form name email label select option \x00ß"))
def test_no_page_breaks_the_parser(html: str) -> None:
    with suppress(FormNotAvailable):
        parse(f'<form><input name="email">{html}</form>')


async def test_the_form_is_asked_for_in_the_language() -> None:
    account = FixedAccount({"/job/5101/apply": httpx2.Response(200, html='<form><input name="email"></form>')})
    form = await read_form(account.context, "5101", "de")
    assert form["language"] == "de"
    assert str(account.requests[0].url) == "https://acme.jobs.personio.de/job/5101/apply?language=de"


@pytest.mark.parametrize("status", [301, 403, 404, 410])
async def test_a_page_that_is_not_there_says_nothing_about_questions(status: int) -> None:
    account = FixedAccount({"/job/5101/apply": httpx2.Response(status, html="<h1>gone</h1>")})
    with pytest.raises(FormNotAvailable):
        await read_form(account.context, "5101", "de")


async def test_429_is_not_taken_for_a_missing_form() -> None:
    with pytest.raises(RateLimited):
        await read_form(FixedAccount({"/job/5101/apply": httpx2.Response(429)}).context, "5101", "de")


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("mark", ["words", "star"])
async def test_the_simulated_form_is_read_as_its_company_configured_it(language: str, mark: str) -> None:
    account = SimulatedAccount(applications=20)
    account.simulator.switch(form_required_mark=mark)
    jobs = [job for job in account.simulator.company.jobs if job.is_published and job.questions]
    assert jobs
    for job in jobs:
        form = await read_form(account.context(), str(job.id), language)
        questions = [item for item in form["controls"] if item["name"].startswith("custom_attribute_")]
        attributes = account.simulator.company.attributes
        assert [(item["name"], item["is_required"]) for item in questions] == [
            (question.attribute_id, question.is_required) for question in job.questions
        ]
        for item in questions:
            attribute = attributes[item["name"]]
            assert item["label"] == attribute.label[language]
            assert item["description"] == (attribute.description.get(language) or None)
            assert [option["label"] for option in item["options"]] == [
                option.label[language] for option in attribute.options
            ]
