"""Injected faults."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from lxml import etree

from atsumi.connectors.personio.tests.simulator_kit import Probe, simulated

JOBS = "/v2/recruiting/jobs"


@pytest.fixture
def probe() -> Probe:
    return Probe(simulated())


async def test_a_fault_hits_the_requests_it_names_and_no_others(probe: Probe) -> None:
    probe.simulator.inject("status", path=JOBS, method="GET", after=1, count=2, status=502)
    statuses = [(await probe.get(JOBS)).status_code for _ in range(4)]
    assert statuses == [200, 502, 502, 200]
    assert (await probe.get("/v2/recruiting/candidates")).status_code == 200
    assert [entry.fault for entry in probe.simulator.log.entries if entry.path == JOBS] == [
        None,
        "status",
        "status",
        None,
    ]


async def test_a_fault_without_a_count_lasts_until_it_is_cleared(probe: Probe) -> None:
    probe.simulator.inject("429", path=JOBS, count=None, retry_after="7")
    answers = [await probe.get(JOBS) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {429}
    assert answers[0].headers["retry-after"] == "7"
    probe.simulator.clear_faults()
    assert (await probe.get(JOBS)).status_code == 200


async def test_a_fault_can_be_left_to_chance(probe: Probe) -> None:
    probe.simulator.inject("status", path=JOBS, count=None, probability=0.5)
    statuses = {(await probe.get(JOBS)).status_code for _ in range(30)}
    assert statuses == {200, 503}


async def test_whole_answers_go_wrong(probe: Probe) -> None:
    for kind, status, content_type in (
        ("html", 200, "text/html"),
        ("error_body", 200, "application/json"),
        ("redirect", 302, ""),
    ):
        probe.simulator.inject(kind, path=JOBS)
        answer = await probe.get(JOBS)
        assert answer.status_code == status
        assert answer.headers.get("content-type", "").startswith(content_type)
        assert b"_data" not in answer.content
    probe.simulator.inject("status", path=JOBS, status=500, body='{"oops": 1}')
    assert (await probe.get(JOBS)).json() == {"oops": 1}


async def test_a_silent_server_answers_after_its_time(probe: Probe) -> None:
    await probe.get(JOBS)
    probe.simulator.inject("timeout", path=JOBS, seconds=0.01)
    assert (await probe.get(JOBS)).status_code == 504
    probe.simulator.inject("timeout", path=JOBS, seconds=60)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(probe.get(JOBS), 0.02)


async def test_a_slow_body_arrives_whole(probe: Probe) -> None:
    whole = (await probe.get(JOBS)).content
    probe.simulator.inject("slow", path=JOBS, seconds=0.01)
    assert (await probe.get(JOBS)).content == whole


@pytest.mark.parametrize("kind", ["cut", "disconnect"])
async def test_a_cut_body_is_no_json(probe: Probe, kind: str) -> None:
    probe.simulator.inject(kind, path=JOBS)
    with pytest.raises(json.JSONDecodeError):
        (await probe.get(JOBS)).json()


async def test_pages_lose_repeat_and_empty_their_records(probe: Probe) -> None:
    whole = await probe.data(f"{JOBS}?limit=4")

    async def damaged(kind: str, **fields: Any) -> list[Any]:
        probe.simulator.inject(kind, path=JOBS, **fields)
        return list((await probe.data(f"{JOBS}?limit=4"))["_data"])

    assert await damaged("drop_records", records=2) == whole["_data"][2:]
    assert await damaged("duplicate_records", records=2) == whole["_data"][:2] + whole["_data"]
    assert await damaged("reorder_records") == whole["_data"][::-1]
    assert await damaged("empty_page") == []
    first, second = await probe.pages(f"{JOBS}?limit=4", cap=2)
    probe.simulator.inject("repeat_page", path=JOBS, after=1)
    await probe.data(f"{JOBS}?limit=4")
    probe.simulator.clear_faults()
    probe.simulator.inject("drop_records", path=JOBS, records=0)
    await probe.data(f"{JOBS}?limit=4")
    probe.simulator.inject("repeat_page", path=JOBS)
    assert await probe.data(first["_meta"]["links"]["next"]["href"]) == first
    assert second["_data"] != first["_data"]


async def test_two_pages_are_swapped_and_the_next_reader_finds_them_in_order(probe: Probe) -> None:
    whole = await probe.pages(f"{JOBS}?limit=2", cap=3)
    probe.simulator.inject("swap_pages", path=JOBS)
    swapped = await probe.pages(f"{JOBS}?limit=2", cap=3)
    assert [page["_data"] for page in swapped] == [whole[number]["_data"] for number in (1, 0, 2)]
    assert [page["_meta"] for page in swapped] == [page["_meta"] for page in whole]
    assert await probe.pages(f"{JOBS}?limit=2", cap=3) == whole

    probe.simulator.inject("swap_pages", path=JOBS)
    await probe.get(f"{JOBS}?limit=2")
    probe.simulator.clear_faults()
    assert await probe.data(whole[0]["_meta"]["links"]["next"]["href"]) == whole[1]


async def test_a_last_page_has_none_to_be_swapped_with(probe: Probe) -> None:
    whole = await probe.data(JOBS)
    probe.simulator.inject("swap_pages", path=JOBS)
    assert await probe.data(JOBS) == whole


async def test_next_can_point_to_the_page_itself(probe: Probe) -> None:
    probe.simulator.inject("self_next", path=JOBS, after=1)
    pages = await probe.pages(f"{JOBS}?limit=3", cap=3)
    links = pages[1]["_meta"]["links"]
    assert links["next"] == links["self"]
    assert pages[2]["_data"] == pages[1]["_data"]


@pytest.mark.parametrize(
    "malformation", ["not_an_object", "odd_timestamp", "missing_fields", "wrong_types", "unknown_words"]
)
async def test_records_are_malformed_in_many_ways(probe: Probe, malformation: str) -> None:
    url = "/v2/recruiting/applications?limit=3"
    whole = (await probe.data(url))["_data"]
    probe.simulator.inject("malformed_record", path="/v2/recruiting/applications", malformation=malformation)
    damaged = (await probe.data(url))["_data"]
    assert damaged[0] != whole[0]
    assert damaged[1:] == whole[1:]


async def test_the_feed_can_be_damaged_once(probe: Probe) -> None:
    probe.simulator.inject("malformed_xml", path="/career")
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring((await probe.feed()).content)
    etree.fromstring((await probe.feed()).content)


async def test_faults_are_injected_and_cleared_through_the_control_api(probe: Probe) -> None:
    answer = await probe.http.post("/_control/faults", json={"kind": "status", "path": JOBS, "status": 500})
    assert answer.json()["status"] == 500
    assert (await probe.get(JOBS)).status_code == 500
    assert (await probe.http.get("/_control/faults")).json()[0]["hits"] == 1
    await probe.http.delete("/_control/faults")
    assert (await probe.http.get("/_control/faults")).json() == []
    refused = await probe.http.post("/_control/faults", json={"kind": "earthquake"})
    assert refused.status_code == 400
    assert "earthquake" in refused.json()["error"]
