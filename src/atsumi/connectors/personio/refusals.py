"""What v1 recruiting refuses, as errors of our own (Personio NOTES section 13).

An answer names fields in an array of two shapes; clients also met a bare reason and a refusal with status 200.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import msgspec

from atsumi.connector.http import Response, remote_message
from atsumi.connector.reading import as_list, as_object, as_text, decode
from atsumi.connectors.personio.facts import MANIFEST
from atsumi.errors import (
    AlreadyExists,
    AuthenticationFailed,
    JobClosed,
    PermissionMissing,
    Problem,
    RemoteRejected,
    ToolError,
)

Paths: TypeAlias = Callable[[str], str | None]
"""From a field as the tool names it to the draft's path."""

CHANNEL_UNKNOWN = "errors.posting-validation.channel-not-found"
FILE_GONE = "errors.file-validation.file-not-exists"
_EXISTS = "errors.applicant-already-exists"
_NOT_PUBLISHED = "errors.job-position.not-published"
_FEATURES = {
    "feature.recruiting.disabled": "the company's plan does not include recruiting",
    "feature.public-api.disabled": "the company has no access to the recruiting API",
}
_MEANINGS = {
    "errors.attribute-validation.unknown": "Personio does not know this attribute",
    "errors.attribute-validation.required-attribute": "a value is required",
    "errors.attribute-validation.invalid-date-format": "the value is no date such as 2026-01-31",
    "errors.attribute-validation.invalid-email-format": "the value is no e-mail address",
    "errors.attribute-validation.invalid-type": "this kind of attribute cannot be written",
    "errors.attribute-validation.unknown-attribute-option": "the value is none of the attribute's options",
    "errors.date-validation.date-in-the-future": "the date lies in the future",
    "errors.phase-validation.invalid-system-phase": "Personio does not know this stage",
    FILE_GONE: "Personio does not have the uploaded file any more",
    "errors.file-validation.unknown-file-category": "Personio does not know this kind of document",
    "errors.invalid-file-type": "Personio does not take this type of file",
    "errors.file-too-big": "the file is larger than Personio takes",
    _EXISTS: "Personio has an application with this e-mail address for this job",
    "errors.posting-validation.posting-not-found": "Personio does not know the posting, or it is of another channel",
    CHANNEL_UNKNOWN: "Personio does not know this recruiting channel",
    _NOT_PUBLISHED: "the job is not published",
    **_FEATURES,
}
"""The documented reasons (section 13, C), in words for whoever wrote the request."""

_CODE = re.compile(r"[a-z][a-z.-]{0,80}")
_PLACED = re.compile(r"([a-z_-]+)[.\[](\d+)\b")


def refused(response: Response, paths: Paths) -> ToolError | None:
    """The error that an answer stands for; ``None`` where it is no refusal.

    Every 4xx is one, whatever its body, and means that the tool has done nothing. Its words, with secrets replaced, are
    in ``problems`` and ``remote_message``, and never in the message itself, as they may repeat a person's data.
    """
    problems = list(_problems(as_object(decode(response.body)), paths))
    if response.status < 400 and not problems:
        return None
    words = "; ".join(_words(problem) for problem in problems) or None
    reasons = [problem.reason for problem in problems]
    feature = next((meaning for reason, meaning in _FEATURES.items() if reason in reasons), None)
    call = response.call
    if response.status == 401:
        return AuthenticationFailed(
            call,
            "Personio refuses the recruiting key or the company id. " + MANIFEST.field("recruiting_key").help["en"],
            remote_message=words,
        )
    if response.status == 403 or feature is not None:
        return PermissionMissing(
            call,
            f"{feature or 'the recruiting key may not do this'}; ask Personio support to enable it",
            scope=next((reason for reason in reasons if reason in _FEATURES), None),
            remote_message=words,
        )
    if _EXISTS in reasons:
        return AlreadyExists(call, _MEANINGS[_EXISTS], remote_message=words, problems=problems)
    if _NOT_PUBLISHED in reasons:
        return JobClosed(call, _MEANINGS[_NOT_PUBLISHED], remote_message=words, problems=problems)
    codes = ", ".join(dict.fromkeys(reason for reason in reasons if _CODE.fullmatch(reason)))
    what = f"Personio refuses it ({codes})" if codes else "Personio refuses it"
    return RemoteRejected(call, what, remote_message=words, problems=problems)


def place_in(field: str) -> tuple[str, int] | None:
    """Name and index of a field that is part of a list: ``files[0].uuid`` is ``("files", 0)``."""
    match = _PLACED.match(field)
    return (match.group(1), int(match.group(2))) if match is not None else None


def _problems(body: Mapping[str, object], paths: Paths) -> Iterator[Problem]:
    for item in as_list(body.get("errors")):
        entry = as_object(item)
        if "errors" in entry:
            for found in as_list(entry["errors"]):
                yield _problem(as_object(found), as_text(entry.get("field")), paths)
        else:
            title = as_text(entry.get("title")) or "refused"
            yield Problem(None, remote_message(title), remote_message(as_text(entry.get("detail")) or title))
    if body.get("error"):
        yield _problem(as_object(body["error"]), None, paths, as_text(body["error"]))
    elif body.get("success") is False and not body.get("errors"):
        yield Problem(None, "refused")


def _problem(entry: Mapping[str, object], field: str | None, paths: Paths, said: str | None = None) -> Problem:
    reason = as_text(entry.get("reason")) or as_text(entry.get("code")) or "refused"
    path = paths(field) if field is not None else None
    context = entry.get("context")
    words = [
        field if path is None else None,
        as_text(entry.get("message")) or said or _MEANINGS.get(reason),
        msgspec.json.encode(context).decode() if context else None,
    ]
    return Problem(path, remote_message(reason), remote_message(": ".join(word for word in words if word)) or None)


def _words(problem: Problem) -> str:
    return f"{problem.reason}: {problem.message}" if problem.message else problem.reason
