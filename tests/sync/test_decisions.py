"""What the operator decides about large losses and about deletions that were none."""

from __future__ import annotations

from typing import Any

import pytest

from atsumi.errors import Conflict, NotFound
from atsumi.model.ids import record_id
from atsumi.model.names import Model
from atsumi.store import deletion, unsafe
from atsumi.store.unsafe import UnsafeRow
from atsumi.sync import decisions
from harness import Account, Product


async def large_loss(product: Product) -> tuple[Account, UnsafeRow, set[str]]:
    account = await product.synced()
    lost = [one["id"] for one in account.simulator.state("applications")["applications"][:20]]
    for one in lost:
        account.simulator.delete_application(one)
    await account.sync("full")
    (change,) = await unsafe.unsafe_changes(account.pool, account.number)
    return account, change, {str(one) for one in lost}


async def test_a_confirmed_loss_is_deleted_with_the_operator_as_evidence(product: Product) -> None:
    account, change, lost = await large_loss(product)
    # Meanwhile the tool shows one of them again, changed.
    back = sorted(lost)[0]

    assert await decisions.confirm(account.pool, await account.runtime.target(account.integration), change) == 20

    assert await account.remote_ids("applications") & lost == set()
    kinds = {one.kind for one in await deletion.evidence(account.pool, account.number)}
    assert kinds == {"operator"}
    assert await account.fragments() == await account.rendered_anew()
    assert (await account.sync("full")).state == "SUCCEEDED"
    with pytest.raises(Conflict):
        await decisions.confirm(
            account.pool,
            await account.runtime.target(account.integration),
            await unsafe.find_unsafe(account.pool, change.id),
        )
    assert back not in await account.remote_ids("applications")


async def test_a_discarded_loss_keeps_everything_until_it_is_found_again(product: Product) -> None:
    account, change, lost = await large_loss(product)
    await decisions.discard(account.pool, change)
    assert lost <= await account.remote_ids("applications")
    assert await unsafe.unsafe_changes(account.pool, account.number) == []

    await account.sync("full")
    (again,) = await unsafe.unsafe_changes(account.pool, account.number)
    assert again.id != change.id
    assert lost <= await account.remote_ids("applications")


async def test_a_waiting_loss_is_superseded_when_the_records_show_again(product: Product) -> None:
    account = await product.synced()
    account.simulator.inject("drop_records", path="/v2/recruiting/applications", records=20)
    account.simulator.inject("status", path="/v2/recruiting/applications/", count=None)
    await account.sync("full")
    account.simulator.clear_faults()
    (change,) = await unsafe.unsafe_changes(account.pool, account.number)
    assert (await account.sync("full")).state == "SUCCEEDED"
    assert await unsafe.unsafe_changes(account.pool, account.number) == []
    assert (await unsafe.find_unsafe(account.pool, change.id)).state == "SUPERSEDED"
    with pytest.raises(Conflict):
        await decisions.confirm(
            account.pool,
            await account.runtime.target(account.integration),
            await unsafe.find_unsafe(account.pool, change.id),
        )


@pytest.mark.parametrize("kind", ["applications", "candidates", "jobs"])
async def test_a_deletion_can_be_undone_from_what_is_stored(product: Product, kind: str) -> None:
    account = await product.synced()
    before = await account.documents()
    one = next(one["id"] for one in account.simulator.state(kind)["candidates" if kind == "candidates" else kind])
    options: dict[str, Any] = {"with_applications": False} if kind == "candidates" else {}
    getattr(account.simulator, f"delete_{kind[:-1]}")(one, **options)
    await account.sync("full")
    assert str(one) not in await account.remote_ids(kind)
    model = Model(kind[:-1])
    id = record_id(account.integration.public_id, model, str(one))

    await decisions.undo(account.pool, account.number, await account.runtime.target(account.integration), model, id)

    after = await account.documents()
    assert _without_instants(after) == _without_instants(before)
    with pytest.raises(Conflict, match="is not deleted"):
        await decisions.undo(account.pool, account.number, await account.runtime.target(account.integration), model, id)
    await account.sync("full")
    assert str(one) not in await account.remote_ids(kind)


async def test_what_is_not_there_cannot_be_undone(product: Product) -> None:
    account = await product.synced()
    target = await account.runtime.target(account.integration)
    with pytest.raises(NotFound):
        await decisions.undo(account.pool, account.number, target, Model.JOB, account.integration.public_id)


def _without_instants(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_instants(one) for key, one in value.items() if key != "changed_at"}
    return [_without_instants(one) for one in value] if isinstance(value, list) else value
