"""Rules about the project's files that no linter knows."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
THIS = Path(__file__).relative_to(ROOT)

MAXIMUM_LINES = 400
LONGER_WITH_REASON: dict[str, str] = {
    "src/atsumi/connector/contract.py": "all that whoever adds a tool has to fill in, on one page",
    "src/atsumi/server/settings.py": "every setting with what it means, of which the reference is made",
    "src/atsumi/store/records.py": "all statements on records, which share row types and the rule about the clock row",
    "src/atsumi/store/runs.py": "the states of a run and every statement that moves it from one to another",
    "tests/e2e/test_updated_after.py": "one table of edits, a case for each row of the contract's table",
    "tests/harness.py": "the one way in which tests drive the whole product",
    "tests/proofs/crash_worker.py": "a program of its own that tests start, stop and kill",
    "tests/proofs/test_state_machine.py": "one state machine: its rules and what must hold after each",
    "tests/sync/test_equivalence.py": "one question, asked in many ways: does the way of reading change the result?",
}
"""Files with more lines than that, each with the reason why one file is better than two."""

# Joined here, so that this file does not hold the names it looks for.
REGISTRY_HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("pypi", "python", "org"),
        ("anaconda", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
        ("rubygems", "org"),
        ("maven", "org"),
    )
]
MACHINE_PATH = re.compile(r"(?<![\w.~<>{}$*/-])/(?:work|root|home|Users)/[\w.]")
IGNORE = re.compile(r"#\s*(?:type:\s*ignore|noqa)\b(?P<rest>.*)")
IGNORE_WITH_REASON = re.compile(r"(?:\[[\w, -]+\]|:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)\s+(?:--?|#)?\s*\S.*")


def project_files() -> Iterator[Path]:
    """Every text file that belongs to the project, relative to its root."""
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        command = [git, "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        # As root in somebody else's checkout, git wants to be told that this is meant.
        command[1:1] = ["-c", f"safe.directory={ROOT}"]
        listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode()
        names = {name for name in listing.split("\0") if name}
    else:
        skipped = {"__pycache__", "build", "dist"}
        names = {
            str(path.relative_to(ROOT))
            for path in ROOT.rglob("*")
            if path.is_file()
            and not any(part in skipped or (part.startswith(".") and part != ".ci") for part in path.parts)
        }
    for name in sorted(names):
        path = ROOT / name
        if path.is_file() and b"\0" not in path.read_bytes()[:4096]:
            yield Path(name)


FILES = list(project_files())
PYTHON_FILES = [path for path in FILES if path.suffix == ".py"]


def text_of(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def numbered_lines(paths: list[Path]) -> Iterator[tuple[str, str]]:
    for path in paths:
        for number, line in enumerate(text_of(path).splitlines(), start=1):
            yield f"{path}:{number}", line


def test_the_project_is_found() -> None:
    assert Path("pyproject.toml") in FILES
    assert Path("src/atsumi/errors.py") in PYTHON_FILES
    assert THIS in PYTHON_FILES


def test_no_file_names_a_package_registry() -> None:
    found = [place for place, line in numbered_lines(FILES) if any(host in line.lower() for host in REGISTRY_HOSTS)]
    assert not found


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: path.name)
def test_pinned_requirements_hold_hashes_and_no_addresses(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"://|file:|@ |^-|--(?!hash=sha256:)", text, re.MULTILINE)
    packages = re.findall(r"^[a-z0-9][^\s=]*==\S+", text, re.MULTILINE)
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)
    assert packages
    assert sum("--hash=sha256:" in block for block in blocks) == len(packages)


def test_every_requirement_is_pinned_in_its_range() -> None:
    """`make lock` was run after the last change of what is required."""
    project = tomllib.loads(text_of(Path("pyproject.toml")))["project"]
    build, dev = (
        [line for line in text_of(Path("requirements") / name).splitlines() if line and not line.startswith("#")]
        for name in ("build.in", "dev.in")
    )
    files = {
        "run.txt": project["dependencies"],
        "build.txt": build,
        "dev.txt": [*project["dependencies"], *build, *dev],
    }
    for name, wanted in files.items():
        pinned = dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", text_of(Path("requirements") / name), re.MULTILINE))
        for requirement in map(Requirement, wanted):
            version = pinned.get(canonicalize_name(requirement.name))
            assert version is not None, f"{name} lacks {requirement.name}: run `make lock`"
            assert requirement.specifier.contains(version), f"{name} pins {requirement.name} {version}: run `make lock`"


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    found = [f"{place}: {line.strip()}" for place, line in numbered_lines(FILES) if MACHINE_PATH.search(line)]
    assert not found


def test_every_ignored_check_names_itself_and_the_reason() -> None:
    found = [
        f"{place}: {line.strip()}"
        for place, line in numbered_lines([path for path in PYTHON_FILES if path != THIS])
        for match in [IGNORE.search(line)]
        if match and not IGNORE_WITH_REASON.fullmatch(match["rest"].strip())
    ]
    assert not found


def test_long_files_are_long_for_a_reason() -> None:
    long = {str(path) for path in PYTHON_FILES if len(text_of(path).splitlines()) > MAXIMUM_LINES}
    assert not long - set(LONGER_WITH_REASON), "divide them, or list them above with the reason"
    assert not set(LONGER_WITH_REASON) - long, "these are listed without need"


def test_python_files_say_what_they_are_for() -> None:
    silent = [
        str(path)
        for path in PYTHON_FILES
        if "tests" not in path.parts and text_of(path).strip() and not re.match(r'(?:#.*\n)*r?"""\S', text_of(path))
    ]
    assert not silent


def test_annotations_are_not_evaluated() -> None:
    needed = "from __future__ import annotations\n"
    missing = [
        str(path)
        for path in PYTHON_FILES
        if re.search(r"^(?:from|import|def|class) ", text_of(path), re.MULTILINE)
        and needed not in text_of(path)
        and "# No `from __future__ import annotations`: " not in text_of(path)
    ]
    assert not missing


def test_the_licence_is_there() -> None:
    assert "Apache License" in text_of(Path("LICENSE"))
    assert 'license = "Apache-2.0"' in text_of(Path("pyproject.toml"))
