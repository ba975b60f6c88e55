"""What an operator is told of actions that do not go well."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from atsumi.server.runtime import Runtime
from atsumi.store.action_troubles import troubles
from atsumi.store.tenants import IntegrationRow

_RECENT = timedelta(hours=24)
_TOO_LONG = timedelta(hours=1)
"""The pauses between looks have reached their longest by then, so the tool has been asked many times."""


class Trouble(NamedTuple):
    """One sentence, and whether it can be left to the engine and to callers."""

    is_well: bool
    text: str


async def actions_in_trouble(runtime: Runtime, row: IntegrationRow) -> Sequence[Trouble]:
    """Which of an integration's actions have an unknown outcome now, and which failed within a day."""
    now = runtime.now() or datetime.now(UTC)
    found = await troubles(runtime.pool, row.number, failed_after=now - _RECENT)
    told = []
    if found.unknown_since is not None:
        told.append(
            Trouble(
                now - found.unknown_since < _TOO_LONG,
                f"{_actions(found.unknown)} may or may not have reached the tool, since {moment(found.unknown_since)}; "
                f"the tool is being asked: `atsumi actions list {row.id} --state UNKNOWN`",
            )
        )
    if found.failed:
        kinds = ", ".join(f"{count:,} {spelled(kind)}" for kind, count in found.failed.items())
        total = _actions(sum(found.failed.values()))
        told.append(Trouble(True, f"{total} failed in the last 24 hours: {kinds}"))
    return told


def moment(at: datetime | None) -> str:
    """An instant as it is shown to operators; nothing for none."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at is not None else ""


def spelled(kind: str | None) -> str:
    """The class of an error as words; nothing for none."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", kind).lower() if kind is not None else ""


def _actions(count: int) -> str:
    return f"{count:,} action{'' if count == 1 else 's'}"
