"""Files of candidates: fetched when asked for, kept where the operator wants that, gone with the person."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import SecretStr

from atsumi.errors import ConfigurationError, FileNotReady, NotFound, RemoteUnavailable
from atsumi.model.ids import from_base58
from atsumi.model.names import Model
from atsumi.server.files import backfill, backfill_all, fetch_attachment, remove_blanked, storage_of
from atsumi.server.runtime import Runtime
from atsumi.store import files
from atsumi.store.files import S3, FileStorage
from harness import Account, Product
from s3_stand_in import s3


async def with_files(product: Product, **company: int) -> Account:
    account = await product.synced(**company)
    await account.background()
    return account


async def one_file(account: Account) -> tuple[UUID, str, bytes]:
    """An attachment's id, its remote id and what the tool holds."""
    row = (await account.rows("attachments"))[0]
    document = account.simulator.company.document(int(row["remote_id"]))
    assert document is not None
    found = from_base58(row["id"])
    assert found is not None
    return found, row["remote_id"], account.simulator.company.content(document)


async def content(runtime: Runtime, account: Account, attachment: UUID) -> bytes:
    async with (
        fetch_attachment(runtime, await account.fresh(), attachment) as file,
        file.read(0, file.size_bytes) as chunks,
    ):
        return b"".join([chunk async for chunk in chunks])


def keeping(runtime: Runtime, folder: Path) -> Runtime:
    return replace(runtime, settings=runtime.settings.model_copy(update={"file_backfill": True, "data_dir": folder}))


def downloads(account: Account) -> int:
    return sum(entry.path.endswith("/download") for entry in account.simulator.log.entries)


async def test_a_file_that_is_not_kept_comes_from_the_tool(product: Product) -> None:
    account = await with_files(product)
    attachment, _, expected = await one_file(account)
    async with fetch_attachment(account.runtime, await account.fresh(), attachment) as file:
        assert file.name.endswith(".pdf")
        assert file.content_type == "application/pdf"
        async with file.read(0, file.size_bytes) as chunks:
            assert b"".join([chunk async for chunk in chunks]) == expected
    assert await files.stored_file(account.pool, account.number, attachment) is None
    await content(account.runtime, account, attachment)
    assert downloads(account) == 2


async def test_a_kept_file_is_fetched_once(product: Product, tmp_path: Path) -> None:
    account = await with_files(product)
    runtime = keeping(account.runtime, tmp_path)
    attachment, _, expected = await one_file(account)
    for _ in range(2):
        assert await content(runtime, account, attachment) == expected
    assert downloads(account) == 1
    stored = await files.stored_file(account.pool, account.number, attachment)
    assert stored is not None
    assert (stored.size_bytes, stored.sha256) == (len(expected), hashlib.sha256(expected).digest())


