"""Broken characters and ids cost one record at most, never the page."""

from __future__ import annotations

import json

import httpx2
import pytest

from atsumi.connector.contract import Page, StreamRequest
from atsumi.connectors.personio import raw
from atsumi.connectors.personio.client import PersonioClient
from atsumi.connectors.personio.streams import RecruitingList
from atsumi.connectors.personio.tests.fixed import FixedAccount


async def read(body: bytes) -> Page:
    account = FixedAccount({"/v2/recruiting/applications": httpx2.Response(200, content=body)})
    stream = RecruitingList(raw.APPLICATIONS, PersonioClient.applications, raw.of_application)
    (page,) = [page async for page in stream.pages(account.context, StreamRequest())]
    return page


async def test_broken_characters_in_a_record_do_not_stop_the_page() -> None:
    page = await read(
        rb'{"_data": [{"id": "1", "a": "\ud83d", "b": 1e999}, {"id": "\ud83d"}, {"id": 2, "a": "x\u0000"}]}'
    )
    assert [record.remote_id for record in page.records if record.stream == "applications"] == ["1", "2"]
    assert [issue.kind for issue in page.issues] == ["malformed_record"]
    assert not any(b"u0000" in record.data for record in page.records)


@pytest.mark.parametrize("odd", ["a\0", "\0", "a\nb", "\x7f7", "a\u0085b", "9" * 600])
async def test_an_id_that_cannot_be_one_is_kept_aside(odd: str) -> None:
    items = [{"id": odd}, {"id": 7, "candidate": {"id": odd}, "job": {"id": odd}, "current_stage": {"id": odd}}]
    page = await read(json.dumps({"_data": items}).encode())
    kept = {record.stream: record.remote_id for record in page.records}
    assert set(kept) == {"malformed:applications", "applications"}
    assert kept["applications"] == "7"
    assert [issue.kind for issue in page.issues] == ["malformed_record"]
