"""`atsumi demo`: the whole product with a simulated customer, in a temporary folder, until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import socket
import stat
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from atsumi.errors import ConfigurationError
from atsumi.server.connecting import connect
from atsumi.server.progress import explain, watch
from atsumi.server.runtime import Runtime, run_time
from atsumi.server.serving import address, listen, serve, stop_on_signals
from atsumi.server.settings import Settings
from atsumi.store import connector_tokens, runs, tenants
from atsumi.store.embedded import EmbeddedPostgres

_SIMULATOR_START_SECONDS = 60
_PREFIX = "atsumi-demo-"
_LOCK = "demo.lock"


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the command line may choose. ``ready_file`` is written once everything is synced."""

    host: str = "127.0.0.1"
    port: int = 8080
    applications: int = 300
    seed: int = 1
    ready_file: Path | None = None


@dataclass(frozen=True, slots=True)
class _Simulated:
    base_url: str
    credentials: dict[str, str]


async def run_demo(options: DemoOptions, console: Console) -> int:
    """Run the demo until Ctrl-C or SIGTERM and return the exit status. Leaves nothing behind."""
    _check_ready_file(options.ready_file)
    stop = stop_on_signals()
    listener = listen(options.host, options.port)
    await asyncio.to_thread(_sweep)
    with _ready_only_while_running(options.ready_file), _folder() as folder:
        settings = Settings(data_dir=folder, host=options.host, port=options.port)
        console.print("[bold]Atsumi[/bold] starts: PostgreSQL, a simulated Personio account, the API …")
        async with contextlib.AsyncExitStack() as stack:
            simulated = await stack.enter_async_context(_simulator(options))
            runtime = await stack.enter_async_context(run_time(settings))
            started = asyncio.Event()
            serving = asyncio.create_task(serve(runtime, listener, stop, on_ready=lambda _: started.set()))
            showing = asyncio.create_task(_show(runtime, simulated, options, listener, console))
            try:
                await asyncio.wait([serving, showing], return_when=asyncio.FIRST_COMPLETED)
                if showing.done() and showing.exception() is not None:
                    showing.result()
                await serving
            finally:
                stop.set()
                showing.cancel()
                await asyncio.gather(serving, showing, return_exceptions=True)
    console.print("Stopped; nothing is left running.")
    return 0


def _check_ready_file(path: Path | None) -> None:
    """Refuse what could not be written once everything runs."""
    if path is None:
        return
    if not path.parent.is_dir():
        raise ConfigurationError(f"--ready-file: there is no folder {path.parent}; make it first")
    if path.exists() and not path.is_file():
        raise ConfigurationError(f"--ready-file: {path} is not a file; name one that may be written anew")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise ConfigurationError(f"--ready-file: the folder {path.parent} cannot be written to; choose another")


