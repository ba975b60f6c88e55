"""What a record was at a moment, against a plain list of everything that was written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atsumi.errors import NoLongerKept, NotFound
from atsumi.model.catalog import CODES
from atsumi.model.names import Model
from atsumi.store import history, retention
from atsumi.store.history import Moment
from atsumi.store.records import ChangeKind
from harness import Product
from history_kit import Notebook, new_notebook

NOTE = CODES[Model.NOTE]
NAMES = ("a", "b", "c")
BATCHES = st.lists(
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(("red", "green", None)), min_size=1, max_size=3),
    min_size=1,
    max_size=12,
)


@dataclass(frozen=True)
class Written:
    """What the oracle knows of one version."""

    seq: int
    at: datetime
    kind: ChangeKind
    title: str
    is_deleted: bool


async def write_all(book: Notebook, batches: list[dict[str, str | None]]) -> dict[str, list[Written]]:
    oracle: dict[str, list[Written]] = {name: [] for name in NAMES}
    titles: dict[str, str] = {}
    for batch in batches:
        for change in await book.write(batch):
            name = change.row.remote_id
            titles[name] = batch[name] or titles[name]
            oracle[name].append(
                Written(change.seq, change.row.changed_at, change.kind, titles[name], change.kind is ChangeKind.DELETED)
            )
    return oracle


def expected(versions: list[Written], moment: Moment) -> Written | None:
    past = [one for one in versions if (one.at if isinstance(moment, datetime) else one.seq) <= moment]
    return past[-1] if past else None


async def found(book: Notebook, name: str, moment: Moment | None) -> tuple[int, str, bool]:
    version = await history.version_at(book.product.runtime.pool, book.number, NOTE, book.id(name), moment)
    return version.seq, msgspec.json.decode(version.data)["title"], version.deleted_at is not None


@settings(max_examples=25, deadline=None)
@given(batches=BATCHES)
async def test_every_moment_shows_what_was_true_then(product: Product, batches: list[dict[str, str | None]]) -> None:
    book = await new_notebook(product)
    oracle = await write_all(book, batches)
    everything = [one for versions in oracle.values() for one in versions]
    moments: list[Moment] = [one.seq for one in everything] + [one.at for one in everything]
    moments += [one.at - timedelta(microseconds=1) for one in everything] + [10**12, 0]
    for name, versions in oracle.items():
        for moment in moments:
            want = expected(versions, moment)
            if want is None:
                with pytest.raises(NotFound):
                    await found(book, name, moment)
            else:
                assert await found(book, name, moment) == (want.seq, want.title, want.is_deleted)
        if versions:
            lines, has_more = await history.versions(product.runtime.pool, book.number, NOTE, book.id(name), limit=1000)
            assert [(line.seq, line.changed_at, line.kind) for line in lines] == [
                (one.seq, one.at, one.kind) for one in reversed(versions)
            ]
            assert not has_more


@settings(max_examples=25, deadline=None)
@given(batches=BATCHES, cut=st.integers(0, 12), step=st.integers(1, 5))
async def test_what_is_removed_with_time_leaves_the_kept_days_whole(
    product: Product, batches: list[dict[str, str | None]], cut: int, step: int
) -> None:
    book = await new_notebook(product)
    oracle = await write_all(book, batches)
    everything = sorted((one for versions in oracle.values() for one in versions), key=lambda one: one.seq)
    if not everything:
        return
    until = everything[min(cut, len(everything) - 1)].at
    kept, retention.STEP = retention.STEP, step
    try:
        await retention.remove_old(product.runtime.pool, now=until + timedelta(days=30), change_log_days=10_000)
    finally:
        retention.STEP = kept
    for name, versions in oracle.items():
        for moment in [until, *(one.at for one in everything)]:
            want = expected(versions, moment)
            if want is None:
                with pytest.raises((NotFound, NoLongerKept)):
                    await found(book, name, moment)
            elif moment >= until:
                assert await found(book, name, moment) == (want.seq, want.title, want.is_deleted)
            else:
                replaced = [one for one in versions if one.seq > want.seq]
                if replaced and replaced[0].at <= until:
                    with pytest.raises(NoLongerKept):
                        await found(book, name, moment)


async def test_a_first_sync_writes_no_version(product: Product) -> None:
    book = await new_notebook(product)
    await book.write(dict.fromkeys("abcdefgh", "red"))
    assert await count(book) == 0
    await book.write({"a": "green"})
    assert await count(book) == 1


async def test_switched_off_history_never_shows_a_wrong_past(product: Product) -> None:
    book = await new_notebook(product)
    first = await book.write({"a": "red"})
    second = await book.write({"a": "green"})
    await book.keep_history(0)
    third = await book.write({"a": "blue"})
    await book.keep_history(30)
    await book.write({"a": "grey"})
    for change in (*first, *second):
        with pytest.raises(NoLongerKept):
            await found(book, "a", change.seq)
    assert (await found(book, "a", third[0].seq))[1] == "blue"


async def test_forgotten_versions_are_gone_and_the_record_stays(product: Product) -> None:
    book = await new_notebook(product)
    first = await book.write({"a": "red", "b": "red"})
    await book.write({"a": "green", "b": "green"})
    async with product.runtime.pool.acquire() as connection:
        await history.forget_versions(connection, book.number, [book.id("a")])
    with pytest.raises(NoLongerKept):
        await found(book, "a", first[0].seq)
    assert (await found(book, "a", None))[1] == "green"
    assert (await found(book, "b", first[1].seq))[1] == "red"


async def count(book: Notebook) -> int:
    statement = "SELECT count(*) FROM record_version WHERE integration = $1"
    return await book.product.runtime.pool.fetchval(statement, book.number)
