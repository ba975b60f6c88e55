"""What a check is given, and what checks share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import pytest

from atsumi.connector.context import Context
from atsumi.connector.contract import Connector
from atsumi.model.actions import Action
from atsumi.model.draft import Draft
from atsumi.testing.reading import Reading


class Harness(Protocol):
    """One simulated account of the tool, freshly made for each check, with enough records for several pages."""

    @property
    def connector(self) -> Connector: ...

    def context(self) -> Context:
        """A way to the simulated tool with credentials that may read everything."""
        ...

    def break_credentials(self) -> None:
        """Make the tool refuse the credentials from now on. Raise NotImplementedError if it cannot be simulated."""
        ...

    def end_tokens(self) -> None:
        """Make the tool refuse the tokens it gave so far. Raise NotImplementedError if there are none."""
        ...

    def take_right(self, scope: str) -> None:
        """Take away a right of the manifest. Raise NotImplementedError if it cannot be simulated."""
        ...

    def edit(self) -> tuple[str, str]:
        """Change one record at the tool; return the raw stream and remote id that must show it."""
        ...

    def draft(self, action: Action, number: int) -> tuple[Draft, Sequence[Sequence[bytes]]]:
        """What the tool takes of an action, with every input that it declares, and the contents of the files in pieces.

        Each number is something else to write. Raise NotImplementedError if the action cannot be simulated.
        """
        ...

    def held(self, draft: Draft) -> int:
        """How many records the tool holds that this draft was meant to make."""
        ...


SAMPLE = 30
"""Ids that a check looks up of a background stream."""

Rule = Callable[[Harness], Awaitable[None]]


def can(do: Callable[[], object]) -> tuple[str, str]:
    """Do it, or skip the check where the harness cannot; returns what was done, if that is a pair."""
    try:
        done = do()
    except NotImplementedError:
        pytest.skip("the harness cannot do this")
    return done if isinstance(done, tuple) else ("", "")


async def read(harness: Harness) -> Reading:
    """Everything that the account shows."""
    reading = Reading(harness.connector, lookup_limit=SAMPLE)
    await reading.read(harness.context())
    return reading
