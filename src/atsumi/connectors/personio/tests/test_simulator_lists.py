"""Lists of v2: order, paging, filters, shapes and rate limits."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any

import pytest

from atsumi.connectors.personio.tests.simulator_kit import ORIGIN, Probe, simulated

RECRUITING = "/v2/recruiting"
LISTS = ("applications", "candidates", "jobs")


@pytest.fixture
def probe() -> Probe:
    return Probe(simulated())


def truth(probe: Probe, kind: str) -> list[dict[str, Any]]:
    return sorted(probe.simulator.state(kind)[kind], key=lambda item: item["updated_at"], reverse=True)


@pytest.mark.parametrize("limit", [1, 2, 7, 30, 200])
@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("ends_empty", [True, False])
async def test_any_page_size_gives_each_record_once_and_newest_first(
    probe: Probe, kind: str, limit: int, ends_empty: bool
) -> None:
    probe.simulator.switch(next_on_last_page=ends_empty, v2_rate_limit=False)
    pages = await probe.pages(f"{RECRUITING}/{kind}?limit={limit}")
    assert [record["id"] for page in pages for record in page["_data"]] == [item["id"] for item in truth(probe, kind)]
    assert (pages[-1]["_data"] == []) is ends_empty
    assert "next" not in pages[-1]["_meta"]["links"]


@pytest.mark.parametrize(("name", "maximum", "default"), [("recruiting/candidates", 200, 100), ("persons", 50, 10)])
async def test_the_limit_has_a_range_and_a_default(name: str, maximum: int, default: int) -> None:
    probe = Probe(simulated(260, persons=60))
    assert len((await probe.data(f"/v2/{name}"))["_data"]) == default
    assert len((await probe.data(f"/v2/{name}?limit={maximum}"))["_data"]) == maximum
    for wrong in ("0", str(maximum + 1), "-1", "many", ""):
        answer = await probe.get(f"/v2/{name}?limit={wrong}")
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["type"].endswith("#common.bad_request")


async def test_the_cursor_is_opaque_and_a_foreign_one_is_refused(probe: Probe) -> None:
    following = (await probe.data(f"{RECRUITING}/jobs?limit=1"))["_meta"]["links"]["next"]["href"]
    cursor = following.partition("cursor=")[2]
    assert cursor.startswith("cur_")
    for wrong in ("nonsense", "cur_", "cur_%C3%A4"):
        assert (await probe.get(f"{RECRUITING}/jobs?cursor={wrong}")).status_code == 400
    assert (await probe.get(f"{RECRUITING}/candidates?cursor={cursor}")).status_code == 400


async def test_the_last_page_points_to_itself_when_switched_so(probe: Probe) -> None:
    probe.simulator.switch(next_points_to_itself=True)
    pages = await probe.pages(f"{RECRUITING}/jobs?limit=4", cap=5)
    assert pages[-1]["_meta"]["links"]["next"] == pages[-1]["_meta"]["links"]["self"]
    assert pages[-1] == pages[-2]


async def test_next_is_relative_when_switched_so(probe: Probe) -> None:
    probe.simulator.switch(next_is_relative=True)
    links = (await probe.data(f"{RECRUITING}/jobs?limit=2"))["_meta"]["links"]
    assert links["next"]["href"].startswith("/v2/recruiting/jobs?limit=2&cursor=cur_")
    assert links["self"]["href"].startswith(ORIGIN)


async def test_next_loses_limit_and_filters_when_switched_so(probe: Probe) -> None:
    probe.simulator.switch(next_keeps_query=False)
    links = (await probe.data(f"{RECRUITING}/jobs?limit=2&updated_at.gt=2001-01-01"))["_meta"]["links"]
    assert "limit" not in links["next"]["href"]
    assert "updated_at" not in links["next"]["href"]


async def test_a_record_touched_during_a_scan_jumps_ahead_and_no_other_is_skipped(probe: Probe) -> None:
    expected = [item["id"] for item in truth(probe, "applications")]
    seen: list[str] = []
    url: str | None = f"{RECRUITING}/applications?limit=4"
    touched = expected[-1]
    while url:
        page = await probe.data(url)
        seen += [record["id"] for record in page["_data"]]
        if len(seen) == 8:
            probe.simulator.move_application(touched, "rejected")
            probe.simulator.delete_application(expected[2])
        url = page["_meta"]["links"].get("next", {}).get("href")
    assert seen == expected[:-1]
    assert (await probe.data(f"{RECRUITING}/applications?limit=1"))["_data"][0]["id"] == touched


@pytest.mark.parametrize("kind", LISTS)
async def test_updated_at_filters_exclude_the_instant_itself(probe: Probe, kind: str) -> None:
    records = truth(probe, kind)
    middle = records[len(records) // 2]["updated_at"]
    newer = await probe.records(f"{RECRUITING}/{kind}?limit=3&updated_at.gt={middle}")
    older = await probe.records(f"{RECRUITING}/{kind}?limit=3&updated_at.lt={middle}")
    assert [item["id"] for item in newer] == [item["id"] for item in records if item["updated_at"] > middle]
    assert [item["id"] for item in older] == [item["id"] for item in records if item["updated_at"] < middle]
    assert len(newer) + len(older) == len(records) - 1


async def test_both_updated_at_filters_are_refused_or_the_last_one_wins(probe: Probe) -> None:
    url = f"{RECRUITING}/jobs?updated_at.lt=2001-01-01T00:00:00Z&updated_at.gt=2001-01-01T00:00:00Z"
    assert (await probe.get(url)).status_code == 400
    probe.simulator.switch(both_updated_filters="last_wins")
    assert len((await probe.data(url))["_data"]) == len(truth(probe, "jobs"))


async def test_updated_at_filters_are_refused_altogether_when_switched_so(probe: Probe) -> None:
    probe.simulator.switch(updated_filter_refused=True)
    assert (await probe.get(f"{RECRUITING}/jobs?updated_at.gt=2001-01-01T00:00:00Z")).status_code == 400
    assert (await probe.get(f"{RECRUITING}/jobs")).status_code == 200


async def test_unknown_filters_are_ignored_or_their_operator_refused(probe: Probe) -> None:
    url = f"{RECRUITING}/jobs?updated_at.gte=2999-01-01T00:00:00Z&job.id=1&sort=name"
    assert len((await probe.data(url))["_data"]) == len(truth(probe, "jobs"))
    probe.simulator.switch(unknown_operator="refused")
    assert (await probe.get(url)).json()["errors"][0]["detail"] == "Provided filter encoding is invalid."


async def test_a_filter_that_is_no_instant_is_refused(probe: Probe) -> None:
    answer = await probe.get(f"{RECRUITING}/jobs?updated_at.gt=yesterday")
    assert answer.json()["errors"][0]["detail"] == "Provided request parameters are invalid."


async def test_the_two_email_filters_have_different_names(probe: Probe) -> None:
    candidate = next(item for item in truth(probe, "candidates") if len(item["applications"]) > 1)
    email = candidate["email"].upper()
    found = await probe.records(f"{RECRUITING}/candidates?email={email}")
    assert [item["id"] for item in found] == [candidate["id"]]
    applications = await probe.records(f"{RECRUITING}/applications?limit=1&candidate.email={email}")
    assert {item["id"] for item in applications} == set(candidate["applications"])
    assert len(await probe.records(f"{RECRUITING}/applications?email={email}")) == 30
    assert await probe.records(f"{RECRUITING}/candidates?email=nobody@example.com") == []


async def test_persons_are_found_by_id_and_by_email() -> None:
    probe = Probe(simulated(persons=60))
    persons = probe.simulator.state("persons")["persons"]
    assert len(await probe.records("/v2/persons?limit=7")) == 60
    wanted = [item["id"] for item in persons[3:40]]
    assert [item["id"] for item in await probe.records(f"/v2/persons?limit=50&id={','.join(wanted)}")] == wanted
    both = f"{persons[0]['email']},{persons[1]['email']}"
    assert len((await probe.data(f"/v2/persons?email={both}"))["_data"]) == 2
    inactive = await probe.records("/v2/persons?status=INACTIVE&limit=50")
    assert {item["id"] for item in inactive} == {item["id"] for item in persons if item["status"] == "INACTIVE"}
    last_name = persons[5]["last_name"]
    assert all(item["last_name"] == last_name for item in await probe.records(f"/v2/persons?last_name={last_name}"))
    assert await probe.records("/v2/persons?updated_at.gt=2999-01-01T00:00:00Z") == []
    assert (await probe.data(f"/v2/persons/{wanted[0]}"))["id"] == wanted[0]
    for wrong in ("updated_at.gte=2001-01-01", "id.in=1", "status=SLEEPY", "created_at=soon"):
        assert (await probe.get(f"/v2/persons?{wrong}")).status_code == 400


@pytest.mark.parametrize("kind", [*LISTS, "categories"])
async def test_a_single_object_is_bare_and_an_unknown_id_a_problem(probe: Probe, kind: str) -> None:
    record = (await probe.data(f"{RECRUITING}/{kind}"))["_data"][0]
    assert await probe.data(f"{RECRUITING}/{kind}/{record['id']}") == record
    for unknown in ("1", "abc"):
        answer = await probe.get(f"{RECRUITING}/{kind}/{unknown}")
        assert answer.status_code == 404
        assert answer.json()["errors"][0]["type"].endswith("#common.resource_not_found")
    probe.simulator.switch(wrap_single_objects=True)
    assert await probe.data(f"{RECRUITING}/{kind}/{record['id']}") == {"_data": record}


async def test_short_lists_are_bare_when_switched_so(probe: Probe) -> None:
    application = truth(probe, "applications")[0]["id"]
    for url in (f"{RECRUITING}/categories", f"{RECRUITING}/applications/{application}/stage-transitions"):
        probe.simulator.switch(wrap_short_lists=True)
        wrapped = await probe.data(url)
        probe.simulator.switch(wrap_short_lists=False)
        assert await probe.data(url) == wrapped["_data"]


async def test_stage_transitions_are_newest_first_and_end_in_the_current_stage(probe: Probe) -> None:
    for item in truth(probe, "applications"):
        listed = (await probe.data(f"{RECRUITING}/applications/{item['id']}/stage-transitions"))["_data"]
        application = await probe.data(f"{RECRUITING}/applications/{item['id']}")
        instants = [entry["entered_at"]["date-time"] for entry in listed]
        assert instants == sorted(instants, reverse=True)
        assert listed[0]["stage"] == application["current_stage"]
        assert listed[-1]["entered_at"] == application["created_at"]
    assert (await probe.get(f"{RECRUITING}/applications/1/stage-transitions")).status_code == 404


async def stages(probe: Probe) -> list[dict[str, Any]]:
    return (await probe.data(f"{RECRUITING}/categories"))["_data"][0]["stages"]


async def test_the_shape_of_stages_follows_the_switches(probe: Probe) -> None:
    assert (await stages(probe))[0] == {"id": None, "name": None, "type": "system", "kind": "unassigned"}
    probe.simulator.switch(system_key_in="type")
    assert (await stages(probe))[0] == {"id": None, "name": None, "type": "unassigned", "kind": "system"}
    probe.simulator.switch(stage_case="upper")
    assert (await stages(probe))[0]["type"] == "UNASSIGNED"
    probe.simulator.switch(builtin_stages_have_ids=True)
    assert (await stages(probe))[0]["name"] == "Unassigned"
    assert (await stages(probe))[1]["type"] == "CUSTOM"
    probe.simulator.switch(category_stages=False)
    assert "stages" not in (await probe.data(f"{RECRUITING}/categories"))["_data"][0]


@pytest.mark.parametrize("shape", ["object", "string", "null"])
async def test_the_category_of_a_job_follows_the_switch(probe: Probe, shape: str) -> None:
    item = next(job for job in truth(probe, "jobs") if job["category"])
    probe.simulator.switch(job_category=shape)
    expected = {"object": {"id": item["category_id"], "name": item["category"]}, "string": item["category"]}
    assert (await probe.data(f"{RECRUITING}/jobs/{item['id']}"))["category"] == expected.get(shape)


async def test_timestamps_follow_the_switches(probe: Probe) -> None:
    item = truth(probe, "applications")[0]
    utc = datetime.fromisoformat(item["updated_at"])
    url = f"{RECRUITING}/applications/{item['id']}"

    async def shown(**changes: Any) -> Any:
        probe.simulator.switch(**changes)
        return (await probe.data(url))["updated_at"]

    berlin = (await shown())["date-time"]
    assert datetime.fromisoformat(berlin).tzinfo is None
    assert (await shown())["timezone"] == "Europe/Berlin"
    with_offset = (await shown(timestamps="offset"))["date-time"]
    assert with_offset.startswith(berlin)
    assert datetime.fromisoformat(with_offset) == utc
    in_utc = (await shown(timestamps="naive", naive_means="utc"))["date-time"]
    assert f"{in_utc}Z" == item["updated_at"]
    assert set(await shown(timestamp_key="date_time")) == {"date_time", "timezone"}
    assert await shown(timestamp_key="string") == in_utc
    assert await shown(timestamp_precision="seconds") == in_utc[:19]
    candidate = await probe.data(f"{RECRUITING}/candidates/{item['candidate_id']}")
    assert len(candidate["updated_at"]) == len("2026-06-01T10:00:00Z")


async def test_a_bucket_per_endpoint_empties_and_refills(probe: Probe) -> None:
    probe.simulator.switch(v2_replenish_per_second=2, v2_burst=3)
    answers = [await probe.get(f"{RECRUITING}/jobs") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0].headers["x-ratelimit-remaining"] == "2"
    assert answers[3].headers["x-ratelimit-replenish-rate"] == "2"
    assert answers[3].headers["x-ratelimit-burst-capacity"] == "3"
    assert answers[3].headers["x-ratelimit-requested-tokens"] == "1"
    assert "retry-after" not in answers[3].headers
    assert (await probe.get(f"{RECRUITING}/candidates")).status_code == 200
    probe.simulator.clock.advance(1)
    statuses = [(await probe.get(f"{RECRUITING}/jobs")).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


async def test_persons_have_a_bucket_of_their_own(probe: Probe) -> None:
    probe.simulator.switch(persons_replenish_per_second=1, persons_burst=1, v2_retry_after=True)
    answers = [await probe.get("/v2/persons") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].headers["retry-after"] == "1"


async def test_limits_and_their_headers_can_be_switched_off(probe: Probe) -> None:
    probe.simulator.switch(v2_rate_headers=False, v2_burst=1)
    assert "x-ratelimit-remaining" not in (await probe.get(f"{RECRUITING}/jobs")).headers
    assert (await probe.get(f"{RECRUITING}/jobs")).status_code == 429
    probe.simulator.switch(v2_rate_limit=False)
    assert (await probe.get(f"{RECRUITING}/jobs")).status_code == 200


async def test_the_default_limit_is_on_and_generous(probe: Probe) -> None:
    headers = (await probe.get(f"{RECRUITING}/jobs")).headers
    assert headers["x-ratelimit-burst-capacity"] == "400"


def test_an_unknown_or_ill_typed_switch_is_refused_by_name(probe: Probe) -> None:
    with pytest.raises(ValueError, match="no_such_switch"):
        probe.simulator.switch(no_such_switch=1)
    with pytest.raises(ValueError, match="v2_burst"):
        probe.simulator.switch(v2_burst="many")
    with pytest.raises(ValueError, match="klingon"):
        probe.simulator.switch(feed_default_language="klingon")
    assert all(item.name in probe.simulator.switches.as_dict() for item in dataclasses.fields(probe.simulator.switches))


@pytest.mark.parametrize(
    "url",
    [
        f"{RECRUITING}/jobs?updated_at.gte=2001-01-01",
        f"{RECRUITING}/applications?email=a@example.com",
        f"{RECRUITING}/categories?limit=1",
        "/v2/persons?owner=1",
    ],
)
async def test_misspelt_parameters_are_found_when_switched_so(probe: Probe, url: str) -> None:
    assert (await probe.get(url)).status_code == 200
    probe.simulator.switch(unknown_parameters="refused")
    assert (await probe.get(url)).status_code == 400
    known = "limit=2&updated_at.gt=2001-01-01&candidate.email=a@example.com"
    assert (await probe.get(f"{RECRUITING}/applications?{known}")).status_code == 200
