"""What became of a write: answers that are lost, records that show late, and what v1 was given."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx2
import pytest

from atsumi.connectors.personio.tests.simulator_kit import Probe, reasons, served, simulated

BY_ADDRESS = "/v2/recruiting/applications?candidate.email=ada.beispiel@example.com"


@pytest.fixture
def probe() -> Probe:
    made = Probe(simulated())
    made.simulator.switch(v1_requests_per_window=0)
    return made


@pytest.mark.parametrize(
    ("fault", "status"), [({"loss": "status", "status": 502}, 502), ({"loss": "silence", "seconds": 0}, 504)]
)
async def test_an_answer_that_is_lost_was_given_for_something_done(
    probe: Probe, fault: dict[str, Any], status: int
) -> None:
    probe.simulator.inject("lost_answer", path="/v1", **fault)
    assert (await probe.apply()).status_code == status
    [application] = await probe.records(BY_ADDRESS)
    assert reasons(await probe.apply()) == [("email", "errors.applicant-already-exists")]
    assert [entry["status"] for entry in probe.simulator.state("submissions")["submissions"]] == [201, 400]
    assert application["id"] == probe.simulator.state("applications")["applications"][-1]["id"]


async def test_a_connection_can_end_before_an_empty_answer_does() -> None:
    simulator = simulated()
    probe = Probe(simulator)
    simulator.inject("lost_answer", path="/v1")
    async with served(simulator) as url, httpx2.AsyncClient(base_url=url) as http:
        with pytest.raises(httpx2.RemoteProtocolError):
            await http.post("/v1/recruiting/applications", json=probe.submission(), headers=probe.keys())
    assert len(await probe.records(BY_ADDRESS)) == 1


async def test_v2_shows_late_what_v1_has_created(probe: Probe) -> None:
    probe.simulator.switch(v2_visible_after_seconds=30)
    assert (await probe.apply()).status_code == 201
    truth = probe.simulator.state("applications")["applications"][-1]
    own, person = f"/v2/recruiting/applications/{truth['id']}", f"/v2/recruiting/candidates/{truth['candidate_id']}"
    documents = f"/v2/document-management/documents?owner_id={truth['id']}"
    known = len(probe.simulator.company.applications)

    async def shown() -> list[Any]:
        statuses = [(await probe.get(url)).status_code for url in (own, f"{own}/stage-transitions", person)]
        listed = [len(await probe.records(url)) for url in (BY_ADDRESS, "/v2/recruiting/applications", documents)]
        return [*statuses, *listed]

    assert await shown() == [404, 404, 404, 0, known - 1, 0]
    probe.simulator.clock.advance(29)
    assert await shown() == [404, 404, 404, 0, known - 1, 0]
    probe.simulator.clock.advance(1)
    assert await shown() == [200, 200, 200, 1, known, 0]


async def test_a_known_candidate_is_shown_without_the_application_that_is_not(probe: Probe) -> None:
    first, second = [int(item["id"]) for item in probe.simulator.state("published")["published"][:2]]
    assert (await probe.apply(job_position_id=first)).status_code == 201
    probe.simulator.clock.advance(60)
    probe.simulator.switch(v2_visible_after_seconds=30)
    assert (await probe.apply(job_position_id=second)).status_code == 201
    url = "/v2/recruiting/candidates?email=ada.beispiel@example.com"
    assert [len(item["applications"]) for item in await probe.records(url)] == [1]
    probe.simulator.clock.advance(30)
    assert [len(item["applications"]) for item in await probe.records(url)] == [2]


async def test_answers_that_the_form_requires_are_required_where_switched_so(probe: Probe) -> None:
    asked = [item.id for item in probe.simulator.company.attributes.values() if item.kind in ("text", "textarea")][:2]
    job = probe.submission()["job_position_id"]
    questions = [{"attribute_id": id, "is_required": id == asked[0]} for id in asked]
    probe.simulator.edit_job(job, questions=questions)
    probe.simulator.switch(v1_requires_answers=True)
    refused = await probe.apply(attributes=[{"id": asked[1], "value": "yes"}])
    assert reasons(refused) == [(asked[0], "errors.attribute-validation.required-attribute")]
    assert (await probe.apply(attributes=[{"id": asked[0], "value": "yes"}])).status_code == 201
    probe.simulator.switch(v1_requires_answers=False)
    assert (await probe.apply(email="other@example.com")).status_code == 201


async def test_what_v1_was_given_can_be_looked_at(probe: Probe) -> None:
    uploaded = (await probe.upload("Lebenslauf.pdf", b"content")).json()["uuid"]
    [waiting] = probe.simulator.state("uploads")["uploads"]
    assert (waiting["uuid"], waiting["filename"], waiting["size"]) == (uploaded, "Lebenslauf.pdf", 7)
    assert waiting["sha256"] == hashlib.sha256(b"content").hexdigest()
    file = {"uuid": uploaded, "original_filename": "Lebenslauf.pdf", "category": "cv"}
    assert (await probe.apply(files=[file])).status_code == 201
    await probe.http.post("/v1/recruiting/applications", content=b"{", headers=probe.keys())
    first, second = probe.simulator.state("submissions")["submissions"]
    assert (first["status"], first["body"]) == (201, probe.submission(files=[file]))
    assert (second["status"], second["body"]) == (400, "{")
    assert probe.simulator.state("uploads")["uploads"] == []
    assert (probe.simulator.counts()["submissions"], probe.simulator.counts()["uploads"]) == (2, 0)
