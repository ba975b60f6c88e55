"""Custom fields and handed-on fields, through the published client, from discovery to the lists."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from atsumi.dialects.custom_fields import Where
from atsumi.errors import Conflict, InvalidInput
from atsumi.model.ids import from_base58, to_base58
from atsumi.model.names import Model
from atsumi.server.custom_fields import CustomFieldService
from atsumi.server.remapping import execute_run
from atsumi.store import runs, shaping
from atsumi.store.custom_fields import CustomField
from atsumi.sync import remap
from harness import Account, Product


def service(account: Account) -> CustomFieldService:
    return CustomFieldService(account.runtime)


async def define(account: Account, name: str, model: Model = Model.CANDIDATE, **more: Any) -> CustomField:
    return await service(account).define(account.environment.id, model, name, **more)


async def shaped(account: Account) -> None:
    """The remap that a change of the shape asks for."""
    [number] = [one for one in await shaping.integrations_to_shape(account.pool, 100) if one == account.number]
    assert number == account.number
    claim = await account.claim("remap")
    await execute_run(account.runtime, claim, await account.fresh())
    assert account.number not in await shaping.integrations_to_shape(account.pool, 100)


async def tool_fields(account: Account) -> dict[tuple[str, str], Any]:
    """Every integration field by model and key, as the published client gives them."""

    def walk(client: Any) -> list[Any]:
        found: list[Any] = []
        page = client.general.get_integration_fields(integration_id=account.integration.id, page_size=7)
        while page is not None:
            found += page.result.data.results
            page = page.next()
        return found

    found = await account.ask(walk)
    fields = {(one.model, one.key): one for one in found}
    assert len(fields) == len(found)
    return fields


async def mapped(account: Account, field: CustomField, key: str | None) -> Any:
    """Map a field of the candidates through the published client."""
    id = None if key is None else (await tool_fields(account))["ats_candidates", key].id
    answer = await account.ask(
        lambda client: client.general.update_custom_field_mapping(
            integration_id=account.integration.id,
            custom_field_id=to_base58(field.id),
            integration_field_id=id,
        )
    )
    return answer.data


def held(account: Account) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in account.simulator.state("candidates")["candidates"]}


async def shown(account: Account, name: str) -> dict[str, Any]:
    return {row.remote_id: (row.custom_fields or {}).get(name, "absent") for row in await account.read("candidates")}


async def test_the_client_maps_a_discovered_field_and_reads_its_values(product: Product) -> None:
    account = await product.synced(applications=8)
    field = await define(account, "sex", label="Sex", description="As the person says")
    fields = await tool_fields(account)
    assert fields["ats_candidates", "gender"].type == "CUSTOM"
    assert fields["ats_candidates", "first_name"].type == "DEFAULT"
    assert {one.IS_WRITABLE for one in fields.values()} == {False}

    answer = await mapped(account, field, "gender")
    assert (answer.key, answer.model, answer.label) == ("sex", "ats_candidates", "Sex")
    assert answer.integration_field.key == "gender"
    # Every record is of the shape it had until it is computed anew.
    assert set((await shown(account, "sex")).values()) == {"absent"}
    await shaped(account)

    assert await shown(account, "sex") == {id: row["gender"] for id, row in held(account).items()}
    listed = await account.ask(lambda c: c.general.get_custom_fields(integration_id=account.integration.id))
    [entry] = listed.result.data.results
    assert (entry.id, entry.integration_field.id) == (answer.id, fields["ats_candidates", "gender"].id)

    answer = await mapped(account, field, None)
    assert answer.integration_field is None
    await shaped(account)
    assert set((await shown(account, "sex")).values()) == {"absent"}


async def test_syncs_keep_the_values_right(product: Product) -> None:
    account = await product.synced(applications=6)
    await mapped(account, await define(account, "birth"), "birthday")
    await shaped(account)
    first = min(held(account))
    # The document of the day after: a value that changes, a person who comes, one who is erased.
    account.simulator.edit_candidate(first, birthday="1971-02-03")
    new = account.simulator.create_candidate("Nele", "Beispiel", "nele@example.com", birthday="1990-05-06")
    gone = max(held(account))
    await account.sync()

    found = await shown(account, "birth")
    assert found[first] == "1971-02-03"
    assert found[str(new)] == "1990-05-06" or str(new) not in found
    account.simulator.anonymise_candidate(gone)
    await account.sync("full")
    assert (await shown(account, "birth")).get(gone) is None
    assert await account.fragments() == await account.rendered_anew()


async def test_a_field_of_the_tool_is_handed_on_as_it_is(product: Product) -> None:
    account = await product.synced(applications=5)
    field = (await tool_fields(account))["ats_applications", "channel"]

    answer = await account.ask(
        lambda client: client.general.update_integration_field(
            integration_id=account.integration.id, integration_field_id=field.id, enable_passthrough=True
        )
    )
    assert answer.data.is_passthrough_enabled
    await shaped(account)

    raw = {row["id"]: row["channel"] for row in account.simulator.state("applications")["applications"]}
    for row in await account.rows("applications"):
        [one] = row["integration_fields"]
        assert (one["id"], one["key"], one["label"]) == (field.id, "channel", None)
        assert (one["value"] or {}).get("name") == raw[row["remote_id"]]

    await service(account).set_passthrough(account.integration, _uuid(field.id), False)
    await shaped(account)
    assert {str(row["integration_fields"]) for row in await account.rows("applications")} == {"[]"}


async def test_an_integrations_own_mapping_wins_over_its_tools(product: Product) -> None:
    account = await product.synced(applications=4)
    field = await define(account, "note")
    both = service(account)
    await both.map(account.environment.id, field.id, Where(tool="personio"), path="last_name")
    await shaped(account)
    assert set((await shown(account, "note")).values()) == {row["last_name"] for row in held(account).values()}

    await both.map(account.environment.id, field.id, Where(integration=account.integration), path="first_name")
    await shaped(account)
    assert set((await shown(account, "note")).values()) == {row["first_name"] for row in held(account).values()}


async def test_a_path_that_fails_over_some_records_costs_their_value_only(product: Product) -> None:
    account = await product.synced(applications=4)
    field = await define(account, "odd")
    await service(account).map(account.environment.id, field.id, Where(tool="personio"), path="join(',', first_name)")

    await shaped(account)

    assert set((await shown(account, "odd")).values()) == {None}
    [run] = [one for one in await runs.latest_runs(account.pool, account.number) if one.kind == "remap"]
    issues = await account.issues(run)
    assert [(kind, name) for _, kind, name, _ in issues] == [("custom_field", "odd")]


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


@pytest.mark.parametrize("place", [1, 4, 9])
async def test_a_killed_remap_goes_on_and_counts_every_record_once(
    product: Product, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    account = await product.synced(applications=12, jobs=3)
    await mapped(account, await define(account, "sex"), "gender")
    monkeypatch.setattr(remap, "_RAW", 5)
    monkeypatch.setattr(remap, "_GROUPS", 2)
    record_page, pages = runs.record_page, 0

    async def dying(*args: Any, **values: Any) -> None:
        nonlocal pages
        pages += 1
        if pages == place:
            raise Killed
        await record_page(*args, **values)

    claim = await account.claim("remap")
    with monkeypatch.context() as patch:
        patch.setattr(runs, "record_page", dying)
        with pytest.raises(Killed):
            await execute_run(account.runtime, claim, await account.fresh())
    await account.pool.execute("UPDATE sync_run SET heartbeat_at = '-infinity' WHERE id = $1", claim.run.id)
    again = await runs.claim_run(account.pool, claim.run.id)
    assert again is not None
    await execute_run(account.runtime, again, await account.fresh())

    assert account.number not in await shaping.integrations_to_shape(account.pool, 100)
    assert await shown(account, "sex") == {id: row["gender"] for id, row in held(account).items()}
    assert await account.fragments() == await account.rendered_anew()
    statement = "SELECT model, path, types, records_seen FROM integration_field WHERE integration = $1 ORDER BY 1, 2"
    resumed = await account.fetch(statement)
    await execute_run(account.runtime, await account.claim("remap"), await account.fresh())
    assert resumed == await account.fetch(statement)


HOSTILE = ["", "a..b", "[" * 800, "x" * 1025, "system('x')", "\0", "&a"]


async def test_a_hostile_path_is_refused_before_it_is_stored(product: Product) -> None:
    account = await product.connect(applications=1)
    field = await define(account, "hostile")

    for path in HOSTILE:
        with pytest.raises(InvalidInput, match="the path"):
            await service(account).map(account.environment.id, field.id, Where(tool="personio"), path=path)
    assert await service(account).mappings(account.environment.id, field=field.id) == []


async def test_names_are_unique_and_a_mapped_field_keeps_its_model(product: Product) -> None:
    account = await product.connect(applications=1)
    field = await define(account, "level")
    with pytest.raises(Conflict):
        await define(account, "level")
    await define(account, "level", Model.JOB)
    for name in ("x", "Level", "1level", "with space", "ü" * 3, "a" * 129):
        with pytest.raises(InvalidInput):
            await define(account, name)
    await service(account).map(account.environment.id, field.id, Where(tool="personio"), path="a")
    with pytest.raises(Conflict):
        await service(account).change(account.environment.id, field.id, {"model": Model.OFFER})


async def test_another_environment_sees_and_changes_nothing(product: Product) -> None:
    mine, theirs = await product.synced(applications=2), await product.synced(applications=2)
    field = await define(theirs, "secret")
    await service(theirs).map(theirs.environment.id, field.id, Where(tool="personio"), path="first_name")
    await shaped(theirs)
    own = (await tool_fields(mine))["ats_candidates", "gender"]
    there = (await tool_fields(theirs))["ats_candidates", "gender"]

    assert own.id != there.id
    assert (await mine.get(f"/integrations/{mine.integration.id}/custom-fields")).json()["data"]["results"] == []
    assert mine.number not in await shaping.integrations_to_shape(mine.pool, 100)
    at, key = f"/v1/integrations/{mine.integration.id}", mine.headers
    attempts = [
        ("PUT", f"{at}/custom-fields/{to_base58(field.id)}", {"integration_field_id": own.id}),
        ("PATCH", f"{at}/integration-fields/{there.id}", {"enable_passthrough": True}),
        ("PUT", f"/v1/integrations/{theirs.integration.id}/custom-fields/{to_base58(field.id)}", {}),
    ]
    for method, path, body in attempts:
        answer = await product.api.request(method, path, headers=key, json=body)
        assert answer.status_code == 404, answer.text
    mapped_with_theirs = await define(mine, "own")
    answer = await product.api.put(
        f"{at}/custom-fields/{to_base58(mapped_with_theirs.id)}",
        headers=key,
        json={"integration_field_id": there.id},
    )
    assert answer.status_code == 400, answer.text


BAD_QUERIES = ["page_size=0", "page_size=2001", "page_size=x", "cursor=abc", "q=1", "page_size=1&page_size=1"]


async def test_bad_paging_is_refused(product: Product) -> None:
    account = await product.connect(applications=1)

    for query in BAD_QUERIES:
        answer = await product.api.get(
            f"/v1/integrations/{account.integration.id}/integration-fields?{query}", headers=account.headers
        )
        assert answer.status_code == 400, answer.text
        assert answer.json()["error"]["code"] == "PLATFORM.INPUT_INVALID"


BAD_BODIES = [b"", b"{}", b"[]", b'{"integration_field_id": 5}', b'{"integration_field_id": "x"}', b"{" * 300]


async def test_a_body_of_another_shape_is_refused(product: Product) -> None:
    account = await product.connect(applications=1)
    field = await define(account, "shape")

    for body in BAD_BODIES:
        answer = await product.api.put(
            f"/v1/integrations/{account.integration.id}/custom-fields/{to_base58(field.id)}",
            headers=account.headers,
            content=body,
        )
        assert answer.status_code == 400, answer.text


def _uuid(spelled: str) -> UUID:
    found = from_base58(spelled)
    assert found is not None
    return found
