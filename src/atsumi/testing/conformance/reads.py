"""Credentials, rights, and what listings bring."""

# ruff: noqa: S101 (asserting is what this file is for)

from __future__ import annotations

from functools import partial

import msgspec
import pytest

from atsumi.connector.contract import Page, Stream, StreamRequest
from atsumi.errors import AuthenticationFailed, PermissionMissing
from atsumi.testing.conformance.harness import SAMPLE, Harness, can, read
from atsumi.testing.reading import Reading


async def check_knows_the_account_again(harness: Harness) -> None:
    first = await harness.connector.check(harness.context())
    second = await harness.connector.check(harness.context())
    assert first.id
    assert first.id == second.id


async def check_refuses_wrong_credentials(harness: Harness) -> None:
    can(harness.break_credentials)
    with pytest.raises(AuthenticationFailed) as caught:
        await harness.connector.check(harness.context())
    assert str(caught.value).startswith(f"{harness.connector.manifest.slug}: ")


async def errors_hide_secrets(harness: Harness) -> None:
    context = harness.context()
    can(harness.break_credentials)
    with pytest.raises(AuthenticationFailed) as caught:
        await harness.connector.check(context)
    text = f"{caught.value} {caught.value.call} {caught.value.remote_message}"
    for secret in context.credentials.values():
        assert secret not in text


async def missing_rights_are_named(harness: Harness) -> None:
    for scope in harness.connector.manifest.scopes:
        streams = {stream.name for stream in harness.connector.streams} & set(scope.streams)
        if not streams:
            continue
        can(partial(harness.take_right, scope.name))
        reading = Reading(harness.connector, lookup_limit=SAMPLE)
        await reading.read(harness.context())
        failed = [reading.failures[name] for name in sorted(streams) if name in reading.failures]
        assert failed, f"nothing fails without {scope.name}"
        assert all(isinstance(error, PermissionMissing) for error in failed)
        assert any(getattr(error, "scope", None) == scope.name for error in failed)


async def a_token_that_ends_is_renewed(harness: Harness) -> None:
    context = harness.context()
    await harness.connector.check(context)
    can(harness.end_tokens)
    await harness.connector.check(context)


async def a_full_read_closes_every_listing(harness: Harness) -> None:
    reading = await read(harness)
    assert not reading.failures
    assert not reading.unproven


async def raw_records_are_json_under_text_keys(harness: Harness) -> None:
    for page in await _pages(harness):
        for record in page.records:
            assert record.remote_id
            assert record.stream
            msgspec.json.decode(record.data)


async def a_page_holds_each_address_once(harness: Harness) -> None:
    for page in await _pages(harness):
        keys = [(record.stream, record.remote_id) for record in page.records]
        assert len(keys) == len(set(keys))


async def a_second_read_changes_nothing(harness: Harness) -> None:
    reading = await read(harness)
    changes = len(reading.store.changes)
    await reading.read(harness.context())
    assert reading.store.changes[changes:] == []


async def an_edit_is_read_incrementally(harness: Harness) -> None:
    reading = await read(harness)
    context = harness.context()
    since = context.now()
    stream, key = can(harness.edit)
    changes = len(reading.store.changes)
    await reading.read(harness.context(), since=since)
    assert (stream, key) in reading.store.changes[changes:]


async def incremental_equals_full(harness: Harness) -> None:
    reading = await read(harness)
    since = harness.context().now()
    can(harness.edit)
    await reading.read(harness.context(), since=since)
    fresh = await read(harness)
    config = harness.context().config
    assert reading.records(config) == fresh.records(config)


async def a_stopped_read_goes_on(harness: Harness) -> None:
    whole = await read(harness)
    positions = 0
    for stream in harness.connector.streams:
        if not isinstance(stream, Stream):
            continue
        seen: set[tuple[str, str]] = set()
        position: str | None = None
        async for page in stream.pages(harness.context(), StreamRequest()):
            seen |= {(record.stream, record.remote_id) for record in page.records}
            position = page.position
            break
        if position is None:
            continue
        positions += 1
        async for page in stream.pages(harness.context(), StreamRequest(position=position)):
            seen |= {(record.stream, record.remote_id) for record in page.records}
        assert {key for name, key in seen if name == stream.name} == whole.store.ids(stream.name)
    if not positions:
        pytest.skip("no listing has a position on its first page")


async def a_lost_position_starts_over(harness: Harness) -> None:
    whole = await read(harness)
    for stream in harness.connector.streams:
        if isinstance(stream, Stream):
            seen: set[str] = set()
            async for page in stream.pages(harness.context(), StreamRequest(position="no such position")):
                seen |= {record.remote_id for record in page.records if record.stream == stream.name}
            assert seen == whole.store.ids(stream.name)


async def _pages(harness: Harness) -> list[Page]:
    found: list[Page] = []
    for stream in harness.connector.streams:
        if isinstance(stream, Stream):
            found.extend([page async for page in stream.pages(harness.context(), StreamRequest())])
    return found
