"""Changing the company, in Python and through the control API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from atsumi.connectors.personio.simulator import InvalidChange, Simulator, UnknownRecord
from atsumi.connectors.personio.tests.simulator_kit import Probe, simulated


@pytest.fixture
def probe() -> Probe:
    return Probe(simulated())


def one(simulator: Simulator, kind: str, record_id: str) -> dict[str, Any]:
    return next(item for item in simulator.state(kind)[kind] if item["id"] == record_id)


def first(simulator: Simulator, kind: str) -> dict[str, Any]:
    return simulator.state(kind)[kind][0]


async def control(probe: Probe, method: str, path: str, expect: int = 200, **body: Any) -> Any:
    answer = await probe.http.request(method, f"/_control{path}", json=body)
    assert answer.status_code == expect, answer.text
    return answer.json()


async def test_every_change_has_a_later_instant_than_all_before(probe: Probe) -> None:
    simulator = probe.simulator
    application = first(simulator, "applications")["id"]
    instants = []
    for stage in ("offer", "rejected", "withdrawn", "system:accepted"):
        simulator.move_application(application, stage)
        instants.append(one(simulator, "applications", application)["updated_at"])
    assert instants == sorted(set(instants))
    assert one(simulator, "applications", application)["stage"] == "accepted"
    shown = (await probe.data("/v2/recruiting/applications?limit=1"))["_data"][0]
    assert (shown["id"], shown["current_stage"]["kind"]) == (application, "accepted")


async def test_a_move_appends_a_transition_and_bumps_the_application_unless_switched_off(probe: Probe) -> None:
    simulator = probe.simulator
    item = first(simulator, "applications")
    before = [entry for entry in simulator.state("transitions")["transitions"] if entry["application_id"] == item["id"]]
    simulator.switch(moves_bump_application=False)
    simulator.move_application(item["id"], "26408")
    after = [entry for entry in simulator.state("transitions")["transitions"] if entry["application_id"] == item["id"]]
    assert after[:-1] == before
    assert after[-1]["stage"] == "26408"
    assert one(simulator, "applications", item["id"])["updated_at"] == item["updated_at"]
    simulator.switch(moves_bump_application=True)
    simulator.move_application(item["id"], "offer")
    assert one(simulator, "applications", item["id"])["updated_at"] > item["updated_at"]


async def test_editing_a_candidate_bumps_it_alone_and_moves_its_address(probe: Probe) -> None:
    simulator = probe.simulator
    candidate = first(simulator, "candidates")
    application = one(simulator, "applications", candidate["applications"][0])
    simulator.edit_candidate(candidate["id"], first_name="Ñuria", email="new@example.com", birthday="1999-12-31")
    assert one(simulator, "applications", application["id"]) == application
    shown = await probe.data(f"/v2/recruiting/applications/{application['id']}")
    assert shown["candidate"]["first_name"] == "Ñuria"
    assert (await probe.records("/v2/recruiting/candidates?email=new@example.com"))[0]["birthday"] == "1999-12-31"
    assert await probe.records(f"/v2/recruiting/candidates?email={candidate['email']}") == []


async def test_editing_a_job_shows_in_its_applications_at_once(probe: Probe) -> None:
    simulator = probe.simulator
    application = first(simulator, "applications")
    await probe.data(f"/v2/recruiting/applications/{application['id']}")
    person = first(simulator, "persons")["id"]
    simulator.edit_job(
        application["job_id"],
        name="Neuer Titel",
        hiring_team=[{"person_id": person, "role": "Mentor"}],
        department=None,
    )
    shown = await probe.data(f"/v2/recruiting/applications/{application['id']}")
    assert shown["job"]["name"] == "Neuer Titel"
    assert shown["job"]["department"] is None
    assert [member["role"]["name"] for member in shown["hiring_team"]] == ["Mentor"]
    simulator.edit_application(application["id"], hiring_team=[], channel_id=None)
    shown = await probe.data(f"/v2/recruiting/applications/{application['id']}")
    assert (shown["hiring_team"], shown["channel"]) == ([], None)


async def test_anonymising_an_application_blanks_it_and_its_last_one_blanks_the_candidate(probe: Probe) -> None:
    simulator = probe.simulator
    candidate = next(item for item in simulator.state("candidates")["candidates"] if len(item["applications"]) == 2)
    one_id, other_id = candidate["applications"]
    simulator.anonymise_application(one_id)
    shown = await probe.data(f"/v2/recruiting/applications/{one_id}")
    assert shown["is_anonymized"] is True
    assert shown["candidate"]["email"] is None
    assert shown["candidate"]["id"] == candidate["id"]
    assert await probe.records(f"/v2/document-management/documents?owner_id={one_id}") == []
    assert one(simulator, "candidates", candidate["id"])["email"] == candidate["email"]
    simulator.anonymise_application(other_id)
    assert one(simulator, "candidates", candidate["id"])["last_name"] is None


async def test_anonymising_a_candidate_reaches_all_its_applications(probe: Probe) -> None:
    candidate = next(item for item in probe.simulator.state("candidates")["candidates"] if item["applications"][1:])
    await control(probe, "POST", f"/candidates/{candidate['id']}/anonymise")
    assert one(probe.simulator, "candidates", candidate["id"])["first_name"] is None
    for application in candidate["applications"]:
        assert one(probe.simulator, "applications", application)["is_anonymized"]


async def test_deleted_records_are_gone_and_stubs_stay_where_the_tool_keeps_them(probe: Probe) -> None:
    simulator = probe.simulator
    application = first(simulator, "applications")
    job, candidate = application["job_id"], application["candidate_id"]
    simulator.delete_job(job)
    simulator.delete_candidate(candidate, with_applications=False)
    assert (await probe.get(f"/v2/recruiting/jobs/{job}")).status_code == 404
    assert (await probe.get(f"/v2/recruiting/candidates/{candidate}")).status_code == 404
    shown = await probe.data(f"/v2/recruiting/applications/{application['id']}")
    assert shown["job"]["id"] == job
    assert shown["candidate"]["id"] == candidate
    simulator.delete_application(application["id"])
    assert (await probe.get(f"/v2/recruiting/applications/{application['id']}")).status_code == 404
    other = first(simulator, "candidates")
    simulator.delete_candidate(other["id"])
    assert not {item["id"] for item in simulator.state("applications")["applications"]} & set(other["applications"])


async def test_new_records_never_reuse_an_id(probe: Probe) -> None:
    simulator = probe.simulator
    for kind in ("job", "candidate"):
        made = [getattr(simulator, f"create_{kind}")(*("A", "B")[: 1 if kind == "job" else 2]) for _ in range(2)]
        getattr(simulator, f"delete_{kind}")(made[1])
        again = getattr(simulator, f"create_{kind}")(*("A", "B")[: 1 if kind == "job" else 2])
        assert again > made[1] > made[0]


async def test_stages_can_be_renamed_reordered_and_added(probe: Probe) -> None:
    simulator = probe.simulator
    category = first(simulator, "categories")
    own = [stage for stage in category["stages"] if stage.isdecimal()]
    simulator.rename_stage(own[0], "Umbenannt")
    simulator.edit_category(category["id"], name="Neu", stages=[*reversed(own), "Probetag", "rejected"])
    shown = await probe.data(f"/v2/recruiting/categories/{category['id']}")
    assert shown["name"] == "Neu"
    assert [stage["name"] for stage in shown["stages"]][-3:] == ["Umbenannt", "Probetag", None]
    with pytest.raises(InvalidChange, match="built in"):
        simulator.rename_stage("rejected", "Nein")
    simulator.delete_category(category["id"])
    assert (await probe.get(f"/v2/recruiting/categories/{category['id']}")).status_code == 404
    assert all(job["category_id"] != category["id"] for job in simulator.state("jobs")["jobs"])


@pytest.mark.parametrize(
    ("method", "arguments", "changes"),
    [
        ("edit_candidate", ["1"], {"first_name": "A"}),
        ("delete_job", ["abc"], {}),
        ("move_application", [1, "rejected"], {}),
        ("delete_document", [1], {}),
    ],
)
def test_an_unknown_record_is_named(probe: Probe, method: str, arguments: list[Any], changes: dict[str, Any]) -> None:
    with pytest.raises(UnknownRecord, match=str(arguments[0])):
        getattr(probe.simulator, method)(*arguments, **changes)


def test_an_unknown_field_stage_or_kind_is_named(probe: Probe) -> None:
    application = first(probe.simulator, "applications")["id"]
    with pytest.raises(InvalidChange, match="shoe_size"):
        probe.simulator.edit_candidate(first(probe.simulator, "candidates")["id"], shoe_size=43)
    with pytest.raises(InvalidChange, match="mood"):
        probe.simulator.edit_application(application, mood="good")
    with pytest.raises(InvalidChange, match="hired"):
        probe.simulator.move_application(application, "hired")
    with pytest.raises(ValueError, match="unicorns"):
        probe.simulator.state("unicorns")


async def test_the_control_api_reaches_every_kind_of_change(probe: Probe) -> None:
    candidate = (await control(probe, "POST", "/candidates", first_name="Io", last_name="Neu", email="io@example.com"))[
        "id"
    ]
    job = (await control(probe, "POST", "/jobs", name="Neue Stelle", category_id="12", is_published=False))["id"]
    application = (await control(probe, "POST", "/applications", candidate_id=candidate, job_id=job))["id"]
    await control(probe, "POST", f"/applications/{application}/move", stage="rejected")
    await control(probe, "PATCH", f"/candidates/{candidate}", phone="+49 1")
    await control(probe, "PATCH", f"/applications/{application}", application_date="2026-10-01")
    await control(probe, "PATCH", f"/jobs/{job}", office="Bonn")
    await control(probe, "POST", f"/jobs/{job}/publish")
    document = (await control(probe, "POST", f"/applications/{application}/documents", name="Zeugnis.pdf"))["id"]
    await control(probe, "POST", f"/documents/{document}/quarantine")
    state = await control(probe, "GET", "/state?kind=applications")
    assert list(state) == ["applications"]
    assert state["applications"][-1]["stage"] == "rejected"
    assert one(probe.simulator, "jobs", job)["is_published"]
    for path in (f"/documents/{document}", f"/applications/{application}", f"/candidates/{candidate}", f"/jobs/{job}"):
        await control(probe, "DELETE", path)
        await control(probe, "DELETE", path, expect=404)
    person = first(probe.simulator, "persons")["id"]
    await control(probe, "PATCH", f"/persons/{person}", status="INACTIVE")
    assert (await probe.data(f"/v2/persons/{person}"))["status"] == "INACTIVE"
    await control(probe, "DELETE", f"/persons/{person}")
    await control(probe, "PATCH", "/stages/26401", name="Erste Sichtung")
    await control(probe, "PATCH", "/categories/11", name="Umbenannt")
    await control(probe, "DELETE", "/categories/11")
    await control(probe, "POST", "/no/such/route", expect=404)
    await control(probe, "PATCH", f"/persons/{person}", expect=404)
    await control(probe, "POST", "/jobs", 400, title="no name")


async def test_the_control_api_sets_clock_switches_and_credentials(probe: Probe) -> None:
    assert (await control(probe, "GET", "/clock"))["is_fixed"] is True
    advanced = await control(probe, "POST", "/clock", advance_seconds=90)
    assert advanced["now"] == "2026-11-03T09:01:30+00:00"
    assert (await control(probe, "POST", "/clock", set="2027-01-01T00:00:00Z"))["now"].startswith("2027-01-01")
    assert (await control(probe, "POST", "/clock", follow=True))["is_fixed"] is False
    await control(probe, "POST", "/clock", 400, hurry=True)
    assert (await control(probe, "PATCH", "/switches", require_beta=True))["require_beta"] is True
    assert (await control(probe, "GET", "/switches"))["require_beta"] is True
    assert "no_switch" in (await control(probe, "PATCH", "/switches", 400, no_switch=1))["error"]
    given = await control(probe, "GET", "/credentials")
    assert given["subdomain"] == "lindenhof"
    extra = await control(probe, "POST", "/credentials", scopes=["personio:persons:read"])
    answer = await probe.token(client_id=extra["client_id"], client_secret=extra["client_secret"])
    assert answer.json()["scope"] == "personio:persons:read"
    await control(probe, "PATCH", "/credentials", scopes=["personio:documents:read"])
    assert (await probe.token()).json()["scope"] == "personio:documents:read"
    new = (await control(probe, "POST", "/credentials/rotate"))["client_secret"]
    assert (await probe.token(client_secret=new)).status_code == 200
    await control(probe, "POST", "/tokens/revoke")


async def test_reset_and_seed_through_the_control_api(probe: Probe) -> None:
    fresh = probe.simulator.state()
    probe.simulator.move_application(fresh["applications"][0]["id"], "accepted")
    probe.simulator.switch(require_beta=True)
    probe.simulator.inject("429")
    probe.simulator.clock.advance(5)
    await control(probe, "POST", "/reset")
    assert probe.simulator.state() == fresh
    assert probe.simulator.switches.require_beta is False
    assert probe.simulator.clock.now() == datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
    assert (await probe.get("/v2/recruiting/jobs")).status_code == 200
    counts = await control(probe, "POST", "/seed", applications=5, seed=2, jobs=3, anchor="2026-01-01")
    assert (counts["applications"], counts["jobs"]) == (5, 3)
    assert await control(probe, "GET", "/counts") == counts


async def test_the_log_tells_what_was_asked(probe: Probe) -> None:
    await probe.get("/v2/recruiting/jobs?limit=3")
    await probe.get("/v2/recruiting/jobs/1")
    log = await control(probe, "GET", "/log?path=/v2/recruiting")
    assert [(item["path"], item["query"], item["status"]) for item in log["requests"]] == [
        ("/v2/recruiting/jobs", "limit=3", 200),
        ("/v2/recruiting/jobs/1", "", 404),
    ]
    assert log["counts"] == {"GET /v2/recruiting/jobs": 1, "GET /v2/recruiting/jobs/1": 1}
    await control(probe, "DELETE", "/log")
    assert (await control(probe, "GET", "/log"))["requests"] == []


async def test_a_new_application_bumps_its_candidate_when_switched_so(probe: Probe) -> None:
    simulator = probe.simulator
    candidate, job = first(simulator, "candidates"), simulator.create_job("Noch eine")
    simulator.create_application(candidate["id"], job)
    assert one(simulator, "candidates", candidate["id"])["updated_at"] == candidate["updated_at"]
    simulator.switch(applications_bump_candidate=True)
    simulator.create_application(
        candidate["id"], simulator.create_job("Und noch eine"), stage="offer", channel_id=250601
    )
    assert one(simulator, "candidates", candidate["id"])["updated_at"] > candidate["updated_at"]
    made = simulator.state("applications")["applications"][-1]
    assert (made["stage"], made["channel_id"]) == ("offer", "250601")


async def test_a_created_person_can_join_a_hiring_team(probe: Probe) -> None:
    person = (
        await control(probe, "POST", "/persons", first_name="Io", last_name="Neu", email="io.neu@lindenhof.example")
    )["id"]
    job = probe.simulator.create_job("Stelle", hiring_team=[{"person_id": person, "role": "Recruiter"}])
    shown = (await probe.data(f"/v2/recruiting/jobs/{job}"))["hiring_team"][0]["person"]
    assert shown["id"] == person
    assert (await probe.data(shown["_meta"]["links"]["self"]["href"]))["email"] == "io.neu@lindenhof.example"


async def test_every_change_of_the_feed_shows_in_its_date(probe: Probe) -> None:
    job = next(item for item in probe.simulator.state("jobs")["jobs"] if item["is_published"] and item["category_id"])

    async def date() -> str:
        return (await probe.feed()).headers["last-modified"]

    dates = [await date()]
    probe.simulator.edit_job(job["id"], office="Ulm")
    dates.append(await date())
    probe.simulator.edit_category(job["category_id"], name="Neu")
    dates.append(await date())
    assert b"<recruitingCategory>Neu</recruitingCategory>" in (await probe.feed()).content
    probe.simulator.delete_job(job["id"])
    dates.append(await date())
    assert len(set(dates)) == 4
