"""Files on their way to a tool: taken in once, in pieces, and checked before the tool is asked for anything."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import NamedTuple

import asyncpg

from atsumi.connector.guarded import GuardedClient
from atsumi.connector.writing import FileRules, file_fault
from atsumi.errors import FetchFailed, InvalidInput
from atsumi.model.draft import FileDraft
from atsumi.store import action_contents as contents
from atsumi.store.actions import ActionClaim
from atsumi.store.vault import Vault

PART_BYTES = 256 * 1024
_TEXTS = ("text/html", "application/xhtml+xml")
"""What servers answer with instead of a file: a page that asks to sign in, or says that it is gone."""

_SIGNATURES: dict[bytes, frozenset[str]] = {
    b"%PDF-": frozenset({"pdf"}),
    b"PK\x03\x04": frozenset({"docx", "xlsx", "pptx", "odt", "ods", "zip"}),
    b"\xd0\xcf\x11\xe0": frozenset({"doc", "xls", "ppt"}),
    b"\x89PNG\r\n": frozenset({"png"}),
    b"\xff\xd8\xff": frozenset({"jpg", "jpeg"}),
    b"GIF8": frozenset({"gif"}),
    b"{\\rtf": frozenset({"rtf", "doc"}),
    b"7z\xbc\xaf\x27\x1c": frozenset({"7z"}),
    b"Rar!": frozenset({"rar"}),
    b"\x1f\x8b": frozenset({"gz"}),
    b"MZ": frozenset(),
    b"\x7fELF": frozenset(),
}
"""How contents of a known kind begin, and the names' endings that fit them."""


class Kept(NamedTuple):
    """A file that is kept for the tool."""

    size_bytes: int
    sha256: str


class FileDesk:
    """Takes in the files of one action."""

    def __init__(self, pool: asyncpg.Pool, vault: Vault, claim: ActionClaim, guarded: GuardedClient) -> None:
        self._pool = pool
        self._vault = vault
        self._claim = claim
        self._guarded = guarded

    async def fetch(self, index: int, file: FileDraft, url: str, rules: FileRules) -> Kept:
        """Get a file from the address that the caller gave.

        Raises :class:`~atsumi.errors.AddressRefused` for an address that may not be asked, :class:`FetchFailed` where
        it gives no file, and :class:`InvalidInput` with the file's path for one that the tool would not take.
        """
        async with self._guarded.get(url, max_bytes=rules.max_bytes) as answer:
            if answer.status != 200:
                raise FetchFailed(f"The address of the file answered with status {answer.status}.", path=_path(index))
            kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind in _TEXTS:
                raise FetchFailed("The address answered with a web page instead of a file.", path=_path(index))
            return await self.keep(index, file, answer.chunks, rules)

    async def keep(self, index: int, file: FileDraft, chunks: AsyncIterator[bytes], rules: FileRules | None) -> Kept:
        """Keep a file's content while it arrives; what an earlier try has kept is replaced.

        At most a part of it is in memory. Raises :class:`InvalidInput` with the file's path.
        """
        digest, size, part, held = hashlib.sha256(), 0, 0, bytearray()
        async for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            if rules is not None and size > rules.max_bytes:
                raise InvalidInput(_sentence(file_fault(file, size, rules)), path=_path(index))
            held += chunk
            while len(held) >= PART_BYTES:
                part = await self._write(index, part, held, file)
        if held:
            part = await self._write(index, part, held, file)
        await contents.cut_file(self._pool, self._claim, index, part)
        fault = file_fault(file, size, rules)
        if fault is not None:
            raise InvalidInput(_sentence(fault), path=_path(index))
        return Kept(size, digest.hexdigest())

    async def _write(self, index: int, part: int, held: bytearray, file: FileDraft) -> int:
        content = bytes(held[:PART_BYTES])
        if part == 0:
            check_beginning(file.name, content, _path(index))
        await contents.write_file_part(self._pool, self._vault, self._claim, index, part, content)
        del held[:PART_BYTES]
        return part + 1


def check_beginning(name: str, content: bytes, path: str) -> None:
    """Raise :class:`InvalidInput` for content that is certainly of another kind than the name's ending says."""
    extension = name.rpartition(".")[2].lower()
    for signature, extensions in _SIGNATURES.items():
        if content.startswith(signature) and extension not in extensions:
            kinds = " or ".join(f".{one}" for one in sorted(extensions)) or "a program"
            raise InvalidInput(f"The file's name ends in .{extension[:20]}, but its content is {kinds}.", path=path)


def _path(index: int) -> str:
    return f"files.{index}"


def _sentence(fault: str | None) -> str:
    text = fault or "this file cannot be taken"
    return f"{text[0].upper()}{text[1:]}."
