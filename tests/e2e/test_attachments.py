"""Files on their way to API clients: who may fetch them, and what browsers do with them."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock
from uuid import UUID

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsumi.dialects import links
from atsumi.model.ids import from_base58, to_base58
from atsumi.model.names import Model
from atsumi.server.app import create_app
from atsumi.server.downloads import disposition
from atsumi.server.files import store_attachment
from atsumi.store import tenants
from bindbee_reader import bindbee_of
from harness import Account, Product
from scope_kit import disable, remap


@pytest.fixture(scope="module")
async def account(product: Product) -> Account:
    account = await product.synced(applications=25)
    await account.background()
    return account


async def fetch(account: Account, url: str, **headers: str) -> httpx2.Response:
    return await account.product.api.get(httpx2.URL(url).raw_path.decode(), headers=headers)


@dataclass
class Shown:
    """A file as a surface shows it, and what the tool holds."""

    id: UUID
    remote_id: str
    url: str
    content: bytes


@pytest.fixture(params=["kombo", "bindbee"])
def surface(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def one_file(account: Account, surface: str = "kombo") -> Shown:
    """The first file that a surface lists, with the link that it gives out."""
    if surface == "bindbee":
        row = (await (await bindbee_of(account)).rows("attachments"))[0]
        id, url = UUID(row["id"]), row["file_url"]
    else:
        row = (await account.rows("attachments"))[0]
        answer = await account.get(f"/ats/applications/{row['application_id']}/attachments")
        assert answer.status_code == 200, answer.text
        url = next(one["data_url"] for one in answer.json()["data"]["results"] if one["id"] == row["id"])
        found = from_base58(row["id"])
        assert found is not None
        id = found
    document = account.simulator.company.document(int(row["remote_id"]))
    assert document is not None
    return Shown(id, row["remote_id"], url, account.simulator.company.content(document))


async def test_the_published_client_reads_files_of_applications_and_candidates(account: Account) -> None:
    rows = await account.rows("attachments")
    row = rows[0]
    of_application = await account.ask(
        lambda client: client.ats.get_application_attachments(application_id=row["application_id"])
    )
    mine = {one["id"] for one in rows if one["application_id"] == row["application_id"]}
    assert {one.id for one in of_application.data.results} == mine
    assert of_application.warnings == []
    of_candidate = await account.ask(
        lambda client: client.ats.get_candidate_attachments(candidate_id=row["candidate_id"])
    )
    theirs = {(one["id"], one["application_id"]) for one in rows if one["candidate_id"] == row["candidate_id"]}
    assert {(one.id, one.application_id) for one in of_candidate.data.results} == theirs
    assert all(one.content_type == "application/pdf" for one in of_candidate.data.results)


async def test_a_link_needs_no_key_and_the_file_is_to_be_saved(account: Account, surface: str) -> None:
    shown = await one_file(account, surface)
    answer = await fetch(account, shown.url)
    assert (answer.status_code, answer.content) == (200, shown.content)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "private, no-store"


async def test_a_file_that_the_last_sync_did_not_know_is_there_at_once(product: Product) -> None:
    account = await product.synced(applications=6)
    row = (await account.rows("applications"))[0]
    application = account.simulator.company.applications.get(int(row["remote_id"]))
    assert application is not None
    path = f"/ats/applications/{row['id']}/attachments"
    held = {str(document.id) for document in account.simulator.company.documents(application)}
    assert held
    assert {one["remote_id"] for one in (await account.get(path)).json()["data"]["results"]} == held
    assert await account.remote_ids("attachments") == held
    assert await account.fragments() == await account.rendered_anew()


async def test_files_known_from_before_are_shown_while_the_tool_is_down(account: Account) -> None:
    shown = await one_file(account)
    row = (await account.rows("attachments"))[0]
    account.simulator.inject("status", count=None, path="/v2/document-management")
    try:
        answer = (await account.get(f"/ats/applications/{row['application_id']}/attachments")).json()
    finally:
        account.simulator.faults.clear()
    assert to_base58(shown.id) in {one["id"] for one in answer["data"]["results"]}
    [warning] = answer["warnings"]
    assert "personio" in warning["message"]


@pytest.mark.parametrize("path", ["/ats/applications/{}/attachments", "/ats/candidates/{}/attachments"])
async def test_whom_nobody_knows_has_no_files(account: Account, path: str) -> None:
    unknown = account.id(Model.OFFER, "1")
    for spelled in (unknown, "x", "1" * 500):
        answer = await account.get(path.format(spelled))
        assert (answer.status_code, answer.json()["status"]) == (404, "error")


async def test_another_tenants_applications_have_no_files_for_me(product: Product, account: Account) -> None:
    other = await product.connect(account.simulator)
    row = (await account.rows("attachments"))[0]
    answer = await account.get(f"/ats/applications/{row['application_id']}/attachments", headers=other.headers)
    assert answer.status_code in (404, 409)


async def test_a_link_that_was_touched_leads_nowhere(account: Account, surface: str) -> None:
    link = (await one_file(account, surface)).url.rpartition("/")[2]
    raw = urlsafe_b64decode(link)
    for place in range(len(raw)):
        forged = urlsafe_b64encode(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]).decode()
        assert (await fetch(account, f"/files/{forged}")).status_code == 403
    for odd in (link[:-1], link + "A", link.lower(), "x", "%00", "a" * 5000):
        answer = await fetch(account, f"/files/{odd}")
        assert answer.status_code == 403
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_link_lasts_as_long_as_is_set(account: Account, surface: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = (await one_file(account, surface)).url
    lifetime = timedelta(hours=account.runtime.settings.file_link_hours)
    for passed, status in ((lifetime - timedelta(minutes=1), 200), (lifetime + timedelta(hours=1), 410)):
        later = Mock(now=lambda zone, passed=passed: datetime.now(zone) + passed)
        monkeypatch.setattr("atsumi.server.downloads.datetime", later)
        assert (await fetch(account, url)).status_code == status


async def test_a_link_of_another_deployment_is_refused(account: Account) -> None:
    leads_to = links.FileLink(account.integration.public_id, (await one_file(account)).id)
    later = datetime.now(UTC) + timedelta(days=1)
    assert (await fetch(account, links.write_link(b"k" * 32, leads_to, later))).status_code == 403
    key = account.runtime.vault.derive(links.LINK_KEY)
    assert (await fetch(account, links.write_link(key, leads_to, later))).status_code == 200


@pytest.fixture
async def own(product: Product) -> Account:
    """An account that one test changes."""
    account = await product.synced(applications=4)
    await account.background()
    return account


async def test_a_link_ends_with_the_attachment_and_while_the_integration_is_off(own: Account, surface: str) -> None:
    shown = await one_file(own, surface)
    await tenants.set_state(own.pool, own.number, "INACTIVE", None)
    assert (await fetch(own, shown.url)).status_code == 404
    await tenants.set_state(own.pool, own.number, "ACTIVE", None)
    assert (await fetch(own, shown.url)).status_code == 200
    await own.pool.execute(
        "UPDATE record SET deleted_at = now() WHERE integration = $1 AND remote_id = $2", own.number, shown.remote_id
    )
    assert (await fetch(own, shown.url)).status_code == 404


async def test_a_link_ends_when_attachments_leave_the_scope(own: Account, surface: str) -> None:
    shown = await one_file(own, surface)
    await disable(own, "attachment")
    assert (await fetch(own, shown.url)).status_code == 404
    await remap(own)
    assert (await fetch(own, shown.url)).status_code == 404


async def test_a_link_ends_with_the_integration(own: Account, surface: str) -> None:
    shown = await one_file(own, surface)
    assert (await fetch(own, shown.url)).status_code == 200
    path = f"/api/ats/v1/connectors/{own.integration.public_id}/delete"
    assert (await own.product.api.delete(path, headers=own.headers)).status_code == 200
    assert (await fetch(own, shown.url)).status_code == 404


@pytest.mark.parametrize("is_kept", [False, True])
async def test_parts_of_a_file(account: Account, surface: str, tmp_path: Path, is_kept: bool) -> None:
    shown = await one_file(account, surface)
    content = shown.content
    settings = account.runtime.settings.model_copy(update={"data_dir": tmp_path})
    runtime = replace(account.runtime, settings=settings)
    if is_kept:
        await store_attachment(runtime, await account.fresh(), shown.id, shown.remote_id)
    size = len(content)
    transport = httpx2.ASGITransport(app=create_app(runtime))
    async with httpx2.AsyncClient(transport=transport, base_url="http://files.test") as client:
        path = httpx2.URL(shown.url).path

        async def ask(**headers: str) -> httpx2.Response:
            return await client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

        whole = await ask()
        assert (whole.status_code, whole.content, whole.headers["accept-ranges"]) == (200, content, "bytes")
        for wanted, part in {
            "bytes=0-9": (0, 10),
            "bytes=5-": (5, size),
            "bytes=-7": (size - 7, size),
            f"bytes=3-{size + 100}": (3, size),
            f"bytes=-{size + 100}": (0, size),
        }.items():
            found = await ask(range=wanted)
            assert (found.status_code, found.content) == (206, content[slice(*part)]), wanted
            assert found.headers["content-range"] == f"bytes {part[0]}-{part[1] - 1}/{size}"
        for beyond in (f"bytes={size}-", f"bytes={size + 5}-{size + 9}", "bytes=-0"):
            found = await ask(range=beyond)
            assert (found.status_code, found.headers["content-range"]) == (416, f"bytes */{size}")
        for odd in ("bytes=", "bytes=-", "bytes=9-3", "lines=0-1", "bytes=0-1,4-5", "bytes=a-b"):
            assert (await ask(range=odd)).status_code == 200
        assert (await ask(range="bytes=0-3", if_range=whole.headers["etag"])).status_code == 206
        assert (await ask(range="bytes=0-3", if_range='"other"')).status_code == 200
        head = await client.head(path)
        assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(size))


async def test_a_file_that_vanished_from_storage_comes_from_the_tool_again(account: Account, tmp_path: Path) -> None:
    shown = await one_file(account)
    runtime = replace(account.runtime, settings=account.runtime.settings.model_copy(update={"data_dir": tmp_path}))
    stored = await store_attachment(runtime, await account.fresh(), shown.id, shown.remote_id)
    (tmp_path / "files" / stored.path).unlink()
    transport = httpx2.ASGITransport(app=create_app(runtime))
    async with httpx2.AsyncClient(transport=transport, base_url="http://files.test") as client:
        answer = await client.get(httpx2.URL(shown.url).path)
    assert (answer.status_code, answer.content) == (200, shown.content)


async def test_the_same_hour_gives_the_same_link(account: Account) -> None:
    noon = datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC)
    lifetime = timedelta(days=7)
    assert links.expiry(noon, lifetime) == links.expiry(noon + timedelta(minutes=59), lifetime)
    assert links.expiry(noon, lifetime) >= noon + lifetime


@given(st.text(min_size=1, max_size=80))
def test_any_name_is_one_header_that_says_to_save_the_file(name: str) -> None:
    made = disposition(name.encode("utf-8", "replace").decode())
    assert re.fullmatch(r"attachment; filename=\"[A-Za-z0-9 ._()+-]*\"; filename\*=UTF-8''[A-Za-z0-9%._~-]+", made)
