"""The simulator as a real server."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time

import httpx2
import pytest

from atsumi.connectors.personio.simulator import run_server
from atsumi.connectors.personio.tests.simulator_kit import served, simulated


async def test_it_serves_on_a_free_port_and_stops_at_once_when_cancelled() -> None:
    simulator = simulated()
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(run_server(simulator, host="127.0.0.1", port=0, on_ready=ready.set_result))
    async with httpx2.AsyncClient(base_url=await asyncio.wait_for(ready, 10)) as http:
        assert (await http.get("/_control/counts")).json() == simulator.counts()
        simulator.inject("timeout", path="/v2", seconds=60)
        hanging = asyncio.create_task(http.get("/v2/persons"))
        while not simulator.faults or next(iter(simulator.faults)).hits == 0:
            await asyncio.sleep(0)
        started = time.perf_counter()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert time.perf_counter() - started < 5
        [left] = await asyncio.gather(hanging, return_exceptions=True)
        assert isinstance(left, httpx2.HTTPError) or left.status_code == 500


async def test_a_broken_connection_is_an_error_of_the_transport() -> None:
    simulator = simulated()
    simulator.inject("disconnect", path="/career")
    async with served(simulator) as url, httpx2.AsyncClient(base_url=url) as http:
        with pytest.raises(httpx2.TransportError):
            await http.get("/career/lindenhof/xml")
        assert (await http.get("/career/lindenhof/xml")).status_code == 200


async def test_a_taken_port_is_an_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            await run_server(simulated(), host="127.0.0.1", port=taken.getsockname()[1])


def test_the_module_tells_what_to_type_into_the_connect_form() -> None:
    command = [sys.executable, "-m", "atsumi.connectors.personio.simulator", "--port", "0", "--applications", "5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(8)]
        process.terminate()
    assert lines[1].split()[0] == "api_base_url"
    assert lines[2].split()[1].endswith("/career/lindenhof")
