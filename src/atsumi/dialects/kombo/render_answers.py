"""Rendering what people answered: screening answers of applications, and scorecards.

Both come as free JSON from the tools. An answer that does not have the JSON type of its question is passed on as
``UNKNOWN`` (or, in scorecards, as text), because a closed type with a wrong value would cost a client the whole page.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec
from msgspec import UNSET

from atsumi.dialects.kombo import values, wire
from atsumi.dialects.kombo.wire import words
from atsumi.model.application import ScreeningAnswer
from atsumi.model.names import Model
from atsumi.model.record import Record
from atsumi.model.scorecard import Scorecard
from atsumi.model.user import User
from atsumi.sync.projection import Stored

_RESPONSE_TYPE = words.words(words.ResponseTypeWord)


def screening_answer(entry: ScreeningAnswer) -> wire.ScreeningAnswer:
    """One answer, typed by its question."""
    value = _typed_answer(entry.type, entry.answer)
    kind = entry.type if value is not None else "UNKNOWN"
    return wire.ScreeningAnswer(
        answer=value if value is not None else wire.AnswerValue(raw=entry.answer),
        question=wire.AnsweredQuestion(
            remote_id=entry.question_remote_id, title=entry.title or "", type=cast(Any, kind)
        ),
    )


def _typed_answer(kind: str | None, answer: Any) -> wire.AnswerValue | None:
    match kind:
        case "TEXT" if answer is None or isinstance(answer, str):
            return wire.AnswerValue(content=answer)
        case "SINGLE_SELECT" if answer is None or isinstance(answer, str):
            return wire.AnswerValue(choice=answer)
        case "MULTI_SELECT" if answer is None or _is_list_of_text(answer):
            return wire.AnswerValue(choices=answer or [])
        case "BOOLEAN" if answer is None or isinstance(answer, bool):
            return wire.AnswerValue(checked=answer)
        case "NUMBER" if answer is None or _is_number(answer):
            return wire.AnswerValue(number=answer)
        case "DATE" if answer is None:
            return wire.AnswerValue(date=None)
        case "DATE" if isinstance(answer, str):
            moment = values.parsed_instant(answer)
            return wire.AnswerValue(date=values.instant(moment)) if moment is not None else None
        case _:
            return None


def scorecard(stored: Stored[Record]) -> wire.Scorecard:
    """One entry of the scorecards list."""
    record = cast(Scorecard, stored.record)
    author = stored.one("author")
    user = cast("User | None", author.record if author else None)
    return wire.Scorecard(
        id=values.own_id(stored),
        remote_id=record.remote_id,
        candidate_id=values.reference(stored, Model.CANDIDATE, record.candidate_remote_id),
        application_id=values.reference(stored, Model.APPLICATION, record.application_remote_id),
        interview_id=values.reference(stored, Model.INTERVIEW, record.interview_remote_id),
        author_id=values.reference(stored, Model.USER, record.author_remote_id),
        changed_at=values.instant(stored.changed_at),
        remote_deleted_at=values.instant(stored.deleted_at),
        remote_created_at=values.instant(record.remote_created_at),
        remote_updated_at=values.instant(record.remote_updated_at),
        author=wire.EmbeddedUser(
            id=values.own_id(author),
            remote_id=user.remote_id,
            first_name=user.first_name,
            last_name=user.last_name,
            email=values.email(user.email),
        )
        if author and user
        else None,
        responses=[_response(entry) for entry in record.responses],
    )


def _response(entry: Any) -> wire.ScorecardResponse:
    """One response; what has no known type or no fitting answer becomes text."""
    fields = entry if isinstance(entry, dict) else {"answer": entry}
    kind, answer, is_typed = fields.get("type"), fields.get("answer"), False
    if kind in ("SINGLE_SELECT", "MULTI_SELECT"):
        chosen = _choices(answer if isinstance(answer, list) else [] if answer is None else [answer])
        is_typed = chosen is not None and (kind == "MULTI_SELECT" or len(chosen) <= 1)
        if chosen is not None and is_typed:
            answer = chosen if kind == "MULTI_SELECT" else chosen[0] if chosen else None
    elif kind in _RESPONSE_TYPE:
        is_typed = answer is None or _fits(kind, answer)
    if not is_typed:
        kind, answer = "TEXT", _as_text(answer)
    return wire.ScorecardResponse(
        type=cast(Any, kind),
        remote_id=_text(fields.get("remote_id")),
        label=_text(fields.get("label")) or "",
        description=_text(fields.get("description")),
        required=fields.get("required") if isinstance(fields.get("required"), bool) else None,
        answer=answer,
        options=(_choices(fields.get("options")) or []) if kind in ("SINGLE_SELECT", "MULTI_SELECT") else UNSET,
    )


def _fits(kind: Any, answer: Any) -> bool:
    match kind:
        case "BOOLEAN":
            return isinstance(answer, bool)
        case "NUMBER":
            return _is_number(answer)
        case _:
            return isinstance(answer, str)


def _choices(entries: Any) -> list[wire.ScorecardChoice] | None:
    """Options given as ``{"remote_id", "label"}`` or as plain text; ``None`` if there is anything else."""
    if not isinstance(entries, list):
        return None
    found: list[wire.ScorecardChoice] = []
    for entry in entries:
        label = entry.get("label") if isinstance(entry, dict) else entry
        if not isinstance(label, str):
            return None
        remote_id = _text(entry.get("remote_id")) if isinstance(entry, dict) else None
        found.append(wire.ScorecardChoice(remote_id=remote_id, label=label))
    return found


def _as_text(answer: Any) -> str | None:
    return answer if answer is None or isinstance(answer, str) else msgspec.json.encode(answer).decode()


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _is_number(answer: Any) -> bool:
    return isinstance(answer, int | float) and not isinstance(answer, bool)


def _is_list_of_text(answer: Any) -> bool:
    return isinstance(answer, list) and all(isinstance(entry, str) for entry in answer)
