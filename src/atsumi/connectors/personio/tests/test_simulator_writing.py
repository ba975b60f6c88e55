"""v1 recruiting: creating applications, uploading files, reading the files back."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from atsumi.connectors.personio.tests.simulator_kit import Probe, reasons, simulated

VALIDATION = "errors.attribute-validation."


@pytest.fixture
def probe() -> Probe:
    made = Probe(simulated())
    made.simulator.switch(v1_requests_per_window=0)
    return made


def attribute(probe: Probe, kind: str) -> str:
    return next(item.id for item in probe.simulator.company.attributes.values() if item.kind == kind)


async def test_a_created_application_answers_nothing_and_appears_in_v2(probe: Probe) -> None:
    answer = await probe.apply(
        attributes=[{"id": "phone", "value": "+49 30 1"}, {"id": "birthday", "value": "1990-02-28"}],
        application_date="2026-11-01",
        recruiting_channel_id=probe.simulator.company.postings["pid-001"],
        external_posting_id="pid-001",
        message="Guten Tag",
        tags=["Neu"],
    )
    assert (answer.status_code, answer.content) == (201, b"")
    [application] = await probe.records("/v2/recruiting/applications?candidate.email=ada.beispiel@example.com")
    assert application["application_date"] == "2026-11-01"
    assert application["job"]["id"] == str(probe.submission()["job_position_id"])
    assert application["channel"]["name"] == "Stellenbörse"
    candidate = await probe.data(f"/v2/recruiting/candidates/{application['candidate']['id']}")
    assert (candidate["phone"], candidate["birthday"]) == ("+49 30 1", "1990-02-28")
    assert candidate["applications"] == [{"id": application["id"], "application_date": "2026-11-01"}]
    state = probe.simulator.state()
    kept = next(item for item in state["applications"] if item["id"] == application["id"])
    assert (kept["message"], kept["tags"]) == ("Guten Tag", ["Neu"])
    assert {"name": "Neu"} in state["tags"]
    listed = await probe.data(f"/v2/recruiting/applications/{application['id']}/stage-transitions")
    assert [entry["stage"] for entry in listed["_data"]] == [application["current_stage"]]


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"first_name": "  "}, "first_name", VALIDATION + "required-attribute"),
        ({"last_name": None}, "last_name", VALIDATION + "required-attribute"),
        ({"email": ""}, "email", VALIDATION + "required-attribute"),
        ({"job_position_id": None}, "job_position_id", VALIDATION + "required-attribute"),
        ({"email": "ada"}, "email", VALIDATION + "invalid-email-format"),
        ({"attributes": [{"id": "shoe_size", "value": "43"}]}, "shoe_size", VALIDATION + "unknown"),
        ({"attributes": [{"id": "phone", "value": " "}]}, "phone", VALIDATION + "required-attribute"),
        ({"attributes": [{"id": "gender", "value": "f"}]}, "gender", VALIDATION + "unknown-attribute-option"),
        ({"attributes": [{"id": "birthday", "value": "1.2.90"}]}, "birthday", VALIDATION + "invalid-date-format"),
        ({"application_date": "20261101"}, "application_date", VALIDATION + "invalid-date-format"),
        ({"application_date": "2026-02-30"}, "application_date", VALIDATION + "invalid-date-format"),
        ({"application_date": "2026-11-04"}, "application_date", "errors.date-validation.date-in-the-future"),
        ({"phase": {"type": "system", "id": "hired"}}, "phase", "errors.phase-validation.invalid-system-phase"),
        ({"phase": {"type": "other", "id": 1}}, "phase", "errors.phase-validation.invalid-system-phase"),
        ({"external_posting_id": "no"}, "external_posting_id", "errors.posting-validation.posting-not-found"),
        ({"recruiting_channel_id": 1}, "recruiting_channel_id", "errors.posting-validation.channel-not-found"),
        ({"job_position_id": 1}, "job_position_id", "errors.job-position.not-published"),
        (
            {"files": [{"uuid": "none", "original_filename": "a.pdf", "category": "cv"}]},
            "files[0].uuid",
            "errors.file-validation.file-not-exists",
        ),
    ],
)
async def test_each_fault_names_its_field_and_code(
    probe: Probe, changes: dict[str, Any], field: str, reason: str
) -> None:
    answer = await probe.apply(**changes)
    assert answer.status_code == 400
    assert reasons(answer) == [(field, reason)]
    assert len(probe.simulator.company.applications) == 30


async def test_configured_attributes_are_checked_by_their_kind(probe: Probe) -> None:
    async def sent(kind: str, value: str) -> list[str]:
        answer = await probe.apply(attributes=[{"id": attribute(probe, kind), "value": value}], email="x@example.com")
        return [] if answer.status_code == 201 else [reason for _, reason in reasons(answer)]

    assert await sent("select", "no such option") == [VALIDATION + "unknown-attribute-option"]
    assert await sent("date", "soon") == [VALIDATION + "invalid-date-format"]
    assert await sent("multiselect", "B") == [VALIDATION + "invalid-type"]
    assert await sent("select", "custom_option_1") == []


async def test_an_options_label_is_accepted_like_its_key(probe: Probe) -> None:
    answer = await probe.apply(attributes=[{"id": attribute(probe, "select"), "value": "Von zu Hause"}])
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "changes",
    [{"job_position_id": "4101"}, {"phone": "+49"}, {"first_name": 7}, {"tags": "one"}, {"phase": {"type": "system"}}],
)
async def test_a_body_of_the_wrong_shape_is_refused_as_a_whole(probe: Probe, changes: dict[str, Any]) -> None:
    answer = await probe.apply(**changes)
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["status"]) == (400, "400")
    assert error["detail"] == "Invalid request body supplied"


async def test_one_address_applies_once_per_position(probe: Probe) -> None:
    first, second = [int(item["id"]) for item in probe.simulator.state("published")["published"][:2]]
    assert (await probe.apply(job_position_id=first)).status_code == 201
    again = await probe.apply(job_position_id=first, email="ADA.Beispiel@example.com")
    assert reasons(again) == [("email", "errors.applicant-already-exists")]
    assert (await probe.apply(job_position_id=second)).status_code == 201
    [candidate] = await probe.records("/v2/recruiting/candidates?email=ada.beispiel@example.com")
    assert len(candidate["applications"]) == 2


async def test_each_application_has_its_own_candidate_when_switched_so(probe: Probe) -> None:
    probe.simulator.switch(one_candidate_per_email=False)
    for job in probe.simulator.state("published")["published"][:2]:
        assert (await probe.apply(job_position_id=int(job["id"]))).status_code == 201
    assert len(await probe.records("/v2/recruiting/candidates?email=ada.beispiel@example.com")) == 2


async def test_an_unpublished_job_takes_no_applications(probe: Probe) -> None:
    job = probe.submission()["job_position_id"]
    probe.simulator.unpublish_job(job)
    answer = await probe.apply(job_position_id=job)
    assert reasons(answer) == [("job_position_id", "errors.job-position.not-published")]


async def test_the_phase_decides_where_an_application_starts(probe: Probe) -> None:
    category = next(item for item in probe.simulator.state("categories")["categories"] if item["name"] == "Tech")
    other = next(item for item in probe.simulator.state("categories")["categories"] if item["name"] == "Initiativ")
    job = probe.simulator.create_job("Prüfstand", category_id=category["id"])

    async def started(phase: dict[str, Any] | None) -> str:
        email = f"a{len(probe.simulator.company.applications)}@example.com"
        assert (await probe.apply(job_position_id=job, email=email, phase=phase)).status_code == 201
        return str(probe.simulator.state("applications")["applications"][-1]["stage"])

    own = [stage for stage in category["stages"] if stage.isdecimal()]
    assert await started(None) == category["initial"]
    assert await started({"type": "custom", "id": int(own[2])}) == own[2]
    assert await started({"type": "system", "id": "offer"}) == "offer"
    assert await started({"type": "custom", "id": 1}) == "unassigned"
    foreign = next(stage for stage in other["stages"] if stage.isdecimal())
    assert await started({"type": "custom", "id": int(foreign)}) == "unassigned"


async def test_files_are_uploaded_first_and_attached_once(probe: Probe) -> None:
    uploaded = (await probe.upload("Lebenslauf Ä.pdf", b"%PDF-1.4 content")).json()
    assert (uploaded["size"], uploaded["mimetype"], uploaded["extension"]) == (16, "application/pdf", "pdf")
    assert uploaded["original_filename"] == "Lebenslauf Ä.pdf"
    file = {"uuid": uploaded["uuid"], "original_filename": "Lebenslauf Ä.pdf", "category": "cv"}
    wrong = await probe.apply(files=[{**file, "category": "diary"}])
    assert reasons(wrong) == [("files[0].category", "errors.file-validation.unknown-file-category")]
    assert (await probe.apply(files=[file])).status_code == 201
    again = await probe.apply(files=[file], email="other@example.com")
    assert reasons(again) == [("files[0].uuid", "errors.file-validation.file-not-exists")]
    application = probe.simulator.state("applications")["applications"][-1]["id"]
    [document] = await probe.records(f"/v2/document-management/documents?owner_id={application}")
    assert (document["name"], document["category"], document["size"]) == ("Lebenslauf Ä.pdf", {"id": "cv"}, 16)
    download = await probe.get(f"/v2/document-management/documents/{document['id']}/download")
    assert download.content == b"%PDF-1.4 content"
    assert "filename*=UTF-8''Lebenslauf%20%C3%84.pdf" in download.headers["content-disposition"]


async def test_an_upload_is_forgotten_after_its_lifetime(probe: Probe) -> None:
    probe.simulator.switch(upload_lifetime_seconds=60)
    uploaded = (await probe.upload()).json()
    probe.simulator.clock.advance(61)
    file = {"uuid": uploaded["uuid"], "original_filename": "cv.pdf", "category": "cv"}
    assert reasons(await probe.apply(files=[file])) == [("files[0].uuid", "errors.file-validation.file-not-exists")]


@pytest.mark.parametrize("name", ["photo.jpeg", "scan.tiff", "picture.webp", "noextension"])
async def test_extensions_that_are_not_allowed_are_refused(probe: Probe, name: str) -> None:
    answer = await probe.upload(name)
    assert (answer.status_code, reasons(answer)) == (422, [("file", "errors.invalid-file-type")])


async def test_a_file_that_is_too_big_is_refused(probe: Probe) -> None:
    probe.simulator.switch(upload_limit_bytes=10)
    answer = await probe.upload(content=b"x" * 11)
    assert (answer.status_code, reasons(answer)) == (413, [("file", "errors.file-too-big")])


async def test_an_upload_without_multipart_is_refused(probe: Probe) -> None:
    answer = await probe.http.post("/v1/recruiting/applications/documents", content=b"JVBERi0=", headers=probe.keys())
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["detail"] == "Invalid multipart request body and/or headers supplied."


async def test_binary_content_with_line_ends_survives_the_upload(probe: Probe) -> None:
    content = bytes(range(256)) * 3 + b"\r\n--\r\n\r\n"
    uuid = (await probe.upload("data.zip", content)).json()["uuid"]
    assert probe.simulator.company.uploads[uuid].content == content


async def test_only_the_recruiting_key_with_the_company_opens_v1(probe: Probe) -> None:
    async def status(**headers: str) -> httpx2.Response:
        return await probe.http.post("/v1/recruiting/applications", json={}, headers={**probe.keys(), **headers})

    token = (await probe.token()).json()["access_token"]
    for wrong in ({"Authorization": f"Bearer {token}"}, {"X-Company-ID": "1"}, {"Authorization": "none"}):
        answer = await status(**wrong)
        assert (answer.status_code, answer.content) == (401, b"")
    probe.simulator.switch(v1_unauthorized_body="json")
    assert (await status(Authorization="Bearer wrong")).json()["errors"][0]["status"] == "401"


@pytest.mark.parametrize(
    ("switch", "code"),
    [
        ("v1_recruiting_feature", "feature.recruiting.disabled"),
        ("v1_public_api_feature", "feature.public-api.disabled"),
    ],
)
async def test_a_missing_feature_is_a_403_with_its_code(probe: Probe, switch: str, code: str) -> None:
    probe.simulator.switch(**{switch: False})
    answer = await probe.apply()
    assert (answer.status_code, reasons(answer)) == (403, [("company", code)])


async def test_v1_pauses_for_a_minute_after_20_requests_in_a_minute(probe: Probe) -> None:
    probe.simulator.switch(v1_requests_per_window=20)
    assert [(await probe.upload()).status_code for _ in range(21)] == [200] * 20 + [429]
    assert (await probe.apply()).status_code == 201, "each of the two routes has a window of its own"
    probe.simulator.clock.advance(59)
    assert (await probe.upload()).status_code == 429
    probe.simulator.clock.advance(1)
    assert (await probe.upload()).status_code == 200


async def test_the_window_of_v1_slides_and_its_pause_is_a_switch(probe: Probe) -> None:
    probe.simulator.switch(v1_requests_per_window=2, v1_window_seconds=10, v1_pause_seconds=5)
    assert [(await probe.upload()).status_code for _ in range(2)] == [200, 200]
    probe.simulator.clock.advance(10)
    assert [(await probe.upload()).status_code for _ in range(3)] == [200, 200, 429]
    probe.simulator.clock.advance(5)
    assert (await probe.upload()).status_code == 200


async def test_generated_documents_are_real_pdfs_and_always_the_same(probe: Probe) -> None:
    application = probe.simulator.state("documents")["documents"][0]["application_id"]
    listed = await probe.records(f"/v2/document-management/documents?limit=1&owner_id={application}")
    for document in listed:
        url = f"/v2/document-management/documents/{document['id']}/download"
        download = await probe.get(url)
        assert download.headers["content-type"] == "application/pdf"
        assert download.content.startswith(b"%PDF-1.4")
        start = int(download.content.rpartition(b"startxref\n")[2].split()[0])
        assert download.content[start:].startswith(b"xref")
        assert len(download.content) == document["size"]
        assert (await Probe(simulated()).get(url)).content == download.content


async def test_documents_need_an_owner_and_know_their_filters(probe: Probe) -> None:
    url = "/v2/document-management/documents"
    assert (await probe.get(url)).status_code == 400
    assert (await probe.get(f"{url}?owner_id=1&limit=300")).status_code == 400
    assert (await probe.get(f"{url}?owner_id=1&created_at.gte=soon")).status_code == 400
    assert await probe.records(f"{url}?owner_id=3001") == []
    document = probe.simulator.state("documents")["documents"][0]
    owned = f"{url}?owner_id={document['application_id']}"
    assert await probe.records(f"{owned}&created_at.lt=2001-01-01") == []
    assert await probe.records(f"{owned}&created_at.gte=2999-01-01") == []
    by_category = await probe.records(f"{owned}&category_id={document['category']}")
    assert [item["id"] for item in by_category] == [document["id"]]
    probe.simulator.switch(documents_have_category=False)
    assert "category" not in (await probe.records(owned))[0]
    assert (await probe.get(f"{url}/1/download")).status_code == 404


async def test_a_fresh_file_answers_409_until_it_was_scanned(probe: Probe) -> None:
    probe.simulator.switch(documents_scan_seconds=30)
    application = probe.simulator.state("applications")["applications"][0]["id"]
    document = probe.simulator.add_document(application, "Nachtrag.txt", b"text")
    url = f"/v2/document-management/documents/{document}/download"
    assert (await probe.get(url)).status_code == 409
    listed = await probe.records(f"/v2/document-management/documents?owner_id={application}")
    assert listed[-1]["virus_scan"]["status"] == "PENDING"
    probe.simulator.clock.advance(30)
    assert (await probe.get(url)).content == b"text"
    probe.simulator.quarantine_document(document)
    probe.simulator.clock.advance(3600)
    assert (await probe.get(url)).status_code == 409
    probe.simulator.delete_document(document)
    assert (await probe.get(url)).status_code == 404
