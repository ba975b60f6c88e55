"""Asking a simulated tool through both surfaces."""

from __future__ import annotations

from typing import Any

import httpx2

from bindbee_reader import Bindbee
from harness import Account


async def kombo(account: Account, api: str, **body: Any) -> httpx2.Response:
    """One answer of Kombo's surface, whatever its status."""
    path = f"/v1/passthrough/personio/{api}"
    return await account.product.api.post(path, json={"method": "GET", **body}, headers=account.headers)


async def sent(account: Account, api: str, **body: Any) -> dict[str, Any]:
    """What the tool answered, through Kombo's surface."""
    answer = await kombo(account, api, **body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "success"
    return answer.json()


async def bindbee_asks(bindbee: Bindbee, **body: Any) -> httpx2.Response:
    """One answer of Bindbee's surface, whatever its status."""
    whole = {"method": "GET", "headers": {}, **body}
    return await bindbee.account.product.api.post("/api/v1/passthrough", json=whole, headers=bindbee.headers)
