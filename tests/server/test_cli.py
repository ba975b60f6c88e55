"""The operator's commands, as typed."""

from __future__ import annotations

import asyncio
import io
import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from atsumi.server.cli import app
from atsumi.server.cli_support import table_of
from atsumi.server.runtime import run_time
from atsumi.server.settings import Settings
from atsumi.store import tenants
from atsumi.store.embedded import EmbeddedPostgres
from harness import connect_values, small_company


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """One data folder for all commands: making a database is the slow part."""
    made = Path(tempfile.mkdtemp(prefix="atsumi-test-"))
    made.chmod(0o755)
    with EmbeddedPostgres(made, settings={"fsync": "off"}):
        yield made
    shutil.rmtree(made)


@pytest.fixture
def product(folder: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("ATSUMI_DATA_DIR", str(folder))
    monkeypatch.setenv("ATSUMI_LOG_LEVEL", "error")
    return CliRunner()


def run(product: CliRunner, *arguments: str) -> Result:
    result = product.invoke(app, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result


def test_a_key_is_created_listed_and_revoked_in_an_empty_folder(product: CliRunner) -> None:
    key = run(product, "keys", "create", "first").stdout.strip()
    assert key.startswith("atsumi_")
    listed = run(product, "keys", "list").stdout
    assert key not in listed
    (key_id,) = re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", listed)
    assert run(product, "keys", "revoke", key_id).exit_code == 0
    assert "revoked" in run(product, "keys", "list").stdout


def test_what_does_not_exist_is_said_with_what_does(product: CliRunner) -> None:
    missing = run(product, "sync", "personio:nobody")
    assert missing.exit_code == 1
    assert "There is no integration personio:nobody" in missing.stderr
    assert "atsumi integrations connect" in missing.stderr
    unknown = run(product, "integrations", "connect", "greenbarn", "--organization", "Example")
    assert unknown.exit_code == 1
    assert "'greenbarn'; installed: personio" in unknown.stderr


def test_a_form_names_everything_that_is_wrong_with_it(product: CliRunner, tmp_path: Path) -> None:
    values = tmp_path / "values.json"
    values.write_text('{"company": "Not A Name", "client_secret": "hidden-value", "shoe_size": "44"}')
    result = run(product, "integrations", "connect", "personio", "--organization", "X", "--values-file", str(values))
    assert result.exit_code == 1
    for part in (
        "shoe_size: Personio has no such field",
        "company: Career page name cannot be",
        "client_id: Client ID",
    ):
        assert part in result.stderr
    assert "hidden-value" not in result.output


def test_secrets_are_not_taken_from_the_command_line(product: CliRunner) -> None:
    result = run(
        product, "integrations", "connect", "personio", "--organization", "X", "--set", "client_secret=hidden-value"
    )
    assert result.exit_code == 1
    assert "this is a secret" in result.stderr
    assert "hidden-value" not in result.output


def test_the_doctor_finds_a_sound_installation(product: CliRunner) -> None:
    result = run(product, "doctor")
    assert result.exit_code == 0
    assert "embedded" in result.stdout
    assert "✗" not in result.stdout


def test_a_tool_that_does_not_answer_is_said_with_what_to_do(product: CliRunner, tmp_path: Path) -> None:
    simulator = small_company()
    values = tmp_path / "values.json"
    values.write_text(json.dumps(connect_values(simulator, "http://127.0.0.1:9")))
    result = run(product, "integrations", "connect", "personio", "--organization", "X", "--values-file", str(values))
    assert result.exit_code == 1
    assert "Check the address, or try again later: nothing was stored." in result.stderr
    assert "No integrations yet" in run(product, "integrations", "list").stdout


def connected(folder: Path) -> str:
    """The id of an integration of which nothing was read."""

    async def store() -> str:
        async with run_time(Settings(data_dir=folder)) as runtime:
            environment = await tenants.ensure_environment(runtime.pool, "production")
            row = await tenants.create_integration(
                runtime.pool,
                runtime.vault,
                environment_id=environment.id,
                tool="personio",
                organization_name="Nordlicht",
                credentials={},
                config={},
            )
            return row.id

    return asyncio.run(store())


def test_an_integration_is_deleted_listed_as_such_and_restored(product: CliRunner, folder: Path) -> None:
    id = connected(folder)
    token = run(product, "integrations", "token", id).stdout.strip()
    assert len(token) == 64
    assert run(product, "integrations", "token", id).stdout.strip() == token
    renewed = run(product, "integrations", "token", id, "--new").stdout.strip()
    assert len(renewed) == 64
    assert renewed != token

    kept = product.invoke(app, ["integrations", "delete", id], input="n\n")
    assert kept.exit_code == 1
    assert id in run(product, "integrations", "list").stdout
    assert f"atsumi integrations restore {id}" in run(product, "integrations", "delete", id, "--yes").stdout
    assert id not in run(product, "integrations", "list").stdout
    assert id in run(product, "integrations", "deleted").stdout
    assert run(product, "integrations", "token", id).exit_code == 1

    assert run(product, "integrations", "restore", id).exit_code == 0
    assert run(product, "integrations", "token", id).stdout.strip() == renewed
    again = run(product, "integrations", "restore", id)
    assert again.exit_code == 1
    assert f"There is no deleted integration {id}. Deleted: none." in again.stderr


def test_the_rules_for_deletions_are_shown_set_one_by_one_and_kept(product: CliRunner, folder: Path) -> None:
    id = connected(folder)
    shown = run(product, "deletions", "rules", id).stdout
    assert "a loss of more than 30% waits for a decision" in shown
    assert "deleted content is removed after 14 days" in shown
    changed = run(product, "deletions", "rules", id, "--unsafe-percent", "12").stdout
    assert "a loss of more than 12% waits for a decision" in changed
    assert "deleted content is removed after 14 days" in changed
    run(product, "deletions", "rules", id, "--blank-after-days", "3")
    assert run(product, "deletions", "rules", id).stdout == changed.replace("14 days", "3 days")
    for wrong in (("--unsafe-percent", "0"), ("--unsafe-percent", "101"), ("--blank-after-days", "-1")):
        assert run(product, "deletions", "rules", id, *wrong).exit_code == 2
    assert run(product, "deletions", "rules", id).stdout == changed.replace("14 days", "3 days")


def test_words_are_never_cut_in_a_narrow_terminal() -> None:
    table = table_of("id", "customer", "state", ids=("id",), words=("state",))
    table.add_row("personio:" + "x" * 24, "A customer with quite a long name, " * 3, "authentication_failed")
    written = io.StringIO()
    Console(file=written, width=80).print(table)
    assert "authentication_failed" in written.getvalue()
    assert "personio:" + "x" * 24 in written.getvalue()
