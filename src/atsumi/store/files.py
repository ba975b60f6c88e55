"""Files of attachments: where their content lies, which are stored, and which could not be fetched yet.

Content lies outside the database, in a folder or in an S3-compatible bucket, under ``<integration>/<attachment>``. A
row is written after the content and removed after it, so a row always has its content; content without a row is
overwritten or harmless.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple, TypeAlias
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from atsumi.errors import ConfigurationError

_PART_BYTES = 5 * 1024 * 1024
"""What is held in memory of a file while it is written; the smallest part that S3 takes."""
_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(days=1)
ATTEMPTS = 12
"""After so many, about a week, a file is given up until its attachment changes."""

_Backend: TypeAlias = LocalStore | S3Store


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that is held. ``sha256`` is of its content."""

    path: str
    content_type: str
    size_bytes: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class S3:
    """How to reach a bucket; what is ``None`` comes from the environment, as AWS's own tools have it."""

    endpoint: str | None = None
    region: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = None


class FileStorage:
    """The place where content lies. Writing is atomic: a reader finds a whole file or none."""

    def __init__(self, backend: _Backend) -> None:
        self._backend = backend

    @classmethod
    def open(cls, url: str | None, folder: Path, s3: S3) -> FileStorage:
        """``s3://bucket/prefix``, else the folder, which is made. Raises :class:`ConfigurationError` if unusable."""
        try:
            if url is None:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                return cls(LocalStore(folder))
            parts = urlsplit(url)
            options = {
                "endpoint": s3.endpoint,
                "region": s3.region,
                "access_key_id": s3.access_key_id,
                "secret_access_key": s3.secret_access_key,
            }
            is_plain = (s3.endpoint or "").startswith("http://")
            return cls(
                S3Store(
                    parts.hostname or "",
                    prefix=parts.path.strip("/") or None,
                    client_options={"allow_http": is_plain},
                    **{name: value for name, value in options.items() if value is not None},  # type: ignore[arg-type]  # the stub knows no mappings
                )
            )
        except (OSError, BaseError, ValueError) as error:
            raise ConfigurationError(f"the file storage cannot be used: {type(error).__name__}") from error

    async def write(self, path: str, chunks: AsyncIterator[bytes], content_type: str) -> Stored:
        """Store what arrives, part by part. Whatever the chunks raise is raised, and nothing is stored then."""
        digest, size = hashlib.sha256(), 0

        async def counted() -> AsyncGenerator[bytes]:
            nonlocal size
            async for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                yield chunk

        source = counted()
        try:
            await obstore.put_async(self._backend, path, source, chunk_size=_PART_BYTES, max_concurrency=1)
        finally:
            await source.aclose()
        return Stored(path, content_type, size, digest.digest())

    async def holds(self, path: str) -> bool:
        """Whether there is content under a path."""
        try:
            await obstore.head_async(self._backend, path)
        except FileNotFoundError:
            return False
        return True

    @asynccontextmanager
    async def open_range(self, path: str, start: int, end: int) -> AsyncIterator[AsyncIterator[bytes]]:
        """The bytes from ``start`` up to and without ``end``, in pieces.

        Raises ``FileNotFoundError`` when there is nothing.
        """

        async def pieces() -> AsyncGenerator[bytes]:
            # The backend refuses ranges without a byte.
            if start < end:
                found = await obstore.get_async(self._backend, path, options={"range": (start, end)})
                async for chunk in found.stream():
                    yield bytes(chunk)

        async with aclosing(pieces()) as found:
            yield found

    async def delete_folder(self, folder: str) -> int:
        """Remove all content below a folder; returns how many files that was. May be killed anywhere and repeated.

        Raises :class:`ConfigurationError` when the storage does not allow it.
        """
        count = 0
        try:
            async for found in obstore.list(self._backend, prefix=folder):
                paths = [one["path"] for one in found]
                await obstore.delete_async(self._backend, paths)
                count += len(paths)
        except BaseError as error:
            raise ConfigurationError(f"files cannot be removed from the storage: {type(error).__name__}") from error
        return count

    async def delete(self, path: str) -> None:
        """Remove the content; nothing happens if there is none."""
        try:
            await obstore.delete_async(self._backend, path)
        except FileNotFoundError:
            return


async def stored_file(pool: asyncpg.Pool, integration: int, attachment: UUID) -> Stored | None:
    """The file of an attachment, if it is held."""
    row = await pool.fetchrow(
        """
        SELECT path, content_type, size_bytes, sha256 FROM stored_file
        WHERE integration = $1 AND attachment_id = $2
        """,
        integration,
        attachment,
    )
    return Stored(**row) if row else None


async def content_types(pool: asyncpg.Pool, integration: int, attachments: Collection[UUID]) -> dict[UUID, str]:
    """The types of those files that are held."""
    rows = await pool.fetch(
        """
        SELECT attachment_id, content_type FROM stored_file
        WHERE integration = $1 AND attachment_id = ANY($2::uuid[])
        """,
        integration,
        list(attachments),
    )
    return {row["attachment_id"]: row["content_type"] for row in rows}


