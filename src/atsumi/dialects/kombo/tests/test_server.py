"""The same application behind the real server, read by the published client over a socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn
from kombo import Kombo

from atsumi.dialects.kombo.call import integration_id
from atsumi.dialects.kombo.tests import samples
from atsumi.dialects.kombo.tests.kit import KEY, FakeServices, application, body, integration
from atsumi.model.names import Model


@pytest.fixture
async def origin() -> AsyncIterator[str]:
    services = FakeServices()
    services.documents[Model.JOB] = [(integration().public_id, body("jobs", samples.JOB, samples.RECORDS))] * 3
    server = uvicorn.Server(uvicorn.Config(application(services), log_config=None, lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        running = asyncio.create_task(server.serve(sockets=[listening]))
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        await running


async def test_the_client_reads_pages_over_a_socket(origin: str) -> None:
    async with httpx.AsyncClient() as http:
        sdk = Kombo(
            api_key=KEY, integration_id=integration_id(integration()), server_url=f"{origin}/v1", async_client=http
        )
        names, page = [], await sdk.ats.get_jobs_async(page_size=1, name_contains="dev")
        while page is not None:
            names += [job.name for job in page.result.data.results]
            page = await page.next()
        details = await sdk.general.get_integration_details_async(integration_id=integration_id(integration()))
    assert names == [samples.JOB.name] * 3
    assert details.data.tool.icon_url == f"{origin}/assets/tools/personio/icon.svg"


@pytest.mark.parametrize(("path", "status"), [("/v1/ats/jobs", 401), ("/v1/openapi.json", 200), ("/v1/x", 404)])
async def test_head_has_the_headers_of_get(origin: str, path: str, status: int) -> None:
    async with httpx.AsyncClient(base_url=origin) as http:
        head, get = await http.head(path), await http.get(path)
    assert (head.status_code, get.status_code, head.content) == (status, status, b"")
    assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.content))
    assert head.headers["content-type"] == "application/json"
