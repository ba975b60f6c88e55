"""Our own API: following changes and looking back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from atsumi.store import retention
from atsumi.store.feed import ChangeWatch
from harness import Product, until
from history_kit import Notebook, new_notebook

FEED = "/changes"


@pytest.fixture
async def book(product: Product) -> Notebook:
    return await new_notebook(product)


async def follow(book: Notebook, **params: Any) -> list[dict[str, Any]]:
    """The whole feed from its beginning."""
    items: list[dict[str, Any]] = []
    page = await book.read(FEED, **params)
    while True:
        items += page["items"]
        if not page["has_more"]:
            return items
        page = await book.read(FEED, cursor=page["cursor"], **params)


@pytest.mark.parametrize("limit", [1, 2, 1000])
async def test_every_change_comes_once_and_in_order(book: Notebook, limit: int) -> None:
    await book.write({"a": "red", "b": "red"})
    await book.write({"a": "green"})
    await book.write({"a": None})
    await book.write({"a": "blue"})
    items = await follow(book, limit=limit)
    assert [(one["sequence"], one["uuid"], one["kind"]) for one in items] == [
        (1, str(book.id("a")), "created"),
        (2, str(book.id("b")), "created"),
        (3, str(book.id("a")), "updated"),
        (4, str(book.id("a")), "deleted"),
        (5, str(book.id("a")), "revived"),
    ]
    assert {one["model"] for one in items} == {"note"}


async def test_a_cursor_at_the_end_goes_on_later(book: Notebook) -> None:
    start = await book.read(FEED)
    assert (start["items"], start["has_more"]) == ([], False)
    await book.write({"a": "red"})
    page = await book.read(FEED, cursor=start["cursor"])
    assert [one["sequence"] for one in page["items"]] == [1]
    assert (await book.read(FEED, cursor=page["cursor"]))["items"] == []


async def test_the_cursor_moves_past_models_that_are_left_out(book: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atsumi.store.feed.SCAN", 2)
    await book.write(dict.fromkeys("abcde", "red"))
    assert await follow(book, models="job,tag") == []
    assert len(await follow(book, models="job,note", limit=2)) == 5
    page = await book.read(FEED, models="job")
    assert page["has_more"]
    assert [one["sequence"] for one in (await book.read(FEED, cursor=page["cursor"]))["items"]] == [3, 4]


async def test_start_latest_skips_what_was_committed(book: Notebook) -> None:
    await book.write({"a": "red"})
    page = await book.read(FEED, start="latest")
    assert page["items"] == []
    await book.write({"b": "red"})
    assert [one["sequence"] for one in (await book.read(FEED, cursor=page["cursor"]))["items"]] == [2]


async def test_a_waiting_reader_hears_of_a_commit_at_once_and_holds_no_connection(book: Notebook) -> None:
    cursor = (await book.read(FEED))["cursor"]
    pool = book.product.runtime.pool
    waiting = [asyncio.create_task(book.read(FEED, cursor=cursor, wait_seconds=30)) for _ in range(40)]
    while not any(task.done() for task in waiting):
        await asyncio.sleep(0.3)
        await until(lambda: pool.get_size() - pool.get_idle_size() <= 1, "readers to wait without a connection")
        await book.write({"a": "red"})
    for page in await asyncio.gather(*waiting):
        assert page["items"][0]["sequence"] == 1


async def test_a_waiting_reader_of_other_models_waits_on(book: Notebook) -> None:
    cursor = (await book.read(FEED))["cursor"]
    waiting = asyncio.create_task(book.read(FEED, cursor=cursor, wait_seconds=1, models="job"))
    await asyncio.sleep(0.1)
    await book.write({"a": "red"})
    page = await waiting
    assert page["items"] == []
    assert [one["sequence"] for one in (await book.read(FEED, cursor=page["cursor"]))["items"]] == []


async def test_waiting_outlives_a_database_that_does_not_answer(book: Notebook) -> None:
    class Refusing:
        """Fails at first, then answers."""

        failures = 2

        async def fetch(self, *args: Any) -> list[dict[str, int]]:
            self.failures -= 1
            if self.failures >= 0:
                raise ConnectionRefusedError
            return [{"integration": 1, "seq": 5}]

    watch = ChangeWatch(Refusing(), interval_seconds=0.01)  # type: ignore[arg-type] # all that it needs of a pool
    assert await watch.wait(1, 4, 5)
    assert not await watch.wait(1, 5, 0.05)


async def test_a_cursor_older_than_what_is_kept_is_told_so(book: Notebook) -> None:
    start = (await book.read(FEED))["cursor"]
    await book.write({"a": "red"})
    middle = (await book.read(FEED))["cursor"]
    await retention.remove_old(book.product.runtime.pool, now=datetime.now(UTC) + timedelta(days=2), change_log_days=1)
    answer = await book.get(FEED, cursor=start)
    assert (answer.status_code, answer.json()["code"]) == (410, "no_longer_kept")
    assert "start=latest" in answer.json()["detail"]
    assert (await book.read(FEED, cursor=middle))["items"] == []
    await book.write({"a": "green"})
    for params in ({}, {"cursor": middle}):
        assert [one["sequence"] for one in (await book.read(FEED, **params))["items"]] == [2]


async def test_a_cursor_from_before_a_backup_was_restored_is_told_so(book: Notebook) -> None:
    await book.write({"a": "red", "b": "red"})
    cursor = (await book.read(FEED))["cursor"]
    await book.product.runtime.pool.execute("UPDATE clock SET seq = 1 WHERE integration = $1", book.number)
    assert (await book.get(FEED, cursor=cursor)).status_code == 410


async def test_a_record_is_read_now_and_as_it_was(book: Notebook) -> None:
    await book.write({"a": "red"})
    await book.write({"a": "green"})
    await book.write({"a": None})
    now = await book.read(book.note("a"))
    assert (now["record"]["title"], now["sequence"]) == ("green", 3)
    assert now["deleted_at"] == now["changed_at"]
    assert now["uuid"] == str(book.id("a"))
    candidate = await book.get(f"/records/candidate/{now['references']['candidate_remote_id']}")
    assert candidate.status_code == 404
    first = await book.read(f"/records/note/{book.id('a')}", as_of=1)
    assert (first["record"]["title"], first["deleted_at"]) == ("red", None)
    assert await book.read(book.note("a"), as_of=first["changed_at"]) == first
    gone = await book.get(book.note("a"), as_of="2001-01-01")
    assert (gone.status_code, gone.json()["code"]) == (404, "not_found")


async def test_versions_and_differences(book: Notebook) -> None:
    await book.write({"a": "red"})
    await book.write({"a": "green"})
    await book.write({"a": None})
    found = await book.read(f"{book.note('a')}/versions")
    assert [(one["sequence"], one["kind"]) for one in found["items"]] == [
        (3, "deleted"),
        (2, "updated"),
        (1, "created"),
    ]
    older = await book.read(f"{book.note('a')}/versions", limit=1, before=3)
    assert ([one["sequence"] for one in older["items"]], older["has_more"]) == ([2], True)
    difference = await book.read(f"{book.note('a')}/diff", **{"from": 1})
    assert difference["changes"] == [{"field": "title", "before": "red", "after": "green"}]
    assert (difference["from"]["sequence"], difference["to"]["sequence"]) == (1, 3)
    assert (await book.read(f"{book.note('a')}/diff", **{"from": 2, "to": 2}))["changes"] == []


async def test_a_version_that_is_no_longer_kept_is_told_so(book: Notebook) -> None:
    await book.keep_history(1)
    await book.write({"a": "red"})
    await book.write({"a": "green"})
    await retention.remove_old(book.product.runtime.pool, now=datetime.now(UTC) + timedelta(days=2), change_log_days=9)
    answer = await book.get(book.note("a"), as_of=1)
    assert (answer.status_code, answer.json()["code"]) == (410, "no_longer_kept")
    assert (await book.read(book.note("a"), as_of=2))["record"]["title"] == "green"


@pytest.mark.parametrize(
    ("path", "params", "parameter"),
    [
        (FEED, {"limit": 0}, "limit"),
        (FEED, {"limit": 1001}, "limit"),
        (FEED, {"limit": "٣"}, "limit"),
        (FEED, {"wait_seconds": 31}, "wait_seconds"),
        (FEED, {"models": "job,"}, "models"),
        (FEED, {"models": "jobs"}, "models"),
        (FEED, {"start": "now"}, "start"),
        (FEED, {"cursor": "x"}, "cursor"),
        (FEED, {"cursor": ""}, "cursor"),
        (FEED, {"curser": "x"}, "curser"),
        ("/records/note/%s", {"as_of": "yesterday"}, "as_of"),
        ("/records/note/%s", {"as_of": "9" * 30}, "as_of"),
        ("/records/note/%s/diff", {}, "from"),
        ("/records/note/%s/diff", {"from": 0}, "from"),
    ],
)
async def test_a_wrong_parameter_is_refused_by_name(
    book: Notebook, path: str, params: dict[str, Any], parameter: str
) -> None:
    answer = await book.get(path % book.id("a") if "%" in path else path, **params)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["code"], answer.json()["parameter"]) == ("invalid_input", parameter)


@pytest.mark.parametrize(
    "path", [FEED, "/records/note/%s", "/records/note/%s/versions", "/records/note/%s/diff?from=1"]
)
async def test_another_tenant_reads_nothing(product: Product, book: Notebook, path: str) -> None:
    other = await new_notebook(product)
    await book.write({"a": "red"})
    path = path % book.id("a") if "%" in path else path
    cursor = (await book.read(FEED))["cursor"]
    foreign = await book.get(path, headers=book.headers | {"X-Integration-Id": other.integration.id})
    assert (foreign.status_code, foreign.json()["code"]) == (404, "integration_not_found")
    assert (await book.get(path, headers={"X-Integration-Id": book.integration.id})).status_code == 401
    assert (await book.get(path, headers={"Authorization": f"Bearer {book.key}"})).status_code == 404
    if path == FEED:
        assert (await other.read(FEED))["items"] == []
        assert (await other.get(FEED, cursor=cursor)).json()["parameter"] == "cursor"
    else:
        assert (await other.get(path)).status_code == 404


async def test_every_answer_fits_our_openapi_document(book: Notebook) -> None:
    await book.write({"a": "red"})
    await book.write({"a": "green"})
    document = (await book.product.api.get("/atsumi/v1/openapi.json")).json()
    for template, path in {
        "/changes": "/changes",
        "/records/{model}/{id}": book.note("a"),
        "/records/{model}/{id}/versions": f"{book.note('a')}/versions",
        "/records/{model}/{id}/diff": f"{book.note('a')}/diff?from=1",
        "/changes?": "/changes?limit=x",
        "/changes??": "/change",
    }.items():
        answer = await book.get(path)
        responses = document["paths"][template.rstrip("?")]["get"]["responses"]
        content = responses[str(answer.status_code)]["content"]
        schema = content[answer.headers["content-type"]]["schema"]
        Draft202012Validator({**schema, "components": document["components"]}).validate(answer.json())


async def test_an_unknown_path_or_method_is_a_problem_too(book: Notebook) -> None:
    posted = await book.product.api.post("/atsumi/v1/changes", headers=book.headers)
    assert (posted.status_code, posted.json()["code"], posted.headers["allow"]) == (
        405,
        "method_not_allowed",
        "GET, HEAD",
    )
    assert (await book.get("/records/nothing/x")).json()["parameter"] == "model"
    assert (await book.get("/records/note/x")).json()["parameter"] == "id"
    assert (await book.get("/else")).json()["code"] == "not_found"
