"""`atsumi simulate`: stand-ins for tools, to try and test against."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import Annotated

import msgspec
import typer

from atsumi.connectors.personio.simulator import Simulator, run_server
from atsumi.errors import ConfigurationError
from atsumi.server.cli_support import console, fail
from atsumi.server.serving import stop_on_signals

app = typer.Typer(help="Run a stand-in for a tool.", no_args_is_help=True)


@app.callback()
def simulate() -> None:
    """Run a stand-in for a tool, with a company made up from a seed."""


@app.command()
def personio(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes any free one.")] = 8100,
    applications: Annotated[int, typer.Option(min=0, help="How many applications the company has received.")] = 500,
    jobs: Annotated[int | None, typer.Option(min=1, help="How many jobs; in proportion if not given.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed makes the same company.")] = 1,
    announce_json: Annotated[
        bool, typer.Option("--announce-json", hidden=True, help="Print one JSON line and end with standard input.")
    ] = False,
) -> None:
    """Run a simulated Personio account until Ctrl-C.

    Serves the recruiting API, the career page's feed and application forms, and a control API under /_control/ that
    changes the company and injects faults.
    """
    simulator = Simulator(seed=seed, applications=applications, jobs=jobs)

    def ready(base_url: str) -> None:
        given = simulator.credentials()
        if announce_json:
            told = {"base_url": base_url, "credentials": given}
            sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
            sys.stdout.flush()
            return
        console.print(f"Simulated Personio account [bold]{given['company_name']}[/bold]\n")
        for label, value in (
            ("api_base_url", base_url),
            ("career_base_url", f"{base_url}/career/{{company}}"),
            ("company", given["subdomain"]),
            *((name, given[name]) for name in ("client_id", "client_secret", "recruiting_key", "company_id")),
            ("control", f"{base_url}/_control/"),
        ):
            console.print(f"  {label:<16} {value}", markup=False, soft_wrap=True)
        console.print("\nCtrl-C ends it.")

    async def run() -> None:
        stop = stop_on_signals()
        if announce_json:
            _stop_with_input(stop, asyncio.get_running_loop())
        serving = asyncio.create_task(run_server(simulator, host=host, port=port, on_ready=ready))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if serving.done():
            serving.result()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)

    try:
        asyncio.run(run())
    except OSError as error:
        fail(ConfigurationError(f"cannot listen on {host} port {port}: {error.strerror}. Choose another with --port."))


def _stop_with_input(stop: asyncio.Event, loop: asyncio.AbstractEventLoop) -> None:
    """Stop when whoever started us is gone, however it ended: its end of the pipe closes then."""

    def wait() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait, daemon=True).start()
