"""Settings come from four places in order, and every fault names the key, the place and what is allowed."""

from __future__ import annotations

import base64
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from atsumi.errors import ConfigurationError
from atsumi.redaction import REDACTED, forget_secrets, redact_text
from atsumi.server.settings import Settings, load_settings, master_key

KEY = base64.b64encode(bytes(range(32))).decode()
URL = "postgresql://me:hunter2-canary@db.example.com:5432/atsumi"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in list(os.environ):
        if name.upper().startswith("ATSUMI_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    forget_secrets()
    yield
    forget_secrets()


def refusal(overrides: dict[str, object] | None = None) -> str:
    with pytest.raises(ConfigurationError) as raised:
        load_settings(overrides)
    assert raised.value.__cause__ is None
    return str(raised.value)


def test_defaults_need_nothing() -> None:
    settings = load_settings()
    assert settings.port == 8080
    assert settings.is_database_embedded
    assert settings.data_dir.is_absolute()


def test_the_command_line_wins_over_the_environment_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "atsumi.toml").write_text('port = 1\nhost = "file"\nlog_level = "error"\n')
    monkeypatch.setenv("ATSUMI_PORT", "2")
    monkeypatch.setenv("ATSUMI_HOST", "environment")
    settings = load_settings({"port": 3, "host": None})
    assert (settings.port, settings.host, settings.log_level) == (3, "environment", "error")


def test_another_file_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text("port = 7\n")
    monkeypatch.setenv("ATSUMI_CONFIG_FILE", "other.toml")
    assert load_settings().port == 7
    monkeypatch.setenv("ATSUMI_CONFIG_FILE", "missing.toml")
    assert refusal() == f"ATSUMI_CONFIG_FILE: there is no file {tmp_path / 'missing.toml'}"


def test_a_relative_folder_counts_from_the_place_that_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "atsumi.toml").write_text('data_dir = "data"\n')
    monkeypatch.setenv("ATSUMI_CONFIG_FILE", "etc/atsumi.toml")
    assert load_settings().data_dir == tmp_path / "etc" / "data"
    monkeypatch.setenv("ATSUMI_DATA_DIR", "data")
    assert load_settings().data_dir == tmp_path / "data"


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATSUMI_DATABASE_URL", "")
    assert load_settings().database_url is None


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("ATSUMI_PROT", "ATSUMI_PORT"),
        ("ATSUMI_DATABASE_URI", "ATSUMI_DATABASE_URL"),
        ("ATSUMI_MASTERKEY_FILE", "ATSUMI_MASTER_KEY_FILE"),
        ("atsumi_port", "ATSUMI_PORT"),
    ],
)
def test_an_unknown_variable_is_refused_with_the_closest_right_one(
    variable: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "canary-value")
    assert refusal() == f"{variable} is not a setting: did you mean {meant}?"


def test_a_file_variable_exists_for_secrets_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATSUMI_PORT_FILE", "x")
    assert "ATSUMI_PORT_FILE is not a setting" in refusal()


def test_variables_of_the_test_suite_are_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATSUMI_TEST_DATABASE_URL", "x")
    monkeypatch.setenv("ATSUMI_REFERENCE", "x")
    load_settings()


def test_variables_that_kubernetes_sets_are_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATSUMI_SERVICE_HOST", "10.0.0.1")
    assert "enableServiceLinks" in refusal()
    monkeypatch.delenv("ATSUMI_SERVICE_HOST")
    monkeypatch.setenv("ATSUMI_PORT", "tcp://10.0.0.1:8080")
    assert "enableServiceLinks" in refusal()


def test_an_unknown_key_in_the_file_is_refused_with_the_closest_right_one(tmp_path: Path) -> None:
    path = tmp_path / "atsumi.toml"
    path.write_text("log_levle = 'info'\n")
    assert refusal() == f"log_levle in {path} is not a setting: did you mean log_level?"
    path.write_text("[database]\nurl = 'x'\n")
    assert f"database in {path} is not a setting" in refusal()