async def test_files_are_fetched_in_the_background_and_go_with_their_attachment(
    product: Product, tmp_path: Path
) -> None:
    account = await with_files(product, applications=8)
    runtime = keeping(account.runtime, tmp_path)
    while await backfill(runtime, [await account.fresh()]):
        pass
    held = len(await account.fetch("SELECT 1 FROM stored_file WHERE integration = $1"))
    assert held == len(await account.rows("attachments")) == downloads(account)
    attachment, remote_id, _ = await one_file(account)
    account.simulator.clock.advance(5)
    account.simulator.anonymise_application(int(remote_id) // 10)
    await account.sync()
    assert await remove_blanked(runtime) > 0
    assert await files.stored_file(account.pool, account.number, attachment) is None
    with pytest.raises(NotFound):
        await content(runtime, account, attachment)
    left = await account.fetch("SELECT path FROM stored_file WHERE integration = $1")
    folder = tmp_path / "files"
    kept_here = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {row["path"] for row in left} <= kept_here
    assert not any(str(account.id(Model.ATTACHMENT, remote_id)) in path for path in kept_here)


async def test_all_missing_files_can_be_fetched_at_once_and_it_goes_on_where_it_was_stopped(
    product: Product, tmp_path: Path
) -> None:
    account = await with_files(product, applications=30)
    runtime = replace(account.runtime, settings=account.runtime.settings.model_copy(update={"data_dir": tmp_path}))
    row, wanted = await account.fresh(), len(await account.rows("attachments"))
    told: list[int] = []
    host = account.origin.removeprefix("http://")

    async def fetch_until_the_tool_is_cut_off() -> None:
        async for stored in backfill_all(runtime, row):
            told.append(stored)
            account.product.origins.is_cut.add(host)

    with pytest.raises(RemoteUnavailable):
        await fetch_until_the_tool_is_cut_off()
    assert 0 < told[0] == told[-1] < wanted
    account.product.origins.is_cut.remove(host)
    await account.pool.execute("UPDATE file_attempt SET retry_at = now() WHERE integration = $1", account.number)
    more = [stored async for stored in backfill_all(runtime, row)]
    assert told[-1] + more[-1] == wanted
    found = await files.counts(account.pool, account.number)
    assert (found.held, found.waiting, list(found.given_up)) == (wanted, 0, [])
    assert [stored async for stored in backfill_all(runtime, row)] == []


async def test_a_file_under_scan_is_tried_later_with_growing_pauses_and_then_given_up(
    product: Product, tmp_path: Path
) -> None:
    account = await with_files(product, applications=3)
    runtime = keeping(account.runtime, tmp_path)
    account.simulator.switch(documents_scan_seconds=10**9)
    attachment, _, expected = await one_file(account)
    with pytest.raises(FileNotReady, match="virus scan"):
        await content(account.runtime, account, attachment)
    pauses = []
    for _ in range(files.ATTEMPTS):
        assert await backfill(runtime, [await account.fresh()]) == 0
        pauses.append(
            await account.pool.fetchval(
                "SELECT extract(epoch FROM retry_at - now())::float8 FROM file_attempt WHERE attachment_id = $1",
                attachment,
            )
        )
        await account.pool.execute(
            "UPDATE file_attempt SET retry_at = now() WHERE integration = $1 AND retry_at IS NOT NULL", account.number
        )
    assert pauses[-1] is None
    grown = [round(pause / 60) for pause in pauses[:-1]]
    assert grown[:4] == [1, 4, 16, 64]
    assert grown[-1] == 24 * 60
    asked = downloads(account)
    assert await backfill(runtime, [await account.fresh()]) == 0
    assert downloads(account) == asked
    assert (await files.counts(account.pool, account.number)).given_up
    # Whoever asks gets it as soon as it is there.
    account.simulator.switch(documents_scan_seconds=0)
    assert await content(account.runtime, account, attachment) == expected


async def holds_whole_files_only(storage: FileStorage, stored_anywhere: Callable[[], bool]) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * 6_000_000
        raise OSError("gone")

    async def whole() -> AsyncIterator[bytes]:
        for letter in (b"a", b"b", b"c"):
            yield letter * 3_000_000

    with pytest.raises(Exception, match="gone"):
        await storage.write("a/b", broken(), "text/plain")
    assert not stored_anywhere()
    stored = await storage.write("a/b", whole(), "text/plain")
    assert stored.size_bytes == 9_000_000
    assert await storage.holds("a/b")
    async with storage.open_range("a/b", 0, 9_000_000) as chunks:
        assert hashlib.sha256(b"".join([chunk async for chunk in chunks])).digest() == stored.sha256
    async with storage.open_range("a/b", 2_999_999, 3_000_002) as chunks:
        assert b"".join([chunk async for chunk in chunks]) == b"abb"
    await storage.delete("a/b")
    await storage.delete("a/b")
    assert not await storage.holds("a/b")
    with pytest.raises(FileNotFoundError):
        async with storage.open_range("a/b", 0, 1) as chunks:
            [chunk async for chunk in chunks]


async def test_a_folder_holds_whole_files_only(tmp_path: Path) -> None:
    storage = FileStorage.open(None, tmp_path, S3())
    await holds_whole_files_only(storage, lambda: any(path.is_file() for path in tmp_path.rglob("*")))


async def test_a_bucket_holds_whole_files_only(tmp_path: Path) -> None:
    async with s3() as (address, bucket):
        storage = FileStorage.open("s3://files/kept", tmp_path, S3(address, "eu-central-1", "id", "secret"))
        await holds_whole_files_only(storage, lambda: bool(bucket.objects))
        assert bucket.requests == bucket.signed
        await storage.write("c", one_piece(), "text/plain")
        assert bucket.objects == {"kept/c": b"small"}
        assert not list(tmp_path.iterdir())


async def one_piece() -> AsyncIterator[bytes]:
    yield b"small"


async def test_files_of_an_integration_are_kept_in_a_bucket(product: Product, tmp_path: Path) -> None:
    account = await with_files(product, applications=4)
    async with s3() as (address, bucket):
        named = {
            "file_storage_url": "s3://files",
            "file_storage_endpoint": address,
            "file_storage_region": "eu-central-1",
            "file_storage_access_key_id": SecretStr("id"),
            "file_storage_secret_access_key": SecretStr("secret"),
        }
        settings = account.runtime.settings.model_copy(update={"file_backfill": True, "data_dir": tmp_path, **named})
        runtime = replace(account.runtime, settings=settings)
        attachment, _, expected = await one_file(account)
        for _ in range(2):
            assert await content(runtime, account, attachment) == expected
        assert list(bucket.objects.values()) == [expected]
        assert downloads(account) == 1


def test_a_storage_that_cannot_be_used_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(ConfigurationError):
        FileStorage.open(None, tmp_path / "taken", S3())
    assert FileStorage.open("s3://bucket/prefix", tmp_path, S3("http://127.0.0.1:9", "eu", "id", "secret"))


async def test_a_download_while_the_tool_is_down_says_so(product: Product) -> None:
    account = await with_files(product)
    attachment, _, _ = await one_file(account)
    account.product.origins.is_cut.add(account.origin.removeprefix("http://"))
    with pytest.raises(RemoteUnavailable):
        await content(account.runtime, account, attachment)
    account.product.origins.is_cut.clear()
    assert storage_of(account.runtime)
