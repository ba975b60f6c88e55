"""The public application form, the only place where screening questions can be read (Personio NOTES section 22a, 1)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import TypedDict

from selectolax.lexbor import LexborHTMLParser, LexborNode

from atsumi.connector.context import Context
from atsumi.connector.http import Response
from atsumi.connectors.personio.career import ask_career_site
from atsumi.errors import UnexpectedResponse

_CONTROLS = "input[name], select[name], textarea[name]"
_MAX_BYTES = 2 * 1024 * 1024
_MAX_CONTROLS = 500
_SILENT_TYPES = frozenset({"hidden", "submit", "button", "reset", "image"})
_SURE_SIGN = "email"
"""Every application form asks for it (sections 9.1 and 22a); a form without it is another one."""
_REQUIRED_MARK = re.compile(r"\s*\*\s*(\([^()]*\))?\s*$")
"""English labels end in ``* (required)``, German ones in ``* (erforderlich)``, some in ``*`` only (section 22a, 1)."""


class Option(TypedDict):
    """A choice: the value that the control would send, and what people read."""

    value: str
    label: str


class Control(TypedDict):
    """One control as found. ``kind`` is the element or, for inputs, their type."""

    name: str
    kind: str
    label: str
    is_required: bool
    is_multiple: bool
    description: str | None
    options: list[Option]


class Form(TypedDict):
    """All visible controls of a form, in the page's order, built-in fields included."""

    language: str
    controls: list[Control]


class FormNotAvailable(UnexpectedResponse):
    """The page holds no application form that can be read without a browser. It says nothing about questions."""


async def read_form(context: Context, job_id: str, language: str) -> Form:
    """The application form of a published job.

    Raises :class:`FormNotAvailable` when there is no page or no form in it, and the errors of a call.
    """
    path = f"/job/{job_id}/apply"
    response = await ask_career_site(context, "read application form", path, {"language": language})
    if response.status != 200:
        raise FormNotAvailable(response.call, "there is no application form page for this job")
    return parse_form(response, language)


def parse_form(response: Response, language: str) -> Form:
    """The controls of the application form in a page. Raises :class:`FormNotAvailable`."""
    if response.content_type not in ("text/html", "application/xhtml+xml"):
        raise FormNotAvailable(response.call, "the application form page is not HTML")
    if len(response.body) > _MAX_BYTES:
        raise FormNotAvailable(response.call, f"the application form page is larger than {_MAX_BYTES} bytes")
    text = response.body.decode("utf-8", "replace")
    # The parser closes what is open, so a page that was cut off would pass for one with fewer questions.
    if text.lower().rfind("</form") < text.lower().rfind("<form"):
        raise FormNotAvailable(response.call, "the page breaks off within a form")
    tree = LexborHTMLParser(text)
    forms = tree.css("form")
    if sum(len(form.css(_CONTROLS)) for form in forms[:_MAX_CONTROLS]) > _MAX_CONTROLS:
        raise FormNotAvailable(response.call, f"the page holds more than {_MAX_CONTROLS} controls")
    for form in forms[:_MAX_CONTROLS]:
        controls = _controls(form)
        if any(control["name"] == _SURE_SIGN for control in controls):
            return {"language": language, "controls": controls}
    raise FormNotAvailable(response.call, "the page holds no application form; only a browser could build it")


def _controls(form: LexborNode) -> list[Control]:
    labels = {target: label for label in form.css("label") if (target := label.attributes.get("for"))}
    by_id: dict[str, LexborNode] = {}
    for item in form.css("[id]"):
        by_id.setdefault(item.attributes.get("id") or "", item)
    nodes = form.css(_CONTROLS)
    in_box = Counter(node.parent.mem_id for node in nodes if node.parent is not None)
    found: dict[str, Control] = {}
    for node in nodes:
        name, kind = (node.attributes.get("name") or "").strip(), _kind(node)
        if not name or kind in _SILENT_TYPES:
            continue
        own = labels.get(node.attributes.get("id") or "")
        if name in found:
            # Further boxes or buttons of one group: their own labels are the choices.
            found[name]["options"].append(_choice(node, own))
            found[name]["is_multiple"] = found[name]["is_multiple"] or kind == "checkbox"
            continue
        label = _text(labels.get(f"field-{name}") or own or _around(node, "label"))
        if kind == "radio":
            label = _text(_legend(node)) or label
        found[name] = {
            "name": name,
            "kind": kind,
            "label": _REQUIRED_MARK.sub("", label),
            "is_required": _REQUIRED_MARK.search(label) is not None,
            "is_multiple": "multiple" in node.attributes,
            "description": _description(node, by_id, in_box),
            "options": [_choice(node, own)] if kind == "radio" else _options(node) if kind == "select" else [],
        }
    return list(found.values())


def _kind(node: LexborNode) -> str:
    if node.tag != "input":
        return str(node.tag)
    return (node.attributes.get("type") or "text").strip().lower()


def _options(node: LexborNode) -> list[Option]:
    """The choices of a select. A first option without value or a disabled one is the placeholder (section 22a, 1)."""
    found: list[Option] = []
    for index, option in enumerate(node.css("option")):
        label = _text(option)
        value = option.attributes.get("value")
        is_placeholder = "disabled" in option.attributes or value == "" or (index == 0 and value is None)
        if label and not is_placeholder:
            found.append({"value": value if value is not None else label, "label": label})
    return found


def _choice(node: LexborNode, label: LexborNode | None) -> Option:
    value = node.attributes.get("value") or ""
    return {"value": value, "label": _text(label or _around(node, "label")) or value}


def _description(node: LexborNode, by_id: Mapping[str, LexborNode], in_box: Mapping[int, int]) -> str | None:
    """The text beside the label, or the one that the control names as describing it (section 22a, I)."""
    names = (node.attributes.get("aria-describedby") or "").split()
    found = [item for name in names if (item := by_id.get(name)) is not None]
    box = node.parent
    if not found and box is not None and in_box[box.mem_id] == 1 and len(box.css(_CONTROLS)) == 1:
        found = [item for item in box.css("p, small") if _around(item, "label") is None]
    return " ".join(text for item in found if (text := _text(item))) or None


def _legend(node: LexborNode) -> LexborNode | None:
    fieldset = _around(node, "fieldset")
    return fieldset.css_first("legend") if fieldset is not None else None


def _around(node: LexborNode, tag: str) -> LexborNode | None:
    parent = node.parent
    while parent is not None and parent.tag not in (tag, "form"):
        parent = parent.parent
    return parent if parent is not None and parent.tag == tag else None


def _text(node: LexborNode | None) -> str:
    return "" if node is None else " ".join(node.text(deep=True, separator=" ").split())
