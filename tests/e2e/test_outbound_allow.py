"""Files that are named by an address: from the operator's own network only where the settings allow it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest

from action_kit import company_with_open_job, open_job
from atsumi.model.ids import record_id, to_base58
from atsumi.model.names import Model
from atsumi.server.runtime import run_time
from guarded_kit import allowing
from harness import Account, Product, product_settings
from loopback_host import Host, answering, host, ok, redirect

PDF = b"%PDF-1.7 a life of glass"
EMAIL = "adalgisa@applicants.example"


async def apply_with(account: Account, url: str) -> httpx2.Response:
    job = to_base58(record_id(account.integration.public_id, Model.JOB, open_job(account)))
    sent: dict[str, Any] = {
        "candidate": {"first_name": "Adalgisa", "last_name": "Lovelock", "email_address": EMAIL},
        "attachments": [{"name": "cv.pdf", "type": "CV", "data_url": url}],
    }
    return await account.product.api.post(f"/v1/ats/jobs/{job}/applications", json=sent, headers=account.headers)


def at(server: Host, path: str = "") -> str:
    return f"http://127.0.0.1:{server.port}/{path}"


async def test_a_file_comes_from_within_only_where_the_settings_allow_it(
    product: Product, product_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await product.synced(company_with_open_job(applications=20))
    async with host(answering(ok(PDF))) as files:
        refused = await apply_with(account, at(files, "cv.pdf"))
        assert refused.status_code == 400, refused.text
        assert refused.json()["error"]["message"].startswith("attachments.0: The address is refused")
        assert (files.accepted, account.simulator.company.applications_by_email(EMAIL)) == (0, [])

        settings = product_settings(product_database, tmp_path)
        settings = settings.model_copy(update={"outbound_allow": (f"127.0.0.1:{files.port}",)})
        async with run_time(settings) as runtime:
            monkeypatch.setattr(account.runtime, "guarded", runtime.guarded)
            answer = await apply_with(account, at(files, "cv.pdf"))
            assert answer.status_code == 200, answer.text
            [application] = account.simulator.company.applications_by_email(EMAIL)
            [document] = account.simulator.company.own_documents(application)
            assert (document.name, document.content) == ("cv.pdf", PDF)


async def test_an_allowed_host_cannot_lead_to_another_one(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    account = await product.synced(company_with_open_job(applications=20))
    async with host(answering(ok(PDF))) as inside, host(answering(redirect(at(inside)))) as files:
        monkeypatch.setattr(account.runtime, "guarded", allowing(f"127.0.0.1:{files.port}"))
        refused = await apply_with(account, at(files))
        assert refused.status_code == 400, refused.text
        assert "127.0.0.1 redirects: The address is refused" in refused.json()["error"]["message"]
        assert (files.accepted, inside.accepted) == (1, 0)
        assert not account.simulator.company.applications_by_email(EMAIL)