def test_a_malformed_file_is_refused_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "atsumi.toml").write_text("port = 1\nhost = \n")
    assert "atsumi.toml cannot be read: Invalid value (at line 2" in refusal()


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("PORT", "70000", "ATSUMI_PORT: '70000' is refused: not allowed; allowed: a whole number from 0 to 65535"),
        ("PORT", "http", "ATSUMI_PORT: 'http' is refused: not allowed; allowed: a whole number from 0 to 65535"),
        ("LOG_LEVEL", "loud", "allowed: debug, info, warning, error"),
        ("WORKER_ENABLED", "perhaps", "allowed: true or false"),
        ("HTTP_TIMEOUT_SECONDS", "0", "allowed: a number from 1 to 600"),
        ("PUBLIC_URL", "example.com", "this is not such an address; allowed: an http or https address"),
        ("PUBLIC_URL", "https://u:p@example.com", "must not contain a user or a password"),
        ("HOST", "", None),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_allowed(
    key: str, value: str, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"ATSUMI_{key}", value)
    if expected is None:
        load_settings()
    else:
        assert expected in refusal()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("DATABASE_URL", "mysql://me:hunter2-canary@db/x"),
        ("DATABASE_URL", "postgresql://me:hunter2-canary@db:port/x"),
        ("DATABASE_URL", "postgresql://me:hunter2-canary@db"),
        ("DATABASE_URL", "hunter2-canary"),
        ("MASTER_KEY", "hunter2-canary"),
        ("MASTER_KEY", base64.b64encode(b"hunter2-canary").decode()),
    ],
)
def test_a_refused_secret_is_never_shown(key: str, value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(f"ATSUMI_{key}", value)
    message = refusal()
    assert message.startswith(f"ATSUMI_{key}: the value is refused: ")
    assert "hunter2" not in message
    assert value not in message
    monkeypatch.delenv(f"ATSUMI_{key}")
    (tmp_path / "atsumi.toml").write_text(f'{key.lower()} = "{value}"\n')
    message = refusal()
    assert message.startswith(f"{key.lower()} in {tmp_path / 'atsumi.toml'}: the value is refused: ")
    assert "hunter2" not in message


def test_every_fault_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATSUMI_PORT", "x")
    monkeypatch.setenv("ATSUMI_LOG_FORMAT", "xml")
    message = refusal()
    assert "ATSUMI_PORT" in message
    assert "ATSUMI_LOG_FORMAT" in message


def test_surfaces_are_separated_by_commas_or_a_list(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert load_settings().dialects == ("kombo", "bindbee")
    (tmp_path / "atsumi.toml").write_text('dialects = ["bindbee"]\n')
    assert load_settings().dialects == ("bindbee",)
    monkeypatch.setenv("ATSUMI_DIALECTS", "bindbee, kombo")
    assert load_settings().dialects == ("bindbee", "kombo")


def test_unknown_surfaces_are_refused_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATSUMI_DIALECTS", "merge,other")
    assert refusal() == (
        "ATSUMI_DIALECTS: 'merge,other' is refused: not allowed; allowed: kombo, bindbee, or both, separated by commas"
    )


def test_what_is_allowed_of_a_private_network_is_refused_by_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATSUMI_OUTBOUND_ALLOW", "files.internal:9000, 10.1.0.0/16")
    assert load_settings().outbound_allow == ("files.internal:9000", "10.1.0.0/16")
    monkeypatch.setenv("ATSUMI_OUTBOUND_ALLOW", "files.internal,10.1.0.1/16")
    assert "'10.1.0.1/16' is no host name, IP address or network" in refusal()


def test_an_override_is_named_as_on_the_command_line() -> None:
    assert refusal({"worker_concurrency": 0}).startswith("--worker-concurrency: 0 is refused")


def test_secrets_are_read_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text(f"{URL}\n")
    (tmp_path / "key").write_text(f"{KEY}\n")
    (tmp_path / "atsumi.toml").write_text('master_key_file = "key"\n')
    monkeypatch.setenv("ATSUMI_DATABASE_URL_FILE", "url")
    settings = load_settings()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == URL
    assert master_key(settings) == bytes(range(32))


def test_a_secret_file_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ATSUMI_MASTER_KEY_FILE", "missing")
    assert refusal() == f"ATSUMI_MASTER_KEY_FILE: {tmp_path / 'missing'} cannot be read: No such file or directory"
    (tmp_path / "missing").write_text("\n")
    assert refusal() == f"ATSUMI_MASTER_KEY_FILE: {tmp_path / 'missing'} is empty"
    monkeypatch.setenv("ATSUMI_MASTER_KEY", KEY)
    assert "also given directly" in refusal()


def test_loaded_secrets_are_redacted_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATSUMI_DATABASE_URL", URL)
    monkeypatch.setenv("ATSUMI_MASTER_KEY", KEY)
    settings = load_settings()
    assert "hunter2" not in repr(settings)
    assert KEY not in repr(settings)
    assert redact_text(f"{KEY} hunter2-canary") == f"{REDACTED} {REDACTED}"


def test_the_master_key_is_generated_once_for_all(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(master_key(settings))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 8
    path = tmp_path / "data" / "master.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["master.key"]
    assert redact_text(path.read_text().strip()) == REDACTED


def test_a_master_key_open_to_others_or_malformed_is_refused(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    master_key(settings)
    path = tmp_path / "master.key"
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        master_key(settings)
    path.chmod(0o600)
    path.write_text("canary-not-a-key")
    with pytest.raises(ConfigurationError, match="does not hold a master key") as raised:
        master_key(settings)
    assert "canary" not in str(raised.value)


def test_a_database_of_ones_own_asks_for_a_set_master_key(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url=URL)
    with pytest.raises(ConfigurationError, match="ATSUMI_MASTER_KEY is not set"):
        master_key(settings)
    assert list(tmp_path.iterdir()) == []


def test_the_master_key_may_be_in_the_url_alphabet() -> None:
    key = bytes([251, 239, 190] * 10 + [255, 254])
    text = base64.urlsafe_b64encode(key).decode().rstrip("=")
    assert master_key(Settings(master_key=text)) == key
