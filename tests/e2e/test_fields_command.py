"""`atsumi fields`: what an operator sees of a tool's fields, and how custom fields are made."""

from __future__ import annotations

import asyncio
import json

import pytest
from typer.testing import CliRunner

from atsumi.server.cli import app
from atsumi.server.remapping import execute_run
from harness import MASTER_KEY, Account, Product


async def atsumi(account: Account, *arguments: str, status: int = 0) -> str:
    """One command against the account's database; its output on one line per row."""
    variables = {
        "ATSUMI_DATABASE_URL": account.runtime.database_url,
        "ATSUMI_MASTER_KEY": MASTER_KEY,
        "ATSUMI_DATA_DIR": str(account.runtime.settings.data_dir),
    }
    done = await asyncio.to_thread(CliRunner().invoke, app, ["fields", *arguments], env=variables)
    assert done.exit_code == status, done.output
    return done.output


async def test_fields_are_listed_with_their_share_and_samples_only_on_demand(product: Product) -> None:
    account = await product.synced(applications=5)
    people = account.simulator.state("candidates")["candidates"]

    listed = await atsumi(account, "list", account.integration.id, "--model", "candidate")
    sampled = await atsumi(account, "list", account.integration.id, "--model", "candidate", "--samples")

    [row] = [line.split() for line in listed.splitlines() if " email " in line]
    assert row[:7] == ["candidate", "email", "string", str(len(people)), "of", str(len(people)), "100%"]
    assert "applications[].id" in listed
    assert not any(person["last_name"] in listed for person in people)
    assert any(person["email"] in sampled for person in people)
    lines = await atsumi(account, "list", account.integration.id, "--model", "candidate", "--json")
    shown = {one["path"]: one for one in map(json.loads, lines.splitlines())}
    assert shown["email"] == {
        "model": "candidate",
        "path": "email",
        "types": ["string"],
        "records": len(people),
        "records_of_model": len(people),
        "share": 1.0,
        "is_passthrough": False,
    }


@pytest.mark.parametrize("where", ["tool", "integration"])
async def test_a_custom_field_is_defined_mapped_unmapped_and_deleted(product: Product, where: str) -> None:
    account = await product.synced(applications=3)
    scope = {"tool": ["--tool", "personio"], "integration": ["--integration", account.integration.id]}[where]
    common = ["--model", "candidate", "-e", account.environment.name]
    await atsumi(account, "define", "surname", "--label", "Surname", *common)
    await atsumi(account, "map", "surname", "last_name", *scope, *common)
    assert "last_name" in await atsumi(account, "custom", "-e", account.environment.name)

    await execute_run(account.runtime, await account.claim("remap"), await account.fresh())
    held = {row["id"]: row["last_name"] for row in account.simulator.state("candidates")["candidates"]}
    assert {row["remote_id"]: row["custom_fields"]["surname"] for row in await account.rows("candidates")} == held

    await atsumi(account, "unmap", "surname", *scope, *common)
    assert "not mapped there" in await atsumi(account, "unmap", "surname", *scope, *common, status=1)
    await atsumi(account, "delete", "surname", *common)
    assert "No custom fields yet" in await atsumi(account, "custom", "-e", account.environment.name)


async def test_a_field_of_what_a_tool_tells_nothing_about_is_not_mapped(product: Product) -> None:
    account = await product.connect(applications=1)
    common = ["--model", "job_stage", "-e", account.environment.name]
    await atsumi(account, "define", "color", *common)
    told = await atsumi(account, "map", "color", "name", "--tool", "personio", *common, status=1)
    assert "personio says nothing about records of the model job_stage" in " ".join(told.split())


async def test_a_field_is_handed_on_and_no_longer(product: Product) -> None:
    account = await product.synced(applications=2)
    await atsumi(account, "pass", account.integration.id, "gender", "--model", "candidate")
    assert " yes" in await atsumi(account, "list", account.integration.id, "--model", "candidate")
    await atsumi(account, "pass", account.integration.id, "gender", "--model", "candidate", "--off")
    assert " yes" not in await atsumi(account, "list", account.integration.id, "--model", "candidate")


async def test_what_cannot_be_is_said(product: Product) -> None:
    account = await product.connect(applications=1)
    common = ["--model", "candidate", "-e", account.environment.name]
    assert "No fields yet" in await atsumi(account, "list", account.integration.id)
    assert "There is no custom field" in await atsumi(account, "map", "x", "a", "--tool", "personio", *common, status=1)
    await atsumi(account, "define", "broken", *common)
    assert "the path" in await atsumi(account, "map", "broken", "a..b", "--tool", "personio", *common, status=1)
    assert "either a tool" in await atsumi(account, "map", "broken", "a", *common, status=1)
    assert "There is no tool" in await atsumi(account, "map", "broken", "a", "--tool", "other", *common, status=1)
    assert "There is no field" in await atsumi(account, "pass", account.integration.id, "q", *common[:2], status=1)
