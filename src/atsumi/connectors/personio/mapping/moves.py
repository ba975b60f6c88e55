"""Recorded moves of an application (Personio NOTES sections 7 and 8)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from atsumi.connector.reading import Reader, as_object
from atsumi.connectors.personio import raw
from atsumi.model.stage_transition import StageTransition

_REJECTIONS = ("system:rejected", "system:withdrawn")
_EARLIEST = datetime.min.replace(tzinfo=UTC)


class Move(NamedTuple):
    """An application entered a stage; either part may be unreadable."""

    entered_at: datetime | None
    stage: str | None


def moves_of(entries: Iterable[object], reader: Reader) -> list[Move]:
    """The moves, oldest first. The tool sends the newest first (section 6, C); instants have the last word."""
    found = [
        Move(reader.instant(entry.get("entered_at"), "entered_at"), raw.stage_id(as_object(entry.get("stage"))))
        for entry in map(as_object, entries)
    ]
    found.reverse()
    return sorted(found, key=lambda move: move.entered_at or _EARLIEST)


def transitions(application: str, moves: Iterable[Move]) -> list[StageTransition]:
    """One record per move.

    Moves have no id (L). Ours is made of what a move consists of, so it stays when others are added before or behind;
    of moves that are alike in everything, each gets a number.
    """
    ordered = list(moves)
    seen: dict[str, int] = {}
    records = []
    for index, move in enumerate(ordered):
        words = f"{move.stage or ''} {move.entered_at.isoformat() if move.entered_at else ''}"
        digest = hashlib.blake2b(words.encode(), digest_size=8).hexdigest()
        seen[digest] = seen.get(digest, 0) + 1
        suffix = f"-{seen[digest]}" if seen[digest] > 1 else ""
        records.append(
            StageTransition(
                remote_id=f"{application}:{digest}{suffix}",
                application_remote_id=application,
                stage_remote_id=move.stage,
                entered_at=move.entered_at,
                left_at=ordered[index + 1].entered_at if index + 1 < len(ordered) else None,
            )
        )
    return records


def rejected_at(current_stage: str | None, moves: list[Move]) -> datetime | None:
    """When the application was rejected or withdrawn: the newest move, if it led to where it stands (section 18, I).

    ``None`` for one that was taken up again, and while its newest move has not been read yet.
    """
    if not moves or current_stage not in _REJECTIONS or moves[-1].stage != current_stage:
        return None
    return moves[-1].entered_at
