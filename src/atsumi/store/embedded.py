"""The embedded PostgreSQL: started with the first process that needs it, stopped with the last one that leaves.

Three lock files in ``<data folder>/postgres`` carry all state, and the kernel releases them however a process ends:

``control.lock``  held exclusively by whoever is starting or stopping the server
``users.lock``    held shared by every process that uses the server; the last one out stops it
``server.lock``   inherited by the server and all its children; while it is held, the data directory is in use

A process that dies without leaving (``kill -9``) leaves the server running; the next one to start finds and uses
it. POSIX systems only: elsewhere set ATSUMI_DATABASE_URL.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import re
import shutil
import stat
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from atsumi.errors import ConfigurationError
from atsumi.store.postgres_binaries import Binaries, copy_binaries, find_binaries
from atsumi.store.postgres_cluster import DATABASE, ROLE, Cluster, environment, find_cluster, own_user

_log = logging.getLogger(__name__)

_POLL_SECONDS = 0.03
_WATCH_SECONDS = 0.5
_REMAINS_SECONDS = 60.0
_STOP_SECONDS = 600
_LOG_BYTES = 1_000_000
# The shortest limit of the supported systems is 104 bytes with the terminating zero (macOS); the file's name is
# ".s.PGSQL.5432.lock" at its longest.
_SOCKET_DIRECTORY_BYTES = 84


class EmbeddedPostgres:
    """One process's share in the embedded PostgreSQL of a data folder.

    ``settings`` override the server's configuration (``{"fsync": "off"}`` in tests). They count for the process
    that starts the server; one that finds it running takes it as it is. The server listens on a Unix socket only
    and lets in the OS user that started it, by peer authentication. A server that dies under its users is started
    again within about a second.

    Use it as a context manager, plain or async, or call ``start`` and ``stop``. One object serves one thread at a
    time; any number of objects and processes may share a data folder.
    """

    def __init__(self, data_dir: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self._folder = Path(data_dir).absolute() / "postgres"
        self._settings = dict(settings or {})
        self._dsn: str | None = None
        self._membership: int | None = None
        self._cluster: Cluster | None = None
        self._binaries: Binaries | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._leaving = threading.Event()
        self._watcher: threading.Thread | None = None

    @property
    def dsn(self) -> str:
        """The address, ``postgresql://atsumi@/atsumi?host=<socket directory>``. RuntimeError before ``start``."""
        if self._dsn is None:
            raise RuntimeError("the embedded PostgreSQL is not started")
        return self._dsn

    @property
    def bin_directory(self) -> Path:
        """Where ``pg_dump`` and its like are. RuntimeError before ``start``."""
        if self._binaries is None:
            raise RuntimeError("the embedded PostgreSQL is not started")
        return self._binaries.bin

    def start(self) -> str:
        """Start the server, or join the one that runs, and return its address once it accepts connections.

        The first start creates the data directory and an empty database. Waits as long as the server lives: a
        recovery after a crash takes the time it takes. Raises ``ConfigurationError`` when there are no suitable
        programs, the data belongs to a newer version or to another user, the folder cannot be written, or the
        server gives up; nothing of ours is left running then.
        """
        if self._dsn is not None:
            return self._dsn
        self._leaving.clear()
        own_user()
        try:
            # Traversable, not readable: the server's account must pass through when we are root.
            self._folder.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
            self._folder.mkdir(mode=0o711, exist_ok=True)
            self._check_folder()
            with self._control():
                self._membership = self._open_lock("users.lock")
                fcntl.flock(self._membership, fcntl.LOCK_SH)
                self._cluster = find_cluster(self._folder)
                self._dsn = self._ensure_running(self._cluster)
        except OSError as error:
            self.stop()
            raise ConfigurationError(f"the data folder {self._folder.parent} cannot be used: {error}") from error
        except BaseException:
            self.stop()
            raise
        self._watcher = threading.Thread(target=self._watch, name="embedded-postgres", daemon=True)
        self._watcher.start()
        return self._dsn

    def stop(self) -> None:
        """Leave the server; the last one to leave shuts it down and waits until it has. Harmless when repeated."""
        self._leaving.set()
        if self._watcher is not None:
            self._watcher.join()
            self._watcher = None
        self._dsn = None
        if self._membership is None:
            return
        with self._control():
            try:
                # Upgrading our own lock fails as long as anybody else holds it.
                fcntl.flock(self._membership, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                self._shut_down()
            finally:
                os.close(self._membership)
                self._membership = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        starting = asyncio.ensure_future(asyncio.to_thread(self.start))
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            self._leaving.set()
            await asyncio.wait({starting})
            starting.exception()
            await asyncio.to_thread(self.stop)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.shield(asyncio.to_thread(self.stop))

    def _check_folder(self) -> None:
        """Refuse a folder that somebody else made or may write to: its programs and logs are ours to run and write."""
        found = self._folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise ConfigurationError(
                f"the data folder {self._folder} does not belong to this user: run as the user that made it, "
                "or choose another data folder with ATSUMI_DATA_DIR"
            )
        if found.st_mode & 0o022:
            raise ConfigurationError(f"other users may write to {self._folder}: chmod go-w {self._folder}")

    def _open_lock(self, name: str) -> int:
        return os.open(self._folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)

    @contextlib.contextmanager
    def _control(self) -> Iterator[None]:
        descriptor = self._open_lock("control.lock")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _ensure_running(self, cluster: Cluster) -> str:
        """Join the running server or start one; the caller holds ``control.lock``."""
        major = cluster.major()
        binaries = find_binaries(major)
        server_lock = self._open_lock("server.lock")
        try:
            running = cluster.postmaster()
            deadline = time.monotonic() + _REMAINS_SECONDS
            while running is None and not _try_lock(server_lock):
                # The postmaster was killed and its children have not all noticed yet, or it is in another
                # container, where we cannot see its process.
                if time.monotonic() > deadline:
                    raise ConfigurationError(
                        f"processes of an earlier embedded PostgreSQL still use {cluster.data}: end them first"
                    )
                self._pause()
                running = cluster.postmaster()
            if cluster.account and not cluster.can_run(binaries):
                binaries = copy_binaries(binaries, cluster.home / "binaries", keep_others=running is not None)
            self._binaries = binaries
            if running is not None:
                socket_directory = running.socket_directory
                while socket_directory is None and cluster.postmaster():
                    self._pause()
                    again = cluster.recorded_postmaster()
                    socket_directory = again.socket_directory if again else None
                if socket_directory is None:
                    raise ConfigurationError(f"the embedded PostgreSQL in {cluster.data} stopped while it started")
                self._await_ready(cluster, binaries, socket_directory, None)
            else:
                socket_directory = self._launch(cluster, binaries, server_lock, is_new=major is None)
        finally:
            os.close(server_lock)
        return f"postgresql://{ROLE}@/{DATABASE}?host={quote(str(socket_directory), safe='/')}"

    def _launch(self, cluster: Cluster, binaries: Binaries, server_lock: int, *, is_new: bool) -> Path:
        """Start the server with ``server_lock`` in hand and return the directory of its socket."""
        if is_new:
            cluster.create(binaries, lock=server_lock)
        # Nobody holds the data directory, so this file and the socket's lock file name a dead or an unrelated
        # process, which PostgreSQL would take for a running server.
        (cluster.data / "postmaster.pid").unlink(missing_ok=True)
        socket_directory = self._make_socket_directory(cluster)
        cluster.configure(binaries, socket_directory, self._settings)
        log_path = cluster.home / "server.log"
        if log_path.exists() and log_path.stat().st_size > _LOG_BYTES:
            log_path.replace(log_path.with_suffix(".log.1"))
        # The server's account owns this place and could put a link here that leads elsewhere.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        with os.fdopen(os.open(log_path, flags, 0o640), "ab") as log:
            account = cluster.account
            # A session of its own keeps the terminal's Ctrl-C from stopping the server before we are done with it.
            process = subprocess.Popen(  # noqa: S603 -- PostgreSQL's own program by absolute path
                [binaries.program("postgres"), "-D", cluster.data],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=environment(),
                start_new_session=True,
                pass_fds=(server_lock,),
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
        # Reaped as soon as it ends, whoever ends it: a zombie would still look like a process to PostgreSQL.
        threading.Thread(target=process.wait, name="embedded-postgres-reaper", daemon=True).start()
        self._process = process
        self._await_ready(cluster, binaries, socket_directory, process)
        return socket_directory

    def _await_ready(
        self, cluster: Cluster, binaries: Binaries, socket_directory: Path, process: subprocess.Popen[bytes] | None
    ) -> None:
        command = [
            binaries.program("pg_isready"),
            "-q",
            "-h",
            str(socket_directory),
            "-p",
            "5432",
            "-U",
            ROLE,
            "-d",
            DATABASE,
        ]
        while True:
            is_alive = process.returncode is None if process else cluster.postmaster() is not None
            if not is_alive:
                raise ConfigurationError(
                    f"the embedded PostgreSQL did not start: {_last_lines(cluster.home / 'server.log')} "
                    f"(log: {cluster.home / 'server.log'})"
                )
            # A server that answers on this socket while ours still starts cannot exist: we hold the data directory.
            if any(socket_directory.glob(".s.PGSQL.5432")):
                answer = subprocess.run(command, env=environment(), start_new_session=True)  # noqa: S603 -- as above
                if answer.returncode == 0:
                    return
            self._pause()

    def _pause(self) -> None:
        if self._leaving.wait(_POLL_SECONDS):
            raise ConfigurationError("the embedded PostgreSQL was stopped while it started")

    def _make_socket_directory(self, cluster: Cluster) -> Path:
        """Return an empty private directory for the socket, the same one after every crash."""
        directory = cluster.home / "socket"
        # A comma separates hosts in an address, and other characters need care in many places.
        is_plain = re.fullmatch(r"[\w./+@=-]+", str(directory), re.ASCII) is not None
        if not is_plain or len(os.fsencode(directory)) > _SOCKET_DIRECTORY_BYTES:
            return self._make_short_socket_directory(cluster)
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(mode=0o700)
        cluster.give(directory)
        return directory

    def _make_short_socket_directory(self, cluster: Cluster) -> Path:
        recorded = self._short_socket_directory(cluster)
        if recorded is not None:
            for leftover in recorded.glob(".s.PGSQL.*"):
                leftover.unlink()
            return recorded
        parent = "/tmp" if os.access("/tmp", os.W_OK) else None  # noqa: S108 -- mkdtemp makes it private
        directory = Path(tempfile.mkdtemp(prefix="atsumi-", dir=parent))
        cluster.give(directory)
        (self._folder / "socket-location").write_text(f"{directory}\n")
        return directory

    def _short_socket_directory(self, cluster: Cluster) -> Path | None:
        """Return the recorded short directory, which lies in a public one, only while it is still what we made."""
        try:
            recorded = Path((self._folder / "socket-location").read_text().strip())
            found = recorded.lstat()
        except FileNotFoundError:
            return None
        owner = cluster.account.uid if cluster.account else os.geteuid()
        return recorded if stat.S_ISDIR(found.st_mode) and found.st_uid == owner else None

    def _shut_down(self) -> None:
        """Stop the server as its last user; the caller holds ``control.lock``."""
        cluster, binaries, process = self._cluster, self._binaries, self._process
        if cluster is None or binaries is None:
            return
        # A server that was started a moment ago may not have recorded itself yet.
        while (running := cluster.postmaster()) is None and process and process.returncode is None:
            time.sleep(_POLL_SECONDS)
        if running is not None:
            result = cluster.run(
                [binaries.program("pg_ctl"), "stop", "-D", cluster.data, "-m", "fast", "-w", "-t", str(_STOP_SECONDS)]
            )
            if result.returncode != 0 and cluster.postmaster():
                _log.error("the embedded PostgreSQL did not stop: %s", result.stderr.strip())
                return
        short = self._short_socket_directory(cluster)
        if short is not None:
            shutil.rmtree(short, ignore_errors=True)
        (self._folder / "socket-location").unlink(missing_ok=True)

    def _watch(self) -> None:
        """Start the server again when it dies under us, until ``stop`` is called or the folder is gone."""
        delay = _WATCH_SECONDS
        while not self._leaving.wait(delay):
            delay = _WATCH_SECONDS
            cluster = self._cluster
            if cluster is None or cluster.postmaster() is not None:
                continue
            if not cluster.data.exists():
                _log.error("the data directory %s of the embedded PostgreSQL is gone", cluster.data)
                return
            try:
                with self._control():
                    if self._leaving.is_set():
                        return
                    if cluster.postmaster() is None:
                        _log.warning("the embedded PostgreSQL ended unexpectedly, starting it again")
                    dsn = self._ensure_running(cluster)
            except (ConfigurationError, OSError) as error:
                if not self._leaving.is_set():
                    _log.error("the embedded PostgreSQL could not be started again: %s", error)
                    delay = 5.0
                continue
            if dsn != self._dsn:
                _log.error("the embedded PostgreSQL came back under another address; restart this process")


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _last_lines(path: Path) -> str:
    """The end of a server's log, where PostgreSQL says why it gave up."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 2000))
            lines = file.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return "it left no log"
    reasons = [line.partition("] ")[2] or line for line in lines[-3:]]
    return "; ".join(reasons) or "its log is empty"
