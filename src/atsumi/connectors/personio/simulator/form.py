"""The public pages of a job: its text, and the application form (Personio NOTES section 22a). No HTTP."""

from __future__ import annotations

from html import escape

from atsumi.connectors.personio.simulator import texts
from atsumi.connectors.personio.simulator.feed import job_name, job_sections
from atsumi.connectors.personio.simulator.records import Attribute, Job
from atsumi.connectors.personio.simulator.state import Company
from atsumi.connectors.personio.simulator.switches import Switches

_REQUIRED = {"de": "erforderlich", "en": "required"}
_PLACEHOLDER = {"de": "Bitte auswählen", "en": "Please select"}
_ALWAYS_REQUIRED = ("first_name", "last_name", "email")
_GENDERS = {
    "male": {"de": "männlich", "en": "male"},
    "female": {"de": "weiblich", "en": "female"},
    "diverse": {"de": "divers", "en": "diverse"},
    "undefined": {"de": "keine Angabe", "en": "not specified"},
}


def application_form(company: Company, switches: Switches, job: Job, language: str) -> str:
    """Return the page with the form of a published job.

    Controls: built-in fields, then the job's questions in order, then the files. Whether a control is required shows
    in its label only.
    """
    if switches.form == "script_only":
        return _page(job_name(job, language), language, '<div id="__next"></div><script src="/app.js"></script>')
    writer = _Form(switches, language)
    names = ("first_name", "last_name", "email", "phone", "location", "birthday", "gender")
    controls = [writer.builtin(name, job) for name in (*names, "available_from", "salary_expectations", "message")]
    controls += [
        writer.question(company.attributes[question.attribute_id], question.is_required) for question in job.questions
    ]
    controls += [writer.builtin(f"documents.{name}", job) for name in ("cv", "cover-letter", "other")]
    button = "Bewerbung absenden" if language == "de" else "Submit application"
    body = f'<form id="apply" method="post">{"".join(controls)}<button type="submit">{button}</button></form>'
    return _page(job_name(job, language), language, body)


def job_page(job: Job, language: str) -> str:
    """Return the page with the text of a published job."""
    sections = "".join(f"<h2>{escape(heading)}</h2>{html}" for heading, html in job_sections(job, language))
    return _page(job_name(job, language), language, sections)


def home_page(company: Company) -> str:
    """Return the start page of the career site, which is also what a switched-off feed shows."""
    return _page(company.name, "de", "<p>Unsere offenen Stellen.</p>")


def missing_page() -> str:
    """Return the page for companies and jobs that are not there."""
    return _page("404", "en", "<p>This page does not exist.</p>")


def _page(title: str, language: str, body: str) -> str:
    return (
        f'<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title></head>'
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )


class _Form:
    def __init__(self, switches: Switches, language: str) -> None:
        self._language = "en" if language == "en" else "de"
        self._star_only = switches.form_required_mark == "star"
        self._by_label = switches.form_option_values == "labels"

    def builtin(self, name: str, job: Job) -> str:
        """Return the control of a candidate field or a file."""
        german, english = texts.FORM_LABELS[name]
        label = english if self._language == "en" else german
        is_required = name in _ALWAYS_REQUIRED or name in job.required_fields
        if name == "gender":
            options = [(key, words[self._language]) for key, words in _GENDERS.items()]
            return self._field(name, label, is_required, self._select(name, options))
        if name == "message":
            return self._field(name, label, is_required, f"<textarea {_identity(name)}></textarea>")
        if name.startswith("documents."):
            return self._field(name, label, is_required, f'<input type="file" {_identity(name)}>')
        kind = {"email": "email", "phone": "tel", "birthday": "date"}.get(name, "text")
        return self._field(name, label, is_required, f'<input type="{kind}" {_identity(name)}>')

    def question(self, attribute: Attribute, is_required: bool) -> str:
        """Return the control of a question."""
        name = attribute.id
        match attribute.kind:
            case "textarea":
                control = f"<textarea {_identity(name)}></textarea>"
            case "select" | "multiselect":
                options = [(option.key, option.label[self._language]) for option in attribute.options]
                control = self._select(name, options, is_multiple=attribute.kind == "multiselect")
            case kind:
                control = f'<input type="{kind}" {_identity(name)}>'
        hint = attribute.description.get(self._language, "")
        return self._field(name, attribute.label[self._language], is_required, control, hint)

    def _select(self, name: str, options: list[tuple[str, str]], *, is_multiple: bool = False) -> str:
        first = "" if is_multiple else f'<option value="">{_PLACEHOLDER[self._language]}</option>'
        rest = "".join(
            f'<option value="{escape(label if self._by_label else key)}">{escape(label)}</option>'
            for key, label in options
        )
        return f"<select {_identity(name)}{' multiple' if is_multiple else ''}>{first}{rest}</select>"

    def _field(self, name: str, label: str, is_required: bool, control: str, hint: str = "") -> str:
        mark = ""
        if is_required:
            mark = " *" if self._star_only else f"* ({_REQUIRED[self._language]})"
        described = f"<p>{escape(hint)}</p>" if hint else ""
        return f'<div><label for="field-{name}">{escape(label)}{mark}</label>{described}{control}</div>'


def _identity(name: str) -> str:
    return f'name="{name}" id="field-{name}"'
