"""The embedded server's data directory: where it lives, which account owns it, how it is created and configured.

PostgreSQL refuses to run as root. Started as root, the server therefore runs as an unprivileged account, and that
account must reach its files without anybody's permissions being widened. Where the data folder can be traversed by
the account, the database lives in it like for everybody else. Where it cannot (below a home directory with mode
0700, say), the database lives in a directory of its own below ``/var/lib/atsumi``, and the data folder holds a
file ``location`` that names it.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from atsumi.errors import ConfigurationError
from atsumi.store.postgres_binaries import Binaries

ROLE = "atsumi"
"""The database role that owns everything; the starting OS user is mapped to it."""

DATABASE = "atsumi"

_ACCOUNTS = ("atsumi", "postgres", "nobody")
_SYSTEM_HOME = Path("/var/lib/atsumi")

_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "effective_cache_size": "1GB",
    # Backup is pg_dump; nothing replicates from an embedded server.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "wal_compression": "on",
    "max_wal_size": "1GB",
    # Short, indexed statements throughout: compiling them costs more than it gives.
    "jit": "off",
    # Parallel plans need /dev/shm, of which a container has 64 MB.
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "huge_pages": "off",
    "autovacuum_vacuum_scale_factor": "0.05",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "datestyle": "ISO, YMD",
    "lc_messages": "C",
    "default_text_search_config": "pg_catalog.simple",
    "log_line_prefix": "%m [%p] ",
    "log_checkpoints": "off",
    # Statements and details of errors carry values, and values are people.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


@dataclass(frozen=True, slots=True)
class Account:
    """An unprivileged OS account that runs the server on behalf of root."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Postmaster:
    """What ``postmaster.pid`` says about a server: its process and the directory of its socket."""

    pid: int
    socket_directory: Path | None


