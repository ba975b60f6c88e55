"""Golden files: what an operation answers, kept beside its dialect, so that no answer changes unnoticed.

``ATSUMI_WRITE_GOLDEN=1`` writes the files anew instead of comparing; what changed is then read in the diff.
"""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import atsumi.dialects
from atsumi.model.ids import from_base58, to_base58

FOLDERS = Path(atsumi.dialects.__file__).parent

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_BASE58 = re.compile(r"(?<![\w-])[1-9A-HJ-NP-Za-km-z]{20,24}(?![\w-])")
_SEALED = re.compile(r"[\w-]{30,}=*", re.ASCII)
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|\+00:00)")
_HOST = re.compile(r"tool-[0-9a-f]{8}\.test")
_SOME_INSTANT = "2026-03-01T12:00:00"


def compare(dialect: str, name: str, answer: Any) -> None:
    """Fail unless the golden file of that name holds this answer, key by key in the same order."""
    text = json.dumps(answer, indent=2, ensure_ascii=False) + "\n"
    file = FOLDERS / dialect / "golden" / f"{name}.json"
    if os.environ.get("ATSUMI_WRITE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert file.is_file(), f"{dialect} has no golden file {name}.json: set ATSUMI_WRITE_GOLDEN=1 to write it"
    assert text == file.read_text(encoding="utf-8"), "the API changes: set ATSUMI_WRITE_GOLDEN=1 to accept that"


class Settled:
    """Replaces what is another at every run, in its own format; equal ids stay equal in either spelling."""

    def __init__(self) -> None:
        self._ids: dict[UUID, UUID] = {}
        self._sequences: dict[int, int] = {}

    def __call__(self, value: Any) -> Any:
        if isinstance(value, dict):
            settled = {self._text(key): self(one) for key, one in value.items()}
            if "seconds" in value and (value["left_at"] is None or value["left_at"] != settled["left_at"]):
                # A stay that goes on, or ended in this test.
                settled["seconds"] = 0
            if isinstance(value.get("sequence"), int):
                # What is read side by side in the background is numbered in the order in which it arrives.
                settled["sequence"] = self._sequences.setdefault(value["sequence"], len(self._sequences) + 1)
            return settled
        if isinstance(value, list):
            return [self(one) for one in value]
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        text = _INSTANT.sub(_instant, text)
        if _UUID.search(text):
            return _UUID.sub(lambda found: str(self._id(UUID(found[0]))), text)
        text = _BASE58.sub(self._base58, text)
        return _HOST.sub("tool.test", _SEALED.sub("sealed", text))

    def _base58(self, found: re.Match[str]) -> str:
        id = from_base58(found[0])
        return found[0] if id is None else to_base58(self._id(id))

    def _id(self, id: UUID) -> UUID:
        return self._ids.setdefault(id, UUID(f"00000000-0000-8000-8000-{len(self._ids) + 1:012x}"))


def _instant(found: re.Match[str]) -> str:
    """What happened just now or will happen soon is replaced; what the simulated company tells of its past is not."""
    moment = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
    if abs(datetime.now(UTC) - moment) > timedelta(days=2):
        return found[0]
    digits = len(found[2]) - 1 if found[2] else 0
    return _SOME_INSTANT + ("." + "0" * digits if digits else "") + found[3]
