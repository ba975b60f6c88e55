"""One file as a form: what a server reads out of it, and that it is never joined."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from email import message_from_bytes
from email.policy import HTTP
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsumi.connector.multipart import one_file


async def pieces_of(parts: Iterable[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def sent(name: str, media_type: str | None, *parts: bytes) -> tuple[dict[str, str], bytes]:
    form = one_file("file", name, media_type, sum(map(len, parts)), pieces_of(parts))
    return dict(form.headers), b"".join([piece async for piece in form.content])


@given(name=st.text(max_size=60), content=st.lists(st.binary(max_size=200), max_size=4))
async def test_a_server_reads_back_name_and_content(name: str, content: list[bytes]) -> None:
    headers, body = await sent(name, "application/pdf", *content)
    assert headers["Content-Length"] == str(len(body))
    message = message_from_bytes(b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body, policy=HTTP)
    boundary = f"--{message.get_boundary()}".encode()
    before, part, after = body.split(boundary)
    head, _, rest = part.partition(b"\r\n\r\n")
    assert (before, after, rest) == (b"", b"--\r\n", b"".join(content) + b"\r\n")
    disposition, kind = head.decode().removeprefix("\r\n").split("\r\n")
    assert kind == "Content-Type: application/pdf"
    prefix, suffix = 'Content-Disposition: form-data; name="file"; filename="', '"'
    assert disposition.startswith(prefix)
    assert disposition.endswith(suffix)
    shown = disposition[len(prefix) : -len(suffix)]
    assert not set(shown) & set('"\r\n\\/')
    if name.isprintable() and not set(name) & set('"\\/'):
        assert shown == name.encode("utf-8", "replace").decode()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Lebenslauf Ä 履歴書.pdf", "Lebenslauf Ä 履歴書.pdf"),
        ('a"b.pdf', "a%22b.pdf"),
        ("a\r\nX-Injected: 1.pdf", "a%0D%0AX-Injected: 1.pdf"),
        ("C:\\Users\\x\\cv.pdf", "C:_Users_x_cv.pdf"),
        ("../cv.pdf", ".._cv.pdf"),
        ("\x00\ttab\x7f.pdf", "__tab_.pdf"),
        ("half \ud83d.pdf", "half ?.pdf"),
    ],
)
async def test_odd_names_stay_in_their_quotes(name: str, shown: str) -> None:
    _, body = await sent(name, None, b"x")
    assert f'filename="{shown}"\r\nContent-Type: application/octet-stream\r\n'.encode() in body
    assert unquote(shown).endswith(".pdf")


@pytest.mark.parametrize("media_type", ["text/plain\r\nX-Injected: 1", "pdf", "", "text/plain; charset=x"])
async def test_a_media_type_that_is_none_is_any_files(media_type: str) -> None:
    _, body = await sent("a.txt", media_type, b"x")
    assert b"\r\nContent-Type: application/octet-stream\r\n\r\nx\r\n" in body


async def test_the_content_goes_out_as_it_comes_in() -> None:
    parts = [bytes([number]) * 1000 for number in range(5)]
    taken: list[bytes] = []

    async def content() -> AsyncIterator[bytes]:
        for part in parts:
            taken.append(part)
            yield part

    form = one_file("file", "a.pdf", None, 5000, content())
    given: list[bytes] = []
    async for piece in form.content:
        given.append(piece)
        assert len(taken) <= len(given), "nothing is read before what was read is sent"
    assert given[1:-1] == parts


@pytest.mark.parametrize("size", [2, 4])
async def test_a_file_of_another_size_than_announced_is_a_bug(size: int) -> None:
    form = one_file("file", "a.pdf", None, size, pieces_of([b"abc"]))
    with pytest.raises(ValueError, match="size"):
        _ = [piece async for piece in form.content]