@dataclass(frozen=True, slots=True)
class Cluster:
    """A place for one database. ``account`` is None when the server runs as ourselves."""

    home: Path
    account: Account | None

    @property
    def data(self) -> Path:
        """PGDATA."""
        return self.home / "data"

    def major(self) -> int | None:
        """Return the PostgreSQL major version that wrote the data, or None when there is none yet."""
        try:
            return int((self.data / "PG_VERSION").read_text().strip().split(".")[0])
        except FileNotFoundError:
            return None

    def run(
        self, command: Sequence[str | Path], *, text_in: str = "", lock: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program as the server's account, in a session of its own, and return its result unchecked.

        The program inherits ``lock``, so that it stays locked until the program has ended, whatever becomes of us.
        """
        return subprocess.run(  # noqa: S603 -- PostgreSQL's own programs by absolute path
            command,
            input=text_in,
            pass_fds=() if lock is None else (lock,),
            capture_output=True,
            text=True,
            cwd="/",
            env=environment(),
            start_new_session=True,
            user=self.account.uid if self.account else None,
            group=self.account.gid if self.account else None,
            extra_groups=[] if self.account else None,
        )

    def give(self, path: Path) -> None:
        """Hand a file or directory to the server's account."""
        if self.account:
            os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)

    def can_run(self, binaries: Binaries) -> bool:
        """Whether the server's account can execute the programs where they are."""
        try:
            return self.run([binaries.program("postgres"), "--version"]).returncode == 0
        except PermissionError:
            return False

    def create(self, binaries: Binaries, *, lock: int | None = None) -> None:
        """Create the data directory with an empty database; it appears under its name only when complete.

        ``lock`` is held by the programs that do it, see ``run``. Raises ``ConfigurationError`` with their message.
        """
        fresh = self.home / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self.give(fresh)
        command = [binaries.program("initdb"), "-D", str(fresh), "-U", ROLE, "-E", "UTF8", "-k"]
        command += ["--auth-local=peer", "--auth-host=reject"]
        # Byte order compares fast and is the same everywhere; upper and lower case still follow Unicode.
        if binaries.major >= 17:
            locales = [["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]]
        else:
            locales = [["--locale=C.UTF-8"], ["--locale=C"]]
        for locale in locales:
            result = self.run([*command, *locale], lock=lock)
            if result.returncode == 0:
                break
        if result.returncode == 0:
            # Single-user mode needs neither socket nor client program, and comes before the directory gets its
            # name: a data directory without the database never exists.
            single = [binaries.program("postgres"), "--single", "-D", str(fresh), "-j", "postgres"]
            result = self.run(single, text_in=f"CREATE DATABASE {DATABASE};\n\n", lock=lock)
        if result.returncode != 0:
            shutil.rmtree(fresh, ignore_errors=True)
            raise ConfigurationError(
                f"the embedded PostgreSQL could not create its data directory {self.data}: {result.stderr.strip()}"
            )
        fresh.rename(self.data)

    def configure(self, binaries: Binaries, socket_directory: Path, settings: Mapping[str, str]) -> None:
        """Write the server's configuration and access rules; later settings win over the defaults."""
        values = {**_SETTINGS, "unix_socket_directories": str(socket_directory)}
        if binaries.major >= 18:
            # Reading in the backend itself spares three processes that a small database never misses.
            values["io_method"] = "sync"
        values.update(settings)
        lines = [f"{name} = '{_escape(value)}'\n" for name, value in values.items()]
        self._write("postgresql.conf", "".join(["# Written at every start.\n", *lines]))
        self._write("pg_hba.conf", "local all all peer map=embedded\n")
        # Root can become the starting user at will, so letting it in directly gives nothing away.
        users = sorted({own_user(), "root"})
        self._write("pg_ident.conf", "".join(f'embedded "{user}" {ROLE}\n' for user in users))

    def _write(self, name: str, content: str) -> None:
        # The directory belongs to the account: O_EXCL and rename follow no link that it may have laid there.
        draft = self.data / f"{name}.{secrets.token_hex(4)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(content)
        self.give(draft)
        draft.replace(self.data / name)

    def postmaster(self) -> Postmaster | None:
        """Return the running server of this data directory, or None. A stale or recycled pid is not a server."""
        recorded = self.recorded_postmaster()
        return recorded if recorded and _is_postmaster(recorded.pid, self.data) else None

    def recorded_postmaster(self) -> Postmaster | None:
        """Return what ``postmaster.pid`` records, whether or not that process exists."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            directory = lines[4].strip() if len(lines) > 4 else ""
            return Postmaster(int(lines[0]), Path(directory) if directory else None)
        except (FileNotFoundError, ValueError, IndexError):
            return None


def find_cluster(folder: Path) -> Cluster:
    """Return the place of the database that belongs to ``folder``, creating directories as needed.

    Raises ``ConfigurationError`` when the folder's database is missing from where ``location`` says it is, belongs
    to another user, or when no account or place can be found for it.
    """
    pointer = folder / "location"
    home = Path(pointer.read_text().strip()) if pointer.exists() else folder
    if not home.is_dir():
        raise ConfigurationError(
            f"{pointer} says that the database is in {home}, which does not exist: "
            "restore that directory, or remove the file to begin with an empty database"
        )
    if os.geteuid() != 0:
        cluster = Cluster(home, None)
        if cluster.data.exists() and cluster.data.stat().st_uid != os.geteuid():
            owner = cluster.data.stat().st_uid
            raise ConfigurationError(
                f"{cluster.data} belongs to the user with id {owner}: start as that user, or as root if root made it"
            )
        return cluster
    if (home / "data").exists():
        return Cluster(home, _account_of((home / "data").stat().st_uid))
    account = _first_account()
    cluster = Cluster(home, account)
    if _reaches(cluster, home):
        return cluster
    try:
        _SYSTEM_HOME.mkdir(mode=0o755, parents=True, exist_ok=True)
        system = Cluster(_SYSTEM_HOME / secrets.token_hex(4), account)
        system.home.mkdir(mode=0o755)
    except OSError as error:
        raise ConfigurationError(
            f"started as root, and the account {account.name!r} that runs the embedded PostgreSQL reaches neither "
            f"{folder} nor a directory in {_SYSTEM_HOME} ({error.strerror}): start as an ordinary user, "
            "choose another data folder, or set ATSUMI_DATABASE_URL"
        ) from error
    if not _reaches(system, system.home):
        raise ConfigurationError(
            f"the account {account.name!r} reaches neither {folder} nor {system.home}: "
            "start as an ordinary user, or set ATSUMI_DATABASE_URL"
        )
    draft = pointer.with_suffix(".new")
    draft.write_text(f"{system.home}\n")
    draft.replace(pointer)
    return system


def own_user() -> str:
    """Return our OS user's name, by which PostgreSQL's peer authentication knows us."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise ConfigurationError(
            f"user id {os.geteuid()} has no entry in the password database, which the embedded PostgreSQL needs: "
            "add one, or set ATSUMI_DATABASE_URL"
        ) from None


def environment() -> dict[str, str]:
    """Return our environment without the variables that steer PostgreSQL's programs, messages in English."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C"}


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")


def _account_of(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise ConfigurationError(f"the embedded database belongs to user id {uid}, which does not exist") from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _first_account() -> Account:
    for name in _ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise ConfigurationError(
        f"PostgreSQL does not run as root, and none of the accounts {', '.join(_ACCOUNTS)} exists: "
        "start as an ordinary user, or set ATSUMI_DATABASE_URL"
    )


def _reaches(cluster: Cluster, directory: Path) -> bool:
    return cluster.run(["/bin/sh", "-c", 'test -x "$1"', "sh", directory]).returncode == 0


def _is_postmaster(pid: int, data: Path) -> bool:
    if Path("/proc/self/stat").exists():
        process = Path("/proc") / str(pid)
        try:
            name, _, rest = (process / "stat").read_text().partition("(")[2].rpartition(")")
            # A postmaster's working directory is its data directory, whatever path led there.
            return name == "postgres" and rest.split()[0] not in "ZX" and (process / "cwd").samefile(data)
        except OSError:
            return False
    listing = subprocess.run(  # noqa: S603 -- a system program with a number
        ["/bin/ps", "-o", "stat=,command=", "-p", str(pid)], capture_output=True, text=True
    ).stdout
    state, _, command = listing.strip().partition(" ")
    return not state.startswith("Z") and "postgres" in command and str(data) in command
