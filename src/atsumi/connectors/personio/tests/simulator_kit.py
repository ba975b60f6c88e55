"""What the tests of the simulator share: a small HTTP client of its own, in process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx2

from atsumi.connectors.personio.simulator import Simulator, create_app, run_server

ORIGIN = "http://simulator.test"
START = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)


def simulated(applications: int = 30, **options: Any) -> Simulator:
    """Return a small company whose clock stands still."""
    return Simulator(applications=applications, start=START, **options)


@asynccontextmanager
async def served(simulator: Simulator) -> AsyncIterator[str]:
    """The base URL of the simulator as a real server, as long as it is needed."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(run_server(simulator, host="127.0.0.1", port=0, on_ready=ready.set_result))
    try:
        yield await asyncio.wait_for(ready, 10)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


class Probe:
    """Sends requests to a simulator in process."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        transport = httpx2.ASGITransport(app=create_app(simulator))
        self.http = httpx2.AsyncClient(transport=transport, base_url=ORIGIN)
        self._bearer: dict[str, str] = {}

    async def token(self, **changes: str) -> httpx2.Response:
        given = self.simulator.credentials()
        form = {
            "grant_type": "client_credentials",
            "client_id": given["client_id"],
            "client_secret": given["client_secret"],
            **changes,
        }
        return await self.http.post("/v2/auth/token", data={name: value for name, value in form.items() if value})

    async def get(self, url: str, **options: Any) -> httpx2.Response:
        if not self._bearer and url.removeprefix(ORIGIN).startswith("/v2"):
            self._bearer = {"Authorization": f"Bearer {(await self.token()).json()['access_token']}"}
        headers = {**self._bearer, **options.pop("headers", {})}
        return await self.http.get(url, headers=headers, **options)

    async def data(self, url: str) -> Any:
        answer = await self.get(url)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def pages(self, url: str, cap: int = 1000) -> list[dict[str, Any]]:
        """Return all pages, following `next` to its end."""
        pages = []
        following: str | None = url
        while following and len(pages) < cap:
            pages.append(await self.data(following))
            following = pages[-1]["_meta"]["links"].get("next", {}).get("href")
        return pages

    async def records(self, url: str) -> list[dict[str, Any]]:
        return [record for page in await self.pages(url) for record in page["_data"]]

    def keys(self) -> dict[str, str]:
        given = self.simulator.credentials()
        return {"Authorization": f"Bearer {given['recruiting_key']}", "X-Company-ID": given["company_id"]}

    def submission(self, **changes: Any) -> dict[str, Any]:
        """Return a valid body for v1 create; None removes a field."""
        job = self.simulator.state("published")["published"][0]
        body = {
            "first_name": "Ada",
            "last_name": "Beispiel",
            "email": "ada.beispiel@example.com",
            "job_position_id": int(job["id"]),
            **changes,
        }
        return {name: value for name, value in body.items() if value is not None}

    async def apply(self, **changes: Any) -> httpx2.Response:
        return await self.http.post("/v1/recruiting/applications", json=self.submission(**changes), headers=self.keys())

    async def upload(self, name: str = "cv.pdf", content: bytes = b"%PDF-1.4") -> httpx2.Response:
        return await self.http.post(
            "/v1/recruiting/applications/documents", files={"file": (name, content)}, headers=self.keys()
        )

    async def feed(self, language: str | None = "de", **options: Any) -> httpx2.Response:
        path = f"/career/{self.simulator.company.subdomain}/xml"
        return await self.http.get(path, params={"language": language} if language else {}, **options)


def reasons(answer: httpx2.Response) -> list[tuple[str, str]]:
    """Return (field, reason) of a v1 error answer."""
    return [(item["field"], found["reason"]) for item in answer.json()["errors"] for found in item["errors"]]
