"""The requests of docs/writing.md are answered as it says."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import httpx2
import pytest

from action_kit import company_with_open_job, open_job
from atsumi.model.ids import record_id, to_base58
from atsumi.model.names import Model
from bindbee_reader import bindbee_of
from harness import Account, Product

TEXT = Path("docs/writing.md").read_text(encoding="utf-8")
REQUESTS = [block for block in re.findall(r"^```sh\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE) if "curl" in block]
ADDRESS = "http://127.0.0.1:8080"
FILE = "QQ=="
"""Nothing is fetched from where the page says."""


async def sent(account: Account, block: str) -> httpx2.Response:
    """Send what a line of curl would, with the account's own key and ids."""
    job = record_id(account.integration.public_id, Model.JOB, open_job(account))
    bindbee = await bindbee_of(account)
    known = {
        "<id of a job>": to_base58(job) if "/v1/ats/jobs/" in block else str(job),
        "$KEY": account.key,
        "$INTEGRATION": account.integration.id,
        "$TOKEN": bindbee.token,
        '"data_url": "https://example.com/cv.pdf"': f'"data": "{FILE}", "content_type": "application/pdf"',
        '"file_url": "https://example.com/cv.pdf"': f'"file_content": "{FILE}"',
    }
    for name, value in known.items():
        block = block.replace(name, value)
    headers, body, url = {}, None, ""
    words = iter(shlex.split(block.replace("\\\n", " "))[1:])
    for word in words:
        match word:
            case "-H":
                name, _, value = next(words).partition(": ")
                headers[name] = value
            case "-d":
                body = next(words)
            case "-s" | "-si":
                pass
            case _:
                assert word.startswith(ADDRESS), word
                url = word.removeprefix(ADDRESS)
    method = "GET" if body is None else "POST"
    return await account.product.api.request(method, url, headers=headers, content=body)


@pytest.fixture
async def account(product: Product) -> Account:
    return await product.synced(company_with_open_job(applications=1))


async def test_what_is_to_be_typed_is_answered_as_the_page_says(account: Account) -> None:
    kombo, dry_run, later, meta, bindbee = [await sent(account, block) for block in REQUESTS]
    created: dict[str, Any] = kombo.json()["data"]
    assert (created["candidate"]["first_name"], kombo.json()["warnings"]) == ("Ada", [])
    assert kombo.headers["concurrency-limit"] == "30"
    planned = dry_run.json()["data"]
    assert (planned["dry_run"], planned["expected_wait_seconds"] >= 0) == (True, True)
    assert [request["body"]["email"] for request in planned["requests"]] == ["ada@example.com"]
    assert later.status_code == 202
    state = await account.product.api.get(later.headers["location"], headers=account.headers)
    assert state.json()["state"] == "PENDING"
    assert "ada@example.com" not in json.dumps(meta.json())
    assert meta.json()["data"]["properties"]["first_name"]
    # The tool has her application already: the two surfaces write to one place.
    assert bindbee.status_code == 409, bindbee.text


async def test_the_line_for_bindbees_surface_creates_a_candidate(account: Account) -> None:
    answer = await sent(account, REQUESTS[-1])
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["first_name"] == "Ada"
