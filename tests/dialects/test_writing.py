"""What all surfaces read of a write in one way: bodies, keys, preferences, and files in base64."""

from __future__ import annotations

import base64
import hashlib
import json
import tracemalloc
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsumi.dialects import writing
from atsumi.dialects.http import read_body
from atsumi.dialects.writing import EncodedFile, Wish, concurrency_headers, wish
from atsumi.errors import InvalidInput

MEGABYTE = 1024 * 1024


class Sent(msgspec.Struct):
    data: msgspec.Raw


def sent(*headers: tuple[str, str]) -> dict[str, Any]:
    return {"headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]}


def raw(text: str, **how: Any) -> msgspec.Raw:
    """A text as it stands in a body."""
    return msgspec.json.decode(json.dumps({"data": text}, **how).encode(), type=Sent).data


async def content_of(file: EncodedFile) -> bytes:
    return b"".join([piece async for piece in file.content()])


# Headers.


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], Wish(None, False, None)),
        ([("Idempotency-Key", " a b ")], Wish("a b", False, None)),
        ([("X-Idempotency-Key", "x")], Wish("x", False, None)),
        ([("Idempotency-Key", "x"), ("X-Idempotency-Key", "x")], Wish("x", False, None)),
        ([("Prefer", "respond-async")], Wish(None, True, None)),
        ([("Prefer", "Respond-Async, wait=10")], Wish(None, True, 10)),
        ([("Prefer", "return=minimal; wait=9"), ("Prefer", "wait=3, respond-async")], Wish(None, True, 9)),
        ([("Prefer", "wait=soon, something-else")], Wish(None, False, None)),
    ],
)
def test_headers_say_how_a_write_is_wanted(headers: list[tuple[str, str]], expected: Wish) -> None:
    assert wish(sent(*headers)) == expected


@pytest.mark.parametrize(
    "headers",
    [
        [("Idempotency-Key", "")],
        [("Idempotency-Key", "k" * 256)],
        [("X-Idempotency-Key", "schlüssel")],
        [("Idempotency-Key", "a"), ("X-Idempotency-Key", "b")],
        [("Idempotency-Key", "a"), ("Idempotency-Key", "b")],
    ],
)
def test_a_key_that_is_none_or_one_of_two_is_refused(headers: list[tuple[str, str]]) -> None:
    with pytest.raises(InvalidInput) as refused:
        wish(sent(*headers))
    assert str(refused.value.path).lower() in ("idempotency-key", "x-idempotency-key")


def test_more_actions_than_may_be_leave_none() -> None:
    assert dict(concurrency_headers(0))[b"concurrency-remaining"] == b"30"
    assert dict(concurrency_headers(31))[b"concurrency-remaining"] == b"0"


# Bodies.


def received(pieces: Iterable[bytes]) -> tuple[Any, list[bytes]]:
    """What a server hands on, and what of it nobody has asked for yet."""
    waiting = list(pieces)

    async def receive() -> dict[str, Any]:
        body = waiting.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(waiting)}

    return receive, waiting


@given(st.lists(st.binary(max_size=40), min_size=1))
async def test_a_body_is_what_was_sent(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    assert await read_body(received(pieces)[0], len(whole), str(len(whole)).encode()) == whole


@pytest.mark.parametrize("announced", [None, b"2", b"x", b""])
async def test_a_body_that_turns_out_to_be_too_long_is_not_read_to_its_end(announced: bytes | None) -> None:
    receive, waiting = received([b"ab", b"c", b"d"])
    with pytest.raises(InvalidInput, match="longer than 2 bytes"):
        await read_body(receive, 2, announced)
    assert waiting == [b"d"]


@pytest.mark.parametrize("announced", [b"3", b"9" * 5000])
async def test_a_body_that_is_announced_to_be_too_long_is_not_read_at_all(announced: bytes) -> None:
    receive, waiting = received([b"abc"])
    with pytest.raises(InvalidInput, match="longer than 2 bytes"):
        await read_body(receive, 2, announced)
    assert waiting == [b"abc"]


async def test_a_large_body_with_a_file_is_held_once() -> None:
    piece = b"A" * (MEGABYTE // 16)
    receive, _ = received([b'{"data":"', *[piece] * 20 * 16, b'"}'])
    tracemalloc.start()
    try:
        body = await read_body(receive, 21 * MEGABYTE)
        file = EncodedFile.read(msgspec.json.decode(body, type=Sent).data)
        del body
        size = 0
        async for decoded in file.content():
            size += len(decoded)
        left, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size == file.size_bytes == 15 * MEGABYTE
    # The buffer that a body is collected in grows by an eighth at a time.
    assert peak < 26 * MEGABYTE
    assert left < MEGABYTE


# Base64.


@given(st.binary(max_size=200), st.sampled_from([4, 8, 64]))
async def test_a_file_is_read_however_it_is_spelled_and_wherever_it_is_cut(content: bytes, piece: int) -> None:
    text = base64.b64encode(content).decode()
    escaped = json.dumps(text).replace("/", "\\/").replace("+", "\\u002B").replace("=", "\\u003d")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "_PIECE", piece)
        for spelled in (text, raw(text), msgspec.Raw(escaped.encode())):
            file = EncodedFile.read(spelled)
            assert (file.size_bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
            assert await content_of(file) == content


@given(st.binary(min_size=1, max_size=60), st.data())
def test_what_is_no_base64_is_refused_wherever_it_is_cut(content: bytes, data: st.DataObject) -> None:
    text = base64.b64encode(content).decode()
    place = data.draw(st.integers(0, len(text)))
    wrong = data.draw(st.sampled_from(["-", "_", " ", "\n", "\\", '"', "ä", "\x00", "===", "A", "AA=="]))
    broken = text[:place] + wrong + text[place:]
    if wrong == "AA==" and place == len(text) and not text.endswith("="):
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "_PIECE", data.draw(st.sampled_from([4, 8, 256])))
        for spelled in (broken, raw(broken), raw(broken, ensure_ascii=False)):
            with pytest.raises(ValueError, match="not base64"):
                EncodedFile.read(spelled)


@pytest.mark.parametrize("text", ["QUJD\nREVG", "QUJD REVG", "QUJD\r\n"])
def test_white_space_is_named(text: str) -> None:
    for spelled in (text, raw(text)):
        with pytest.raises(ValueError, match="white space"):
            EncodedFile.read(spelled)


@pytest.mark.parametrize("value", ["[]", "{}", "1", '{"a":1}'])
def test_a_body_of_very_many_values_is_not_read(value: str) -> None:
    few = b"[" + b",".join([value.encode()] * 1_000) + b"]"
    assert writing.bounded(few) == few
    with pytest.raises(InvalidInput, match="values"):
        writing.bounded(b"[" + b",".join([value.encode()] * 30_000) + b"]")


def test_a_large_file_is_one_value() -> None:
    body = json.dumps({"data": base64.b64encode(bytes(range(256)) * 20_000).decode()}).encode()
    assert writing.bounded(body) == body
