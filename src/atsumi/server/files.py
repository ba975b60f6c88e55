"""Files of attachments: from storage where they are held, else from the tool."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple
from uuid import UUID

from anyio import SpooledTemporaryFile

from atsumi.connector.files import RemoteFile
from atsumi.errors import (
    Conflict,
    FileNotReady,
    NotFound,
    RemoteCall,
    RemoteRejected,
    ToolError,
    UnexpectedResponse,
    UnsupportedByTool,
)
from atsumi.model.attachment import Attachment
from atsumi.model.catalog import CODES
from atsumi.model.ids import to_base58
from atsumi.model.names import Model
from atsumi.server.logging import get_logger
from atsumi.server.runtime import BACKGROUND_SPARES, Runtime
from atsumi.store import files, records, tenants
from atsumi.store.files import S3, FileStorage, Stored
from atsumi.store.tenants import IntegrationRow
from atsumi.sync import codec
from atsumi.sync.shaping import scope_for

_CODE = CODES[Model.ATTACHMENT]
_ANY_TYPE = "application/octet-stream"
_AT_ONCE = 20
_LARGEST = 100_000_000
_IN_MEMORY = 1_000_000
_PIECE = 64 * 1024

_log = get_logger("atsumi.files")


Read = Callable[[int, int], AbstractAsyncContextManager[AsyncIterator[bytes]]]
"""Opens the bytes from one place up to and without another, in pieces."""


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file for whoever asked, whole and of known size. ``digest`` is of its content; ``read`` may be used again."""

    name: str
    content_type: str
    size_bytes: int
    digest: bytes
    read: Read


def storage_of(runtime: Runtime) -> FileStorage:
    """The file storage that the settings name. Raises :class:`~atsumi.errors.ConfigurationError`."""
    settings = runtime.settings
    key, secret = settings.file_storage_access_key_id, settings.file_storage_secret_access_key
    s3 = S3(
        endpoint=settings.file_storage_endpoint,
        region=settings.file_storage_region,
        access_key_id=key.get_secret_value() if key else None,
        secret_access_key=secret.get_secret_value() if secret else None,
    )
    return FileStorage.open(settings.file_storage_url, settings.data_dir / "files", s3)


@asynccontextmanager
async def fetch_attachment(
    runtime: Runtime, integration: IntegrationRow, attachment_id: UUID
) -> AsyncIterator[AttachedFile]:
    """The content of an attachment.

    It comes from storage where it is held, else from the tool, completely before anything of it is handed on; where
    files are kept, it is stored on the way. Raises :class:`NotFound` for an attachment that does not exist or is
    deleted, :class:`UnsupportedByTool`, :class:`FileNotReady` while the tool holds the file back,
    :class:`UnexpectedResponse` for one of more than 100 MB, and any other :class:`ToolError`.
    """
    attachment = await _attachment(runtime, integration, attachment_id)
    name = attachment.file_name or f"{to_base58(attachment_id)}.bin"
    storage = storage_of(runtime)
    held = await files.stored_file(runtime.pool, integration.number, attachment_id)
    if held is not None and not await storage.holds(held.path):
        # Somebody has emptied the storage behind our back; the tool still has the file.
        held = None
    if held is None and runtime.settings.file_backfill:
        held = await store_attachment(runtime, integration, attachment_id, attachment.remote_id)
    if held is not None:
        kind = content_type(held.content_type, name)
        yield AttachedFile(name, kind, held.size_bytes, held.sha256, partial(storage.open_range, held.path))
        return
    call = RemoteCall(integration.tool, "download a file", "GET", attachment.remote_id)
    async with _from_tool(runtime, integration, attachment.remote_id) as remote, _spooled(remote, call) as spooled:
        name = attachment.file_name or remote.name or name
        yield AttachedFile(name, content_type(remote.content_type, name), *spooled)


def content_type(said: str | None, name: str) -> str:
    """The type that the tool names, or, where it names none, the one that the file's name suggests."""
    if said in (None, "", _ANY_TYPE):
        return mimetypes.guess_type(name, strict=True)[0] or _ANY_TYPE
    return said


@asynccontextmanager
async def _spooled(remote: RemoteFile, call: RemoteCall) -> AsyncIterator[tuple[int, bytes, Read]]:
    """The whole file, in memory or in a nameless temporary file: its size, digest, and a way to read it."""
    digest, size = hashlib.sha256(), 0
    async with SpooledTemporaryFile[bytes](_IN_MEMORY) as spool:
        async for chunk in remote.chunks:
            digest.update(chunk)
            size += len(chunk)
            if size > _LARGEST:
                raise UnexpectedResponse(call, "the file is larger than 100 MB")
            await spool.write(chunk)

        @asynccontextmanager
        async def read(start: int, end: int) -> AsyncIterator[AsyncIterator[bytes]]:
            await spool.seek(start)

            async def pieces() -> AsyncGenerator[bytes]:
                left = end - start
                while left > 0 and (piece := await spool.read(min(left, _PIECE))):
                    left -= len(piece)
                    yield piece

            async with aclosing(pieces()) as found:
                yield found

        yield size, digest.digest(), read


