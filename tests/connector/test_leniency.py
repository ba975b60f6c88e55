"""JSON that is slightly broken goes on; JSON that is none is refused."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsumi.connector.http import Response
from atsumi.connector.leniency import decode_leniently
from atsumi.connector.reading import decode, encode_stably
from atsumi.errors import RemoteCall, UnexpectedResponse


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (rb'"\ud83d"', "\ufffd"),
        (rb'"\uDE00 x"', "\ufffd x"),
        (rb'"\ud83d\u0041"', "\ufffdA"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
        (rb'"\\ud83d"', "\\ud83d"),
        (rb'"\\\ud83d"', "\\\ufffd"),
        (rb'{"a\ud83d": [1, "\ud83d\ude00"]}', {"a\ufffd": [1, "\U0001f600"]}),
        (rb'"a\u0000b"', "a\ufffdb"),
        (rb'"\\u0000"', "\\u0000"),
        (b"[1e999, -1e999, 1.5]", [None, None, 1.5]),
        (b'[1e999, "\\ud83d"]', [None, "\ufffd"]),
        (b"9" * 300, int("9" * 300)),
        (b"9" * 100_000, "9" * 100_000),
        (b'"a\xffb"', "a\ufffdb"),
        (b"\xef\xbb\xbf{}", {}),
    ],
)
def test_what_is_slightly_broken_is_read(body: bytes, value: object) -> None:
    found = decode_leniently(body)
    assert found == value
    assert decode(encode_stably(found)) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"a":',
        b'"\\',
        b'"\\ud83d',
        b"NaN",
        b"Infinity",
        b"[" * 200_000,
        b"[" * 200_000 + b"]" * 200_000,
        b'["\\ud83d",' + b"[" * 200_000,
    ],
    ids=range(10),
)
def test_what_is_no_json_is_unexpected(body: bytes) -> None:
    answer = Response(200, {}, body, "", RemoteCall("tool", "list", "GET", ""))
    with pytest.raises(UnexpectedResponse):
        answer.json()


@given(st.text(st.characters() | st.sampled_from("\\u0dD83\ud83d\ude00\udc00\0")))
def test_any_text_can_be_stored(text: str) -> None:
    found = decode_leniently(json.dumps({"name": text}).encode())
    stored = encode_stably(found)
    assert msgspec.json.decode(stored) == found
    assert b"\\u0000" not in stored.replace(b"\\\\", b"")
