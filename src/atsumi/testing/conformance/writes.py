"""Actions: what they declare, and that they happen once."""

# ruff: noqa: S101 (asserting is what this file is for)

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec
import pytest

from atsumi.connector.writing import WriteAction
from atsumi.model.actions import Action
from atsumi.model.draft import DRAFTS, Draft
from atsumi.testing.conformance.harness import Harness
from atsumi.testing.doubles import UnlimitedRate
from atsumi.testing.journal import Killed, MemoryJournal


async def actions_declare_what_they_take(harness: Harness) -> None:
    for kind, action in harness.connector.actions.items():
        draft, _ = _draft(harness, kind, 0)
        fields = set(DRAFTS[kind].__struct_fields__)
        for path in action.inputs:
            name, _, part = path.partition(".")
            assert name in fields, f"{kind}: {path} is no field"
            assert not part or part in getattr(draft, name).__struct_fields__, f"{kind}: {path} is no field"
        assert {path.partition(".")[0] for path in action.inputs} >= action.required | set(action.values)
        assert ("files" in action.inputs) == (action.files is not None)
        if action.files is not None:
            assert all(re.fullmatch("[a-z0-9]+", extension) for extension in action.files.extensions)
            assert action.files.max_bytes > 0
        if action.source_form is not None:
            re.compile(action.source_form)


async def every_input_makes_a_difference(harness: Harness) -> None:
    for kind, action in harness.connector.actions.items():
        whole, _ = _draft(harness, kind, 0)
        for path in action.inputs:
            name, _, part = path.partition(".")
            # A candidate who is known comes with the name and address that the core fills in.
            if name in action.required or name == "candidate":
                continue
            value = getattr(whole, name)
            if part:
                value = type(value)(**{part: getattr(value, part)})
            assert value, f"{kind}: the harness sets no {path}"
            least = _least(whole, action)
            with_it = msgspec.structs.replace(least, **{name: value})
            context = harness.context()
            assert action.plan(context, with_it) != action.plan(context, least), f"{kind}: {path} is not written"


async def plans_ask_nobody(harness: Harness) -> None:
    for kind, action in harness.connector.actions.items():
        draft, _ = _draft(harness, kind, 0)
        context = harness.context()
        first = action.plan(context, draft)
        assert first
        assert first == action.plan(context, draft)
        assert isinstance(context.limiter, UnlimitedRate)
        assert context.limiter.acquired == []
        assert harness.held(draft) == 0
        budgets = harness.connector.manifest.rate_limits
        assert all(request.bucket is None or request.bucket in budgets for request in first)


async def what_was_written_is_found(harness: Harness) -> None:
    for order, (kind, action) in enumerate(harness.connector.actions.items()):
        draft, contents = _draft(harness, kind, order)
        journal = MemoryJournal(contents)
        await action.perform(harness.context(), draft, journal)
        made = await action.find(harness.context(), draft, journal)
        assert made is not None
        assert harness.held(draft) == 1
        told = {record.remote_id for record in made.page.records}
        assert set(made.ids.values()) <= told
        context = harness.context()
        await action.perform(context, draft, journal)
        assert isinstance(context.limiter, UnlimitedRate)
        assert context.limiter.acquired == [], "what the journal holds is not asked again"


async def a_write_that_is_killed_anywhere_is_done_once(harness: Harness) -> None:
    for order, (kind, action) in enumerate(harness.connector.actions.items()):
        for at, (draft, journal) in enumerate(_journals(harness, kind, order)):
            journal.kill_after = at
            try:
                await action.perform(harness.context(), draft, journal)
            except Killed:
                await action.perform(harness.context(), draft, journal)
                assert harness.held(draft) == 1, f"{kind}: killed after {journal.reached[at]!r}"
                assert await action.find(harness.context(), draft, journal) is not None
            else:
                assert at, "a write has moments"
                break


def _journals(harness: Harness, kind: Action, order: int) -> Iterator[tuple[Draft, MemoryJournal]]:
    for number in range(100 * order, 100 * order + 100):
        draft, contents = _draft(harness, kind, number)
        yield draft, MemoryJournal(contents)


def _draft(harness: Harness, kind: Action, number: int) -> tuple[Draft, Sequence[Sequence[bytes]]]:
    try:
        return harness.draft(kind, number)
    except NotImplementedError:
        pytest.skip("the harness cannot write")


def _least(whole: Draft, action: WriteAction) -> Draft:
    return type(whole)(**{name: getattr(whole, name) for name in action.required})
