"""Secrets are replaced by value in every spelling, and by name where nobody registered them."""

from __future__ import annotations

import base64
import html
import json
import time
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsumi import redaction
from atsumi.redaction import REDACTED, forget_secrets, redact, redact_headers, redact_text, register_secret

CANARY = "c4n/ary+ß \"quoted\" & 'more'\\\n=="


@pytest.fixture(autouse=True)
def _empty_registry() -> Iterator[None]:
    forget_secrets()
    yield
    forget_secrets()


@pytest.mark.parametrize(
    "spelling",
    [
        CANARY,
        repr(CANARY)[1:-1],
        repr(CANARY.encode())[2:-1],
        json.dumps(CANARY)[1:-1],
        json.dumps(CANARY, ensure_ascii=False)[1:-1],
        html.escape(CANARY),
        quote(CANARY),
        quote(CANARY, safe=""),
        quote(CANARY, safe="").lower(),
        quote_plus(CANARY),
        CANARY.encode().hex(),
        base64.b64encode(CANARY.encode()).decode(),
        base64.urlsafe_b64encode(CANARY.encode()).decode(),
    ],
)
def test_every_spelling_of_a_registered_value_is_replaced(spelling: str) -> None:
    assert register_secret(CANARY)
    assert redact_text(f"before {spelling} after") == f"before {REDACTED} after"


@given(
    secret=st.binary(min_size=6, max_size=40).map(lambda raw: raw.hex()),
    before=st.binary(max_size=9),
    after=st.binary(max_size=9),
)
def test_a_value_inside_base64_is_replaced_at_any_offset(secret: str, before: bytes, after: bytes) -> None:
    forget_secrets()
    register_secret(secret)
    encoded = base64.b64encode(before + secret.encode() + after).decode()
    assert REDACTED in redact_text(encoded)
    kept = redact_text(encoded).split(REDACTED)
    # What is left carries at most one bit group of the value at each end.
    assert sum(map(len, kept)) <= len(encoded) - (len(secret) * 8 // 6 - 2)


@given(st.lists(st.text(min_size=6), min_size=1, max_size=5), st.text(), st.text())
def test_no_registered_value_survives_in_any_text(secrets: list[str], before: str, after: str) -> None:
    forget_secrets()
    registered = [secret.strip() for secret in secrets if register_secret(secret) and secret.strip() not in REDACTED]
    for secret in registered:
        assert secret not in redact_text(f"{before}{secret}{after}".replace(REDACTED, "")).replace(REDACTED, "\0")


def test_a_secret_that_begins_with_another_is_replaced_as_a_whole() -> None:
    register_secret("secret-1")
    register_secret("secret-1-and-more")
    assert redact_text("x=secret-1-and-more;") == f"x={REDACTED};"


def test_short_values_are_not_registered() -> None:
    assert not register_secret("12345")
    assert not register_secret("   12345 \n")
    assert redact_text("12345") == "12345"


def test_the_registry_forgets_the_value_registered_longest_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "MAXIMUM_SECRETS", 2)
    for value in ("first-secret", "second-secret", "first-secret", "third-secret"):
        register_secret(value)
    assert redact_text("first-secret second-secret third-secret") == f"{REDACTED} second-secret {REDACTED}"


def test_nested_values_are_redacted_and_plain_ones_kept() -> None:
    register_secret("canary-value")
    assert redact(
        {
            "deep": [{"list": ("canary-value", b"--canary-value--", 7, None, 1.5, True)}],
            b"canary-value": {"canary-value"},
            "error": ValueError("canary-value"),
        }
    ) == {
        "deep": [{"list": [REDACTED, f"--{REDACTED}--", 7, None, 1.5, True]}],
        REDACTED: [REDACTED],
        "error": f"ValueError('{REDACTED}')",
    }


def test_a_structure_that_contains_itself_ends() -> None:
    loop: dict[str, object] = {"name": "loop"}
    loop["self"] = loop
    assert redact(loop) == {"name": "loop", "self": "[...]"}


def test_an_object_that_cannot_be_shown_is_named() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    assert redact(Broken()) == "<Broken: repr raised RuntimeError>"


def test_headers_are_redacted_by_name() -> None:
    headers = {"Authorization": "Bearer abc", "X-Api-Key": "k", "Set-Cookie": "a=b", "Accept": "application/json"}
    assert redact_headers(headers) == {
        "Authorization": REDACTED,
        "X-Api-Key": REDACTED,
        "Set-Cookie": REDACTED,
        "Accept": "application/json",
    }
    assert redact({"headers": [(b"authorization", b"Basic x"), ("Accept", "y")]}) == {
        "headers": [["authorization", REDACTED], ["Accept", "y"]]
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://me:hunter@db/x", f"postgresql://me:{REDACTED}@db/x"),
        ("GET /x?token=abc&page=2", f"GET /x?token={REDACTED}&page=2"),
        ("/x?a=1&client_secret=abc", f"/x?a=1&client_secret={REDACTED}"),
        ("Authorization: Bearer abc", f"Authorization: {REDACTED}"),
        ("{'authorization': 'Bearer abc', 'a': 1}", f"{{'authorization': '{REDACTED}', 'a': 1}}"),
        ("https://example.com/jobs?page_size=3", "https://example.com/jobs?page_size=3"),
    ],
)
def test_texts_are_redacted_by_name(text: str, expected: str) -> None:
    assert redact_text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a" * 40_000 + " ://",
        "a.1-" * 10_000 + "://",
        "a://" * 10_000,
        "a://b:" + "c" * 40_000,
        "?" + "a" * 40_000 + "=",
        "?" * 40_000 + "=",
        "cookie:" * 6_000,
        "authorization" + " " * 40_000,
    ],
    ids=["no address", "long scheme", "many schemes", "no end", "long name", "many names", "headers", "blanks"],
)
def test_a_long_text_takes_no_long_time(text: str) -> None:
    started = time.process_time()
    redact_text(text)
    assert time.process_time() - started < 1


def test_a_fencing_token_is_a_number_and_stays_readable() -> None:
    assert redact({"token": 41}) == {"token": 41}
