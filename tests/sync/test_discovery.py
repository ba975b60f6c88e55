"""What fields a tool has is known from syncing it, without a value of anybody being kept for that."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsumi.model.catalog import CODES
from atsumi.model.names import Model
from atsumi.server.remapping import execute_run
from atsumi.sync import discovery, remap
from atsumi.sync.discovery import MAX_FIELDS, MAX_LEVELS, Sightings
from atsumi.sync.paths import compile_path, evaluate
from harness import Account, Product

INTEGRATION = UUID(int=1)
CANDIDATES = CODES[Model.CANDIDATE]

names = st.one_of(st.sampled_from(["id", "name", "custom attributes", 'qu"ote', "a.b", "a[]", "ü"]), st.text())
documents = st.dictionaries(
    names,
    st.recursive(
        st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
        max_leaves=15,
    ),
    max_size=5,
)


def seen(*found: dict[str, Any], **options: Any) -> dict[str, tuple[tuple[str, ...], int]]:
    sightings = Sightings()
    for document in found:
        sightings.see(Model.CANDIDATE, document, is_new=True, **options)
    return {one.path: (one.types, one.records) for one in sightings.fields(INTEGRATION)}


def test_fields_are_named_by_the_path_that_finds_them() -> None:
    assert seen(
        {"id": 1, "attributes": [{"id": "a", "value": None}, {"id": "b", "value": 2}], "full name": {"first": "Ada"}},
        {"id": "2", "attributes": [], "tags": [["x"], [{"deep": True}]]},
    ) == {
        "": (("object",), 2),
        "id": (("number", "string"), 2),
        "attributes": (("array",), 2),
        "attributes[].id": (("string",), 1),
        "attributes[].value": (("null", "number"), 1),
        '"full name"': (("object",), 1),
        '"full name".first': (("string",), 1),
        "tags": (("array",), 1),
        "tags[][].deep": (("boolean",), 1),
    }


@given(st.lists(documents, max_size=3))
def test_every_path_finds_something_in_one_of_the_documents(found: list[dict[str, Any]]) -> None:
    for path, (types, records) in seen(*found).items():
        if path and types != ("null",):
            values = [evaluate(compile_path(path), document) for document in found]
            assert any(value is not None for value in values), path
        assert 0 <= records <= len(found)


def test_a_document_of_any_depth_and_breadth_has_a_bounded_number_of_fields() -> None:
    broad = {f"field_{number}": number for number in range(2 * MAX_FIELDS)}
    assert len(seen(broad)) == MAX_FIELDS + 1

    deep: Any = 1
    for _ in range(200):
        deep = {"a": deep}
    assert len(seen(deep)) == MAX_LEVELS + 1


def test_names_that_cannot_be_stored_are_left_out() -> None:
    assert set(seen({"a\0": 1, "\ud800": {"inner": 1}, "x" * 2_000: 1, "fine": 1})) == {"", "fine"}


def oracle(account: Account, rows: list[dict[str, Any]]) -> Counter[str]:
    """Counted over all raw documents at once."""
    found: Counter[str] = Counter()
    for row in rows:
        sightings = Sightings()
        sightings.see(Model.CANDIDATE, row, is_new=True)
        found.update(one.path for one in sightings.fields(account.integration.public_id))
    return found


async def catalogued(account: Account) -> dict[str, int]:
    rows = await account.fetch(
        "SELECT path, records_seen FROM integration_field WHERE integration = $1 AND model = $2", CANDIDATES
    )
    return {row["path"]: row["records_seen"] for row in rows}


async def stored_candidates(account: Account) -> list[dict[str, Any]]:
    rows = await account.fetch("SELECT data FROM raw_record WHERE integration = $1 AND stream = 'candidates'")
    return [msgspec.json.decode(row["data"]) for row in rows]


async def test_a_first_sync_counts_what_every_record_has(product: Product) -> None:
    account = await product.synced(applications=15)

    assert await catalogued(account) == oracle(account, await stored_candidates(account))


async def test_an_unchanged_sync_writes_nothing_into_the_catalogue(product: Product) -> None:
    account = await product.synced(applications=5)
    statement = "SELECT ctid::text, xmin::text FROM integration_field WHERE integration = $1 ORDER BY 1"
    before = await account.fetch(statement)

    await account.sync("full")

    assert await account.fetch(statement) == before


async def test_a_field_that_comes_later_is_found_and_a_remap_counts_exactly(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await product.synced(applications=9)
    monkeypatch.setattr(remap, "_RAW", 2)
    ids = await stored_candidates(account)
    for raw in ids[:3]:
        await account.pool.execute(
            "UPDATE raw_record SET data = $3 WHERE integration = $1 AND stream = 'candidates' AND remote_id = $2",
            account.number,
            str(raw["id"]),
            msgspec.json.encode({**raw, "shoe size": 44}),
        )

    claim = await account.claim("remap")
    await execute_run(account.runtime, claim, await account.fresh())

    found = await catalogued(account)
    assert found['"shoe size"'] == 3
    assert found == oracle(account, await stored_candidates(account))


async def test_a_full_catalogue_takes_no_more(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "MAX_FIELDS", 3)

    account = await product.synced(applications=3)

    assert len(await catalogued(account)) == 4


async def test_no_value_of_a_record_is_kept_in_the_catalogue(product: Product) -> None:
    account = await product.synced(applications=5)
    [text] = await account.fetch(
        "SELECT string_agg(f::text, ' ') AS all FROM integration_field f WHERE integration = $1"
    )
    for row in await account.rows("candidates"):
        for address in row["email_addresses"]:
            assert address["email_address"] not in text["all"]
