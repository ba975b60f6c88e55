"""What the journal of an action does by itself."""

from __future__ import annotations

from typing import Any, ClassVar, cast
from uuid import UUID

from atsumi.actions.journal import LedgerJournal
from atsumi.store.actions import ActionClaim


class Compared(str):
    """A text that counts how often it is compared with another."""

    times: ClassVar[int] = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        Compared.times += 1
        return str.__eq__(self, other)


def test_many_warnings_are_kept_once_each_and_in_their_order_without_comparing_all_with_all() -> None:
    nobody = cast(Any, None)
    journal = LedgerJournal(nobody, nobody, ActionClaim(UUID(int=1), 1, 1), {}, "Tool")
    texts = [Compared(f"answers.{n}: the job does not ask this question.") for n in range(2_000)]
    for text in [*texts, *texts]:
        journal.warn(text)
    assert journal.warnings == [str(text) for text in texts]
    assert Compared.times < 10 * len(texts)