async def note_stored(pool: asyncpg.Pool, integration: int, attachment: UUID, file: Stored) -> None:
    """Say that the content of an attachment is held, and forget failed attempts."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            """
            INSERT INTO stored_file (integration, attachment_id, path, content_type, size_bytes, sha256)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (integration, attachment_id) DO UPDATE SET path = excluded.path, stored_at = now(),
                content_type = excluded.content_type, size_bytes = excluded.size_bytes, sha256 = excluded.sha256
            """,
            integration,
            attachment,
            file.path,
            file.content_type,
            file.size_bytes,
            file.sha256,
        )
        await connection.execute(
            "DELETE FROM file_attempt WHERE integration = $1 AND attachment_id = $2", integration, attachment
        )


async def delete_files(
    pool: asyncpg.Pool, storage: FileStorage, integration: int, attachments: Collection[UUID]
) -> int:
    """Remove the content of these attachments and what is known of it; returns how many files there were.

    May be killed anywhere and repeated.
    """
    rows = await pool.fetch(
        "SELECT attachment_id, path FROM stored_file WHERE integration = $1 AND attachment_id = ANY($2::uuid[])",
        integration,
        list(attachments),
    )
    for row in rows:
        await storage.delete(row["path"])
    for table in ("stored_file", "file_attempt"):
        await pool.execute(
            f"DELETE FROM {table} WHERE integration = $1 AND attachment_id = ANY($2::uuid[])",
            integration,
            list(attachments),
        )
    return len(rows)


async def blanked(pool: asyncpg.Pool, model: int, limit: int) -> list[tuple[int, UUID]]:
    """(integration, attachment) of held files whose attachment was blanked or is not there any more."""
    rows = await pool.fetch(
        """
        SELECT f.integration, f.attachment_id FROM stored_file f LEFT JOIN record r
            ON r.integration = f.integration AND r.model = $1 AND r.id = f.attachment_id
        WHERE r.id IS NULL OR r.blanked_at IS NOT NULL LIMIT $2
        """,
        model,
        limit,
    )
    return [(row["integration"], row["attachment_id"]) for row in rows]


async def take_missing(pool: asyncpg.Pool, integration: int, model: int, limit: int) -> list[tuple[UUID, str]]:
    """(attachment, remote id) of files to fetch now, each handed to one caller only.

    Each is noted as attempted, to be tried again after a pause that grows with every attempt; storing it or
    :func:`give_up` ends that.
    """
    rows = await pool.fetch(
        """
        WITH missing AS (
            SELECT r.id, r.remote_id FROM record r
            LEFT JOIN file_attempt a ON a.integration = r.integration AND a.attachment_id = r.id
            WHERE r.integration = $1 AND r.model = $2 AND r.deleted_at IS NULL
              AND NOT EXISTS (SELECT 1 FROM stored_file f WHERE f.integration = $1 AND f.attachment_id = r.id)
              AND (a.attachment_id IS NULL OR a.retry_at <= now())
            LIMIT $3
        ), taken AS (
            INSERT INTO file_attempt AS a (integration, attachment_id, attempts, reason, retry_at)
            SELECT $1, id, 1, 'under way', now() + $4::interval FROM missing
            ON CONFLICT (integration, attachment_id) DO UPDATE SET attempts = a.attempts + 1,
                retry_at = CASE WHEN a.attempts + 1 < $6
                    THEN now() + least($4::interval * power(4, least(a.attempts, 10)), $5::interval) END
                WHERE a.retry_at <= now()
            RETURNING attachment_id
        )
        SELECT m.id, m.remote_id FROM missing m JOIN taken t ON t.attachment_id = m.id
        """,
        integration,
        model,
        limit,
        _FIRST_PAUSE,
        _LONGEST_PAUSE,
        ATTEMPTS,
    )
    return [(row["id"], row["remote_id"]) for row in rows]


async def note_failed(
    pool: asyncpg.Pool, integration: int, attachment: UUID, reason: str, *, is_final: bool = False
) -> None:
    """Say why a file could not be fetched. ``is_final``: it is not tried again."""
    await pool.execute(
        """
        UPDATE file_attempt SET reason = $3, retry_at = CASE WHEN $4 THEN NULL ELSE retry_at END
        WHERE integration = $1 AND attachment_id = $2
        """,
        integration,
        attachment,
        reason,
        is_final,
    )


class Counts(NamedTuple):
    """Files of one integration: held, tried again later, and given up by reason, most frequent first."""

    held: int
    waiting: int
    given_up: Sequence[tuple[str, int]]


async def counts(pool: asyncpg.Pool, integration: int) -> Counts:
    """How the integration's files stand."""
    held = await pool.fetchval("SELECT count(*) FROM stored_file WHERE integration = $1", integration)
    rows = await pool.fetch(
        """
        SELECT reason, count(*) AS files, retry_at IS NULL AS is_final FROM file_attempt
        WHERE integration = $1 GROUP BY 1, 3 ORDER BY 2 DESC
        """,
        integration,
    )
    waiting = sum(row["files"] for row in rows if not row["is_final"])
    return Counts(held, waiting, [(row["reason"], row["files"]) for row in rows if row["is_final"]])