async def store_attachment(
    runtime: Runtime, integration: IntegrationRow, attachment_id: UUID, remote_id: str, *, spared_fraction: float = 0
) -> Stored:
    """Fetch one file from the tool and store it. Raises as :func:`fetch_attachment`."""
    path = f"{to_base58(integration.public_id)}/{to_base58(attachment_id)}"
    async with _from_tool(runtime, integration, remote_id, spared_fraction=spared_fraction) as remote:
        stored = await storage_of(runtime).write(path, remote.chunks, remote.content_type or _ANY_TYPE)
    await files.note_stored(runtime.pool, integration.number, attachment_id, stored)
    return stored


class _Batch(NamedTuple):
    """What one go at an integration's missing files did. ``stopped_by`` would stop any further one, too."""

    tried: int
    stored: int
    stopped_by: ToolError | None = None


async def backfill(runtime: Runtime, integrations: Sequence[IntegrationRow] | None = None) -> int:
    """Fetch some files that are not held yet, of these integrations or all; returns how many were stored.

    One that the tool holds back is tried again after growing pauses and given up softly in the end.
    """
    count = 0
    for integration in await tenants.integrations(runtime.pool) if integrations is None else integrations:
        connector = runtime.connectors.get(integration.tool)
        if integration.state != "ACTIVE" or connector is None or connector.open_file is None:
            continue
        batch = await _fetch_batch(runtime, integration)
        if batch.stopped_by is not None:
            _log.warning("files.stopped", integration=integration.id, reason=_plain(batch.stopped_by))
        count += batch.stored
    return count


async def backfill_all(runtime: Runtime, integration: IntegrationRow) -> AsyncGenerator[int]:
    """Fetch all files of an integration that are not held yet and not waiting; tells after each few how many so far.

    May be stopped anywhere and repeated. Raises :class:`UnsupportedByTool`, :class:`Conflict` unless the integration
    is active, and the :class:`ToolError` that keeps further files from being fetched.
    """
    if runtime.connector(integration.tool).open_file is None:
        raise UnsupportedByTool(f"{integration.tool} gives no files")
    if integration.state != "ACTIVE":
        why = integration.state_reason or "switched off"
        raise Conflict(f"{integration.id} is {integration.state.lower()}: {why}.")
    count = 0
    while (batch := await _fetch_batch(runtime, integration)).tried:
        count += batch.stored
        yield count
        if batch.stopped_by is not None:
            raise batch.stopped_by


async def _fetch_batch(runtime: Runtime, integration: IntegrationRow) -> _Batch:
    taken = await files.take_missing(runtime.pool, integration.number, _CODE, _AT_ONCE)
    stored = 0
    for attachment_id, remote_id in taken:
        try:
            await store_attachment(runtime, integration, attachment_id, remote_id, spared_fraction=BACKGROUND_SPARES)
            stored += 1
        except FileNotReady as error:
            await files.note_failed(runtime.pool, integration.number, attachment_id, _plain(error))
        except (RemoteRejected, UnexpectedResponse) as error:
            await files.note_failed(runtime.pool, integration.number, attachment_id, _plain(error), is_final=True)
        except ToolError as error:
            # What stops one file stops them all; the attempts that were taken are tried again later.
            return _Batch(len(taken), stored, error)
    return _Batch(len(taken), stored)


async def remove_blanked(runtime: Runtime) -> int:
    """Delete the files of attachments whose content may be kept no longer; returns how many."""
    storage, count = storage_of(runtime), 0
    for number, attachment_id in await files.blanked(runtime.pool, _CODE, 500):
        count += await files.delete_files(runtime.pool, storage, number, [attachment_id])
    return count


@asynccontextmanager
async def _from_tool(
    runtime: Runtime, integration: IntegrationRow, remote_id: str, *, spared_fraction: float = 0
) -> AsyncIterator[RemoteFile]:
    open_file = runtime.connector(integration.tool).open_file
    if open_file is None:
        raise UnsupportedByTool(f"{integration.tool} gives no files")
    context = await runtime.context(integration, spared_fraction=spared_fraction)
    async with open_file(context, remote_id) as remote:
        yield remote


async def _attachment(runtime: Runtime, integration: IntegrationRow, attachment_id: UUID) -> Attachment:
    """The stored record. One that is out of scope counts as gone, also before the pass that removes it."""
    chosen = integration.scope
    scope = scope_for(runtime.connector(integration.tool), chosen.settings, chosen.opted_out)
    async with runtime.pool.acquire() as connection:
        found = await records.records_by_id(connection, integration.number, _CODE, [attachment_id])
    row = found.get(attachment_id)
    record = codec.decode(row) if row is not None and row.deleted_at is None else None
    if isinstance(record, Attachment) and scope.has_model(Model.ATTACHMENT):
        return record
    raise NotFound(f"{integration.id} has no attachment {to_base58(attachment_id)}")


def _plain(error: ToolError) -> str:
    return str(error)
