"""However records came in, of whatever stream: the result is the same, and reading again changes nothing.

What the lists of the foreground show is proven in ``tests/sync/test_equivalence.py`` and ``test_unchanged.py``; here
are all streams, with what the background reads.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from atsumi.connector.contract import LookupStream
from atsumi.connectors.personio import client as personio_client
from atsumi.connectors.personio.simulator import Simulator
from atsumi.model.catalog import MODELS
from atsumi.model.names import Model
from atsumi.sync.run import execute
from harness import Account, Product, small_company

COMPANY = {"applications": 24, "jobs": 5, "published_share": 0.6}
LEARNED = {Model.STAGE, Model.JOB_STAGE, Model.JOB, Model.OFFICE, Model.DEPARTMENT, Model.ROLE, Model.USER}
"""What stays known although the tool shows it nowhere any more: who comes later cannot know it."""

Content = dict[tuple[Model, str], Any]


async def content(account: Account) -> Content:
    """Every present canonical record, free of what differs between two connections."""
    assert await account.fragments() == await account.rendered_anew()
    return {
        (MODELS[model], remote_id): msgspec.json.encode(data).decode().replace(account.origin, "http://tool")
        for (model, remote_id), (data, is_deleted) in (await account.canonical()).items()
        if not is_deleted
    }


async def read_all(product: Product, simulator: Simulator) -> Account:
    """A new connection that has read everything once."""
    account = await product.synced(simulator)
    assert await account.background() == "SUCCEEDED"
    return account


async def test_every_stream_brings_something(product: Product) -> None:
    account = await read_all(product, small_company(**COMPANY))
    named = {stream.name for stream in account.runtime.connector("personio").streams}
    stored = {row["stream"] for row in await account.fetch("SELECT stream FROM raw_record WHERE integration = $1")}
    # The company's career page has two languages.
    assert named - stored == {name for name in named if name.startswith("feed:") and name not in ("feed:de", "feed:en")}
    models = {model for model, _ in await content(account)}
    assert models >= {
        Model.STAGE_TRANSITION,
        Model.ATTACHMENT,
        Model.APPLICATION,
        Model.CANDIDATE,
        Model.JOB,
        Model.USER,
    }


@pytest.mark.parametrize("kind", ["full", "incremental", "background"])
async def test_reading_every_stream_again_changes_nothing(product: Product, kind: str) -> None:
    account = await read_all(product, small_company(**COMPANY))
    before = await account.row_versions()

    state = await account.background() if kind == "background" else (await account.sync(kind)).state

    assert state == "SUCCEEDED"
    assert await account.row_versions() == before


@pytest.mark.parametrize("size", [2])
async def test_the_size_of_pages_and_batches_changes_nothing(
    product: Product, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    expected = await content(await read_all(product, small_company(**COMPANY)))
    monkeypatch.setattr(personio_client, "PAGE_SIZE", size)
    account = await product.connect(small_company(**COMPANY))
    whole = account.runtime.connector("personio")
    streams = [
        replace(stream, batch_size=size) if isinstance(stream, LookupStream) else stream for stream in whole.streams
    ]
    small = replace(whole, streams=streams)

    for kind in ("full", "background"):
        work = await account.work(await account.claim(kind))
        assert await execute(replace(work, target=replace(work.target, connector=small))) == "SUCCEEDED"

    assert await content(account) == expected


@pytest.mark.parametrize("seed", range(2))
async def test_increments_and_the_background_give_what_a_full_read_gives(product: Product, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 -- a game, not a secret
    simulator = small_company(seed=seed + 1, **COMPANY)
    account = await read_all(product, simulator)
    for _ in range(3):
        for _ in range(4):
            _edit(simulator, chance)
        assert (await account.sync("incremental")).state == "SUCCEEDED"
        assert await account.background() == "SUCCEEDED"

    fresh = await content(await read_all(product, simulator))

    found = await content(account)
    for model in sorted({model for model, _ in fresh}):
        theirs = {key: value for key, value in fresh.items() if key[0] is model}
        ours = {key: value for key, value in found.items() if key[0] is model}
        if model not in LEARNED:
            assert ours == theirs, model
        else:
            assert ours.keys() >= theirs.keys(), model


def _edit(simulator: Simulator, chance: random.Random) -> None:
    """Something that the tool tells of; the sizes of its generated files depend on names, which stay."""
    state = simulator.state()
    application, candidate = chance.choice(state["applications"]), chance.choice(state["candidates"])
    stage = chance.choice([one["id"] for one in state["stages"]])
    match chance.randrange(5):
        case 0:
            simulator.move_application(application["id"], stage)
        case 1:
            simulator.edit_candidate(candidate["id"], phone=f"+49 30 555{chance.randrange(100)}")
        case 2:
            simulator.create_application(candidate["id"], chance.choice(state["jobs"])["id"])
        case 3:
            simulator.add_document(application["id"], f"Zeugnis {chance.randrange(100)}.pdf")
            simulator.move_application(application["id"], stage)
        case _:
            person = simulator.create_candidate("Neu", "Person", f"neu{chance.randrange(100)}@example.org")
            simulator.create_application(person, chance.choice(state["jobs"])["id"])