@contextlib.contextmanager
def _ready_only_while_running(path: Path | None) -> Iterator[None]:
    """No ready file of an earlier demo, and none of this one afterwards: who waits for it reads no dead addresses."""
    if path is None:
        yield
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(f"--ready-file: {path} cannot be replaced: {error.strerror}") from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """A folder for this demo, removed afterwards. Its lock tells other demos that it is in use."""
    with tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        # The embedded server may run under another account, which must be able to pass through.
        folder.chmod(0o711)
        with (folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder


def _sweep() -> None:
    """Stop and remove what a demo that was killed outright has left: its database server and its folder."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError, ConfigurationError):
            if not _is_ours(folder):
                continue
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Joining and leaving as the last user shuts the server down.
                with EmbeddedPostgres(folder):
                    pass
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def _is_ours(folder: Path) -> bool:
    """Whether the folder was made by this user and nobody else may write to it.

    Anybody may make folders of this name where temporary files go; joining a planted one would run its programs.
    """
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022


async def _show(
    runtime: Runtime, simulated: _Simulated, options: DemoOptions, listener: socket.socket, console: Console
) -> None:
    environment = await tenants.ensure_environment(runtime.pool, "demo")
    key, _ = await tenants.create_api_key(runtime.pool, environment.id, "demo")
    integration = await connect(
        runtime,
        environment_id=environment.id,
        tool="personio",
        organization_name=simulated.credentials["company_name"],
        values={
            "company": simulated.credentials["subdomain"],
            "client_id": simulated.credentials["client_id"],
            "client_secret": simulated.credentials["client_secret"],
            "company_id": simulated.credentials["company_id"],
            "recruiting_key": simulated.credentials["recruiting_key"],
            "api_base_url": simulated.base_url,
            "career_base_url": simulated.base_url + "/career/{company}",
        },
        origin_id="demo-customer",
    )
    console.print(f"Connected [bold]{integration.end_user_organization_name}[/bold] as {integration.id}\n")
    [first, *_] = await runs.latest_runs(runtime.pool, integration.number)
    run = await watch(runtime.pool, first.id, console)
    while run.state in ("QUEUED", "RUNNING"):
        await asyncio.sleep(0.5)
        run = await watch(runtime.pool, first.id, console)
    console.print(f"\n{explain(run)}\n", highlight=False)
    tokens = await connector_tokens.tokens_of(runtime.pool, runtime.vault, [integration.number])
    facts = {
        "base_url": address(listener),
        "api_key": key,
        "integration_id": integration.id,
        "connector_token": tokens[integration.number],
        "simulator_url": simulated.base_url,
        "simulator_control_url": f"{simulated.base_url}/_control",
    }
    _print_what_works(console, facts)
    if options.ready_file is not None:
        _write_ready_file(options.ready_file, facts)


def _print_what_works(console: Console, facts: Mapping[str, str]) -> None:
    def line(label: str, value: str) -> None:
        console.print(Text(f"{label:<17}", style="dim") + Text(value), soft_wrap=True)

    base_url, integration = facts["base_url"], facts["integration_id"]
    line("API", f"{base_url}/v1 as Kombo's, {base_url}/api as Bindbee's")
    line("API key", facts["api_key"])
    line("integration", integration)
    line("connector token", facts["connector_token"])
    line("simulator", f"{facts['simulator_url']}   control: {facts['simulator_control_url']}/")
    console.print("\nTry it:\n")
    headers = f"-H 'Authorization: Bearer {facts['api_key']}'"
    kombo = f"{headers} -H 'X-Integration-Id: {integration}'"
    bindbee = f"{headers} -H 'X-Connector-Token: {facts['connector_token']}'"
    for command in (
        f"curl -s {kombo} '{base_url}/v1/ats/applications?page_size=2'",
        f"curl -sg {bindbee} '{base_url}/api/ats/v1/applications?page_size=2&expand=job[name],candidate'",
        f"curl -s {headers} {base_url}/v1/integrations/{integration}",
    ):
        console.print(f"  {command}\n", highlight=False, soft_wrap=True, markup=False)
    console.print("Ctrl-C stops everything.")


def _write_ready_file(path: Path, facts: Mapping[str, str]) -> None:
    # Written beside and moved into place: whoever waits for the file never reads half of it. It holds secrets.
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(facts, file, indent=2)
                file.write("\n")
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise ConfigurationError(f"--ready-file: {path} cannot be written: {error.strerror}") from error


@asynccontextmanager
async def _simulator(options: DemoOptions) -> AsyncIterator[_Simulated]:
    """The simulator as a process of its own. It ends when its standard input does, so also when we are killed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "atsumi.server",
        "simulate",
        "personio",
        "--port",
        "0",
        "--applications",
        str(options.applications),
        "--seed",
        str(options.seed),
        "--announce-json",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        # Ctrl-C in the terminal is for us; the simulator ends when we close its input.
        start_new_session=True,
    )
    try:
        if process.stdout is None:
            raise RuntimeError("the simulator's output was not opened")
        try:
            announced = await asyncio.wait_for(process.stdout.readline(), _SIMULATOR_START_SECONDS)
        except TimeoutError:
            announced = b""
        if not announced:
            raise ConfigurationError("the Personio simulator did not start; its error stands above")
        told = json.loads(announced)
        yield _Simulated(told["base_url"], told["credentials"])
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 5)
        except TimeoutError:
            process.kill()
            await process.wait()
